"""The page in a browser that draws it: headless Chromium, from a file, with no network."""

from __future__ import annotations

import base64
import shutil

import pytest
from shown_pages import ANSWERS, Shown

from simcore.report.page import film_of, framed, page_of

pytestmark = pytest.mark.slow

WIDTHS = (360, 800, 1600)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return the address of the page of each answer."""
    folder = tmp_path_factory.mktemp("pages")
    for name, answer in ANSWERS.items():
        (folder / f"{name}.html").write_text(page_of(film_of(answer())), encoding="utf-8")
    frame = framed("a frame", page_of(film_of(ANSWERS["starvation"]())))
    (folder / "frame.html").write_text(f"<!DOCTYPE html><title>notebook</title>{frame}", encoding="utf-8")
    return {path.stem: path.as_uri() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def chromium():
    webdriver = pytest.importorskip("selenium.webdriver")
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    assert browser, "chromium is not installed: apt-get install chromium chromium-driver"
    assert driver, "chromedriver is not installed: apt-get install chromium chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield started
    started.quit()


@pytest.fixture
def shown(chromium, pages):
    def show(name, at="", **how):
        return Shown(chromium, pages[name] + at, **how)

    return show


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ANSWERS)
def test_it_opens_without_an_error_and_without_scrolling_sideways(shown, name, width):
    page = shown(name, width=width)
    assert page.driver.get_log("browser") == []
    assert page.js("document.documentElement.scrollWidth") <= width
    assert page.js("document.body.scrollWidth") <= width
    assert page.count("h1") == 1


@pytest.mark.parametrize("name", ["starvation", "long", "nasty"])
def test_no_two_texts_of_the_drawing_overlap(shown, name):
    for width in WIDTHS:
        page = shown(name, width=width)
        boxes, texts = (
            page.js(
                f"[...document.querySelectorAll('.drawing {kind}')].map(n => n.getBBox())"
                ".map(b => [b.x, b.y, b.x + b.width, b.y + b.height])"
            )
            for kind in ("rect.box", "text")
        )
        for number, (left, top, right, bottom) in enumerate(boxes):
            for left2, top2, right2, bottom2 in boxes[number + 1 :]:
                assert right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top
        for left, top, right, bottom in texts:
            assert any(x <= left and right <= x2 and y <= top and bottom <= y2 for x, y, x2, y2 in boxes)


OVER = """[...document.querySelectorAll('.processes tbody tr > *')].filter(cell => {
  const text = document.createRange(), next = cell.nextElementSibling;
  text.selectNodeContents(cell);
  const {right, top, bottom} = text.getBoundingClientRect(), box = next && next.getBoundingClientRect();
  return next && right > box.left && top < box.bottom && bottom > box.top;
}).map(cell => cell.textContent)"""


@pytest.mark.parametrize("name", ["starvation", "never", "code", "nasty"])
def test_no_text_of_the_table_of_processes_runs_under_the_next(shown, name):
    for width in (*WIDTHS, 700, 1300):
        page = shown(name, width=width)
        assert page.js(OVER) == []
        page.js("document.querySelectorAll('.processes td:nth-child(2)')"
                ".forEach(cell => { cell.textContent = 'in other words, for ' + 'ever'.repeat(9) })")  # fmt: skip
        assert page.js(OVER) == []


def test_who_waits_for_ever_does_not_wait_for_a_time(shown):
    page = shown("never")
    page.press("End", ".lanes")
    rows = page.js("[...document.querySelectorAll('.processes tbody tr')].map(row => row.textContent)")
    assert len(rows) == 2
    assert all("waits for ever" in row and "for a time" not in row and "at most" not in row for row in rows)
    assert "for a time" not in page.text(".legend")


CROSSED = """(() => {
  const boxes = [...document.querySelectorAll('.drawing rect.box')].map(n => n.getBBox());
  let crossed = 0;
  for (const path of document.querySelectorAll('.drawing path.wait:not(.tip)')) {
    for (let far = 0; far < path.getTotalLength(); far += 2) {
      const {x, y} = path.getPointAtLength(far);
      if (boxes.some(b => x > b.x + 2 && x < b.x + b.width - 2 && y > b.y + 2 && y < b.y + b.height - 2)) crossed += 1;
    }
  }
  return crossed;
})()"""


@pytest.mark.parametrize("name", ["starvation", "code", "callbacks"])
def test_no_arrow_of_the_drawing_runs_behind_a_box(shown, name):
    for width in WIDTHS:
        page = shown(name, width=width)
        assert page.count(".drawing path.wait") > 4
        assert page.js(CROSSED) == 0
        inside = page.js("(d => d.scrollWidth <= d.clientWidth)(document.querySelector('.drawing'))")
        assert page.js("document.querySelector('.wider').hidden") == inside


def test_it_opens_at_the_end_or_where_the_address_says(shown):
    assert shown("starvation").position == 20
    page = shown("starvation", "#step=7")
    assert page.position == 7
    assert page.text(".step .which") == "Step 7 of 20"
    page.js("location.hash = '#step=9'")
    page.until("document.querySelector('.step .which').textContent === 'Step 9 of 20'")
    assert shown("starvation", "#step=999").position == 20
    assert shown("starvation", "#step=x").position == 20


def test_keys_buttons_and_the_slider_go_through_it(shown):
    page = shown("starvation")
    for key, position in (
        ("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("PageDown", 11), ("End", 20),
        ("ArrowRight", 20), ("PageUp", 10), ("p", 12), ("Home", 0), ("ArrowLeft", 0),
    ):  # fmt: skip
        page.press(key, ".lanes")
        assert page.position == position
    for key, position in (("PageDown", 10), ("PageDown", 20), ("PageUp", 10), ("End", 20), ("Home", 0)):
        page.press(key, ".controls input")
        assert page.position == position
    for key in ("PageDown", "End", "ArrowDown", " "):  # which scroll the page, as everywhere
        assert page.press(key)
        assert page.position == 0
    assert "p: the point of no return" in page.text(".keys")
    assert page.text(".step .which") == "Before the first step"
    page.click("Point of no return")
    assert page.position == 12
    assert "owner reader submits blob_callback(download[3] chunk 0) to stream" in page.text(".step .words")
    assert "no good end can be reached after it" in page.text(".step .turn")
    page.js("(s => { s.value = 5; s.dispatchEvent(new Event('input')); })(document.querySelector('.controls input'))")
    assert page.text(".step .which") == "Step 5 of 20"
    page.until("location.hash === '#step=5'")


def test_it_plays_to_the_end(shown):
    page = shown("starvation", "#step=18")
    page.click("Play")
    page.until("document.querySelector('.controls input').value === '20'")
    page.until("[...document.querySelectorAll('button')].some(b => b.textContent.includes('Play'))")


def test_a_lasso_is_played_round(shown):
    page = shown("lasso")
    last = page.position
    page.click("Play")
    page.until(f"document.querySelector('.controls input').value < {last}")
    page.click("Pause")
    assert page.count(".lanes rect.lasso") == 1
    assert "repeated for ever" in page.text(".step .turn") or page.position < last


def test_what_has_changed_is_marked_and_slots_are_counted(shown):
    page = shown("starvation", "#step=13")
    assert page.js("[...document.querySelectorAll('.objects li.changed b')].map(b => b.textContent)") == ["stream"]
    assert "1 of 4 in use" in page.text(".objects li.changed")
    assert page.count(".objects li.changed .boxes i") == 4
    assert page.count(".objects li.changed .boxes i.used") == 1
    assert "Enabled before it: stream[0], stream[1]" in page.text(".step .could")
    assert "step 6, owner reader submits" in page.text(".step .from")
    page.press("End", ".lanes")
    row = "[...document.querySelectorAll('.processes tbody tr')].find(r => r.textContent.startsWith('stream[0]'))"
    assert "waits for ever" in page.js(f"{row}.textContent")
    assert page.count(".drawing rect.box.knotted") == 3


def test_two_thousand_steps_are_drawn_as_far_as_they_are_in_view(shown):
    page = shown("long", "#step=1000")
    nodes = page.js("document.querySelectorAll('*').length")
    assert page.count(".lanes .mark") < 60
    assert nodes < 1_500
    for position in range(0, 2_001, 97):
        page.js("(s => { s.value = arguments[0]; s.dispatchEvent(new Event('input')); })"
                "(document.querySelector('.controls input'))".replace("arguments[0]", str(position)))  # fmt: skip
        page.settle()
        assert page.count(".lanes .mark") < 60
    assert page.js("document.querySelectorAll('*').length") < nodes + 50
    page.js("document.querySelector('.lanes').scrollLeft = 30_000")
    page.settle()
    assert page.count(".lanes .mark") in range(20, 60)


def test_the_table_is_made_when_it_is_asked_for(shown):
    page = shown("long")
    assert page.count(".all tr") == 0
    page.js("document.querySelector('.all summary').click()")
    page.until("document.querySelectorAll('.all tbody tr').length === 2001")
    page.js("document.querySelectorAll('.all tbody a')[41].click()")
    page.settle()
    assert page.position == 42


def test_names_that_are_markup_are_shown_and_not_done(shown):
    page = shown("nasty")
    assert page.js("document.title").startswith("</script><script>alert(1)</script>")
    assert page.count("img, script:not([type])") == 0
    assert "<img src=x onerror=alert(1)>" in page.js("document.querySelector('#film').innerText")
    for _ in range(5):
        page.press("ArrowLeft")
    assert page.driver.get_log("browser") == []


def test_dark_is_dark_and_both_can_be_read(shown):
    def luminance(colour):
        parts = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    for dark in (False, True):
        page = shown("starvation", "#step=12", dark=dark)
        paper = luminance(page.js("getComputedStyle(document.body).backgroundColor"))
        assert (paper < 0.1) == dark
        for selector in (
            "h1",
            ".asked",
            ".fact",
            ".turn",
            ".verdict",
            ".step .about",
            ".flag",
            ".processes td",
            ".legend",
        ):
            node = f"document.querySelector({selector!r})"
            ink = luminance(page.js(f"getComputedStyle({node}).color"))
            light, low = max(ink, paper), min(ink, paper)
            assert (light + 0.05) / (low + 0.05) >= 4.5, (selector, dark)  # WCAG 2, level AA


def test_it_can_be_heard_and_reached(shown):
    page = shown("starvation", "#step=12")
    assert page.js("document.documentElement.lang") == "en"
    unnamed = (
        "[...document.querySelectorAll('button, input')].filter(b => !(b.getAttribute('aria-label') || b.textContent))"
    )
    assert page.js(f"{unnamed}.length") == 0
    slider = page.js("document.querySelector('.controls input').getAttribute('aria-valuetext')")
    assert slider == "12: owner reader submits blob_callback(download[3] chunk 0) to stream"
    assert page.text("[aria-live=polite] .words").startswith("owner reader submits")
    tree = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = [node["role"]["value"] for node in tree if not node.get("ignored")]
    assert {"slider", "table", "rowheader", "heading", "button"} <= set(roles)
    narrow = shown("starvation", width=360)
    tree = narrow.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    assert "rowheader" in [node["role"]["value"] for node in tree if not node.get("ignored")]


def test_all_steps_and_the_knot_are_printed(shown):
    page = shown("starvation")
    printed = base64.b64decode(page.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    assert printed.startswith(b"%PDF")
    assert page.count(".all tbody tr") == 20  # made for it
    assert not page.js("document.querySelector('.all').open")
    page.js("dispatchEvent(new Event('beforeprint'))")
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    visible = "(s => document.querySelector(s).checkVisibility())"
    for selector in (".controls", ".film", ".step"):
        assert not page.js(f"{visible}('{selector}')")
    for selector in (".all tbody td", ".drawing svg", ".why", ".token code", ".objects li", ".processes td", ".paper"):
        assert page.js(f"{visible}('{selector}')"), selector
    assert page.js("[...document.querySelectorAll('h2')].map(h => h.textContent)")[:2] == [
        "Objects at the end",
        "Processes at the end",
    ]
    assert page.count(".paper circle.mark, .paper path.mark") == 20  # each step once, in as many rows as that takes
    assert page.count(".paper .lanes") == 2
    assert page.count(".paper text.ending") == 14
    assert page.js("[...document.querySelectorAll('.paper .lanes')].every(l => l.scrollHeight <= l.clientHeight + 1)")
    page.js("dispatchEvent(new Event('afterprint'))")
    assert page.count(".paper") == 0


def test_what_is_printed_is_the_end_and_the_step_comes_back(shown):
    page = shown("starvation", "#step=3")
    page.js("dispatchEvent(new Event('beforeprint'))")
    assert "waits for ever" in page.text(".processes")
    page.js("dispatchEvent(new Event('afterprint'))")
    assert page.position == 3
    assert "waits for ever" not in page.text(".processes")


def test_objects_keep_their_place_and_those_in_the_graph_stay_open(shown):
    page = shown("starvation", "#step=0")
    order = (
        "[...document.querySelectorAll('.objects > ul > li')].map(li => [li.textContent, li.offsetTop, li.offsetLeft])"
    )
    names = page.js("[...document.querySelectorAll('.objects > ul b')].map(b => b.textContent)")
    assert {f"inbox of download[{number}]" for number in range(4)} <= set(names)
    assert page.js("getComputedStyle(document.querySelector('.objects li')).order") == "0"
    for _ in range(6):
        page.press("ArrowRight")
        shown_now = [each for each in page.js(order) if each[1] or each[2]]
        assert shown_now == sorted(shown_now, key=lambda each: each[1:])


def test_before_the_end_the_graph_is_said_not_to_be_so_yet(shown):
    page = shown("starvation", "#step=3")
    assert page.text(".knot h2") == "At the end, after step 20: who waits for whom"
    assert (page.text(".knot .early"), page.count(".knot.later")) == ("This is not yet so at step 3.", 1)
    page.press("End", ".lanes")
    assert (page.text(".knot .early"), page.count(".knot.later")) == ("This is the last step: it is so now.", 0)


def test_what_is_not_known_of_code_is_said_in_the_legend_alone(shown):
    page = shown("code", "#step=3")
    assert "not known" in page.text(".legend")
    assert "not known" not in page.text(".panel")
    assert "Enabled before it" not in page.text(".step")


@pytest.mark.parametrize("width", WIDTHS)
def test_names_of_lanes_differ_and_nothing_is_cut_in_a_word(shown, width):
    page = shown("callbacks", width=width)
    names = page.js("[...document.querySelectorAll('.names > div:not(.corner):not(.pool)')].map(n => n.textContent)")
    assert len(set(names)) == len(names) == 10
    high = "[...document.querySelectorAll('.names > div')].every(n => n.scrollHeight <= n.clientHeight + 1)"
    assert page.js(high)
    for box in (".processes .scroll", ".token code", ".objects > ul"):
        assert page.js(f"(b => b.scrollHeight <= b.clientHeight + 1)(document.querySelector('{box}'))"), box
    assert shown("nasty", width=width).js(high)


def test_in_a_frame_of_a_notebook_it_is_the_same(shown):
    page = shown("frame")
    page.driver.switch_to.frame(0)
    page.until("document.querySelector('.step .which') !== null")
    page.press("Home", ".lanes")
    page.press("ArrowRight")
    assert page.text(".step .which") == "Step 1 of 20"
    page.until("true")
    page.driver.switch_to.default_content()
    assert [entry for entry in page.driver.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_a_proof_says_that_there_is_no_schedule(shown):
    page = shown("proof")
    assert page.count(".controls, .lanes") == 0
    assert "There is no schedule to show" in page.text("header")
    assert "states" in page.text(".fact")


def test_a_step_that_is_named_can_be_gone_to(shown):
    page = shown("lost")
    links = "[...document.querySelectorAll('header .why button')]"
    named = page.js(f"{links}.map(b => b.textContent)")
    assert len(named) == 3  # who notified, that it woke nobody, since when somebody waits
    page.js(f"{links}[0].click()")
    page.settle()
    assert f"step {page.position}" == named[0]
    assert "notify()" in page.text(".step .words")


@pytest.mark.parametrize("name", ["starvation", "callbacks", "lost"])
@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_moves_from_step_to_step(shown, name, width):
    page = shown(name, width=width)
    boxes = "[...document.querySelectorAll('.card, .objects ul > li, .processes tr')].map(box => box.offsetHeight)"
    page.press("Home", ".lanes")
    first = page.js(boxes)
    while page.press("ArrowRight") is not None and page.position < int(page.js("document.querySelector('input').max")):
        assert page.js(boxes) == first, page.position


def test_only_who_is_in_the_knot_is_red(shown):
    page = shown("callbacks")
    red = "[...document.querySelectorAll('.processes th.knotted')].map(name => name.textContent)"
    assert page.js(red) == ["callback[0]", "callback[1]"]
    assert page.count(".drawing rect.box:not(.knotted)") > 0
