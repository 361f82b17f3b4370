"""What a run needs replaced is replaced in place: methods of C types, functions of modules, and every name they go by.

Nothing is put in the place of an object. `threading.Lock`, an alias that a module took years ago, a lock that was made
before the run, a subclass, a caller in C: all come to the same type, whose methods are others now. A type of C refuses
new attributes, so its dictionary itself is changed, which lies behind the read-only view that ``__dict__`` is of it;
then whatever has looked a method up before is told.

This happens in a process of its own (`workers.py`), so that there is nothing to put back.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from threading import Condition
from types import BuiltinMethodType, CellType, FrameType, FunctionType, MemberDescriptorType, ModuleType
from typing import Any


def replace_methods(kind: type, methods: Mapping[str, Any]) -> None:
    """Give a type other methods; names that it does not have are left out, as they differ between versions."""
    for name, method in methods.items():
        if isinstance(method, FunctionType) and "<locals>" in method.__qualname__:
            method.__name__, method.__qualname__ = name, f"{kind.__qualname__}.{name}"
    (own,) = gc.get_referents(kind.__dict__)
    own.update({name: method for name, method in methods.items() if name in own})
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))
    if any(kind.__dict__[name] is not method for name, method in methods.items() if name in kind.__dict__):
        raise NotImplementedError(f"this interpreter does not let {kind.__qualname__} be replaced: {sys.version}")


_IMMUTABLE = 1 << 8
"""The flag of a type whose attributes may not be set."""

_FLAGS_AT = 168
"""Where the flags of a type are: behind the head of an object and eighteen pointers and sizes, since 3.0."""


def replace_constructor(kind: type, make: Callable[[], Any]) -> None:
    """Have what is called as a type be made by a function without parameters."""
    flags = ctypes.c_ulong.from_address(id(kind) + _FLAGS_AT)
    if flags.value != kind.__flags__:
        raise NotImplementedError(f"this interpreter has the flags of {kind.__qualname__} elsewhere: {sys.version}")
    flags.value &= ~_IMMUTABLE
    try:
        kind.__new__ = staticmethod(lambda cls: make())  # type: ignore[assignment]
    finally:
        flags.value |= _IMMUTABLE


ByType = Mapping[type, list[Any]]
"""Objects by their types: there are very many, and to look at each costs more than what it is looked at for."""


def objects_by_type() -> ByType:
    """Return whatever the collector knows of."""
    found: defaultdict[type, list[Any]] = defaultdict(list)
    for each in gc.get_objects():
        found[type(each)].append(each)
    return found


def instances(objects: ByType, *kinds: type) -> list[Any]:
    """Return those that are of one of some types, or of a subclass."""
    return [each for kind, some in objects.items() if issubclass(kind, kinds) for each in some]


def holders(objects: ByType) -> list[Any]:
    """Return all functions, modules and types, which may have a function under a name, and what calls it with some."""
    found = instances(objects, FunctionType, ModuleType, type, partial)
    known = set(map(id, found))
    return found + [each for each in sys.modules.values() if id(each) not in known]


def copies_of(kind: type, among: Iterable[Any]) -> list[type]:
    """Return the types that are a type of C in another copy of its module, of which a process may have several."""
    named = kind.__module__, kind.__name__
    types = (each for each in among if issubclass(type(each), type) and each is not kind)
    return [each for each in types if (vars(each).get("__module__"), each.__name__) == named]


_MOST_ELSEWHERE = 50


def look_up_again(kinds: Iterable[type], objects: ByType, functions: Iterable[Any]) -> list[Any]:
    """Put the methods of now into the place of those of C that somebody has kept, bound, before ``kinds`` had others.

    Return whatever has one of ``functions``, too: to ask for that once more would take as long again.

    A condition keeps those of its re-entrant lock, and a module may have ``acquire = LOCK.acquire``. There may be
    thousands of conditions. Where others have one is looked for in names, in variables and defaults of functions and in
    lists, for the first few, as each is compared with whatever there is. What lies in another tuple, or in an object of
    C, stays as it is.
    """
    wanted = tuple(kinds)
    methods = objects[BuiltinMethodType]
    owners = ((each, each.__self__) for each in methods)
    kept = [each for each, own in owners if issubclass(own if isinstance(own, type) else type(own), wanted)]
    now = {id(each): (each, getattr(each.__self__, each.__name__)) for each in kept}
    for condition in instances(objects, Condition) if kept else ():
        _replace_within(vars(condition), now)
    *counts, alone = map(sys.getrefcount, [*kept, [].append])
    left = [each for each, count in zip(kept, counts, strict=True) if count > alone + 3][:_MOST_ELSEWHERE]  # our own
    ours = set(map(id, (methods, kept, left, *now.values())))
    having = [each for each in gc.get_referrers(*left, *functions) if id(each) not in ours]
    for holder in having if left else ():
        if type(holder) is not tuple:
            _replace_within(holder, now)
        elif not now.keys().isdisjoint(map(id, holder)):
            for function in gc.get_referrers(holder):
                if type(function) is FunctionType and function.__defaults__ is holder:
                    function.__defaults__ = tuple([_new_of(each, now) for each in holder])
    return having


def replace_functions(
    functions: Mapping[Callable[..., Any], Callable[..., Any]], among: Iterable[Any], having: Iterable[Any]
) -> None:
    """Put functions into the place of others: wherever somebody may have kept one, under a name or without.

    Names are those of modules and classes, and defaults of parameters. Without, a default of a dataclass is in a cell,
    and a clock that is given is an attribute. Modules are found where they are, and not by their names, under which
    others may have come since. What is put there is, as a function of C, no method of a class that has it. What lies in
    another tuple, or in an object of C, stays as it is.
    """
    for old, new in functions.items():
        new.__name__, new.__qualname__ = old.__name__, old.__qualname__
    _replace_names(functions, among)
    now: _Now = {id(old): (old, new.__call__) for old, new in functions.items()}  # type: ignore[operator]
    spared = {id(cell) for new in functions.values() for cell in getattr(new, "__closure__", None) or ()}
    ours = [module for name, module in list(sys.modules.items()) if name.startswith("simcore.control")]
    spared.update(id(each) for module in ours for each in vars(module).values())
    arguments = [each for each in among if type(each) is partial]  # they are in a tuple
    for holder in [*having, *arguments]:
        names = holder if type(holder) is dict else vars(type(holder))
        if id(holder) not in spared and holder is not functions and not _is_ours(names):
            _replace_within(holder, now)


_Now = Mapping[int, tuple[Any, Any]]
"""What was, and what is put into its place, by the identity of what was."""


def _new_of(value: Any, now: _Now) -> Any:
    old, new = now.get(id(value), (None, None))
    return new if old is not None and old is value else value


def _replace_within(holder: Any, now: _Now) -> None:
    """Put others into the place of functions that one object has which is neither a module, a class nor a function."""
    new_of = partial(_new_of, now=now)
    if isinstance(holder, FrameType | ModuleType | FunctionType | type | tuple):
        return
    if isinstance(holder, CellType):
        holder.cell_contents = new_of(holder.cell_contents)
    elif isinstance(holder, list):
        holder[:] = map(new_of, holder)
    elif isinstance(holder, dict):
        holder.update({name: new for name, value in holder.items() if (new := new_of(value)) is not value})
        if isinstance(holder, defaultdict):
            holder.default_factory = new_of(holder.default_factory)
    elif isinstance(holder, partial):
        func, args = new_of(holder.func), tuple(map(new_of, holder.args))
        if (func, *args) != (holder.func, *holder.args):
            holder.__setstate__((func, args, holder.keywords, vars(holder)))  # type: ignore[attr-defined]
    else:
        names = getattr(holder, "__dict__", None)
        if type(names) is dict:
            _replace_within(names, now)
        for slot in [each for kind in type(holder).__mro__ for each in vars(kind).values()]:
            if isinstance(slot, MemberDescriptorType):
                with suppress(AttributeError, TypeError):  # there is nothing in it, or it may not be changed
                    slot.__set__(holder, new_of(slot.__get__(holder)))


def _replace_names(functions: Mapping[Callable[..., Any], Callable[..., Any]], among: Iterable[Any]) -> None:
    found = {id(old): (old, new) for old, new in functions.items()}

    def others(names: Mapping[Any, Any]) -> dict[Any, Any]:
        if found.keys().isdisjoint(map(id, names.values())):
            return {}
        known = [(name, *found[id(value)]) for name, value in names.items() if id(value) in found]
        return {name: new.__call__ for name, old, new in known if old is names[name]}  # type: ignore[operator]

    for holder in among:
        kind = type(holder)
        if kind is FunctionType:
            if not (holder.__defaults__ or holder.__kwdefaults__) or _is_ours(holder.__globals__):
                continue
            if holder.__defaults__ and (some := others(dict(enumerate(holder.__defaults__)))):
                holder.__defaults__ = tuple(some.get(at, value) for at, value in enumerate(holder.__defaults__))
            if holder.__kwdefaults__:
                holder.__kwdefaults__.update(others(holder.__kwdefaults__))
        elif issubclass(kind, ModuleType):
            names = object.__getattribute__(holder, "__dict__")
            if names and not _is_ours(names):
                names.update(others(names))
        elif issubclass(kind, type) and (some := others(vars(holder))) and not _is_ours(vars(holder)):
            replace_methods(holder, some)


def _is_ours(names: Mapping[str, Any]) -> bool:
    """Tell whether these are the names of a module, or of a class, of ours."""
    return str(names.get("__module__", names.get("__name__", ""))).startswith("simcore.control")
