"""What the objects of a run held after each step, read from them without taking a step or calling code of the program.

Only objects of the very types of the standard library are read, and of those the attributes alone; nothing keeps them
alive. What is read while the next step is chosen is all that the step before it has done, the releases of locks behind
it included: so "after a step" is before the next one.
"""

from __future__ import annotations

import queue
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from simcore.control.baton import Run
from simcore.control.naming import Gone, Names
from simcore.control.operations import made
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


class Watch:
    """Watches the objects that the steps of a run name.

    Parameters
    ----------
    run : Run
        Whose; it is asked who holds a lock, and what its workers do.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._number: dict[int, int] = {}
        self._things: list[tuple[Callable[[], Any], str, Gone]] = []
        self._last: list[Holds] = []
        self._changes: list[list[Holds]] = []
        self._more = False

    def stepped(self, thread: ControlledThread) -> None:
        """Note what the step before has changed, and what the next one is about to be done to."""
        self._meet(thread.pool[1] if thread.pool is not None and thread.task is None else thread.target)
        self._changes.append(self._changed())

    def told(self, names: Names, pools: Callable[[Any], str]) -> Watched:
        """Return all of it, once the last step is taken; ``pools`` returns what the pool of a queue is called."""
        before, *after = [*self._changes, self._changed()]
        things = [
            (pools(found) if kind == "pool" else names.of(found, kind), kind)
            for found, kind in ((there() or gone, kind) for there, kind, gone in self._things)
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
        self._things.append((weakref.ref(thing), kind, Gone(type(thing).__name__, made(thing))))
        self._last.append(Holds(-1, None))

    def _workers(self, thing: Any) -> list[ControlledThread]:
        return [thread for thread in self._run.threads if thread.pool is not None and thread.pool[1] is thing]

    def _changed(self) -> list[Holds]:
        changed = []
        for number, (there, kind, _) in enumerate(self._things):
            thing = there()
            holds = Holds(number, None) if thing is None else Holds(number, *self._read(thing, kind))
            if holds != self._last[number]:
                self._last[number] = holds
                changed.append(holds)
        return changed

    def _read(self, thing: Any, kind: str) -> tuple[str, int | None, int | None]:
        return self._pool(thing) if kind == "pool" else _READ[type(thing)](self._run, thing)

    def _pool(self, work: Any) -> tuple[str, int | None, int | None]:
        workers = self._workers(work)
        executor = workers[0].pool[0]() if workers else None  # type: ignore[index]
        busy = [thread for thread in workers if thread.task is not None and not thread.done]
        queued = size_of(work)
        limit = None if executor is None else executor._max_workers
        return f"{queued} queued" if queued else "nothing queued", len(busy), limit


def _kind(of: type) -> str:
    return _KINDS.get(of, "queue" if of in (QUEUE, *_QUEUES) else of.__name__.lower())


def _holder(run: Run, thread: ControlledThread | None, held: bool) -> tuple[str, int, int]:
    return f"held by {Names(run).thread(thread)}" if thread is not None else "held" if held else "free", int(held), 1


def _lock(run: Run, lock: Any) -> tuple[str, int, int]:
    held = is_locked(lock)
    return _holder(run, run.owners.get(id(lock)) if held else None, held)


def _rlock(run: Run, lock: Any) -> tuple[str, int, int]:
    owner = owner_of(lock)
    return _holder(run, next((thread for thread in run.threads if thread.identity == owner), None), bool(owner))


def _queue(run: Run, thing: Any) -> tuple[str, int, int | None]:
    size = len(thing.queue)
    return f"{size} in it" if size else "empty", size, thing.maxsize if thing.maxsize > 0 else None


def _simple_queue(run: Run, thing: Any) -> tuple[str, int, None]:
    size = size_of(thing)
    return f"{size} in it" if size else "empty", size, None


def _event(run: Run, event: Any) -> tuple[str, None, None]:
    return "set" if event._flag else "not set", None, None


def _condition(run: Run, condition: Any) -> tuple[str, None, None]:
    many = len(condition._waiters)
    return f"{many} {'waits' if many == 1 else 'wait'} on it" if many else "nobody waits on it", None, None


def _semaphore(run: Run, semaphore: Any) -> tuple[str, None, None]:
    return f"{semaphore._value} free", None, None


def _bounded(run: Run, semaphore: Any) -> tuple[str, int, int]:
    free, size = semaphore._value, semaphore._initial_value
    return f"{free} of {size} free", size - free, size


def _future(run: Run, future: Any) -> tuple[str, None, None]:
    return future._state.lower().replace("_", " "), None, None


_KINDS: dict[Any, str] = {LOCK: "lock", RLOCK: "rlock", threading.BoundedSemaphore: "semaphore"}
_QUEUES = (queue.Queue, queue.LifoQueue, queue.PriorityQueue)
_READ: dict[type, Callable[[Run, Any], tuple[str, int | None, int | None]]] = {
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
