"""Locks of `multiprocessing`: threads of one process meet at them, too, as those of its `ThreadPool` do.

They are semaphores of the system, at which a thread would block in C, in front of whoever is to release it. So whoever
would block waits for its turn instead, and the semaphore itself says whether it is taken. Other processes may have a
part in one: children that were started before the run, or a parent that has started this process by `multiprocessing`.
Where there are such, who waits may wait for somebody outside.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from simcore.control.baton import Run
from simcore.control.primitives import SEMLOCK, here, take
from simcore.control.thread import ControlledThread

_RECURSIVE = 0


def acquire(self: Any, block: bool = True, timeout: float | None = None) -> bool:
    """Acquire a lock or a semaphore of `multiprocessing`."""
    found = here()
    if found is None or (timeout is not None and not isinstance(timeout, int | float)):
        return bool(_acquire(self, block, timeout))  # which may raise
    run, thread = found
    mine = self.kind == _RECURSIVE and self._is_mine()
    limit = 0.0 if not block else None if timeout is None else max(0.0, timeout)
    while _take(run, thread, self, lambda: mine or not self._is_zero(), limit):
        if _acquire(self, False):
            if self.maxvalue == 1 or self.kind == _RECURSIVE:
                run.owners[id(self)] = thread
            return True
        if limit is not None:  # another process was faster
            break
    return False


def _take(run: Run, thread: ControlledThread, lock: Any, ready: Callable[[], bool], limit: float | None) -> bool:
    thread.outside = _is_shared
    try:
        return take(run, thread, "SemLock.acquire", lock, ready, limit)
    finally:
        thread.outside = None


def _is_shared() -> bool:
    """Tell whether there are processes that may have a part in a lock of this one."""
    module = sys.modules.get("multiprocessing.process")
    return module is not None and (bool(module._children) or module.parent_process() is not None)


def release(self: Any) -> None:
    """Release a lock or a semaphore of `multiprocessing`."""
    if (found := here()) is not None:
        run, thread = found
        if self.kind != _RECURSIVE or self._count() == 1:
            run.owners.pop(id(self), None)
        run.released(thread, self)
        run.touched(self)
    _release(self)


_acquire, _release = SEMLOCK.acquire, SEMLOCK.release
METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    SEMLOCK: {
        **dict.fromkeys(("acquire", "__enter__"), acquire),
        "release": release,
        "__exit__": lambda self, *error: release(self),
    }
}
