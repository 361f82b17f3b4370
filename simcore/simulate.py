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

What it cannot see: in the kernel a frame counts as receivable from the moment it is sent, so a time-out of
``recv`` that comes while a frame is travelling does not fire. The result says so in its `notes`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import simpy

from simcore.delays import Delay, Latency, Sampler, arrivals, exponential, lognormal, uniform
from simcore.errors import InternalError, OptionError
from simcore.kernel import Kernel, Move, Packed
from simcore.model import Model
from simcore.objects import Future, Task
from simcore.operations import Operation, SharedObject
from simcore.schedule import Schedule
from simcore.simulation import Recorder, Simulation, Status

__all__ = ["Delay", "Simulation", "exponential", "lognormal", "simulate", "uniform"]

_INSTANT = 1_000_000
_DAEMONS = 100_000


def simulate(
    model: Model,
    *,
    seed: int = 0,
    until: float | None = None,
    schedule: Schedule | None = None,
    latency: Mapping[str, Delay] | None = None,
    load: Mapping[str, Delay] | None = None,
    max_steps: int | None = None,
) -> Simulation:
    """Run ``model`` once in virtual time.

    Parameters
    ----------
    model : Model
        The system.
    seed : int
        Of everything random: ties at one instant, `choose`, and the delays.
    until : float, optional
        Virtual seconds after which the run is stopped.
    schedule : Schedule, optional
        Steps to take first, in exactly this order; time passes as they need it. Then the run goes on.
    latency : mapping of str to Delay, optional
        Seconds before an operation has its effect, or before a call begins: by ``"object.operation"``,
        process, object, operation or function, see `Latency`. Without a key: no time at all.
    load : mapping of str to Delay, optional
        Seconds between the starts of processes, by name or pattern: ``{"download[*]": exponential(0.5)}``.
    max_steps : int, optional
        Steps after which the run is stopped. Without it, a run that takes a million steps in one instant
        or a hundred thousand in daemons alone is stopped too.

    Raises
    ------
    OptionError
        When a limit or a delay is out of range, or a key names nothing in the model.
    Diverged
        When ``schedule`` asks for a step that the model does not offer.
    """
    if until is not None and not 0 < until < math.inf:
        raise OptionError(f"until={until!r}: a finite number of virtual seconds, more than 0; None for no limit")
    if max_steps is not None and max_steps < 1:
        raise OptionError(f"max_steps={max_steps!r}: a number of steps, at least 1; None for no limit")
    kernel = Kernel(model, "anytime")
    run = _Run(kernel, seed, until, max_steps, Latency(latency or {}, kernel.processes, _reachable(kernel), seed))
    run.start(arrivals(load or {}, kernel.processes, seed))
    if schedule is not None:
        schedule.states(kernel)  # raises Diverged
        run.replay(schedule.path(kernel))
    run.go()
    return run.simulation()


def _reachable(kernel: Kernel) -> set[SharedObject]:
    """Return the objects of the model, the conditions that its processes use, and a future to stand for a submit's."""
    found = {*kernel.objects, Future("future")}
    for process in kernel.processes:
        point = kernel.locals[kernel.initial[kernel.first_process + process.index]].point
        found |= point.objects if point is not None else set()
    return found


@dataclass(eq=False, frozen=True, slots=True)
class _Plan:
    """What a process is about to do, learned once for each of its local states."""

    operation: Operation | None
    position: int
    delay: Sampler | None
    arriving: bool
    owes: bool


@dataclass(eq=False, slots=True)
class _Place:
    """One position of the state: who waits there, and what travels to it.

    ``waiting`` is in the order in which the processes began to wait; ``arrivals`` are the times at which
    what is under way can be seen; the carrier is ``free`` again from then on; ``queued`` tells that some
    of the waiters may be able to go on.
    """

    waiting: dict[int, None] = field(default_factory=dict)
    arrivals: deque[float] = field(default_factory=deque)
    free: float = 0.0
    queued: bool = False


