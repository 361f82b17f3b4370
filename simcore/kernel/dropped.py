"""A call of a generator function whose result nobody runs does nothing: the ``yield from`` before it was forgotten.

Python tells nobody that it makes a generator, nor that it deletes one that never ran, so the code is read: a call of
what is called by a plain name or by attributes of one, whose result is dropped, or asked as if it were a value. That is
a statement of its own, a condition (a generator is always true), a comparison, a name that is never read, and what a
generator function returns. What the name stands for is looked up where it is known before the process runs (globals,
the variables of functions around it, arguments, functions written inside it); nothing is called for that. Such a call
is a mistake whether a run comes to it or not. A generator that is passed on is found as the process passes it on
(`simcore/model/values.py`). What cannot be looked up (``table["x"]()``), or is put into a list and never run, is not
found.
"""

from __future__ import annotations

import dis
import inspect
import types
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from simcore.errors import ModelError
from simcore.kernel.codes import Scope
from simcore.kernel.generators import contents
from simcore.kernel.mentions import codes_in

NAME = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_FAST", "LOAD_FAST_BORROW", "LOAD_FAST_CHECK")
ASKED = ("TO_BOOL", "UNARY_NOT", "COMPARE_OP", "CONTAINS_OP", "IS_OP", "BINARY_OP")
"""Instructions that take what is above on the stack for a value, beside jumps that depend on it."""

ATTRIBUTE = ("LOAD_ATTR", "LOAD_METHOD")


Codes = Iterable[tuple[types.CodeType, Scope]]
"""The codes of a function and of those that it names, each with its names."""


class Statement(NamedTuple):
    """A call whose result is dropped: what is called, as a name and attributes, and in which line."""

    called: tuple[str, ...]
    line: int


def refuse_dropped(name: str, codes: Codes) -> None:
    """Raise ModelError when one of ``codes``, of a process ``name``, drops a generator."""
    for code, scope in codes:
        for called, line in statements(code):
            if inspect.isgeneratorfunction(found_in(called, scope)):
                place = f"{Path(code.co_filename).name}:{line}"
                text = ".".join(called)
                raise ModelError(
                    f"{name} ({place}): {text}(...) makes a generator and does not run it, so nothing of it happens; "
                    f"write `yield from {text}(...)`"
                )


@cache
def statements(code: types.CodeType) -> tuple[Statement, ...]:
    """Return the calls in ``code`` whose results are not run, as far as names say what is called."""
    instructions = list(dis.get_instructions(code))
    read = {name for each in instructions if "LOAD_FAST" in each.opname for name in _names(each)}
    return tuple(
        statement
        for number, instruction in enumerate(instructions[:-1])
        if instruction.opname.startswith("CALL") and _not_run(instructions[number + 1 : number + 3], code, read)
        for statement in _called(instructions[:number], instruction)
    )


def _not_run(after: list[dis.Instruction], code: types.CodeType, read: set[str]) -> bool:
    """Tell whether what a call gives is dropped, or taken for a value, by the instructions ``after`` it."""
    first, second = after[0].opname, after[-1].opname
    if first.startswith("STORE_FAST"):
        return _names(after[0])[0] not in read
    if first == "RETURN_VALUE":
        return bool(code.co_flags & inspect.CO_GENERATOR)
    asked = first in ASKED or ("JUMP" in first and "_IF_" in first) or (first.startswith("LOAD_") and second in ASKED)
    return asked or first == "POP_TOP"


def _names(instruction: dis.Instruction) -> tuple[str, ...]:
    """Return the names that an instruction, or two in one, is about."""
    return instruction.argval if isinstance(instruction.argval, tuple) else (instruction.argval,)


def _called(before: list[dis.Instruction], call: dis.Instruction) -> Iterator[Statement]:
    """Yield what ``call`` calls: the instructions that begin where it begins in the source have loaded that."""
    at = call.positions
    if at is None or at.lineno is None or at.col_offset is None:
        return
    loading = []
    for instruction in reversed(before):
        if instruction.positions is not None and instruction.positions[::2] == at[::2]:
            loading.append(instruction)
        if instruction.opname in NAME and loading[-1:] == [instruction]:
            break
    loading = [each for each in reversed(loading) if each.opname not in ("PRECALL", "PUSH_NULL", "KW_NAMES")]
    first, *attributes = loading or [call]
    if first.opname in NAME and all(each.opname in ATTRIBUTE for each in attributes):
        yield Statement((first.argval, *(each.argval for each in attributes)), at.lineno)


def codes_of(fn: Any, args: tuple[Any, ...]) -> Iterator[tuple[types.CodeType, Scope]]:
    """Yield the code of a function, of those written inside it and of those that it names, each with its names."""
    return _codes(fn, args, set())


def _codes(fn: Any, args: tuple[Any, ...], seen: set[int]) -> Iterator[tuple[types.CodeType, Scope]]:
    """Yield the code of a function, of those written inside it and of those that it names, each with its names."""
    if isinstance(fn, types.MethodType):
        fn, args = fn.__func__, (fn.__self__, *args)
    if not isinstance(fn, types.FunctionType) or id(fn) in seen or _trusted(fn):
        return
    seen.add(id(fn))
    code = fn.__code__
    cells = dict(zip(code.co_freevars, map(contents, fn.__closure__ or ()), strict=True))
    names = code.co_varnames[: code.co_argcount]
    given = dict(zip(reversed(names), reversed(fn.__defaults__ or ()), strict=False)) | (fn.__kwdefaults__ or {})
    given |= dict(zip(names, args, strict=False))
    scope = Scope(given, cells, fn.__globals__)
    inside = Scope(written_in(code), given, cells, fn.__globals__)
    for each in codes_in(code):
        yield each, inside
        for name in (*each.co_names, *each.co_freevars):
            yield from _codes(scope.get(name), (), seen)


@cache
def written_in(code: types.CodeType) -> dict[str, Any]:
    """Return the functions that are written inside ``code``, by names that stand for nothing else; not to be called."""
    codes = list(codes_in(code))
    names = [each.argval for one in codes for each in dis.get_instructions(one) if each.opname.startswith("STORE_")]
    once = [one for one in codes[1:] if names.count(one.co_name) == 1]
    return {
        one.co_name: types.FunctionType(one, {}, None, None, (types.CellType(),) * len(one.co_freevars)) for one in once
    }


def _trusted(fn: types.FunctionType) -> bool:
    return str(fn.__module__).startswith("simcore.model.")


def found_in(called: tuple[str, ...], scope: Scope) -> Any:
    """Return what a name and attributes stand for, without running any code; None when that is not known."""
    *_, found = found_along(called, scope)
    return found


def found_along(called: tuple[str, ...], scope: Scope) -> Iterator[Any]:
    """Yield what a name stands for, and what it does with one attribute after the other; see `found_in`."""
    thing = scope.get(called[0])
    yield _function_of(thing)
    for attribute in called[1:]:
        thing = inspect.getattr_static(thing, attribute, None)
        yield _function_of(thing)


def _function_of(thing: Any) -> Any:
    """Return the function of a method; anything else is what it is."""
    return thing.__func__ if isinstance(thing, staticmethod | classmethod | types.MethodType) else thing
