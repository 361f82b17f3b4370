"""A schedule that fails is made simple: fewer switches between threads first, then fewer steps.

Pieces, that is what one thread does in a row, are left out or joined, the larger groups of them first, and the rest is
followed as far as that goes (delta debugging: Zeller and Hildebrandt, Simplifying and isolating failure-inducing input,
2002). Every schedule that is kept was run, and failed in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

from simcore.control.choosing import Path

Steps = list[tuple[str, int]]
Fails = Callable[[Path], Steps | None]


def shrunk(path: Steps, fails: Fails, budget: int) -> Steps:
    """Return the simplest schedule that was found to fail within ``budget`` runs.

    Parameters
    ----------
    path : list of (str, int)
        Fails.
    fails : function
        Follows a schedule loosely; returns the steps that were taken if the run fails, else None.
    budget : int
        Runs.
    """
    best, left, going = path, budget, True
    while going and left > 0:
        going = False
        for candidate in _simpler(best):
            left -= 1
            found = fails(candidate)
            if found is not None and _cost(found) < _cost(best):
                best, going = found, True
                break
            if left <= 0:
                break
    return best


def _cost(path: Steps) -> tuple[int, int]:
    return sum(1 for _ in _pieces(path)), len(path)


def _pieces(path: Steps) -> Iterator[Steps]:
    return (list(steps) for _, steps in groupby(path, key=lambda step: step[0]))


def _simpler(path: Steps) -> Iterator[Steps]:
    """Yield schedules that have fewer pieces: the largest changes first."""
    pieces = list(_pieces(path))
    for thread in sorted({step[0] for step in path}, reverse=True):  # one does what it does as late as possible
        yield [step for step in path if step[0] != thread]
    width = max(1, len(pieces) // 2)
    while width:
        for start in range(0, len(pieces), width):
            yield _joined(pieces[:start] + pieces[start + width :])
        width //= 2
    for place, piece in enumerate(pieces):  # one goes on at once with what it does later
        later = next((n for n in range(place + 1, len(pieces)) if pieces[n][0][0] == piece[0][0]), None)
        if later is not None:
            rest = pieces[place + 1 : later] + pieces[later + 1 :]
            yield _joined([*pieces[: place + 1], pieces[later], *rest])


def _joined(pieces: list[Steps]) -> Steps:
    return [step for piece in pieces for step in piece]
