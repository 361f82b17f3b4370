"""What the standard library does under one name is one step, called as in models: ``Queue.put``, ``Future.result``.

The library's own code runs, with its locks and conditions inside, and nobody else runs meanwhile: they are no business
of the program. Only where it would block in there it waits, under its own name. So a run has a third of the steps, they
have names that a reader knows, and the order in which waiters are woken stays the library's.

What is not the library's is not hidden: code of the program that runs in there, as a done-callback or a work item does,
has steps of its own, and whoever blocks in code of the program below such an operation waits for what it blocks on
(`known_by` in `thread.py`).
"""

from __future__ import annotations

import concurrent.futures as futures
import queue
import sys
import threading
from collections.abc import Callable
from concurrent.futures import _base, thread
from functools import cache, update_wrapper
from types import FrameType
from typing import Any

from simcore.control.baton import Run
from simcore.control.functions import called, function_of
from simcore.control.hears import READS, WRITES
from simcore.control.marks import Made, made, marks, name_of
from simcore.control.primitives import MODULE_LOCK, here, without_steps
from simcore.control.thread import LIBRARY, ControlledThread, Doing, Ready

_DONE = ("CANCELLED", "CANCELLED_AND_NOTIFIED", "FINISHED")
Readiness = Callable[[Run, ControlledThread, Any], Ready | None]


def _did(run: Run, thread: ControlledThread, thing: Any, method: str) -> None:
    known, task = marks(thing), "" if thread.task is None else thread.role
    known.done.setdefault((thread, task, method), []).append(len(run.taken))
    if method in ("notify", "notify_all"):
        known.notified = len(run.taken), len(thing._waiters)
    if method != "clear":
        run.learned(thread, thing, method)


def program_frame(frame: FrameType | None) -> FrameType | None:
    """Return the innermost frame that is neither ours nor the library's."""
    while frame is not None and frame.f_code.co_filename in LIBRARY:
        frame = frame.f_back
    return frame


# ---- one step for what has one name --------------------------------------------------------------------------


