"""A thread starts in the place of whoever starts it, until it has said so; then it waits for its turn like all others.

Threads are those of the operating system, with identities, thread-locals and event loops of their own. What ends a
thread differs: until 3.12 a lock that the interpreter releases when its state is gone, from 3.13 on a handle.
"""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from simcore.control.baton import ALIVE, Run
from simcore.control.hears import READS
from simcore.control.primitives import here
from simcore.control.thread import ControlledThread

_start = _thread.start_new_thread
_start_joinable = getattr(_thread, "start_joinable_thread", None)
_sentinel = getattr(_thread, "_set_sentinel", None)
_acquire, _release = _thread.LockType.acquire, _thread.LockType.release
_SOON = 10.0
"""Seconds within which a thread that has ended is gone; else something that it deletes waits for somebody."""

_Handle: Any = getattr(_thread, "_ThreadHandle", None)
_join = None if _Handle is None else _Handle.join
_is_done = None if _Handle is None else _Handle.is_done


def start_new_thread(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any] | None = None) -> int:
    """Start a thread."""
    found = here()
    if found is None:
        return _start(function, args, dict(kwargs or {}))
    if _start_joinable is not None:
        return int(start_joinable_thread(partial(function, *args, **(kwargs or {}))).ident)
    run, parent = found
    thread = run.born(parent, function)
    try:
        identity = _start(_live_in, (run, thread, function, *args), dict(kwargs or {}))
    except BaseException:
        run.unborn(thread)
        raise
    run.boot(parent, thread)
    return identity


def _live_in(run: Run, thread: ControlledThread, function: Any, *args: Any, **kwargs: Any) -> None:
    """Run a thread to its end; one of which nobody else will ask when it is gone says that itself."""
    if thread.thread is None:
        lock = _note_the_end(thread)
        _acquire(lock)
    run.live_in(thread, function, *args, **kwargs)


def start_joinable_thread(function: Any, handle: Any = None, daemon: bool = True) -> Any:
    """Start a thread that can be joined by its handle."""
    assert _start_joinable is not None
    found = here()
    if found is None:
        return _start_joinable(function, handle=handle, daemon=daemon)
    run, parent = found
    thread = run.born(parent, function)
    own = _Handle() if handle is None else handle
    thread.handle = own
    try:
        _start_joinable(lambda: run.live_in(thread, function), handle=own, daemon=daemon)
    except BaseException:
        run.unborn(thread)
        raise
    thread.gone = partial(_Handle.join, own, _SOON) if _join is None else partial(_join, own, _SOON)
    run.boot(parent, thread)
    return own


def set_sentinel() -> Any:
    """Return the lock that is released when this thread has ended."""
    assert _sentinel is not None
    if (found := here()) is None:
        return _sentinel()
    lock = _note_the_end(found[1])
    found[0].sentinels[id(lock)] = found[1]
    return lock


def _note_the_end(thread: ControlledThread) -> Any:
    assert _sentinel is not None
    lock = _sentinel()

    def gone() -> None:  # and keeps the lock: another one may not have its identity
        if _acquire(lock, True, _SOON):
            _release(lock)

    thread.gone = gone
    return lock


def handle_join(self: Any, timeout: float | None = None) -> None:
    """Wait for the end of a thread."""
    assert _join is not None
    found = here()
    other = None if found is None else _of(found[0], self)
    if found is None or other is None or other is found[1]:
        return _join(self, timeout)  # type: ignore[no-any-return]
    run, thread = found
    limit = None if timeout is None or timeout < 0 else timeout
    if limit is None:
        run.point(thread, "join", other, lambda: other.done)
        run.touched(other)
    elif not other.done and not (limit and run.wait(thread, "join", other, lambda: other.done, limit)):
        return None
    return _join(self)  # type: ignore[no-any-return]


def handle_is_done(self: Any) -> bool:
    """Tell whether a thread has ended: whether it has in the run, which the operating system sees a moment later."""
    assert _is_done is not None
    assert _join is not None
    found = here()
    other = None if found is None else _of(found[0], self)
    if other is not None and other.done:
        _join(self)
    if found is not None and other is not None:
        found[0].touched(other, READS)
    return bool(_is_done(self))


def _of(run: Run, handle: Any) -> ControlledThread | None:
    return next((thread for thread in run.threads if thread.handle is handle), None)


ASKS_WHO_IS_ALIVE = "asks which threads are alive"


def _asked(original: Callable[[], Any]) -> Callable[[], Any]:
    """Return a function that tells which threads are alive, in the place of one of the library."""

    def ask() -> Any:
        if (found := here()) is not None:
            found[0].point(found[1], ASKS_WHO_IS_ALIVE, None)
            found[0].touched(ALIVE, READS)
        return original()

    return ask


FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    _start: start_new_thread,
    **{each: _asked(each) for each in (threading.enumerate, threading.active_count)},
}
if _start_joinable is not None:
    FUNCTIONS[_start_joinable] = start_joinable_thread
if _sentinel is not None:
    FUNCTIONS[_sentinel] = set_sentinel

METHODS: dict[type, dict[str, Callable[..., Any]]] = (
    {} if _Handle is None else {_Handle: {"join": handle_join, "is_done": handle_is_done}}
)


def begin(run: Run) -> None:
    """Have the main thread end, for whoever joins it, when the body has ended; the interpreter does so as it exits."""
    main: Any = threading.main_thread()
    handle = getattr(main, "_handle", None) or getattr(main, "_os_thread_handle", None)
    if handle is not None:
        run.main.handle, run.main.gone = handle, handle._set_done
    elif (lock := main._tstate_lock) is not None:
        run.sentinels[id(lock)] = run.main
        run.main.gone = lambda: (_release(lock), main._stop())  # and keeps the lock, as above
    run.quiet = _quiet_locks()


def _quiet_locks() -> frozenset[int]:
    """Return the locks of the interpreter's own bookkeeping, by identity; after a fork some of them are others."""
    names = ("_active_limbo_lock", "_shutdown_locks_lock")
    return frozenset(id(getattr(threading, name)) for name in names if hasattr(threading, name))
