"""Two frozen object graphs are equal only if no code that is handed one of them could tell it from the other.

Freezing is by value, as pickle would see it, with what pickle does not see and code can:

* mutable objects are numbered where they first appear, so sharing is part of the key; immutable ones are values;
* iterators tell their position through ``__reduce__``, or are read from memory (`iterators.py`); those of dicts and
  sets name their container as well, which they ask whether it has changed, and their place in its table;
* a set is its hash table, slot by slot, with the finger of ``pop``, read from memory, too: equal sets with different
  histories iterate, grow and pop in different orders;
* 1, 1.0 and True differ; a nan is equal only to itself;
* exceptions are their type, arguments, attributes (also slots and those in C), cause and context; not what pickle says;
* what a class of the user says of its instances to pickle is not asked (`instances.py`);
* a suspended generator is its code, the instruction it stopped at, and all that it holds (`generators.py`): locals and
  cells, *its evaluation stack*, the exception that it is handling, and the generator it delegates to;
* what was there before any process ran is watched (`outside.py`), so for a process it is known by its identity alone;
  globals that code names and that nobody watches are part of the key;
* things that are equal only to themselves (sentinels, instances without an ``__eq__``) are one value only if they are
  one thing. One that a process has made itself is another one in each run, and is not passed on;
* whether two numbers or texts are one object, and where an exception was raised, counts where code asks (`codes.py`).

What pickle refuses we refuse, but for the iterators that can be read. Whether the interpreter is one of which all this
is true, known or not, is tried before the first answer (`traps.py`); CPython 3.11 to 3.15 are.
"""

from __future__ import annotations

import enum
import functools
import gc
import sys
import types
import warnings
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import fields
from typing import Any

from simcore.errors import ModelError
from simcore.kernel.codes import VALUES, named_in
from simcore.kernel.generators import UNBOUND as UNBOUND
from simcore.kernel.generators import SuspendedGenerator as SuspendedGenerator
from simcore.kernel.generators import Word, held, variables
from simcore.kernel.generators import contents as contents
from simcore.kernel.generators import place as place
from simcore.kernel.instances import (
    answers_for_itself,
    attributes_of,
    content_of,
    has_more,
    in_member,
    is_token,
    members,
    registered,
    remembered,
    resolved,
    value_of,
    where_raised,
)
from simcore.kernel.instances import is_frozen_dataclass as is_frozen_dataclass
from simcore.kernel.iterators import LAYOUTS, position, state, table, told_by_pickle
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
    outside : Outside, optional
        What was there before any process ran: two such things are never one, however equal they are.
    frame : bool
        Whether it is what a process holds itself: then all that is held outside is what it is by its identity.

    Attributes
    ----------
    objects : set of SharedObject
        Everything shared that can be reached; futures made by submits included.
    weak : set of Future
        Futures that only their own task mentions: they do not keep a future alive.
    processes : set of Process
        Processes that are mentioned.
    made : list
        What is compared by identity and was made by a process, so that no other run has it.
    """

    def __init__(self, ordered: bool = True, outside: Any = None, frame: bool = False) -> None:
        self.ordered, self._outside = ordered, outside
        self._frame = outside is not None and frame
        self._exact, self._in_function = self._frame and outside.exact, False
        self.made: list[Any] = []
        self.objects: set[SharedObject] = set()
        self.weak: set[Future] = set()
        self.processes: set[Process] = set()
        self._seen: dict[int, int] = {}
        self._values: dict[int, int] = {}
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
        if self._exact and (isinstance(thing, VALUES) or is_frozen_dataclass(kind)):
            number = self._values.setdefault(id(thing), len(self._values))
            self._kept.append(thing)
            return ("one", number, self._by_value(kind, thing))
        return self._by_value(kind, thing)

    def _by_value(self, kind: Any, thing: Any) -> Hashable:
        if kind in _ATOMS:
            return thing  # type: ignore[no-any-return]
        if kind is tuple:
            return (tuple, *map(self.freeze, thing))  # every compound key starts with a tag, so none can be mistaken
        if isinstance(thing, SharedObject):
            self.objects.add(thing)
            return thing
        if kind in (bool, float, complex) and thing == thing:
            return (kind, repr(thing))
        if kind in _SPECIAL:
            return self._mutable(thing)
        if kind is Task:
            return self._task(thing)
        if isinstance(thing, _BY_IDENTITY):
            if isinstance(thing, Process):
                self.processes.add(thing)
            return thing
        if isinstance(thing, tuple) and hasattr(kind, "_fields") and not attributes_of(thing):
            return (kind, *map(self.freeze, thing))
        if is_frozen_dataclass(kind) and not has_more(thing):
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
        held = self._outside.held(thing) if self._outside is not None and (self._frame or is_token(thing)) else None
        if held is not None:
            return self._meet(held) if type(held) is Held else ("it", id(held))
        if id(thing) in self._seen:
            return ("again", self._seen[id(thing)])
        if not self._in_function and is_token(thing):
            self.made.append(thing)
        self._seen[id(thing)] = len(self._seen)
        self._kept.append(thing)
        special = _SPECIAL.get(type(thing))
        if special is not None:
            return special(self, thing)
        if isinstance(thing, BaseException):
            return _exception(self, thing)
        return self.reduced(thing)

    def inside(self, parts: Iterable[Any]) -> tuple[Hashable, ...]:
        """Freeze what a function is made of: it is called, and what it holds is not passed on with it."""
        before, self._in_function = self._in_function, True
        try:
            return tuple(map(self.freeze, parts))
        finally:
            self._in_function = before

    def _meet(self, held: Held) -> Held:
        """Take over what something held outside mentions."""
        self.objects |= held.objects
        self.processes |= held.processes
        return held

    def named(self, code: types.CodeType, scope: dict[str, Any]) -> Hashable:
        """Freeze the globals that a code names; those that are watched cannot differ."""
        known = self._outside.named(code, scope) if self._frame else None
        return _named_globals(self, code, scope) if known is None else self._meet(known)

    def raised(self, error: BaseException) -> Hashable:
        """Return where an exception was raised, if a process might ask."""
        return where_raised(error) if self._frame and self._outside.tracebacks else ()

    def reduced(self, thing: Any) -> Hashable:
        """Freeze anything else the way pickle would take it apart, or as what it is if that cannot be relied on."""
        kind: Any = type(thing)
        if answers_for_itself(kind):
            return self._as_it_is(kind, thing)
        try:
            with warnings.catch_warnings(action="ignore") if type(thing) in _DEPRECATED else nullcontext():
                by_table = registered(kind)
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

    def _as_it_is(self, kind: Any, thing: Any) -> Hashable:
        content = content_of(thing)
        if content is None:
            raise Unfreezable(thing)
        if isinstance(thing, set | frozenset):
            content = (table(thing), *content)
        slots = tuple(in_member(thing, member) for member in members(kind))
        told = (value_of(thing), getattr(thing, "maxlen", None), content, attributes_of(thing), slots)
        return (kind, *map(self.freeze, told))


class Unfreezable(Exception):
    """Carries the object that cannot be frozen up to where its variable is known."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing


