"""What a suspended generator holds is read completely, word by word, or not at all.

The frame of a generator is a row of machine words, kept in the generator itself: its locals and cells, then its
evaluation stack. `gc.get_referents` gives the objects among them, in order, and is all that CPython shows of a
stack. It leaves out what is no object, and that can be the whole difference between two program points:

* nothing at all: an unbound local, and the empty place beside a callable that is no method;
* a *tagged integer*, from 3.15 on: there a ``for`` loop over a list, a tuple or a str keeps no iterator, but the
  list and, in the word above it, how far it has come.

So the words are read from memory, and each is a tagged integer, or nothing, or the next of the collector's objects.
No word is ever followed: a pointer is compared with the identities of objects that we hold. The two ways of
reading test each other whenever a generator is read: where one of them is wrong (another layout, another build)
they do not agree, and that is an error, not an answer.

Of the layout two things are taken for granted, on CPython 3.11 to 3.15. The row begins at
``types.GeneratorType.__basicsize__``, whatever stands before it. And how many of its words are in use is noted just
before the row: as a number up to 3.13, as the address of the first free word from 3.14 on. The words above that hold
what once was there and are not read; 3.15 leaves the -1 of a loop that has ended. The generator's own size bounds
what is read, so a wrong number does not lead outside. From 3.14 on the lowest bit of a pointer tells who counts the
reference (``LOAD_FAST_BORROW``, immortal objects); no code can see that, and it is taken off.

A method that is about to be called stands on the stack in two places, and in one of two ways: as its function and
its object, or bound, beside an empty place. Which of them the interpreter takes is its own affair, and changes once it
has run the instruction a few times; the call takes both apart alike. So a bound method beside an empty place is
told as its two parts. No code can tell the one from the other: nothing but the call itself reads these places.

Behind the row the collector names the exception that is being handled; before it the function and the code, and
before these the dictionary that ``locals()`` has handed out, which up to 3.12 is the same each time and so a place to
keep things. From 3.13 on what is written to ``sys._getframe().f_locals`` is kept with the frame object. Both are part
of what is held. ``frame.f_locals`` itself is not asked: up to 3.12 asking *changes* that dictionary, and a process
would run otherwise for having been looked at.

Rejected: to work out from the bytecode how high the stack is (what an instruction does to it is not documented, and
`dis.stack_effect` cannot follow an exception), and to trust a layout for the sake of the version's number (builds
differ: `selftest.py` tries it).
"""

from __future__ import annotations

import ctypes
import os
import sys
import types
from collections.abc import Callable, Iterator
from functools import cache
from gc import get_referents
from typing import Any, NamedTuple, TypeAlias

from simcore.errors import InternalError
from simcore.model.operations import Operation

SuspendedGenerator: TypeAlias = "types.GeneratorType[Operation, Any, Any]"

_NOTED_AS_ADDRESS = sys.version_info >= (3, 14)
_LOCALS_ARE_KEPT = sys.version_info < (3, 13)
_CALLABLE_IS_FIRST = sys.version_info >= (3, 13)  # the empty place is above it, and was below
_WORD = ctypes.sizeof(ctypes.c_void_p)
_HEAD = getattr(types.GeneratorType, "__basicsize__", 0)  # another implementation has none, and is refused
_TAG = 3  # the two lowest bits of a word; both are set in a tagged integer, the lower one alone in some pointers
_BOUND_IN_C = (types.BuiltinMethodType, types.MethodWrapperType)
_DESCRIBED_IN_C = (types.MethodDescriptorType, types.WrapperDescriptorType)
_COUNT = (1 << 8 * ctypes.sizeof(ctypes.c_int)) - 1


class Word(NamedTuple):
    """A word of a frame that is no object: a tagged integer, or None for a place with nothing in it."""

    number: int | None


_NOTHING = Word(None)


def held(generator: SuspendedGenerator) -> tuple[list[Any], Any, list[dict[str, Any]]]:
    """Read a generator that is suspended, or not started; not one that runs or has finished.

    Returns
    -------
    row : list
        Its locals and cells, then its stack: objects, and a `Word` where there is none; methods taken apart.
    handled : object
        The exception that it is handling, or None.
    written : list of dict
        What was written to ``locals()``, where that is kept.
    """
    seen = get_referents(generator)
    try:
        start = seen.index(generator.gi_code, 1) + 1
    except ValueError:
        raise _unreadable(generator) from None
    if type(seen[start - 2]) is not types.FunctionType:
        raise _unreadable(generator)
    row = words(generator)
    end = start + len(row)
    if row and [*map(id, seen[start:end])] == row:  # as it mostly is, up to 3.13
        row = seen[start:end]
    else:
        row, end = _told(generator, row, seen, start)
    handled = seen[end] if len(seen) > end else None
    if len(seen) > end + 1 or not isinstance(handled, BaseException | None):
        raise _unreadable(generator)
    return row, handled, _written(generator, seen[start - 3])


