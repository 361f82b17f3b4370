"""Exchanging two names moves the code and the arguments of one process to those of another, part by part.

Functions that the model has defined once for each name, and objects of its own classes, have an identity, so a
value that mentions one cannot be renamed by its parts. What each is moved to is found by walking through what a
process runs and what the process it is moved to runs, side by side.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from simcore.explore.reduction.names import Moves, Names, NotSymmetric
from simcore.explore.reduction.renaming import PLAIN
from simcore.kernel.freeze import UNBOUND, contents, is_frozen_dataclass
from simcore.model import Index, Process
from simcore.model.operations import SharedObject

_LEFT_OUT = ("name", "index", "initial")  # of an object or process: what differs anyhow


class Pairing:
    """What exchanging two names moves each thing with an identity to.

    Parameters
    ----------
    names : Names
        Those that there are.
    family : str
        To which the two belong.
    moves : mapping of int to int
        The two.

    Raises
    ------
    NotSymmetric
        When what a process runs differs from what the process that it is moved to runs in more than the names.
    """

    def __init__(self, names: Names, family: str, moves: Moves) -> None:
        self.names, self.family, self.moves = names, family, moves
        self.things: dict[int, Any] = {}
        self.image: dict[int, int] = {}
        self._cases: dict[type, Callable[[Any, Any], None]] = {
            types.FunctionType: self._function,
            types.CellType: self._cell,
            types.MethodType: lambda one, other: self._all(
                (one.__func__, one.__self__), (other.__func__, other.__self__)
            ),
            dict: self._dict,
            list: self._all,
            tuple: self._all,
            set: self._set,
            frozenset: self._set,
        }
        for thing in names.things:
            other = names.moved(thing, moves)
            if type(other) is not type(thing):
                raise NotSymmetric(family, f"{thing} is a {_kind(thing)} and {other} a {_kind(other)}")
            self._what = f"{thing} and {other}"
            self._all(_attributes(thing), _attributes(other))

    def _differ(self, one: Any, other: Any) -> NotSymmetric:
        return NotSymmetric(self.family, f"{self._what} differ in more than the name: {one!r} and {other!r}")

    def _all(self, ones: Iterable[Any], others: Iterable[Any]) -> None:
        left, right = list(ones), list(others)
        if len(left) != len(right):
            raise self._differ(ones, others)
        for one, other in zip(left, right, strict=True):
            self.pair(one, other)

    def pair(self, one: Any, other: Any) -> None:
        """Note that ``one`` is moved to ``other``."""
        kind: Any = type(one)
        if type(other) is not kind:
            raise self._differ(one, other)
        atom = self._atom(one)
        if atom is not UNBOUND:
            if atom is not other and (not isinstance(one, (str, *PLAIN)) or atom != other):
                raise self._differ(one, other)
        elif one is other and any(one is family for family in self.names.kernel.model.families.values()):
            pass  # code that goes through the names of a family is allowed, if their order does not show
        elif kind in (tuple, frozenset) or hasattr(kind, "_fields") or is_frozen_dataclass(kind):
            self._value(one, other)
        elif id(one) not in self.image:
            self.things[id(one)], self.things[id(other)] = one, other
            self.image[id(one)] = id(other)
            self._cases.get(kind, self._instance)(one, other)
        elif self.image[id(one)] != id(other):
            raise self._differ(one, other)

    def _atom(self, one: Any) -> Any:
        """Return what ``one`` is moved to when it has no parts."""
        if isinstance(one, str):
            return self.names.text(one, self.moves)
        if isinstance(one, Index):
            name = self.names.of_index(one)
            return one if name is None else self.names.thing(self.moves.get(name, name))
        if isinstance(one, SharedObject | Process) and self.names.belongs(one):
            worker = isinstance(one, Process) and self.names.of_worker(one) is not None
            return one if worker else self.names.moved(one, self.moves)
        plain = isinstance(one, (*PLAIN, type, types.ModuleType, types.BuiltinFunctionType))
        return one if plain else UNBOUND

    def _value(self, one: Any, other: Any) -> None:
        case = self._cases.get(type(one)) or (self._all if isinstance(one, tuple) else self._instance)
        case(one, other)

    def _function(self, one: Any, other: Any) -> None:
        if one.__code__ is not other.__code__ or one.__globals__ is not other.__globals__:
            raise self._differ(one, other)
        self._all(one.__closure__ or (), other.__closure__ or ())
        self._all(one.__defaults__ or (), other.__defaults__ or ())
        self.pair(one.__kwdefaults__, other.__kwdefaults__)
        self._dict(one.__dict__, other.__dict__)

    def _cell(self, one: Any, other: Any) -> None:
        self.pair(contents(one), contents(other))

    def _dict(self, one: dict[Any, Any], other: dict[Any, Any]) -> None:
        """Pair by key where keys are names; whether the order of a dictionary tells names apart is tested later."""
        if len(one) != len(other):
            raise self._differ(one, other)
        for key, value in one.items():
            moved = self._hashable(key)
            if moved not in other:
                raise self._differ(one, other)
            self.pair(value, other[moved])

    def _set(self, one: Iterable[Any], other: Any) -> None:
        if {self._hashable(item) for item in one} != set(other):
            raise self._differ(one, other)

    def _hashable(self, key: Any) -> Any:
        if isinstance(key, tuple):
            parts = [self._hashable(part) for part in key]
            return type(key)(*parts) if hasattr(key, "_fields") else tuple(parts)
        moved = self._atom(key)
        return key if moved is UNBOUND else moved

    def _instance(self, one: Any, other: Any) -> None:
        """Take two objects apart as pickle would; what cannot be taken apart is moved to itself alone."""
        left, right = _taken_apart(one), _taken_apart(other)
        if left is not None and right is not None:
            self._all(left, right)
        elif one is not other:
            raise self._differ(one, other)


def _attributes(thing: Any) -> list[Any]:
    """Return what makes an object or a process but its name, in an order that two of a kind share."""
    return [value for key, value in sorted(vars(thing).items()) if key not in _LEFT_OUT]


def _kind(thing: Any) -> str:
    return str(getattr(thing, "kind", "process"))


def _taken_apart(thing: Any) -> list[Any] | None:
    try:
        parts: Any = thing.__reduce_ex__(4)
    except Exception:
        return None
    return [parts] if isinstance(parts, str) else [list(p) if isinstance(p, Iterator) else p for p in parts]
