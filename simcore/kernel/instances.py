"""What an object is made of is read from the object itself, not from what its class says of it.

Pickle asks a class how to take its instances apart (``__reduce__``, ``__getstate__``, ``__iter__`` of a list), and a
class of a user may leave out what it likes; code that asks for the attribute sees it all the same. So where a class
that is not the standard library's answers for itself, it is not asked: its instance is its attributes, its slots, and
what it holds as the list, dict, set, tuple, text or number that it is.
"""

from __future__ import annotations

import copyreg
import ctypes
import gc
import sys
import types
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import cache
from itertools import chain
from typing import Any

from simcore.errors import ModelError
from simcore.whose import is_installed

_WORD = ctypes.sizeof(ctypes.c_void_p)

_ANSWERS = {"__reduce__", "__reduce_ex__", "__getstate__", "__getnewargs__", "__getnewargs_ex__", "__iter__", "items"}

_CONTAINERS: list[tuple[type, Callable[[Any], Iterable[Any]]]] = [
    (OrderedDict, lambda thing: chain.from_iterable(OrderedDict.items(thing))),
    (dict, lambda thing: chain.from_iterable(dict.items(thing))),
    (list, list.__iter__),
    (tuple, tuple.__iter__),
    (deque, deque.__iter__),
    (set, set.__iter__),
    (frozenset, frozenset.__iter__),
    (BaseException, lambda error: BaseException.args.__get__(error)),  # type: ignore[attr-defined]
]
_VALUES: list[tuple[type, Callable[[Any], Any]]] = [
    (str, str.__str__),
    (int, int.__repr__),
    (float, float.__repr__),
    (complex, complex.__repr__),
    (bytes, bytes.__repr__),
]


@cache
def ours(module: str | None) -> bool:
    """Tell whether a module is the standard library's or simcore's own: it keeps its promises, and nobody's state."""
    name = module or ""
    return name.partition(".")[0] in sys.stdlib_module_names or (
        name.partition(".")[0] == "simcore" and not name.startswith(("simcore.models", "simcore.properties"))
    )


