"""Two frozen object graphs are equal only if no code that is handed one of them could tell it from the other.

Freezing is by value, as pickle would see it, with what pickle does not see and code can:

* mutable objects are numbered at their first appearance, so sharing between two variables is part of the
  key; immutable ones (tuples, frozen dataclasses) are compared by value alone;
* iterators tell their position through ``__reduce__``, or are read from memory (`iterators.py`); those of dicts
  and sets name their container as well, which they ask whether it has changed;
* a set is its hash table, slot by slot, with the finger of ``pop``: equal sets with different histories
  iterate, grow and pop in different orders. That is read from memory, too;
* 1, 1.0 and True differ; a nan is equal only to itself;
* exceptions are their type, arguments, attributes (slots and those kept in C as well), cause and context, without
  their traceback;
* a suspended generator is its code, the instruction it stopped at, and all that it holds: its locals and cells,
  *the values on its evaluation stack*, the exception that it is handling, and the generator it delegates to.
  `generators.py` says how that is read, and why none of it is left out;
* the globals that code names, and those that the functions among them name, are part of the key: a process
  that rebinds or mutates one is found out when it is run again. The standard library's own are trusted.

What pickle refuses we refuse, but for the iterators that can be read. Tested on CPython 3.11 to 3.15; whether the
interpreter is one of which all this is true, known or not, is tried before the first answer (`traps.py`).
"""

from __future__ import annotations

import copyreg
import ctypes
import dis
import enum
import gc
import sys
import types
import warnings
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import fields
from functools import cache
from typing import Any

from simcore.errors import ModelError
from simcore.kernel.generators import UNBOUND as UNBOUND
from simcore.kernel.generators import SuspendedGenerator as SuspendedGenerator
from simcore.kernel.generators import Word, held, variables
from simcore.kernel.generators import contents as contents
from simcore.kernel.generators import place as place
from simcore.kernel.iterators import LAYOUTS, state, told_by_pickle
from simcore.model import Index, Model, Process
from simcore.model.objects import Future, Task
from simcore.model.operations import Operation, SharedObject

_ATOMS = (str, int, bytes, type(None), type(Ellipsis), type(NotImplemented), Word)
_BY_IDENTITY = (type, types.ModuleType, types.CodeType, enum.Enum, Process, Index, Model)
_DEPRECATED = LAYOUTS if (3, 12) <= sys.version_info < (3, 14) else {}  # to pickle them warns, and the user did not
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
            with warnings.catch_warnings(action="ignore") if type(thing) in _DEPRECATED else nullcontext():
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
    chain = (error.__cause__, error.__context__)
    kind: Any = type(error)
    members = (_in_member(error, member) for member in _members(kind))
    return (freezer.reduced(error), *map(freezer.freeze, chain), *map(freezer.freeze, members))


@cache
def _members(kind: Any) -> tuple[types.MemberDescriptorType, ...]:
    """Return the attributes that are kept in the object itself, which ``__reduce__`` of an exception leaves out."""
    return tuple(
        what for base in kind.__mro__ for what in vars(base).values() if type(what) is types.MemberDescriptorType
    )


def _in_member(error: BaseException, member: types.MemberDescriptorType) -> tuple[Any, ...]:
    try:
        return (member.__get__(error),)
    except AttributeError:  # a slot with nothing in it
        return ()


def _function(freezer: Freezer, fn: types.FunctionType) -> Hashable:
    parts = (fn.__closure__, fn.__defaults__, fn.__kwdefaults__, fn.__dict__, fn.__name__, fn.__qualname__)
    named = () if _trusted(fn) else _named_globals(freezer, fn.__code__, fn.__globals__)
    return (fn.__code__, id(fn.__globals__), *map(freezer.freeze, parts), named)


def _trusted(fn: types.FunctionType) -> bool:
    return (fn.__module__ or "").partition(".")[0] in _TRUSTED


