"""What a run does is noted as it is done: each operation of the program once, from its beginning to its end.

A step is the beginning of an operation, or goes on with one that had to wait inside of the library. What is no step of
its own, as the release of a lock, is noted where it is done. What the library does for itself is nothing of the
program: how a worker takes its tasks, and what `concurrent.futures.wait` does with the locks of futures.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import queue
import threading
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures._base import PENDING
from functools import cache
from typing import Any, NamedTuple

from simcore.control.baton import TIMES_OUT, Run
from simcore.control.counterparts import COUNTERPARTS, FACTORIES
from simcore.control.finer import GOES_ON
from simcore.control.history import NEVER, OLD, Actor, Call, History, Met
from simcore.control.marks import name_of
from simcore.control.meeting import TYPES, before, kind_of, name_in, size_of
from simcore.control.naming import Modules, Names, frames_of, place, weak
from simcore.control.operations import is_done
from simcore.control.primitives import QUEUE, owner_of
from simcore.control.thread import ControlledThread
from simcore.control.together import Together, forget, frames, together, waits_together

LIMIT = 4_000
"""Calls that are kept of a run: whoever reads a skeleton has long given up."""

_NAMED = 200
"""Objects that are named as they are met."""

_NO_CALLS = frozenset(["begin", "end", GOES_ON, "after release"])
_ENTRANCES = frozenset(["operation", "lock_acquire", "rlock_acquire", "queue_get", "queue_put"])
_RAISES = ("Future.result", "Future.exception")
_BEGINS = "Future.set_running_or_notify_cancel"
_ENDS = ("Future.set_result", "Future.set_exception")


class _Thing(NamedTuple):
    met: Met
    found: Callable[[], Any]


class Notes:
    """Notes what a run does.

    Parameters
    ----------
    run : Run
        Tells of each step, each release and each lock that is made.
    early : bool
        Whether objects are named as they are met: the functions that have names for them may have returned in the end.
        Variables that are looked at live longer before 3.13, so a run that has to be like another one does without.
    """

    def __init__(self, run: Run, *, early: bool) -> None:
        self._run, self._early = run, early
        self._calls: list[Call] = []
        self._last: dict[ControlledThread, int] = {}
        self._tasks: dict[str, Actor] = {}
        self._order: list[str] = []
        self._things: dict[str, _Thing] = {}
        self._keys: dict[int, tuple[weakref.ref[Any], str]] = {}
        self._made: dict[str, int] = {}
        self._together: dict[ControlledThread, range] = {}
        self._used: set[str] = set()
        self._modules = Modules()
        self._at = 0
        self._cut = False

    # ---- what is done ----------------------------------------------------------------------------------------

    def stepped(self, thread: ControlledThread, outcome: int) -> None:
        """Note a step, before it is taken."""
        self._at += 1
        if (waits := together(thread)) is not None:
            self._stepped_in(thread, waits, late=outcome == TIMES_OUT)
            return
        last = self._calls[self._last[thread]] if thread in self._last else None
        if last is not None and self._goes_on(thread, last):
            how = "late" if outcome == TIMES_OUT else last.how
            self._calls[self._last[thread]] = last._replace(ended=self._at, how=how)
        elif (call := self._call(thread, thread.label, thread.target)) is not None:
            late = outcome == TIMES_OUT and call.operation != "sleep"
            self._note(thread, call._replace(ended=self._at, how="late" if late else call.how))

    def released(self, thread: ControlledThread, lock: Any) -> None:
        """Note that a lock is released, which is no step."""
        self._at += 1
        if not (thread.is_within() or thread.booting or id(lock) in self._run.quiet or waits_together(thread)):
            call = self._call(thread, f"{TYPES[type(lock)]}.release", lock)
            if call is not None:
                self._note(thread, call._replace(ended=self._at))

    def refused(self, thread: ControlledThread, label: str, thing: Any) -> None:
        """Note that an object has refused what was begun; of whoever got nothing in time it is known already.

        It was no step then, whoever goes on behind that: a lock that is released by somebody who has it not stays as it
        is. What raises the end of somebody else, as the result of a future does, has come to it.
        """
        number = self._last.get(thread, -1)
        if number < 0 or label in _RAISES or together(thread) is not None:
            return
        call = self._calls[number]
        if (call.operation, call.thing, call.how) == (label, self._key(thing), ""):
            self._calls[number] = call._replace(ended=self._at, how="refused")

    def submitted(self, thread: ControlledThread, task: str, future: Any) -> None:
        """Note which task is submitted by the call that goes on."""
        call = self._calls[self._last[thread]] if thread in self._last else None
        if call is None or call.operation != "ThreadPoolExecutor.submit":
            return
        key = self._key(future)
        self._calls[self._last[thread]] = call._replace(extra=key)
        self._tasks[key] = Actor(key, "", task, call.thing, begun=False, ended=False)
        self._order.append(key)

    def created(self, thread: ControlledThread, thing: Any) -> None:
        """Note who has made a lock, and its how manieth that was."""
        number = self._made[thread.path] = self._made.get(thread.path, 0) + 1
        self._keys[id(thing)] = weakref.ref(thing), f"{thread.path}/{number}"

    def _stepped_in(self, thread: ControlledThread, waits: Together, *, late: bool) -> None:
        """Note what is waited for, where a wait for several begins or gives one; and if its time is up."""
        if thread.label in _NO_CALLS:
            return
        how = "late" if late else ""
        if waits.in_turn:
            self._note_each(thread, waits, [waits.given] if waits.given else waits.left if late else [], self._at, how)
        elif waits.begins:
            self._together[thread] = self._note_each(thread, waits, waits.futures, self._at, how)
        else:
            left = {"", *map(self._key, waits.left)} if late else set()
            for number in self._together.get(thread, ()):
                call = self._calls[number]
                self._calls[number] = call._replace(ended=self._at, how=how if call.thing in left else call.how)

    def _left_in(self, thread: ControlledThread, waits: Together) -> None:
        """Note that somebody still waits for several in the end."""
        if waits.in_turn and thread.label == "Event.wait":
            self._note_each(thread, waits, waits.left, NEVER)
        left = {"", *map(self._key, waits.left)}
        for number in () if waits.in_turn else self._together.get(thread, ()):
            if self._calls[number].thing in left:
                self._calls[number] = self._calls[number]._replace(ended=NEVER)

    def _note_each(
        self, thread: ControlledThread, waits: Together, futures: Sequence[Any], ended: int, how: str = ""
    ) -> range:
        """Note a wait for each of some futures, or one where it is none for all of them; return their numbers."""
        actor, before, at = self._actor(thread), len(self._calls), place(thread)
        things = [self._meet(future) for future in futures] if waits.operation in COUNTERPARTS else [""]
        for thing in things if actor else ():
            self._note(thread, Call(actor, waits.operation, thing, at, self._at, ended, waits.limit, how))
        return range(before, len(self._calls))

    def _goes_on(self, thread: ControlledThread, last: Call) -> bool:
        if thread.fused and thread.doing:
            at = [doing.label for doing in thread.doing if doing.target is thread.target]
            return thread.label == last.operation and thread.label in at
        again = thread.label == last.operation == "Lock.acquire" and last.limit  # whoever was too late, and waits on
        return bool(again) and self._key(thread.target) == last.thing

    def _note(self, thread: ControlledThread, call: Call) -> None:
        if len(self._calls) >= LIMIT:
            self._cut = True
            return
        if (task := self._tasks.get(call.actor)) is not None:
            ended = task.ended or (call.thing == call.actor and call.operation in _ENDS)
            self._tasks[call.actor] = task._replace(begun=True, ended=ended)
        if call.operation == _BEGINS and call.thing == call.actor:
            return
        self._last[thread] = len(self._calls)
        self._calls.append(call)

    def _call(self, thread: ControlledThread, label: str, target: Any) -> Call | None:
        """Return what begins, if it is something of the program."""
        actor = self._actor(thread)
        if label in _NO_CALLS or not actor or self._is_work(target):
            return None
        if label == "sleep":
            return Call(actor, label, "", place(thread), self._at, NEVER, float(target))
        if (label == "Future.cancel" and target._state != PENDING) or (label == _BEGINS and is_done(target)):
            return None  # there is nothing to be cancelled, as for most of `Executor.map`; or it was, and is not begun
        given = _arguments(thread)
        limit = _limit(given)
        how = "in vain" if limit == 0 and _is_in_vain(label, thread, target) else ""
        thing = "" if target is None else self._meet(target)
        if given.get("cancel_futures"):
            self._note(thread, Call(actor, f"{label}(cancel_futures=True)", thing, place(thread), self._at, self._at))
        retried = label == "Condition.wait" and _is_retried(thread)
        return Call(actor, label, thing, place(thread), self._at, NEVER, limit, how, _extra(given), retried)

    def _actor(self, thread: ControlledThread) -> str:
        """Return the key of the task that a thread runs, or its own; nothing for a worker between two tasks."""
        if thread.task is not None:
            return self._key(thread.task.future)
        return thread.path if thread.pool is None else ""

    def _is_work(self, target: Any) -> bool:
        """Tell whether something is the queue of a pool's work items."""
        return isinstance(target, QUEUE) and any(t.pool is not None and t.pool[1] is target for t in self._run.threads)

    # ---- objects ---------------------------------------------------------------------------------------------

    def _key(self, thing: Any) -> str:
        """Return what tells ``thing`` from others, and is the same in each run in which the threads do the same."""
        if isinstance(thing, ControlledThread):
            thing = thing.thread or thing
        reference, key = self._keys.get(id(thing), (None, ""))
        if reference is not None and reference() is thing:
            return key
        own = name_of(thing)
        key = f"{OLD}{len(self._keys)}" if own is None else f"{own[0]}:{own[1]}"
        try:
            self._keys[id(thing)] = weakref.ref(thing), key
        except TypeError:
            return f"a {type(thing).__name__}"
        return key

    def _meet(self, thing: Any) -> str:
        key = self._key(thing)
        if key not in self._things:
            kind = kind_of(thing)
            self._things[key] = _Thing(Met(key, "", kind), weak(thing))  # in place: what it has inside may lead back
            name = self._name_early(thing, kind) if self._early and len(self._things) <= _NAMED else ""
            has = Met(key, name, kind, size_of(thing), self._lock_of(thing, kind), before(thing))
            self._things[key] = _Thing(has, weak(thing))
        return key

    def _lock_of(self, thing: Any, kind: str) -> str:
        if kind == "Condition":
            return self._meet(thing._lock)
        return self._key(thing.mutex) if isinstance(thing, queue.Queue) else ""

    def _name_early(self, thing: Any, kind: str) -> str:
        if kind not in FACTORIES:  # a thread has its own name, and nothing stands for others in a model
            return ""
        name = name_in(Names(self._run, self._modules), thing, kind)
        for frame in (each for thread in self._run.live for each in frames_of(thread)):
            forget(frame)
        return self._unique(name)

    def _unique(self, name: str) -> str:
        number, unique = 1, name
        while unique in self._used:
            number, unique = number + 1, f"{name}[{number}]"
        self._used.add(unique)
        return unique

    # ---- the whole -------------------------------------------------------------------------------------------

    def history(self, how: str, names: Names) -> History:
        """Return all that was noted, once the run is over."""
        for thread in self._run.live:
            self._leave_open(thread)
        things = [self._called(thing, names) for thing in self._things.values()]
        locks = {met.inside: f"{met.name}.{'lock' if met.kind == 'Condition' else 'mutex'}" for met in things}
        things = [
            met._replace(name=locks[met.key]) if met.key in locks and met.name.startswith("the lock of ") else met
            for met in things
        ]
        threads = [self._thread(each, names) for each in self._run.threads if each.pool is None]
        actors = [*threads, *(self._tasks[key] for key in self._order)]
        return History("", how, self._run.timeouts, things, actors, self._calls, self._cut)

    def _leave_open(self, thread: ControlledThread) -> None:
        """Note what a thread is in, or about to do, in the end."""
        if thread.done or thread.label in _NO_CALLS:
            return
        if (waits := together(thread)) is not None:
            self._left_in(thread, waits)
            return
        last = self._calls[self._last[thread]] if thread in self._last else None
        if last is not None and thread.fused and self._goes_on(thread, last):
            self._calls[self._last[thread]] = last._replace(ended=NEVER)
        elif (call := self._call(thread, thread.label, thread.target)) is not None:
            self._note(thread, call._replace(began=NEVER, how=""))

    def _called(self, thing: _Thing, names: Names) -> Met:
        met, live = thing.met, thing.found()
        if met.kind == "Thread":
            started = next((t for t in self._run.threads if self._key(t) == met.key), None)
            return met._replace(name=names.thread(live), inside="" if started is None else started.path)
        return met if met.name else met._replace(name=self._unique(name_in(names, live, met.kind)))

    def _thread(self, thread: ControlledThread, names: Names) -> Actor:
        daemon = thread.parent is not None and (thread.thread is None or thread.thread.daemon)
        return Actor(thread.path, names.thread(thread), thread.own_role, "", daemon, thread.steps > 0, thread.done)


