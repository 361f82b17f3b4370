"""What the code of a process may still call, read from its names: a guide for the wait-for graph.

No verdict rests on it: a name that is looked up on an object is taken to be an operation of that object. Followed are
the functions that code names, and the methods of the user's own objects that it can get at by a name and whose names
it says. Where code submits, a function that it hands over is submitted, and one that it calls is called; the compiler
tells them apart, as only what is called is loaded with a place for ``self`` beside it (PUSH_NULL).
"""

from __future__ import annotations

import dis
import sys
import types
from collections.abc import Iterable, Iterator
from functools import cache
from inspect import getattr_static
from typing import Any

from simcore.kernel.codes import Scope
from simcore.kernel.generators import SuspendedGenerator, contents, stack, variables
from simcore.kernel.instances import ours
from simcore.model import Index, Model, Process
from simcore.model.operations import SharedObject

_Names = tuple[frozenset[str], frozenset[str]]
_NONE: _Names = (frozenset(), frozenset())
_OURS = (SharedObject, Process, Index, Model)


def codes_in(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yield ``code`` and the functions that are written inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes_in(constant)


class Mentions:
    """What code may still call, remembered together with the functions and objects that its names stand for."""

    def __init__(self) -> None:
        self._known: dict[tuple[types.CodeType, tuple[tuple[str, int], ...]], tuple[_Names, list[Any]]] = {}

    def of(self, generator: SuspendedGenerator) -> _Names:
        """Return `called_by` for everything that a suspended generator, and those it delegates to, is running."""
        called: frozenset[str] = frozenset()
        submitted: frozenset[str] = frozenset()
        for current in stack(generator):
            assert current.gi_frame is not None
            scope = Scope(variables(current), current.gi_frame.f_globals)
            more_called, more_submitted = self._names(current.gi_code, scope)
            called, submitted = called | more_called, submitted | more_submitted
        return called, submitted

    def called_by(self, fn: Any) -> _Names:
        """Return the names that ``fn`` looks up on objects: itself or in what it calls, and in what it submits."""
        scope: dict[str, Any] = {}
        if isinstance(fn, types.MethodType):
            scope, fn = dict.fromkeys(fn.__func__.__code__.co_varnames[:1], fn.__self__), fn.__func__
        if not isinstance(fn, types.FunctionType):
            return _NONE
        cells = zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True)
        inner = {free: contents(cell) for free, cell in cells}
        return self._names(fn.__code__, Scope(scope, inner, fn.__globals__))

    def _names(self, code: types.CodeType, scope: Scope) -> _Names:
        named = list(_named(code, scope))
        key = code, tuple((name, id(thing)) for name, thing in named)
        if key in self._known:
            return self._known[key][0]
        things = [thing for _, thing in named]  # kept, so that no other one gets the id of one
        self._known[key] = (frozenset(code.co_names), frozenset()), things  # for what a recursive function finds
        called = set(code.co_names)
        submitted: set[str] = set()
        for name, fn in _functions(code, named):
            inner_called, inner_submitted = self.called_by(fn)
            submitted |= inner_submitted
            handed_over = "submit" in code.co_names and name not in _called(code)
            (submitted if handed_over else called).update(inner_called)
            if "submit" in code.co_names and name in _handed_over(code):
                submitted |= inner_called
        self._known[key] = (frozenset(called), frozenset(submitted)), things
        return self._known[key][0]


def _named(code: types.CodeType, scope: Scope) -> Iterator[tuple[str, Any]]:
    """Yield what ``code`` names in ``scope`` and may call: functions, and objects of the user's."""
    for name in _words(code):
        thing = scope.get(name)
        if isinstance(thing, types.FunctionType | types.MethodType):
            if not ours(thing.__module__):  # what `sleep` is made of is nobody's deed
                yield name, thing
        elif thing is not None and _users_own(thing):
            yield name, thing


@cache
def _words(code: types.CodeType) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*code.co_names, *code.co_freevars, *code.co_cellvars, *code.co_varnames)))


def _functions(code: types.CodeType, named: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield each function that ``code`` may get at by what it names, and by what name it does."""
    looked_at: dict[int, Any] = {}
    for name, thing in named:
        if isinstance(thing, types.FunctionType | types.MethodType):
            yield name, thing
        else:
            yield from _methods(thing, code.co_names, looked_at)


def _methods(thing: Any, names: tuple[str, ...], looked_at: dict[int, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what is called by ``names`` and is a function of an object of the user's, or of one that it holds."""
    if id(thing) in looked_at or not _users_own(thing):
        return
    looked_at[id(thing)] = thing
    for name in names:
        found = getattr_static(thing, name, None)
        if isinstance(found, types.FunctionType):
            yield name, types.MethodType(found, thing) if name not in getattr(thing, "__dict__", {}) else found
        elif isinstance(found, staticmethod | classmethod | types.MethodType):
            yield name, found.__func__
    for held in list(getattr(thing, "__dict__", {}).values()):  # by whatever name, or property, it is got at
        yield from _methods(held, names, looked_at)


def _users_own(thing: Any) -> bool:
    """Tell whether ``thing`` is of a class that somebody has written in Python, and that is none of the model's.

    What begins as a C object with a place for a dictionary, such as an exception, is left alone: it has none until
    somebody asks for it, and then it is another value, so that looking would change what a process is.
    """
    kind = type(thing)
    written = kind.__flags__ & _HEAP_TYPE and kind.__dictoffset__ <= 0
    return bool(written) and not isinstance(thing, (*_OURS, type, types.ModuleType))


_HEAP_TYPE = 1 << 9


@cache
def _loads(code: types.CodeType) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that ``code`` loads to call them, and those that it loads for another reason."""
    loads = [each for each in dis.get_instructions(code) if each.opname not in ("CACHE", "EXTENDED_ARG")]
    beside = [each.opname for each in loads]
    beside = [*beside[1:], ""] if _NULL_AFTER else ["", *beside]
    called: set[str] = set()
    other: set[str] = set()
    for each, neighbour in zip(loads, beside, strict=False):
        if each.opname.startswith("LOAD_") and isinstance(each.argval, str):
            calls = each.opname == "LOAD_METHOD" or "NULL" in each.argrepr or neighbour == "PUSH_NULL"
            (called if calls else other).add(each.argval)
    return frozenset(called), frozenset(other)


_NULL_AFTER = sys.version_info >= (3, 13)  # on which side of what is called its PUSH_NULL stands


def _called(code: types.CodeType) -> frozenset[str]:
    return _loads(code)[0]


def _handed_over(code: types.CodeType) -> frozenset[str]:
    return _loads(code)[1]
