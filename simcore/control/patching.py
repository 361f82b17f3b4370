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
from collections.abc import Callable, Mapping
from typing import Any


def replace_methods(kind: type, methods: Mapping[str, Any]) -> None:
    """Give a type other methods; names that it does not have are left out, as they differ between versions."""
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


def replace_functions(functions: Mapping[Callable[..., Any], Callable[..., Any]]) -> None:
    """Put functions into the place of others wherever a module has a name for them."""
    found = {id(old): (old, new) for old, new in functions.items()}
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", None)
        if names is None or names.get("__name__", "").startswith("simcore.control"):
            continue
        for name, value in list(names.items()):
            old, new = found.get(id(value), (None, None))
            if old is not None and old is value and new is not None:
                # As a function of C, it is no method of a class that has it.
                names[name] = new.__call__  # type: ignore[operator]
