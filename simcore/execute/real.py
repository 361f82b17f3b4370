"""The live counterpart of each object: the primitive of the standard library that it stands for.

Each one performs operations (`perform`), tells its value in the words of the model (`value`), so that the
object's own pure function says whether an operation would block now, and lets everybody go (`cancel`).
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import queue
import threading
import time
from concurrent.futures import InvalidStateError
from typing import Any, Protocol

from simcore.execute.records import Actor, Cancelled
from simcore.model.objects import Future as ModelFuture
from simcore.model.objects import FutureValue, Lock, LockValue, Queue, Semaphore
from simcore.model.operations import Operation, Raised, SharedObject, Value

_SLICE = 0.05
"""Seconds after which a waiter of a re-entrant lock looks whether the run is over: only its owner may release it."""


class Context(Protocol):
    """What a live object needs of the run that it is part of."""

    over: threading.Event
    """Set when everybody is to be let go."""

    def tick(self) -> int:
        """Return the next tick of logical time."""

    def leave(self, actor: Actor, result: Any) -> None:
        """Note that the pending operation of ``actor`` gave ``result``."""

    def enter(self, actor: Actor, operation: Operation, gated: bool = True) -> None:
        """Note that ``actor`` begins ``operation``, once it is its turn."""


class Live:
    """Base of all live objects.

    Parameters
    ----------
    run : Context
        The run.
    thing : SharedObject
        The model's object.
    """

    def __init__(self, run: Context, thing: Any) -> None:
        self.run = run
        self.thing = thing

    def perform(self, operation: Operation, actor: Actor) -> Any:
        """Do it on the real primitive; return what the process gets, an exception as a `Raised`."""
        try:
            result = getattr(self, operation.name)(actor, operation, *operation.args)
        except Exception as error:
            result = Raised.of(error)
        if self.run.over.is_set():
            raise Cancelled
        return result

    def value(self) -> Value:
        """Return the value in the words of the model."""
        raise NotImplementedError

    def cancel(self) -> None:
        """Let everybody go who waits here. May be called again."""


def _limit(operation: Operation) -> float:
    return -1 if operation.timeout is None else min(operation.timeout, threading.TIMEOUT_MAX)


class LiveLocal(Live):
    """What a process does by itself."""

    def value(self) -> Value:
        return None

    def sleep(self, actor: Actor, operation: Operation, seconds: float) -> None:
        self.run.over.wait(seconds)

    def choose(self, actor: Actor, operation: Operation, *options: Any) -> Any:
        return options[actor.granted.outcome if actor.granted is not None else 0]


class LiveLock(Live):
    """`threading.Lock`, with a note of who holds it."""

    thing: Lock

    def __init__(self, run: Context, thing: Lock) -> None:
        super().__init__(run, thing)
        self.real: Any = self.primitive()
        self.owner: Any = None
        self.depth = 0
        self.waiters: list[tuple[str, Any]] = []

    def primitive(self) -> Any:
        return threading.Lock()

    def value(self) -> LockValue:
        return LockValue(self.owner, self.depth, tuple(self.waiters))

    def acquire(self, actor: Actor, operation: Operation, blocking: bool) -> bool:
        return self.take(actor, blocking, _limit(operation) if blocking else -1)

    def take(self, actor: Actor, blocking: bool = True, timeout: float = -1) -> bool:
        """Acquire the primitive and note who holds it."""
        got: bool = self.obtain(blocking, timeout)
        if got:
            self.owner, self.depth = actor.process, self.depth + 1
        actor.effect = self.run.tick()
        return got

    def obtain(self, blocking: bool, timeout: float) -> bool:
        got: bool = self.real.acquire(blocking, timeout)
        return got

    def release(self, actor: Actor, operation: Operation | None = None) -> None:
        actor.effect = self.run.tick()
        if self.held(actor):  # before the next owner notes that it is his
            self.depth -= 1
            if not self.depth:
                self.owner = None
        self.real.release()

    def held(self, actor: Actor) -> bool:
        """Whether ``actor`` may release it."""
        return bool(self.real.locked())

    def locked(self, actor: Actor, operation: Operation) -> bool:
        return bool(self.real.locked())

    def cancel(self) -> None:
        if self.real.locked():
            with contextlib.suppress(RuntimeError):  # its owner was faster
                self.real.release()


class LiveRLock(LiveLock):
    """`threading.RLock`."""

    def primitive(self) -> Any:
        return threading.RLock()

    def obtain(self, blocking: bool, timeout: float) -> bool:
        deadline = None if timeout < 0 else time.monotonic() + timeout
        while True:
            left = _SLICE if deadline is None else max(0.0, min(_SLICE, deadline - time.monotonic()))
            got: bool = self.real.acquire(timeout=left) if blocking else self.real.acquire(blocking=False)
            if got or not blocking or (deadline is not None and time.monotonic() >= deadline):
                return got
            if self.run.over.is_set():
                raise Cancelled

    def held(self, actor: Actor) -> bool:
        return bool(self.real._is_owned())

    def locked(self, actor: Actor, operation: Operation) -> bool:
        return repr(self.real).startswith("<locked")  # it has no method for that before Python 3.14

    def cancel(self) -> None:
        """Its waiters look up by themselves."""


class LiveEvent(Live):
    """`threading.Event`."""

    def __init__(self, run: Context, thing: SharedObject) -> None:
        super().__init__(run, thing)
        self.real = threading.Event()

    def value(self) -> bool:
        return self.real.is_set()

    def set(self, actor: Actor, operation: Operation) -> None:
        self.real.set()

    def clear(self, actor: Actor, operation: Operation) -> None:
        self.real.clear()

    def wait(self, actor: Actor, operation: Operation) -> bool:
        return self.real.wait(operation.timeout)

    def is_set(self, actor: Actor, operation: Operation) -> bool:
        return self.real.is_set()

    def cancel(self) -> None:
        self.real.set()


class LiveSemaphore(Live):
    """`threading.Semaphore`."""

    def __init__(self, run: Context, thing: Semaphore) -> None:
        super().__init__(run, thing)
        self.real: Any = threading.Semaphore(thing.n)

    def value(self) -> int:
        return int(self.real._value)

    def acquire(self, actor: Actor, operation: Operation, blocking: bool) -> bool:
        return bool(self.real.acquire(blocking, operation.timeout))

    def release(self, actor: Actor, operation: Operation, n: int) -> None:
        actor.effect = self.run.tick()
        self.real.release(n)

    def cancel(self) -> None:
        self.real.release(1000)


class _StampedQueue(queue.Queue[Any]):
    """`queue.Queue` that notes the moment at which an item goes in and out, in the hooks made for that."""

    def __init__(self, run: Context, capacity: int) -> None:
        super().__init__(capacity)
        self._run = run
        self.current = threading.local()

    def _put(self, item: Any) -> None:
        super()._put(item)
        self.current.effect = self._run.tick()

    def _get(self) -> Any:
        item = super()._get()
        self.current.effect = self._run.tick()
        return item


class LiveQueue(Live):
    """`queue.Queue`."""

    thing: Queue

    def __init__(self, run: Context, thing: Queue) -> None:
        super().__init__(run, thing)
        self.real = _StampedQueue(run, thing.capacity or 0)

    def value(self) -> tuple[Any, ...]:
        return tuple(self.real.queue)

    def put(self, actor: Actor, operation: Operation, item: Any, block: bool) -> None:
        self.real.put(item, block, operation.timeout)
        actor.effect = self.real.current.effect

    def get(self, actor: Actor, operation: Operation, block: bool) -> Any:
        item = self.real.get(block, operation.timeout)
        actor.effect = self.real.current.effect
        return item

    def qsize(self, actor: Actor, operation: Operation) -> int:
        return self.real.qsize()

    def cancel(self) -> None:
        with self.real.mutex:
            self.real.maxsize = 0 if self.real.maxsize == 0 else 1 << 60
            self.real.queue.extend([None] * 1000)
            self.real.not_empty.notify_all()
            self.real.not_full.notify_all()


class LiveFuture(Live):
    """`concurrent.futures.Future`; the one that the executor gave, for a submit's."""

    thing: ModelFuture

    def __init__(self, run: Context, thing: ModelFuture, real: concurrent.futures.Future[Any] | None = None) -> None:
        super().__init__(run, thing)
        self.real: concurrent.futures.Future[Any] = concurrent.futures.Future() if real is None else real

    def value(self) -> FutureValue:
        if not self.real.done() or self.real.cancelled():
            return FutureValue()
        error = self.real.exception()
        return FutureValue(True, self.real.result() if error is None else Raised.of(error))

    def set_result(self, actor: Actor, operation: Operation, result: Any) -> None:
        actor.effect = self.run.tick()
        kind = type(self.real)  # its own methods: those of a task's future are noted as its worker's
        try:
            if isinstance(result, Raised):
                return kind.set_exception(self.real, result.build())
            return kind.set_result(self.real, result)
        except InvalidStateError:  # its own text shows an address
            pass
        raise InvalidStateError(self.thing.set_already)

    set_exception = set_result

    def result(self, actor: Actor, operation: Operation) -> Any:
        return self.real.result(operation.timeout)

    def exception(self, actor: Actor, operation: Operation) -> Any:
        error = self.real.exception(operation.timeout)
        return None if error is None else type(error)

    def done(self, actor: Actor, operation: Operation) -> bool:
        return self.real.done()

    def cancel(self) -> None:
        waking: Any = self.real
        with waking._condition:  # it stays pending: its own worker may still have to set it
            waking._condition.notify_all()


