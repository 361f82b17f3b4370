"""One thread runs at a time: whoever has the baton, until it says what it is about to do and somebody is chosen.

A thread *announces* an operation: what it is called, on what, and when it could be done. Then one of those who could go
on is chosen, and that thread does what it has announced. Whether it could is asked of the object itself each time; no
list of waiters is kept here that could differ from what the interpreter does.

Time is virtual. Where nobody could go on, the clock goes on to the next moment at which a wait or a sleep ends
(`timeouts`, with the rules of models). Where there is none, everybody who waits, waits for ever.
"""

from __future__ import annotations

import _queue
import _thread
import gc
import threading
import time
from collections.abc import Callable
from concurrent.futures import thread as futures_thread
from typing import Any, NoReturn

from simcore.control.hears import ADDS, READS, Enabled, Hears
from simcore.control.thread import ControlledThread, Ready, known_by
from simcore.model import Timeouts

OUTSIDE = 4.0
"""Seconds for which somebody outside is waited for, where nothing else can move."""

_MOMENT = 0.001

_WINDOW = 0.01
"""Seconds of steps that are measured together, unless one takes longer: to ask for the processor's time is dear."""

GOES_ON, TIMES_OUT = 0, 1
"""Outcomes of a step."""

_AT_ONCE = 1e-5
"""Seconds within which deadlines are the same: clocks go on a little as they are looked at, for loops to end, and so it
is no fact of the program who of two, that wait equally long from the same moment on, has begun to wait first."""

CLOCK, ALIVE = "the clock", "who is alive"
"""The things that all share who look at the time, and who ask which threads are alive."""

_make_lock = _thread.allocate_lock
_acquire, _release = _thread.LockType.acquire, _thread.LockType.release
_identity = _thread.get_ident
_clock, _work, _sleep = time.monotonic, time.process_time, time.sleep
_empty = _queue.SimpleQueue.empty


Known = dict[tuple[str, str, int, str], set[str]]
"""Which functions did an operation on the objects that were made in a function, at a line, of a file."""


def _only_time(candidates: Enabled) -> bool:
    """Tell whether nobody could go on but by a time-out; who could comes first among them."""
    return not candidates or candidates[0][1] == TIMES_OUT


def learn(known: Known, seen: Known) -> None:
    """Add what was seen in a run to what is known."""
    for where, roles in seen.items():
        known.setdefault(where, set()).update(roles)


