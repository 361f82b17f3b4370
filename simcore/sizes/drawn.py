"""The grids of a sweep as tables of HTML: sign and colour say the same, and the whole line of a cell is its title.

The colours are told apart by colour-blind readers, and lie over the page's own, light or dark.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import product

from simcore.model import Parameter, Verdict
from simcore.sizes.cell import Cell, at
from simcore.sizes.shown import cut, legend, sign

Values = Mapping[str, Sequence[Parameter]]

MOST_GRIDS, MOST_CELLS = 12, 2_000
"""Grids that are drawn, of as many cells in all at most; what is more is said, and is in `Sweep.table`."""

_LONGEST = 200
_COLOURS = {Verdict.HOLDS: "rgba(0,114,178,.25)", Verdict.VIOLATED: "rgba(213,94,0,.65)"}
_UNKNOWN = "rgba(128,128,128,.25)"
_CELL = "min-width:2em;padding:.2em .4em;text-align:center;border:1px solid rgba(128,128,128,.4)"


def html_of(told: str, cells: Sequence[Cell], values: Values, varying: Sequence[str]) -> str:
    """Return ``told`` as HTML, then a grid for each combination of all but the last two parameters that vary."""
    text = f"<pre style='white-space:pre-wrap'>{escape(told)}</pre>"
    if not varying:
        return text
    *others, down, across = ["", *varying] if len(varying) == 1 else varying
    chosen = [dict(zip(others, each, strict=True)) for each in product(*(values[name] for name in others))]
    shown = chosen[: max(1, min(MOST_GRIDS, MOST_CELLS * len(chosen) // len(cells)))]
    parts = [_grid(cells, each, down, across, values[across]) for each in shown]
    more = len(chosen) - len(shown)
    notes = [legend({sign(cell) for cell in cells})]
    notes += [f"{more:,} more {'grids are' if more > 1 else 'grid is'} not drawn"] * (more > 0)
    return f"<div>{text}{''.join(parts)}<p><small>{escape('; '.join(notes))}</small></p></div>"


def _grid(
    cells: Sequence[Cell], chosen: Mapping[str, Parameter], down: str, across: str, columns: Sequence[Parameter]
) -> str:
    rows: dict[Parameter, list[Cell]] = {}
    for cell in cells:
        if all(cell.parameters[name] == value for name, value in chosen.items()):
            rows.setdefault(cell.parameters[down] if down else "", []).append(cell)
    head = "".join(f"<th scope='col'>{_short(str(value))}</th>" for value in columns)
    corner = _short(f"{down} \\ {across}" if down else across)
    caption = f"<caption>{_short(at(chosen))}</caption>" if chosen else ""
    body = "".join(_row(str(value), row) for value, row in rows.items())
    style = "border-collapse:collapse;margin:.5em 0"
    return f"<table style='{style}'>{caption}<tr><th>{corner}</th>{head}</tr>{body}</table>"


def _row(name: str, cells: Sequence[Cell]) -> str:
    return f"<tr><th scope='row'>{_short(name)}</th>{''.join(_drawn(cells))}</tr>"


def _drawn(cells: Sequence[Cell]) -> Iterator[str]:
    for cell in cells:
        colour = _COLOURS.get(cell.verdict, _UNKNOWN) if not cell.error else _UNKNOWN
        yield f"<td title='{_short(str(cell))}' style='{_CELL};background:{colour}'>{escape(sign(cell))}</td>"


def _short(text: str) -> str:
    return escape(cut(text, _LONGEST), quote=True)