@cache
def installed(module: str) -> bool:
    """Tell whether a module is of an installed package: what it keeps is its own, unless a process is in it."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return isinstance(file, str) and is_installed(file)


@cache
def _frozen_dataclass(kind: Any) -> bool:
    parameters = vars(kind).get("__dataclass_params__")  # a subclass that is none itself can be set
    if parameters is None or not (parameters.frozen and parameters.eq):
        return False
    slots = {member.__name__ for member in members(kind)}
    return _is_plain(kind) and slots <= {field.name for field in fields(kind)}


def is_frozen_dataclass(kind: Any) -> bool:
    """Tell whether instances are values: compared by their fields, which cannot be set, and with no others."""
    return _frozen_dataclass(kind)


def has_more(thing: Any) -> bool:
    """Tell whether a frozen dataclass or named tuple has an attribute that is none of its fields."""
    attributes = attributes_of(thing)
    if not attributes:
        return False
    return not is_frozen_dataclass(type(thing)) or len(attributes) > len(fields(thing))


def is_token(thing: Any) -> bool:
    """Tell whether it is equal to nothing but itself, and is no function, iterator or exception."""
    kind: Any = type(thing)
    return _is_token(kind)


@cache
def _is_token(kind: Any) -> bool:
    by_identity = kind.__eq__ is object.__eq__ and not ours(kind.__module__)
    return kind is object or (by_identity and not issubclass(kind, BaseException))


@cache
def registered(kind: Any) -> Callable[[Any], Any] | None:
    """Return what somebody has registered for pickling things of a type.

    For exceptions it is not asked: what tblib registers, which Dask imports, tells their tracebacks: no two are alike.
    """
    return None if issubclass(kind, BaseException) else copyreg.dispatch_table.get(kind)


def answers_for_itself(kind: Any) -> bool:
    """Tell whether a class of a user has a say in how pickle takes its instances apart."""
    users = [base for base in kind.__mro__ if not ours(base.__module__)]
    return bool(users) and (registered(kind) is not None or any(not _ANSWERS.isdisjoint(vars(u)) for u in users))


@cache
def members(kind: Any) -> tuple[types.MemberDescriptorType, ...]:
    """Return the attributes that are kept in the object itself: slots, and those of exceptions written in C."""
    return tuple(
        what for base in kind.__mro__ for what in vars(base).values() if type(what) is types.MemberDescriptorType
    )


def in_member(thing: Any, member: types.MemberDescriptorType) -> tuple[Any, ...]:
    """Return what is in a slot, as a tuple of one, or of none where it is empty."""
    try:
        return (member.__get__(thing),)
    except AttributeError:
        return ()


@cache
def dict_of(kind: Any) -> types.GetSetDescriptorType | None:
    """Return what gives the attributes of an instance, whatever its class says of them."""
    found = (vars(base).get("__dict__") for base in kind.__mro__)
    return next((what for what in found if isinstance(what, types.GetSetDescriptorType)), None)


def attributes_of(thing: Any) -> dict[str, Any] | None:
    """Return the attributes of an instance, or None where it has no place for any."""
    kind: Any = type(thing)
    descriptor = dict_of(kind)
    return None if descriptor is None else descriptor.__get__(thing)


def content_of(thing: Any) -> tuple[Any, ...] | None:
    """Return what an instance holds as the built-in container that it is, in order; None where only C could tell."""
    for base, read in _CONTAINERS:
        if isinstance(thing, base):
            return tuple(read(thing))
    kind: Any = type(thing)
    return () if value_of(thing) or _is_plain(kind) else None


def is_container(thing: Any) -> bool:
    """Tell whether `content_of` would find items, or could."""
    return isinstance(thing, tuple(base for base, _ in _CONTAINERS))


def value_of(thing: Any) -> tuple[Any, ...]:
    """Return the number or text that an instance is, as a tuple of one; of none where it is none."""
    return next(((read(thing),) for base, read in _VALUES if isinstance(thing, base)), ())


@cache
def _is_plain(kind: Any) -> bool:
    """Tell whether an instance is as large as its slots make it: it keeps nothing where only C could see it."""
    if kind is object:
        return True
    slots = sum(type(what) is types.MemberDescriptorType for what in vars(kind).values())
    own = slots + ("__dict__" in vars(kind)) + ("__weakref__" in vars(kind))
    return kind.__basicsize__ - kind.__base__.__basicsize__ <= own * _WORD and _is_plain(kind.__base__)


def remembered(cached: Any) -> list[Any]:
    """Return what a function with an ``lru_cache`` refers to: the function, its attributes, its keys and results."""
    found, attributes = gc.get_referents(cached), vars(cached)
    caches = [part for part in found if type(part) is dict and part is not attributes]
    seen = [part for part in found if not isinstance(part, type) and not any(part is cache for cache in caches)]
    items = chain.from_iterable(chain.from_iterable(cache.items()) for cache in caches)
    return seen + [item for item in items if type(item).__name__ != "_lru_list_elem"]


_LAZY = getattr(types, "LazyImportType", None)  # from 3.15 on


def resolved(thing: Any) -> Any:
    """Return what a lazy import stands for, anything else as it is: whether it was used already is no difference."""
    if type(thing) is not _LAZY:
        return thing
    try:
        return thing.resolve()
    except Exception:  # so will the process find it
        return len


def where_raised(error: BaseException) -> tuple[Any, ...]:
    """Return the places that a traceback names."""
    places, traceback = [], error.__traceback__
    while traceback is not None:
        places.append((traceback.tb_frame.f_code, traceback.tb_lasti))
        traceback = traceback.tb_next
    return tuple(places)


def made_here(did: str, thing: Any) -> ModelError:
    """Return the error of a process that gives away what no other run of it has."""
    return ModelError(
        f"{did} a {type(thing).__name__} that was made on the way: it is equal to nothing but itself, and each run "
        f"makes another one. Make it outside of the process, or pass a value: a text, a tuple, a frozen dataclass"
    )


@contextmanager
def not_too_deep(whose: str) -> Iterator[None]:
    """Say whose data it is that cannot be read or compared for being nested too deeply."""
    try:
        yield
    except RecursionError:
        raise ModelError(
            f"{whose}: what it holds, or the chain of generators that it runs, is nested too deeply to be compared; "
            f"keep it in a flat list or tuple, and write a loop in place of a recursion"
        ) from None
