"""Inside of `concurrent.futures.wait` and `as_completed` a thread waits for futures: which, is known by their frames.

What they do with the locks and the events of futures is nothing of the program. To wait for several is to wait for the
result of each, in an order that does not matter to who can hang. `as_completed` gives one after the other; each that it
gives was waited for.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from concurrent.futures import ALL_COMPLETED, Future, _base
from itertools import takewhile
from types import FrameType
from typing import Any, NamedTuple

from simcore.control.thread import LIBRARY, ControlledThread, stack

_FUNCTIONS = ("wait", "as_completed")
_TOLD = ("CANCELLED_AND_NOTIFIED", "FINISHED")
_OF_THE_FRAME = 3
"""References to the variables of a frame that has shown them to us alone."""


class Together(NamedTuple):
    """A wait for several futures, as it stands.

    Attributes
    ----------
    operation : str
        What it is called, with what it returns for where that is not for all of them.
    futures : list of Future
        All that it is given and has not given, in the order in which they were made.
    given : Future, optional
        What `as_completed` gives next.
    begins : bool
        Whether nothing of it was done yet.
    limit : float, optional
        For how long it would wait, in seconds.
    """

    operation: str
    futures: list[Future[Any]]
    given: Future[Any] | None
    begins: bool
    limit: float | None

    @property
    def in_turn(self) -> bool:
        """Whether it is `as_completed`."""
        return self.operation == "concurrent.futures.as_completed"

    @property
    def left(self) -> list[Future[Any]]:
        """What it still waits for: whoever waits is not told of what was cancelled before somebody took it."""
        return [future for future in self.futures if future._state not in _TOLD]


def frames(thread: ControlledThread) -> Iterator[FrameType]:
    """Return what of the library, and of ours, lies between a thread and the program."""
    return takewhile(lambda frame: frame.f_code.co_filename in LIBRARY, stack(thread))


def waits_together(thread: ControlledThread) -> bool:
    """Tell whether a thread is in a function of `concurrent.futures` that has locks and events of its own."""
    return _function(thread) is not None


def together(thread: ControlledThread) -> Together | None:
    """Return which futures a thread waits for together, if it does."""
    if (frame := _function(thread)) is None:
        return None
    own, name = shown(frame), frame.f_code.co_name
    futures = sorted(own["fs"], key=hash)
    awaits = own.get("return_when", ALL_COMPLETED)
    how = "" if awaits == ALL_COMPLETED or len(futures) == 1 else f"({awaits})"
    inner = {each.f_code.co_name: each for each in frames(thread) if each.f_code.co_filename == _base.__file__}
    gives = inner.get("_yield_finished_futures")
    given = None if gives is None else shown(gives)["fs"][-1]
    begins = "__enter__" in inner and bool(futures) and thread.target is futures[0]._condition._lock
    return Together(f"concurrent.futures.{name}{how}", futures, given, begins, own["timeout"])


def _function(thread: ControlledThread) -> FrameType | None:
    of_futures = (frame for frame in frames(thread) if frame.f_code.co_filename == _base.__file__)
    return next((frame for frame in of_futures if frame.f_code.co_name in _FUNCTIONS), None)


def shown(frame: FrameType) -> dict[str, Any]:
    """Return the variables of a frame, which keeps none of them alive for that."""
    found = dict(frame.f_locals)
    forget(frame)
    return found


def forget(frame: FrameType) -> None:
    """Let go of the variables that were looked at: until 3.12 a frame keeps what it has shown, and that alive."""
    if sys.version_info < (3, 13) and frame.f_code.co_flags & inspect.CO_OPTIMIZED:
        shown = frame.f_locals
        if sys.getrefcount(shown) <= _OF_THE_FRAME:  # and the program has not asked for it
            shown.clear()
