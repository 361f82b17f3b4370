"""A function is plain if its code, read once, can do nothing but arithmetic on plain values and make operations.

Such a process is a pure function of the results that it is given: it cannot read a clock, draw a number, change or
notice anything outside of itself, or hold what cannot be compared by value. So what is tested of other processes at
each step, by a second run and by looking at all that they can reach (`process.py`), is known of it beforehand.

Every instruction must be one of those listed; of an instruction that is not, nothing is known, and a process with it is
not plain. That leaves out whatever stores outside of a local variable, makes functions or containers that can change,
delegates, imports, catches, or asks for an attribute that it does not call at once. What is called is a method of an
object of the model, of a plain value, or of an operation, or one of a few functions by name. A loop that may go on for
ever between two operations is counted elsewhere, and no process with one is plain.
"""

from __future__ import annotations

import builtins
import dis
from collections.abc import Hashable, Iterable, Iterator
from functools import cache
from itertools import pairwise
from types import CodeType, FunctionType
from typing import Any

from simcore.kernel.codes import named_in
from simcore.kernel.dropped import codes_of
from simcore.kernel.endless import loops_of
from simcore.kernel.generators import contents
from simcore.kernel.running import Program
from simcore.model import Index
from simcore.model.objects import choose, sleep
from simcore.model.operations import Operation, SharedObject

_ATOMS = (str, int, bool, type(None), bytes)
_CALLED = (range, len, min, max, abs, int, bool, float, round, divmod, sleep, choose)
_MAKE_NONE = frozenset({"range", "len", "abs", "int", "bool", "float", "round", "divmod"})
_INSTRUCTIONS = """\
COPY_FREE_VARS RETURN_GENERATOR POP_TOP RESUME NOP CACHE EXTENDED_ARG PRECALL PUSH_NULL KW_NAMES NOT_TAKEN RERAISE
RETURN_VALUE RETURN_CONST YIELD_VALUE

LOAD_CONST LOAD_SMALL_INT LOAD_DEREF LOAD_GLOBAL LOAD_FAST LOAD_FAST_CHECK LOAD_FAST_BORROW STORE_FAST DELETE_FAST
LOAD_FAST_LOAD_FAST LOAD_FAST_BORROW_LOAD_FAST_BORROW STORE_FAST_LOAD_FAST STORE_FAST_STORE_FAST COPY SWAP
BUILD_TUPLE UNPACK_SEQUENCE

BINARY_OP BINARY_SUBSCR COMPARE_OP UNARY_NEGATIVE UNARY_NOT UNARY_INVERT TO_BOOL FORMAT_VALUE FORMAT_SIMPLE
BUILD_STRING

CALL CALL_KW

GET_ITER FOR_ITER END_FOR POP_ITER JUMP_FORWARD JUMP_BACKWARD JUMP_BACKWARD_NO_INTERRUPT POP_JUMP_IF_TRUE
POP_JUMP_IF_FALSE POP_JUMP_IF_NONE POP_JUMP_IF_NOT_NONE POP_JUMP_FORWARD_IF_TRUE POP_JUMP_FORWARD_IF_FALSE
POP_JUMP_FORWARD_IF_NONE POP_JUMP_FORWARD_IF_NOT_NONE POP_JUMP_BACKWARD_IF_TRUE POP_JUMP_BACKWARD_IF_FALSE
POP_JUMP_BACKWARD_IF_NONE POP_JUMP_BACKWARD_IF_NOT_NONE JUMP_IF_TRUE_OR_POP JUMP_IF_FALSE_OR_POP"""
"""Where a generator begins and ends; values and local variables; arithmetic; calls; loops and conditions."""

_NO_METHODS = frozenset({"format", "format_map", "mro", "run"})
"""Methods that get at more than they are given: attributes by their names, the class of all objects, a generator."""

_ALLOWED = frozenset(_INSTRUCTIONS.split())
_ENDS = ("CALL_INTRINSIC_1", "INTRINSIC_STOPITERATION_ERROR")  # what stands around every generator, from 3.12 on

_COMMON = ("None", "True", "False", "''", "-1")


