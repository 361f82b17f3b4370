"""What an event loop has not brought to its end: a thread that waits for events says nothing of who waits in there."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType
from typing import Any

from simcore.control.naming import in_function
from simcore.control.thread import ControlledThread, stack
from simcore.control.together import shown
from simcore.whose import is_standard

_SUSPENDED = (CoroutineType, AsyncGeneratorType, GeneratorType)
_INNER = ("cr_await", "gi_yieldfrom", "ag_await")
_FRAMES = ("cr_frame", "gi_frame", "ag_frame")


def tasks_of(thread: ControlledThread) -> list[tuple[str, str]]:
    """Return the tasks that the loop of a thread has not ended, and in which line of the program each stands."""
    loop = _loop(thread)
    if loop is None:
        return []
    found = [(task.get_name(), _place(task.get_coro())) for task in sys.modules["asyncio"].all_tasks(loop)]
    return sorted(found, key=lambda each: (len(each[0]), each))


def _loop(thread: ControlledThread) -> Any:
    base = sys.modules.get("asyncio.base_events")
    for frame in () if base is None else stack(thread):
        if frame.f_code is base.BaseEventLoop.run_forever.__code__:  # type: ignore[union-attr]
            return shown(frame)["self"]
    return None


def _place(coroutine: Any) -> str:
    """Return file, line and function where a coroutine waits: in the program, if it is come to from there."""
    frames = list(_frames(coroutine))
    own = [frame for frame in frames if not is_standard(frame.f_code.co_filename)]
    frame = next(iter(own[::-1] or frames), None)
    return "" if frame is None else in_function(frame)


def _frames(waiting: Any) -> Iterator[FrameType]:
    """Yield the frames of a coroutine, and of what it awaits, the innermost last."""
    while waiting is not None:
        if not isinstance(waiting, _SUSPENDED):  # what stands between, as for a step of an asynchronous generator
            waiting = next((each for each in gc.get_referents(waiting) if isinstance(each, _SUSPENDED)), None)
        frame = _first(waiting, _FRAMES)
        if frame is not None:
            yield frame
        waiting = _first(waiting, _INNER)


def _first(thing: Any, names: tuple[str, ...]) -> Any:
    return next((found for name in names if (found := getattr(thing, name, None)) is not None), None)
