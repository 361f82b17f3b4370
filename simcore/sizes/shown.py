"""A table of cells has at most 100 columns: what is too long is cut at the end of its line, and said so by dots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simcore.model import Parameter, Verdict
from simcore.sizes.cell import Cell

WIDTH = 100
_GAP = "  "
_NARROWEST = 12

SIGNS = {Verdict.HOLDS: ".", Verdict.VIOLATED: "X", Verdict.UNDETERMINED: "?"}
"""How a picture shows a verdict. An inferred one is shown as it is; the table says that it was inferred."""

_INFERRED = {Verdict.HOLDS: ",", Verdict.VIOLATED: "x"}
_ERROR = "!"


def table_of(cells: Sequence[Cell], names: Sequence[str]) -> str:
    """Return a line for each cell: its parameters, verdict, states, seconds, and the reason as far as it fits."""
    header = [*names, "verdict", "states", "seconds"]
    rows = [
        [*(str(c.parameters[name]) for name in names), c.told, f"{c.states:,}", f"{c.seconds:.2f} s"] for c in cells
    ]
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    words = [_GAP.join(map(_aligned, row, widths, _to_the_right(row, len(names)))) for row in (header, *rows)]
    room = max(_NARROWEST, WIDTH - len(words[0]) - len(_GAP))
    reasons = ["reason", *(cut(cell.error or cell.reason, room) for cell in cells)]
    return "\n".join(cut(f"{line}{_GAP}{why}".rstrip(), WIDTH) for line, why in zip(words, reasons, strict=True))


def _to_the_right(row: Sequence[str], parameters: int) -> list[bool]:
    return [True] * parameters + [False] + [True] * (len(row) - parameters - 1)


def _aligned(text: str, width: int, to_the_right: bool) -> str:
    return text.rjust(width) if to_the_right else text.ljust(width)


def cut(text: str, width: int) -> str:
    """Return a text of at most ``width`` columns, with dots in the place of what is cut off."""
    return text if len(text) <= width else f"{text[: width - 3]}..."


def picture(cells: Sequence[Cell], values: Mapping[str, Sequence[Parameter]], varying: Sequence[str]) -> str:
    """Return a sign for each cell of a grid in which two parameters vary: the first one downwards, the other across."""
    down, across = varying
    signs = {(cell.parameters[down], cell.parameters[across]): sign(cell) for cell in cells}
    names = [str(value) for value in values[across]]
    wide, left = max(map(len, names)), max(len(down), *(len(str(value)) for value in values[down]))
    lines = [f"{down:>{left}}  {across}", " ".join([" " * left, *(name.rjust(wide) for name in names)])]
    for value in values[down]:
        row = (signs[value, other].rjust(wide) for other in values[across])
        lines.append(" ".join([str(value).rjust(left), *row]))
    return "\n".join([*(cut(line.rstrip(), WIDTH) for line in lines), legend(set(signs.values()))])


def sign(cell: Cell) -> str:
    """Return the sign of a cell."""
    if cell.error:
        return _ERROR
    return _INFERRED[cell.verdict] if cell.inferred else SIGNS[cell.verdict]


def legend(used: set[str]) -> str:
    """Say what the signs that were used mean."""
    means = {sign: str(verdict) for verdict, sign in SIGNS.items()}
    means |= {sign: f"{verdict}, inferred" for verdict, sign in _INFERRED.items()} | {_ERROR: "error"}
    return "; ".join(f"{sign} {what}" for sign, what in means.items() if sign in used)
