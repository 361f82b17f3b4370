"""How a thing outside of a process is looked at: what stands in it now, and what a person calls each part of it.

What a look reads changes exactly if the thing was changed, and is compared by identity; what is inside is looked at in
turn, each thing once. Things that cannot change are only passed through.
"""

from __future__ import annotations

import functools
import gc
import inspect
import sys
import types
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from functools import partial
from itertools import zip_longest
from operator import attrgetter, is_
from typing import Any, NamedTuple

from simcore.errors import SimcoreError
from simcore.kernel.freeze import Freezer, Unfreezable
from simcore.kernel.generators import contents
from simcore.kernel.instances import (
    attributes_of,
    content_of,
    dict_of,
    in_member,
    is_container,
    is_frozen_dataclass,
    members,
    remembered,
    resolved,
)

MISSING = object()
"""What a name stands for that is not bound."""

_ATOMS = (str, int, float, complex, bytes, bool, type(None), type(...), type(NotImplemented), range, types.CodeType)
_PASSED_THROUGH = (
    *(tuple, frozenset, staticmethod, classmethod, property, types.MethodType, types.MappingProxyType, slice),
    *(functools.partial, functools.partialmethod),
)
_OF_A_CLASS = (
    types.MemberDescriptorType,
    types.GetSetDescriptorType,
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
    type(namedtuple("_", "field").field),  # type: ignore[attr-defined]
)
_REMEMBER = ("logging", "pathlib", "pathlib._local", "re", "_io", "io", "typing")
"""Modules whose objects keep what they have computed, or written, where no process asks for it."""

_KEPT_BY_PYTHON = frozenset(
    (
        *("__slotnames__", "__annotations__", "__annotations_cache__", "__annotate__", "__annotate_func__", "__doc__"),
        *("__static_attributes__", "__firstlineno__", "__weakref__", "__dict__", "__abstractmethods__", "_abc_impl"),
        *("__type_params__", "__parameters__", "_value2member_map_", "_unhashable_values_", "_hashable_values_"),
        "_unhashable_values_map_",
    )
)
"""Entries of a class that come and go without anybody's setting them."""

_in_cell = attrgetter("cell_contents")
_PARTS_OF_A_FUNCTION = ("__defaults__", "__kwdefaults__", "__code__")


class Part(NamedTuple):
    """Something, and what a person calls it."""

    thing: Any
    path: str


class Look:
    """One thing, and how it is read.

    Parameters
    ----------
    path, pattern : str
        What it is called, and what a part of it that has a name is.
    read : function
        Gives its parts, those with names first.
    names : function
        Gives the names.
    watched : bool
        Whether it can change.
    getters : functions
        If there are any, all of it is as it was where what each of them gives is; see `Columns`.
    """

    remembers = False
    """Whether it takes up what it has computed."""

    def __init__(
        self,
        thing: Any,
        path: str,
        read: Callable[[Any], list[Any]],
        names: Callable[[Any], Iterable[Any]] = lambda thing: (),
        pattern: str = "{0}",
        watched: bool = True,
        getters: Sequence[Callable[[Any], Any]] = (),
    ) -> None:
        self.thing, self.path, self.pattern, self.watched, self.getters = thing, path, pattern, watched, getters
        self._read, self._names = read, names
        self.note()

    def note(self) -> None:
        """Take what is there now for what should be there."""
        self._before, self._called = self._read(self.thing), self._names_now()

    def _names_now(self) -> list[Any]:
        return list(self._names(self.thing))

    def inside(self) -> Iterator[Part]:
        """Return where to look next."""
        for part, name in zip_longest(self._before, self._called, fillvalue=MISSING):
            if part is not MISSING and not self._is_pythons(name):
                yield Part(part, self.path if name is MISSING else self.pattern.format(self.path, name))

    def is_as_it_was(self) -> bool:
        """Tell whether nothing has changed."""
        now = self._read(self.thing)
        return len(now) == len(self._before) and all(map(is_, now, self._before))

    def difference(self) -> str | None:
        """Return the name of what has changed; None where it is nothing that a process could tell."""
        now, names = self._read(self.thing), self._names_now()
        old, new = dict(zip(self._called, self._before, strict=False)), dict(zip(names, now, strict=False))
        different = [name for name in {**old, **new} if old.get(name, MISSING) is not new.get(name, MISSING)]
        told = [name for name in different if not self._goes_unnoticed(name, new.get(name, MISSING))]
        if told:
            return self.pattern.format(self.path, told[0])
        return None if different else self.path

    def _is_pythons(self, name: Any) -> bool:
        return isinstance(self.thing, type) and name in _KEPT_BY_PYTHON

    def _goes_unnoticed(self, name: Any, value: Any) -> bool:
        if isinstance(self.thing, type):
            return self._is_pythons(name)
        computed = inspect.getattr_static(type(self.thing), name, None) if isinstance(name, str) else None
        return isinstance(computed, functools.cached_property) and name not in self._called and _is_immutable(value)


