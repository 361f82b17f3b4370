"""A process that never comes to its next operation is a mistake of the model, found by counting and not by the clock.

A loop without a ``yield`` would keep a search, a simulation or a real run busy for ever. To count the lines of every
process would cost more than all the rest, and take the trace away from debuggers, so the code is read first: only a
``while`` loop with no ``yield`` in it, or a ``for`` loop over what may not end (`itertools`), can go on for ever
between two operations. Functions with such a loop, and no others, have their lines counted while a process runs.
`MOST_LINES` in one step is the limit, on every machine; it is said with the line that was reached. A loop inside of a
built-in (``list(count())``) is not seen, nor one that hides every `BaseException`.
"""

from __future__ import annotations

import dis
import sys
import types
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from simcore.errors import ModelError
from simcore.kernel.dropped import Codes
from simcore.whose import is_the_users

MOST_LINES = 1_000_000
"""Lines that a process may run from one operation to the next, in functions with a loop that may not end."""

_YIELDS = frozenset({"YIELD_VALUE", "RETURN_GENERATOR", "SEND"})
_ENDLESS = frozenset({"count", "cycle", "repeat", "iter"})

T = TypeVar("T")


class _Endless(BaseException):
    """Raised inside of a process; no handler of an `Exception` keeps it."""


def loops_of(codes: Codes) -> frozenset[types.CodeType]:
    """Return those of the user's ``codes`` which may go on for ever by themselves."""
    return frozenset(code for code, _ in codes if is_the_users(code.co_filename) and may_go_on(code))


@cache
def may_go_on(code: types.CodeType) -> bool:
    """Tell whether ``code`` has a loop that may not end and in which nothing is yielded."""
    instructions = list(dis.get_instructions(code))
    at = {instruction.offset: number for number, instruction in enumerate(instructions)}
    return any(
        not any(each.opname in _YIELDS for each in instructions[at[first] : number + 1])
        and (instructions[at[first]].opname != "FOR_ITER" or not _ENDLESS.isdisjoint(code.co_names))
        for number, first in _backwards(instructions)
        if first in at
    )


def _backwards(instructions: list[dis.Instruction]) -> Iterator[tuple[int, int]]:
    """Yield each jump backwards of a loop, as its number and where it leads; others are of what ``yield from`` does."""
    before = ""
    for number, instruction in enumerate(instructions):
        jumps = "JUMP_BACKWARD" in instruction.opname and "NO_INTERRUPT" not in instruction.opname
        if jumps and before != "CLEANUP_THROW":
            yield number, instruction.argval
        before = instruction.opname


def counted(loops: frozenset[types.CodeType], name: str, go: Callable[[], T]) -> T:
    """Return ``go()``, which lets a process run, while the lines of ``loops`` are counted.

    Raises
    ------
    ModelError
        When there are more than `MOST_LINES`.
    """
    before, lines = sys.gettrace(), 0
    reached: tuple[str, int, str] = ("", 0, "")

    def local(frame: types.FrameType, event: str, arg: object) -> Any:
        nonlocal lines, reached
        lines += event == "line"
        if lines > MOST_LINES:
            reached = frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name
            raise _Endless
        return local

    def calls(frame: types.FrameType, event: str, arg: object) -> Any:
        return local if frame.f_code in loops else None

    sys.settrace(calls)
    try:
        return go()
    except _Endless:
        file, line, function = reached
        raise ModelError(
            f"{name} ({Path(file).name}:{line} in {function}): it has run {MOST_LINES:,} lines without coming to an "
            f"operation; a loop that waits for others must `yield` one"
        ) from None
    finally:
        sys.settrace(before)
