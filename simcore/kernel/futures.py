"""What becomes of tasks and workers when a future is dropped, or set by hand: what a step changes beside its object.

A future that nobody can ask for any more leaves the state, and the one task that mentions it, weakly, goes on without
it. That is looked for where a step may have lost the last mention. A future that was set by hand stays until its task
has come to it, as the worker dies of it: at once where it takes the task, in place of beginning it. This is looked for
only once somebody was seen to be about to set a future by hand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from simcore.kernel.journal import lesson
from simcore.kernel.tables import FREE, Effect, Local, Move, Packed, Tables, without_future
from simcore.model import Model
from simcore.model.objects import ThreadPool


class TablesOfFutures(Tables):
    """Tables that also tell what a dropped future leaves behind."""

    def __init__(self, model: Model, *hidden: Any) -> None:
        super().__init__(model, *hidden)
        self._pool_places = [pool.index for pool, _ in model.pools()]
        self._worker_places = [self.first_process + p.index for p in self.processes if p.pool is not None]
        self._without: defaultdict[int, dict[int, int]] = defaultdict(dict)
        self._alone: dict[tuple[int, ThreadPool | None], int] = {}  # the worker's pool counts: it is idle there then
        self._unbegun: dict[tuple[int, ThreadPool | None], int] = {}

    def idle(self, state: Packed) -> int:
        """Return, as bits, the workers without a task."""
        idle = 0
        for place in self._worker_places:
            if self.locals[state[place]].status == "idle":
                idle |= 1 << place - self.first_process
        return idle

    def without(self, future: int, place: int, old: int) -> int:
        """Return what stands at ``place``, of a worker or a pool, when ``future`` is taken from what stood there."""
        if place >= self.first_process:
            return self._local_without(old, place - self.first_process)
        return self._pool_without(old, future)

    def _collect(self, state: list[int], lost: Iterable[int]) -> None:
        for number in lost:
            place = self.first_future + number
            if place >= len(state) or state[place] == FREE or self._mentioned(state, number):
                continue
            inside = self._value_futures[state[place]]
            self._put(state, place, FREE)
            self._forget(state, number)
            if inside:
                self._collect(state, sorted(inside))
        while state[-1] == FREE and len(state) > self.first_future:
            state.pop()

    def _put(self, state: list[int], place: int, new: int) -> None:
        """Change one place of a state that is being made."""
        state[place] = new

    def _mentioned(self, state: list[int], number: int) -> bool:
        by_hand = self.by_hand and self.values[state[self.first_future + number]].done  # one that kills its worker yet
        return (by_hand and self._kills(state, number)) or self._holders(state, number)

    def _holders(self, state: Sequence[int], number: int) -> bool:
        """Tell whether anything in ``state`` mentions a future, but for the future itself: it is not kept by that."""
        first, last = self.first_process, self.first_future
        place = last + number
        return not (
            self._mentioning_locals[number].isdisjoint(state[first:last])
            and self._mentioning_values[number].isdisjoint([*state[:first], *state[last:place], *state[place + 1 :]])
        )

    def _kills(self, state: list[int], number: int) -> bool:
        """Tell whether a task that sets the future ``number`` runs, or is in a queue: its worker dies if it is set."""
        future = self._futures[number]
        queued = (task.future for place in self._pool_places for task in self.values[state[place]].tasks)
        return self._worker_of(state, number) is not None or any(each is future for each in queued)

    def _worker_of(self, state: Sequence[int], number: int) -> int | None:
        """Return the place of the worker whose task sets a future."""
        return next((place for place in self._worker_places if self._task_futures[state[place]] == number), None)

    def takes(self, state: Sequence[int], process: int) -> bool:
        """Tell whether what ``process`` is about to do is to take a task from its pool."""
        operation = self._operations[state[self.first_process + process]]
        return operation is not None and operation.name == "take" and operation.target is self.processes[process].pool

    def _begin(self, state: list[int], process: int) -> None:
        """Let a worker that has just taken a task whose future is set already die of that, in place of the task."""
        place = self.first_process + process
        local = state[place]
        number = self._task_futures[local]
        if number < 0 or not self.values[state[self.first_future + number]].done:
            return
        known = self._unbegun.get((local, self.processes[process].pool))
        self._put(state, place, self.learn_unbegun(local, process) if known is None else known)
        self._collect(state, sorted(self._local_futures[local] | {number}))

    @lesson
    def learn_unbegun(self, local: int, process: int) -> int:
        """Learn what becomes of a worker in ``local`` that cannot begin its task."""
        worker = self.processes[process]
        left = self._unbegun[local, worker.pool] = self.intern_local(Local(None, None, "dying"), worker)
        self.effects.append(Effect(process, local, FREE, Move(-1, FREE, left, (), -1)))
        return left

    def _forget(self, state: list[int], number: int) -> None:
        """Take a future from the one task that mentions it, in a queue or on a worker."""
        worker = self._worker_of(state, number)
        if worker is not None:
            self._put(state, worker, self._local_without(state[worker], worker - self.first_process))
            return
        for place in self._pool_places:
            self._put(state, place, self._pool_without(state[place], number))

    def _pool_without(self, value: int, number: int) -> int:
        known = self._without[number].get(value)
        return self.learn_queue(value, number) if known is None else known

    @lesson
    def learn_queue(self, number: int, future: int) -> int:
        """Learn what is left of a pool's value without a future."""
        left = self._without[future][number] = self.intern_value(
            without_future(self.values[number], self._futures[future])
        )
        return left

    def _local_without(self, number: int, process: int) -> int:
        known = self._alone.get((number, self.processes[process].pool))
        return self.learn_alone(number, process) if known is None else known

    @lesson
    def learn_alone(self, number: int, process: int) -> int:
        """Learn what becomes of a worker when nobody can ask for the result of its task any more."""
        worker, local = self.processes[process], self.locals[number]
        assert local.point is not None
        assert local.task is not None
        settled = self._settled(worker, local.point, local.task._replace(future=None))
        left = self._alone[number, worker.pool] = self.intern_local(settled, worker)
        self.effects.append(Effect(process, number, FREE, Move(-1, FREE, left, (), -1)))
        return left

    def _lowest_free(self, state: Sequence[int]) -> int:
        for place in range(self.first_future, len(state)):
            if state[place] == FREE:
                return place - self.first_future
        return len(state) - self.first_future