class _Run:
    """One run: the state, the clock, and who may move now."""

    def __init__(self, kernel: Kernel, seed: int, until: float | None, max_steps: int | None, latency: Latency) -> None:
        self.kernel, self.seed, self.until, self.max_steps, self.latency = kernel, seed, until, max_steps, latency
        self.state: Packed = kernel.initial
        self.path: list[tuple[int, int]] = []
        self.status: Status | None = None
        self.notes: dict[str, None] = {}
        self._clock = simpy.Environment()
        self._random = Random(seed)
        self._ready: list[int | _Place] = []
        self._pending = 0  # events on SimPy's list that can still change anything
        self._places: dict[int, _Place] = {}
        self._plans: list[dict[int, _Plan]] = [{} for _ in kernel.processes]
        self._owes = [False for _ in kernel.processes]
        self._ended = [False for _ in kernel.processes]
        self._holding: set[int] = set()  # workers in a call that has not got to its first operation
        self._waits = [0 for _ in kernel.processes]  # the number of the wait, so that an old deadline is told
        self._deadline: set[int] = set()
        self._due: set[int] = set()
        self._owed = 0
        self._instant = self._daemons = 0  # path length when time last passed, and when somebody who owes last moved
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
                self._wait_where_blocked()
                self._pass_time()
                if self.status == "limit":
                    return
                if self.status is not None:
                    raise InternalError(f"step {len(self.path) + 1} of a schedule never came to its time")

    def _over(self) -> bool:
        steps = len(self.path)
        if not self._owed and not self._record.queued and not self._endless:
            self.status = "completed"
        elif self.max_steps is not None and steps >= self.max_steps:
            self._stop(f"max_steps={self.max_steps} reached")
        elif self.max_steps is None and steps - self._instant >= _INSTANT:
            self._stop(f"{_INSTANT:,} steps in one instant: give latency= to what repeats, or max_steps=")
        elif self.max_steps is None and steps - self._daemons >= _DAEMONS:
            self._stop(f"for {_DAEMONS:,} steps only daemons have moved: give until= or max_steps=")
        return self.status is not None

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

    # ---- who moves next --------------------------------------------------------------------------------

    def _turn(self) -> None:
        """Let one of the candidates go on."""
        ready = self._ready
        chosen = int(self._random.random() * len(ready))
        ready[chosen], ready[-1] = ready[-1], ready[chosen]
        candidate = ready.pop()
        if isinstance(candidate, _Place):
            self._serve(candidate)
        else:
            self._try(candidate)

    def _serve(self, place: _Place) -> None:
        """Let the first of the waiters that can go on do so; the others may be able to as well, afterwards."""
        place.queued = False
        for process in place.waiting:
            if self._go_on(process):
                self._wake(place)
                return

    def _try(self, process: int) -> None:
        plan = self._plan(process)
        if plan.operation is None:  # it was ended by somebody else's step
            return
        place = self._place(plan.position)
        elder = self._elder(process, plan, place)
        if elder is not None:
            self._ready.append(process)
            self._go_on(elder)
        elif not self._go_on(process):
            self._wait(process, plan, place)

    def _elder(self, process: int, plan: _Plan, place: _Place) -> int | None:
        """Return who has waited longer than ``process`` with the same operation, and can go on now."""
        if not place.queued or process in place.waiting:
            return None
        assert plan.operation is not None
        for waiter in place.waiting:
            other = self._plan(waiter)
            same = other.operation is not None and other.operation.name == plan.operation.name
            if same and self._moves(waiter, other):
                return waiter
        return None

    def _go_on(self, process: int) -> bool:
        """Let ``process`` take one of the steps that it has at this instant, or let its time-out fire if it is due."""
        moves, first = self._moves(process, self._plan(process)), 0
        if not moves and process in self._due:
            moves, first = self.kernel.expiries(self.state, process), len(self.kernel.moves(self.state, process))
        if not moves:
            return False
        number = int(self._random.random() * len(moves)) if len(moves) > 1 else 0
        self._step(process, first + number, moves[number])
        return True

    def _moves(self, process: int, plan: _Plan) -> tuple[Move, ...]:
        """Return what ``process`` can do at this instant."""
        if plan.arriving and self._travelling(plan):
            return ()
        return self.kernel.moves(self.state, process)

    def _travelling(self, plan: _Plan) -> bool:
        """Tell whether what the operation would take has not arrived yet."""
        arrivals = self._place(plan.position).arrivals
        return bool(arrivals) and arrivals[0] > self._clock.now

    def _take(self, process: int, outcome: int) -> bool:
        """Take a step of a schedule, if its time has come."""
        plan = self._plan(process)
        place = self._place(plan.position)
        if process not in self._ready and process not in place.waiting:
            return False
        moves = self.kernel.moves(self.state, process)
        if outcome < len(moves):
            if plan.arriving and self._travelling(plan):
                return False
            move = moves[outcome]
        else:
            if process not in place.waiting:
                self._wait(process, plan, place)
            if process not in self._due:
                return False
            move = self.kernel.expiries(self.state, process)[outcome - len(moves)]
        if process in self._ready:
            self._ready.remove(process)
        self._step(process, outcome, move)
        return True

    def _wait_where_blocked(self) -> None:
        """Before time passes in a replay, let those who are blocked begin to wait, for their time-outs' sake."""
        for process in [each for each in self._ready if isinstance(each, int)]:
            plan = self._plan(process)
            place = self._place(plan.position)
            if plan.operation is not None and process not in place.waiting and not self._moves(process, plan):
                self._ready.remove(process)
                self._wait(process, plan, place)

    # ---- waiting ---------------------------------------------------------------------------------------

    def _wait(self, process: int, plan: _Plan, place: _Place) -> None:
        """Join the waiters, and set the time-out going; or go on waiting, when its time-out cannot end it."""
        assert plan.operation is not None
        if process in place.waiting:
            if plan.arriving and self._travelling(plan):
                self.notes[f"a time-out of {plan.operation} came while a frame was travelling, and did not fire"] = None
            return
        place.waiting[process] = None
        timeout = plan.operation.timeout
        if timeout is not None and timeout < math.inf:
            self._deadline.add(process)
            self._later(timeout, self._expire, process, self._waits[process])

    def _expire(self, process: int, wait: int) -> None:
        if self._waits[process] == wait:
            self._pending -= 1
            self._deadline.discard(process)
            self._due.add(process)
            self._ready.append(process)

    def _wake(self, place: _Place) -> None:
        if place.waiting and not place.queued:
            place.queued = True
            self._ready.append(place)

    def _arrive(self, place: _Place) -> None:
        self._pending -= 1
        self._wake(place)

    def _stop_waiting(self, process: int, place: _Place) -> None:
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
        plan, before = self._plan(process), self.state
        place = self._place(plan.position)
        self._stop_waiting(process, place)
        called = self._called(process, plan, outcome)
        self.state = self.kernel.after(before, process, move)
        self.path.append((process, outcome))
        self._record.now = self._clock.now
        if before[plan.position] != self.state[plan.position]:
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

    def _changed(self, plan: _Plan, place: _Place, before: Packed) -> None:
        """A value is new: send on its way what was put under way, and wake those who wait for it."""
        operation = plan.operation
        assert operation is not None
        values, target = self.kernel.values, operation.target
        new = values[self.state[plan.position]]
        self._record.value(plan.position, new)
        if target.arriving:
            more = target.under_way(new) - target.under_way(values[before[plan.position]])
            for _ in range(-more):
                if place.arrivals:
                    place.arrivals.popleft()
            if more > 0:
                self._send(place, operation)
        self._wake(place)

    def _send(self, place: _Place, operation: Operation) -> None:
        now = self._clock.now
        begin = max(now, place.free)
        place.free = begin + operation.target.occupies(operation)
        delay = (begin - now) + operation.target.transit(operation)
        last = place.arrivals[-1] if place.arrivals else now
        place.arrivals.append(max(now + delay, last))  # what was sent first arrives first
        if now + delay > now:
            self._later(delay, self._arrive, place)

    def _called(self, process: int, plan: _Plan, outcome: int) -> float:
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
        plan = self._plan(process)
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
        plan = self._plan(process)
        owes = plan.owes or process in self._holding
        if owes != self._owes[process]:
            self._owes[process] = owes
            self._owed += 1 if owes else -1
            self._record.busy(process, owes)
        if plan.operation is None and not self._ended[process]:
            self._ended[process] = True
            self._record.end(self.kernel.process_state(self.state, process))

    # ---- what is learned once --------------------------------------------------------------------------

    def _place(self, position: int) -> _Place:
        place = self._places.get(position)
        if place is None:
            place = self._places[position] = _Place()
        return place

    def _plan(self, process: int) -> _Plan:
        local = self.state[self.kernel.first_process + process]
        plan = self._plans[process].get(local)
        if plan is None:
            plan = self._plans[process][local] = self._learn(process, local)
        return plan

    def _learn(self, process: int, local: int) -> _Plan:
        kernel = self.kernel
        who, operation = kernel.processes[process], kernel.operation(self.state, process)
        point, task, _ = kernel.locals[local]
        owes = task is not None if who.pool is not None else not who.daemon and operation is not None
        if operation is None:
            return _Plan(None, -1, None, False, False)
        second_half = point is not None and isinstance(point.result, Operation) and point.operation is operation
        delay = None if second_half else self.latency.of_operation(operation, who)
        arriving = operation.name in operation.target.arriving
        return _Plan(operation, kernel.target(local), delay, arriving, owes)

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
