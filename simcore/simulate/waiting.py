"""Who waits where, in which order, and what is still travelling there, at one moment of virtual time.

The kernel knows no order among those who wait and no time; both are kept here, by position of the state, and
neither ever enables a step that the kernel does not offer.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from simcore.kernel import Kernel, Move, Packed
from simcore.model.objects import Future
from simcore.model.operations import Operation, SharedObject
from simcore.simulate.delays import Latency, Sampler


@dataclass(eq=False, frozen=True, slots=True)
class Plan:
    """What a process is about to do, learned once for each of its local states.

    Attributes
    ----------
    operation : Operation or None
        None when it has ended.
    position : int
        In the state, of the value that it is about; -1 when it has ended.
    delay : function or None
        Draws the seconds before it is tried.
    arriving : bool
        Whether it takes what must have arrived.
    owes : bool
        Whether the process must still finish: it is no daemon, or a worker inside a task.
    """

    operation: Operation | None
    position: int
    delay: Sampler | None
    arriving: bool
    owes: bool


@dataclass(eq=False, slots=True)
class Place:
    """One position of the state.

    Attributes
    ----------
    waiting : dict of int to None
        The processes that wait, in the order in which they began to.
    arrivals : deque of float
        When each of the things that are under way can be taken.
    free : float
        When the next thing can be put under way.
    queued : bool
        Whether some of the waiters may be able to go on, and will be asked.
    """

    waiting: dict[int, None] = field(default_factory=dict)
    arrivals: deque[float] = field(default_factory=deque)
    free: float = 0.0
    queued: bool = False

    def send(self, operation: Operation, now: float) -> float:
        """Put something under way and return in how many seconds it arrives: behind all that was sent before."""
        begin = max(now, self.free)
        self.free = begin + operation.target.occupies(operation)
        delay = (begin - now) + operation.target.transit(operation)
        last = self.arrivals[-1] if self.arrivals else now
        self.arrivals.append(max(now + delay, last))
        return delay

    def lose(self, number: int) -> None:
        """Take the oldest things off the way, because they were taken or are lost."""
        for _ in range(min(number, len(self.arrivals))):
            self.arrivals.popleft()

    def travelling(self, now: float) -> bool:
        """Tell whether the oldest thing that is under way has not arrived yet."""
        return bool(self.arrivals) and self.arrivals[0] > now


class Waiting:
    """The plans of all processes and the places of all values.

    Parameters
    ----------
    kernel : Kernel
        Says what is enabled.
    latency : Latency
        Says what the delays of operations are.
    """

    def __init__(self, kernel: Kernel, latency: Latency) -> None:
        self._kernel, self._latency = kernel, latency
        self._first = kernel.first_process
        self._plans: list[dict[int, Plan]] = [{} for _ in kernel.processes]
        self._places: dict[int, Place] = {}

    def place(self, position: int) -> Place:
        """Return what is known about a position of the state."""
        place = self._places.get(position)
        if place is None:
            place = self._places[position] = Place()
        return place

    def plan(self, state: Packed, process: int) -> Plan:
        """Return what ``process`` is about to do."""
        local = state[self._first + process]
        plan = self._plans[process].get(local)
        if plan is None:
            plan = self._plans[process][local] = self._learn(state, process, local)
        return plan

    def moves(self, state: Packed, process: int, now: float) -> tuple[Move, ...]:
        """Return what ``process`` can do now: what the kernel offers, once what it takes has arrived."""
        plan = self.plan(state, process)
        if plan.arriving and self.place(plan.position).travelling(now):
            return ()
        return self._kernel.moves(state, process)

    def elder(self, state: Packed, process: int, now: float) -> int | None:
        """Return who has waited longer than ``process`` for the same operation and can go on now."""
        plan = self.plan(state, process)
        place = self.place(plan.position)
        if not place.queued or process in place.waiting or plan.operation is None:
            return None
        for waiter in place.waiting:
            other = self.plan(state, waiter).operation
            if other is not None and other.name == plan.operation.name and self.moves(state, waiter, now):
                return waiter
        return None

    def _learn(self, state: Packed, process: int, local: int) -> Plan:
        who, operation = self._kernel.processes[process], self._kernel.operation(state, process)
        if operation is None:
            return Plan(None, -1, None, False, False)
        point, task, _ = self._kernel.locals[local]
        second_half = point is not None and isinstance(point.result, Operation) and point.operation is operation
        delay = None if second_half else self._latency.of_operation(operation, who)
        owes = task is not None if who.pool is not None else not who.daemon
        return Plan(operation, self._kernel.target(local), delay, operation.name in operation.target.arriving, owes)


def reachable(kernel: Kernel) -> set[SharedObject]:
    """Return the objects of the model, the conditions that its processes use, and a future to stand for a submit's."""
    found = {*kernel.objects, Future("future")}
    for process in kernel.processes:
        point = kernel.locals[kernel.initial[kernel.first_process + process.index]].point
        found |= point.objects if point is not None else set()
    return found
