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
