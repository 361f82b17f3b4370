"""What each step does to what threads share: of two steps that do nothing to the same thing, either may come first.

What a step does to which thing is seen as it runs, in the real primitives: inside of an operation of the library, too.
A thing is called by the thread that has made it, and its how manieth that was; so it has one name in all runs, in
whichever order threads go on. What was there before the run, or was made where nobody saw it, has one name together:
such things are taken for one and the same, which costs a few orders, and loses none.

What a finalizer does is done when the last reference goes, in whichever thread that is. To drop a reference is no step,
so there may be orders of it that nobody runs: where a finalizer does something to what threads share, that is said.
What lies in a ring of references is finalized by the collector, at any moment, in whoever allocates; in a run it never
comes. So it comes at the end, when all is over, to see whether that would do something to what threads share.
"""

from __future__ import annotations

import gc
import sys
import weakref
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import thread as futures_thread
from types import FrameType
from typing import Any, NamedTuple, NoReturn

from simcore.control import operations
from simcore.control.baton import GOES_ON, TIMES_OUT
from simcore.control.environment import Learning
from simcore.control.hears import WRITES, Enabled
from simcore.control.marks import name_of
from simcore.control.primitives import LOCK, LOST, QUEUE, RLOCK, owner_of
from simcore.control.starting import ASKS_WHO_IS_ALIVE
from simcore.control.thread import LIBRARY, ControlledThread

Key = tuple[str, int]
"""A thread, by its path, and how it goes on."""

FREE, NOBODY, NEVER = "", "*", "never"
"""Who alone could take a thing: anybody; nobody now; nobody at any time before. Else the path of a thread."""

OLD = "what was there before"
ALL = "everything"
_WITHOUT_A_THING = frozenset(["begin", "end", "sleep", "looks at the clock", ASKS_WHO_IS_ALIVE])
_empty, _locked = QUEUE.empty, LOCK.locked


class Access(NamedTuple):
    """What a step does to a thing, and who could have taken that before."""

    mode: str
    takers: str


Accesses = dict[str, Access]


class Event(NamedTuple):
    """A step: whose it is, what it does, and who could have gone on in its place.

    Attributes
    ----------
    key : Key
        Thread and outcome.
    label, waited : str
        The operation, and the thing by which it was known whether it could go on; empty where it always could.
    accesses : Accesses
        By the names of things.
    enabled : tuple of Key
        In this step's place.
    """

    key: Key
    label: str
    waited: str
    accesses: Accesses
    enabled: tuple[Key, ...]


def dependent(one: Mapping[str, Access], other: Mapping[str, Access]) -> bool:
    """Tell whether two steps do something to the same thing that has another effect in the other order."""
    if ALL in one or ALL in other:
        return True
    if len(one) > len(other):
        one, other = other, one
    return any(name in other and not (mode == other[name].mode and mode != WRITES) for name, (mode, _) in one.items())


class ByThing:
    """Steps by what they do to which thing, a bit for each: those that depend on another one are found together."""

    def __init__(self) -> None:
        self._every = 0
        self._modes: dict[str, dict[str, int]] = {}

    def add(self, number: int, accesses: Accesses) -> None:
        """Add a step."""
        self._every |= 1 << number
        for name, (mode, _) in accesses.items():
            modes = self._modes.setdefault(name, {})
            modes[mode] = modes.get(mode, 0) | 1 << number

    def dependent(self, accesses: Accesses) -> int:
        """Return the bits of those that are `dependent` on a step that does ``accesses``."""
        if ALL in accesses:
            return self._every
        found = 0
        for name, mode in [(ALL, WRITES), *((name, mode) for name, (mode, _) in accesses.items())]:
            for other, steps in self._modes.get(name, {}).items():
                if other != mode or mode == WRITES:
                    found |= steps
        return found


