"""Variables that a process keeps and reads no more: its states differ in them, and nobody can tell.

That a variable is not read again (that it is not *live*: Allen and Cocke, A program data flow analysis procedure, 1976)
is seen in the bytecode. It is not left out of a state for that. Who mentions a future keeps it alive, and whether
anybody still does decides whether the exception of a task is heard of; what is in a variable is finalized when that is
bound anew; and what a report shows of a process would be the variables of another run. So a reference that a process
holds is part of what it is, as it is in Python. It is told instead what `del` would save, where it would: points are
counted that differ in nothing else.
"""

from __future__ import annotations

import dis
from collections.abc import Hashable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

from simcore.kernel.point import Learned
from simcore.kernel.process import Points

_ENDS = ("RETURN", "RAISE", "RERAISE")
_GOES = ("JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT")
_ASKS = {"locals", "vars", "dir", "eval", "exec", "_getframe", "currentframe", "gi_frame", "f_locals", "super"}
"""Names of what may read all variables, or the first one (``super`` without arguments)."""

MOST_COMPARED, MOST_TOLD = 1_000, 3

Names = frozenset[str]
Variable = tuple[CodeType, str]


def unread(points: Points) -> list[str]:
    """Return, for the variables that most of all make points differ when they are not read any more, what to do.

    They are told where at least half of the points would be saved, of the first so many of a model.
    """
    there = dict.fromkeys(learned.after for learned in points.learned if isinstance(learned, Learned))
    ready = [point for point in there if point.status == "ready"][:MOST_COMPARED]
    kept = {point: _kept(point.key[0]) for point in ready}
    found = []
    for variable in {variable for variables in kept.values() for variable in variables}:
        having = [point for point, variables in kept.items() if variable in variables]
        needed = len({(point.program, _without(point.key[0], variable), point.key[1]) for point in having})
        if len(having) >= 2 * needed:
            found.append((-len(having) / needed, -len(having), needed, variable))
    told = sorted(found, key=lambda one: (*one[:3], one[3][1]))[:MOST_TOLD]
    return [_told(-having, needed, *variable) for _, having, needed, variable in told]


def _told(having: int, needed: int, code: CodeType, name: str) -> str:
    return (
        f"{code.co_name} ({Path(code.co_filename).name}:{code.co_firstlineno}) keeps {name!r} when it is not read any "
        f"more: {having:,} of its points differ in nothing else, and would be {needed:,} with `del {name}`"
    )


def _generators(key: Hashable) -> Iterator[tuple[CodeType, int, tuple[Hashable, ...]]]:
    """Yield code, last instruction and contents of each suspended generator in a key."""
    if isinstance(key, tuple):
        if len(key) == 6 and isinstance(key[0], CodeType):
            yield key[0], key[1], key[4]
        for part in key:
            yield from _generators(part)


def _kept(key: Hashable) -> set[Variable]:
    """Return what the generators in a key keep and do not read again."""
    return {(code, name) for code, last, _ in _generators(key) for name in _unread_at(code, last)}


def _without(key: Hashable, variable: Variable) -> Hashable:
    """Return a key without what is in a variable where it is not read again."""
    if not isinstance(key, tuple):
        return key
    parts: list[Any] = [_without(part, variable) for part in key]
    if len(key) == 6 and key[0] is variable[0] and variable[1] in _unread_at(key[0], key[1]):
        place = key[0].co_varnames.index(variable[1])
        parts[4] = tuple([part for number, part in enumerate(parts[4]) if number != place])
    return tuple(parts)


@cache
def _unread_at(code: CodeType, last: int) -> Names:
    """Return the variables that a generator which stopped after the instruction at ``last`` never reads again.

    A variable that a function within it reads is none of them, nor is any where it may ask for all of its variables.
    """
    if _ASKS & {*code.co_names, *code.co_varnames}:
        return frozenset()
    flow = _Flow(code)
    return frozenset(code.co_varnames) - {*code.co_cellvars, *code.co_freevars} - flow.after(last)


class _Flow:
    """Which variables are read after each instruction of a code; where that is not known, more of them."""

    def __init__(self, code: CodeType) -> None:
        bytecode = dis.Bytecode(code)
        self._instructions = list(bytecode)
        self._at = {instruction.offset: place for place, instruction in enumerate(self._instructions)}
        self._handlers = [
            (entry.start, entry.end, self._at[entry.target])
            for entry in bytecode.exception_entries  # type: ignore[attr-defined]
        ]
        self._reads = [frozenset[str]()] * len(self._instructions)
        changed = True
        while changed:
            changed = False
            for place in range(len(self._instructions) - 1, -1, -1):
                reads = self._before(place)
                changed |= reads != self._reads[place]
                self._reads[place] = reads

    def after(self, offset: int) -> Names:
        """Return what is read after the instruction at ``offset``."""
        return self._behind(self._at[offset])

    def _behind(self, place: int) -> Names:
        return frozenset[str]().union(*(self._reads[following] for following in self._following(place)))

    def _following(self, place: int) -> Iterator[int]:
        instruction = self._instructions[place]
        if instruction.opcode in dis.hasjrel or instruction.opcode in dis.hasjabs:
            yield self._at[instruction.argval]
        if not instruction.opname.startswith((*_ENDS, *_GOES)) and place + 1 < len(self._instructions):
            yield place + 1
        for start, end, target in self._handlers:
            if start <= instruction.offset < end:
                yield target

    def _before(self, place: int) -> Names:
        instruction, behind = self._instructions[place], self._behind(place)
        if "FAST" not in instruction.opname:
            return behind
        argument: Any = instruction.argval
        named = argument if isinstance(argument, tuple) else (argument,)
        if instruction.opname in ("STORE_FAST", "STORE_FAST_STORE_FAST"):
            return behind - {*named}
        if instruction.opname == "STORE_FAST_LOAD_FAST":
            return behind - {named[0]} | {named[1]} - {named[0]}
        return behind | {*named}