def words(generator: SuspendedGenerator) -> list[int]:
    """Return the words of its frame that are in use, as they stand in memory."""
    size = generator.__sizeof__() - _HEAD
    row = id(generator) + _HEAD
    read: list[int] = _reader(2 + size // _WORD)(row - 2 * _WORD)[:]
    in_use = (read[0] - row) // _WORD if _NOTED_AS_ADDRESS else read[1] & _COUNT
    if not 0 <= in_use <= len(read) - 2:
        raise _unreadable(generator)
    return read[2 : 2 + in_use]


def _written(generator: SuspendedGenerator, before: Any) -> list[dict[str, Any]]:
    if not _LOCALS_ARE_KEPT:
        return [thing for thing in get_referents(generator.gi_frame) if type(thing) is dict]
    return [before] if type(before) is dict else []


@cache
def _reader(length: int) -> Callable[[int], Any]:
    return (ctypes.c_size_t * length).from_address


def _told(generator: SuspendedGenerator, row: list[int], seen: list[Any], position: int) -> tuple[list[Any], int]:
    """Return what each word of a row means, and how many of the objects seen were met until its end."""
    found: list[Any] = []
    for word in row:
        if word & _TAG == _TAG:
            found.append(Word(word >> 2))
        elif not word & ~_TAG:
            found.append(_NOTHING)
        elif position < len(seen) and id(seen[position]) == word & ~_TAG:
            found.append(seen[position])
            position += 1
        else:
            raise _unreadable(generator)
    _take_apart(found, len(_names(generator.gi_code)))
    return found, position


def _take_apart(row: list[Any], bottom: int) -> None:
    """Tell each bound method beside an empty place, from the ``bottom`` of the stack on, as its function and object."""
    for at in range(bottom, len(row) - 1):
        method, empty = (row[at], row[at + 1]) if _CALLABLE_IS_FIRST else (row[at + 1], row[at])
        if empty is _NOTHING:
            row[at : at + 2] = _parts(method) or row[at : at + 2]


def _parts(method: Any) -> tuple[Any, Any] | None:
    """Return the function and the object of a bound method, be it of C; None for anything else."""
    if type(method) is types.MethodType:
        return method.__func__, method.__self__
    if type(method) in _BOUND_IN_C:
        owner, name = method.__self__, method.__name__
        for kind in type(owner).__mro__:
            found: Any = kind.__dict__.get(name)
            if type(found) in _DESCRIBED_IN_C and found.__get__(owner) == method:
                return found, owner
    return None


def _unreadable(generator: SuspendedGenerator) -> InternalError:
    return InternalError(f"the state of {generator} cannot be read on Python {sys.version.split()[0]}")


UNBOUND = object()


def contents(cell: types.CellType) -> Any:
    """Return what a cell holds, or `UNBOUND`."""
    try:
        return cell.cell_contents
    except ValueError:
        return UNBOUND


def variables(generator: SuspendedGenerator) -> dict[str, Any]:
    """Return the bound variables of a suspended generator, without asking its frame for them."""
    if generator.gi_frame is None:
        return {}
    names = _names(generator.gi_code)
    found = dict(zip(names, held(generator)[0], strict=False))  # the stack has no names
    cells = set(generator.gi_code.co_cellvars + generator.gi_code.co_freevars)
    found.update({name: contents(found[name]) for name in cells if isinstance(found[name], types.CellType)})
    return {name: value for name, value in found.items() if value is not UNBOUND and not isinstance(value, Word)}


DRIVEN = "_driven"
"""The variable of a generator that passes on what another one yields, and keeps that one in it."""


def stack(generator: SuspendedGenerator) -> Iterator[SuspendedGenerator]:
    """Yield a generator and those that it delegates to, the innermost coming last.

    In the place of one that passes on what another one yields, which is no code of the model's, stands that other one.
    """
    current: Any = generator
    while isinstance(current, types.GeneratorType) and current.gi_frame is not None:
        driven = variables(current).get(DRIVEN) if DRIVEN in current.gi_code.co_varnames else None
        if isinstance(driven, types.GeneratorType) and not driven.gi_running:
            yield from stack(driven)
        else:
            yield current
        current = current.gi_yieldfrom


def all_variables(generator: SuspendedGenerator) -> dict[str, Any]:
    """Return the bound variables of a generator and of those that it delegates to, the innermost coming last."""
    found: dict[str, Any] = {}
    for current in stack(generator):
        found |= variables(current)
    return found


@cache
def _names(code: types.CodeType) -> tuple[str, ...]:
    """Return the names of the locals and cells in the order of the row; an argument that is a cell stands once."""
    own = [name for name in code.co_cellvars if name not in code.co_varnames]
    return (*code.co_varnames, *own, *code.co_freevars)


def place(generator: SuspendedGenerator) -> str:
    """Return function, file and line of the innermost generator that is suspended."""
    *_, generator = (generator, *stack(generator))
    line = generator.gi_frame.f_lineno if generator.gi_frame is not None else 0
    return f"{generator.gi_code.co_name} ({os.path.basename(generator.gi_code.co_filename)}:{line})"
