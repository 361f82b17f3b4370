"""What the code of a process may still call, read from its names: a guide for the wait-for graph.

No verdict rests on it: a name that is looked up on an object is taken to be an operation of that object.
"""

from __future__ import annotations

import types
from collections import ChainMap
from collections.abc import Iterator, Mapping
from typing import Any

from simcore.kernel.generators import SuspendedGenerator, contents, variables


def codes_in(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yield ``code`` and the functions that are written inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes_in(constant)


def mentions(generator: SuspendedGenerator) -> tuple[frozenset[str], frozenset[str]]:
    """Return `called_by` for everything that a suspended generator, and those it delegates to, is running."""
    called: frozenset[str] = frozenset()
    submitted: frozenset[str] = frozenset()
    current: Any = generator
    while isinstance(current, types.GeneratorType) and current.gi_frame is not None:
        known = _NAMES.get(current.gi_code)  # most often, and to read the variables takes its time
        scope = ChainMap(variables(current), current.gi_frame.f_globals) if known is None else {}
        more_called, more_submitted = _names(current.gi_code, scope)
        called, submitted = called | more_called, submitted | more_submitted
        current = current.gi_yieldfrom
    return called, submitted


def called_by(fn: types.FunctionType) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that ``fn`` looks up on objects: itself or in what it calls, and in what it submits.

    A function that is named in code that submits is taken to be submitted, not called. This guides the
    wait-for graph; no verdict rests on it.
    """
    fn = getattr(fn, "__func__", fn)
    if not isinstance(fn, types.FunctionType):
        return frozenset(), frozenset()
    cells = zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True)
    inner = {free: contents(cell) for free, cell in cells}
    return _names(fn.__code__, ChainMap(inner, fn.__globals__))


_NAMES: dict[types.CodeType, tuple[frozenset[str], frozenset[str]]] = {}


def _names(code: types.CodeType, scope: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    if code in _NAMES:
        return _NAMES[code]
    _NAMES[code] = (frozenset(code.co_names), frozenset())  # what a recursive function finds for itself
    called = set(code.co_names)
    submitted: set[str] = set()
    for name in (*code.co_names, *code.co_freevars, *code.co_cellvars):
        fn = scope.get(name)
        if isinstance(fn, types.FunctionType | types.MethodType):
            inner_called, inner_submitted = called_by(fn)  # type: ignore[arg-type]
            submitted |= inner_submitted
            (submitted if "submit" in code.co_names else called).update(inner_called)
    _NAMES[code] = (frozenset(called), frozenset(submitted))
    return _NAMES[code]
