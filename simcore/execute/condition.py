"""A real wait on a condition is one call with two halves; hooks in its lock note and gate each of them.

The condition is `threading.Condition`, with the time-out that the model gives it, whatever a schedule says: the hooks
look, and decide nothing. Who is woken, whether in time, and when a waiter leaves the list is what the standard library
does, or a run would confirm no more than what we think it does. Whether a wait was in time is read from the list of
waiters and the waiter's own lock; `notify` changes both, so it is not looked at in between.
"""

from __future__ import annotations

import contextlib
import threading
from typing import Any

from simcore.execute.real import Context, Live, LiveLock
from simcore.execute.records import Actor, Cancelled
from simcore.model.objects import Condition, LockValue
from simcore.model.operations import Operation


class _ConditionLock:
    """What `threading.Condition` takes for its lock, so that both halves of a wait can be noted and gated."""

    def __init__(self, condition: LiveCondition) -> None:
        self._condition = condition
        self.acquire = condition.lock.real.acquire
        self.release = condition.lock.real.release

    def locked(self) -> bool:  # from 3.14 on a condition takes this from its lock, too
        return self._condition.lock.owner is not None

    def _is_owned(self) -> bool:
        return self._condition.lock.held(self._condition.current.actor)

    def _release_save(self) -> int:
        return self._condition.begin_wait()

    def _acquire_restore(self, depth: int) -> None:
        self._condition.end_wait(depth)


class LiveCondition(Live):
    """`threading.Condition` on the lock that the model says."""

    thing: Condition

    def __init__(self, run: Context, thing: Condition, lock: LiveLock) -> None:
        super().__init__(run, thing)
        self.lock = lock
        self.current = threading.local()
        self._notifying = threading.Lock()
        self.real: Any = threading.Condition(_ConditionLock(self))  # type: ignore[arg-type]

    def value(self) -> LockValue:
        return self.lock.value()

    def wait(self, actor: Actor, operation: Operation, timeout: float | None) -> bool:
        self.current.actor, self.current.timeout = actor, timeout
        return bool(self.real.wait(timeout))

    def begin_wait(self) -> int:
        """Release the lock, as the first half; the waiter is in the primitive's list already."""
        actor: Actor = self.current.actor
        depth = self.lock.depth
        second = Operation(self.thing, "reacquire", (depth, True), self.current.timeout)
        self.current.waiter = self.real._waiters[-1]
        self.lock.waiters.append((self.thing.name, actor.process))
        self.current.depth, self.lock.depth, self.lock.owner = depth, 0, None
        actor.effect = self.run.tick()
        self.run.leave(actor, second)
        self.run.enter(actor, second, gated=False)
        for _ in range(depth):
            self.lock.real.release()
        return depth

    def end_wait(self, depth: int) -> None:
        """Acquire the lock again, as the second half."""
        actor: Actor = self.current.actor
        if self.run.over.is_set():
            raise Cancelled
        pending = actor.pending
        assert pending is not None
        start, began = actor.start, actor.began
        self.run.enter(actor, pending)
        actor.start, actor.began = start, began  # it has been waiting since then
        if not self._in_time():
            self._give_up(actor, depth)
        self.lock.take(actor)
        for _ in range(depth - 1):
            self.lock.take(actor)
        with contextlib.suppress(ValueError):  # notified
            self.lock.waiters.remove((self.thing.name, actor.process))

    def _in_time(self) -> bool:
        """Whether this thread was notified and has seen it; who was notified too late has not taken its own lock."""
        waiter = self.current.waiter
        with self._notifying:
            return waiter not in self.real._waiters and waiter.locked()

    def _give_up(self, actor: Actor, depth: int) -> None:
        """Note that the time-out has passed: it may have done so at any moment since the wait began."""
        actor.effect = actor.start
        second = Operation(self.thing, "reacquire", (depth, False))
        self.run.leave(actor, second)
        self.run.enter(actor, second)

    def notify(self, actor: Actor, operation: Operation, n: int) -> None:
        self._notify(actor, max(0, n))

    def notify_all(self, actor: Actor, operation: Operation) -> None:
        self._notify(actor, len(self.lock.waiters))

    def _notify(self, actor: Actor, n: int) -> None:
        self.current.actor = actor
        actor.effect = self.run.tick()
        if self.lock.held(actor):
            mine = [waiter for waiter in self.lock.waiters if waiter[0] == self.thing.name]
            for waiter in mine[:n]:
                self.lock.waiters.remove(waiter)
        with self._notifying:
            self.real.notify(n)

    def cancel(self) -> None:
        for waiter in list(self.real._waiters):
            with contextlib.suppress(RuntimeError):  # notified meanwhile
                waiter.release()
