"""The kernel of one run: its state is changed in place, and what each step asks of all of it is kept beside it.

A search keeps many states, and works out for each who mentions a future, which worker runs its task and which place is
free. A run has one state, and a step concerns a few places of it; so all this is noted as the places change, and a step
costs the same however many processes there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from heapq import heappop, heappush
from typing import Any

from simcore.kernel.kernel import Kernel
from simcore.kernel.live import DEPTH, Live, can_run_on
from simcore.kernel.long_queues import LongQueues
from simcore.kernel.plain import operation_key
from simcore.kernel.point import Point
from simcore.kernel.running import Program
from simcore.kernel.tables import FREE, Local, Move, Packed
from simcore.model import Model, Process
from simcore.model.objects import Task
from simcore.model.operations import Operation, Outcomes, Value


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
        self._long = LongQueues(self._followed)
        super().__init__(model, "anytime", one_run=True)
        self.state = list(self.initial)
        self.touched: list[int] = []
        self._free: list[int] = []  # a heap with all free places of futures, and some that are none
        self._mentioning: defaultdict[int, set[int]] = defaultdict(set)
        self._running_task: defaultdict[int, set[int]] = defaultdict(set)
        self._queued: set[int] = set()  # the futures whose tasks wait in a pool
        self._live: dict[int, Live] = {}
        self._left: set[int] = set()  # processes that were run on, and are not any more
        self._about: dict[tuple[Program, Hashable], int] = {}  # what stands for a process that is run on
        self._passing: set[int] = set()  # all of these
        self._given: list[Any] = []  # results, where a move names one in place of a point

    def happen(self, process: int, move: Move) -> None:
        """Let ``move`` of ``process`` happen."""
        self.touched.clear()
        state = self.state
        position, value, point, lost, created = move
        begins = self.by_hand and self.takes(state, process)
        if point < 0:
            point = self._run_on(process, self._given[~point])
        if self._long.numbers:
            for number in self._long.gone({value, *(state[place] for place in self._pool_places if place != position)}):
                self.values[number] = None
        if not self._futures:
            state[position] = value
            state[self.first_process + process] = point
            return
        if created >= 0:
            if self.first_future + created == len(state):
                state.append(FREE)
            self._put(state, self.first_future + created, self._pending)
            self._queued.add(created)
        self._put(state, position, value)
        self._put(state, self.first_process + process, point)
        if lost:
            self._collect(state, lost)
        if begins:
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
            self._queued.discard(self._task_futures[new])
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

    def _forget(self, state: list[int], number: int) -> None:
        if state is not self.state or number in self._queued or self._running_task[number]:
            super()._forget(state, number)
            self._queued.discard(number)

    def _worker_of(self, state: Sequence[int], number: int) -> int | None:
        if state is not self.state:
            return super()._worker_of(state, number)
        return min(self._running_task[number], default=None)

    # ---- long queues ---------------------------------------------------------------------------------

    def intern_value(self, value: Value) -> int:
        """Return the integer that stands for ``value``: for a long queue it is another one each time."""
        if not self._long.takes(value):
            return super().intern_value(value)
        number = self._long.number(value)  # type: ignore[arg-type]
        if number is None:
            number = len(self.values)
            self._long.note(value, number)  # type: ignore[arg-type]
            self.values.append(value)
            self._value_futures.append(frozenset())
            self.value_processes.append(frozenset())
        return number

    def _followed(self, task: Task) -> bool:
        """Tell whether a task mentions a process, or the future of a submit; refuse it as `intern_value` would."""
        met = self._tasks.alone(task)
        return bool(met.processes or self._numbers_made(met.objects))

    def learn_moves(self, process: int, local: int, value: int, fresh: int) -> tuple[Move, ...]:
        """Learn what a process does; what it does at a long queue is not kept."""
        moves = super().learn_moves(process, local, value, fresh)
        long = self._long.numbers
        if long and (value in long or any(move.value in long for move in moves)):
            self._moves[process].pop((local, value), None)
            self._creating[process].pop((local, value, fresh), None)
        return moves

    # ---- processes that are run on -------------------------------------------------------------------

    def come(self, process: int) -> int:
        """Return what stands for ``process``, which has come to where it never was; from here on it may be run on."""
        place = self.first_process + process
        local = self.state[place]
        point, task, status = self.locals[local]
        if local in self._passing or process in self._left or point is None or point.depth < DEPTH:
            return local
        if task is None and status == "ready" and not self._local_futures[local]:
            self._left.add(process)
            if can_run_on(point):
                assert point.operation is not None
                self._live[process] = Live(self.points, point)
                self.state[place] = self._standing_for(self.processes[process], point.program, point.operation)
        return self.state[place]

    def _standing_for(self, process: Process, program: Program, operation: Operation) -> int:
        """Return what stands for a process that is run on and about to do ``operation``."""
        key = program, operation_key(operation)
        number = self._about.get(key)
        if number is None:
            number = self._about[key] = self.intern_local(
                Local(Point(program, None, None, operation=operation), None, "ready"), process
            )
            self._passing.add(number)
        return number

    def _run_on(self, process: int, result: Any) -> int:
        """Give ``result`` to a process that is run on; return what stands for it then."""
        live = self._live[process]
        reached = live.go_on(result)
        if isinstance(reached, int):
            return reached
        who = self.processes[process]
        if isinstance(reached, Operation):
            number = self._standing_for(who, live.program, reached)
            live.stands(reached, number)
            return number
        if reached is None:
            return self._advance(who, self._leave(process), result)
        del self._live[process]
        return self.intern_local(self._settled(who, self.points.returned(live.program, reached.outcome), None), who)

    def _leave(self, process: int) -> int:
        """Run ``process`` on no longer; return its part of the state as any search has it."""
        local = Local(self._live.pop(process).point(), None, "ready")
        return self.intern_local(local, self.processes[process])

    def _moves_of(self, process: int, local: int, value: int, outcomes: Outcomes, created: int) -> tuple[Move, ...]:
        if local not in self._passing:
            return super()._moves_of(process, local, value, outcomes, created)
        if len(outcomes) > 1:  # the others are learned as well, though one is taken
            left = self.state[self.first_process + process] = self._leave(process)
            return super()._moves_of(process, left, value, outcomes, created)
        moves = []
        for outcome in outcomes:
            new, before = self.intern_value(outcome.value), self._value_futures[value]
            lost = tuple(sorted(before - self._value_futures[new]))
            moves.append(Move(self._targets[local], new, ~len(self._given), lost, -1))
            self._given.append(outcome.result)
        return tuple(moves)

    def settled(self) -> Packed:
        """Return where the run is, as any search has it."""
        state = list(self.state)
        for place in self._pool_places:
            state[place] = super().intern_value(self.values[state[place]])
        for process, live in self._live.items():
            number = self.intern_local(Local(live.point(), None, "ready"), self.processes[process])
            state[self.first_process + process] = number
        return tuple(state)
