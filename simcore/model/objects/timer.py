"""A timer runs a function once, some time after it was started, unless it is cancelled before.

It is a thread, and no daemon: from its start until its function has returned the program does not end, and if the
function hangs the program does. Before, and for ever if nobody starts it, there is no thread and nothing is owed.
"""

from __future__ import annotations

from typing import Any, ClassVar

from simcore.model.operations import (
    BLOCKED,
    Ends,
    Operation,
    Outcome,
    Outcomes,
    ProcessGenerator,
    Raised,
    SharedObject,
    check_seconds,
)


class Timer(SharedObject):
    """`threading.Timer`.

    The value is "idle", "cancelled" (before it was started), "armed", "stopped" (started, and cancelled) or
    "fired". The model gives it a process that counts down and then runs the function.
    """

    kind = "timer"
    enabled_by: ClassVar = {"armed": frozenset({"start"}), "countdown": frozenset({"cancel"})}
    rests: ClassVar = frozenset({"armed"})
    phrases: ClassVar = {
        "start": "starts {at}",
        "cancel": "cancels {at}",
        "armed": "begins to count down",
        "countdown": "ends the countdown",
    }
    waits: ClassVar = {
        "armed": Ends("for {at} to be started", "start it", "starts it", "started it"),
        "countdown": Ends("for the countdown of {at}", "cancel it", "cancels it", "cancelled it"),
    }

    def __init__(self, name: str, interval: float) -> None:
        super().__init__(name)
        check_seconds(f"timer {name!r}", interval)
        self.interval = interval

    @property
    def initial(self) -> str:
        """Not started."""
        return "idle"

    def start(self) -> Operation:
        """Start counting down. Raises RuntimeError in the process when it was started before."""
        return Operation(self, "start")

    def do_start(self, value: str, process: Any) -> Outcomes:
        if value in ("armed", "fired", "stopped"):
            return (Outcome(value, Raised(RuntimeError, ("threads can only be started once",))),)
        return (Outcome("armed" if value == "idle" else "stopped"),)

    def cancel(self) -> Operation:
        """Prevent the function from running, if it is not too late."""
        return Operation(self, "cancel")

    def do_cancel(self, value: str, process: Any) -> Outcomes:
        return (Outcome({"idle": "cancelled", "armed": "stopped"}.get(value, value)),)

    def do_armed(self, value: str, process: Any) -> Outcomes:
        return BLOCKED if value in ("idle", "cancelled") else (Outcome(value),)

    def do_countdown(self, value: str, process: Any) -> Outcomes:
        return (Outcome(value, False),) if value == "stopped" else BLOCKED

    def expire_countdown(self, value: str, process: Any) -> Outcomes:
        return (Outcome("fired", True),)

    def run(self, fn: Any, args: tuple[Any, ...]) -> ProcessGenerator:
        """The timer's own process."""
        yield Operation(self, "armed")
        if (yield Operation(self, "countdown", (), self.interval)):
            yield from fn(*args)
