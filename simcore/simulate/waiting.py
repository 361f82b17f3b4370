"""Who waits where, in which order, and what is still travelling there, at one moment of virtual time.

The kernel knows no order among those who wait and no time; both are kept here, by position of the state, and
neither ever enables a step that the kernel does not offer.

Those who wait for the same are in one group, and of a group one is asked whether it can go on: an object does not tell
processes apart that its value does not mention.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field

from simcore.kernel import Kernel, Move, OneRun
from simcore.model.objects import Future, ThreadPool
from simcore.model.operations import Operation, SharedObject
from simcore.simulate.delays import Latency, Sampler


@dataclass(eq=False, slots=True)
class Place:
    """One position of the state.

    Attributes
    ----------
    position : int
        Which one.
    groups : dict of hashable to dict of int to int
        The processes that wait, by what they wait for, each with its turn: the lower began earlier.
    turns : int
        How many have begun to wait.
    arrivals : deque of float
        When each of the things that are under way can be taken.
    free : float
        When the next thing can be put under way.
    queued : bool
        Whether some of the waiters may be able to go on, and will be asked.
    """

    position: int
    groups: dict[Hashable, dict[int, int]] = field(default_factory=dict)
    turns: int = 0
    arrivals: deque[float] = field(default_factory=deque)
    free: float = 0.0
    queued: bool = False

    def join(self, process: int, group: Hashable) -> None:
        """Let a process wait behind all others."""
        self.groups.setdefault(group, {})[process] = self.turns
        self.turns += 1

    def waits(self, process: int, group: Hashable) -> bool:
        """Tell whether a process of a group waits."""
        return group in self.groups and process in self.groups[group]

    def leave(self, process: int, group: Hashable) -> None:
        """Let a process wait no longer."""
        del self.groups[group][process]
        if not self.groups[group]:
            del self.groups[group]

    def first(self, apart: Collection[int], operation: str | None = None) -> list[int]:
        """Return who is to be asked, in the order in which they began to wait: one of each group, and all of ``apart``.

        Parameters
        ----------
        operation : str, optional
            The operation for which they wait, by name.
        """
        groups = [each for key, each in self.groups.items() if operation is None or key[0] == operation]  # type: ignore[index]
        if not apart and len(groups) == 1:
            return [next(iter(groups[0]))]
        asked = []
        for group in groups:
            asked += [(group[process], process) for process in apart if process in group]
            asked += [(group[process], process) for process in group if process not in apart][:1]
        return [process for _, process in sorted(asked)]

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


@dataclass(eq=False, frozen=True, slots=True)
class Plan:
    """What a process is about to do, learned once for each of its local states.

    Attributes
    ----------
    operation : Operation or None
        None when it has ended.
    position : int
        In the state, of the value that it is about; -1 when it has ended.
    place : Place
        What is known of that position.
    group : hashable
        Among those who wait there, whoever waits for the same.
    delay : function or None
        Draws the seconds before it is tried.
    arriving : bool
        Whether it takes what must have arrived.
    owes : bool
        Whether the process must still finish: it is no daemon, or a worker inside a task.
    rests : bool
        Whether it owes nothing as long as it is blocked: it has not been started.
    begins : bool
        Whether a call may begin with it, as where a worker takes a task from its pool.
    moves : dict of int to moves
        What it can do, by the value that it is about; nothing where that depends on more.
    """

    operation: Operation | None
    position: int
    place: Place
    group: Hashable
    delay: Sampler | None
    arriving: bool
    owes: bool
    rests: bool
    begins: bool
    moves: dict[int, tuple[Move, ...]] = field(default_factory=dict)


class Waiting:
    """The plans of all processes and the places of all values.

    Parameters
    ----------
    kernel : OneRun
        Says what is enabled.
    latency : Latency
        Says what the delays of operations are.

    Attributes
    ----------
    plans : list of Plan
        What each process is about to do.
    """

    def __init__(self, kernel: OneRun, latency: Latency) -> None:
        self._kernel, self._latency = kernel, latency
        self._first = kernel.first_process
        self._known: list[dict[int, Plan]] = [{} for _ in kernel.processes]
        self._places: dict[int, Place] = {}
        self.plans = [self.look(process) for process in range(len(kernel.processes))]

    def look(self, process: int) -> Plan:
        """Return what ``process`` is about to do where it is now."""
        local = self._kernel.state[self._first + process]
        plan = self._known[process].get(local)
        if plan is None:
            local = self._kernel.come(process)
            plan = self._known[process].get(local) or self._learn(process, local)
            self._known[process][local] = plan
        return plan

    def moves(self, process: int, now: float) -> tuple[Move, ...]:
        """Return what ``process`` can do now: what the kernel offers, once what it takes has arrived."""
        plan = self.plans[process]
        if plan.arriving and plan.place.travelling(now):
            return ()
        value = self._kernel.state[plan.position]
        moves = plan.moves.get(value)
        if moves is None:
            moves = self._kernel.moves(self._kernel.state, process)
            if plan.operation is not None and plan.operation.name not in plan.operation.target.creates:
                plan.moves[value] = moves
        return moves

    def mentioned(self, position: int) -> Collection[int]:
        """Return the processes that the value at ``position`` tells apart from all others."""
        mentioned = self._kernel.value_processes[self._kernel.state[position]]
        return {process.index for process in mentioned} if mentioned else ()

    def elder(self, process: int, now: float) -> int | None:
        """Return who has waited longer than ``process`` for the same operation and can go on now."""
        plan = self.plans[process]
        if not plan.place.queued or plan.operation is None or plan.place.waits(process, plan.group):
            return None
        waiters = plan.place.first(self.mentioned(plan.position), plan.operation.name)
        return next((waiter for waiter in waiters if self.moves(waiter, now)), None)

    def _place(self, position: int) -> Place:
        place = self._places.get(position)
        if place is None:
            place = self._places[position] = Place(position)
        return place

    def _learn(self, process: int, local: int) -> Plan:
        who, operation = self._kernel.processes[process], self._kernel.about(local)
        if operation is None:
            return Plan(None, -1, self._place(-1), None, None, False, False, False, False)
        target, position = operation.target, self._kernel.target(local)
        point, task, _ = self._kernel.locals[local]
        second_half = point is not None and isinstance(point.result, Operation) and point.operation is operation
        pool = target if isinstance(target, ThreadPool) else None
        apart = who if pool is not None and pool is who.pool and not pool.interchangeable else None
        return Plan(
            operation,
            position,
            self._place(position),
            (operation.name, target.gate(operation), operation.timeout, apart),
            None if second_half else self._latency.of_operation(operation, who),
            operation.name in target.arriving,
            task is not None if who.pool is not None else not who.daemon,
            operation.rests,
            pool is not None and operation.name in pool.begins,
        )


def reachable(kernel: Kernel) -> set[SharedObject]:
    """Return the objects of the model, the conditions that its processes use, and a future to stand for a submit's."""
    found = {*kernel.objects, Future("future")}
    for process in kernel.processes:
        point = kernel.locals[kernel.initial[kernel.first_process + process.index]].point
        found |= point.objects if point is not None else set()
    return found
