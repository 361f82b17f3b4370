"""A cell is inferred only inside a box of explored cells of one verdict, while no explored cell speaks against it.

That more of a parameter never turns *violated* back into *holds*, or never the other way round, is tested and not
believed: along it both ends and at least every fourth cell are explored, then all cells around each change. Where a
line of explored cells changes twice, or two lines change in opposite directions, everything is explored after all.
What is left is a conjecture of the same kind as a law: a change and back within three cells would not be seen. So
each such cell says that it was inferred.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby, pairwise, product

from simcore.errors import OptionError
from simcore.model import Parameter, Verdict
from simcore.sizes.cell import Cell, at, in_words
from simcore.sizes.grid import Grid

STEP = 4
"""At least every so many-th cell of a line is explored."""

Point = tuple[int, ...]
"""The place of a cell in the grid: for each parameter, the how manieth of its values it has, in their order."""


class Monotone:
    """What may be inferred along parameters of a grid, from what was explored of it.

    Parameters
    ----------
    grid : Grid
        All cells.
    names : collection of str
        The parameters along which a cell may be inferred.

    Raises
    ------
    OptionError
        When one is no parameter of the grid, or its values have no order.
    """

    def __init__(self, grid: Grid, names: Collection[str]) -> None:
        for name in names:
            if not isinstance(name, str) or name not in grid.values:
                raise OptionError(f"`infer={name!r}`: the sweep has no such parameter; it has {in_words(grid.values)}")
            if not all(is_number(value) for value in grid.values[name]):
                raise OptionError(f"`infer={name!r}`: its values are not numbers, so none lies between two others")
        self._along = [position for position, name in enumerate(grid.values) if name in names]
        self._names = list(grid.values)
        ranks = [_ranks(name in names, values) for name, values in grid.values.items()]
        self._points: list[Point] = list(product(*ranks))
        self._number = {point: number for number, point in enumerate(self._points)}
        self._stops = {p: _stops(len(ranks[p])) for p in self._along}

    def first(self) -> list[int]:
        """Return the cells that are explored in any case."""
        return [n for n, point in enumerate(self._points) if all(point[p] in self._stops[p] for p in self._along)]

    def inferred(self, known: Mapping[int, Cell]) -> dict[int, Verdict]:
        """Return the verdicts of cells that are not known, where all corners of the box around them agree."""
        found = {}
        for number, point in enumerate(self._points):
            if number not in known:
                verdicts = {known[corner].verdict for corner in self._corners(point)}
                if len(verdicts) == 1 and Verdict.UNDETERMINED not in verdicts:
                    found[number] = verdicts.pop()
        return found

    def _corners(self, point: Point) -> Iterator[int]:
        sides = [
            {max(s for s in self._stops[p] if s <= rank), min(s for s in self._stops[p] if s >= rank)}
            if p in self._along
            else {rank}
            for p, rank in enumerate(point)
        ]
        return (self._number[corner] for corner in product(*sides))

    def contradiction(self, known: Mapping[int, Cell]) -> str:
        """Say which explored cells are not as they would be if the verdicts were monotone; nothing where all are."""
        for p in self._along:
            seen: dict[Verdict, tuple[Cell, Cell]] = {}
            for line in self._lines(p, known):
                for before, after in pairwise(line):
                    if before.verdict is not after.verdict:
                        seen.setdefault(after.verdict, (before, after))
            if len(seen) > 1:
                changes = " and ".join(_change(*pair) for pair in seen.values())
                return f"not monotone along {self._names[p]}, so nothing was inferred: {changes}"
        return ""

    def _lines(self, p: int, known: Mapping[int, Cell]) -> Iterator[list[Cell]]:
        """Yield the determined cells of each line along a parameter, in its order."""

        def others(number: int) -> Point:
            return tuple(rank for position, rank in enumerate(self._points[number]) if position != p)

        numbers = [number for number, cell in known.items() if cell.determined]
        numbers.sort(key=lambda number: (others(number), self._points[number][p]))
        for _, line in groupby(numbers, key=others):
            yield [known[number] for number in line]


def _change(before: Cell, after: Cell) -> str:
    return f"{before.verdict} at {at(before.parameters)} and {after.verdict} at {at(after.parameters)}"


def is_number(value: Parameter) -> bool:
    """Tell whether a parameter is a number, which True is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ranks(ordered: bool, values: Sequence[Parameter]) -> list[int]:
    """Return the rank of each value by size, or as they stand."""
    if not ordered:
        return [*range(len(values))]
    numbers = sorted(value for value in values if isinstance(value, int | float))
    return [numbers.index(value) for value in values if isinstance(value, int | float)]


def _stops(length: int) -> list[int]:
    """Return the ranks to explore: both ends, every fourth, and never fewer than three of three."""
    stops = {*range(0, length, STEP), length - 1}
    return sorted(stops | {(length - 1) // 2} if len(stops) < 3 else stops)