def _nan(freezer: Freezer, number: float | complex) -> Hashable:
    return (type(number), repr(number))


def _exception(freezer: Freezer, error: BaseException) -> Hashable:
    chain = (error.__cause__, error.__context__)
    kind: Any = type(error)
    slots = (in_member(error, member) for member in members(kind))
    return (freezer.reduced(error), *map(freezer.freeze, chain), *map(freezer.freeze, slots), freezer.raised(error))


def _function(freezer: Freezer, fn: types.FunctionType) -> Hashable:
    parts = (fn.__closure__, fn.__defaults__, fn.__kwdefaults__, fn.__dict__, fn.__name__, fn.__qualname__)
    named = () if _trusted(fn) else freezer.named(fn.__code__, fn.__globals__)
    return (fn.__code__, id(fn.__globals__), *freezer.inside(parts), named)


def _cached(freezer: Freezer, fn: Any) -> Hashable:
    """Freeze a function with an ``lru_cache``: what it has computed, and what it tells of that."""
    return ("cached", fn.cache_info(), *freezer.inside(remembered(fn)))


def _trusted(fn: types.FunctionType) -> bool:
    return (fn.__module__ or "").partition(".")[0] in _TRUSTED


def _cell(freezer: Freezer, cell: types.CellType) -> Hashable:
    content = contents(cell)
    return ("cell",) if content is UNBOUND else ("cell", freezer.freeze(content))


def _set(freezer: Freezer, items: set[Any] | frozenset[Any]) -> Hashable:
    return (type(items), table(items), *map(freezer.freeze, items))


def _named_globals(freezer: Freezer, code: types.CodeType, scope: dict[str, Any]) -> Hashable:
    found = []
    for name in named_in(code).globals:
        thing = resolved(scope.get(name, len))
        if isinstance(thing, type | types.ModuleType | types.BuiltinFunctionType):
            continue
        if isinstance(thing, types.FunctionType) and _trusted(thing):
            continue
        try:
            found.append((name, freezer.freeze(thing)))
        except Unfreezable as error:  # it cannot be watched, and to name it is no offence
            found.append((name, ("unreadable", type(error.thing))))
    return tuple(found)


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
    return (kind, position(iterator), rest, *map(freezer.freeze, containers))


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
    named = freezer.named(code, frame.f_globals)
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
    functools._lru_cache_wrapper: _cached,
    types.GeneratorType: _generator,
    super: lambda freezer, proxy: (super, proxy.__thisclass__, freezer.freeze(proxy.__self__)),
    **{kind: _iterator for kind in LAYOUTS if not told_by_pickle(kind)},
    **dict.fromkeys(map(type, _VIEWS), _view),
    **dict.fromkeys(map(type, _CONTAINER_ITERATORS), _container_iterator),
}


def freeze(thing: Any) -> Hashable:
    """Return a key for ``thing`` by value (see `Freezer`)."""
    return Freezer().freeze(thing)


class Held:
    """Something that was there before any process ran, and is only equal to itself; and what can be found in it."""

    def __init__(self, inside: Hashable, freezer: Freezer) -> None:
        self.inside, self.objects, self.processes = inside, freezer.objects, freezer.processes


class Everything:
    """What is outside where nothing is inside: each thing that is equal to itself alone is what it is."""

    exact = tracebacks = False

    def held(self, thing: Any) -> Any:
        return thing


def value_key(thing: Any) -> Hashable:
    """Return a key for a value of an object, or for an argument, of which a process can tell what is equal."""
    return Freezer(ordered=False, outside=Everything()).freeze(thing)


def mentioned_by(things: Iterable[Any]) -> frozenset[SharedObject]:
    """Return every shared object that can be reached from ``things``; a task's own future is not counted."""
    freezer = Freezer()
    for thing in things:
        freezer.freeze(thing)
    return frozenset(freezer.objects)


def operation_key(operation: Operation, freezer: Freezer) -> Hashable:
    """Return what makes two operations the same step."""
    return (operation.target, operation.name, freezer.freeze(operation.args), operation.timeout)