def _cell(freezer: Freezer, cell: types.CellType) -> Hashable:
    content = contents(cell)
    return ("cell",) if content is UNBOUND else ("cell", freezer.freeze(content))


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


_LAZY = getattr(types, "LazyImportType", None)  # from 3.15 on


def _imported(lazy: Any) -> Any:
    """Return what a lazy import stands for: whether it was used already is no difference between two points."""
    try:
        return lazy.resolve()
    except Exception:  # so will the process find it
        return len


def _named_globals(freezer: Freezer, code: types.CodeType, scope: dict[str, Any]) -> Hashable:
    found = []
    for name in _global_names(code):
        thing = scope.get(name, len)
        if type(thing) is _LAZY:
            thing = _imported(thing)
        if isinstance(thing, type | types.ModuleType | types.BuiltinFunctionType):
            continue
        if isinstance(thing, types.FunctionType) and _trusted(thing):
            continue
        try:
            found.append((name, freezer.freeze(thing)))
        except Unfreezable as error:  # it cannot be watched, and to name it is no offence
            found.append((name, ("unreadable", type(error.thing))))
    return tuple(found)


_NAMING = {number for name, number in dis.opmap.items() if name.endswith(("_GLOBAL", "_GLOBALS", "LOAD_NAME"))}


@cache
def _global_names(code: types.CodeType) -> tuple[str, ...]:
    """Return the globals that ``code`` names, and that the functions written inside it do."""
    names = set(_named_in(code))
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            names.update(_global_names(inner))
    return tuple(sorted(names))


def _named_in(code: types.CodeType) -> Iterator[str]:
    """Yield what `dis` does for these instructions, and in a tenth of the time."""
    argument = 0
    for instruction, byte in zip(code.co_code[::2], code.co_code[1::2], strict=True):
        argument = argument << 8 | byte
        if instruction in _NAMING:
            yield code.co_names[argument >> (instruction == dis.opmap["LOAD_GLOBAL"])]  # its lowest bit says "to call"
        if instruction != dis.EXTENDED_ARG:
            argument = 0


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


def _iterator(freezer: Freezer, iterator: Any) -> Hashable:
    """Freeze an iterator that pickle does not know, or not well enough."""
    known = state(iterator)
    kind: Any = type(iterator)
    return freezer.reduced(iterator) if known is None else (kind, *map(freezer.freeze, known))


def _generator(freezer: Freezer, generator: SuspendedGenerator) -> Hashable:
    frame = generator.gi_frame
    if frame is None:
        return ("finished",)
    if generator.gi_running:
        raise Unfreezable(generator)
    row, handled, written = held(generator)
    if handled is not None or written:
        row = [*row, handled, *written]  # as long as its first part is given by the code and the instruction
    parts = []
    for part in row:
        try:
            parts.append(freezer.freeze(part))
        except Unfreezable as error:
            raise _cannot_freeze(generator, part, error.thing) from error.__cause__
    code = generator.gi_code
    named = _named_globals(freezer, code, frame.f_globals)
    return (code, frame.f_lasti, generator.__name__, generator.__qualname__, tuple(parts), named)


def _cannot_freeze(generator: SuspendedGenerator, part: Any, thing: Any) -> ModelError:
    held = contents(part) if isinstance(part, types.CellType) else part
    names = [name for name, value in variables(generator).items() if value is held]
    variable = f"variable {names[0]!r}" if names else "a value in use"
    inside = "" if held is thing else f" with a {type(thing).__name__} in it"
    return ModelError(
        f"{generator.gi_code.co_qualname} ({place(generator)}): {variable} holds a {type(held).__name__}{inside}, "
        f"whose state cannot be compared by value; keep it out of the process, or use model.variable(...) or an "
        f"object of the model"
    )


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
    super: lambda freezer, proxy: (super, proxy.__thisclass__, freezer.freeze(proxy.__self__)),
    **{kind: _iterator for kind in LAYOUTS if not told_by_pickle(kind)},
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
