"""Functions that Python calls and that are machine code, without waiting for numba.

Importing numba, and having it load what it keeps, takes half a second and 90 MB. So it is asked once for the code of
all of them together (`compiler.py`); the object file is kept, and LLVM, which numba is built on, links it into any
later process in a twentieth of a second.

A called function gets its arguments as one array of words, the frame: for an array its address and its shape. What
they are, its annotations say (`kinds.py`).
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import tempfile
from array import array
from collections.abc import Callable
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from simcore.errors import InternalError
from simcore.explore.compiled.kinds import kinds, marked, words

entries: list[Called] = []
"""What Python calls; the machine code knows each by its place."""


class Called:
    """A function that Python calls, as machine code; made by decorating it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        if machine_code.cache_info().currsize:
            raise InternalError(f"{function.__name__} is made after the code in which it should have a place")
        self.function, self.__doc__ = function, function.__doc__
        self._place = len(entries)
        entries.append(self)

    def __call__(self, *args: Any) -> int:
        return self.given(*args)()

    def given(self, *args: Any) -> Callable[[], int]:
        """Return what calls it with ``args``: whoever calls it often with the same keeps that."""
        frame = array("q", chain.from_iterable(map(words, args, kinds(self.function).values())))
        result, nothing = ctypes.c_int64(), ctypes.c_void_p()
        at, _ = frame.buffer_info()
        call = partial(machine_code(), ctypes.byref(result), ctypes.byref(nothing), self._place, at)

        def again(*_kept: Any) -> int:
            if call():
                raise InternalError(f"{self.function.__name__} went beyond an array")
            return result.value

        return partial(again, frame, args)  # which must not go away before it


called = Called

# ---- the object file -----------------------------------------------------------------------------------------

NAME = "simcore_call"
_SIGNATURE: Any = ctypes.CFUNCTYPE(
    ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p
)  # as numba has it: where the result goes, where an exception would go, the arguments; it is called without the lock
_HERE = Path(__file__).parent
_DIGEST = 32  # bytes, of what follows, at the beginning of a file


@cache
def machine_code() -> Any:
    """Return the function that calls one of `entries` with a frame; made, and kept, when there is none yet."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    name = _name()
    code = _kept(name)
    if code is None:
        from simcore.explore.compiled.compiler import object_file

        code = object_file([entry.function for entry in entries], target_machine(), NAME)
        any(_written(folder, name, code) for folder in _folders())
    return _linked(code)


def is_compiled() -> bool:
    """Tell whether there is machine code for everything already, here or kept in a file."""
    return machine_code.cache_info().currsize > 0 or _kept(_name()) is not None


def _name() -> str:
    return f"fast-{_about()}.o"


def _kept(name: str) -> bytes | None:
    """Return the object file that is kept; None when there is none, or not the whole of it."""
    return next(filter(None, (_read(folder / name) for folder in _folders())), None)


def _linked(code: bytes) -> Any:
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    function = _SIGNATURE(engine.get_function_address(NAME))
    function.engine = engine  # which owns the code
    return function


def target_machine() -> llvm.TargetMachine:
    """Return this machine, as LLVM knows it."""
    features = llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=3, codemodel="jitdefault", jit=True
    )


def _about() -> str:
    """Return what the object file depends on, in short: our source, LLVM, this processor, the place of each entry."""
    functions = [*marked, *(entry.function for entry in entries)]
    own = ("native", "kinds", "compiler", "structs")
    modules = {*(f"{__package__}.{name}" for name in own), *(f.__module__ for f in functions)}
    sources = [(_HERE / f"{module.rpartition('.')[2]}.py").read_bytes() for module in sorted(modules)]
    machine = llvm.get_default_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    places = [(entry.function.__module__, entry.function.__name__) for entry in entries]
    told = (llvmlite.__version__, llvm.llvm_version_info, *machine, *places)
    return hashlib.sha256(b"\0".join([*sources, repr(told).encode()])).hexdigest()[:16]


def _folders() -> tuple[Path, ...]:
    """Return where it may be kept: beside this file, or, where that cannot be written, with what a user keeps."""
    kept = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    beside = _HERE / "__pycache__"
    return (beside,) if kept.startswith("~") else (beside, Path(kept) / "simcore")  # not everybody has a home


def _read(path: Path) -> bytes | None:
    """Return the object file in ``path``; None when there is none, or not the whole of it."""
    try:
        found = path.read_bytes()
    except OSError:
        return None
    return found[_DIGEST:] if hashlib.sha256(found[_DIGEST:]).digest() == found[:_DIGEST] else None


def _written(folder: Path, name: str, code: bytes) -> bool:
    """Keep the object file in ``folder``, whole or not at all; tell whether that can be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number, beside = tempfile.mkstemp(dir=folder, prefix=name)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(hashlib.sha256(code).digest() + code)
            os.chmod(beside, 0o644)  # others may use it
            os.replace(beside, folder / name)
        except BaseException:
            os.unlink(beside)
            raise
    except OSError:
        return False
    return True
