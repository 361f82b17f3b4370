"""A path of a model is taken again by its kernel, and each step is told with what it has changed.

That a step hands something over is read off what gives out first what was put there first: a queue, a link, a pool.
That a step lets somebody go on is read off the states: before it that process had no step, and after it it has one.
Nothing else is drawn as an arrow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from simcore.explain import summary
from simcore.kernel import FREE, Kernel, Packed
from simcore.model import Process, ProcessState
from simcore.model.objects import Link, LockValue, Queue, ThreadPool
from simcore.model.operations import Operation, SharedObject, shown_value
from simcore.report.page.film import Frame, Lane, Standing, Thing, Value
from simcore.schedule import Tasks, describe

_IN = {"put": "get", "send": "recv", "submit": "take"}
_OUT = frozenset(_IN.values())

MOST_ITEMS = 12
"""Items of a queue that are told one by one."""


def lanes_of(processes: Sequence[Process]) -> tuple[Lane, ...]:
    """Return a lane for each process; workers stand together, under their pool."""
    return tuple(
        Lane(p.name, "worker", p.pool.name) if p.pool is not None else Lane(p.name, "daemon" if p.daemon else "process")
        for p in processes
    )


class Replayed:
    """Takes the steps of a path, one after the other, from some state on.

    Attributes
    ----------
    things : list of Thing
        The objects met so far, results of tasks included.
    state : tuple of int
        Where it is.
    """

    def __init__(self, kernel: Kernel, state: Packed) -> None:
        self.kernel, self.state = kernel, state
        self._objects = kernel.model.named
        self.things = [Thing(thing.name, thing.kind) for thing in self._objects]
        self._tasks = Tasks(kernel)
        self._tasks.after((), state)
        self._futures: dict[int, int] = {}  # by place in the state: which of the things stands there
        self._known: dict[int, tuple[Any, ...]] = {}  # of each process, what its standing was made of
        self._shown: dict[int, Standing] = {}
        self._inside: dict[Any, deque[int]] = {
            thing: deque([0] * len(there)) for thing in self._objects if (there := self._there(thing)) is not None
        }  # by which step each was put there; 0 where that was before all of them
        self._freed: dict[int, int] = {}  # for each process that had no step and has one now: since which step
        self._could = self._movers()

    def values(self) -> tuple[Value, ...]:
        """Return the value of every object where it is, before any step is taken."""
        futures = enumerate(self.state[self.kernel.first_future :], self.kernel.first_future)
        known = [self._future(place, value, created=True) for place, value in futures if value != FREE]
        return (*map(self._value, range(len(self._objects))), *known)

    def standings(self) -> tuple[Standing, ...]:
        """Return how those stand of whom that has changed since it was asked last."""
        return tuple(self._changed_standings())

    def frames(self, path: Sequence[tuple[int, int]], times: Sequence[float | None], first: int) -> Iterator[Frame]:
        """Take the steps of ``path``, which ``first`` others came before, and yield each."""
        for number, ((process, outcome), time) in enumerate(zip(path, times, strict=True), first + 1):
            operation = self.kernel.operation(self.state, process)
            assert operation is not None
            place = self.kernel.process_state(self.state, process).where
            sources = self._sources(process, operation)
            text, result = describe(self.kernel, self.state, process, outcome)
            before = self.state
            after = self.kernel.step(before, process, outcome)
            assert after is not None
            self.state = after
            self._note(number, process, operation)
            values = tuple(self._changed_values(before))
            told = self._tasks.named(text), self._tasks.named(result)
            self._tasks.after(before, after)
            yield Frame(process, *told, place, time, values, self.standings(), sources)

    # ---- who could move, and because of what -----------------------------------------------------------

    def _movers(self) -> set[int]:
        return {p.index for p in self.kernel.processes if self.kernel.moves(self.state, p.index)}

    def _sources(self, process: int, operation: Operation) -> tuple[tuple[int, str], ...]:
        """Return which earlier steps the next one of ``process`` owes itself to."""
        if process not in self._could:  # only time has let it go on
            return ()
        waiting = self._inside.get(operation.target)
        if operation.name in _OUT and waiting:
            return ((waiting[0], "hands over"),) if waiting[0] else ()
        return ((self._freed[process], "lets it go on"),) if process in self._freed else ()

    def _note(self, number: int, process: int, operation: Operation) -> None:
        """Note whom a step has let go on, and what it has put or taken; where that does not add up, forget it."""
        could, self._could = self._could, self._movers()
        for index in self._could - could - {process}:
            self._freed[index] = number
        for index in could - self._could:
            self._freed.pop(index, None)
        self._freed.pop(process, None)
        inside = self._inside.get(operation.target)
        if inside is None:
            return
        there = len(self._there(operation.target) or ())
        if operation.name in _IN and there == len(inside) + 1:
            inside.append(number)
        elif operation.name in _OUT and there == len(inside) - 1:
            inside.popleft()
        elif there != len(inside):
            del self._inside[operation.target]

    def _there(self, thing: SharedObject) -> tuple[Any, ...] | None:
        return _contents(thing, self.kernel.values[self.state[thing.index]])

    # ---- values ----------------------------------------------------------------------------------------

    def _value(self, number: int) -> Value:
        thing = self._objects[number]
        value = self.kernel.values[self.state[thing.index]]
        used, limit = thing.occupancy(value) or (None, None)
        if isinstance(thing, ThreadPool):
            used, limit = sum(self._busy(p) for p in self.kernel.processes if p.pool is thing), thing.workers
        waiters = summary(str(waiter) for _, waiter in value.waiters) if isinstance(value, LockValue) else ""
        text = f"{thing.show(value)}; waiting for a notify: {waiters}" if waiters else thing.show(value)
        return Value(number, text, used, limit, _items(thing, value))

    def _busy(self, worker: Process) -> bool:
        return self.kernel.process_state(self.state, worker.index).task is not None

    def _changed_values(self, before: Packed) -> Iterator[Value]:
        first = self.kernel.first_process
        moved = {p.pool for p in self.kernel.processes if before[first + p.index] != self.state[first + p.index]}
        for number, thing in enumerate(self._objects):
            if before[thing.index] != self.state[thing.index] or thing in moved:
                yield self._value(number)
        for place in range(self.kernel.first_future, max(len(before), len(self.state))):
            old, new = (state[place] if place < len(state) else FREE for state in (before, self.state))
            if old != new:
                yield self._future(place, new, created=old == FREE)

    def _future(self, place: int, value: int, created: bool) -> Value:
        future = self.kernel.future(place - self.kernel.first_future)
        if created:
            found = self.kernel.view(self.state).task_of(future)
            self._futures[place] = len(self.things)
            self.things.append(Thing(f"result of {found[1]}" if found is not None else future.name, "future"))
        number = self._futures[place]
        return Value(number, None if value == FREE else future.show(self.kernel.values[value]))

    # ---- how everybody stands --------------------------------------------------------------------------

    def _changed_standings(self) -> Iterator[Standing]:
        for process in self.kernel.processes:
            local = self.state[self.kernel.first_process + process.index]
            about = local, self.state[self.kernel.target(local)], process.index in self._could
            if self._known.get(process.index) != about:
                self._known[process.index] = about
                standing = self._standing(self.kernel.process_state(self.state, process.index))
                if self._shown.get(process.index) != standing:
                    self._shown[process.index] = standing
                    yield standing

    def _standing(self, process: ProcessState) -> Standing:
        index, operation = process.process.index, process.operation
        task = str(process.task) if process.task is not None else ""
        if operation is None or (process.status == "failed" and index not in self._could):
            words = "" if process.status == "done" else process.failure
            return Standing(index, process.status, words, task, process.where)
        if index in self._could:
            return Standing(
                index, "enabled", f"next: {self._tasks.named(operation.target.phrase(operation))}", task, process.where
            )
        if process.status == "idle":
            return Standing(index, "idle")
        words = f"waits {self._wants(process, operation)}"
        if operation.timeout is None or not self.kernel.ends_by_time(operation):
            return Standing(index, "blocked", words, task, process.where)
        return Standing(index, "limited", f"{words}, at most {operation.timeout:g} s", task, process.where)

    def _wants(self, process: ProcessState, operation: Operation) -> str:
        target = operation.target
        wants = self._tasks.named(target.wants(operation).wants)
        place = self.kernel.target(self.state[self.kernel.first_process + process.process.index])
        value = self.kernel.values[self.state[place]]
        owners = summary(owner.name for owner in target.blocked_on(value, operation, process.process).processes)
        return f"{wants}, held by {owners}" if owners else wants


def _contents(thing: Any, value: Any) -> tuple[Any, ...] | None:
    """Return what is in an object that gives out first what was put there first; None for all other objects."""
    if isinstance(thing, ThreadPool):
        return tuple(value.tasks)
    if isinstance(thing, Queue):
        return tuple(value)
    return tuple(value.frames) if isinstance(thing, Link) else None


def _items(thing: Any, value: Any) -> tuple[str, ...]:
    items = [
        str(item) if isinstance(thing, ThreadPool) else shown_value(item) for item in _contents(thing, value) or ()
    ]
    more = len(items) - MOST_ITEMS
    return (*items[:MOST_ITEMS], *([f"and {more:,} more"] if more > 0 else []))
