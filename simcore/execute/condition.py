"""A real wait on a condition is one call with two halves; hooks in its lock note and gate each of them."""

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
        self.real: Any = threading.Condition(_ConditionLock(self))  # type: ignore[arg-type]

    def value(self) -> LockValue:
        return self.lock.value()

    def wait(self, actor: Actor, operation: Operation, timeout: float | None) -> bool:
        self.current.actor, self.current.timeout = actor, timeout
        expires = self.run.next_expires(actor) if actor.granted is not None else None
        limit = None if expires is False else timeout  # a notified wait of a schedule is not to time out before
        return bool(self.real.wait(limit))

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
        waiter = self.current.waiter
        if waiter in self.real._waiters or not waiter.locked():  # nobody, or somebody too late, has released it
            self._expired(actor, depth)
        self.lock.take(actor)
        for _ in range(depth - 1):
            self.lock.take(actor)

    def _expired(self, actor: Actor, depth: int) -> None:
        """Leave the waiters: nobody notified in time."""
        with contextlib.suppress(ValueError):  # notified too late
            self.real._waiters.remove(self.current.waiter)
        with contextlib.suppress(ValueError):
            self.lock.waiters.remove((self.thing.name, actor.process))
        actor.effect = actor.start  # it was never notified, so it may as well have left at once
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
        self.real.notify(n)

    def cancel(self) -> None:
        for waiter in list(self.real._waiters):
            with contextlib.suppress(RuntimeError):  # notified meanwhile
                waiter.release()