class Observed(Learning):
    """A run whose steps are known by what they do; it goes on until nobody could go on any more.

    Attributes
    ----------
    events : list of Event
        The steps.
    unordered : str
        An operation that was met of which it is not known what it does to what threads share.
    """

    def __init__(self, *args: Any, **others: Any) -> None:
        super().__init__(*args, **others)
        self.events: list[Event] = []
        self.unordered = ""
        self._made: Counter[ControlledThread] = Counter()
        self._names: dict[int, tuple[weakref.ref[Any], str]] = {}
        self._raised: list[tuple[ControlledThread, BaseException]] | None = None
        self._collecting = False

    # ---- what there is ---------------------------------------------------------------------------------------

    def created(self, thread: ControlledThread, thing: Any) -> None:
        """Name a lock, by a count of its own: by the other one things are hashed, in runs of each kind."""
        self._made[thread] += 1
        self._names[id(thing)] = weakref.ref(thing), f"lock {self._made[thread]} of {thread.path}"

    def _name(self, thing: Any) -> str:
        if isinstance(thing, str):
            return thing
        if thing is self.main.thread:
            thing = self.main
        if isinstance(thing, ControlledThread):
            own = None if thing.thread is None else name_of(thing.thread)
            return f"thread {thing.path}" if own is None else str(own)
        reference, name = self._names.get(id(thing), (None, ""))
        if reference is not None and reference() is thing:
            return name
        own = name_of(thing)
        return OLD if own is None else str(own)

    def _takers(self, thing: Any) -> str:
        """Return who could take ``thing`` now, or go on behind it."""
        if isinstance(thing, LOCK):
            return NOBODY if _locked(thing) else FREE
        if isinstance(thing, RLOCK):
            owner = self.of.get(owner_of(thing))
            return FREE if owner is None else owner.path
        if isinstance(thing, QUEUE):
            return NOBODY if _empty(thing) else FREE
        if isinstance(thing, Future):
            return FREE if operations.is_done(thing) else NEVER
        if isinstance(thing, str):
            return NEVER
        thread = next((one for one in self.threads if thing is one or thing is one.thread), None)
        return NEVER if thread is not None and not thread.done else FREE

    # ---- what is done ----------------------------------------------------------------------------------------

    def touched(self, thing: Any, mode: str = WRITES) -> None:
        """Note what the step that goes on does to ``thing``."""
        if not self.events or thing is futures_thread._global_shutdown_lock or id(thing) in self.quiet:
            return
        if self._collecting:
            self._meets_a_finalizer()
        if not self.unordered and _finalizes(sys._getframe(1)):
            self.unordered = "a finalizer, which runs where the last reference is dropped,"
        if isinstance(thing, LOCK) and (thread := self.sentinels.get(id(thing))) is not None:
            thing = thread
        found, name = self.events[-1].accesses, self._name(thing)
        if name not in found:
            found[name] = Access(mode, self._takers(thing))
        elif found[name].mode != mode:
            found[name] = found[name]._replace(mode=WRITES)

    def wait(self, thread: ControlledThread, *announced: Any, **limit: Any) -> bool:
        """Announce what comes next, and go on when chosen; when all is over nothing comes any more."""
        if self._collecting:
            self._meets_a_finalizer()
        return super().wait(thread, *announced, **limit)

    def take(self, body: Callable[[], Any]) -> None:
        """Run ``body``, and whatever it has started, to the end, and then the collector."""
        super().take(body)
        gc.callbacks.clear()  # which measure how long it takes
        before, sys.unraisablehook = sys.unraisablehook, lambda raised: None
        self.of[self.main.identity], self._collecting = self.main, True
        gc.collect()
        del self.of[self.main.identity]
        sys.unraisablehook = before

    def _meets_a_finalizer(self) -> NoReturn:
        self.unordered = self.unordered or "a finalizer, which the collector may run at any moment,"
        raise _Met  # which nobody hears of: a finalizer has no caller

    def stepped(self, thread: ControlledThread, outcome: int, candidates: Enabled) -> None:
        """Begin a step."""
        waited = "" if thread.ready is None or thread.waits_for is None else self._name(thread.waits_for)
        if thread.label == "begin":
            waited = thread.birth
        keys = tuple((other.path, how) for other, how in candidates)
        self.events.append(Event((thread.path, outcome), thread.label, waited, {}, keys))
        if thread.label == "begin":
            self.touched(thread.birth)
        if outcome == TIMES_OUT:
            self.events[-1].accesses[ALL] = Access(WRITES, FREE)
        if not self._is_known(thread):
            self.unordered = self.unordered or thread.label

    @staticmethod
    def _is_known(thread: ControlledThread) -> bool:
        return thread.label in _WITHOUT_A_THING or isinstance(
            thread.waits_for, (LOCK, RLOCK, QUEUE, ControlledThread, *operations.KINDS)
        )

    def over(self) -> bool:
        """Tell whether the run is over, and nobody could go on: what comes behind its end may have come before it."""
        if self._raised is None and super().over():
            self._raised = list(self.errors)
        return self._raised is not None and not self.enabled()

    @property
    def raised(self) -> list[tuple[ControlledThread, BaseException]]:
        """What was raised until the run was over, and by whom."""
        return self.errors if self._raised is None else self._raised

    def waiting(self) -> list[Event]:
        """Return what those would do who wait, as if it were done now."""
        found = []
        for thread in self.live:
            if thread.ready is not None and thread.label != "sleep" and thread.waits_for is not None:
                name = self._name(thread.waits_for)
                accesses = {name: Access(WRITES, NOBODY)}
                found.append(Event((thread.path, GOES_ON), thread.label, name, accesses, ()))
        return found


class _Met(BaseException):
    """Ends a finalizer that is no step of anybody."""


def _finalizes(frame: FrameType | None) -> bool:
    """Tell whether what runs was not called by anybody, but because something is gone, or a generator is closed."""
    handled = sys.exception()
    while handled is not None:
        if isinstance(handled, GeneratorExit):
            return True
        handled = handled.__context__
    while frame is not None:
        code = frame.f_code
        if code is LOST or code is _FINALIZE or code.co_name == "__del__":
            return True
        if code.co_argcount and code.co_filename not in LIBRARY:
            first = frame.f_locals.get(code.co_varnames[0])
            if isinstance(first, weakref.ref) and first() is None:
                return True  # a callback of a weak reference
        frame = frame.f_back
    return False


_FINALIZE = weakref.finalize.__call__.__code__
