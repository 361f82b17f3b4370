"""A sweep answers from its cells alone: what no cell says, it does not say; an undetermined cell is never safe."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, overload

from simcore.errors import OptionError
from simcore.model import Parameter, Verdict, check_kinds, listed
from simcore.sizes.cell import Cell, at, counted, in_words
from simcore.sizes.drawn import html_of
from simcore.sizes.fitting import fitted
from simcore.sizes.grid import Subject
from simcore.sizes.laws import Law
from simcore.sizes.monotone import is_number
from simcore.sizes.shown import picture, table_of
from simcore.sizes.written import dataframe, write_cells


@dataclass(frozen=True)
class Alarm:
    """A parameter of which more is worse: the same size with more of it turns from safe to violated.

    Attributes
    ----------
    parameter : str
        Its name.
    safe, violated : Cell
        The witness: two explored cells that differ in nothing else, with no determined cell between them.
    """

    parameter: str
    safe: Cell
    violated: Cell

    def __str__(self) -> str:
        more = f"{self.safe.parameters[self.parameter]} to {self.violated.parameters[self.parameter]}"
        rest = {name: value for name, value in self.safe.parameters.items() if name != self.parameter}
        where = f" (at {at(rest)})" if rest else ""
        return f"more {self.parameter} is worse: from {more} turns holds into violated{where}"


@dataclass(frozen=True)
class Edge:
    """Where, along one parameter, the sizes become safe.

    Attributes
    ----------
    parameters : mapping of str to int, float, str, bool or None
        The other parameters.
    safe_from : int, float, str, bool, optional
        The smallest value from which on all that were asked are safe; None where the last one is not.
    hangs_to : int, float, str, bool, optional
        The largest value that violates what was asked; None where none does.
    """

    parameters: Mapping[str, Parameter]
    safe_from: Parameter
    hangs_to: Parameter


@listed(without="count index subject")
@dataclass(frozen=True)
class Sweep(Sequence[Cell]):
    """The cells of a grid, in its order: the last parameter changes first. Two sweeps are equal when all cells are.

    Attributes
    ----------
    model : str
        The function.
    cells : tuple of Cell
        One for each combination of the values.
    values : mapping of str to tuple
        The values of each parameter, as they were given.
    fixed : mapping of str to int, float, str, bool or None
        The parameters that were left at their defaults.
    asked : tuple of str
        What was asked of each cell.
    timeouts : str
        The rule for time-outs.
    notes : tuple of str
        What was done otherwise than asked, and what was inferred.
    seconds : float
        Wall-clock time of all of it.
    subject : Subject, optional
        What built the models, where no name leads to it, too.
    """

    model: str
    cells: tuple[Cell, ...]
    values: Mapping[str, tuple[Parameter, ...]]
    fixed: Mapping[str, Parameter]
    asked: tuple[str, ...]
    timeouts: str
    notes: tuple[str, ...] = field(default=(), compare=False)
    seconds: float = field(default=0.0, compare=False)
    subject: Subject | None = field(default=None, compare=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what built the models, which may be a function that cannot be sent anywhere."""
        return {**self.__dict__, "subject": None}

    @overload
    def __getitem__(self, place: int) -> Cell: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Cell, ...]: ...
    def __getitem__(self, place: int | slice) -> Cell | tuple[Cell, ...]:
        return self.cells[place]

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def varying(self) -> tuple[str, ...]:
        """The parameters that have several values."""
        return tuple(name for name, values in self.values.items() if len(values) > 1)

    @property
    def verdict(self) -> Verdict:
        """Violated where a cell is, holds where all cells do, else undetermined."""
        found = {cell.verdict for cell in self.cells}
        if Verdict.VIOLATED in found:
            return Verdict.VIOLATED
        return Verdict.HOLDS if found == {Verdict.HOLDS} else Verdict.UNDETERMINED

    @property
    def errors(self) -> tuple[Cell, ...]:
        """The cells whose model cannot be explored."""
        return tuple(cell for cell in self.cells if cell.error)

    def rows(self) -> list[dict[str, Any]]:
        """Return the cells as plain data, one dict for each."""
        return [cell.row() for cell in self.cells]

    def table(self) -> str:
        """Return the cells as text of at most 100 columns; where two parameters vary, with a picture of the grid.

        Parameters of one value are left out, where there are others; the report says them once.
        """
        parts = [table_of(self.cells, self.varying or tuple(self.values))]
        if len(self.varying) == 2 and all(len(self.values[name]) <= 40 for name in self.varying):
            parts.append(picture(self.cells, self.values, self.varying))
        return "\n\n".join(parts)

    def to_dataframe(self) -> Any:
        """Return the cells as a pandas DataFrame; raise a `MissingExtra` where pandas is not installed."""
        return dataframe(self.rows(), "Sweep.to_dataframe()")

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the cells to a file, whole or not at all: ``.csv``, or ``.parquet`` where pandas and pyarrow are.

        Raises
        ------
        OptionError
            When its name ends otherwise, or it cannot be written.
        """
        check_kinds(path=(path, str | os.PathLike, "the path of a file"))
        write_cells(self.rows(), Path(path))

    def first_failure(self) -> Cell | None:
        """Return the first cell that is violated; None where none is."""
        return next((cell for cell in self.cells if cell.verdict is Verdict.VIOLATED), None)

    def frontier(self, parameter: str) -> tuple[Edge, ...]:
        """Return where along ``parameter`` the sizes become safe, for each combination of the others."""
        self._check([parameter])
        found = []
        for others, line in self._lines(parameter):
            hangs = [cell.parameters[parameter] for cell in line if cell.verdict is Verdict.VIOLATED]
            found.append(Edge(others, _safe_from(parameter, line), hangs[-1] if hangs else None))
        return tuple(found)

    def smallest_safe(self, **given: Parameter) -> Parameter:
        """Return the smallest value, from which on all that were asked are safe, of the first parameter not given.

        Where others are not given either, it is safe with each of their values. None where no value is; one that is
        not in the grid was not explored, so nothing is safe there.

        Raises
        ------
        OptionError
            When the sweep has no such parameter, or all are given.
        """
        self._check(given)
        left = [name for name in (*self.varying, *self.values) if name not in given]
        if not left:
            raise OptionError(f"smallest_safe({at(given)}): leave the parameter out that is asked for")
        cells = [cell for cell in self.cells if all(cell.parameters[name] == value for name, value in given.items())]
        values = _in_order({cell.parameters[left[0]] for cell in cells}, self.values[left[0]])
        unsafe = {cell.parameters[left[0]] for cell in cells if cell.verdict is not Verdict.HOLDS}
        return _after(values, unsafe)

    def alarms(self) -> tuple[Alarm, ...]:
        """Return each numeric parameter of which more turns holds into violated, with the first such two cells."""
        found = []
        for name in self.varying:
            if all(map(is_number, self.values[name])):
                lines = ([cell for cell in line if cell.determined] for _, line in self._lines(name))
                pairs = (pair for line in lines for pair in pairwise(line))
                worse = next((pair for pair in pairs if _turns(*pair)), None)
                found += [] if worse is None else [Alarm(name, *worse)]
        return tuple(found)

    def law(self) -> Law:
        """Return the simplest inequality over the parameters that tells where it hangs, fitted and tested."""
        return fitted(self.cells, self.values, self.fixed)

    def _check(self, names: Collection[str]) -> None:
        for name in names:
            if name not in self.values:
                raise OptionError(f"the sweep has no parameter {name!r}; it has {in_words(self.values)}")

    def _lines(self, name: str) -> Iterator[tuple[dict[str, Parameter], list[Cell]]]:
        """Yield the cells along a parameter, in the order of its values, with the other parameters."""
        lines: dict[tuple[Parameter, ...], list[Cell]] = {}
        for cell in self.cells:
            others = tuple(value for other, value in cell.parameters.items() if other != name)
            lines.setdefault(others, []).append(cell)
        order = {value: n for n, value in enumerate(_in_order(self.values[name], self.values[name]))}
        for line in lines.values():
            line.sort(key=lambda cell: order[cell.parameters[name]])
            yield {other: value for other, value in line[0].parameters.items() if other != name}, line

    @property
    def counted(self) -> str:
        """How many cells there are of each kind, in words."""
        found = Counter(cell.told for cell in self.cells)
        kinds = (verdict.value + more for verdict in Verdict for more in ("", " (inferred)"))
        return f"{counted(len(self), 'cell')}: " + ", ".join(f"{found[k]} {k}" for k in (*kinds, "error") if found[k])

    def __str__(self) -> str:
        ranges = ", ".join(f"{name}={_range(values)}" for name, values in self.values.items())
        lines = [f"{self.counted}, {self.seconds:.1f} s", f"  {self.model}{f' ({ranges})' if ranges else ''}"]
        lines += [f"  with {at(self.fixed)}"] * bool(self.fixed)
        lines += [f"  asked: {', '.join(self.asked)}; time-outs: {self.timeouts}"]
        lines += [f"  {note}" for note in self.notes]
        for title, cell in (("violated first", self.first_failure()), ("error", next(iter(self.errors), None))):
            where = f" at {at(cell.parameters)}" if cell is not None and cell.parameters else ""
            lines += [] if cell is None else [f"  {title}{where}: {cell.error or cell.reason}"]
            lines += [f"  replay: simcore replay {cell.token}"] if cell is not None and cell.token else []
        return "\n".join(lines + [f"  {alarm}" for alarm in self.alarms()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return the grids as a notebook shows them."""
        return html_of(str(self), self.cells, self.values, self.varying)


