"""Where every step of a run is natural, the run with other names is the run with its names exchanged.

A step is natural if it does not matter whether names are exchanged before it or after it, whatever names there are. By
induction over the steps, so is a run of ``f(value, *args)`` that consists of such steps: it takes the same way with
other names, and ``f(pi(value), *pi(args))`` is ``pi(f(value, *args))`` for *every* permutation pi of names. So one run
at one value tells of all values that differ from it by a permutation, of which there may be 2^n for a set out of n
names, and none of them need be tested. (Reynolds' abstraction theorem, 1983, for one run in place of a type; Wolper's
data independence, 1986; the scalarsets of Ip and Dill, 1996, whose type rules allow such steps.)

Which steps are natural is said in `steps.py`. ``f`` is run again, on its syntax tree (`stepwise.py`). The instructions
of CPython could be run as well, at the price of one reading of them for each version; the tree means the same on all,
and that it is the tree of the code that runs is checked (`written.py`). Types that are inferred could do without a run,
and would know less: here all that is asked is the type of each value that is met.

Besides the steps, what comes in must be moved as it should. ``f`` itself must be moved to itself, or with other names
another function would run; and no constant that it uses may have a name in it, which would be the same with other
names. Futures, processes, objects and instances of classes are not looked at, so of what has one in it nothing is
known. Of what is not known the test is made that is made of everything (`exchanges.py`).

The outcomes of a transition are compared as that test compares them: how often there is which, in no order. Which
number an outcome has is no part of a state, and a schedule is told by following representatives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

from simcore.errors import SimcoreError
from simcore.explore.reduction.names import Moves, NotSymmetric
from simcore.explore.reduction.renaming import Renaming
from simcore.explore.reduction.steps import Unknown, in_turn, nameless, truth
from simcore.explore.reduction.stepwise import Run
from simcore.kernel import Applied
from simcore.model import Index
from simcore.model.objects import Variable
from simcore.model.operations import Outcomes


class Natural:
    """Tells which applications of functions to values are known to be natural.

    Parameters
    ----------
    renaming : Renaming
        Which says what a function is moved to.
    moves : sequence of mapping of int to int
        The exchanges whose products are all permutations.
    """

    def __init__(self, renaming: Renaming, moves: Sequence[Moves]) -> None:
        self.renaming, self.moves = renaming, moves
        families = renaming.names.kernel.model.families
        self._names = frozenset(index for family in families.values() for index in family)
        self._stays: dict[FunctionType, bool] = {}

    def __call__(self, applied: Applied) -> bool:
        """Tell whether ``applied`` does the same with other names, but for the names; it may do so and not be found."""
        operation = applied.operation
        value = self.renaming.names.kernel.values[applied.value]
        if type(operation.target) is not Variable or not self._closed(value):
            return False
        fn, args = operation.args
        if type(fn) is not FunctionType or not self._closed(args) or not self._is_moved_to_itself(fn):
            return False
        try:
            expected = _OUTCOMES[operation.name](value, Run().call(fn, (value, *args)))
        except Unknown:
            return False
        return _the_same(expected, applied.outcomes)

    def _closed(self, thing: Any) -> bool:
        """Tell whether a value is made of names and of what is none."""
        kind = type(thing)
        if kind in (tuple, frozenset):
            return all(map(self._closed, thing))
        return thing in self._names if kind is Index else nameless(thing)

    def _is_moved_to_itself(self, fn: FunctionType) -> bool:
        if fn not in self._stays:
            try:
                self._stays[fn] = all(self.renaming.renamed(fn, moves) is fn for moves in self.moves)
            except (NotSymmetric, SimcoreError):
                self._stays[fn] = False
        return self._stays[fn]


def _updated(_: Any, given: Any) -> list[tuple[Any, Any]]:
    return [(given, given)]


def _passed(value: Any, given: Any) -> list[tuple[Any, Any]]:
    return [(value, value)] if truth(given) else []


def _offered(_: Any, given: Any) -> list[tuple[Any, Any]]:
    return [tuple(step) for step in in_turn(given)[0]]


def _the_same(expected: list[tuple[Any, Any]], outcomes: Outcomes) -> bool:
    """Tell whether the run here came to what the function came to: a test of what is said here of Python."""
    left = [tuple(outcome) for outcome in outcomes]
    for each in expected:
        if each not in left:
            return False
        left.remove(each)
    return not left


_OUTCOMES: dict[str, Callable[[Any, Any], list[tuple[Any, Any]]]] = {
    "update": _updated,
    "wait_for": _passed,
    "transition": _offered,
}
"""What an operation comes to at a value for what its function gives."""
