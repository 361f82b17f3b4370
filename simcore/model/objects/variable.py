"""A variable is one immutable value that processes read and replace, each time in one atomic step.

It is the honest way to share plain data: a read and a write are two steps, and others may come between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from simcore.errors import ModelError
from simcore.model.making import refuse_in_process
from simcore.model.operations import (
    BLOCKED,
    Ends,
    Operation,
    Outcome,
    Outcomes,
    SharedObject,
    Value,
    pairs,
    shown,
    shown_value,
)
from simcore.model.spelling import has_a_set, in_one_order, text_of
from simcore.model.values import called, refuse_generator


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
        self.start = self._immutable(value)

    def _immutable(self, value: Value) -> Value:
        try:
            hash(value)
        except TypeError:
            raise ModelError(
                f"variable {self.name!r}: a {type(value).__name__} is mutable, so whoever reads it could change it "
                f"behind the kernel's back; use a tuple, a frozenset or a frozen dataclass"
            ) from None
        return value

    def looks_inside(self, operation: Operation) -> bool:
        """The functions of a model do; to read and to replace a value is not to look into it."""
        return operation.name not in ("get", "set")

    @property
    def initial(self) -> Value:
        """As given."""
        return self.start

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
        return self._by("update", fn, args)

    def do_update(self, value: Value, process: Any, fn: Callable[..., Value], args: tuple[Any, ...]) -> Outcomes:
        new = self._immutable(self._given("update", fn, value, args))
        return (Outcome(new, new),)

    def wait_for(self, predicate: Callable[..., bool], *args: Any, timeout: float | None = None) -> Operation:
        """Wait until ``predicate(value, *args)``; the result is the value, or None when it gave up."""
        return self._by("wait_for", predicate, args, timeout)

    def do_wait_for(
        self, value: Value, process: Any, predicate: Callable[..., bool], args: tuple[Any, ...]
    ) -> Outcomes:
        return (Outcome(value, value),) if self._given("wait_for", predicate, value, args) else BLOCKED

    def expire_wait_for(self, value: Value, process: Any, predicate: Any, args: tuple[Any, ...]) -> Outcomes:
        return (Outcome(value, None),)

    def show(self, value: Value) -> str:
        """As Python writes it, but for the order of sets."""
        return text_of(value)

    def standing(self, value: Value, operation: Operation) -> str:
        """What it holds."""
        return f"which is {shown_value(value)}"

    def transition(self, fn: Callable[..., Any], *args: Any) -> Operation:
        """Let ``fn(value, *args)`` say what may happen, as pairs (new value, result); none of them is a wait.

        A guard with several outcomes in one atomic step: the kernel's own idea, for protocols that are
        described as transition systems. ``fn`` is pure. Where it is given a set, its outcomes are counted in the
        order of their texts, as a schedule tells one by its number and a set may come in any order.
        """
        return Operation(self, "transition", (fn, args))

    def do_transition(self, value: Value, process: Any, fn: Callable[..., Any], args: tuple[Any, ...]) -> Outcomes:
        def steps(*given: Any) -> Any:
            may = fn(*given)
            return tuple(may) if isinstance(may, Iterable) else may

        given = self._given("transition", steps, value, args, fn)
        if not isinstance(given, tuple) or any(not isinstance(step, tuple | list) or len(step) != 2 for step in given):
            told = f"{self._call('transition', fn, args)} returned {shown_value(given)}"
            raise ModelError(f"{told}; it must return what may happen, a list of pairs (new value, result)")
        outcomes = tuple(Outcome(self._immutable(new), result) for new, result in given)
        if len(outcomes) > 1 and has_a_set((value, args)):
            return tuple(sorted(outcomes, key=lambda outcome: in_one_order(tuple(outcome))))
        return outcomes

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SharedObject):
            refuse_in_process(f"variable {self.name!r} is equal to nothing; write `(yield {self}.get()) == ...`")
        return self is other

    __hash__ = SharedObject.__hash__

    # ---- functions of users ------------------------------------------------------------------------------------

    def _by(self, name: str, fn: Callable[..., Any], args: tuple[Any, ...], timeout: float | None = None) -> Operation:
        refuse_generator(f"{self}.{name}", fn)
        return Operation(self, name, (fn, args), timeout)

    def _given(self, name: str, fn: Callable[..., Any], value: Value, args: tuple[Any, ...], of: Any = None) -> Any:
        return called(lambda: self._call(name, of or fn, args), fn, value, *args)

    def _call(self, name: str, fn: Callable[..., Any], args: tuple[Any, ...]) -> str:
        """Say what was asked, and which function it is that answers."""
        return f"{self}.{name}({', '.join(map(shown, (fn, *args)))}): {shown(fn)}"