def _turns(before: Cell, after: Cell) -> bool:
    return before.verdict is Verdict.HOLDS and after.verdict is Verdict.VIOLATED


def _in_order(values: Collection[Parameter], given: Sequence[Parameter]) -> list[Parameter]:
    """Return values by size where all that were given are numbers, else as they were given."""
    numbers = [value for value in given if isinstance(value, int | float) and is_number(value)]
    order: Sequence[Parameter] = sorted(numbers) if len(numbers) == len(given) else given
    return [value for value in order if value in values]


def _safe_from(parameter: str, line: Sequence[Cell]) -> Parameter:
    values = [cell.parameters[parameter] for cell in line]
    return _after(values, [cell.parameters[parameter] for cell in line if cell.verdict is not Verdict.HOLDS])


def _after(values: Sequence[Parameter], unsafe: Collection[Parameter]) -> Parameter:
    """Return the first of ``values`` behind all that are unsafe; None where there is none."""
    last = max((number for number, value in enumerate(values) if value in unsafe), default=-1)
    return values[last + 1] if last + 1 < len(values) else None


def _range(values: Sequence[Parameter]) -> str:
    """Return values in short: 1..16 for whole numbers one after the other."""
    first = values[0]
    if type(first) is int and len(values) > 2 and [*values] == [*range(first, first + len(values))]:
        return f"{first}..{values[-1]}"
    return ",".join(map(str, values))
