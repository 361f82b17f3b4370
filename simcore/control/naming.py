"""What a live object is called: by the name under which the program holds it, or by the line where it was made.

An object has no name of its own. A reader knows it by an attribute (``Pool.lock``), a global (``app.jobs``), or a
variable of a function that runs; so it is looked for there, in this order, once a report is wanted.
"""

from __future__ import annotations

import gc
import os
import queue
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import cached_property
from types import FrameType
from typing import Any, NamedTuple

from simcore.control.baton import Run
from simcore.control.marks import Made, made, task_of
from simcore.control.primitives import MODULE_LOCK, SEMLOCK
from simcore.control.thread import LIBRARY, ControlledThread, stack
from simcore.whose import is_standard


def frames_of(thread: ControlledThread) -> list[FrameType]:
    """Return the frames of the program on the stack of a thread, the innermost first."""
    return [frame for frame in stack(thread) if frame.f_code.co_filename not in LIBRARY]


def place(thread: ControlledThread) -> str:
    """Return file and line of the program where a thread is."""
    frame = _program_frame(thread)
    return "" if frame is None else line_of(frame)


def line_of(frame: FrameType) -> str:
    """Return file and line where a frame stands."""
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"


def in_function(frame: FrameType) -> str:
    """Return file, line and function where a frame stands."""
    return f"{line_of(frame)} in {frame.f_code.co_qualname.replace('<locals>.', '')}()"


def function_at(thread: ControlledThread) -> str:
    """Return in which function of the program a thread is, and where that stands."""
    frame = _program_frame(thread)
    if frame is None:
        return ""
    finalizer, below = "", frame.f_back
    while below is not None and not finalizer:
        if below.f_code.co_name == "__del__":
            finalizer = f", below the finalizer {below.f_code.co_qualname}()"
        below = below.f_back
    return f"{in_function(frame)}{finalizer}"


def _program_frame(thread: ControlledThread) -> FrameType | None:
    """Return the innermost frame that is not the standard library's; the innermost of all where there is none."""
    frames = frames_of(thread)
    return next((f for f in frames if not is_standard(f.f_code.co_filename)), frames[0] if frames else None)


class Gone(NamedTuple):
    """An object that is not there any more: its kind, where it was made, and what it is known by (`known_as`)."""

    kind: str
    where: Made | None
    known: str


def known_as(thing: Any) -> str:
    """Return the task that sets a future, and which import a module's lock is for; of others, nothing."""
    if isinstance(thing, Gone):
        return thing.known
    return f"the import of {thing.name}" if isinstance(thing, MODULE_LOCK) else task_of(thing)


def weak(thing: Any) -> Callable[[], Any]:
    """Return what gives ``thing`` as long as it is there; then what is known of it, always the same."""
    if thing is None or isinstance(
        thing, int | float | SEMLOCK
    ):  # seconds, or what is kept: it takes no weak reference
        return lambda: thing
    gone = Gone(type(thing).__name__, made(thing), known_as(thing))
    try:
        reference = weakref.ref(thing)
    except TypeError:
        return lambda: gone
    return lambda: found if (found := reference()) is not None else gone


class Remembered:
    """Objects that somebody will ask for, without keeping them: one that is gone by then is still told from others."""

    def __init__(self) -> None:
        self._known: dict[int, Callable[[], Any]] = {}

    def weak(self, thing: Any) -> Callable[[], Any]:
        """Return what gives ``thing``, as `weak` does, and always the same for it."""
        known = self._known.get(id(thing))
        if known is None or known() is not thing:  # another one that is gone was there
            known = self._known[id(thing)] = weak(thing)
        return known


_SEARCHES = 5
"""For how many things all that there was before a run is searched for who has it: it may be much."""


