"""A search that gives an answer: a verdict, the shortest schedule into a violation, and how it was found.

When a breadth-first search has run out of budget after it looked ahead (`Search.hunt`), the sampled schedule is
shortened: what is not needed is left out, then the processes that are left are searched breadth-first. A violation that
was found with less than all orders of steps is looked for once more in all of them, within a budget.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from simcore.errors import MissingExtra, extra
from simcore.explore.deeds import Deeds
from simcore.explore.graph import Lasso
from simcore.explore.limits import OutOfBudget, OutOfMemory
from simcore.explore.result import Result
from simcore.explore.runs import OrderMatters, Runs
from simcore.explore.sampling import ANY, Sampling
from simcore.explore.search import Found, Search, Unfit, Unjustified
from simcore.explore.servers import SERVERS, Servers
from simcore.explore.shrink import concrete
from simcore.explore.space import Space
from simcore.explore.standstill import new_knots
from simcore.explore.unbounded import growing
from simcore.explore.vacuity import never_fired, never_reached
from simcore.model import Property, Verdict, Watched

COMPILE_AFTER = 100_000  # states, where the compiled loop has to be compiled first, once on a machine
_IN_ALL_ORDERS = 10_000  # states that are worth knowing the shortest way, once a way is known
_NO_GRAPH = (
    "with `compact=True` no graph is kept, and some steps lead back or aside: whether somebody can be left behind for "
    "ever by others that go on is not known; no state was met in which somebody can never move again"
)
_UNSURE = (
    "servers wait for what nobody but servers gives, and whether they wait for each other for ever is not known: "
    "with `compact=True` no states are kept to look at, and elsewhere a budget of states did not suffice"
)


@dataclass
class Attempt:
    """How the next search is made, by what earlier ones have shown.

    Attributes
    ----------
    symmetry : bool
        Whether names are interchangeable.
    watched : Watched, optional
        With partial order: what properties look at.
    quick : bool
        Whether the compiled loop may search.
    apart : dict
        Families of names that are told apart, with the reasons.
    notes : list of str
        What was switched off, and why.
    again_as : list of str
        Why earlier attempts did not do; they met so many ``states`` in so many ``seconds``.
    """

    symmetry: bool
    watched: Watched | None
    quick: bool
    apart: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    again_as: list[str] = field(default_factory=list)
    states: int = 0
    seconds: float = 0.0

    def again(self, search: Search | None, reason: str) -> None:
        """Remember what was spent on an attempt that has to be made again."""
        self.again_as.append(reason)
        if search is not None:
            self.states += len(search.space.states)
            self.seconds = search.limits.elapsed

    def told(self, result: Result) -> Result:
        """Return ``result``, which says, where a limit has ended it, what was spent on earlier attempts.

        States and transitions are those of the space that was searched last: what holds, holds of these, and no sum
        over spaces that differ is a size of anything. The time is that of all.
        """
        if result.verdict is not Verdict.UNDETERMINED or not self.again_as:
            return result
        times, reasons = len(self.again_as) + 1, ", ".join(dict.fromkeys(self.again_as))
        earlier = f"before the last time {self.states:,} states were met, in {self.seconds:.1f} s"
        return replace(result, notes=(*result.notes, f"begun {times} times, as {reasons}: {earlier}"))


def compiled_loops() -> Any:
    """Return the module of the compiled loops."""
    from simcore.explore.compiled import loops

    return loops


class Exploration(Sampling):
    """A search that gives an answer."""

    cores, compact, seed = 1, False, 0
    _unsure = False

    def exhaust(self, depth_first: bool) -> Result:
        """Search the whole space, or as much of it as the limits allow."""
        try:
            with self.limits.in_force():
                self._runs().ask_once(self.asked)
                self._ask_again()
                plain = isinstance(self.space, Space)
                found = self.walk(self.space, depth_first) if plain else self.space.run()
                if found is None:
                    return self._all_met(depth_first)
        except OutOfBudget as limit:
            with self.limits.lifted():
                return self._stopped(limit, depth_first)
        with self.limits.lifted():
            return self._violated(found, depth_first)

    def _stopped(self, limit: OutOfBudget, depth_first: bool) -> Result:
        """Return what is known when a limit was reached."""
        name = self._name(depth_first)
        if self.hunted is not None:
            return self._result(
                name, self._told(*self.hunted, ANY) if self.any_witness else self._shortened(self.hunted)
            )
        result = self._result(name, reason=str(limit))  # counted before steps are taken back and runs teach more
        if not isinstance(limit, OutOfMemory):
            self._keep()
        grows = self.limits.in_time(lambda: growing(self.kernel, self.space.states), "")
        result = replace(result, reason=f"{limit}; {grows}") if grows else result
        if not isinstance(limit, OutOfMemory):
            return result
        covered = f"every state within {self.space.covered} steps was expanded"
        if depth_first or self._reordered:
            covered = f"{len(self.space.expanded):,} states were expanded"
        return replace(result, notes=(*result.notes, covered))

    def _all_met(self, depth_first: bool) -> Result:
        if self.partial_order is not None and not self.partial_order.justified():
            raise Unjustified
        if depth_first:
            self.space.graph = self.space.graph.arranged(self.space.expanded)
        return self._whole(depth_first)

    def _violated(self, found: Found, depth_first: bool) -> Result:
        if not (self.any_witness or self._reordered or depth_first):
            found = self.limits.in_time(partial(self._where_it_shows, found), found)
        return self._answered(found, depth_first)

    def _answered(self, found: Found, depth_first: bool) -> Result:
        """Tell a violation: as it was met, looked for in all orders, or by a shortest way."""
        if self.any_witness:
            path, _ = self._path(self.space, found, depth_first=True)
            return self._result(self._name(depth_first), self._shown(path, found.name, ANY, self._lost(path, found)))
        if self._reordered:
            return self._in_all_orders(found, depth_first)
        return self._result(self._name(depth_first), self._counterexample(found, depth_first))

    def _ask_again(self) -> None:
        """Ask about the states that a checkpoint holds: what predicates said, and what they remember, it does not."""
        for prop in (*self.invariants, *self.wanted) if self.space.states and not self.space.omission else ():
            for state in self.space.states:
                self.alike[prop].holds(state)

    def _keep(self) -> None:
        """Write the checkpoint, if there is one: a limit has stopped the search, and with a larger one it goes on."""
        if self.checkpoint is not None:
            space = self.space
            space.take_back()
            if self.partial_order is not None:
                self.partial_order.take_back(lambda state: bool(space.done[space.index[state]]))
            self.checkpoint.write(self)

    @property
    def _reordered(self) -> bool:
        """Whether steps were left out because order does not count for them."""
        return self.partial_order is not None and self.partial_order.used

    def _name(self, depth_first: bool) -> str:
        name = "depth-first" if depth_first else "breadth-first"
        if self.symmetry.told:
            name += f", {self.symmetry.told} interchangeable"
        return name + ", partial order" if self._reordered else name

    def _runs(self) -> Runs:
        return Runs(self.kernel, self.symmetry, self.space, all_orders=not self._reordered)

    def _in_all_orders(self, found: Found, depth_first: bool) -> Result:
        """Look for the shortest way to a violation that was found with less than all orders of steps."""
        path, _ = self._path(self.space, found, depth_first=True)
        lost = self._lost(path, found)
        if not lost:
            self.hunted = (path, found.name)
        self.partial_order = self.watched = self.checkpoint = None
        self.fast_after = sys.maxsize
        self.space, self.knots = Space(), new_knots(self.kernel)
        self.limits.shorten(_IN_ALL_ORDERS)
        result = self.exhaust(depth_first)
        if result.verdict is Verdict.VIOLATED:
            return result
        told = self._shown(path, found.name, "not known to be shortest", lost)
        return self._result(result.strategy, told)

    def faster_space(self, looked_at: int) -> Any:
        """Return the compiled loop, which takes a few milliseconds to come so far; None when it is not worth it yet.

        Where it is not installed, that is said once it would have saved seconds.
        """
        try:
            with extra("fast", "`compact=True`" if self.compact else "the compiled loop, which is many times faster,"):
                if self.compact or self._worth_compiling(looked_at):
                    return self.compiled_space(looked_at)
        except Unfit:  # seen before it has begun, so nothing has to be searched again
            if self.compact:
                raise
            self.fast_after = sys.maxsize
            return None
        except MissingExtra as missing:
            if self.compact:
                raise
            if looked_at >= COMPILE_AFTER:
                self.told = (f"searched by the plain loop: {missing}",)
        self.fast_after = COMPILE_AFTER if looked_at < COMPILE_AFTER else sys.maxsize
        return None

    def _worth_compiling(self, looked_at: int) -> bool:
        """Tell whether the compiled loop is there, or there is enough to search for it to be made."""
        there = compiled_loops().is_compiled()
        return there or (looked_at >= COMPILE_AFTER and self.limits.time_to_compile)

    def compiled_space(self, looked_at: int) -> Any:
        """Return the compiled loop, which is used from now on, and made first where it is not there yet."""
        loops = compiled_loops()
        if self.partial_order is None:
            space = loops.FastSearch(self, looked_at, cores=self.cores, compact=self.compact, seed=self.seed)
        elif any(prop.kind != "deadlock" for prop in self.asked):
            self._without_partial_order()
            return None
        else:
            space = loops.ReducedSearch(self)
        loops.machine_code()
        self.space = space
        return space

    def _without_partial_order(self) -> None:
        """Have all searched by the compiled loop without partial order, if that has not left out one step so far."""
        if not self._reordered:
            raise OrderMatters(f"in {len(self.space.graph):,} states what is asked had each step followed")
        self.fast_after = sys.maxsize

    # ---- answers -------------------------------------------------------------------------------------

    def _whole(self, depth_first: bool) -> Result:
        """Every state has been expanded without a violation: decide what is about whole runs."""
        name = self._name(depth_first)
        runs = self._runs()
        still = runs.standstill()
        if self.wanted and still:
            return self._result(name, reason=still)
        if self.wanted:
            missing = self.wanted[0].name
            return replace(self._result(name), verdict=Verdict.VIOLATED, property=missing, reason="")
        if self.space.omission and self.deadlock is not None and not self.space.forward():
            return self._result(name, reason=_NO_GRAPH)
        for prop in self.asked:
            found = runs.violating(prop)
            if still and found is not None and runs.rests_on_it(found):
                continue
            if found is None and prop.kind == "deadlock" and not still:
                found = self._servers()
            if found is not None:
                with self.limits.lifted():
                    return self._left_behind(found, prop, depth_first)
        if still:
            return self._result(name, reason=still)
        if self._unsure:
            return self._result(name, reason=_UNSURE)
        never = self.limits.in_time(lambda: list(self._never()), list[str]())
        return replace(self._result(name), verdict=Verdict.HOLDS, reason="", never=tuple(never))

    def _left_behind(self, found: Found | Lasso, prop: Property, depth_first: bool) -> Result:
        """Tell a violation that only the whole graph shows."""
        if not hasattr(self.space, "parents"):  # a proof keeps no ways: the plain loop finds one
            raise Unfit
        if not isinstance(found, Lasso):
            return self._answered(found, depth_first)
        prefix = concrete(self.kernel, self.symmetry, found.prefix)
        told = self._told(prefix, prop.name, "shortest into the cycle", found.cycle)
        return self._result(self._name(depth_first), told)

    def _never(self) -> Iterator[str]:
        """Yield what never happened, as far as that is known."""
        space, kernel = self.space, self.kernel
        yield from never_reached(kernel, Deeds(kernel, self.symmetry))
        if space.omission:  # the states are not there any more
            return
        yield from never_fired(kernel, space)
        for prop in self._runs().never_due(self.asked):
            if self._reordered:
                raise OrderMatters(f"whether the premise of {prop.name!r} is ever true may need what is left out")
            yield f"the premise of {prop.name!r}"

    def _servers(self) -> Found | None:
        """Return the first state in which servers wait for each other for ever."""
        servers = Servers(self.kernel, self.symmetry)
        if not servers.possible:
            return None
        if self.space.omission:
            self._unsure = True
            return None
        number = servers.first(self.space.states)
        self._unsure = servers.unsure
        if number is None:
            return None
        assert self.deadlock is not None
        return Found(self.deadlock.name, number, 0, SERVERS)
