"""A page is one file that needs nothing else, and nothing of a model can be markup in it."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser

import pytest
import toys
from held import held
from odd_names import NASTY, nasty

from simcore import Model, explore
from simcore.report.page import Film, film_of, framed, page_of, picture_of


class Elements(HTMLParser):
    """The elements of a page, their attributes, and the text of each kind of script."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.scripts = [], [], {}
        self._script = None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self._script = dict(attrs).get("type") if tag == "script" else None

    def handle_data(self, data):
        if self._script:
            self.scripts[self._script] = data
            self._script = None


def test_the_page_is_well_formed_and_asks_for_nothing_else():
    page = page_of(film_of(explore(toys.opposed_locks())))
    there = Elements(page)
    assert not {"iframe", "img", "object"} & set(there.tags)
    assert [value for name, value in there.attributes if name in ("src", "href")] == ["data:,"]
    assert "default-src 'none'" in page
    assert not re.findall(r"fetch\(|XMLHttpRequest|import\(|innerHTML|insertAdjacent|document\.write|eval\(", page)
    assert set(re.findall(r"https?://[\w./]*", page)) == {"http://www.w3.org/2000/svg"}


def test_names_that_are_markup_are_text():
    result = explore(nasty(), partial_order=False, max_states=2_000)
    page = page_of(film_of(result))
    plain = Elements(page_of(film_of(explore(toys.opposed_locks()))))
    there = Elements(page)
    assert there.tags == plain.tags
    data = json.loads(there.scripts["application/json"])
    assert data["title"] == NASTY[0]
    names = [lane["name"] for lane in data["lanes"]]
    assert {NASTY[1], r"\x1b[31m\x00\x07 red", r"\u202etxet", r"\ud800"} <= {*names}
    assert not re.search("[<>&\u2028\u2029]", there.scripts["application/json"])
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e\ud800]", page)
    assert len(max((lane["name"] for lane in data["lanes"]), key=len)) < 500
    page.encode()


def test_the_picture_is_the_page_in_a_frame():
    found = explore(toys.opposed_locks()).counterexample
    picture = picture_of(found)
    source = re.search(r'srcdoc="([^"]*)"', picture)[1]
    assert html.unescape(source) == page_of(film_of(found))
    assert 'sandbox="allow-scripts"' in picture
    assert picture.count("<") == 2


def test_a_proof_takes_less_room():
    picture = picture_of(explore(toys.one_lock(threads=1)))
    assert "height:260px" in picture
    assert "There is no schedule to show" in picture


def test_a_title_of_a_frame_is_text():
    assert framed('"><script>', "<p>") == (
        '<iframe title="&quot;&gt;&lt;script&gt;" style="width:100%;height:720px;border:0" '
        'sandbox="allow-scripts" srcdoc="&lt;p&gt;"></iframe>'
    )


def test_without_scripts_there_is_the_report():
    result = explore(toys.opposed_locks())
    assert f"<noscript><pre>{html.escape(str(result))}</pre></noscript>" in page_of(film_of(result))


# ---- in a notebook ---------------------------------------------------------------------------------------

SHOWN = ["Result", "Counterexample", "Schedule", "Simulation", "Execution", "Controlled", "Violation", "WaitForGraph"]


@pytest.mark.parametrize("name", SHOWN)
def test_an_answer_shows_itself(name):
    value = held()[name]
    assert value._repr_html_().startswith("<iframe")
    printed = []
    type(value).__dict__["_repr_pretty_"](value, type("Printer", (), {"text": printed.append}), False)
    assert printed == [str(value)]


def test_what_cannot_be_drawn_is_text(monkeypatch):
    found = explore(toys.opposed_locks()).counterexample
    monkeypatch.setattr("simcore.report.page.picture_of", lambda value: film_of(3))
    assert found._repr_html_() is None


@pytest.mark.parametrize("name", held())
def test_no_text_shows_an_address(name):
    assert not re.search(r"0x[0-9a-f]{6}", str(held()[name]))
    if name != "Claim":  # which is written down, and has the function of its model
        assert not re.search(r"0x[0-9a-f]{6}", repr(held()[name]))


def test_a_schedule_whose_model_cannot_be_built_shows_its_steps():
    def unnamed():
        model = Model("unnamed")
        lock = model.lock("lock")

        def take():
            yield lock.acquire()
            yield lock.acquire()

        model.process("one", take)
        return model

    schedule = explore(unnamed()).counterexample.schedule
    film = film_of(schedule)
    assert isinstance(film, Film)
    assert [frame.text for frame in film.frames] == ["acquires lock"]
    assert film.things == ()
    assert "the model cannot be built here, so the values of its objects are not known" in film.facts
