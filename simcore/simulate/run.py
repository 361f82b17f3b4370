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

from array import array
from collections.abc import Callable, Collection, Mapping
from functools import partial
from random import Random
from typing import Any

import simpy

from simcore.errors import ScheduleError
from simcore.kernel import Move, OneRun
from simcore.model.objects import Task, ThreadPool
from simcore.simulate.delays import Latency
from simcore.simulate.endless import Endless
from simcore.simulate.result import Recorder, Simulation, Status
from simcore.simulate.waiting import Place, Plan, Waiting

_INSTANT = 1_000_000  # steps in one instant after which a run without limits is taken to be endless


class Run:
    """One run: the clock, and who may move now; the state is the kernel's."""

    def __init__(self, kernel: OneRun, seed: int, until: float | None, max_steps: int | None, latency: Latency) -> None:
        self.kernel, self.seed, self.until, self.max_steps, self.latency = kernel, seed, until, max_steps, latency
        self.path: list[tuple[int, int]] = []
        self._times = array("d")
        self.status: Status | None = None
        self.notes: dict[str, None] = {}
        self._clock = simpy.Environment()
        self._now: float = self._clock.now
        self._draw = Random(seed).random
        self._ready: list[int | Place] = []
        self._pending = 0  # events on SimPy's list that can still change anything
        self._waiting = Waiting(kernel, latency)
        self._plans = self._waiting.plans
        self._coming: list[simpy.Timeout | None] = [None for _ in kernel.processes]  # one each, used again and again
        self._comes: list[list[Callable[[Any], None]]] = [[partial(self._come, p.index)] for p in kernel.processes]
        self._owes = [False for _ in kernel.processes]
        self._ended = [False for _ in kernel.processes]
        self._holding: set[int] = set()  # workers in a call that has not got to its first operation
        self._starts: dict[int, list[int]] = {}  # who has not been started, by the position that will tell
        self._waits = [0 for _ in kernel.processes]  # the number of the wait, so that an old deadline is told
        self._deadline, self._due = set[int](), set[int]()
        self._owed = 0
        self._instant = self._daemons = 0  # path length when time last passed, and when somebody who owes last moved
        self._endless_run = Endless(kernel)
        self._endless = all(process.daemon for process in kernel.processes)
        self._look_at = 0  # steps until which no limit can be reached
        self._record = Recorder(kernel)

    # ---- the loop --------------------------------------------------------------------------------------

    def start(self, arrivals: Mapping[int, float]) -> None:
        """Let every process come to its first operation."""
        for process in self.kernel.processes:
            index = process.index
            if self.kernel.rests(self.kernel.initial, index):
                self._starts.setdefault(self._plans[index].position, []).append(index)
            self._refresh(index)
            if not self._ended[index]:
                self._begin(index, arrivals.get(index, 0.0) + self.latency.of_call(process.fn))

    def go(self) -> None:
        """Run to the end."""
        ready, steps = self._ready, self.path
        while self.status is None:
            if (not self._owed or len(steps) >= self._look_at) and self._over():
                return
            if ready:
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
        if not self._owed and not self._record.queued and not self._endless:
            self.status = "completed"
        elif len(self.path) >= self._look_at:
            self._look_at = self._at_a_limit(len(self.path))
        return self.status is not None

    def _at_a_limit(self, steps: int) -> int:
        """Stop where a limit is reached; return the number of steps at which to look again, as none is before."""
        if self.max_steps is not None:
            if steps >= self.max_steps:
                self._stop(f"`max_steps={self.max_steps}` was reached")
            return self.max_steps
        if steps - self._instant >= _INSTANT:
            self._stop(f"{_INSTANT:,} steps in one instant: give `latency` to what repeats, or `max_steps`")
        if self.status is not None or self.until is not None:
            return self._instant + _INSTANT
        ending = self._endless_run.ending(steps, steps - self._daemons, self._owes)
        if ending is not None:
            self.status = ending[0]
            self.notes.update(dict.fromkeys(ending[1:] if ending[1] else ()))
        return min(self._instant + _INSTANT, self._endless_run.look_at(self._daemons))

    def _stop(self, why: str) -> None:
        self.status = "limit"
        self.notes[why] = None

    def _pass_time(self) -> None:
        """Go to the next instant at which anything is due, if there is one."""
        if not self._pending:
            self.status = "stuck" if self._owed or self._record.queued else "completed"
            return
        clock = self._clock
        instant = clock.peek()
        if self.until is not None and instant > self.until:
            self._stop(f"`until={self.until:g}` was reached")
            self._record.now = self.until
            return
        self._instant, self._now = len(self.path), instant
        clock.step()
        while clock.peek() == instant:
            clock.step()

    def _later(self, delay: float, act: Callable[[Any], None], whom: Any) -> None:
        """Call ``act(event)`` in so many seconds; the value of the event is ``whom``."""
        self._pending += 1
        event = simpy.Timeout(self._clock, delay, whom)
        event.callbacks.append(act)

    # ---- who moves next ------------------------------------------------------------------------------

    def _turn(self) -> None:
        """Let one of the candidates go on."""
        ready = self._ready
        chosen = int(self._draw() * len(ready))
        candidate = ready[chosen]
        ready[chosen] = ready[-1]
        ready.pop()
        if isinstance(candidate, Place):
            self._serve(candidate)
            return
        plan = self._plans[candidate]
        elder = self._waiting.elder(candidate, self._now) if plan.place.queued else None
        if elder is not None:
            ready.append(candidate)
            self._go_on(elder)
        elif not self._go_on(candidate) and plan.operation is not None:
            self._wait(candidate, plan)

    def _serve(self, place: Place) -> None:
        """Let the first of the waiters that can go on do so; the others may be able to as well, afterwards."""
        place.queued = False
        for process in place.first(self._apart(place)):
            if self._go_on(process):
                if place.groups:
                    self._wake(place)
                return

    def _apart(self, place: Place) -> Collection[int]:
        """Return who waits at ``place`` and must be asked himself: the value or the clock tells him from all others."""
        mentioned = self._waiting.mentioned(place.position) if place.groups else ()
        return {*mentioned, *self._due} if mentioned or self._due else ()

    def _go_on(self, process: int) -> bool:
        """Let ``process`` take one of the steps that it has at this instant, or let its time-out fire if it is due."""
        plan, first = self._plans[process], 0
        moves = None if plan.arriving else plan.moves.get(self.kernel.state[plan.position])
        if moves is None:
            moves = self._waiting.moves(process, self._now)
        if not moves and process in self._due:
            state = self.kernel.state
            moves, first = self.kernel.expiries(state, process), len(self.kernel.moves(state, process))
        if not moves:
            return False
        number = int(self._draw() * len(moves)) if len(moves) > 1 else 0
        self._step(process, first + number, moves[number])
        return True

    def _take(self, process: int, outcome: int) -> bool:
        """Take a step of a schedule, if its time has come."""
        plan, state = self._plans[process], self.kernel.state
        if process not in self._ready and not plan.place.waits(process, plan.group):
            return False
        moves = self.kernel.moves(state, process)
        if outcome >= len(moves):
            self._wait_if_blocked(process)
            moves, outcome_here = self.kernel.expiries(state, process), outcome - len(moves)
            possible = process in self._due
        else:
            outcome_here, possible = outcome, bool(self._waiting.moves(process, self._now))
        if possible:
            if process in self._ready:
                self._ready.remove(process)
            self._step(process, outcome, moves[outcome_here])
        return possible

    def _wait_if_blocked(self, process: int) -> None:
        """In a replay, let a process that is not asked begin to wait before time passes, for its time-out's sake."""
        plan = self._plans[process]
        if plan.operation is None or plan.place.waits(process, plan.group):
            return
        if not self._waiting.moves(process, self._now):
            self._ready.remove(process)
            self._wait(process, plan)

    # ---- waiting ---------------------------------------------------------------------------------------

    def _wait(self, process: int, plan: Plan) -> None:
        """Join the waiters, and set the time-out going; or go on waiting, when its time-out cannot end it."""
        assert plan.operation is not None
        if plan.place.waits(process, plan.group):
            return
        plan.place.join(process, plan.group)
        timeout = plan.operation.timeout
        if timeout is not None:
            self._deadline.add(process)
            self._later(timeout, self._expire, (process, self._waits[process]))

    def _expire(self, event: Any) -> None:
        process, wait = event.value
        if self._waits[process] == wait:
            self._pending -= 1
            self._deadline.discard(process)
            self._due.add(process)
            self._ready.append(process)

    def _wake(self, place: Place) -> None:
        if place.groups and not place.queued:
            place.queued = True
            self._ready.append(place)

    def _arrive(self, event: Any) -> None:
        self._pending -= 1
        self._wake(event.value)

    def _stop_waiting(self, process: int, plan: Plan) -> None:
        if plan.place.groups and plan.place.waits(process, plan.group):
            plan.place.leave(process, plan.group)
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
        kernel, plan = self.kernel, self._plans[process]
        state, position = kernel.state, plan.position
        before = state[position]
        if plan.place.groups or self._due:
            self._stop_waiting(process, plan)
        called = self._called(process, plan, outcome) if plan.begins else 0.0
        kernel.happen(process, move)
        self.path.append((process, outcome))
        self._times.append(self._now)
        self._record.now = self._now
        following = self._plans[process] = self._waiting.look(process)
        touched = kernel.touched
        for other in touched:
            self._plans[other] = self._waiting.look(other)
        # a future that nobody can reach any more has left the state, and nobody waits for it
        if position < len(state) and before != state[position]:
            self._changed(plan, before)
        for other in sorted(touched) if touched else ():  # a task may have ended, as nobody can ask for its result
            if other != process:
                self._refresh(other)
        if called > 0:
            self._holding.add(process)
        if self._owes[process]:
            self._daemons = len(self.path)
        if following.rests or following.operation is None or following.owes != self._owes[process] or self._holding:
            self._refresh(process)
        if not self._ended[process]:
            self._begin(process, called)

    def _changed(self, plan: Plan, before: int) -> None:
        """A value is new: send on its way what was put under way, and wake those who wait for it."""
        operation, place = plan.operation, plan.place
        assert operation is not None
        values, target = self.kernel.values, operation.target
        new = values[self.kernel.state[plan.position]]
        self._record.value(plan.position, new)
        if target.arriving:
            more = target.under_way(new) - target.under_way(values[before])
            place.lose(-more)
            delay = place.send(operation, self._now) if more > 0 else 0.0
            if delay > 0:
                self._later(delay, self._arrive, place)
        if self._starts:
            for process in self._starts.get(plan.position, ()):  # it may have been started just now
                self._refresh(process)
        if place.groups:
            self._wake(place)

    def _called(self, process: int, plan: Plan, outcome: int) -> float:
        """Return how long the call takes that ``process`` is about to begin with this step; 0 where it begins none."""
        result = self.kernel.result(self.kernel.state, process, outcome)
        if isinstance(result, Task):
            owner = self.kernel.processes[process].pool
            assert owner is not None
            self._record.take(owner)
        assert plan.operation is not None
        assert isinstance(plan.operation.target, ThreadPool)
        fn = plan.operation.target.begun(plan.operation, result)
        return 0.0 if fn is None else self.latency.of_call(fn)

    def _begin(self, process: int, extra: float) -> None:
        """Spend the delay of the operation that ``process`` has come to, and ``extra`` before it."""
        draw = self._plans[process].delay
        delay = extra + draw() if draw is not None else extra
        if delay <= 0:
            self._ready.append(process)
            return
        self._pending += 1
        event = self._coming[process]
        if event is None:
            event = self._coming[process] = simpy.Timeout(self._clock, delay)
        else:
            self._clock.schedule(event, delay=delay)
        event.callbacks = self._comes[process]

    def _come(self, process: int, event: Any) -> None:
        self._pending -= 1
        self._ready.append(process)
        if process in self._holding:
            self._holding.discard(process)
            self._record.now = self._now
            self._refresh(process)

    def _refresh(self, process: int) -> None:
        """Keep the books on who has ended and who must still finish."""
        plan = self._plans[process]
        owes = plan.owes and not (plan.rests and self.kernel.rests(self.kernel.state, process))
        owes = owes or process in self._holding
        if owes != self._owes[process]:
            self._owes[process] = owes
            self._owed += 1 if owes else -1
            self._record.busy(process, owes)
        if plan.operation is None and not self._ended[process]:
            self._ended[process] = True
            self._record.end(self.kernel.process_state(self.kernel.state, process))

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
            times=tuple(self._times),
        )
