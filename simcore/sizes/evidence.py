"""Which inequalities agree with the first so many cells is looked up in a table: their difference at every cell.

An inequality ``left <= right - number`` agrees with cells if its number fits between the largest ``right - left`` of
those that are safe and the smallest of those that are violated. Of two that are joined by *and*, each must let all
violated cells pass, and together they must stop all safe ones: with the tightest numbers first, then with the simplest
that still do. Two that are joined by *or* are the same with safe and violated exchanged, left and right too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice
from operator import itemgetter, sub
from typing import NamedTuple

from simcore.model import Verdict
from simcore.sizes.cell import Cell
from simcore.sizes.forms import Inequality, Side, pairs

OF_TWO = 4
"""Symbols that each of two inequalities may have, their numbers not counted."""

LEAST_OF_TWO = 5
"""Symbols of two inequalities, at least: x <= 1 and y <= 1."""

_ALIKE = 4
"""Of inequalities that stop the same cells, so many are tried."""

_TRIED = 2000
"""Pairs that stop all safe cells, so many of which are looked at, the shortest first."""


class Form(NamedTuple):
    """An inequality whose number is open, with ``right - left`` at each cell."""

    place: int
    symbols: int
    left: Side
    right: Side
    values: list[int]

    @property
    def alone(self) -> bool:
        """Whether its parameters are all on one side, so that it is the number that they are compared with."""
        return not (self.left.products and self.right.products)


class Candidate(NamedTuple):
    """One inequality or two that agree with cells, and their place in the order of simplicity."""

    rank: tuple[int, ...]
    inequalities: tuple[Inequality, ...]
    joined: str
    forms: tuple[Form, ...]

    def says(self, at: Mapping[str, int]) -> bool:
        """Tell whether it calls a size violated."""
        found = (each.holds(at) for each in self.inequalities)
        return all(found) if self.joined == "and" else any(found)

    def __str__(self) -> str:
        return f" {self.joined} ".join(map(str, self.inequalities))


class Evidence:
    """Cells that were explored, and the inequalities over their parameters.

    Parameters
    ----------
    names : sequence of str
        The parameters.
    cells : sequence of Cell
        In the order in which they are looked at; what is asked is asked of the first so many.
    most : int
        Symbols that a candidate may have.
    """

    def __init__(self, names: Sequence[str], cells: Sequence[Cell], most: int) -> None:
        self.cells, self.most = cells, most
        self._points = [{name: int(cell.parameters[name] or 0) for name in names} for cell in cells]
        self._violated = [n for n, cell in enumerate(cells) if cell.verdict is Verdict.VIOLATED]
        self._safe = [n for n, cell in enumerate(cells) if cell.verdict is Verdict.HOLDS]
        self._names = names

    @cached_property
    def _forms(self) -> list[Form]:
        values: dict[Side, list[int]] = {}

        def of(side: Side) -> list[int]:
            if side not in values:
                values[side] = [side.value(point) for point in self._points]
            return values[side]

        every = pairs(self._names)
        return [Form(n, size, a, b, [*map(sub, of(b), of(a))]) for n, (size, a, b) in enumerate(every)]

    def agrees(self, candidate: Candidate) -> bool:
        """Tell whether a candidate is true of all cells."""
        return all(
            candidate.says(point) is (cell.verdict is Verdict.VIOLATED)
            for point, cell in zip(self._points, self.cells, strict=True)
        )

    def candidates(self, first: int) -> Iterator[Candidate]:
        """Yield what agrees with the ``first`` so many cells, the simplest first."""
        single = sorted(self._single(first), key=itemgetter(0))
        shorter = [each for each in single if each.rank[0] < LEAST_OF_TWO]
        yield from shorter
        yield from sorted([*single[len(shorter) :], *self._double(first)], key=itemgetter(0))

    def untested(self, candidate: Candidate, first: int) -> Cell | None:
        """Return a cell of the ``first`` so many that one of two inequalities alone decides, if no later one is such.

        For each of the two there has to be a later one, or nothing tests what that inequality says.
        """
        if len(candidate.inequalities) == 1:
            return None
        deciding: list[list[int]] = [[], []]
        for n, point in enumerate(self._points):
            said = [each.holds(point) for each in candidate.inequalities]
            if said[0] is not said[1]:
                deciding[said.index(candidate.joined == "or")].append(n)
        return next((self.cells[cells[0]] for cells in deciding if cells[-1] < first), None)

    def as_short(self, chosen: Candidate) -> Iterator[Candidate]:
        """Yield single inequalities that agree with all cells, and are no longer than the one that was ``chosen``."""
        for each in sorted(self._single(len(self.cells)), key=itemgetter(0)):
            if each.rank[0] <= chosen.rank[0] and each.inequalities != chosen.inequalities:
                yield each

    def witness(self) -> tuple[Cell, Candidate, int]:
        """Return the first cell with which nothing agrees, what agrees with those before it, and how many these are.

        Of the first two one is violated and the other is not; something has to agree with both.
        """
        some, none = 2, len(self.cells)
        while none - some > 1:
            middle = (some + none) // 2
            some, none = (middle, none) if self.any(middle) else (some, middle)
        return self.cells[none - 1], next(self.candidates(some)), some

    def any(self, first: int) -> bool:
        """Tell whether something agrees with the ``first`` so many cells."""
        return next(chain(self._single(first), self._double(first)), None) is not None

    def _single(self, first: int) -> Iterator[Candidate]:
        for form in self._forms:
            found = self.fit((form,), "and", first)
            if found is not None:
                yield found

    def _double(self, first: int) -> Iterator[Candidate]:
        for joined in ("and", "or"):
            for one, other in islice(self._covering(joined, first), _TRIED):
                found = self.fit((one, other), joined, first)
                if found is not None:
                    yield found

    # ---- numbers -------------------------------------------------------------------------------------------

    def fit(self, forms: tuple[Form, ...], joined: str, first: int) -> Candidate | None:
        """Return inequalities of these ``forms`` that agree with the ``first`` so many cells; None without any."""
        turned = joined == "or"
        pass_, stop = self._cells(turned, first)
        tight = [min(_at(form, pass_, turned)) for form in forms]
        numbers: list[int] = []
        for n, form in enumerate(forms):
            limits = [*numbers, *tight[n:]]
            left = [
                cell
                for cell in stop
                if all(_value(f, cell, turned) >= limits[m] for m, f in enumerate(forms) if m != n)
            ]
            low = max(_at(form, left, turned), default=None)
            if low is None or low >= tight[n]:
                return None
            numbers.append(_simplest(low, tight[n], form.alone, turned))
        open_ = [1 - number if turned else number for number in numbers]
        found = tuple(Inequality(form.left, form.right, n) for form, n in zip(forms, open_, strict=True))
        symbols = sum(each.symbols for each in found) + len(forms) - 1
        if symbols > self.most:
            return None
        size = sum(each.magnitude for each in found)
        rank = (symbols, size, len(forms), turned, *(form.place for form in forms))
        return Candidate(rank, found, joined, forms)

    def _cells(self, turned: bool, first: int) -> tuple[list[int], list[int]]:
        """Return the cells that inequalities let pass, and those that they stop."""
        violated = [n for n in self._violated if n < first]
        safe = [n for n in self._safe if n < first]
        return (safe, violated) if turned else (violated, safe)

    def _covering(self, joined: str, first: int) -> Iterator[tuple[Form, Form]]:
        """Yield pairs that together stop what is to be stopped, where neither does alone, the shortest first."""
        turned = joined == "or"
        pass_, stop = self._cells(turned, first)
        masks: dict[int, list[Form]] = {}
        for form in self._forms:
            if form.symbols <= OF_TWO:
                tight = min(_at(form, pass_, turned))
                mask = sum(1 << n for n, value in enumerate(_at(form, stop, turned)) if value < tight)
                if mask:
                    masks.setdefault(mask, []).append(form)
        whole = (1 << len(stop)) - 1
        masks.pop(whole, None)
        found = [
            (a.symbols + b.symbols, a.place, b.place, a, b)
            for one, other in _pairs_to(whole, [*masks])
            for a in masks[one][:_ALIKE]
            for b in masks[other][:_ALIKE]
        ]
        return ((a, b) if a.place < b.place else (b, a) for *_, a, b in sorted(found, key=lambda each: each[:3]))


def _pairs_to(whole: int, masks: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield pairs of masks that make up the whole; one of a pair has the bit that the fewest have."""
    rare = min((1 << n for n in range(whole.bit_length())), key=lambda bit: sum(bool(mask & bit) for mask in masks))
    having = [mask for mask in masks if mask & rare]
    seen: set[int] = set()
    for one in having:
        seen.add(one)
        yield from ((one, other) for other in masks if one | other == whole and other not in seen)


def _value(form: Form, cell: int, turned: bool) -> int:
    return -form.values[cell] if turned else form.values[cell]


def _at(form: Form, cells: Sequence[int], turned: bool) -> Iterator[int]:
    values = form.values
    return (-values[cell] for cell in cells) if turned else map(values.__getitem__, cells)


def _simplest(low: int, high: int, alone: bool, turned: bool) -> int:
    """Return the number above ``low``, up to ``high``, that is preferred; turned, what is written is 1 less it."""
    if alone:
        return high if turned else low + 1
    wanted = 1 if turned else 0
    return max(low + 1, min(high, wanted))
