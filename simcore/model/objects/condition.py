"""A condition has no value of its own: its waiters are part of its lock's value.

That keeps every operation on one value. ``wait`` is two steps, as in `threading.Condition`: release the
lock and join the waiters, then, once notified, acquire the lock again. `notify` wakes those who came first.
"""

from __future__ import annotations

from typing import Any, ClassVar, cast

from simcore.model.objects.lock import Lock, LockValue
from simcore.model.operations import BLOCKED, Ends, Operation, Outcome, Outcomes, Raised, SharedObject, Value, Wait


class Condition(SharedObject):
    """`threading.Condition` on a lock that several conditions may share.

    Parameters
    ----------
    name : str
        Its name.
    lock : Lock
        The lock it releases while waiting; a `Lock` or an `RLock` of the same model.
    """

    kind = "condition"
    enabled_by: ClassVar = {
        "reacquire": frozenset({"notify", "notify_all"}),
    }
    phrases: ClassVar = {
        "wait": "waits on {at} and releases its lock",
        "reacquire": "goes on from {at} and acquires its lock again",
        "notify": "notifies {at}",
        "notify_all": "notifies all who wait on {at}",
    }

    waits: ClassVar = {
        "reacquire": Ends("to be notified on {at}", "notify it", "notifies it", "notified it"),
    }
    spelled: ClassVar = {"reacquire": "wait"}

    def __init__(self, name: str, lock: Lock) -> None:
        super().__init__(name)
        self.lock = lock

    @property
    def initial(self) -> LockValue:
        """The lock's."""
        return self.lock.initial

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> Operation:
        """Acquire the underlying lock."""
        return self.lock.acquire(blocking, timeout)

    def release(self) -> Operation:
        """Release the underlying lock."""
        return self.lock.release()

    def wait(self, timeout: float | None = None) -> Operation:
        """Release the lock, wait to be notified, acquire it again. False when the time-out came first."""
        return Operation(self, "wait", (timeout,))

    def do_wait(self, value: LockValue, process: Any, timeout: float | None) -> Outcomes:
        if not self.lock.owned(value, process):
            return (Outcome(value, Raised(RuntimeError, ("cannot wait on un-acquired lock",))),)
        waiting = LockValue(waiters=(*value.waiters, (self.name, process)))
        return (Outcome(waiting, Operation(self, "reacquire", (value.depth, True), timeout)),)

    def do_reacquire(self, value: LockValue, process: Any, depth: int, notified: bool) -> Outcomes:
        if value.owner is not None or (self.name, process) in value.waiters:
            return BLOCKED
        return (Outcome(value._replace(owner=process, depth=depth), notified),)

    def expire_reacquire(self, value: LockValue, process: Any, depth: int, notified: bool) -> Outcomes:
        if (self.name, process) not in value.waiters:
            return BLOCKED  # notified in time: it waits for the lock alone, without a limit
        left = value._replace(waiters=tuple(w for w in value.waiters if w != (self.name, process)))
        return (Outcome(left, Operation(self, "reacquire", (depth, False))),)

    def notify(self, n: int = 1) -> Operation:
        """Wake up to ``n`` waiters, those who came first. Raises RuntimeError without the lock."""
        return Operation(self, "notify", (n,))

    def do_notify(self, value: LockValue, process: Any, n: int) -> Outcomes:
        if not self.lock.owned(value, process):
            return (Outcome(value, Raised(RuntimeError, ("cannot notify on un-acquired lock",))),)
        woken = [waiter for waiter in value.waiters if waiter[0] == self.name][: max(0, n)]
        return (Outcome(value._replace(waiters=tuple(w for w in value.waiters if w not in woken))),)

    def notify_all(self) -> Operation:
        """Wake all waiters."""
        return Operation(self, "notify_all")

    def do_notify_all(self, value: LockValue, process: Any) -> Outcomes:
        return self.do_notify(value, process, len(value.waiters))

    def tells(self, value: Value, operation: Operation, process: Any, result: Any) -> str:
        """A notify says whom it wakes."""
        if operation.name not in ("notify", "notify_all") or isinstance(result, Raised):
            return super().tells(value, operation, process, result)
        before, after = (cast(LockValue, each).waiters for each in (value, self._notified(value, operation, process)))
        woken = [str(waiter) for name, waiter in before if (name, waiter) not in after]
        return f"wakes {', '.join(woken)}" if woken else "wakes nobody"

    def _notified(self, value: Value, operation: Operation, process: Any) -> Value:
        return self.outcomes(value, operation, process)[0].value

    def blocked_on(self, value: Value, operation: Operation, process: Any) -> Wait:
        """Until it is notified it waits for a notifier; after that, or when its time is up, for the lock's owner."""
        owner, _, waiters = cast(LockValue, value)
        if owner is not None and (self.name, process) not in waiters:
            return Wait(frozenset({"release"}), (owner,))
        return super().blocked_on(value, operation, process)