class Names:
    """The names of threads and objects in one state of a run: different ones for different objects.

    Parameters
    ----------
    run : Run
        Its threads are looked through for variables.
    modules : Modules, optional
        Those of other names in the same run, where but one thing is to be named here.
    """

    def __init__(self, run: Run, modules: Modules | None = None) -> None:
        self._run, self._modules = run, modules or Modules()
        self._one = modules is not None
        self._of: dict[int, str] = {}
        self._used: set[str] = set()
        self._had_by: dict[int, list[Any]] | None = None

    @cached_property
    def _threads(self) -> dict[Any, str]:
        named: dict[Any, str] = {}
        for thread in self._run.threads:
            name = thread.name if thread.name not in named.values() else f"{thread.name} ({thread.path})"
            named[thread] = named[thread.thread or thread] = name
        return named

    def thread(self, thread: Any) -> str:
        """Return what a thread of the run is called, of which others may have the name."""
        return self._threads.get(thread) or str(getattr(thread, "name", "a thread that is gone"))

    def of(self, thing: Any, kind: str) -> str:
        """Return what ``thing`` is called."""
        if id(thing) not in self._of:
            name, where = next(self._candidates(thing), ""), ""
            if not name:
                name, where = self._by_line(thing, kind)
            number, unique = 1, name + where
            while unique in self._used:
                number, unique = number + 1, f"{name}[{number}]{where}"
            self._used.add(unique)
            self._of[id(thing)] = unique
            self._run.progress()  # a program with much in it is told slowly
        return self._of[id(thing)]

    @staticmethod
    def _by_line(thing: Any, kind: str) -> tuple[str, str]:
        """Return of which kind a thing without a name is, and in which line it was made, if that is known."""
        where = thing.where if isinstance(thing, Gone) else made(thing)
        if where is None or not where.file:
            return f"{'an' if kind[0] in 'aeiou' or kind == 'rlock' else 'a'} {kind}", ""
        function = where.function.replace("<locals>.", "")
        return kind, f" (made in {function}() at {os.path.basename(where.file)}:{where.line})"

    def _candidates(self, thing: Any) -> Iterator[str]:
        if isinstance(thing, Future | MODULE_LOCK) and (known := known_as(thing)):
            yield known
        inside = []
        for owner, name in _holders(thing, self._referrers):
            of_multiprocessing = name.endswith("._semlock")
            if name and not (of_multiprocessing or _is_library(owner)):
                yield name
            elif of_multiprocessing or isinstance(owner, _INSIDE):
                inside.append(owner)
        everywhere = None
        if not self._one and self._modules.looked_for < _SEARCHES:
            self._modules.looked_for += 1
            everywhere = _referrers_everywhere(thing)
        if name := self._modules.name_of(thing, everywhere):
            yield name
        for thread in self._run.threads:
            for frame in frames_of(thread):
                if name := _key(dict(frame.f_locals), thing):  # from 3.13 on a view
                    yield name
        for owner in inside:
            yield self._lock_of(owner)
        if made(thing) is None and self._modules.searches < _SEARCHES:  # it, and who has it, may be older than the run
            self._modules.searches += 1
            older = _referrers_everywhere(thing) if everywhere is None else everywhere
            holders = list(_holders(thing, lambda each: older if each is thing else self._owners(each)))
            yield from (name for owner, name in holders if name and not _is_library(owner))
            inside = [owner for owner, _ in holders if isinstance(owner, _INSIDE)]
            for owner in sorted(inside, key=lambda each: isinstance(each, threading.Condition)):  # of another, perhaps
                yield self._lock_of(owner)

    def _lock_of(self, owner: Any) -> str:
        return f"the lock of {self.of(owner, type(owner).__name__.lower())}"

    def _owners(self, names: Any) -> list[Any]:
        """Return what may have ``names`` as its own: the run's, if that has made it, and is not searched again."""
        own = [each for each in self._referrers(names) if getattr(each, "__dict__", None) is names]
        return own or _referrers_everywhere(names)

    def _referrers(self, thing: Any) -> list[Any]:
        """Return what has ``thing``, of all that the run has made: it is looked through once, for all things.

        Whoever looks through what is older makes that and this one, as far as the collector goes.
        """
        if self._one:
            return gc.get_referrers(thing)
        if self._had_by is None:
            made_now = gc.get_objects()
            self._had_by = {}
            for holder in made_now:
                for each in gc.get_referents(holder):
                    self._had_by.setdefault(id(each), []).append(holder)
        return self._had_by.get(id(thing), [])


def _referrers_everywhere(thing: Any) -> list[Any]:
    gc.unfreeze()
    found = gc.get_referrers(thing)
    gc.freeze()
    return found


