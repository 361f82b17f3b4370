"""A semaphore is a number of permits: acquire takes one and waits while there is none, release gives back."""

from __future__ import annotations

from typing import Any, ClassVar

from simcore.errors import ModelError
from simcore.model.operations import BLOCKED, Ends, Operation, Outcome, Outcomes, SharedObject, Value, pairs


class Semaphore(SharedObject):
    """`threading.Semaphore`. The value is the number of free permits.

    Parameters
    ----------
    name : str
        Its name.
    n : int
        Permits at the start, at least 0.
    """

    kind = "semaphore"
    enabled_by: ClassVar = {"acquire": frozenset({"release"})}
    commutes: ClassVar = pairs(("acquire", "release"), ("release", "release"))
    phrases: ClassVar = {"acquire": "takes a permit of {at}", "release": "gives back a permit of {at}"}
    waits: ClassVar = {"acquire": Ends("for a permit of {at}", "give one back", "gives one back", "given one back")}

    def __init__(self, name: str, n: int = 1) -> None:
        super().__init__(name)
        if not isinstance(n, int) or n < 0:
            raise ModelError(f"semaphore {name!r}: the number of permits is at least 0, not {n!r}")
        self.n = n

    @property
    def initial(self) -> int:
        """All permits free."""
        return self.n

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> Operation:
        """Take a permit. The result is True, or False when it gave up."""
        if not blocking and timeout is not None:
            raise ValueError("can't specify timeout for non-blocking acquire")
        return Operation(self, "acquire", (blocking,), timeout)

    def do_acquire(self, value: int, process: Any, blocking: bool) -> Outcomes:
        if value > 0:
            return (Outcome(value - 1, True),)
        return BLOCKED if blocking else (Outcome(value, False),)

    def expire_acquire(self, value: int, process: Any, blocking: bool) -> Outcomes:
        return (Outcome(value, False),)

    def tries(self, operation: Operation) -> bool:
        """Whether it does not block."""
        return super().tries(operation) or operation.args == (False,)

    def release(self, n: int = 1) -> Operation:
        """Give back ``n`` permits; as in the standard library nothing stops it from exceeding the start."""
        if n < 1:
            raise ValueError("n must be one or more")
        return Operation(self, "release", (n,))

    def do_release(self, value: int, process: Any, n: int) -> Outcomes:
        return (Outcome(value + n),)

    def occupancy(self, value: Value) -> tuple[int, int | None]:
        """Permits taken, of those there were at the start."""
        return max(0, self.n - value), self.n  # type: ignore[operator]

    def standing(self, value: Value, operation: Operation) -> str:
        """How many permits are free."""
        return f"0 of {self.n} free" if self.n else "none free"

    def show(self, value: Value) -> str:
        return f"{value} of {self.n} permits free"
