"""What a run needs replaced is replaced in place: methods of C types, functions of modules, and every name they go by.

Nothing is put in the place of an object. `threading.Lock`, an alias that a module took years ago, a lock that was made
before the run, a subclass, a caller in C: all come to the same type, whose methods are others now. The types are
marked immutable; the mark is a bit of theirs, which is taken off for a moment.

This happens in a process of its own (`workers.py`), so that there is nothing to put back.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_IMMUTABLE = 1 << 8
"""``Py_TPFLAGS_IMMUTABLETYPE``."""

_LIKE = (int, str, dict, BaseException, type)


def _offset_of_flags() -> int:
    """Return where the flags of a type lie in it: where each type has what its ``__flags__`` says."""
    size: Any = type.__basicsize__
    found: list[int] = [
        at for at in range(0, size, 8) if all(_word(kind, at).value == kind.__flags__ for kind in _LIKE)
    ]
    if len(found) != 1:
        raise NotImplementedError(f"this interpreter keeps the flags of types elsewhere: {sys.version}")
    return found[0]


def _word(kind: type, at: int) -> ctypes.c_ulong:
    return ctypes.c_ulong.from_address(id(kind) + at)


@contextmanager
def _writable(kind: type) -> Iterator[None]:
    flags = _word(kind, _offset_of_flags())
    was = flags.value & _IMMUTABLE
    flags.value &= ~_IMMUTABLE
    try:
        yield
    finally:
        flags.value |= was


def replace_methods(kind: type, methods: Mapping[str, Any]) -> None:
    """Give a type other methods; names that it does not have are left out, as they differ between versions."""
    with _writable(kind):
        for name, method in methods.items():
            if name in kind.__dict__:
                setattr(kind, name, method)


def replace_functions(functions: Mapping[Callable[..., Any], Callable[..., Any]]) -> None:
    """Put functions into the place of others wherever a module has a name for them."""
    found = {id(old): (old, new) for old, new in functions.items()}
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", None)
        if names is None or names.get("__name__", "").startswith("simcore.control"):
            continue
        for name, value in list(names.items()):
            old, new = found.get(id(value), (None, None))
            if old is not None and old is value:
                names[name] = new
