"""What the objects of a run held after each step, read from them without taking a step or calling code of the program.

Only objects of the very types of the standard library are read, and of those the attributes alone; nothing keeps them
alive. What is read while the next step is chosen is all that the step before it has done, the releases of locks behind
it included: so "after a step" is before the next one.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from simcore.control.baton import Run
from simcore.control.naming import Gone, Names, Remembered
from simcore.control.primitives import LOCK, QUEUE, RLOCK, is_locked, owner_of, size_of
from simcore.control.thread import ControlledThread

MOST_WATCHED = 60
"""Objects that are watched: the first ones that steps name."""


class Holds(NamedTuple):
    """What an object holds from some step on.

    Attributes
    ----------
    number : int
        Which of the objects.
    text : str, optional
        In a few words; None where it is not there any more.
    used, limit : int, optional
        How much of it is in use, of how much.
    """

    number: int
    text: str | None
    used: int | None = None
    limit: int | None = None


class Watched(NamedTuple):
    """What is told of the objects of a run.

    Attributes
    ----------
    things : list of (name, kind)
        The objects that were watched.
    before : list of Holds
        What those held that were there before the first step.
    after : list of list of Holds
        For each step, what holds otherwise after it.
    more : bool
        Whether there were more objects than are watched.
    """

    things: list[tuple[str, str]]
    before: list[Holds]
    after: list[list[Holds]]
    more: bool


Inside = tuple[str | ControlledThread, int | None, int | None]
"""In a few words, or who has it; how much of it is in use, and of how much."""


class _Read(NamedTuple):
    """What was read of an object: a thread is named only when all is told."""

    number: int
    inside: str | ControlledThread | None
    used: int | None = None
    limit: int | None = None


class Watch:
    """Watches the objects that the steps of a run name.

    Parameters
    ----------
    run : Run
        Whose; it is asked who holds a lock, and what its workers do.
    remembered : Remembered
        The objects that its steps name.
    """

    def __init__(self, run: Run, remembered: Remembered) -> None:
        self._run, self._remembered = run, remembered
        self._number: dict[int, int] = {}
        self._things: list[tuple[Callable[[], Any], str]] = []
        self._last: list[_Read] = []
        self._changes: list[list[_Read]] = []
        self._more = False

    def stepped(self, thread: ControlledThread) -> None:
        """Note what the step before has changed, and what the next one is about to be done to."""
        self._meet(thread.pool[1] if thread.pool is not None and thread.task is None else thread.target)
        self._changes.append(self._changed())

    def told(self, names: Names, pools: Callable[[Any], str]) -> Watched:
        """Return all of it, once the last step is taken; ``pools`` returns what the pool of a queue is called."""
        before, *after = [[_named(each, names) for each in some] for some in (*self._changes, self._changed())]
        things = [
            (pools(found) if kind == "pool" else names.of(found, kind), kind)
            for found, kind in ((there(), kind) for there, kind in self._things)
        ]
        return Watched(things, before, after, self._more)

    def _meet(self, target: Any) -> None:
        """Watch ``target``, if it is of a type that can be read, and nobody has met it before."""
        thing = target._work_queue if type(target) is ThreadPoolExecutor else target
        known = self._number.get(id(thing))
        if type(thing) not in _READ or (known is not None and self._things[known][0]() is thing):
            return
        if len(self._things) == MOST_WATCHED:
            self._more = True
            return
        kind = "pool" if self._workers(thing) or thing is not target else _kind(type(thing))
        self._number[id(thing)] = len(self._things)
        self._things.append((self._remembered.weak(thing), kind))
        self._last.append(_Read(-1, None))

    def _workers(self, thing: Any) -> list[ControlledThread]:
        return [thread for thread in self._run.threads if thread.pool is not None and thread.pool[1] is thing]

    def _changed(self) -> list[_Read]:
        changed = []
        for number, (there, kind) in enumerate(self._things):
            thing = there()
            read = _Read(number, None) if isinstance(thing, Gone) else _Read(number, *self._read(thing, kind))
            if read != self._last[number]:
                self._last[number] = read
                changed.append(read)
        return changed

    def _read(self, thing: Any, kind: str) -> Inside:
        return self._pool(thing) if kind == "pool" else _READ[type(thing)](self._run, thing)

    def _pool(self, work: Any) -> Inside:
        workers = self._workers(work)
        executor = workers[0].pool[0]() if workers else None  # type: ignore[index]
        busy = [thread for thread in workers if thread.task is not None and not thread.done]
        queued = size_of(work)
        limit = None if executor is None else executor._max_workers
        return f"{queued} queued" if queued else "nothing queued", len(busy), limit


def _kind(of: type) -> str:
    return _KINDS.get(of, "queue" if of in (QUEUE, *_QUEUES) else of.__name__.lower())


def _named(read: _Read, names: Names) -> Holds:
    inside = read.inside
    text = f"held by {names.thread(inside)}" if isinstance(inside, ControlledThread) else inside
    return Holds(read.number, text, read.used, read.limit)


def _lock(run: Run, lock: Any) -> Inside:
    return (run.owners.get(id(lock), "held"), 1, 1) if is_locked(lock) else ("free", 0, 1)


def _rlock(run: Run, lock: Any) -> Inside:
    owner = owner_of(lock)
    return (next((t for t in run.live if t.identity == owner), "held"), 1, 1) if owner else ("free", 0, 1)


def _queue(run: Run, thing: Any) -> Inside:
    size = len(thing.queue)
    return f"{size} in it" if size else "empty", size, thing.maxsize if thing.maxsize > 0 else None


def _simple_queue(run: Run, thing: Any) -> Inside:
    size = size_of(thing)
    return f"{size} in it" if size else "empty", size, None


def _event(run: Run, event: Any) -> Inside:
    return "set" if event._flag else "not set", None, None


def _condition(run: Run, condition: Any) -> Inside:
    many = len(condition._waiters)
    return f"{many} {'waits' if many == 1 else 'wait'} on it" if many else "nobody waits on it", None, None


def _semaphore(run: Run, semaphore: Any) -> Inside:
    return f"{semaphore._value} free", None, None


def _bounded(run: Run, semaphore: Any) -> Inside:
    free, size = semaphore._value, semaphore._initial_value
    return f"{free} of {size} free", size - free, size


def _future(run: Run, future: Any) -> Inside:
    return future._state.lower().replace("_", " "), None, None


_KINDS: dict[Any, str] = {LOCK: "lock", RLOCK: "rlock", threading.BoundedSemaphore: "semaphore"}
_QUEUES = (queue.Queue, queue.LifoQueue, queue.PriorityQueue)
_READ: dict[type, Callable[[Run, Any], Inside]] = {
    LOCK: _lock,
    RLOCK: _rlock,
    QUEUE: _simple_queue,
    threading.Event: _event,
    threading.Condition: _condition,
    threading.Semaphore: _semaphore,
    threading.BoundedSemaphore: _bounded,
    Future: _future,
    **dict.fromkeys(_QUEUES, _queue),
}
