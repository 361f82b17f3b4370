"""A real run is explained when the kernel can do the same steps in an order that the clock allows.

The search places one record after the other: a record may be next when no record that is still to come had
finished before it began, when its process is about to do just that in the kernel's state, and when one of the
kernel's outcomes gives the same result. It goes back where it cannot go on, and never enters the same state
at the same place in the records twice. The order in which the effects were noted is tried first, so that a
run that can be explained seldom needs a step back. After linearizability checking as Wing and Gong (1993)
and Lowe (2017) do it.
"""

from __future__ import annotations

import gc
import math
from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from simcore.execute.compare import Handles
from simcore.execute.records import Actor, Record
from simcore.kernel import Kernel, Packed
from simcore.model.objects import PoolValue
from simcore.model.operations import Operation

_ANY = object()  # the result of an operation that was under way when the run was ended
_SKIPPED = -1  # a worker's handover that is no step in the kernel


class _Way(NamedTuple):
    """One way to place the next record of a process."""

    process: int
    outcome: int
    state: Packed


@dataclass
class Explanation:
    """What the search found.

    Attributes
    ----------
    explained : bool or None
        None when the budget did not suffice to tell.
    path : list of (process, outcome)
        The interleaving; empty when none was found.
    text : str
        What could not be explained, and what the kernel offered there.
    placed : int
        How many records were placed, those that were taken back included.
    """

    explained: bool | None
    path: list[tuple[int, int]] = field(default_factory=list)
    text: str = ""
    placed: int = 0


