"""A table says the same in Markdown and on a terminal, where it is as wide as that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(content: object) -> str:
    return " ".join(str(content).split()).replace("|", "\\|")


class Line(NamedTuple):
    """A row of a printed table, or with one cell a heading above rows; the style is for terminals with colours."""

    cells: Sequence[str]
    style: str = ""


_GAP = 2
_NARROWEST = 8


def printed_table(header: Mapping[str, int], groups: Iterable[Sequence[Line]], numbers: int, width: int) -> str:
    """Return a table for a terminal of ``width`` columns, as text.

    Parameters
    ----------
    header : mapping of str to int
        The name of each column, and how wide it may become at most; 0 is as wide as it needs.
    groups : iterable of sequence of Line
        Rows and headings; an empty line goes before each group.
    numbers : int
        How many of the last columns are numbers: they stand to the right, and are never wrapped.
    """
    parts = [list(group) for group in groups]
    rows = [line.cells for group in parts for line in group if len(line.cells) > 1]
    widths = _widths(header, rows, numbers, width)
    console = Console(width=width, highlight=False)
    with console.capture() as printed:
        _print_row(console, Line([*header], "bold"), widths, numbers)
        console.print("─" * (sum(widths) + _GAP * len(widths)))
        for number, group in enumerate(parts):
            console.print("\n" * bool(number), end="")
            for line in group:
                _print_row(console, line, widths, numbers)
    return "\n".join(line.rstrip() for line in printed.get().splitlines())


def _widths(header: Mapping[str, int], rows: Sequence[Sequence[str]], numbers: int, width: int) -> list[int]:
    """Return what each column needs, or less of the widest ones if that is too much."""
    widths = [
        max(len(name), min(max((len(row[n]) for row in rows), default=0), most or width))
        for n, (name, most) in enumerate(header.items())
    ]
    words = range(len(widths) - numbers)
    while sum(widths) + _GAP * len(widths) > width:
        widest = max(words, key=lambda n: widths[n])
        if widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
    return widths


def _print_row(console: Console, line: Line, widths: Sequence[int], numbers: int) -> None:
    if len(line.cells) == 1:
        console.print(Text(line.cells[0], line.style))
        return
    row = Table.grid(padding=(0, _GAP))
    for n, width in enumerate(widths):
        number = n >= len(widths) - numbers
        row.add_column(width=width, justify="right" if number else "left", no_wrap=number, overflow="fold")
    row.add_row(*map(Text, line.cells), style=line.style)
    console.print(Padding(row, (0, 0, 0, _GAP), expand=False))
