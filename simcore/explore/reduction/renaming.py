"""A value is renamed part by part: whoever could not tell two names apart cannot tell the two values apart.

Tuples, frozen dataclasses, frozensets, tasks, texts that contain a name, objects, processes and futures are
taken apart and put together again. Functions and objects of the model's own classes have an identity; what
those are moved to has been found by following the arguments of the processes (`pairing.py`). A value that holds
anything else with a name in it cannot be renamed, and then the names are told apart.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Hashable, Iterator
from dataclasses import fields
from typing import Any, NamedTuple, Protocol

from simcore.explore.reduction.names import Moves, Names, NotSymmetric
from simcore.kernel import parts
from simcore.kernel.freeze import Freezer, Held, Unfreezable, is_frozen_dataclass, value_key
from simcore.model import Index, Process
from simcore.model.objects import Task
from simcore.model.operations import SharedObject

PLAIN = (int, bytes, bool, float, complex, type(None))


class Known(Protocol):
    """What is known of things with an identity."""

    def label_of(self, thing: Any) -> tuple[Hashable, tuple[int, ...]] | None:
        """Return what it is but for its names, and its names; None when it is not known."""

    def moved(self, thing: Any, moves: Moves) -> Any:
        """Return what it is moved to."""


class Fact(NamedTuple):
    """Names that are mentioned together: in what shape, and each in which part of it."""

    shape: Hashable
    names: tuple[int, ...]
    slots: tuple[int, ...]


class Described(NamedTuple):
    """A value without its names, its names, and what it tells of them.

    Attributes
    ----------
    shape : hashable
        The same for all values that differ by a permutation.
    names : tuple of int
        Each once. With ``ordered``, shape and names are the value, and no two values have the same.
    ordered : bool
        Whether no name is inside a frozenset.
    exact : bool
        Whether the facts are all there is to tell.
    """

    shape: Hashable
    names: tuple[int, ...]
    facts: tuple[Fact, ...]
    ordered: bool = True
    exact: bool = True


class Renaming:
    """Renames values, and describes them without their names.

    Parameters
    ----------
    names : Names
        Those that are moved.
    known : Known
        What things with an identity are moved to.
    """

    def __init__(self, names: Names, known: Known) -> None:
        self.names, self.known = names, known
        self._shapes: dict[Hashable, int] = {}
        self._tasks: dict[tuple[int, int, int], tuple[Task, Described]] = {}
        self._renamed_tasks: dict[tuple[tuple[int, int, int], tuple[int, ...]], Task] = {}
        self._functions: dict[Hashable, Hashable] = {}  # what is inside of them takes long to read
        self._cases: dict[type, Callable[[Any, Moves], Any]] = {
            str: names.text,
            tuple: self._tuple,
            Index: self._index,
            Process: self._process,
            frozenset: lambda items, moves: frozenset(self.renamed(item, moves) for item in items),
            Task: self._task,
            types.MethodType: lambda m, moves: types.MethodType(m.__func__, self.renamed(m.__self__, moves)),
        }

    # ---- renaming ------------------------------------------------------------------------------------

    def renamed(self, thing: Any, moves: Moves) -> Any:
        """Return ``thing`` with its names moved."""
        kind = type(thing)
        if kind in PLAIN:
            return thing
        case = self._cases.get(kind)
        if case is None:
            case = self._cases[kind] = self._case(thing, kind)
        return case(thing, moves)

    def _case(self, thing: Any, kind: Any) -> Callable[[Any, Moves], Any]:
        if isinstance(thing, SharedObject):
            return self._object
        if isinstance(thing, tuple) and hasattr(kind, "_fields"):
            return lambda parts, moves: kind._make(self.renamed(part, moves) for part in parts)
        return self._dataclass if is_frozen_dataclass(kind) else self._opaque

    def _tuple(self, parts: tuple[Any, ...], moves: Moves) -> tuple[Any, ...]:
        return tuple(self.renamed(part, moves) for part in parts)

    def _task(self, task: Task, moves: Moves) -> Task:
        names = self.task(task).names
        key = parts(task), tuple([moves.get(name, name) for name in names])
        found = self._renamed_tasks.get(key)
        if found is None:
            found = task if key[1] == names else Task(*(self.renamed(part, moves) for part in task))
            self._renamed_tasks[key] = found
        return found

    def _index(self, index: Index, moves: Moves) -> Any:
        name = self.names.of_index(index)
        return index if name is None or name not in moves else self.names.thing(moves[name])

    def _process(self, process: Process, moves: Moves) -> Any:
        name = self.names.of_worker(process)
        if name is not None:
            return self.names.thing(moves.get(name, name))
        return self.names.moved(process, moves)

    def _object(self, thing: SharedObject, moves: Moves) -> Any:
        name = self.names.of_future(thing)
        if name is not None:
            return self.names.thing(moves.get(name, name))
        return self.names.moved(thing, moves) if self.names.belongs(thing) else thing

    def _dataclass(self, thing: Any, moves: Moves) -> Any:
        copy = object.__new__(type(thing))
        for field in fields(thing):
            object.__setattr__(copy, field.name, self.renamed(getattr(thing, field.name), moves))
        return copy

    def _opaque(self, thing: Any, moves: Moves) -> Any:
        if self.known.label_of(thing) is not None:
            return self.known.moved(thing, moves)
        self._without_names(thing)
        return thing

    def _without_names(self, thing: Any) -> Hashable:
        """Return the frozen ``thing``, which must not contain names."""
        if isinstance(thing, type | types.ModuleType | types.BuiltinFunctionType):
            return thing
        if isinstance(thing, types.FunctionType):
            inside = (thing, *(id(cell.cell_contents) for cell in thing.__closure__ or ()))
            if inside not in self._functions:
                self._functions[inside] = self._read_through(thing)
            return self._functions[inside]
        return self._read_through(thing)

    def _read_through(self, thing: Any) -> Hashable:
        try:
            key = Freezer(ordered=False).freeze(thing)
        except Unfreezable:
            return ("unreadable", id(thing))
        for name in self.names_in(key):
            told = getattr(thing, "__qualname__", None) or f"a {type(thing).__name__}"
            raise NotSymmetric(self.names.family(name), f"{told} that is passed on holds a name, and cannot be renamed")
        return value_key(thing)

    def names_in(self, key: Hashable) -> Iterator[int]:
        """Yield the names in something frozen."""
        for part in _leaves(key):
            if isinstance(part, str):
                yield from self.names.read(part).names
            elif isinstance(part, Index):
                name = self.names.of_index(part)
                yield from () if name is None else (name,)
            elif isinstance(part, SharedObject | Process):
                made = self.names.of_future(part) if isinstance(part, SharedObject) else None
                known = self.names.owners(part) if made is None and self.names.belongs(part) else ()
                yield from known if made is None else (made,)

    # ---- describing ----------------------------------------------------------------------------------

    def described(self, thing: Any) -> Described:
        """Take the names out of ``thing``."""
        return _Description(self).of(thing)

    def task(self, task: Task) -> Described:
        """Take the names out of a task, once: a queue is one value for each order of its tasks."""
        key = parts(task)
        known = self._tasks.get(key)
        if known is None:
            known = self._tasks[key] = task, _Description(self).of_parts(task)
        return known[1]

    def shape(self, shape: Hashable) -> int:
        """Return a small integer for a shape."""
        return self._shapes.setdefault(shape, len(self._shapes))

    def mentioned(self, thing: Any) -> tuple[Hashable, tuple[int, ...]] | None:
        """Return what a thing that stands for names is but for them, and the names; None when it has parts."""
        kind = type(thing)
        if kind is str:
            return self.names.read(thing)
        if kind in PLAIN:
            return (kind, repr(thing) if kind in (float, complex) else thing), ()
        if kind is Index:
            name = self.names.of_index(thing)
            return (thing, ()) if name is None else (("index", self.names.family(name)), (name,))
        if isinstance(thing, Process):
            return self._labelled(thing, self.names.of_worker(thing))
        if isinstance(thing, SharedObject):
            return self._labelled(thing, self.names.of_future(thing))
        return None

    def _labelled(self, thing: Any, name: int | None) -> tuple[Hashable, tuple[int, ...]]:
        if name is not None:
            pool = thing.pool if isinstance(thing, Process) else None
            return ("made", None if pool is None else self.names.label(pool).template), (name,)
        return self.names.label(thing) if self.names.belongs(thing) else (thing, ())

    def opaque(self, thing: Any) -> tuple[Hashable, tuple[int, ...]]:
        """Do what `mentioned` does for a thing with an identity."""
        label = self.known.label_of(thing)
        return (self._without_names(thing), ()) if label is None else label


class _Description:
    """Walks one value."""

    def __init__(self, renaming: Renaming) -> None:
        self.renaming = renaming
        self.names: dict[int, int] = {}
        self.facts: list[Fact] = []
        self.ordered = self.exact = True
        self._sets = 0

    def of(self, thing: Any) -> Described:
        return self._described(self._shape(thing))

    def of_parts(self, task: Task) -> Described:
        return self._described((Task, *map(self._shape, task)))

    def _described(self, shape: Hashable) -> Described:
        names = tuple(self.names)
        if names:
            self.facts.insert(0, Fact(shape, names, tuple(range(len(names)))))
        everything = tuple(dict.fromkeys([*names, *(name for fact in self.facts for name in fact.names)]))
        return Described(shape, everything, tuple(self.facts), self.ordered, self.exact)

    def _shape(self, thing: Any) -> Hashable:
        found = self.renaming.mentioned(thing)
        if found is None and isinstance(thing, frozenset):
            return self._set(thing)
        if found is None and isinstance(thing, Task):
            return self._task(thing)
        if found is None:
            parts = self._parts(thing)
            if parts is not None:
                return (type(thing), *map(self._shape, parts))
            found = self.renaming.opaque(thing)
        shape, names = found
        return (shape, *(self.names.setdefault(name, len(self.names)) for name in names)) if names else shape

    def _task(self, task: Task) -> Hashable:
        alone = self.renaming.task(task)
        if not alone.ordered:  # its sets are numbered among all there are
            return (Task, *map(self._shape, task))
        slots = (self.names.setdefault(name, len(self.names)) for name in alone.names)
        return (Task, self.renaming.shape(alone.shape), *slots)

    def _parts(self, thing: Any) -> Iterator[Any] | tuple[Any, ...] | None:
        if isinstance(thing, tuple) and (type(thing) is tuple or hasattr(thing, "_fields")):
            return thing
        if isinstance(thing, types.MethodType):
            return (thing.__func__, thing.__self__)
        kind: Any = type(thing)
        if is_frozen_dataclass(kind):
            return (getattr(thing, field.name) for field in fields(thing))
        return None

    def _set(self, items: frozenset[Any]) -> Hashable:
        """Each element with names in it is a fact of its own: a set has no order that could tell them apart."""
        self._sets += 1
        number, shapes = self._sets, []
        for item in sorted(items, key=_text):  # shapes are numbered: their order must not be that of addresses
            inside = self.renaming.described(item)
            shapes.append(self.renaming.shape(inside.shape))
            self.facts += [Fact(("element", number, *fact[:1]), *fact[1:]) for fact in inside.facts]
            self.ordered = self.ordered and not inside.names
            self.exact = self.exact and inside.ordered and inside.exact
        return ("set", number, tuple(sorted(shapes)))


def _text(thing: Any) -> str:
    """Return a text that is the same in every process."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(thing))


def _leaves(key: Any) -> Iterator[Any]:
    if isinstance(key, tuple | frozenset):
        for part in key:
            yield from _leaves(part)
    elif isinstance(key, Held):
        yield from _leaves(key.inside)
    else:
        yield key
