"""A lock belongs to the process that acquired it; whoever else wants it waits.

The value is a `LockValue`: who owns it, how deep, and which processes wait on a condition of this lock
(`condition.py`), in the order in which they came. As in `threading`, a `Lock` may be released by any
process, and acquiring it twice waits for oneself; an `RLock` counts, and only its owner may release it.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

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
    pairs,
)


class LockValue(NamedTuple):
    """Owner (None when free), depth of a re-entrant owner, and (condition name, process) for each waiter."""

    owner: Any = None
    depth: int = 0
    waiters: tuple[tuple[str, Any], ...] = ()


class Lock(SharedObject):
    """`threading.Lock`: not re-entrant, not fair, released by whoever calls release."""

    kind = "lock"
    names_processes = True
    enabled_by: ClassVar = {"acquire": frozenset({"release", "wait"})}
    commutes: ClassVar = pairs(("locked", "locked"))
    phrases: ClassVar = {"acquire": "acquires {at}", "release": "releases {at}"}
    questions: ClassVar = {"locked": "looks whether {at} is held"}
    waits: ClassVar = {"acquire": Ends("for {at}", "release it", "releases it", "released it")}

    @property
    def initial(self) -> LockValue:
        """Free."""
        return LockValue()

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> Operation:
        """Wait until the lock is free and own it. The result is True, or False when it gave up."""
        if not blocking and timeout is not None:
            raise ValueError("can't specify a timeout for a non-blocking call")
        return Operation(self, "acquire", (blocking,), timeout)

    def do_acquire(self, value: LockValue, process: Any, blocking: bool) -> Outcomes:
        if value.owner is None:
            return (Outcome(value._replace(owner=process, depth=1), True),)
        return BLOCKED if blocking else (Outcome(value, False),)

    def expire_acquire(self, value: LockValue, process: Any, blocking: bool) -> Outcomes:
        return (Outcome(value, False),)

    def tries(self, operation: Operation) -> bool:
        """Whether it does not block."""
        return super().tries(operation) or operation.args == (False,)

    def release(self) -> Operation:
        """Free the lock. Raises RuntimeError in the process when nobody holds it."""
        return Operation(self, "release")

    def do_release(self, value: LockValue, process: Any) -> Outcomes:
        if value.owner is None:
            return (Outcome(value, Raised(RuntimeError, ("release unlocked lock",))),)
        return (Outcome(value._replace(owner=None, depth=0)),)

    def owned(self, value: LockValue, process: Any) -> bool:
        """Whether a condition lets ``process`` use this lock. A plain lock cannot tell who holds it."""
        return value.owner is not None

    def locked(self) -> Operation:
        """Tell whether somebody holds it."""
        return Operation(self, "locked")

    def do_locked(self, value: LockValue, process: Any) -> Outcomes:
        return (Outcome(value, value.owner is not None),)

    def blocked_on(self, value: Value, operation: Operation, process: Any) -> Wait:
        """A lock waits for its owner."""
        owner = value.owner  # type: ignore[attr-defined]
        return Wait(self.enabled_by["acquire"], () if owner is None else (owner,))

    def occupancy(self, value: Value) -> tuple[int, int | None]:
        """One slot."""
        return int(value.owner is not None), 1  # type: ignore[attr-defined]

    def show(self, value: Value) -> str:
        owner = value.owner  # type: ignore[attr-defined]
        return "free" if owner is None else f"held by {owner}"


class RLock(Lock):
    """`threading.RLock`: its owner may acquire it again, and must release it as often."""

    kind = "rlock"

    def do_acquire(self, value: LockValue, process: Any, blocking: bool) -> Outcomes:
        if value.owner is process:
            return (Outcome(value._replace(depth=value.depth + 1), True),)
        return super().do_acquire(value, process, blocking)

    def do_release(self, value: LockValue, process: Any) -> Outcomes:
        if value.owner is not process:
            return (Outcome(value, Raised(RuntimeError, ("cannot release un-acquired lock",))),)
        if value.depth > 1:
            return (Outcome(value._replace(depth=value.depth - 1)),)
        return super().do_release(value, process)

    def owned(self, value: LockValue, process: Any) -> bool:
        """Whether ``process`` holds it."""
        return value.owner is process
