"""Locks and simple queues: the real ones keep their state; whoever would block waits for its turn instead.

Each method announces what it is about to do, and then does it without blocking. To acquire a lock that is free is one
step; whoever wants one that is held waits until the lock itself says that it is free. The real objects never block a
thread of a run, so that the interpreter's order of waiters, its checks and its exceptions are what they always are.
"""

from __future__ import annotations

import _multiprocessing  # type: ignore[import-not-found,unused-ignore]
import _queue
import _thread
import importlib._bootstrap
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import CodeType
from typing import Any

from simcore.control import patching
from simcore.control.baton import CLOCK, Run
from simcore.control.hears import ADDS, READS
from simcore.control.thread import ControlledThread, Doing, Ready

LOCK, RLOCK, QUEUE = _thread.LockType, _thread.RLock, _queue.SimpleQueue
SEMLOCK: Any = _multiprocessing.SemLock
MODULE_LOCK: Any = importlib._bootstrap._ModuleLock  # type: ignore[attr-defined]
"""What a thread has while it imports a module: another one that imports it waits."""

_acquire, _release, is_locked = LOCK.acquire, LOCK.release, LOCK.locked
_r_acquire, _r_release = RLOCK.acquire, RLOCK.release
_r_restore, _r_give_up = RLOCK._acquire_restore, RLOCK._release_save  # type: ignore[attr-defined]
_get, _put, _empty, size_of = QUEUE.get, QUEUE.put, QUEUE.empty, QUEUE.qsize
_SHUTDOWN = ThreadPoolExecutor.shutdown.__code__
LOST = next(
    each
    for each in ThreadPoolExecutor._adjust_thread_count.__code__.co_consts
    if isinstance(each, CodeType) and each.co_name == "weakref_cb"
)
"""What runs where nobody has a pool any more: it wakes its workers."""

_identity = _thread.get_ident
_NEVER, _NUMBER = -1, (int, float)


class Current:
    """The run that goes on in this process, if there is one."""

    run: Run | None = None


def here() -> tuple[Run, ControlledThread] | None:
    """Return the run that goes on, and the thread of it that asks; None outside of one."""
    if (run := Current.run) is None or run.choosing or (thread := run.of.get(_identity())) is None:
        return None
    return run, thread


@contextmanager
def without_steps(*, fused: int = 1) -> Iterator[None]:
    """Have what this thread does meanwhile be no steps, where it need not wait; with ``fused`` 0 they are again."""
    found = here()
    if found is None:
        yield
        return
    thread = found[1]
    before, (thread.fused, thread.hidden) = (thread.fused, thread.hidden), (fused, fused > 0)
    try:
        yield
    finally:
        thread.fused, thread.hidden = before


# ---- locks -------------------------------------------------------------------------------------------------


def lock_acquire(self: Any, blocking: bool = True, timeout: float = _NEVER) -> bool:
    """Acquire a lock of the interpreter."""
    found = here()
    if found is None or id(self) in found[0].quiet:
        return _acquire(self, blocking, timeout)
    run, thread = found
    if not _allowed(blocking, timeout):
        return _acquire(self, blocking, timeout)  # which raises
    limit = _limit(blocking, timeout)
    if (ends := run.sentinels.get(id(self))) is not None:  # before 3.13: the end of a thread
        if not take(run, thread, "join", ends, lambda: ends.done, limit):
            return False
        run.sentinels.pop(id(self), None)  # from now on it is taken like other locks
        run.joined.add(id(self))
        if _acquire(self, False):
            return True
    while take(run, thread, "Lock.acquire", self, lambda: not is_locked(self), limit):
        if _acquire(self, False):
            run.owners[id(self)] = thread
            return True
        if limit is not None:  # somebody who is not in the run was faster
            break
    return False