class Explainer:
    """Looks for an interleaving that explains the records.

    Parameters
    ----------
    kernel : Kernel
        With ``timeouts="anytime"``.
    actors : sequence of Actor
        The processes of the run, in the order of the model.
    stuck : bool
        Whether what is pending must be blocked at the end; otherwise it may have happened or not.
    budget : int
        Records that may be placed, those that are taken back included.
    """

    def __init__(self, kernel: Kernel, actors: Sequence[Actor], stuck: bool, budget: int | None = None) -> None:
        self._kernel, self._actors, self._stuck = kernel, actors, stuck
        self._records = [[*actor.records, *([] if stuck else _unfinished(actor))] for actor in actors]
        self._left = sum(len(actor.records) for actor in actors)
        self._budget = budget if budget is not None else 3 * self._left + 50_000
        self._places = [0] * len(actors)
        self._heads: list[tuple[int, int, Record]] = []
        for process in range(len(actors)):
            self._add_head(process)
        self._pools = list(kernel.model.pools())
        self._handles = Handles()
        self._path: list[tuple[int, int]] = []
        self._best: tuple[int, list[int], Packed] = (0, list(self._places), kernel.initial)

    def explain(self) -> Explanation:
        """Search, depth first. Nothing that it makes is garbage, so the collector need not look through it."""
        was = gc.isenabled()
        gc.disable()
        try:
            return self._search()
        finally:
            if was:
                gc.enable()

    def _search(self) -> Explanation:
        state = self._leave(self._kernel.initial)
        dead: set[tuple[tuple[int, ...], Packed]] = set()
        stack: list[tuple[Iterator[_Way], int, int, Packed]] = [(self._ways(state), -1, len(self._path), state)]
        placed = 0
        while stack:
            ways, process, length, state = stack[-1]
            if self._complete(state):
                return Explanation(True, self._path, placed=placed)
            way = next(ways, None)
            if way is None:
                dead.add((tuple(self._places), state))
                stack.pop()
                if process >= 0:
                    self._take_back(process, stack[-1][2])
                continue
            placed += 1
            if placed > self._budget:
                return Explanation(None, [], f"no interleaving was found in {placed:,} steps", placed)
            state = self._place(way)
            stack.append((self._ways(state), way.process, len(self._path), state))
            if (tuple(self._places), state) in dead:
                stack.pop()
                self._take_back(way.process, length)
            else:
                self._note(state)
        return Explanation(False, [], self._complaint(*self._best[1:]), placed)

    # ---- one record ----------------------------------------------------------------------------------

    def _ways(self, state: Packed) -> Iterator[_Way]:
        bound: float = math.inf
        for effect, _, record in self._heads:
            if effect > bound:
                break  # an effect is never behind its finish
            bound = min(bound, record.finish)
        for number in range(len(self._heads)):  # whatever is placed meanwhile has been taken back by then
            _, process, record = self._heads[number]
            if record.start < bound:
                yield from self._ways_of(state, process, record)

    def _ways_of(self, state: Packed, process: int, record: Record) -> Iterator[_Way]:
        kernel = self._kernel
        operation = kernel.operation(state, process)
        if operation is None or not self._handles.same_operation(record.operation, operation):
            if record.handover and (operation is None or operation.name == "take"):
                yield _Way(process, _SKIPPED, state)
            return
        moves = kernel.moves(state, process)
        for outcome, move in enumerate((*moves, *kernel.expiries(state, process))):
            result = kernel.result(state, process, outcome)
            self._handles.learn(operation, record.result, result)
            if record.result is _ANY or self._handles.same(record.result, result):
                yield _Way(process, outcome, kernel.after(state, process, move))

    def _place(self, way: _Way) -> Packed:
        record = self._records[way.process][self._places[way.process]]
        self._remove_head(way.process)
        self._places[way.process] += 1
        self._add_head(way.process)
        self._left -= record.result is not _ANY
        if way.outcome != _SKIPPED:
            self._path.append((way.process, way.outcome))
        return self._leave(way.state)

    def _take_back(self, process: int, length: int) -> None:
        self._remove_head(process)
        self._places[process] -= 1
        self._add_head(process)
        self._left += self._records[process][self._places[process]].result is not _ANY
        del self._path[length:]

    def _add_head(self, process: int) -> None:
        records, place = self._records[process], self._places[process]
        if place < len(records):
            insort(self._heads, (records[place].effect, process, records[place]))

    def _remove_head(self, process: int) -> None:
        records, place = self._records[process], self._places[process]
        if place < len(records):
            del self._heads[bisect_left(self._heads, (records[place].effect, process))]

    def _leave(self, state: Packed) -> Packed:
        """Let the idle workers of pools that are shut down leave, which the executor's threads do unseen."""
        for pool, workers in self._pools:
            value = self._kernel.values[state[pool.index]]
            assert isinstance(value, PoolValue)
            if not value.shut or value.tasks:
                continue
            for worker in workers:
                operation = self._kernel.operation(state, worker.index)
                finished = self._places[worker.index] == len(self._records[worker.index])
                if finished and operation is not None and operation.name == "take":
                    state = self._kernel.step(state, worker.index, 0) or state
                    self._path.append((worker.index, 0))
        return state

    # ---- the end -------------------------------------------------------------------------------------

    def _complete(self, state: Packed) -> bool:
        return not self._left and all(self._ends(state, actor) == "" for actor in self._actors)

    def _ends(self, state: Packed, actor: Actor) -> str:
        """Say in which way the kernel's end of one process is another; nothing when it is the same."""
        process = actor.process.index
        operation = self._kernel.operation(state, process)
        if actor.over:
            reached = self._kernel.process_state(state, process)
            if reached.status != actor.status or not self._handles.same(actor.outcome, reached.result):
                return f"{actor.process} ended {actor.status} with {actor.outcome}, in the model {reached.status}"
            return ""
        if not self._stuck or actor.pending is None or actor.handover:
            return ""
        if operation is None or not self._handles.same_operation(actor.pending, operation):
            return f"{actor.process} waits in {actor.pending}, in the model it is about to do {operation}"
        if self._kernel.moves(state, process):
            return f"{actor.process} waits in {actor.pending}, which is enabled in the model"
        return ""

    def _note(self, state: Packed) -> None:
        done = sum(self._places)
        if done > self._best[0]:
            self._best = (done, list(self._places), state)

    def _complaint(self, places: list[int], state: Packed) -> str:
        waiting = [(self._records[p][place], p) for p, place in enumerate(places) if place < len(self._records[p])]
        offers = "; ".join(self._offers(state)) or "nothing"
        required = [(record.effect, p, record) for record, p in waiting if record.result is not _ANY]
        if not required:
            return "; ".join(filter(None, (self._ends(state, actor) for actor in self._actors)))
        _, process, record = min(required)
        name = self._actors[process].process.name
        return (
            f"{name}: {record.operation} -> {record.result} (its step {places[process] + 1}); the model offers {offers}"
        )

    def _offers(self, state: Packed) -> Iterator[str]:
        for process, outcome, _ in self._kernel.successors(state):
            operation: Operation | None = self._kernel.operation(state, process)
            result = self._kernel.result(state, process, outcome)
            yield f"{self._kernel.processes[process]}: {operation} -> {result}"


def _unfinished(actor: Actor) -> list[Record]:
    """Return the operation that was under way when the run was ended: it may have happened, or not."""
    if actor.pending is None or actor.at_gate:
        return []
    return [Record(actor.pending, _ANY, actor.start, 1 << 60, 1 << 60, actor.began, math.inf, actor.handover)]
