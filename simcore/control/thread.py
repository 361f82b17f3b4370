"""A thread of the program, as a run sees it: what it is about to do, on what, and when that could be done."""

from __future__ import annotations

import _queue
import _thread
import collections
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import _base
from concurrent.futures import thread as futures_thread
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from simcore.control.functions import called, run_by

Ready = Callable[[], bool]

_make_lock, _acquire = _thread.allocate_lock, _thread.LockType.acquire
_empty = _queue.SimpleQueue.empty

_TIMERS = ("sleep", "select", "poll", "epoll")


OURS = frozenset(map(str, Path(__file__).parent.glob("*.py")))
"""Files of this room."""

LIBRARY = OURS.union(
    [
        *(module.__file__ for module in (threading, queue, _base, futures_thread, collections)),
        *(f"<frozen importlib.{part}>" for part in ("_bootstrap", "_bootstrap_external")),
    ]
)
"""Files whose frames are not the program's."""


@dataclass(slots=True)
class Doing:
    """An operation of the standard library that a thread is inside of, and of how many before."""

    label: str
    target: Any
    fused: int


def stack(thread: ControlledThread) -> Iterator[FrameType]:
    """Yield all frames of a thread, the innermost first."""
    frame = sys._current_frames().get(thread.identity)
    while frame is not None:
        yield frame
        frame = frame.f_back


def known_by(thread: ControlledThread) -> Doing | None:
    """Return the operation of the standard library by which a reader knows that a thread blocks; None: by the lock.

    That is the outermost one with nothing but the library's code above it. Where code of the program runs in an
    operation, as a ``_get`` of a queue does, what that code blocks on counts, unless it waits to be notified in there.
    """
    frame: FrameType | None = sys._getframe(2)
    assert frame is not None
    announced = frame.f_back is not None and (frame.f_code.co_name, frame.f_back.f_code.co_name) == _ANNOUNCES
    notified = not announced and bool(thread.doing) and thread.doing[-1].label == "Condition.wait"
    left, found = list(thread.doing), None
    while frame is not None and frame.f_code.co_filename in LIBRARY:
        if frame.f_code.co_name == "operation":
            if not announced and left and not (found := left.pop()).fused:
                return found
            announced = False
        frame = frame.f_back
    return found if notified else None


_ANNOUNCES = "point", "operation"


def called_by_the_program() -> bool:
    """Tell whether it is code of the program that calls ours, and not the standard library's."""
    frame: FrameType | None = sys._getframe(3)  # above this one, `is_within`, and whoever of ours has asked
    while frame is not None and frame.f_code.co_filename in OURS:
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename not in LIBRARY


class ControlledThread:
    """A thread of the program, as a run sees it.

    Attributes
    ----------
    path : str
        Its name in schedules: "0" is the one that runs the body, "0.2" the second thread that it started. Who is meant
        depends on nothing that other threads do.
    label, target, ready, deadline
        What it has announced, on what, when it could be done (None: now), and until when it waits.
    waits_for
        The very thing by which it is known whether it could go on, where ``target`` is what a reader knows it by.
    birth : str
        What its beginning is called, as a thing that whoever starts it does something to.
    outside : function
        Tells whether it waits for somebody who is not in this process; None where that cannot be.
    fused : int
        How many operations of the standard library it is inside of: what the library does in there is no step.
    hidden : bool
        Whether nothing that it does is a step, whoever does it.
    booting : bool
        Whether it has not said yet that it has started: until then it runs in the place of who starts it.
    gone, handle
        A function that returns when it is gone, once it has ended; and by what it is joined, from 3.13 on.
    own_role, role
        What the function is called that it is there for, and that which it runs now: while it has a task, of that.
    task, pool
        The work item that it runs, and whose worker it is: (reference to the executor, its queue).
    """

    def __init__(self, path: str, number: int, parent: ControlledThread | None, function: Any = None) -> None:
        self.path, self.number, self.parent = path, number, parent
        self.children = 0
        self.birth = f"the birth of {path}"
        self.things = 0
        self.label: str = "begin"
        self.target: Any = None
        self.waits_for: Any = None
        self.ready: Ready | None = None
        self.deadline: float | None = None
        self.outside: Callable[[], bool] | None = None
        self.timed_out = False
        self.fused = 0
        self.hidden = False
        self.booting = self.done = False
        self.steps = 0
        self.reads = 0
        self.doing: list[Doing] = []
        self.function, owner = function, getattr(function, "__self__", None)
        self.thread: threading.Thread | None = owner if isinstance(owner, threading.Thread) else None
        self.own_role = self.role = "main" if parent is None else called(run_by(self.thread, function))
        self.identity = 0
        self.gone: Callable[[], object] | None = None
        self.handle: Any = None
        self.task: Any = None
        self.pool: tuple[Any, Any] | None = None
        self.baton = _make_lock()
        _acquire(self.baton)

    def is_within(self) -> bool:
        """Tell whether what it is about to do is a part of an operation that it is inside of, and no step of its own.

        It is where the library does it. Code of the program that an operation calls has steps of its own: a ``_put`` of
        a queue, a ``__lt__`` of what lies in it, a barrier's action, a lock that a condition was given, a callback.
        Others go on meanwhile, whom the library's lock does not hold.
        """
        return self.fused > 0 and (self.hidden or not called_by_the_program())

    def new_name(self) -> tuple[str, int]:
        """Return a name for what this thread makes now, which depends on nothing that other threads do."""
        self.things += 1
        return self.path, self.things

    @property
    def name(self) -> str:
        """What the program calls it; others may have the same name."""
        return "main" if self.parent is None else self.path if self.thread is None else self.thread.name

    @property
    def sleeps(self) -> bool:
        """Whether time alone may end its wait under any rule, as that of a timer, or of a loop for its next event."""
        timer = self.thread if isinstance(self.thread, threading.Timer) else None
        return self.label in _TIMERS or (timer is not None and self.target is timer.finished)

    @property
    def idle(self) -> bool:
        """Whether it is a worker of a pool that waits for work, and there is none."""
        waits = self.doing[-1].target if self.doing else None
        return self.pool is not None and self.task is None and waits is self.pool[1] and _empty(waits)
