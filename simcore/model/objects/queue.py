"""A queue hands items over in the order in which they were put; a full one blocks put, an empty one get."""

from __future__ import annotations

import queue as standard
from typing import Any, ClassVar

from simcore.errors import ModelError
from simcore.model.operations import BLOCKED, Ends, Operation, Outcome, Outcomes, Raised, SharedObject, Value, pairs


class Queue(SharedObject):
    """`queue.Queue`. The value is the tuple of items.

    Parameters
    ----------
    name : str
        Its name.
    capacity : int, optional
        Places in the queue, at least 1. None: as many as are needed.
    """

    kind = "queue"
    enabled_by: ClassVar = {"get": frozenset({"put"}), "put": frozenset({"get"})}
    commutes: ClassVar = pairs(("put", "get"), ("qsize", "qsize"))
    phrases: ClassVar = {"put": "puts {0} into {at}", "get": "gets from {at}"}
    questions: ClassVar = {"qsize": "looks how many {at} holds"}
    carries: ClassVar = frozenset({"get"})
    waits: ClassVar = {
        "put": Ends("to put into {at}", "take from it", "takes from it", "taken from it"),
        "get": Ends("for an item of {at}", "put into it", "puts into it", "put into it"),
    }

    def __init__(self, name: str, capacity: int | None = None) -> None:
        super().__init__(name)
        if capacity is not None and (not isinstance(capacity, int) or capacity < 1):
            raise ModelError(f"queue {name!r}: a capacity is at least 1, not {capacity!r}; None for no bound")
        self.capacity = capacity

    @property
    def initial(self) -> tuple[Any, ...]:
        """Empty."""
        return ()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> Operation:
        """Append an item, waiting for a free place. Raises queue.Full when it gives up."""
        return Operation(self, "put", (item, block), timeout)

    def do_put(self, value: tuple[Any, ...], process: Any, item: Any, block: bool) -> Outcomes:
        if self.capacity is None or len(value) < self.capacity:
            return (Outcome((*value, item)),)
        return BLOCKED if block else (Outcome(value, Raised(standard.Full)),)

    def expire_put(self, value: tuple[Any, ...], process: Any, item: Any, block: bool) -> Outcomes:
        return (Outcome(value, Raised(standard.Full)),)

    def get(self, block: bool = True, timeout: float | None = None) -> Operation:
        """Take the first item, waiting for one. Raises queue.Empty when it gives up."""
        return Operation(self, "get", (block,), timeout)

    def do_get(self, value: tuple[Any, ...], process: Any, block: bool) -> Outcomes:
        if value:
            return (Outcome(value[1:], value[0]),)
        return BLOCKED if block else (Outcome(value, Raised(standard.Empty)),)

    def expire_get(self, value: tuple[Any, ...], process: Any, block: bool) -> Outcomes:
        return (Outcome(value, Raised(standard.Empty)),)

    def tries(self, operation: Operation) -> bool:
        """Whether it does not block."""
        return super().tries(operation) or (operation.name in self.enabled_by and not operation.args[-1])

    def gate(self, operation: Operation) -> tuple[Any, ...]:
        """Whatever the item is, it wants a place."""
        return operation.args[1:] if operation.name == "put" else operation.args

    def repeats(self, operation: Operation) -> bool:
        """Two equal items are in order whoever puts which, unless there may be a place for one only."""
        return operation.name == "put" and self.capacity is None

    def qsize(self) -> Operation:
        """Read the number of items."""
        return Operation(self, "qsize")

    def do_qsize(self, value: tuple[Any, ...], process: Any) -> Outcomes:
        return (Outcome(value, len(value)),)

    def occupancy(self, value: Value) -> tuple[int, int | None]:
        """Items in the queue, of its capacity."""
        return len(value), self.capacity  # type: ignore[arg-type]

    def standing(self, value: Value, operation: Operation) -> str:
        """Full or empty."""
        return "empty" if operation.name == "get" else f"full ({len(value)}/{self.capacity})"  # type: ignore[arg-type]

    def show(self, value: Value) -> str:
        inside = ", ".join(map(str, value))  # type: ignore[call-overload]
        return f"[{inside}]"
