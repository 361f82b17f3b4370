"""``--html FILE``: the page of an answer, written as a whole when the answer is there, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

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
def page_to(path: Path | None, quiet: bool) -> Iterator[Callable[[Any], None]]:
    """Give what writes the page of an answer to ``path``; what does nothing where there is none.

    That it can be written is tried at once, before a search of an hour; and it is said where it is, unless ``quiet``.
    """
    if path is None:
        yield lambda answer: None
        return
    from simcore.report.page import film_of, page_of

    with whole_file(path, "--html") as write:
        yield lambda answer: write(page_of(film_of(answer)))
    if not quiet:
        click.echo(f"page: {path}")