class LiveValue(Live):
    """A variable, which no library has: its value under a lock, changed by the object's own pure functions."""

    def __init__(self, run: Context, thing: SharedObject) -> None:
        super().__init__(run, thing)
        self._value = thing.initial
        self._changed = threading.Condition()

    def value(self) -> Value:
        return self._value

    def perform(self, operation: Operation, actor: Actor) -> Any:
        deadline = None if operation.timeout is None else time.monotonic() + operation.timeout
        with self._changed:
            while True:
                if self.run.over.is_set():
                    raise Cancelled
                outcomes = self.thing.outcomes(self._value, operation, actor.process)
                if outcomes:
                    wanted = actor.granted.outcome if actor.granted is not None else 0
                    outcome = outcomes[wanted if wanted < len(outcomes) else 0]
                    break
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    outcome = self.thing.expired(self._value, operation, actor.process)[0]
                    break
                self._changed.wait(left)
            self._value = outcome.value
            actor.effect = self.run.tick()
            self._changed.notify_all()
        return outcome.result

    def cancel(self) -> None:
        with self._changed:
            self._changed.notify_all()


LIVE: dict[str, type[Live]] = {
    "local": LiveLocal,
    "lock": LiveLock,
    "rlock": LiveRLock,
    "event": LiveEvent,
    "semaphore": LiveSemaphore,
    "queue": LiveQueue,
    "future": LiveFuture,
    "variable": LiveValue,
}
"""Live counterparts by kind; conditions, pools, links and timers have files of their own."""
