"""A sweep in a notebook says what its table says, whatever its parameters are called."""

import re
from dataclasses import replace

import pytest

from simcore import Model, Verdict, sweep
from simcore.sizes.drawn import MOST_CELLS, MOST_GRIDS


def opposed(a=0, b=0, c=0, text=""):
    """Hang where a is less than b."""
    model = Model("opposed")
    one, other = model.lock("one"), model.lock("other")

    def take(first, second):
        yield first.acquire()
        yield second.acquire()
        yield second.release()
        yield first.release()

    model.process("left", take, one, other)
    model.process("right", take, *((other, one) if a < b else (one, other)))
    return model


def signs(html):
    return re.findall(r"<td[^>]*>(.*?)</td>", html)


def test_a_grid_has_the_sign_of_each_cell_in_its_place():
    found = sweep(opposed, executor="here", a=range(3), b=range(2))
    html = found._repr_html_()
    assert signs(html) == [".", "X", ".", ".", ".", "."]
    assert "a=0, b=1: violated" in html
    assert ". holds; X violated" in html


def test_one_parameter_is_one_row_and_none_is_text():
    assert signs(sweep(opposed, executor="here", b=range(3))._repr_html_()) == [".", "X", "X"]
    assert signs(sweep(opposed, executor="here", b=1)._repr_html_()) == []


def test_there_is_a_grid_for_each_combination_of_the_others():
    html = sweep(opposed, executor="here", c=range(3), a=range(2), b=range(2))._repr_html_()
    assert re.findall("<caption>(.*?)</caption>", html) == ["c=0", "c=1", "c=2"]
    assert "not drawn" not in html


def test_what_is_not_drawn_is_said():
    html = sweep(opposed, executor="here", c=range(MOST_GRIDS + 2), a=range(2), b=range(2))._repr_html_()
    assert html.count("<table") == MOST_GRIDS
    assert "2 more grids are not drawn" in html
    assert MOST_CELLS >= 100


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "'><img onerror=x>", "x" * 10_000])
def test_nothing_of_a_parameter_reaches_the_page_unescaped(text):
    html = sweep(opposed, executor="here", text=[text, "b"], b=[0, 1])._repr_html_()
    assert "<script" not in html
    assert "<img" not in html
    assert "'>" not in re.sub(r"<[a-z]+[^<>]*>", "", html)


def test_what_is_undetermined_looks_like_neither():
    found = sweep(opposed, executor="here", b=[0, 1])
    unknown = replace(found, cells=tuple(replace(cell, verdict=Verdict.UNDETERMINED) for cell in found))
    assert signs(unknown._repr_html_()) == ["?", "?"]
    assert "rgba(128,128,128,.25)'>?" in unknown._repr_html_()
