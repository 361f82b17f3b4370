"""Two frozen object graphs are equal only if no code that is handed one of them could tell it from the other.

Freezing is by value, as pickle would see it, with what pickle does not see and code can:

* mutable objects are numbered at their first appearance, so sharing between two variables is part of the
  key; immutable ones (tuples, frozen dataclasses) are compared by value alone;
* iterators tell their position through ``__reduce__``; those of dicts and sets name their container as well,
  which they ask whether it has changed;
* a set is its hash table, slot by slot, with the finger of ``pop``: equal sets with different histories
  iterate, grow and pop in different orders. That is read from memory, as `gc` reads a generator;
* 1, 1.0 and True differ; a nan is equal only to itself;
* exceptions are their type, arguments, attributes, cause and context, without their traceback;
* a suspended generator is its code, the instruction it stopped at, and everything that it refers to: its
  locals and cells, *the values on its evaluation stack*, the exception that it is handling, and the
  generator it delegates to. On CPython `gc.get_referents` gives all of it: what comes before the pair
  (function, code object) differs between versions, what comes after is what we want, in order. Unbound
  locals are left out there, so the names that are bound are part of the key;
* the globals that code names, and those that the functions among them name, are part of the key: a process
  that rebinds or mutates one is found out when it is run again. The standard library's own are trusted.

What pickle refuses we refuse. Tested on CPython 3.11, 3.12 and 3.13; another interpreter is refused at
import rather than trusted.
"""

from __future__ import annotations

import copyreg
import ctypes
import dis
import enum
import gc
import os
import sys
import types
import warnings
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import fields
from functools import cache
from typing import Any, TypeAlias

from simcore.errors import InternalError, ModelError
from simcore.model import Index, Model, Process
from simcore.model.objects import Future, Task
from simcore.model.operations import Operation, SharedObject

if sys.implementation.name != "cpython":
    raise ImportError("simcore reads the state of suspended generators and is tested on CPython only")

SuspendedGenerator: TypeAlias = "types.GeneratorType[Operation, Any, Any]"

_ATOMS = (str, int, bytes, type(None), type(Ellipsis), type(NotImplemented))
_BY_IDENTITY = (type, types.ModuleType, types.CodeType, enum.Enum, Process, Index, Model)
_TRUSTED = sys.stdlib_module_names | {"simcore"}


class Freezer:
    """Turn an object graph into a hashable key, and collect what simcore objects it mentions.

    Parameters
    ----------
    ordered : bool
        Whether the order of a frozenset counts: it does for a process, which may iterate; the value of an
        object is compared by ``==``, and whoever gets it gets the one that was met first.

    Attributes
    ----------
    objects : set of SharedObject
        Everything shared that can be reached; futures made by submits included.
    weak : set of Future
        Futures that only their own task mentions: they do not keep a future alive.
    processes : set of Process
        Processes that are mentioned.
    """

    def __init__(self, ordered: bool = True) -> None:
        self.ordered = ordered
        self.objects: set[SharedObject] = set()
        self.weak: set[Future] = set()
        self.processes: set[Process] = set()
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []  # temporaries, so that an id is not used twice

    @property
    def mutable(self) -> bool:
        """Whether anything mutable was met."""
        return bool(self._seen)

    @property
    def identities(self) -> tuple[int, ...]:
        """The identities of what was met that is mutable, in order."""
        return tuple(self._seen)

    def freeze(self, thing: Any) -> Hashable:
        """Return a key that is equal for equal values of equal types."""
        kind: Any = type(thing)
        if kind in _ATOMS:
            return thing  # type: ignore[no-any-return]
        if kind is tuple:
            return (tuple, *map(self.freeze, thing))  # every compound key starts with a tag, so none can be mistaken
        if isinstance(thing, SharedObject):
            self.objects.add(thing)
            return thing
        if kind in (bool, float, complex) and thing == thing:
            return (kind, repr(thing))
        if kind is Task:
            return self._task(thing)
        if isinstance(thing, _BY_IDENTITY):
            if isinstance(thing, Process):
                self.processes.add(thing)
            return thing
        if isinstance(thing, tuple) and hasattr(kind, "_fields"):
            return (kind, *map(self.freeze, thing))
        if is_frozen_dataclass(kind):
            return (kind, *(self.freeze(getattr(thing, field.name, None)) for field in fields(thing)))
        if kind is frozenset:
            return _set(self, thing) if self.ordered else (kind, frozenset(map(self.freeze, thing)))
        return self._mutable(thing)

    def _task(self, task: Task) -> Hashable:
        if task.future is not None:
            self.weak.add(task.future)
        return (Task, self.freeze(task.fn), self.freeze(task.args), task.future)

    def _mutable(self, thing: Any) -> Hashable:
        """Freeze something with an identity: the second mention of it is a reference to the first."""
        if id(thing) in self._seen:
            return ("again", self._seen[id(thing)])
        self._seen[id(thing)] = len(self._seen)
        self._kept.append(thing)
        special = _SPECIAL.get(type(thing))
        if special is not None:
            return special(self, thing)
        if isinstance(thing, BaseException):
            return _exception(self, thing)
        return self.reduced(thing)

    def reduced(self, thing: Any) -> Hashable:
        """Freeze anything else the way pickle would take it apart."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # itertools, from 3.12 on
                by_table = copyreg.dispatch_table.get(type(thing))
                taken_apart: Any = thing.__reduce_ex__(4) if by_table is None else by_table(thing)
        except Exception as error:
            raise Unfreezable(thing) from error
        if isinstance(taken_apart, str):
            return (type(thing), taken_apart)
        self._kept.append(taken_apart)
        constructor, arguments, *rest = taken_apart
        made_by = constructor if isinstance(constructor, types.FunctionType) else self.freeze(constructor)
        parts = [list(part) if isinstance(part, Iterator) else part for part in rest]
        self._kept.append(parts)
        return (type(thing), made_by, self.freeze(tuple(arguments)), self.freeze(tuple(parts)))


class Unfreezable(Exception):
    """Carries the object that cannot be frozen up to where its variable is known."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing


