"""A variable is one immutable value that processes read and replace, each time in one atomic step.

It is the honest way to share plain data: a read and a write are two steps, and others may come between.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from simcore.errors import ModelError
from simcore.model.operations import (
    BLOCKED,
    Ends,
    Operation,
    Outcome,
    Outcomes,
    SharedObject,
    Value,
    pairs,
    shown_value,
)


class Variable(SharedObject):
    """A named value.

    Parameters
    ----------
    name : str
        Its name.
    value : hashable
        What it holds at the start.
    """

    kind = "variable"
    enabled_by: ClassVar = dict.fromkeys(("wait_for", "transition"), frozenset({"set", "update", "transition"}))
    commutes: ClassVar = pairs(("get", "get"), ("get", "wait_for"), ("wait_for", "wait_for"))
    phrases: ClassVar = {
        "get": "reads {at}",
        "set": "sets {at} to {0}",
        "update": "updates {at} by {0}({1})",
        "transition": "updates {at} by {0}({1})",
        "wait_for": "has waited for {0}({1}) of {at}",
    }
    carries: ClassVar = frozenset({"get", "update", "transition", "wait_for"})
    waits: ClassVar = {
        "wait_for": Ends("for {0}({1}) of {at}", "change it", "changes it", "changed it"),
        "transition": Ends("for a step that {0}({1}) allows of {at}", "change it", "changes it", "changed it"),
    }

    def __init__(self, name: str, value: Value = None) -> None:
        super().__init__(name)
        self.value = self._immutable(value)

    def _immutable(self, value: Value) -> Value:
        try:
            hash(value)
        except TypeError:
            raise ModelError(
                f"variable {self.name!r}: a {type(value).__name__} is mutable, so whoever reads it could change it "
                f"behind the kernel's back; use a tuple, a frozenset or a frozen dataclass"
            ) from None
        return value

    @property
    def looks_inside(self) -> bool:
        """The functions that update it do."""
        return True

    @property
    def initial(self) -> Value:
        """As given."""
        return self.value

    def get(self) -> Operation:
        """Read it."""
        return Operation(self, "get")

    def do_get(self, value: Value, process: Any) -> Outcomes:
        return (Outcome(value, value),)

    def set(self, value: Value) -> Operation:
        """Replace it."""
        return Operation(self, "set", (value,))

    def do_set(self, old: Value, process: Any, value: Value) -> Outcomes:
        return (Outcome(value),)

    def repeats(self, operation: Operation) -> bool:
        """Whoever comes last, it holds the same."""
        return operation.name == "set"

    def update(self, fn: Callable[..., Value], *args: Any) -> Operation:
        """Replace it by ``fn(value, *args)`` in one step; the result is the new value. ``fn`` is pure."""
        return Operation(self, "update", (fn, args))

    def do_update(self, value: Value, process: Any, fn: Callable[..., Value], args: tuple[Any, ...]) -> Outcomes:
        new = self._immutable(fn(value, *args))
        return (Outcome(new, new),)

    def wait_for(self, predicate: Callable[..., bool], *args: Any, timeout: float | None = None) -> Operation:
        """Wait until ``predicate(value, *args)``; the result is the value, or None when it gave up."""
        return Operation(self, "wait_for", (predicate, args), timeout)

    def do_wait_for(
        self, value: Value, process: Any, predicate: Callable[..., bool], args: tuple[Any, ...]
    ) -> Outcomes:
        return (Outcome(value, value),) if predicate(value, *args) else BLOCKED

    def expire_wait_for(self, value: Value, process: Any, predicate: Any, args: tuple[Any, ...]) -> Outcomes:
        return (Outcome(value, None),)

    def standing(self, value: Value, operation: Operation) -> str:
        """What it holds."""
        return f"which is {shown_value(value)}"

    def transition(self, fn: Callable[..., Any], *args: Any) -> Operation:
        """Let ``fn(value, *args)`` say what may happen, as pairs (new value, result); none of them is a wait.

        A guard with several outcomes in one atomic step: the kernel's own idea, for protocols that are
        described as transition systems. ``fn`` is pure.
        """
        return Operation(self, "transition", (fn, args))

    def do_transition(self, value: Value, process: Any, fn: Callable[..., Any], args: tuple[Any, ...]) -> Outcomes:
        return tuple(Outcome(self._immutable(new), result) for new, result in fn(value, *args))