def _fused(kind: type, name: str, ready: Readiness | None = None, takes: int = 0) -> None:
    original = getattr(kind.__dict__[name], "fget", kind.__dict__[name])
    label, mode = f"{kind.__name__}.{name}", READS if name in _LOOKS else WRITES
    does = name in ENDING or name == "clear"

    def operation(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        found = here()
        if found is None or found[1].booting:
            return original(self, *args, **kwargs)
        run, thread = found
        when = None
        if ready is not None and not (args and args[0] is not None) and kwargs.get("timeout") is None:
            when = ready(run, thread, self)
        run.point(thread, label, self, when)
        run.touched(self, mode)
        thread.doing.append(Doing(label, self, thread.fused))
        thread.fused += 1
        if does:
            _did(run, thread, self, name)
        try:
            result = original(self, *args, **kwargs)
        except Exception:
            run.refused(thread, label, self)
            raise
        finally:
            thread.fused -= 1
            thread.doing.pop()
        if takes and not (result is False and name == "acquire"):
            many = args[0] if name == "release" and args else kwargs.get("n", 1)
            balance = marks(self).taken
            balance[thread] = balance.get(thread, 0) + takes * many
        return result

    _put_in_place(kind, original, operation)


def _put_in_place(kind: type, original: Any, other: Any) -> None:
    """Replace a method, by one of its name, wherever a type has it: ``__enter__`` of a semaphore is its acquire."""
    update_wrapper(other, original)
    for name, value in list(kind.__dict__.items()):
        if value is original:
            setattr(kind, name, other)
        elif isinstance(value, property) and value.fget is original:
            setattr(kind, name, value.getter(other))


def is_done(future: Any) -> bool:
    """Tell whether a future has its result."""
    return future._state in _DONE


def _when_done(run: Run, thread: ControlledThread, future: Any) -> Ready:
    return lambda: is_done(future)


def _when_ended(run: Run, thread: ControlledThread, other: Any) -> Ready | None:
    found = next((one for one in run.threads if one.thread is other), None)
    return None if found is None or found is thread else lambda: found.done


ENDING = frozenset(
    ["put", "get", "task_done", "notify", "notify_all", "release", "set_result", "set_exception", "cancel", "wait"]
)
"""Operations that may end a wait of somebody else."""

_LOOKS = frozenset(
    ["qsize", "empty", "full", "is_set", "done", "running", "cancelled", "is_alive", "n_waiting", "broken"]
)
"""Operations that change nothing."""

_TAKES = {
    "Queue.put": -1,
    "Queue.get": 1,
    "Semaphore.acquire": 1,
    "Semaphore.release": -1,
    "BoundedSemaphore.release": -1,
}
_READY: dict[str, Readiness] = {
    "Future.result": _when_done,
    "Future.exception": _when_done,
    "Thread.join": _when_ended,
}
_OPERATIONS: dict[type, str] = {
    queue.Queue: "put get task_done join qsize empty full shutdown",
    threading.Event: "wait clear is_set",
    threading.Condition: "wait notify notify_all",
    threading.Semaphore: "acquire release",
    threading.BoundedSemaphore: "release",
    threading.Barrier: "wait reset abort n_waiting broken",
    _base.Future: "result exception set_result set_exception cancel done running cancelled add_done_callback "
    "set_running_or_notify_cancel",
    futures.ThreadPoolExecutor: "submit shutdown",
    threading.Thread: "start join is_alive",
    MODULE_LOCK: "acquire",
}

KINDS: tuple[type, ...] = (*_OPERATIONS, threading.Event)
"""Types whose operations are known: what there is to each that threads share is seen where it is done."""


# ---- what runs code of the program ---------------------------------------------------------------------------


def _inside(kind: type, name: str, fused: int) -> None:
    """Let what a method does have steps of its own, as code of the program does that it calls; or, fused, none."""
    original = kind.__dict__[name]

    def method(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        with without_steps(fused=fused):
            return original(self, *args, **kwargs)

    _put_in_place(kind, original, method)


def _set_event() -> None:
    original = threading.Event.set

    def operation(self: Any) -> None:
        found = here()
        if found is None:
            return original(self)
        run, thread = found
        if thread.booting:
            original(self)
            if thread.thread is not None and self is thread.thread._started:  # type: ignore[attr-defined]
                run.booted(thread)
            return None
        run.point(thread, "Event.set", self)
        run.touched(self)
        _did(run, thread, self, "set")
        thread.doing.append(Doing("Event.set", self, thread.fused))
        thread.fused += 1
        try:
            return original(self)
        finally:
            thread.fused -= 1
            thread.doing.pop()

    _put_in_place(threading.Event, original, operation)


def _run_item() -> None:
    kind: Any = thread._WorkItem
    original, begin = kind.run, kind.__init__

    def initialise(self: Any, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        if (found := here()) is not None:
            task = marks(self.future).task = called(function_of(self))
            found[0].submitted(found[1], task, self.future)

    def run_item(self: Any, *context: Any) -> Any:
        found = here()
        if found is None:
            return original(self, *context)
        _, worker = found
        before = worker.task, worker.role, worker.fused
        worker.task, worker.role, worker.fused = self, called(function_of(self)), 0
        try:
            return original(self, *context)
        finally:
            worker.task, worker.role, worker.fused = before

    kind.__init__, kind.run = initialise, run_item


# ---- objects -------------------------------------------------------------------------------------------------


def _noted(kind: type) -> None:
    """Have the objects of a type know where they were made."""
    original = kind.__dict__["__init__"]

    def initialise(self: Any, /, *args: Any, **kwargs: Any) -> None:
        found = here()
        if found is None:
            original(self, *args, **kwargs)
            return
        thread = found[1]
        known = marks(self)
        if known.made is None:  # the type of a subclass comes first
            frame = program_frame(sys._getframe(1))
            at = () if frame is None else (frame.f_code.co_qualname, frame.f_code.co_filename, frame.f_lineno)
            known.made = Made(*(at or ("", "", 0)))
        name = thread.new_name()
        known.name = known.name or name
        thread.fused += 1
        try:
            original(self, *args, **kwargs)
        finally:
            thread.fused -= 1
        if kind is futures.ThreadPoolExecutor:
            found[0].created(thread, self._work_queue)

    _put_in_place(kind, original, initialise)


def prefix_of(executor: Any) -> str:
    """Return the prefix of its threads' names that the program gave to a pool; empty where it gave none."""
    prefix = str(executor._thread_name_prefix)
    return "" if prefix.startswith("ThreadPoolExecutor-") else prefix


def pool_key(executor: Any) -> str:
    """Return what tells a pool from others in another run of the same schedule.

    That is where it was made, and its name; one that is older than the runs is at the same address in each.
    """
    where = made(executor)
    return str(id(executor)) if where is None else "|".join(map(str, (*where, prefix_of(executor))))


EVERY = "every pool"
_ROOM = 1_000


def _more_workers() -> None:
    """Have a pool start more workers than the program says, where a run asks for that, whenever it was made."""
    kind: Any = futures.ThreadPoolExecutor
    original = kind._adjust_thread_count

    def adjust(self: Any) -> None:
        found = here()
        more = "" if found is None else found[0].more
        workers = self._max_workers
        if more:
            self._max_workers += _ROOM if more == EVERY else more == pool_key(self)
        try:
            original(self)
        finally:
            self._max_workers = workers

    _put_in_place(kind, original, adjust)


def _numbered(kind: Any) -> None:
    """Hash the objects of a type by their name, so that sets of them are walked through in one order in each run.

    One that was made before the run keeps the hash that it has. The name is there before any ``__init__`` runs.
    """

    def make(cls: Any, /, *args: Any, **kwargs: Any) -> Any:
        made_now, found = super(kind, cls).__new__(cls), here()
        if found is not None:
            marks(made_now).name = found[1].new_name()
        return made_now

    def number(self: Any) -> int:
        name = name_of(self)
        return object.__hash__(self) if name is None else _number_of(name[0]) * 100_003 + name[1]

    kind.__new__, kind.__hash__ = staticmethod(make), number


@cache
def _number_of(path: str) -> int:
    number = 0
    for child in path.split("."):
        number = number * 1_009 + int(child)
    return number


def _acquire_in_order() -> None:
    """Have locks of several futures taken in the order in which these were made, and not of their places in memory."""
    kind: Any = _base._AcquireFutures
    original = kind.__init__

    def initialise(self: Any, fs: Any) -> None:
        original(self, fs)
        self.futures.sort(key=hash)

    kind.__init__ = initialise


def replace() -> None:
    """Replace the operations of the standard library in this process, for good."""
    for kind, names in _OPERATIONS.items():
        for name in names.split():
            if name in kind.__dict__:
                label = f"{kind.__name__}.{name}"
                _fused(kind, name, _READY.get(label), _TAKES.get(label, 0))
    _set_event()
    _run_item()
    _inside(_base.Future, "_invoke_callbacks", fused=0)
    _inside(futures.ThreadPoolExecutor, "_initializer_failed", fused=0)
    _inside(MODULE_LOCK, "release", fused=1)
    for kind in KINDS:
        if "__init__" in kind.__dict__ and kind is not threading.BoundedSemaphore:
            _noted(kind)
    _more_workers()
    for hashed in (threading.Thread, _base.Future):
        _numbered(hashed)
    _acquire_in_order()
