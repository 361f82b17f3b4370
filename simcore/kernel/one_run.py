"""The kernel of one run: its state is changed in place, and what each step asks of all of it is kept beside it.

A search keeps many states, and works out for each who mentions a future, which worker runs its task and which place is
free. A run has one state, and a step concerns a few places of it; so all this is noted as the places change, and a step
costs the same however many processes there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from heapq import heappop, heappush

from simcore.kernel.kernel import Kernel
from simcore.kernel.tables import FREE, Move
from simcore.model import Model


class OneRun(Kernel):
    """A kernel with a state of its own; of all other states it is asked as any kernel is.

    Attributes
    ----------
    state : list of int
        Where the run is.
    touched : list of int
        The processes whose part of the state the last step has changed; empty where only its own was.
    """

    def __init__(self, model: Model) -> None:
        super().__init__(model, "anytime", one_run=True)
        self.state = list(self.initial)
        self.touched: list[int] = []
        self._free: list[int] = []  # a heap with all free places of futures, and some that are none
        self._mentioning: defaultdict[int, set[int]] = defaultdict(set)
        self._running_task: defaultdict[int, set[int]] = defaultdict(set)

    def happen(self, process: int, move: Move) -> None:
        """Let ``move`` of ``process`` happen."""
        self.touched.clear()
        state = self.state
        position, value, point, lost, created = move
        if not self._futures:
            state[position] = value
            state[self.first_process + process] = point
            return
        if created >= 0:
            if self.first_future + created == len(state):
                state.append(FREE)
            self._put(state, self.first_future + created, self._pending)
        self._put(state, position, value)
        self._put(state, self.first_process + process, point)
        if lost:
            self._collect(state, lost)
        if self.by_hand and self.takes(state, process):
            self._begin(state, process)

    def _put(self, state: list[int], place: int, new: int) -> None:
        old = state[place]
        state[place] = new
        if state is not self.state or old == new:
            return
        known = self._value_futures
        if self.first_process <= place < self.first_future:
            known = self._local_futures
            self.touched.append(place - self.first_process)
            self._running_task[self._task_futures[old]].discard(place)
            self._running_task[self._task_futures[new]].add(place)
        elif new == FREE:
            heappush(self._free, place)
        gone, come = known[old], known[new]
        if gone != come:
            for number in gone - come:
                self._mentioning[number].discard(place)
            for number in come - gone:
                self._mentioning[number].add(place)

    def _lowest_free(self, state: Sequence[int]) -> int:
        if state is not self.state:
            return super()._lowest_free(state)
        while self._free and (self._free[0] >= len(state) or state[self._free[0]] != FREE):
            heappop(self._free)
        return (self._free[0] if self._free else len(state)) - self.first_future

    def _holders(self, state: Sequence[int], number: int) -> bool:
        if state is not self.state:
            return super()._holders(state, number)
        return any(place != self.first_future + number for place in self._mentioning[number])

    def _worker_of(self, state: Sequence[int], number: int) -> int | None:
        if state is not self.state:
            return super()._worker_of(state, number)
        return min(self._running_task[number], default=None)
