"""A condition has no value of its own: its waiters are part of its lock's value.

That keeps every operation on one value. ``wait`` is what `threading.Condition` does on CPython 3.11 to 3.15, in two
steps or three: release the lock and join the waiters; if the time-out passes before a notification, give up; acquire
the lock again. *Who has given up is a waiter until it has the lock again*: CPython takes it from the list only then,
so a `notify` that comes in between is spent on it, its wait is False all the same, and whoever came behind it is not
woken. `notify` takes those who came first.

What of this is documented: that a wait "re-acquires the lock and returns" once it was awakened or its time is up, and
that `notify` "wakes up at most n of the threads waiting". Nothing says that a waiter whose time is up no longer counts
as one, so no program may rely on it. That those who came first are woken first is CPython's habit, and that `notify`
wakes exactly n where there are as many: "an optimized implementation may occasionally wake up more than n". We follow
CPython in both. On a plain `Lock` anybody may notify while anybody holds it, as there; that such a `notify` may also
come between the two lines by which a waiter takes the lock and leaves the list is left out.
"""

from __future__ import annotations

from typing import Any, ClassVar, cast

from simcore.model.objects.lock import Lock, LockValue
from simcore.model.operations import (
    BLOCKED,
    Ends,
    Operation,
    Outcome,
    Outcomes,
    Raised,
    SharedObject,
    Value,
    Wait,
    check_seconds,
)


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
        if timeout is not None:  # the second half has the limit; it is refused where it is written
            check_seconds(f"{self.name}.wait", timeout)
        return Operation(self, "wait", (timeout,))

    def do_wait(self, value: LockValue, process: Any, timeout: float | None) -> Outcomes:
        if not self.lock.owned(value, process):
            return (Outcome(value, Raised(RuntimeError, ("cannot wait on un-acquired lock",))),)
        waiting = LockValue(waiters=(*value.waiters, (self.name, process)))
        return (Outcome(waiting, Operation(self, "reacquire", (value.depth, True), timeout)),)

    def do_reacquire(self, value: LockValue, process: Any, depth: int, in_time: bool) -> Outcomes:
        me = (self.name, process)
        if value.owner is not None or (in_time and me in value.waiters):
            return BLOCKED
        return (Outcome(LockValue(process, depth, tuple(w for w in value.waiters if w != me)), in_time),)

    def expire_reacquire(self, value: LockValue, process: Any, depth: int, in_time: bool) -> Outcomes:
        if (self.name, process) not in value.waiters:
            return BLOCKED  # notified in time: it waits for the lock alone, without a limit
        return (Outcome(value, Operation(self, "reacquire", (depth, False))),)

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
        return f"wakes {', '.join(self.woken(value, operation, process)) or 'nobody'}"

    def woken(self, value: Value, operation: Operation, process: Any) -> tuple[str, ...]:
        """Return whom a notify by ``process`` wakes at ``value``, in the order in which they came."""
        before, after = (cast(LockValue, each).waiters for each in (value, self._notified(value, operation, process)))
        return tuple(str(waiter) for name, waiter in before if (name, waiter) not in after)

    def _notified(self, value: Value, operation: Operation, process: Any) -> Value:
        return self.outcomes(value, operation, process)[0].value

    def blocked_on(self, value: Value, operation: Operation, process: Any) -> Wait:
        """Until it is notified or gives up it waits for a notifier; after that, for the lock's owner."""
        owner, _, waiters = cast(LockValue, value)
        given_up = operation.name == "reacquire" and not operation.args[1]
        if owner is not None and (given_up or (self.name, process) not in waiters):
            return Wait(frozenset({"release"}), (owner,))
        return super().blocked_on(value, operation, process)
