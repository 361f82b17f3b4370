"""Each row is a sum of whole multiples of unknowns that is at least 0, and whatever is derived is derived exactly.

The unknowns are numbers of things, so all of them are whole and at least 0; that is never written as a row of its own.
`project` takes unknowns out of a system of rows, by the elimination of Fourier (1827) and Motzkin (1936): what is
left holds for each solution of the system. Three facts keep it small, and none of them can make it say too much:

* a row may be divided by what divides the coefficients of its unknowns, and its constant then be rounded down, since
  the sum of its unknowns is whole (Chvátal 1973, Gomory 1958);
* a row that another one implies, term by term, may be left out; so may any row, and what is left is only weaker;
* an unknown that an equality determines is put in, before anything is combined.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from math import gcd
from typing import Any

Unknown = Hashable
Row = dict[Unknown, int]

ONE = ""
"""Stands for the constant of a row."""

MOST_ROWS = 4000


class TooManyRows(Exception):
    """The elimination was given up: what is left would not be a law that anybody can read."""


def row(*terms: tuple[Unknown, int]) -> Row:
    """Return the sum of ``terms``, pairs of an unknown (or `ONE`) and a factor."""
    total: Row = {}
    for unknown, factor in terms:
        total[unknown] = total.get(unknown, 0) + factor
    return {unknown: factor for unknown, factor in total.items() if factor}


def plus(a: Mapping[Unknown, int], b: Mapping[Unknown, int], times_a: int = 1, times_b: int = 1) -> Row:
    """Return ``times_a`` of one row and ``times_b`` of another one."""
    total = {unknown: factor * times_a for unknown, factor in a.items()}
    for unknown, factor in b.items():
        total[unknown] = total.get(unknown, 0) + factor * times_b
    return {unknown: factor for unknown, factor in total.items() if factor}


def value(of: Mapping[Unknown, int], at: Mapping[Any, int]) -> int:
    """Return what the sum comes to where each unknown is as ``at`` says, and 0 where it says nothing."""
    return sum(factor * (1 if unknown == ONE else at.get(unknown, 0)) for unknown, factor in of.items())


def against(of: Mapping[Unknown, int]) -> Row:
    """Return the row that holds where ``of`` does not: a whole sum that is not at least 0 is at most -1."""
    return plus({ONE: -1}, of, 1, -1)


def project(rows: Iterable[Row], equal: Iterable[Row], away: Collection[Unknown]) -> list[Row] | None:
    """Take unknowns out of a system.

    Parameters
    ----------
    rows, equal : iterable of dict
        Sums that are at least 0, and sums that are 0.
    away : collection
        The unknowns to take out.

    Returns
    -------
    list of dict, optional
        Rows without them that hold wherever the system does; None where it has no solution for certain.

    Raises
    ------
    TooManyRows
        When there would be more than `MOST_ROWS`.
    """
    left = set(away)
    work = _sharpest([*_without_equals(list(rows), list(equal), left)])
    while work is not None and left:
        growth = {name: _growth(work, name) for name in left}
        unknown = min(left, key=lambda name: (growth[name], str(name)))
        left.discard(unknown)
        work = _sharpest(_without(work, unknown))
    return work


def implied(of: Row, rows: Iterable[Row]) -> bool:
    """Tell whether ``rows`` are seen to imply ``of``; False says nothing."""
    return not possible([*rows, against(of)])


def possible(rows: Collection[Row]) -> bool:
    """Tell whether ``rows`` may have a solution; False says that there is none."""
    return project(rows, (), {unknown for each in rows for unknown in each if unknown != ONE}) is not None


def _without_equals(rows: list[Row], equal: list[Row], left: set[Unknown]) -> list[Row]:
    """Take out of ``left``, and of the rows that are returned, each unknown that an equality determines."""
    while equal:
        one = equal.pop()
        found = min((name for name in one if name in left), key=lambda name: (abs(one[name]), str(name)), default=None)
        if found is None:
            rows += [one, plus({}, one, 1, -1)]
            continue
        left.discard(found)
        factor, rest = one[found], {name: each for name, each in one.items() if name != found}
        sign, size = (-1 if factor > 0 else 1), abs(factor)  # size * found = sign * rest
        rows.append(plus({}, rest, 1, sign))  # it is at least 0
        rows, equal = ([_replaced(each, found, rest, sign, size) for each in group] for group in (rows, equal))
    return rows


def _replaced(each: Row, found: Unknown, rest: Row, sign: int, size: int) -> Row:
    factor = each.get(found, 0)
    if not factor:
        return each
    return plus({name: f for name, f in each.items() if name != found}, rest, size, factor * sign)


def _growth(work: list[Row], unknown: Unknown) -> int:
    """Return by how many rows the system may grow when ``unknown`` is taken out."""
    up = sum(each.get(unknown, 0) > 0 for each in work)
    down = sum(each.get(unknown, 0) < 0 for each in work)
    return up * down - up


def _without(work: list[Row], unknown: Unknown) -> list[Row]:
    """Combine each row that bounds ``unknown`` from below with each that bounds it from above."""
    up = [each for each in work if each.get(unknown, 0) > 0]
    down = [each for each in work if each.get(unknown, 0) < 0]
    new = [each for each in work if unknown not in each]
    new += [{name: factor for name, factor in each.items() if name != unknown} for each in down]  # it is at least 0
    for a in up:
        new += [plus(a, b, -b[unknown], a[unknown]) for b in down]
    if len(new) > MOST_ROWS:
        raise TooManyRows
    return new


def _sharpest(rows: Iterable[Row]) -> list[Row] | None:
    """Return ``rows`` without those that go without saying or that another one implies; None where one is false."""
    best: dict[frozenset[tuple[Unknown, int]], int] = {}
    for each in rows:
        key, constant = _normal(each)
        if not any(factor < 0 for _, factor in key):
            if constant >= 0:
                continue
            if not key:
                return None
        elif constant < 0 and not any(factor > 0 for _, factor in key):
            return None
        best[key] = min(constant, best.get(key, constant))
    found = [{**dict(key), ONE: constant} if constant else dict(key) for key, constant in best.items()]
    return _undominated(found)


def _normal(each: Row) -> tuple[frozenset[tuple[Unknown, int]], int]:
    """Return the unknowns and the constant of a row, with whole coefficients that nothing divides."""
    divisor = gcd(*(factor for name, factor in each.items() if name != ONE))
    constant = each.get(ONE, 0)
    if not divisor:
        return frozenset(), constant
    return frozenset((name, factor // divisor) for name, factor in each.items() if name != ONE), constant // divisor


def _undominated(rows: list[Row]) -> list[Row]:
    """Leave out each row that is another one and something that is at least 0."""
    rows = sorted(rows, key=len)
    kept: list[Row] = []
    for each in rows:
        if not any(_more(each, other) for other in kept):
            kept = [other for other in kept if not _more(other, each)]
            kept.append(each)
    return kept


def _more(each: Row, other: Row) -> bool:
    """Tell whether ``each`` is ``other`` with nothing taken away."""
    return all(each.get(name, 0) >= factor for name, factor in other.items()) and all(
        factor >= 0 or other.get(name, 0) <= factor for name, factor in each.items()
    )