def _releasing(label: str, release: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return what releases a lock of the interpreter in the place of what does so."""

    def release_one(self: Any) -> None:
        found = here()
        if found is None:
            release(self)
            return
        run, thread = found
        run.owners.pop(id(self), None)
        run.released(thread, self)
        run.touched(self)
        try:
            release(self)
        except RuntimeError:
            run.refused(thread, label, self)
            raise
        if run.points != "operations" and id(self) not in run.quiet:
            run.point(thread, "after release", self)

    return release_one


lock_release, rlock_release = _releasing("Lock.release", _release), _releasing("RLock.release", _r_release)


def lock_locked(self: Any) -> bool:
    """Tell whether a lock of the interpreter is held; who looks may look before others do something, or after it.

    Whoever starts or joins a thread looks, until 3.12, which of all ends of threads it may forget, in any order. That
    is the library's own: there is nothing to see in it for the program.
    """
    if (found := here()) is not None:
        run, mine = found[0], id(self)
        if not (mine in run.quiet or mine in run.sentinels or mine in run.joined):
            _look(*found, self, "Lock.locked")
    return is_locked(self)


def rlock_acquire(self: Any, blocking: bool = True, timeout: float = _NEVER) -> bool:
    """Acquire a re-entrant lock of the interpreter."""
    found = here()
    if found is None or id(self) in found[0].quiet or not _allowed(blocking, timeout):
        return _r_acquire(self, blocking, timeout)
    run, thread = found
    free = lambda: owner_of(self) in (0, thread.identity)  # noqa: E731
    if not take(run, thread, "RLock.acquire", self, free, _limit(blocking, timeout)):
        return False
    return _r_acquire(self, False)


def rlock_restore(self: Any, state: Any) -> None:
    """Acquire a re-entrant lock again, behind a wait on its condition."""
    found = here()
    if found is not None:
        run, thread = found
        run.wait(thread, "RLock.acquire", self, lambda: owner_of(self) in (0, thread.identity))
        run.touched(self)
    _r_restore(self, state)


def rlock_give_up(self: Any) -> Any:
    """Release a re-entrant lock as often as it was acquired, in front of a wait on its condition."""
    found = here()
    if found is not None:
        found[0].touched(self)
    return _r_give_up(self)


def owner_of(lock: Any) -> int:
    """Return the identity of the thread that holds a re-entrant lock, 0 for none; the lock tells it in its text."""
    return int(RLOCK.__repr__(lock).rpartition(" owner=")[2].partition(" ")[0])


def _allowed(blocking: bool, timeout: Any) -> bool:
    """Tell whether the arguments are those of an acquire; the real one says what is wrong with them."""
    if not isinstance(timeout, _NUMBER):
        return False
    return bool(timeout == _NEVER or (blocking and 0 <= timeout <= threading.TIMEOUT_MAX))


def _limit(blocking: bool, timeout: float) -> float | None:
    """Return for how long an acquire waits, in seconds; None for ever."""
    return 0.0 if not blocking else None if timeout == _NEVER else timeout


def take(run: Run, thread: ControlledThread, label: str, target: Any, ready: Ready, limit: float | None) -> bool:
    """Go on when ``target`` is ``ready`` and it is this thread's turn; return False if it was not within ``limit``.

    Whoever does not wait, or would not have to, has one step; whoever waits with a limit has one for its end, too.
    """
    if limit is None:
        run.point(thread, label, target, ready)
        run.touched(target)
        return True
    if limit:
        run.touched(target, READS)  # by whoever announces: if it is ready, there is one step, else two
    if limit == 0 or ready():
        run.point(thread, label, target)
    run.touched(target)
    if limit == 0:
        if not (is_ready := ready()):
            run.touched(CLOCK, ADDS)
            run.now += 1e-6  # so that whoever asks again and again until some time comes, comes to it
        return is_ready
    went_on = ready() or run.wait(thread, label, target, ready, limit) or ready()
    run.touched(target)
    return went_on


# ---- who has made which lock -----------------------------------------------------------------------------------


def _made(real: Callable[..., Any]) -> Callable[..., Any]:
    def make(*args: Any) -> Any:
        lock, found = real(*args), here()
        if found is not None:
            found[0].created(found[1], lock)
        return lock

    return make


def watch_creation() -> None:
    """Have a run told of each lock that is made by calling a type: those of all kinds from 3.13 on."""
    if isinstance(threading.Lock, type):
        patching.replace_constructor(LOCK, _made(_thread.allocate_lock))
    threading._CRLock = _made(RLOCK)  # type: ignore[attr-defined]


# ---- simple queues -----------------------------------------------------------------------------------------


def queue_methods(kind: Any) -> dict[str, Callable[..., Any]]:
    """Return what a type of simple queues has in the place of its methods; each copy of the module has one."""
    get_one, put_one, is_empty = kind.get, kind.put, kind.empty

    def get(self: Any, block: bool = True, timeout: float | None = None) -> Any:
        found = here()
        if found is None or (timeout is not None and block and timeout < 0):
            return get_one(self, block, timeout)
        run, thread = found
        thread.doing.append(Doing("SimpleQueue.get", self, thread.fused))
        try:
            take(run, thread, "SimpleQueue.get", self, lambda: not is_empty(self), 0.0 if not block else timeout)
            return get_one(self, False)  # which says that there is nothing
        finally:
            thread.doing.pop()

    def put(self: Any, item: Any, block: bool = True, timeout: float | None = None) -> None:
        found = here()
        if found is not None and not _said_again(found[0], self, sys._getframe(1).f_code):
            found[0].point(found[1], "SimpleQueue.put", self)
            found[0].touched(self)
        put_one(self, item)

    def look(name: str) -> Callable[[Any], Any]:
        method = getattr(kind, name)

        def looked(self: Any) -> Any:
            if (found := here()) is not None:
                _look(*found, self, f"SimpleQueue.{name}")
            return method(self)

        return looked

    return {
        **dict.fromkeys(("put", "put_nowait"), put),
        "get": get,
        "get_nowait": lambda self: get(self, False),
        **{name: look(name) for name in ("empty", "qsize")},
    }


def _said_again(run: Run, queue: Any, caller: CodeType) -> bool:
    """Tell whether the workers of a pool that was shut down are told once more that it has ended, as nobody has it.

    They know. Who drops the last reference is no step, and depends on all who have one.
    """
    if caller is _SHUTDOWN:
        run.shut_down[id(queue)] = queue  # and is kept: another one may not have its identity
    return caller is LOST and id(queue) in run.shut_down


def _look(run: Run, thread: ControlledThread, thing: Any, label: str) -> None:
    run.point(thread, label, thing)
    run.touched(thing, READS)


def items_of(queue: Any) -> list[Any]:
    """Return what lies in a simple queue, and leave it there."""
    found = []
    while not _empty(queue):
        found.append(_get(queue, False))
    for item in found:
        _put(queue, item)
    return found


METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    LOCK: {
        **dict.fromkeys(("acquire", "acquire_lock", "__enter__"), lock_acquire),
        **dict.fromkeys(("release", "release_lock"), lock_release),
        "__exit__": lambda self, *error: lock_release(self),
        **dict.fromkeys(("locked", "locked_lock"), lock_locked),
    },
    RLOCK: {
        **dict.fromkeys(("acquire", "__enter__"), rlock_acquire),
        "release": rlock_release,
        "__exit__": lambda self, *error: rlock_release(self),
        "_acquire_restore": rlock_restore,
        "_release_save": rlock_give_up,
    },
    QUEUE: queue_methods(QUEUE),
}
"""What each C type has in the place of its methods."""

FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {_thread.allocate_lock: _made(_thread.allocate_lock)}