def is_frozen_dataclass(kind: Any) -> bool:
    """Tell whether instances are values: compared by their fields, which cannot be set, and with no others."""
    return _frozen_dataclass(kind)


@cache
def _frozen_dataclass(kind: Any) -> bool:
    parameters = getattr(kind, "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen and parameters.eq)


def _nan(freezer: Freezer, number: float | complex) -> Hashable:
    return (type(number), repr(number))


def _exception(freezer: Freezer, error: BaseException) -> Hashable:
    chain = (error.__cause__, error.__context__, error.__suppress_context__)
    return (freezer.reduced(error), *map(freezer.freeze, chain))


def _function(freezer: Freezer, fn: types.FunctionType) -> Hashable:
    parts = (fn.__closure__, fn.__defaults__, fn.__kwdefaults__, fn.__dict__)
    named = () if _trusted(fn) else _named_globals(freezer, fn.__code__, fn.__globals__)
    return (fn.__code__, id(fn.__globals__), *map(freezer.freeze, parts), named)


def _trusted(fn: types.FunctionType) -> bool:
    return (fn.__module__ or "").partition(".")[0] in _TRUSTED


def _cell(freezer: Freezer, cell: types.CellType) -> Hashable:
    content = contents(cell)
    return ("cell",) if content is UNBOUND else ("cell", freezer.freeze(content))


UNBOUND = object()


def contents(cell: types.CellType) -> Any:
    """Return what a cell holds, or `UNBOUND`."""
    try:
        return cell.cell_contents
    except ValueError:
        return UNBOUND


def _set(freezer: Freezer, items: set[Any] | frozenset[Any]) -> Hashable:
    return (type(items), _table(items), *map(freezer.freeze, items))


def _table(items: set[Any] | frozenset[Any]) -> tuple[int, tuple[str, ...]]:
    """Return the finger of ``pop`` and what each slot is: free, used, or left by an item that was removed."""
    word = ctypes.c_ssize_t
    _, _, mask, table, _, finger = (word * 6).from_address(id(items) + object.__basicsize__)
    entries = (word * (2 * mask + 2)).from_address(table)  # pairs (key, hash)
    return finger & mask, tuple("free" if not entries[2 * n] else _slot(entries[2 * n + 1]) for n in range(mask + 1))


def _slot(stored_hash: int) -> str:
    return "left" if stored_hash == -1 else "used"


def _named_globals(freezer: Freezer, code: types.CodeType, scope: dict[str, Any]) -> Hashable:
    found = []
    for name in _global_names(code):
        thing = scope.get(name, len)
        if isinstance(thing, type | types.ModuleType | types.BuiltinFunctionType):
            continue
        if isinstance(thing, types.FunctionType) and _trusted(thing):
            continue
        try:
            found.append((name, freezer.freeze(thing)))
        except Unfreezable as error:  # it cannot be watched, and to name it is no offence
            found.append((name, ("unreadable", type(error.thing))))
    return tuple(found)


@cache
def _global_names(code: types.CodeType) -> tuple[str, ...]:
    """Return the globals that ``code`` names, and that the functions written inside it do."""
    names = {i.argval for i in dis.get_instructions(code) if i.opname.endswith(("_GLOBAL", "LOAD_NAME"))}
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            names.update(_global_names(inner))
    return tuple(sorted(names))


def _view(freezer: Freezer, view: Any) -> Hashable:
    kind: Any = type(view)
    return (kind, *map(freezer.freeze, gc.get_referents(view)))


def _container_iterator(freezer: Freezer, iterator: Any) -> Hashable:
    """Freeze an iterator that asks its container, at each step, whether it has changed."""
    containers = [thing for thing in gc.get_referents(iterator) if isinstance(thing, dict | set | frozenset)]
    try:
        rest = freezer.reduced(iterator)
    except Unfreezable:  # it has changed, and the next step raises RuntimeError
        rest = "changed"
    kind: Any = type(iterator)
    return (kind, rest, *map(freezer.freeze, containers))


def _generator(freezer: Freezer, generator: SuspendedGenerator) -> Hashable:
    frame = generator.gi_frame
    if frame is None:
        return ("finished",)
    parts = []
    for part in _locals_and_stack(generator):
        try:
            parts.append(freezer.freeze(part))
        except Unfreezable as error:
            raise _cannot_freeze(generator, part, error.thing) from error.__cause__
    named = _named_globals(freezer, generator.gi_code, frame.f_globals)
    return (generator.gi_code, frame.f_lasti, tuple(sorted(frame.f_locals)), tuple(parts), named)


def _locals_and_stack(generator: SuspendedGenerator) -> list[Any]:
    referents = gc.get_referents(generator)
    code = generator.gi_code
    for position in range(1, len(referents)):
        if referents[position] is code and getattr(referents[position - 1], "__code__", None) is code:
            parts = referents[position + 1 :]
            # Last comes the handled exception, where there is none either None or nothing (whether a function that
            # was called has handled one). Code, instruction and bound names fix how many parts stand before it.
            while parts and parts[-1] is None:
                parts.pop()
            return parts
    raise InternalError(f"the state of {generator} cannot be read on Python {sys.version.split()[0]}")


def _cannot_freeze(generator: SuspendedGenerator, part: Any, thing: Any) -> ModelError:
    held = contents(part) if isinstance(part, types.CellType) else part
    bound = generator.gi_frame.f_locals if generator.gi_frame is not None else {}
    names = [name for name, value in bound.items() if value is held]
    variable = f"variable {names[0]!r}" if names else "a value in use"
    inside = "" if held is thing else f" with a {type(thing).__name__} in it"
    return ModelError(
        f"{generator.gi_code.co_qualname} ({place(generator)}): {variable} holds a {type(held).__name__}{inside}, "
        f"whose state cannot be compared by value; keep it out of the process, or use model.variable(...) or an "
        f"object of the model"
    )


def place(generator: SuspendedGenerator) -> str:
    """Return function, file and line of the innermost generator that is suspended."""
    while isinstance(generator.gi_yieldfrom, types.GeneratorType) and generator.gi_yieldfrom.gi_frame is not None:
        generator = generator.gi_yieldfrom
    line = generator.gi_frame.f_lineno if generator.gi_frame is not None else 0
    return f"{generator.gi_code.co_name} ({os.path.basename(generator.gi_code.co_filename)}:{line})"


_MAPPING: dict[None, None] = {}
_VIEWS: list[Any] = [_MAPPING.keys(), _MAPPING.values(), _MAPPING.items()]
_CONTAINER_ITERATORS: list[Any] = [*map(iter, _VIEWS), *map(reversed, _VIEWS), iter(set())]
_SPECIAL: dict[type, Callable[[Freezer, Any], Hashable]] = {
    float: _nan,
    complex: _nan,
    list: lambda freezer, items: (list, *map(freezer.freeze, items)),
    dict: lambda freezer, items: (dict, *((freezer.freeze(k), freezer.freeze(v)) for k, v in items.items())),
    set: _set,
    types.FunctionType: _function,
    types.BuiltinFunctionType: lambda freezer, fn: (fn.__qualname__, freezer.freeze(fn.__self__)),
    types.MethodType: lambda freezer, fn: (freezer.freeze(fn.__func__), freezer.freeze(fn.__self__)),
    types.CellType: _cell,
    types.GeneratorType: _generator,
    **dict.fromkeys(map(type, _VIEWS), _view),
    **dict.fromkeys(map(type, _CONTAINER_ITERATORS), _container_iterator),
}


def freeze(thing: Any) -> Hashable:
    """Return a key for ``thing`` by value (see `Freezer`)."""
    return Freezer().freeze(thing)


def mentioned_by(things: Iterable[Any]) -> frozenset[SharedObject]:
    """Return every shared object that can be reached from ``things``; a task's own future is not counted."""
    freezer = Freezer()
    for thing in things:
        freezer.freeze(thing)
    return frozenset(freezer.objects)


def operation_key(operation: Operation) -> Hashable:
    """Return what makes two operations the same step."""
    return (operation.target, operation.name, freeze(operation.args), operation.timeout)
