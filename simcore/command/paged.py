"""``--html FILE``: the page of an answer, written as a whole before anything of it is printed, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simcore.command.options import show
from simcore.report import whole_file

if TYPE_CHECKING:
    from simcore.command.stepping import Stepped
    from simcore.report.page import Film
    from simcore.schedule import Schedule

HTML = click.option(
    "--html",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write what was found to FILE, too: one page to look at, step by step.",
)


def film_of_replay(schedule: Schedule, replayed: Stepped) -> Film:
    """Return what is shown of a schedule that was replayed, with how it stands at its end."""
    from simcore.report.page import of_replay

    film = of_replay(schedule, replayed.kernel, replayed.graph)
    why = film.why if replayed.standing != "completed" else ()
    return replace(film, verdict=replayed.standing, answer=replayed.answer, why=why)


@contextmanager
def answering(path: Path | None, as_object: bool) -> Iterator[Callable[[Any, str], None]]:
    """Give what takes an answer and its text, if any: the page of it is written to ``path``, then the text is printed.

    Whoever reads what is printed may be gone in the middle, as ``head`` is. That a page can be written is tried at
    once, before a search of an hour; and it is said where it is, unless what is printed is an object.
    """
    texts: list[str] = []
    with _page_to(path) as write:

        def answer(found: Any, text: str = "") -> None:
            write(found)
            texts.extend([text] * bool(text))

        yield answer
    for text in texts:
        show(text, as_object)
    if path is not None and not as_object:
        click.echo(f"page: {path}")


@contextmanager
def _page_to(path: Path | None) -> Iterator[Callable[[Any], None]]:
    """Give what writes the page of an answer to ``path``; what does nothing where there is none."""
    if path is None:
        yield lambda found: None
        return
    from simcore.report.page import film_of, page_of

    with whole_file(path, "--html") as write:
        yield lambda found: write(page_of(film_of(found)))