class Modules:
    """Which object is a global of which module, or something that a class of it has.

    To read all modules takes longer than to have the collector look for one object, as whatever they have is touched,
    and copied for this process. So that is done, once, when more have been looked for than are worth while.

    Attributes
    ----------
    searches, looked_for : int
        For how many things all was searched, for this run: for who has it and is older, and for a module that has it.
    """

    def __init__(self) -> None:
        self.searches = self.looked_for = 0
        self._found: dict[int, Held] | None = None

    def name_of(self, thing: Any, holders: Sequence[Any] | None = None) -> str:
        """Return under which name a module has ``thing``, if one does that is the program's.

        Where ``holders`` are whatever has it, no other module is read than those that they are of.
        """
        if holders is None and self._found is None:
            self._found = _globals(sys.modules.values())
        found = self._found if holders is None else _globals(_modules_of(holders))
        assert found is not None
        held = found.get(id(thing))
        name = "" if held is None else _key(dict(held.names), thing)
        return f"{held.owner}.{name}".lstrip(".") if held is not None and name else ""


class Numbers(Names):
    """In the place of names, where nobody reads them: to find one takes a look at every object of the program."""

    def of(self, thing: Any, kind: str) -> str:
        """Return what tells ``thing`` from others."""
        return f"{kind} {id(thing)}"


_INSIDE = (threading.Condition, threading.Semaphore, threading.Event, threading.Barrier, queue.Queue)
"""What has a lock inside that the program knows by the object alone."""


def _holders(thing: Any, referrers: Callable[[Any], list[Any]]) -> Iterator[tuple[Any, str]]:
    """Yield who has ``thing`` under a name, and that name, as one would write it."""
    for holder in referrers(thing):
        if isinstance(holder, FrameType):
            continue
        if isinstance(holder, dict):
            name = _key(holder, thing)
            owners = [o for o in referrers(holder) if getattr(o, "__dict__", None) is holder] if name else []
        else:  # an object that has its attributes in itself
            name = _key(getattr(holder, "__dict__", None), thing)
            owners = [holder] if name else []
        for owner in owners:
            if not isinstance(owner, FrameType):
                yield owner, f"{(owner if isinstance(owner, type) else type(owner)).__name__}.{name}"


class Held(NamedTuple):
    """Where something is: in which names, and who has these, as one would write it."""

    names: Mapping[str, Any]
    owner: str


def _modules_of(holders: Iterable[Any]) -> list[Any]:
    """Return the modules that have some names, or a class that has them."""
    own = {id(each): each.get("__module__") for each in holders if isinstance(each, dict)}
    found = []
    for module in list(sys.modules.values()):
        names: Any = getattr(module, "__dict__", None)
        if isinstance(names, dict) and (id(names) in own or names.get("__name__", "") in own.values()):
            found.append(module)
    return found


def _globals(modules: Iterable[Any]) -> dict[int, Held]:
    """Return where each thing is that a module of the program has, or a class of it: of several, in the first."""
    found: dict[int, Held] = {}
    for module in reversed(list(modules)):
        names: Any = getattr(module, "__dict__", None)
        of = names.get("__name__") if isinstance(names, dict) else None
        if isinstance(of, str) and not _is_library(names):
            own = list(names.values())
            for kind in (value for value in own if isinstance(value, type)):
                if getattr(kind, "__module__", "") == of:
                    has = vars(kind)
                    found.update(dict.fromkeys(map(id, list(has.values())), Held(has, kind.__name__)))
            found.update(dict.fromkeys(map(id, own), Held(names, "" if of == "__main__" else of)))
    return found


def _is_library(owner: Any) -> bool:
    """Tell whether what has it is the library's or ours, so that the name means nothing to a reader."""
    if isinstance(owner, dict):
        return owner.get("__file__") in LIBRARY
    kind = owner if isinstance(owner, type) else type(owner)
    return getattr(sys.modules.get(kind.__module__), "__file__", None) in LIBRARY


def _key(names: Any, thing: Any) -> str:
    """Return under which name ``thing`` is in a dictionary of names, if it is."""
    if not isinstance(names, dict):
        return ""
    return next((name for name, value in list(names.items()) if value is thing and _is_name(name)), "")


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and name.isidentifier() and name not in ("self", "thing")
