"""What a run may leave behind in a process: a second one there need not be like a first one.

It is looked for in all that the program's modules have, and what that has, but for the inside of objects of what is
installed. Where more is to be looked at than is worth while, something is taken to be left.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Mapping
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

from simcore.control.primitives import LOCK, RLOCK
from simcore.whose import is_installed, is_the_users

MOST = 50_000
"""How many objects are looked at."""

_NOT_FOLLOWED = (ModuleType, FrameType, CodeType, str, bytes, int, float)


def residue() -> dict[int, object] | None:
    """Return of each object that the program's modules lead to what it has; None if they are too many."""
    found: dict[int, object] = {}
    left: list[Any] = [
        vars(module)
        for module in list(sys.modules.values())
        if isinstance(file := getattr(module, "__file__", None), str) and is_the_users(file)
    ]
    while left:
        thing = left.pop()
        if id(thing) in found or isinstance(thing, _NOT_FOLLOWED):
            continue
        if len(found) >= MOST:
            return None
        parts = list(_parts(thing))
        found[id(thing)] = repr(thing) if isinstance(thing, LOCK | RLOCK) else tuple(map(id, parts))
        left += parts
    return found


def _parts(thing: Any) -> Iterable[Any]:
    if isinstance(thing, Mapping):  # names that are ours say what is told of an object
        return [
            x for k, v in list(thing.items()) if not str(k).startswith(("_simcore", "__builtins__")) for x in (k, v)
        ]
    if isinstance(thing, FunctionType):
        return [*(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values(), *(thing.__closure__ or ())]
    if isinstance(thing, type):
        return list(vars(thing).values()) if is_the_users(_file_of(thing)) else []
    if is_installed(_file_of(type(thing))):
        return []
    own = getattr(thing, "__dict__", None)
    return [*([own] if isinstance(own, dict) else []), *(x for x in gc.get_referents(thing) if not isinstance(x, dict))]


def _file_of(kind: type) -> str:
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    return file if isinstance(file, str) else "<frozen "
