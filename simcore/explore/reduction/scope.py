"""A name in a function stands for a local variable, or for what was there before: a constant, or what is called."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from types import FunctionType
from typing import Any

from simcore.explore.reduction.steps import Unknown, nameless
from simcore.kernel.freeze import UNBOUND, contents


class Frame:
    """The variables of one call, or of a comprehension in it.

    Attributes
    ----------
    own : collection of str
        The names of its local variables, bound or not.
    """

    def __init__(self, fn: FunctionType, own: Collection[str], values: dict[str, Any]) -> None:
        self.fn, self.own, self.values = fn, own, values

    def inside(self, targets: Collection[str]) -> Frame:
        """Return the variables of a comprehension that binds ``targets``."""
        kept = {name: value for name, value in self.values.items() if name not in targets}
        return Frame(self.fn, {*self.own, *targets}, kept)

    def get(self, name: str) -> Any:
        """Return what a name stands for: of what is no local variable, nothing has been looked at."""
        if name in self.values:
            return self.values[name]
        if name in self.own or name.startswith("__"):  # unbound; or called otherwise inside of a class
            raise Unknown
        free = self.fn.__code__.co_freevars
        if name in free:
            return contents((self.fn.__closure__ or ())[free.index(name)])
        among: dict[str, Any] = getattr(self.fn, "__builtins__")  # noqa: B009 - which mypy does not know of
        return self.fn.__globals__.get(name, among.get(name, UNBOUND))

    def bind(self, name: str, value: Any) -> None:
        """Give a value to a local variable."""
        if name not in self.own or name.startswith("__"):  # global or nonlocal
            raise Unknown
        self.values[name] = value


def bound(fn: FunctionType, wanted: ast.arguments, args: Sequence[Any]) -> dict[str, Any]:
    """Return the parameters of ``fn`` with what they are given, or their defaults, which must have no names in them."""
    names = [each.arg for each in (*wanted.posonlyargs, *wanted.args)]
    defaults = fn.__defaults__ or ()
    missing = len(names) - len(args)
    if wanted.vararg or wanted.kwarg or not 0 <= missing <= len(defaults):
        raise Unknown
    left_out = defaults[len(defaults) - missing :]
    named = {each.arg: (fn.__kwdefaults__ or {})[each.arg] for each in wanted.kwonlyargs}
    if not all(map(nameless, (*left_out, *named.values()))):
        raise Unknown
    return dict(zip(names, (*args, *left_out), strict=True)) | named


def paired(targets: list[ast.expr], items: list[Any]) -> Iterator[tuple[ast.expr, Any]]:
    """Yield each of several targets of an assignment with what it is given; at most one of them has a star."""
    at = next((number for number, each in enumerate(targets) if isinstance(each, ast.Starred)), None)
    if at is not None:
        more = len(items) - (len(targets) - 1)
        if more < 0:
            raise Unknown
        items = [*items[:at], items[at : at + more], *items[at + more :]]
        targets = [each.value if isinstance(each, ast.Starred) else each for each in targets]
    if len(targets) != len(items):
        raise Unknown
    yield from zip(targets, items, strict=True)
