"""What a process does by itself: sleep, and choose. Neither touches anything that is shared.

Both target one object without a value, so that they are operations like all others. A sleep is a wait that
nothing can end but its time-out; when that may fire is the driver's rule for time-outs.
"""

from __future__ import annotations

from typing import Any, ClassVar

from simcore.errors import ModelError
from simcore.model.operations import BLOCKED, Ends, Operation, Outcome, Outcomes, SharedObject, check_seconds
from simcore.model.spelling import call


class Local(SharedObject):
    """The object that is not shared. There is one, at index 0 of every model."""

    kind = "local"
    enabled_by: ClassVar = {"sleep": frozenset()}
    phrases: ClassVar = {"sleep": "has slept {0} s", "choose": "chooses"}
    carries: ClassVar = frozenset({"choose"})
    waits: ClassVar = {"sleep": Ends("for {0} s to pass", "end it", "ends it", "ended it")}

    def call(self, name: str, args: tuple[Any, ...] = ()) -> str:
        """Return the call of a function, which both are."""
        return call(None, name, args)

    @property
    def initial(self) -> None:
        """Nothing, for ever."""
        return None

    def do_sleep(self, value: None, process: Any, seconds: float) -> Outcomes:
        return BLOCKED

    def expire_sleep(self, value: None, process: Any, seconds: float) -> Outcomes:
        return (Outcome(None),)

    def do_choose(self, value: None, process: Any, *options: Any) -> Outcomes:
        return tuple(Outcome(None, option) for option in options)


LOCAL = Local("process")
LOCAL.index = 0


def sleep(seconds: float) -> Operation:
    """Do nothing for ``seconds`` of virtual or real time. In exploration it follows ``timeouts=``."""
    check_seconds("sleep", seconds)
    return Operation(LOCAL, "sleep", (seconds,), seconds)


def choose(*options: Any) -> Operation:
    """Go on with any of ``options``: nondeterminism that is not scheduling, such as a fault or an input."""
    if not options:
        raise ModelError("choose() needs at least one option")
    return Operation(LOCAL, "choose", options)
