"""Who is not in the run: child processes, and signals, which come when they like; and the pipes that lead to them.

A run in which there is such a one need not be like the next one, and is said not to be. A pipe whose two ends this
process has is the program's own.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found,unused-ignore]
import os
import select
import signal
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from simcore.control.baton import Run
from simcore.control.descriptors import Several, meets, note_inside, until_ready, wait
from simcore.control.primitives import Current, here

try:
    import _posixsubprocess
except ImportError:  # on a platform without it
    _posixsubprocess = None  # type: ignore[assignment]

_pipe, _read, _write, _waitpid = os.pipe, os.read, os.write, os.waitpid
_SIGNALS = sorted(signal.valid_signals() - {signal.SIGINT, getattr(signal, "SIGCHLD", signal.SIGINT)})


def pipe() -> tuple[int, int]:
    """Make a pipe, both ends of which the program has."""
    ends = _pipe()
    if here() is not None:
        note_inside(*ends)
    return ends


def _waits(descriptor: int) -> bool:
    """Tell whether reading or writing there may have to wait for somebody."""
    with suppress(OSError):
        kind = os.fstat(descriptor).st_mode
        return (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind)) and os.get_blocking(descriptor)
    return False


def read(descriptor: int, size: int, /) -> bytes:
    """Read from a descriptor."""
    found = here()
    if found is not None and size > 0 and _waits(descriptor):
        until_ready(*found, "read", Several([descriptor]), descriptor, select.POLLIN, None)
    return _read(descriptor, size)


def write(descriptor: int, data: Any, /) -> int:
    """Write to a descriptor; all of it, where it waits."""
    found = here()
    if found is None or not _waits(descriptor):
        return _write(descriptor, data)
    found[0].point(found[1], "write", None)
    view, sent = memoryview(data).cast("B"), 0
    while sent < len(view):
        try:
            os.set_blocking(descriptor, False)
            sent += _write(descriptor, view[sent:])
        except BlockingIOError:
            os.set_blocking(descriptor, True)
            until_ready(*found, "write", Several([descriptor]), descriptor, select.POLLOUT, None)
        finally:
            with suppress(OSError):
                os.set_blocking(descriptor, True)
    return sent


def waitpid(process: int, options: int, /) -> tuple[int, int]:
    """Wait for a child process."""
    found = here()
    if found is not None and not options & os.WNOHANG and process > 0:

        def has_ended() -> bool:
            try:
                return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
            except ChildProcessError:
                return True

        wait(*found, "waitpid", None, has_ended, None, [])
    return _waitpid(process, options)


def _with_somebody_else(function: Callable[..., Any]) -> Callable[..., Any]:
    def operation(*args: Any, **kwargs: Any) -> Any:
        found = here()
        if found is not None:
            meets(*found, function.__name__)
        return function(*args, **kwargs)

    return operation


def watch_forks() -> None:
    """Have nobody who is forked be in a run: it has one thread."""
    left: list[Run | None] = []

    def leave() -> None:
        left.append(Current.run)
        if (found := here()) is not None:
            meets(*found, "fork")
        Current.run = None

    def come_back() -> None:
        Current.run = left.pop()

    os.register_at_fork(before=leave, after_in_parent=come_back)


def begin(run: Run) -> None:
    """Begin a run: it knows a signal that the program handles by its handler, and what is to be done at exit."""
    before, exits = _handlers(), len(_at_exit())
    run.left_for_exit = lambda: len(_at_exit()) > exits
    run.signalled = lambda: signal.getitimer(signal.ITIMER_REAL)[0] > 0 or _handlers() != before


def _at_exit() -> list[Any]:
    """Return what the interpreter does when the body of a program has ended, before it waits for threads."""
    return threading._threading_atexits  # type: ignore[attr-defined,no-any-return]


def _handlers() -> list[Any]:
    """Return what is done at each signal that may come from outside."""
    return [_signal.getsignal(each) for each in _SIGNALS]


_ASKED_FOR = [
    getattr(module, name, None)
    for module, names in ((os, "posix_spawn posix_spawnp kill"), (signal, "setitimer alarm"))
    for name in names.split()
]
FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    _pipe: pipe,
    _read: read,
    _write: write,
    _waitpid: waitpid,
    **{function: _with_somebody_else(function) for function in _ASKED_FOR if function is not None},
}
if _posixsubprocess is not None:
    FUNCTIONS[_posixsubprocess.fork_exec] = _with_somebody_else(_posixsubprocess.fork_exec)
