"""What code can get at: an object is reached from a thread or a work item over references.

Who would end a wait is looked for a few steps deep. Whether anybody at all might, is asked over as many as there are,
and over classes, modules of the program and weak references; who has more than can be looked through, might.
"""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any

from simcore.control.baton import Run
from simcore.control.functions import function_of
from simcore.control.naming import frames_of
from simcore.control.thread import LIBRARY, ControlledThread, stack
from simcore.control.together import shown
from simcore.whose import is_the_users


def parts_of(work: Any) -> list[Any]:
    """Return what a work item has: its function, the arguments, and what is called when it is done."""
    function = function_of(work)
    rest = list(work.task[1:]) if hasattr(work, "task") else [work.args, work.kwargs]
    return [function, getattr(function, "__self__", None), *rest, *work.future._done_callbacks]


def within(thread: ControlledThread) -> list[Any]:
    """Return what a thread has: itself, as an object, the variables of its frames, and the globals that these name."""
    frames = frames_of(thread)
    globals_ = [frame.f_globals.get(name) for frame in frames for name in names_in(frame.f_code)]
    return [thread.thread, thread.function, *(v for frame in frames for v in frame.f_locals.values()), *globals_]


def names_any(thread: ControlledThread, methods: frozenset[str]) -> bool:
    """Tell whether a function that a thread is in names one of some methods."""
    codes = (frame.f_code for frame in _in_the_run(thread))
    return any(code.co_filename not in LIBRARY and not methods.isdisjoint(code.co_names) for code in codes)


def _in_the_run(thread: ControlledThread) -> Iterator[FrameType]:
    """Return the frames of a thread, the innermost first, without those of whoever has asked for the run."""
    return takewhile(lambda frame: frame.f_code is not Run.take.__code__, stack(thread))


_NEVER_FOLLOWED = (FrameType, CodeType, ControlledThread, Run, str, bytes, int, float)
_NOT_FOLLOWED = (ModuleType, type, *_NEVER_FOLLOWED)
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


_MOST_AT_ALL = 50_000


def everything(thread: ControlledThread) -> list[Any]:
    """Return what a thread has, also in the library: a loop has what it runs, and a worker its task."""
    found = within(thread)
    frames = list(_in_the_run(thread))
    asks = max((n for n, frame in enumerate(frames) if frame.f_code in _ASK), default=-1)
    for frame in frames[asks + 1 :]:  # the others are those of the question itself, which has what is looked for
        found += shown(frame).values()
    return found


_ASK = (Run.wait.__code__, Run.point.__code__)


class AtAll:
    """What threads and work items can get at by any way.

    Parameters
    ----------
    goals : things
        Which are looked for.
    """

    def __init__(self, goals: Iterable[Any]) -> None:
        self._goals = set(map(id, goals))
        self._reached: dict[int, set[int]] = {}

    def reach(self, owner: Any, roots_of: Callable[[Any], Iterable[Any]], goal: Any) -> bool:
        """Tell whether ``owner`` might come to one of the goals from what ``roots_of`` says that he has."""
        if id(owner) not in self._reached:
            self._reached[id(owner)] = self._all(roots_of(owner))
        return id(goal) in self._reached[id(owner)]

    def _all(self, roots: Iterable[Any]) -> set[int]:
        seen: set[int] = set()
        front = list(roots)
        while front:
            thing = front.pop()
            if id(thing) in seen or isinstance(thing, _NEVER_FOLLOWED):
                continue
            seen.add(id(thing))
            if len(seen) > _MOST_AT_ALL:
                return self._goals
            front += _parts(thing)
        return seen & self._goals


_OF_THE_LIBRARY = ("_invoke_excepthook", "_stderr")
"""What a thread has for when it fails: over that it would come to whatever has asked for the run."""


def _parts(thing: Any) -> Iterable[Any]:
    if isinstance(thing, FunctionType):
        names = [(thing.__globals__.get(name), sys.modules.get(name)) for name in names_in(thing.__code__)]
        more = (thing.__closure__, thing.__defaults__, thing.__kwdefaults__, thing.__dict__)
        return [*more, *(each for pair in names for each in pair)]
    if isinstance(thing, BuiltinFunctionType):
        return [thing.__self__]
    if isinstance(thing, weakref.ref):
        return [thing()]
    if isinstance(thing, threading.Thread):
        return [value for name, value in vars(thing).items() if name not in _OF_THE_LIBRARY]
    if isinstance(thing, ModuleType | type):
        module = thing if isinstance(thing, ModuleType) else sys.modules.get(thing.__module__)
        own = is_the_users(getattr(module, "__file__", None) or "<frozen >")
        return list(vars(thing).values()) if own else []
    return [] if isinstance(thing, dict) and "__builtins__" in thing else gc.get_referents(thing)


def names_in(code: CodeType) -> set[str]:
    """Return the names that code uses, and what is defined in it."""
    inner = (each for each in code.co_consts if isinstance(each, CodeType))
    return set(code.co_names).union(*map(names_in, inner))
