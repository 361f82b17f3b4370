"""A future is set once, to a result or to an exception, and everybody who waits for it gets that."""

from __future__ import annotations

from concurrent.futures import InvalidStateError
from itertools import product
from typing import Any, ClassVar, NamedTuple, cast

from simcore.model.operations import BLOCKED, Ends, Operation, Outcome, Outcomes, Raised, SharedObject, Value, pairs


class FutureValue(NamedTuple):
    """Whether it is set, and to what: a result, or a `Raised`."""

    done: bool = False
    result: Any = None


class Future(SharedObject):
    """`concurrent.futures.Future`: made by ``model.future``, or by a submit."""

    kind = "future"
    enabled_by: ClassVar = {
        "result": frozenset({"set_result", "set_exception"}),
        "exception": frozenset({"set_result", "set_exception"}),
    }
    commutes: ClassVar = pairs(
        ("done", "done"),
        *product(("result", "exception"), ("result", "exception", "set_result", "set_exception", "done")),
    )
    phrases: ClassVar = {
        "set_result": "sets {at} to {0}",
        "set_exception": "sets {at} to {0}",
        "result": "has the result of {at}",
    }
    questions: ClassVar = {"exception": "has the exception of {at}", "done": "looks whether {at} is set"}
    carries: ClassVar = frozenset({"exception"})
    waits: ClassVar = dict.fromkeys(
        ("result", "exception"), Ends("for the result of {at}", "set it", "sets it", "set it")
    )

    @property
    def initial(self) -> FutureValue:
        """Pending."""
        return FutureValue()

    @property
    def set_already(self) -> str:
        """What is said to who sets it once more; the name of one that a submit has made is nobody's business."""
        return f"{self.name if self.index >= 0 else 'the future'} is set already"

    def set_result(self, result: Any) -> Operation:
        """Set the result. Raises InvalidStateError in the process when it is set already."""
        return Operation(self, "set_result", (result,))

    def do_set_result(self, value: FutureValue, process: Any, result: Any) -> Outcomes:
        if value.done:
            return (Outcome(value, Raised(InvalidStateError, (self.set_already,))),)
        return (Outcome(FutureValue(True, result)),)

    def set_exception(self, exception: BaseException | Raised) -> Operation:
        """Set an exception, which ``result`` then raises."""
        raised = exception if isinstance(exception, Raised) else Raised.of(exception)
        return Operation(self, "set_exception", (raised,))

    def do_set_exception(self, value: FutureValue, process: Any, raised: Raised) -> Outcomes:
        return self.do_set_result(value, process, raised)

    def result(self, timeout: float | None = None) -> Operation:
        """Wait for the result, or raise the exception. Raises TimeoutError when the time-out came first."""
        return Operation(self, "result", (), timeout)

    def do_result(self, value: FutureValue, process: Any) -> Outcomes:
        return (Outcome(value, value.result),) if value.done else BLOCKED

    def expire_result(self, value: FutureValue, process: Any) -> Outcomes:
        return (Outcome(value, Raised(TimeoutError)),)

    def exception(self, timeout: float | None = None) -> Operation:
        """Wait until it is set; the result is the type of the exception, or None."""
        return Operation(self, "exception", (), timeout)

    def do_exception(self, value: FutureValue, process: Any) -> Outcomes:
        if not value.done:
            return BLOCKED
        return (Outcome(value, value.result.type if isinstance(value.result, Raised) else None),)

    def expire_exception(self, value: FutureValue, process: Any) -> Outcomes:
        return self.expire_result(value, process)

    def done(self) -> Operation:
        """Tell whether it is set."""
        return Operation(self, "done")

    def do_done(self, value: FutureValue, process: Any) -> Outcomes:
        return (Outcome(value, value.done),)

    def tells(self, value: Value, operation: Operation, process: Any, result: Any) -> str:
        """That a function returned nothing goes without saying, that it returned True does not."""
        if operation.name == "result" and result is True:
            return "True"
        return super().tells(value, operation, process, result)

    def show(self, value: Value) -> str:
        done, result = cast(FutureValue, value)
        return f"set to {result}" if done else "pending"
