"""A model that is looked at in a notebook lists what there is in it, and nothing of it is markup."""

import re

from simcore import Model
from simcore.models import pool_starvation
from simcore.report.page.listing import MOST


def cells(html):
    return re.findall(r"<td[^>]*>(.*?)</td>", html)


def test_objects_have_their_slots_and_processes_what_they_run():
    html = pool_starvation.buggy(downloads=1, workers=2)._repr_html_()
    found = cells(html)
    assert found[:6] == ["stream", "pool", "2", "requests", "link", "64"]
    assert found[12:15] == ["stream[0]", "what is submitted", "worker of stream"]
    assert found[18:] == [
        *("download[0]", "download", ""),
        *("owner reader", "owner_reader", "daemon"),
        *("requester reader", "requester_reader", "daemon"),
    ]
    assert "4 objects" in html
    assert "5 processes" in html
    assert "(downloads=1, workers=2, chunks=1)" in html


def test_print_says_the_same_in_three_lines():
    assert str(pool_starvation.buggy(downloads=1, workers=2)).splitlines() == [
        "pool starvation, before #4171 (downloads=1, workers=2, chunks=1)",
        "  objects: stream (pool), requests (link), replies (link), inbox of download[0] (queue)",
        "  processes: download[0], owner reader (daemon), requester reader (daemon), 2 workers of stream",
    ]
    assert str(Model("empty")).splitlines()[1:] == ["  objects: none", "  processes: none"]


def test_names_that_are_markup_are_names():
    model = Model("<script>alert(1)</script>")
    model.lock("<img src=x onerror=alert(2)>")
    html = model._repr_html_()
    assert "<script" not in html
    assert "<img" not in html
    assert cells(html)[0] == "&lt;img src=x onerror=alert(2)&gt;"


def test_how_many_rows_are_not_shown_is_said():
    model = Model("many")
    for number in range(MOST + 3):
        model.lock(f"lock {number}")
    html = model._repr_html_()
    assert len(cells(html)) == 3 * MOST
    assert "3 more are not shown" in html
    assert str(model).splitlines()[1].endswith(f"and {MOST + 3 - 12} more")
