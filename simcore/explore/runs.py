"""A property of whole runs is decided when every state has been expanded, by the cheapest look that settles it.

On a graph without cycles every run stops, so nobody is left behind by one that goes on, and if all states without
steps are goals, each run has met the goal, whatever fairness says. Everything else is asked of the whole graph
(`liveness.py`, `lost.py`), state by state or in arrays. Both give the same answer, to the last step of its schedule, so
only time decides which: `_deciders`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from simcore.errors import MissingExtra, extra
from simcore.explore import liveness, lost
from simcore.explore.graph import Graph, Lasso
from simcore.explore.reduction import Alike, NamesMatter, Symmetry
from simcore.explore.search import Found
from simcore.explore.space import Space
from simcore.explore.standstill import Standstill, can_reach, standstills, timed_locals, told
from simcore.explore.vacuity import premise_of
from simcore.kernel import Kernel, Packed
from simcore.model import Predicate, Property

ARRAYS_AFTER = 100_000
"""Edges of a graph for which it is worth importing numpy and scipy: a quarter of a second, and at most two microseconds
for each edge without them, a fifth of that with them."""

ARRAYS_ANYWAY_AFTER = 2_000
"""The same, once they are imported."""

_NO_ROUNDS = (
    "with `compact=True` no graph is kept, and some steps lead back or aside: whether time can always pass for who "
    "waits for it is not known; use `timeouts='anytime'`, or `compact=False`"
)


class OrderMatters(Exception):
    """What is asked cannot be told from one order of steps; the text says why."""


class Runs:
    """The runs of a model through the states that a search has met.

    Parameters
    ----------
    kernel : Kernel
        Of the model.
    symmetry : Symmetry
        Which states stand for each other.
    space : Space
        What the search has met, or will have when it is asked about.
    all_orders : bool
        Whether all steps of each state were followed.
    """

    def __init__(self, kernel: Kernel, symmetry: Symmetry, space: Space, *, all_orders: bool) -> None:
        self.kernel = kernel
        self.symmetry = symmetry
        self.space = space
        self.all_orders = all_orders

    def ask_once(self, asked: Iterable[Property]) -> None:
        """Ask liveness properties of the initial state: who asks for names is told so before the search."""
        for prop in asked:
            for predicate in (prop.predicate, prop.then) if prop.liveness else ():
                if predicate is not None:
                    self._alike(prop, predicate)(self.kernel.initial)

    def violating(self, prop: Property) -> Found | Lasso | None:
        """Return a run that violates ``prop``, or a state from which all do; None if there is none.

        Raises
        ------
        NamesMatter
            When ``prop`` must be asked without symmetry.
        OrderMatters
            When it must be asked with all orders of steps.
        """
        if prop.kind in ("deadlock", "finish"):
            return self._never_again(prop)
        return self._avoiding(prop) if prop.liveness else None

    def _avoiding(self, prop: Property) -> Lasso | None:
        """Return a fair run that does not meet the goal of ``prop`` once it is due."""
        states, graph = self.space.states, self.space.graph
        due, goal = (None, prop.predicate) if prop.kind == "eventually" else (prop.predicate, prop.then)
        assert goal is not None
        there = self._alike(prop, goal)
        if self._acyclic() and all(there(states[end]) for end in graph.ends()):
            return None
        if not self.all_orders:
            raise OrderMatters("a run that avoids its goal may need the steps that are left out")
        runs, _ = _deciders(graph)
        met = bytearray(map(there, states))
        asks = None if due is None else self._alike(prop, due)
        starts = [0] if asks is None else [number for number, state in enumerate(states) if asks(state)]
        if not self.symmetry.trivial and runs.goes_round(graph, starts, met):
            raise NamesMatter("fairness is a promise to each process by name")
        found: Lasso | None = runs.avoiding(graph, starts, met, range(len(self.kernel.processes)))
        return found

    def _alike(self, prop: Property, predicate: Predicate) -> Callable[[Packed], bool]:
        return Alike(self.kernel, self.symmetry, predicate, prop.name).holds

    def never_due(self, asked: Iterable[Property]) -> list[Property]:
        """Return those of ``asked`` that have a premise which is true in none of the states."""
        premises = [(prop, premise) for prop in asked if (premise := premise_of(prop)) is not None]
        return [prop for prop, premise in premises if not any(map(self._alike(prop, premise), self.space.states))]

    def _never_again(self, prop: Property) -> Found | None:
        """Return the first state from which somebody can never end, or, for deadlocks, never move, again."""
        ends = prop.kind == "finish"
        if not ends and self._acyclic():
            return None  # no state without steps had somebody who waits
        states, graph = self.space.states, self.space.graph
        found = _deciders(graph)[1].never_again(self.kernel, self.symmetry, states, graph, ends=ends)
        if found is None:
            return None
        state, process = found
        return Found(prop.name, state, process, "end" if ends else "move")

    def standstill(self) -> str:
        """Say who waits for time that cannot pass, so that a proof has not seen what comes then; empty if nobody does.

        Raises
        ------
        NamesMatter
            When that depends on who of those that are interchangeable is treated fairly.
        """
        if self.kernel.timeouts == "anytime" or not timed_locals(self.kernel):
            return ""
        if self.space.omission:
            return "" if self.space.forward() else _NO_ROUNDS
        told_apart = [found for found in self._standstills if not self._renamed(found.process)]
        fair = [found for found in told_apart if not found.starved]
        if fair:
            return told(self.kernel, fair)
        if len(told_apart) < len(self._standstills) or any(any(map(self._renamed, f.starved)) for f in told_apart):
            raise NamesMatter("whether time can pass depends on who of them waits or moves")
        return ""

    def rests_on_it(self, found: Found | Lasso) -> bool:
        """Tell whether a violation may be one only because time stands still."""
        return can_reach(self.space.graph, found.state, set().union(*(still.states for still in self._standstills)))

    @cached_property
    def _standstills(self) -> list[Standstill]:
        if self._acyclic():
            return []
        return list(standstills(self.kernel, self.space.states, self.space.graph, self._renamed))

    def _renamed(self, process: int) -> bool:
        who = self.kernel.processes[process]
        return not self.symmetry.trivial and (who.pool is not None or who in self.symmetry.interchangeable)

    def _acyclic(self) -> bool:
        return self.space.forward() or bool(_deciders(self.space.graph)[0].acyclic(self.space.graph))


def _deciders(graph: Graph) -> tuple[Any, Any]:
    """Return what decides about runs, and about who is lost: for a large graph in arrays, where that is installed."""
    known = "simcore.explore.compiled.lost" in sys.modules
    if len(graph.targets) < (ARRAYS_ANYWAY_AFTER if known else ARRAYS_AFTER):
        return liveness, lost
    try:
        with extra("fast", "a large graph"):
            from simcore.explore.compiled import liveness as in_arrays
            from simcore.explore.compiled import lost as lost_in_arrays
    except MissingExtra:
        return liveness, lost
    return in_arrays, lost_in_arrays
