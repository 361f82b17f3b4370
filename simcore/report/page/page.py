"""A page is one file that needs nothing else: no network, no other file, and nothing of a model that is not escaped.

The film is in it as JSON in which no character can end or begin an element, and `schedule.js` makes texts of it, never
markup. That is one ES module with the signature of anywidget's, so that a notebook's widget could take it as it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from simcore.control import Controlled, Violation
from simcore.errors import OptionError
from simcore.execute import Execution
from simcore.explain import WaitForGraph, printable
from simcore.explore import Counterexample, Result
from simcore.model import Model
from simcore.report.page.film import Film, as_text, cut
from simcore.report.page.listing import listing_of
from simcore.report.page.of_code import of_controlled, of_violation
from simcore.report.page.of_model import (
    of_counterexample,
    of_execution,
    of_result,
    of_schedule,
    of_simulation,
    of_waits,
)
from simcore.schedule import Schedule
from simcore.simulate import Simulation

_FILMS: dict[type, Callable[[Any], Film]] = {
    Result: of_result,
    Counterexample: of_counterexample,
    Schedule: of_schedule,
    Simulation: of_simulation,
    Execution: of_execution,
    Controlled: of_controlled,
    Violation: of_violation,
    WaitForGraph: of_waits,
    Film: lambda film: film,
}

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; \
style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main id="film"></main>
<noscript><pre>{text}</pre></noscript>
<script type="application/json" id="data">{data}</script>
<script type="module">
{module}
const film = JSON.parse(document.getElementById("data").textContent);
render({{ model: pageModel(film), el: document.getElementById("film") }});
</script>
</body>
</html>
"""

HEIGHT = 720
"""Pixels of the picture in a notebook, in which it scrolls by itself."""

LOW = 260
"""Pixels of one in which there is neither a schedule nor anybody who waits."""


def film_of(value: Any) -> Film:
    """Return what is shown of an answer.

    Parameters
    ----------
    value : Result, Counterexample, Schedule, Simulation, Execution, Controlled, Violation or WaitForGraph
        What was found; a `Film` is returned as it is.

    Raises
    ------
    OptionError
        When it is something else.
    """
    for kind, make in _FILMS.items():
        if isinstance(value, kind):
            return make(value)
    raise OptionError(f"a page shows {', '.join(kind.__name__ for kind in _FILMS)}, not a {type(value).__name__}")


def page_of(film: Film) -> str:
    """Return a whole page, as HTML."""
    told = f"{film.verdict}: {film.answer}" if film.verdict else film.answer
    return _PAGE.format(
        title=escape(cut(f"{film.title}: {told}" if told else film.title, 120)),
        style=_part("page.css"),
        text=escape(printable(film.text)),
        data=as_text(film),
        module=_part("schedule.js"),
    )


def picture_of(value: Any) -> str:
    """Return the same page as an element of another one: in a frame of its own, so that neither touches the other.

    Of a `Model`, in which nothing has happened yet, it is a list of what there is.
    """
    if isinstance(value, Model):
        return listing_of(value)
    film = film_of(value)
    return framed(film.title, page_of(film), HEIGHT if film.lanes or film.drawing.nodes else LOW)


def framed(title: str, page: str, height: int = HEIGHT) -> str:
    """Return a frame that shows ``page``, a whole one, ``height`` pixels high, and is read out as ``title``."""
    return (
        f'<iframe title="{escape(cut(title, 120))}" style="width:100%;height:{height}px;border:0" '
        f'sandbox="allow-scripts" srcdoc="{escape(page)}"></iframe>'
    )


@cache
def _part(name: str) -> str:
    return files("simcore.report.page").joinpath(name).read_text(encoding="utf-8")