class Columns:
    """Hundreds of things that are alike, such as records that were passed as arguments, are looked at after every step.

    What a getter, which is a function written in C, gives of each of them stands in one column, and columns are
    compared by loops that are written in C, too.
    """

    def __init__(self) -> None:
        self._columns: dict[Callable[[Any], Any], tuple[list[Any], list[Any]]] = {}

    def take(self, look: Look) -> bool:
        """Tell whether ``look`` is looked at from now on."""
        try:
            given = [getter(look.thing) for getter in look.getters]
        except (AttributeError, ValueError):  # a slot or a cell that is empty
            return False
        for getter, now in zip(look.getters, given, strict=True):
            things, before = self._columns.setdefault(getter, ([], []))
            things.append(look.thing)
            before.append(now)
        return bool(given)

    def are_as_they_were(self) -> bool:
        """Tell whether nothing has changed."""
        try:
            return all(all(map(is_, map(get, things), before)) for get, (things, before) in self._columns.items())
        except (AttributeError, ValueError):
            return False


class _Remembered(Look):
    """A function with an ``lru_cache``."""

    remembers = True

    def difference(self) -> str | None:
        """Return its name when somebody could tell.

        Nobody can tell an immutable result that was computed before from one that is computed again.
        """
        known = set(map(id, self._before))
        new = [part for part in self._read(self.thing) if id(part) not in known]
        return None if all(map(_is_immutable, new)) else self.path


class _ByValue(Look):
    """Something written in C: its state is one key, as pickle or `iterators` read it."""

    def is_as_it_was(self) -> bool:
        """Compare by value."""
        try:
            return self._read(self.thing) == self._before
        except (Unfreezable, SimcoreError):
            return False


def look_of(thing: Any, path: str) -> Look | None:
    """Return how to look at something; None where nothing in it can change, or it cannot be seen if it does."""
    kind: Any = type(thing)
    if kind in _ATOMS or isinstance(thing, _OF_A_CLASS) or kind.__module__ in _REMEMBER:
        return None
    if kind in _LOOKS:
        return _LOOKS[kind](thing, path)
    if kind in _PASSED_THROUGH:
        return Look(thing, path, list if kind is tuple else gc.get_referents, watched=False)
    if isinstance(thing, type):
        return Look(thing, thing.__qualname__, _of_class, vars, "{}.{}")
    if any((base.__module__, base.__name__) == ("_thread", "_local") for base in kind.__mro__):
        return Look(vars(thing), path, _of_mapping, list, "{}.{}")
    return _instance(thing, path)


def all_of_module(scope: dict[str, Any], name: str) -> Look:
    """Return how to look at everything in a module."""
    return _Module(scope, name, lambda scope: [*map(resolved, scope.values()), *scope], list, "{}.{}")


class _Module(Look):
    """All names of a module, but for what the import system has put there."""

    def _is_pythons(self, name: Any) -> bool:
        return isinstance(name, str) and name.startswith("__") and name.endswith("__")


class Named(Look):
    """Some names of a module, there or not."""

    def __init__(self, scope: dict[str, Any], path: str) -> None:
        self._only: dict[str, None] = {}
        super().__init__(scope, path, self._found, pattern="{}.{}")

    def _found(self, scope: dict[str, Any]) -> list[Any]:
        return [resolved(scope.get(name, MISSING)) for name in self._only]

    def also(self, names: Iterable[str]) -> Iterator[Part]:
        """Look at these, too; return what they stand for now."""
        new = [name for name in names if name not in self._only]
        self._only.update(dict.fromkeys(new))
        self._called += new
        for name in new:
            part = resolved(self.thing.get(name, MISSING))
            self._before.append(part)
            if part is not MISSING:
                yield Part(part, self.pattern.format(self.path, name))

    def _names_now(self) -> list[Any]:
        return list(self._only)