# ---- what is seen of a call --------------------------------------------------------------------------------------


def _arguments(thread: ControlledThread) -> dict[str, Any]:
    """Return the arguments of the operation that a thread is about to perform, by their names."""
    frame = next((frame for frame in frames(thread) if frame.f_code.co_name in _ENTRANCES), None)
    if frame is None:
        return {}
    seen = frame.f_locals
    if frame.f_code.co_name != "operation":
        return {name: seen[name] for name in ("blocking", "block", "timeout", "item") if name in seen}
    try:
        return dict(_signature(seen["original"]).bind(seen["self"], *seen["args"], **seen["kwargs"]).arguments)
    except (KeyError, TypeError, ValueError):  # it is C's, or will say itself what is wrong
        return {}


@cache
def _signature(function: Any) -> inspect.Signature:
    return inspect.signature(function)


def _is_retried(thread: ControlledThread) -> bool:
    """Tell whether a wait stands in a loop, as it should, that ends when something has come true."""
    between = list(frames(thread))
    if any(frame.f_code is threading.Condition.wait_for.__code__ for frame in between):
        return True
    caller = between[-1].f_back if between else None
    if caller is None:
        return False
    return any(first <= caller.f_lineno <= last for first, last in _loops(caller.f_code.co_filename))


@cache
def _loops(file: str) -> list[tuple[int, int]]:
    """Return the first and the last line of the body of each ``while`` of a file that has something to test."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return []
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.While) and not isinstance(node.test, ast.Constant)]
    return [(node.lineno, node.body[-1].end_lineno or node.lineno) for node in loops]


def _limit(given: dict[str, Any]) -> float | None:
    if not given.get("blocking", given.get("block", True)):
        return 0.0
    seconds = given.get("timeout")
    return None if not isinstance(seconds, int | float) or seconds < 0 else float(seconds)


def _extra(given: dict[str, Any]) -> str:
    """Return what an argument means for those who wait: an end that is put, how many are told, that nobody waits."""
    if "item" in given:
        return "None" if given["item"] is None else ""
    if given.get("n", 1) != 1:
        return str(given["n"])
    return "" if given.get("wait", True) else "False"


def _is_in_vain(label: str, thread: ControlledThread, thing: Any) -> bool:
    """Tell whether an operation that does not wait gets nothing."""
    tests: dict[str, Callable[[], bool]] = {
        "Lock.acquire": lambda: bool(thing.locked()),
        "RLock.acquire": lambda: owner_of(thing) not in (0, thread.identity),
        "Semaphore.acquire": lambda: thing._value == 0,
        "Queue.get": lambda: not thing._qsize(),
        "Queue.put": lambda: 0 < thing.maxsize <= thing._qsize(),
        "SimpleQueue.get": lambda: bool(thing.empty()),
        "Future.result": lambda: not is_done(thing),
        "Future.exception": lambda: not is_done(thing),
        "Event.wait": lambda: not thing.is_set(),
    }
    return label in tests and tests[label]()
