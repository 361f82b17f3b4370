"""An event is a flag: waiting for it ends once it is set, and it stays set until it is cleared."""

from __future__ import annotations

from typing import Any, ClassVar

from simcore.model.operations import BLOCKED, Ends, Operation, Outcome, Outcomes, SharedObject, Value, pairs


class Event(SharedObject):
    """`threading.Event`. The value is the flag."""

    kind = "event"
    enabled_by: ClassVar = {"wait": frozenset({"set"})}
    commutes: ClassVar = pairs(
        ("set", "set"), ("clear", "clear"), ("wait", "wait"), ("is_set", "is_set"), ("set", "wait"), ("wait", "is_set")
    )
    phrases: ClassVar = {"set": "sets {at}", "clear": "clears {at}", "wait": "has waited for {at}"}
    questions: ClassVar = {"is_set": "looks whether {at} is set"}
    waits: ClassVar = {"wait": Ends("for {at} to be set", "set it", "sets it", "set it")}

    @property
    def initial(self) -> bool:
        """Not set."""
        return False

    def set(self) -> Operation:
        """Set the flag, which lets every waiter go on."""
        return Operation(self, "set")

    def do_set(self, value: bool, process: Any) -> Outcomes:
        return (Outcome(True),)

    def clear(self) -> Operation:
        """Reset the flag."""
        return Operation(self, "clear")

    def do_clear(self, value: bool, process: Any) -> Outcomes:
        return (Outcome(False),)

    def wait(self, timeout: float | None = None) -> Operation:
        """Wait until the flag is set. The result is True, or False when the time-out came first."""
        return Operation(self, "wait", (), timeout)

    def do_wait(self, value: bool, process: Any) -> Outcomes:
        return (Outcome(True, True),) if value else BLOCKED

    def expire_wait(self, value: bool, process: Any) -> Outcomes:
        return (Outcome(value, False),)

    def is_set(self) -> Operation:
        """Read the flag."""
        return Operation(self, "is_set")

    def do_is_set(self, value: bool, process: Any) -> Outcomes:
        return (Outcome(value, value),)

    def show(self, value: Value) -> str:
        return "set" if value else "not set"
