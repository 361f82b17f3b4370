"""Asks numba for the machine code of some functions, and of what they call, as one function without Python in it.

That function gets the place of an entry and a frame, makes arrays of what the frame says, and calls the entry. numba's
conventions are used in two places, `_array_at` and `object_file`; the rest is what it documents.
"""

from __future__ import annotations

import sys
import types as python
from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from simcore.errors import InternalError
from simcore.explore.compiled.kinds import Kind, kinds, marked

Function = Callable[..., Any]

_njit: Any = numba.njit
_OPTIONS = {
    "nogil": True,
    "_nrt": False,  # no function makes an array, so none counts references
    "error_model": "numpy",  # and none raises,
    "boundscheck": True,  # but where it goes beyond an array: a process that goes on after that may say anything
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}


def object_file(entries: Sequence[Function], machine: llvm.TargetMachine, name: str) -> bytes:
    """Return an object file for ``machine`` in which a function called ``name`` calls one of ``entries``."""
    signature = types.int64(types.int64, types.CPointer(types.int64))
    call = _njit(signature, **_OPTIONS)(_call(entries))
    module = llvm.parse_assembly(call.inspect_llvm(call.signatures[0]))
    wanted = [f.name for f in module.functions if f.is_declaration and not f.name.startswith("llvm.")]
    if wanted:
        raise InternalError(f"compiled functions want {', '.join(wanted)} of Python")
    [function] = [f for f in module.functions if not f.is_declaration]
    function.name = name
    code = machine.emit_object(module)
    assert isinstance(code, bytes)
    return code


def _call(entries: Sequence[Function]) -> Function:
    """Write the function that calls one of `entries`, which numba cannot do in a loop: each has other arguments."""
    inside: dict[str, Any] = {"int64": np.int64, "uint64": np.uint64}
    lines = ["def call(place, frame):"]
    functions = _Functions(entries)
    for place, entry in enumerate(entries):
        name = f"entry_{place}"
        inside[name] = functions.of(entry)
        args, _ = _arguments(kinds(entry), 0, inside)
        returns = f"int64({name}({args}))" if entry.__annotations__["return"] == "int" else f"{name}({args})"
        lines += [f"    if place == {place}:", f"        {'return ' if returns[0] == 'i' else ''}{returns}"]
    exec("\n".join([*lines, "    return 0"]), inside)
    return inside["call"]  # type: ignore[no-any-return]


def _arguments(wanted: dict[str, Any], at: int, inside: dict[str, Any]) -> tuple[str, int]:
    """Return what reads arguments, or the fields of a struct, from a frame, and where in it the next one begins."""
    told = []
    for kind in wanted.values():
        if kind is int:
            told.append(f"frame[{at}]")
            at += 1
        elif not isinstance(kind, Kind):
            fields, at = _arguments(kinds(kind), at, inside)
            inside[kind.__name__] = namedtuple(kind.__name__, list(kinds(kind)))
            told.append(f"{kind.__name__}({fields})")
        elif not kind.dimensions:
            told.append(f"uint64(frame[{at}])")
            at += 1
        else:
            name = f"{kind.code}_{kind.dimensions}"
            inside.setdefault(name, _array_at(kind))
            told.append(f"{name}(frame, {at})")
            at += 1 + kind.dimensions
    return ", ".join(told), at


def _array_at(kind: Kind) -> Any:
    """Return a function for compiled code: the array of which address and shape stand at a place of a frame."""
    dtype = np.dtype(kind.code)
    made = types.Array(numba.from_dtype(dtype), kind.dimensions, "C")

    def generated(context: Any, builder: Any, _: Any, args: Any) -> Any:
        def word(offset: int) -> Any:
            return builder.load(builder.gep(args[0], [builder.add(args[1], context.get_constant(types.int64, offset))]))

        array = make_array(made)(context, builder)
        size = context.get_constant(types.intp, dtype.itemsize)
        shape = [word(1 + dimension) for dimension in range(kind.dimensions)]
        strides = [size]
        for extent in reversed(shape[1:]):
            strides.insert(0, builder.mul(strides[0], extent))
        populate_array(
            array,
            data=builder.inttoptr(word(0), array.data.type),
            shape=cgutils.pack_array(builder, shape),
            strides=cgutils.pack_array(builder, strides),
            itemsize=size,
            meminfo=None,
        )
        return array._getvalue()

    def array_at(_: Any, frame: Any, at: Any) -> Any:
        return made(frame, types.int64), generated

    return intrinsic(array_at)


class _Functions:
    """For each marked function a copy that numba compiles, in which the names of the others mean their copies."""

    def __init__(self, entries: Sequence[Function]) -> None:
        self._wanted = marked.union(entries)
        self._made: dict[Any, Any] = {}

    def of(self, function: Any) -> Any:
        """Return the copy of a function."""
        if function not in self._made:
            inside = {name: self._seen(thing) for name, thing in self._named(function)}
            copy = python.FunctionType(function.__code__, {**function.__globals__, **inside}, function.__name__)
            self._made[function] = _njit(**_OPTIONS, forceinline=True)(copy)
        return self._made[function]

    def _named(self, function: Any) -> Iterator[tuple[str, Any]]:
        scope = sys.modules[function.__module__].__dict__
        return ((name, scope[name]) for name in function.__code__.co_names if name in scope)

    def _seen(self, thing: Any) -> Any:
        function = getattr(thing, "function", thing)  # what Python calls stands for it under its name
        return self.of(function) if isinstance(function, python.FunctionType) and function in self._wanted else thing