def _of_mapping(items: dict[Any, Any]) -> list[Any]:
    return [*items.values(), *items]


def _of_class(kind: type) -> list[Any]:
    return [*vars(kind).values(), type(kind), *kind.__bases__]


def _of_function(fn: types.FunctionType) -> list[Any]:
    attributes = fn.__dict__
    return [fn.__defaults__, fn.__kwdefaults__, fn.__code__, *attributes.values(), *attributes]


def _called_in_function(fn: types.FunctionType) -> list[str]:
    return [*_PARTS_OF_A_FUNCTION, *fn.__dict__]


def _builtin(fn: Any, path: str) -> Look | None:
    """Look at what a built-in function is bound to, or at what it keeps for its thread."""
    if fn.__module__ in ("decimal", "_decimal") and fn.__name__.endswith("context"):
        return _ByValue(sys.modules["decimal"].getcontext, path, lambda get: [_precision(get())])
    if isinstance(fn.__self__, types.ModuleType | None):
        return None
    return Look(fn, path, lambda fn: [fn.__self__], watched=False)


def _precision(context: Any) -> tuple[Any, ...]:
    """Return what decides how a context of decimals computes; its flags are raised by computing."""
    traps = tuple(trap for trap, on in context.traps.items() if on)
    return (context.prec, context.rounding, context.Emin, context.Emax, context.capitals, context.clamp, traps)


def _instance(thing: Any, path: str) -> Look | None:
    """Look at attributes, slots, and what it holds as the container that it is."""
    kind: Any = type(thing)
    if content_of(thing) is None:
        return _state(thing, path)
    slots, place = members(kind), dict_of(kind)
    if place is not None and not slots and not is_container(thing):
        return Look(thing, path, partial(_of_attributes, place.__get__), place.__get__, "{}.{}")
    named = [member.__name__ for member in slots]

    def read(thing: Any) -> list[Any]:
        attributes = attributes_of(thing) or {}
        kept = [(in_member(thing, member) or (MISSING,))[0] for member in slots]
        return [*attributes.values(), *kept, *attributes, type(thing), *(content_of(thing) or ())]

    if not all(map(is_, read(thing), read(thing))):  # numbers that C makes anew whenever they are asked for
        return _state(thing, path)
    getters: list[Callable[[Any], Any]] = [type, *(member.__get__ for member in slots)]
    if place is not None or (is_container(thing) and not isinstance(thing, tuple | frozenset)):
        getters = []  # there is more in it
    return Look(thing, path, read, lambda thing: [*(attributes_of(thing) or ()), *named], "{}.{}", getters=getters)


def _of_attributes(read: Callable[[Any], dict[str, Any]], thing: Any) -> list[Any]:
    attributes = read(thing)
    return [*attributes.values(), *attributes, type(thing)]


def _state(thing: Any, path: str) -> Look | None:
    """Look at something that is written in C, if its state can be read."""
    try:
        return _ByValue(thing, path, lambda thing: [Freezer().freeze(thing)])
    except (Unfreezable, SimcoreError):
        return None


def _is_immutable(value: Any) -> bool:
    """Tell whether nothing in a value can change, and nothing but its value tells it from another."""
    kind: Any = type(value)
    if kind in (tuple, frozenset):
        return all(map(_is_immutable, value))
    if is_frozen_dataclass(kind):
        return all(map(_is_immutable, (attributes_of(value) or {}).values()))
    return kind in _ATOMS or isinstance(value, type | types.ModuleType | types.CodeType)


_LOOKS: dict[type, Callable[[Any, str], Look | None]] = {
    list: lambda items, path: Look(items, path, list),
    dict: lambda items, path: Look(items, path, _of_mapping, list, "{}[{!r}]"),
    types.CellType: lambda cell, path: Look(cell, path, lambda cell: [contents(cell)], getters=[_in_cell]),
    types.FunctionType: lambda fn, _: Look(fn, fn.__qualname__, _of_function, _called_in_function, "{}.{}"),
    types.BuiltinFunctionType: _builtin,
    functools._lru_cache_wrapper: lambda fn, path: _Remembered(fn, path, remembered),
    ContextVar: lambda var, path: Look(var, path, lambda var: [var.get(MISSING)]),
}