def plain(program: Program) -> bool:
    """Tell whether ``program`` is plain, with its arguments and all that it names; it may be so and not be found."""
    return reached_by(program) is not None


def reached_by(program: Program) -> frozenset[SharedObject] | None:
    """Return all shared objects that a plain ``program`` can get at by itself; None where it is not plain.

    What it is given as a result comes to that.
    """
    fn = program.fn
    if type(fn) is not FunctionType or not reads_plainly(fn.__code__) or loops_of(codes_of(fn, program.args)):
        return None
    names = named_in(fn.__code__).globals
    if any(name in fn.__globals__ for name in names if name in _MAKE_NONE):  # which are known by their names
        return None
    named = [fn.__globals__.get(name, getattr(builtins, name, _UNKNOWN)) for name in names]
    held = [*program.args, *map(contents, fn.__closure__ or ())]
    held += [*(fn.__defaults__ or ()), *(fn.__kwdefaults__ or {}).values()]
    held += [thing for thing in named if not any(thing is each for each in _CALLED)]
    return frozenset(_objects_in(held)) if all(map(_stays, held)) else None


def _objects_in(things: Iterable[Any]) -> Iterator[SharedObject]:
    """Yield the shared objects among plain values."""
    for thing in things:
        if isinstance(thing, SharedObject):
            yield thing
        elif type(thing) is tuple:
            yield from _objects_in(thing)


_UNKNOWN = object()


@cache
def reads_plainly(code: CodeType) -> bool:
    """Tell whether all instructions of ``code`` are such as a plain function may have."""
    return all(_is_plain(each) for each in dis.get_instructions(code))


def _is_plain(instruction: dis.Instruction) -> bool:
    name = instruction.opname
    if name in ("LOAD_ATTR", "LOAD_METHOD"):  # of a method that is called at once
        called = name == "LOAD_METHOD" or "NULL" in instruction.argrepr
        return called and not instruction.argval.startswith("_") and instruction.argval not in _NO_METHODS
    if name == "LOAD_COMMON_CONSTANT":  # from 3.15 on, also of what is not called
        return instruction.argrepr in _COMMON
    return name in _ALLOWED or (name, instruction.argrepr) == _ENDS


@cache
def yields_at_once(code: CodeType) -> bool:
    """Tell whether each operation that plain ``code`` makes is yielded by the very next instruction.

    All other calls must be of a function that makes none, by its name: what is called begins where the call does.
    """
    instructions = list(dis.get_instructions(code))
    named = {_begin(each) for each in instructions if each.opname == "LOAD_GLOBAL" and each.argval in _MAKE_NONE}
    calls = [(each, after) for each, after in pairwise(instructions) if each.opname in ("CALL", "CALL_KW")]
    return all(after.opname == "YIELD_VALUE" or (_begin(each) or 0) in named for each, after in calls)


def _begin(instruction: dis.Instruction) -> tuple[int | None, int | None] | None:
    """Return line and column of what an instruction is about; None where that was left out."""
    at = instruction.positions
    return None if at is None or at.lineno is None or at.col_offset is None else (at.lineno, at.col_offset)


def _stays(thing: Any) -> bool:
    """Tell whether ``thing`` is a plain value, or an object of the model, which a process does not change."""
    return key_of(thing) is not None


def key_of(thing: Any) -> Hashable | None:
    """Return a key that only what is the same plain value has; None where ``thing`` is none."""
    kind = type(thing)
    if kind in _ATOMS:
        return (kind, thing)
    if kind is float:
        return (kind, repr(thing))
    if kind is tuple:
        parts = tuple([key_of(part) for part in thing])
        return None if None in parts else parts
    if isinstance(thing, SharedObject) and thing.index < 0:  # the future of a submit: whoever holds it keeps it there
        return None
    return thing if isinstance(thing, SharedObject | Index) and kind.__module__.startswith("simcore.model.") else None


def operation_key(operation: Operation) -> Hashable | None:
    """Return a key that only the same operation has; None where an argument is no plain value."""
    args = key_of(operation.args)
    timeout = operation.timeout
    return None if args is None else (operation.target, operation.name, args, type(timeout), timeout)
