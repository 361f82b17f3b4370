"""What code can get at: an object is reached from a thread or a work item over references, a few steps deep."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any

from simcore.control.baton import Run
from simcore.control.naming import frames_of
from simcore.control.operations import function_of
from simcore.control.thread import ControlledThread


def parts_of(work: Any) -> list[Any]:
    """Return what a work item has: its function, the arguments, and what is called when it is done."""
    function = function_of(work)
    rest = list(work.task[1:]) if hasattr(work, "task") else [work.args, work.kwargs]
    return [function, getattr(function, "__self__", None), *rest, *work.future._done_callbacks]


def within(thread: ControlledThread) -> list[Any]:
    """Return what a thread has: itself, as an object, the variables of its frames, and the globals that these name."""
    frames = frames_of(thread)
    globals_ = [frame.f_globals.get(name) for frame in frames for name in frame.f_code.co_names]
    return [thread.thread, thread.function, *(v for frame in frames for v in frame.f_locals.values()), *globals_]


_NOT_FOLLOWED = (ModuleType, type, FrameType, CodeType, ControlledThread, Run, str, bytes, int, float)
_MOST_REACHED = 4_000


def reaches(roots: Iterable[Any], goal: Any, depth: int) -> bool:
    """Tell whether ``goal`` can be come to from ``roots`` in so many steps; modules and types are not followed."""
    seen: set[int] = set()
    front = list(roots)
    for _ in range(depth):
        following: list[Any] = []
        for thing in front:
            if thing is goal:
                return True
            if id(thing) in seen or isinstance(thing, _NOT_FOLLOWED):
                continue
            seen.add(id(thing))
            if len(seen) > _MOST_REACHED:
                return False
            if isinstance(thing, FunctionType):
                names = (thing.__globals__.get(name) for name in thing.__code__.co_names)
                following += [*(thing.__closure__ or ()), *(thing.__defaults__ or ()), *names]
            elif isinstance(thing, BuiltinFunctionType):
                following.append(thing.__self__)
            elif not (isinstance(thing, dict) and "__builtins__" in thing):
                following += gc.get_referents(thing)
        front = following
    return any(thing is goal for thing in front)
