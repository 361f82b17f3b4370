"""What all commands show: an answer, and what is being done."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from simcore.explore import Progress

_OF_VERDICT = {
    **dict.fromkeys(("violated", "stuck", "failed", "otherwise"), "bold red"),
    **dict.fromkeys(("holds", "completed"), "bold green"),
    **dict.fromkeys(("undetermined", "limit", "goes on"), "bold yellow"),
}
_OF_LINE = {
    "stuck:": "red",
    "point of no return": "yellow",
    "no run of": "yellow",
    "schedule": "bold",
    "replay:": "dim",
}


def report(text: str) -> None:
    """Print the text of an answer: as it is, and on a terminal with colours, unless NO_COLOR asks for none.

    At once, and not when Python ends, where it could no longer be said that nobody reads it.
    """
    console = Console(highlight=False, soft_wrap=True)
    if console.is_terminal:
        console.print(coloured(text))
    else:
        print(text, flush=True)


def coloured(text: str) -> Text:
    """Return the text of an answer with the verdict, the reason and the point of no return to be seen at once."""
    first, *rest = text.split("\n")
    told, style = Text().append(first, _OF_VERDICT.get(re.split("[: ]", first)[0], "")), ""
    for line in rest:
        if not line.startswith(" "):
            style = next((style for start, style in _OF_LINE.items() if line.startswith(start)), "")
        told.append("\n").append(line, "" if style == "bold" and line.startswith(" ") else style)
    return told


def width() -> int:
    """Return the columns of the terminal, and enough for a table where there is none."""
    return min(120, shutil.get_terminal_size((120, 24)).columns)


class _Read(Console):
    """A console whose reader may be gone: then nobody is told any more, and what was begun is done all the same."""

    def print(self, *objects: Any, **how: Any) -> None:
        try:
            super().print(*objects, **how)
        except BrokenPipeError:
            self.quiet = True
            nobody(self.file)

    def on_broken_pipe(self) -> None:
        """Take the place of an exit with status 1, which is that of a verdict."""
        raise BrokenPipeError


def nobody(stream: IO[str]) -> None:
    """Let what is written to ``stream`` from now on, and what is in its buffer, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def sections(*, beside_json: bool) -> tuple[Console, Callable[[str, str], None]]:
    """Return a console, and what prints a heading and a text there: on stderr when stdout is for JSON.

    What it is told of is written to files, too; so where its reader is gone, it is silent.
    """
    console = _Read(stderr=beside_json, highlight=False, soft_wrap=True)

    def say(heading: str, text: str) -> None:
        console.print(Text(f"\n{heading}", style="bold"), Text(f"\n{text}"), sep="")

    return console, say


@contextmanager
def status(text: str, beside: Console | None = None) -> Iterator[Callable[[str], None]]:
    """Show what is being done on a terminal; nothing in a log.

    What is printed meanwhile goes through the console ``beside``. If that is a terminal the line is shown
    there, because one console has to keep them apart.
    """
    console = beside if beside is not None and beside.is_terminal else Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(Text(text)) as status:
        yield lambda doing: status.update(Text(doing))


@contextmanager
def progress(working: Callable[[str], None] | None = None) -> Iterator[Callable[[Progress], None]]:
    """Show states, rate, frontier and time on a terminal; nothing in a log."""
    if working is not None:
        yield lambda now: working(_counted(now))
        return
    with status("exploring") as show:
        yield lambda now: show(_counted(now))


def _counted(now: Progress) -> str:
    rate = f"{now.states:,} states, {now.states / max(now.seconds, 1e-9):,.0f} per second"
    return f"{rate}, frontier {now.frontier:,}, depth {now.depth}, {now.seconds:.0f} s"
