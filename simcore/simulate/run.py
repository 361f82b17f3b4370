"""A run in virtual time: a clock and a seed choose the next step, and the kernel says what it does.

SimPy keeps the clock and the list of what is due. At one instant every process whose delay is over is a
candidate, and the seeded generator picks among them until nobody can move; only then does time pass. So a
seed fixes the whole run, two seeds may order the same instant differently, and the order of steps is a
`Schedule` that every other driver replays. This driver knows no object: what a lock or a link means is
the kernel's business, and how long a frame travels is the link's (`SharedObject.transit`).

When the time in an operation is spent. A process that gets to an operation first spends its ``latency=``,
then tries; if it is blocked it waits, and its time-out counts from that moment. Who began to wait first at
an object is served first, and a newcomer with the same operation goes behind. What is sent over a link can be
received once it has arrived, never before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import simpy

from simcore.errors import ScheduleError
from simcore.kernel import Kernel, Move, Packed
from simcore.model.objects import Task
from simcore.simulate.delays import Latency
from simcore.simulate.endless import Ending, Endless
from simcore.simulate.result import Recorder, Simulation, Status
from simcore.simulate.waiting import Place, Plan, Waiting

_INSTANT = 1_000_000  # steps in one instant after which a run without limits is taken to be endless


class Run:
    """One run: the state, the clock, and who may move now."""

    def __init__(self, kernel: Kernel, seed: int, until: float | None, max_steps: int | None, latency: Latency) -> None:
        self.kernel, self.seed, self.until, self.max_steps, self.latency = kernel, seed, until, max_steps, latency
        self.state: Packed = kernel.initial
        self.path: list[tuple[int, int]] = []
        self.status: Status | None = None
        self.notes: dict[str, None] = {}
        self._clock = simpy.Environment()
        self._random = Random(seed)
        self._ready: list[int | Place] = []
        self._pending = 0  # events on SimPy's list that can still change anything
        self._waiting = Waiting(kernel, latency)
        self._owes = [False for _ in kernel.processes]
        self._ended = [False for _ in kernel.processes]
        self._holding: set[int] = set()  # workers in a call that has not got to its first operation
        self._starts = [p.index for p in kernel.processes if kernel.rests(kernel.initial, p.index)]
        self._waits = [0 for _ in kernel.processes]  # the number of the wait, so that an old deadline is told
        self._deadline, self._due = set[int](), set[int]()
        self._owed = 0
        self._instant = self._daemons = 0  # path length when time last passed, and when somebody who owes last moved
        self._endless_run = Endless(kernel)
        self._endless = all(process.daemon for process in kernel.processes)
        self._workers = [process.index for process in kernel.processes if process.pool is not None]
        self._record = Recorder(kernel)

    # ---- the loop --------------------------------------------------------------------------------------

    def start(self, arrivals: Mapping[int, float]) -> None:
        """Let every process come to its first operation."""
        for process in self.kernel.processes:
            index = process.index
            self._refresh(index)
            if not self._ended[index]:
                self._begin(index, arrivals.get(index, 0.0) + self.latency.of_call(process.fn))

    def go(self) -> None:
        """Run to the end."""
        while self.status is None and not self._over():
            if self._ready:
                self._turn()
            else:
                self._pass_time()

    def replay(self, path: list[tuple[int, int]]) -> None:
        """Take the steps of ``path``, which the kernel is known to offer, as early as each can be."""
        for process, outcome in path:
            while not self._take(process, outcome):
                for waiter in [each for each in self._ready if isinstance(each, int)]:
                    self._wait_if_blocked(waiter)
                self._pass_time()
                if self.status == "limit":
                    return
                if self.status is not None:
                    raise ScheduleError(
                        f"step {len(self.path) + 1} of the schedule never comes to its time in virtual time: "
                        f"{self.kernel.processes[process]} would have to give up a wait that has no limit"
                    )
            if self.max_steps is not None and len(self.path) >= self.max_steps:
                return
        self._endless_run.replayed(len(self.path))

    def _over(self) -> bool:
        steps = len(self.path)
        if not self._owed and not self._record.queued and not self._endless:
            self.status = "completed"
        elif self.max_steps is not None and steps >= self.max_steps:
            self._stop(f"max_steps={self.max_steps} reached")
        elif self.max_steps is None and steps - self._instant >= _INSTANT:
            self._stop(f"{_INSTANT:,} steps in one instant: give latency= to what repeats, or max_steps=")
        elif self.max_steps is None and self.until is None and (ending := self._ending(steps)):
            self.status = ending[0]
            self.notes.update(dict.fromkeys(ending[1:] if ending[1] else ()))
        return self.status is not None

    def _ending(self, steps: int) -> Ending | None:
        return self._endless_run.ending(steps, steps - self._daemons, self.state, self._owes)

    def _stop(self, why: str) -> None:
        self.status = "limit"
        self.notes[why] = None

    def _pass_time(self) -> None:
        """Go to the next instant at which anything is due, if there is one."""
        if not self._pending:
            self.status = "stuck" if self._owed or self._record.queued else "completed"
            return
        instant = self._clock.peek()
        if self.until is not None and instant > self.until:
            self._stop(f"until={self.until:g} s reached")
            self._record.now = self.until
            return
        self._instant = len(self.path)
        while self._clock.peek() == instant:
            self._clock.step()

    def _later(self, delay: float, act: Callable[..., None], *args: Any) -> None:
        self._pending += 1
        event = self._clock.timeout(delay)
        assert event.callbacks is not None
        event.callbacks.append(lambda _: act(*args))

    # ---- who moves next ------------------------------------------------------------------------------

    def _turn(self) -> None:
        """Let one of the candidates go on."""
        ready = self._ready
        chosen = int(self._random.random() * len(ready))
        ready[chosen], ready[-1] = ready[-1], ready[chosen]
        candidate = ready.pop()
        if isinstance(candidate, Place):
            self._serve(candidate)
        else:
            self._try(candidate)

    def _serve(self, place: Place) -> None:
        """Let the first of the waiters that can go on do so; the others may be able to as well, afterwards."""
        place.queued = False
        for process in place.waiting:
            if self._go_on(process):
                self._wake(place)
                return

    def _try(self, process: int) -> None:
        plan = self._waiting.plan(self.state, process)
        if plan.operation is None:  # it was ended by somebody else's step
            return
        elder = self._waiting.elder(self.state, process, self._clock.now)
        if elder is not None:
            self._ready.append(process)
            self._go_on(elder)
        elif not self._go_on(process):
            self._wait(process, plan)

    def _go_on(self, process: int) -> bool:
        """Let ``process`` take one of the steps that it has at this instant, or let its time-out fire if it is due."""
        moves, first = self._waiting.moves(self.state, process, self._clock.now), 0
        if not moves and process in self._due:
            moves, first = self.kernel.expiries(self.state, process), len(self.kernel.moves(self.state, process))
        if not moves:
            return False
        number = int(self._random.random() * len(moves)) if len(moves) > 1 else 0
        self._step(process, first + number, moves[number])
        return True

    def _take(self, process: int, outcome: int) -> bool:
        """Take a step of a schedule, if its time has come."""
        plan = self._waiting.plan(self.state, process)
        if process not in self._ready and process not in self._waiting.place(plan.position).waiting:
            return False
        moves = self.kernel.moves(self.state, process)
        if outcome >= len(moves):
            self._wait_if_blocked(process)
            moves, outcome_here = self.kernel.expiries(self.state, process), outcome - len(moves)
            possible = process in self._due
        else:
            outcome_here, possible = outcome, bool(self._waiting.moves(self.state, process, self._clock.now))
        if possible:
            if process in self._ready:
                self._ready.remove(process)
            self._step(process, outcome, moves[outcome_here])
        return possible

    def _wait_if_blocked(self, process: int) -> None:
        """In a replay, let a process that is not asked begin to wait before time passes, for its time-out's sake."""
        plan = self._waiting.plan(self.state, process)
        if plan.operation is None or process in self._waiting.place(plan.position).waiting:
            return
        if not self._waiting.moves(self.state, process, self._clock.now):
            self._ready.remove(process)
            self._wait(process, plan)

    # ---- waiting ---------------------------------------------------------------------------------------

    def _wait(self, process: int, plan: Plan) -> None:
        """Join the waiters, and set the time-out going; or go on waiting, when its time-out cannot end it."""
        assert plan.operation is not None
        place = self._waiting.place(plan.position)
        if process in place.waiting:
            return
        place.waiting[process] = None
        timeout = plan.operation.timeout
        if timeout is not None:
            self._deadline.add(process)
            self._later(timeout, self._expire, process, self._waits[process])

    def _expire(self, process: int, wait: int) -> None:
        if self._waits[process] == wait:
            self._pending -= 1
            self._deadline.discard(process)
            self._due.add(process)
            self._ready.append(process)

    def _wake(self, place: Place) -> None:
        if place.waiting and not place.queued:
            place.queued = True
            self._ready.append(place)

    def _arrive(self, place: Place) -> None:
        self._pending -= 1
        self._wake(place)

    def _stop_waiting(self, process: int, place: Place) -> None:
        if place.waiting.pop(process, 0) is None:
            self._waits[process] += 1
            if process in self._deadline:  # its event stays on the list, and will mean nothing
                self._deadline.discard(process)
                self._pending -= 1
        if process in self._due:
            self._due.discard(process)
            if process in self._ready:
                self._ready.remove(process)

    # ---- a step ----------------------------------------------------------------------------------------

    def _step(self, process: int, outcome: int, move: Move) -> None:
        """Let the step happen, and everybody whom it concerns know."""
        plan, before = self._waiting.plan(self.state, process), self.state
        place = self._waiting.place(plan.position)
        self._stop_waiting(process, place)
        called = self._called(process, plan, outcome)
        self.state = self.kernel.after(before, process, move)
        self.path.append((process, outcome))
        self._record.now = self._clock.now
        # a future that nobody can reach any more has left the state, and nobody waits for it
        if plan.position < len(self.state) and before[plan.position] != self.state[plan.position]:
            self._changed(plan, place, before)
        for other in self._workers if move.lost else ():  # a task may have ended, as nobody can ask for its result
            self._refresh(other)
        if called > 0:
            self._holding.add(process)
        if self._owes[process]:
            self._daemons = len(self.path)
        self._refresh(process)
        if not self._ended[process]:
            self._begin(process, called)

    def _changed(self, plan: Plan, place: Place, before: Packed) -> None:
        """A value is new: send on its way what was put under way, and wake those who wait for it."""
        operation = plan.operation
        assert operation is not None
        values, target = self.kernel.values, operation.target
        new = values[self.state[plan.position]]
        self._record.value(plan.position, new)
        if target.arriving:
            more = target.under_way(new) - target.under_way(values[before[plan.position]])
            place.lose(-more)
            delay = place.send(operation, self._clock.now) if more > 0 else 0.0
            if delay > 0:
                self._later(delay, self._arrive, place)
        for process in self._starts:  # it may have been started just now
            self._refresh(process)
        self._wake(place)

    def _called(self, process: int, plan: Plan, outcome: int) -> float:
        """Return how long the call takes that a worker is about to begin with this step; 0 for any other step."""
        owner = self.kernel.processes[process].pool
        assert plan.operation is not None
        if owner is None or self._owes[process] or plan.operation.target is not owner:
            return 0.0
        task = self.kernel.result(self.state, process, outcome)
        if not isinstance(task, Task):
            return 0.0
        self._record.take(owner)
        return self.latency.of_call(task.fn)

    def _begin(self, process: int, extra: float) -> None:
        """Spend the delay of the operation that ``process`` has come to, and ``extra`` before it."""
        plan = self._waiting.plan(self.state, process)
        delay = extra + (plan.delay() if plan.delay is not None else 0.0)
        if delay > 0:
            self._later(delay, self._come, process)
        else:
            self._ready.append(process)

    def _come(self, process: int) -> None:
        self._pending -= 1
        self._ready.append(process)
        if process in self._holding:
            self._holding.discard(process)
            self._record.now = self._clock.now
            self._refresh(process)

    def _refresh(self, process: int) -> None:
        """Keep the books on who has ended and who must still finish."""
        plan = self._waiting.plan(self.state, process)
        owes = process in self._holding or (plan.owes and not self.kernel.rests(self.state, process))
        if owes != self._owes[process]:
            self._owes[process] = owes
            self._owed += 1 if owes else -1
            self._record.busy(process, owes)
        if plan.operation is None and not self._ended[process]:
            self._ended[process] = True
            self._record.end(self.kernel.process_state(self.state, process))

    def simulation(self) -> Simulation:
        """Return what was seen."""
        assert self.status is not None
        record = self._record
        return Simulation(
            status="failed" if record.failures else self.status,
            time=record.now,
            seed=self.seed,
            completion=record.completion,
            results=record.results,
            failures=record.failures,
            occupancy=record.occupancy(),
            takes=record.takes,
            notes=tuple(self.notes),
            kernel=self.kernel,
            path=tuple(self.path),
            packed=self.state,
        )