class Run(Hears):
    """One run of a body.

    Parameters
    ----------
    choose : function
        Returns the position of one of several enabled (thread, outcome).
    timeouts : str
        Which time-outs fire, as in models.
    max_steps : int
        After which the run is given up.
    points : str
        Where somebody else may go on; of `finer.POINTS`.
    hung : function
        Asked where only time-outs could fire: whether somebody can never go on, whatever the others do.
    stop : function
        Called with "deadlock", "steps" where there were too many, or "outside" where nobody out there answers, by
        whoever has met the end of a run that does not end by itself. It does not return: nobody is unwound, so that no
        handler of the program runs on its way out.
    progress : function
        Called with each step, so that somebody outside can see that it goes on.

    Attributes
    ----------
    taken : list of (int, int)
        Thread, by its number, and outcome of each step.
    paused : float
        Seconds for which a step has waited outside, at most.
    outside : str
        How somebody outside of this process came to have a part in it; then the next one need not be its equal.
    failed_at : int
        Steps after which something was raised for the first time.
    limited : int
        Steps after which a wait ended for the last time that "never" lets wait on; 0 for none.
    settle : function
        Called where nobody could go on: does what the system would have done by itself, and tells whether that was any.
    signalled : function
        Tells whether a signal may come for which the program waits.
    left_for_exit : function
        Tells whether the program has left something to be done at the interpreter's exit, which no run comes to.
    collects : bool
        Whether the collector runs, once, in whoever goes on next; it does not by itself.
    late : float
        How many seconds after its time each wait ends that time ends.
    more : str
        Which pool has one more worker than the program says, to try that; by `operations.pool_key`, or `EVERY`, which
        have room for everybody.
    """

    def __init__(
        self,
        choose: Callable[[Run, Enabled], int],
        timeouts: Timeouts,
        max_steps: int,
        *,
        points: str = "operations",
        hung: Callable[[Run, bool], bool],
        stop: Callable[[Run, str], NoReturn],
        progress: Callable[[], None],
    ) -> None:
        self.choose, self.timeouts, self.max_steps = choose, timeouts, max_steps
        self.points, self.hung, self.stop, self.progress = points, hung, stop, progress
        self.now = 0.0
        self.taken: list[tuple[int, int]] = []
        self.outside = ""
        self.limited = 0
        self.more = ""
        self.collects, self.late = False, 0.0
        self.settle: Ready = lambda: False
        self.signalled: Ready = lambda: False
        self.left_for_exit: Ready = lambda: False
        self.errors: list[tuple[ControlledThread, BaseException]] = []
        self.failed_at = 0
        self.main = ControlledThread("0", 0, None)
        self.main.identity, self.main.thread = _identity(), threading.current_thread()
        self.threads, self.live = [self.main], [self.main]
        self.of = {self.main.identity: self.main}
        self.owners: dict[int, ControlledThread] = {}
        self.sentinels: dict[int, ControlledThread] = {}
        self.joined: set[int] = set()
        self.shut_down: dict[int, Any] = {}
        self.quiet: frozenset[int] = frozenset()
        self.choosing = False
        self._leaving: ControlledThread | None = None
        self._since = _clock(), _work()
        self.paused = 0.0

    # ---- choosing ------------------------------------------------------------------------------------------

    def enabled(self) -> Enabled:
        """Return who could go on, time apart."""
        return [(t, GOES_ON) for t in self.live if t.ready is None or t.ready()]

    def _expiring(self) -> Enabled:
        """Return whose wait or sleep ends next, of those that time may end."""
        timed = [t for t in self.live if self.timed(t)]
        if self.timeouts != "anytime":
            last = min((t.deadline for t in timed if t.deadline is not None), default=0.0) + _AT_ONCE
            timed = [t for t in timed if t.deadline is not None and t.deadline <= last]
        return [(t, TIMES_OUT) for t in timed]

    def timed(self, thread: ControlledThread) -> bool:
        """Tell whether time may end the wait or the sleep of a thread."""
        return thread.deadline is not None and (self.timeouts != "never" or thread.sleeps)

    def _candidates(self) -> Enabled:
        enabled = self.enabled()
        if enabled and self.timeouts in ("never", "when_stuck"):
            return enabled
        ready = {thread for thread, _ in enabled}
        return enabled + [(t, outcome) for t, outcome in self._expiring() if t not in ready]

    def _next(self) -> ControlledThread:
        """Choose who goes on; the thread of the body, if the run is over. What is done on the way is no step."""
        self.choosing = True
        self._measure()
        try:
            return self._chosen()
        finally:
            self.choosing = False

    def _measure(self) -> None:
        """Note for how long steps have waited outside: what they took, and the processor did not work."""
        seconds, (since, worked) = _clock(), self._since
        if seconds - since > _WINDOW:
            self._since = seconds, _work()
            self.paused = max(self.paused, seconds - since - (self._since[1] - worked))

    def _chosen(self) -> ControlledThread:
        if self.over():
            return self.main
        if len(self.taken) >= self.max_steps:
            self.stop(self, "steps")
        candidates = self._candidates()
        if _only_time(candidates):
            if self.settle() or self._waits_outside(candidates):
                candidates = self._candidates()
            if _only_time(candidates) and self.hung(self, not candidates):
                self.stop(self, "deadlock")
        thread, outcome = candidates[self.choose(self, candidates)]
        self.stepped(thread, outcome, candidates)
        self.taken.append((thread.number, outcome))
        self.progress()
        if outcome == TIMES_OUT:
            assert thread.deadline is not None
            self.now = max(self.now, thread.deadline) + self.late
            self.limited = self.limited if thread.sleeps else len(self.taken)
        thread.timed_out = outcome == TIMES_OUT
        thread.ready = thread.deadline = None
        thread.steps += 1
        return thread

    @property
    def raised(self) -> list[tuple[ControlledThread, BaseException]]:
        """What was raised until the run was over, and by whom."""
        return self.errors

    def fails(self, thread: ControlledThread, error: BaseException) -> None:
        """Note what has ended a thread."""
        if not self.errors:
            self.failed_at = len(self.taken)
        self.errors.append((thread, error))

    def over(self) -> bool:
        """Tell whether the run is over: the body, and whatever the interpreter would wait for, has come to its end."""
        return self.main.done and not self.owing

    def _waits_outside(self, candidates: Enabled) -> bool:
        """Wait, for real, for those who are outside, until the next time-out; tell whether there are such."""
        waiting = any(t.outside is not None and t.outside() for t in self.live) or (not candidates and self.signalled())
        deadlines = [thread.deadline for thread, _ in candidates if thread.deadline is not None]
        since, patience = _clock(), min([OUTSIDE, *(each - self.now for each in deadlines)])
        while waiting and not self.enabled():
            self.outside = self.outside or "a wait in real time"
            if _clock() - since >= patience:
                if not candidates:
                    self.stop(self, "outside")
                break
            _sleep(_MOMENT)
        self._since = _clock(), _work()  # which was no step
        return waiting

    @property
    def owing(self) -> list[ControlledThread]:
        """Who must still finish: the body, and whoever the interpreter would wait for before it exits."""
        return [t for t in self.live if not (self._daemon(t) or t.idle or t.done)]

    @staticmethod
    def _daemon(thread: ControlledThread) -> bool:
        return thread.parent is not None and (thread.thread is None or thread.thread.daemon)

    # ---- switching -----------------------------------------------------------------------------------------

    def point(self, thread: ControlledThread, label: str, target: Any, ready: Ready | None = None) -> None:
        """Announce what comes next, and go on when chosen."""
        if thread.booting:
            return
        if thread.fused and thread.is_within():
            if ready is not None:
                self.touched(target, READS)
            if ready is None or ready():
                return
        self.wait(thread, label, target, ready)

    def wait(
        self,
        thread: ControlledThread,
        label: str,
        target: Any,
        ready: Ready | None,
        seconds: float | None = None,
    ) -> bool:
        """Announce what comes next, and go on when chosen once it is ``ready``; return False after so many seconds.

        Inside of an operation of the standard library it is that which was announced.
        """
        if thread is self._leaving:  # nobody chooses until it is gone: it waits for real
            while ready is not None and seconds is None and not ready():
                _sleep(_MOMENT)
            return ready is None or ready()
        thread.label, thread.target, thread.waits_for = label, target, target
        if thread.fused and (known := known_by(thread)) is not None:
            thread.label, thread.target = known.label, known.target
        thread.ready = ready
        if seconds is not None:
            self.touched(CLOCK)
        thread.deadline = None if seconds is None else self.now + max(1e-6, seconds)
        thread.timed_out = False
        self._hand_over(thread, self._next())
        if self.collects:
            self.collects = False
            gc.collect()
        thread.target = thread.waits_for = None  # nothing is kept alive here
        return not thread.timed_out

    def _hand_over(self, thread: ControlledThread, other: ControlledThread) -> None:
        while other is not thread:
            _release(other.baton)
            _acquire(thread.baton)
            if not self._until_gone():
                return
            other = self._next()

    # ---- threads -------------------------------------------------------------------------------------------

    def born(self, parent: ControlledThread, function: Any) -> ControlledThread:
        """Return a thread that ``parent`` starts, before it runs."""
        parent.children += 1
        thread = ControlledThread(f"{parent.path}.{parent.children}", len(self.threads), parent, function)
        self.touched(thread.birth)
        self.touched(ALIVE, ADDS)  # in whatever order they start and end, as many are left
        if thread.thread is not None:
            thread.booting = True
            if getattr(thread.thread, "_target", None) is futures_thread._worker:
                args = thread.thread._args  # type: ignore[attr-defined]
                thread.pool = args[0], next(each for each in args if isinstance(each, _queue.SimpleQueue))
        self.threads.append(thread)
        self.live.append(thread)
        return thread

    def unborn(self, thread: ControlledThread) -> None:
        """Forget a thread that could not be started."""
        self.live.remove(thread)
        thread.done = True

    def boot(self, parent: ControlledThread, thread: ControlledThread) -> None:
        """Let a thread run until it has said that it started; there is nothing to choose in that."""
        if thread.booting:
            self._hand_over(parent, thread)

    def booted(self, thread: ControlledThread) -> None:
        """Give the baton back to who has started this thread; it waits for its turn."""
        assert thread.parent is not None
        thread.booting = False
        thread.label, thread.target, thread.ready = "begin", None, None
        self._hand_over(thread, thread.parent)

    def live_in(self, thread: ControlledThread, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Run a thread to its end; this is the first and last that it does."""
        thread.identity = _identity()
        self.of[thread.identity] = thread
        _acquire(thread.baton)
        try:
            function(*args, **kwargs)
        except SystemExit:
            pass
        except BaseException as error:
            self.fails(thread, error)
        finally:
            self._end(thread)

    def _until_gone(self) -> bool:
        """Wait until a thread is gone that has just ended, if there is one, and tell whether there was.

        What it had to itself is deleted on its way out, and may end waits: so it is chosen who goes on when it is gone.
        """
        ended = self._leaving
        if ended is None or ended.identity == _identity():  # who starts somebody on its way out
            return False
        if ended.gone is not None:
            ended.gone()
        self._leaving = None
        if self.of.get(ended.identity) is ended:
            del self.of[ended.identity]
        return True

    def _end(self, thread: ControlledThread) -> None:
        self.touched(thread)
        self.touched(ALIVE, ADDS)
        thread.done, thread.target, thread.waits_for = True, None, None
        thread.fused, thread.hidden, thread.function = 1, True, None
        self._leaving = thread
        self.live.remove(thread)
        _release(self.main.baton)

    # ---- the whole -----------------------------------------------------------------------------------------

    def take(self, body: Callable[[], Any]) -> None:
        """Run ``body``, and whatever it has started, to the end."""
        try:
            body()
        except SystemExit as error:
            if error.code not in (None, 0):
                self.fails(self.main, error)
        except BaseException as error:
            self.fails(self.main, error)
        self.touched(self.main)
        self.main.done, self.main.fused = True, 1
        self.main.doing.clear()
        if self.main.gone is not None:
            self.main.gone()  # which has locks of the interpreter: no step
        self.main.fused = 0
        self.wait(self.main, "end", None, lambda: False)
        del self.of[self.main.identity]
