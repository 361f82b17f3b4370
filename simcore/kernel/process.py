"""Two suspended generators are the same program point only if nothing they could ever do tells them apart.

A process is a generator, and a generator cannot be copied; but between two operations what it will do
depends only on its own state and on the results it is given. So each distinct state of a generator is
interned once as a `Point`, and what follows a point for a given result is found by replaying that one
process alone, from its start, with the results it has had (`Points.advance`). A search then never runs a
process twice for the same step.

A point is keyed by the frozen generator (`freeze.py` says what that holds, and why it must hold so much:
two generators with equal locals at the same instruction can still differ, and merging them would be a false
"holds") and by the operation that it is about to do. Equal keys mean equal futures as long as a process
touches nothing but its own state. That premise is tested too: whatever is learned is learned by running the
process again, which compares each operation, the whole frozen state at the end, and everything mutable that
it has passed to others in operations, with what was recorded; the process that differs is reported.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, NamedTuple

from simcore.errors import ModelError, NondeterminismError, SimcoreError
from simcore.kernel.freeze import Freezer, Unfreezable, freeze, operation_key, place
from simcore.kernel.mentions import mentions
from simcore.kernel.orders import Unordered, check_process, have_orders
from simcore.kernel.running import Program, Running
from simcore.kernel.selftest import try_interpreter
from simcore.kernel.tasks import parts
from simcore.model import ProcessFunction
from simcore.model.objects import Task
from simcore.model.operations import Operation, Raised, SharedObject

_LONG = 100  # results; beyond it a point is advanced from a kept run where there is one
_FINALLY = 100  # operations in ``finally`` blocks that a run which is given up passes on its way out


@dataclass(eq=False)
class Point:
    """A program point: a distinct state of a program, and the operation it is about to do.

    Attributes
    ----------
    status : {"ready", "returned", "failed"}
        Whether it has an operation to do, has returned ``outcome``, or died of it (a `Raised`).
    key : tuple
        Frozen generator and operation; for one that has ended, status and outcome.
    parent, result : Point and its result
        One history that leads here, the first that was found.
    objects : frozenset of SharedObject
        Everything shared that its state mentions.
    mentions, submits : frozenset of str
        Names of operations that the code it is running may still call, and that what it submits may.
    where : str
        Function, file and line, for reports.
    sets : bool
        Whether a result in its history holds a set that can have several orders.
    """

    program: Program
    parent: Point | None
    result: Any
    key: tuple[Hashable, Hashable] = (None, None)
    status: str = "ready"
    operation: Operation | None = None
    outcome: Any = None
    objects: frozenset[SharedObject] = frozenset()
    mentions: frozenset[str] = frozenset()
    submits: frozenset[str] = frozenset()
    where: str = ""
    depth: int = 0
    sets: bool = False
    next: dict[Hashable, Point] = field(default_factory=dict)

    @property
    def second_half(self) -> bool:
        """Whether it waits for the second half of an operation, its generator being where its parent's is."""
        return isinstance(self.result, Operation)

    def history(self) -> list[Point]:
        """Return the points from the start of the program to this one, both included."""
        points = [self]
        while points[-1].parent is not None:
            points.append(points[-1].parent)
        return points[::-1]


class _Run:
    """A program that runs, and the operations with something mutable in them that it has passed on."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._running = Running(program)
        self.generator = self._running.generator
        self._passed: dict[tuple[int, ...], tuple[Operation, Hashable]] = {}

    def __del__(self) -> None:
        """Close without a complaint: to yield in a ``finally`` block is right in a process."""
        for _ in range(_FINALLY):
            with contextlib.suppress(Exception, BaseExceptionGroup):  # ``except*`` puts the GeneratorExit in a group
                self.generator.close()
                return

    def step(self, result: Any) -> Operation | _Ended:
        """Give ``result`` to the generator, and return what it yields or how it ended."""
        ended: Operation | _Ended = _step(lambda: self._running.resume(result))
        return ended

    def passed(self, operation: Operation) -> tuple[Hashable, frozenset[SharedObject]]:
        """Note that ``operation`` is handed over; return its key and the shared objects that it mentions."""
        freezer = Freezer()
        key = (operation.target, operation.name, freezer.freeze(operation.args), operation.timeout)
        if freezer.mutable:
            self._passed.setdefault(freezer.identities, (operation, key))
        return key, frozenset(freezer.objects | {operation.target})

    def check(self) -> None:
        """Raise NondeterminismError when something mutable has changed after it was handed over."""
        for operation, key in self._passed.values():
            if operation_key(operation) != key:
                raise NondeterminismError(
                    f"{self.program.name} ({place(self.generator)}) changed something that it had passed on in "
                    f"{operation}: a list, or a variable of a function that it submitted. Whoever got it would see "
                    f"that behind the kernel's back; pass immutable values as arguments, or share data through "
                    f"model.variable(...)"
                )


class Points:
    """All program points met so far, each interned once; on an interpreter where they cannot be read, none.

    Attributes
    ----------
    learned : list
        Each `Learned`, once, in the order in which they were met; others may add what they have learned.
    """

    def __init__(self) -> None:
        try_interpreter()
        self.learned: list[Any] = []
        self._programs: dict[Hashable, Program] = {}
        self._points: dict[Hashable, Point] = {}
        self._starts: dict[Program, Point] = {}
        self._begun: dict[tuple[int, int], tuple[Task, Point]] = {}
        self._kept: dict[Program, tuple[Point, _Run]] = {}
        self._handed: dict[Program, tuple[Any, ...]] = {}  # arguments that have been in a queue

    def start(self, name: str, fn: ProcessFunction, args: tuple[Any, ...]) -> Point:
        """Return the first point of ``fn(*args)``."""
        try:
            key = freeze((fn, args))
        except Unfreezable as error:
            raise ModelError(
                f"{name}: an argument or a closure of {getattr(fn, '__qualname__', fn)} holds a "
                f"{type(error.thing).__name__}, which cannot be compared by value; use an object of the model"
            ) from error.__cause__
        program = self._programs.setdefault(key, Program(name, fn, args))
        if program not in self._starts:
            found = self._advance(_Run(program), None, None)
            again = self._advance(_Run(program), None, None)  # what it does before its first operation is tested too
            if again is not found:
                raise _differs(found, again)
            self._starts[program] = found
            self.learned.append(Learned(None, (fn, args), found))
        return self._starts[program]

    def begin(self, task: Task) -> Point:
        """Return the first point of a task; many are made of the same function and arguments."""
        key = parts(task)[:2]
        if key not in self._begun:
            point = self.start(str(task), task.fn, task.args)
            self._begun[key] = task, point
            if have_orders(task.args):
                self._handed[point.program] = point.program.args
                check_process(str(task), "", (task.args,), lambda other: _done(point.program, [], *other, None))
        return self._begun[key][1]

    def advance(self, point: Point, result: Any) -> Point:
        """Return the point that follows ``point`` when its operation gives ``result``.

        Raises
        ------
        NondeterminismError
            When the process, replayed, does something else than it did before.
        """
        key = freeze(result) if not isinstance(result, Operation) else operation_key(result)
        following = point.next.get(key)
        if following is None:
            following = point.next[key] = self._learn(point, result)
            self.learned.append(Learned(point, result, following))
        return following

    def _learn(self, point: Point, result: Any) -> Point:
        if isinstance(result, Operation):  # the same generator state, waiting for the operation's second half
            key = (point.key, operation_key(result))
            again = Point(point.program, point, result, key, operation=result, where=point.where, depth=point.depth + 1)
            again.objects, again.mentions, again.submits = point.objects, point.mentions, point.submits
            again.sets = point.sets
            return self._points.setdefault((point.program, key), again)
        found = self._advance(self._run_at(point), point, result)
        if found.status != "ready":  # never advanced again, so its premise is tested here
            again = self._advance(self._replay(point), point, result)
            if again is not found:
                raise _differs(found, again)
        if point.sets or have_orders(result) or point.program in self._handed:
            self._check_orders(point, result)
        return found

    def _check_orders(self, point: Point, result: Any) -> None:
        """Check that the program would come to the same if the sets that it was given were in other orders."""
        past = point.history()
        given = (self._handed.get(point.program, ()), *(passed.result for passed in past), result)
        check_process(point.program.name, point.where, given, lambda other: _done(point.program, past, *other))

    def _run_at(self, point: Point) -> _Run:
        kept, run = self._kept.pop(point.program, (None, None))
        return run if kept is point and run is not None and point.depth > _LONG else self._replay(point)

    def _replay(self, point: Point) -> _Run:
        """Run the program alone up to ``point``, comparing every operation with what was recorded."""
        run = _Run(point.program)
        for passed in point.history():
            if not passed.second_half:
                reached = run.step(passed.result)
                if isinstance(reached, _Ended) or run.passed(reached)[0] != passed.key[1]:
                    raise _differs(passed, reached)
        run.check()
        if freeze(run.generator) != _generator_key(point):
            raise _differs(point, None)
        return run

    def _advance(self, run: _Run, parent: Point | None, result: Any) -> Point:
        """Let ``run`` go to its next operation and intern where it stopped."""
        yielded = run.step(result)
        run.check()
        point = Point(run.program, parent, result, depth=0 if parent is None else parent.depth + 1)
        point.sets = have_orders(result) or (parent is not None and parent.sets)
        freezer = Freezer()
        if isinstance(yielded, _Ended):
            point.status, point.outcome, point.where = yielded.status, yielded.outcome, yielded.where
            point.key = (yielded.status, _frozen(freezer, run, yielded.outcome))
            point.objects = frozenset(freezer.objects)
        else:
            point.operation, point.where = yielded, place(run.generator)
            point.mentions, point.submits = mentions(run.generator)
            key, objects = run.passed(yielded)
            point.key = (_frozen(freezer, run, run.generator), key)
            point.objects = objects.union(freezer.objects)
        interned = self._points.setdefault((run.program, point.key), point)
        if interned is point and point.status == "ready":  # another history's objects may be shared differently
            self._kept[run.program] = (point, run)
        return interned


class Learned(NamedTuple):
    """What follows a point for a result; for a start, where ``before`` is None, what starts with (fn, args)."""

    before: Point | None
    result: Any
    after: Point


@dataclass(frozen=True)
class _Ended:
    """A generator that has no further operation."""

    status: str
    outcome: Any
    where: str = ""


def _step(go: Callable[[], Any]) -> Any:
    """Return what a generator yields, or how it ended; only an interrupt of the user leaves a process alive."""
    try:
        return go()
    except StopIteration as stop:
        return _Ended("returned", stop.value)
    except (SimcoreError, KeyboardInterrupt):
        raise
    except BaseException as error:
        last = error.__traceback__
        while last is not None and last.tb_next is not None:
            last = last.tb_next
        line = "" if last is None else f"{os.path.basename(last.tb_frame.f_code.co_filename)}:{last.tb_lineno}"
        return _Ended("failed", Raised.of(error), line)


def _frozen(freezer: Freezer, run: _Run, thing: Any) -> Hashable:
    try:
        return freezer.freeze(thing)
    except Unfreezable as error:
        raise ModelError(
            f"{run.program.name} returned a {type(error.thing).__name__}, which cannot be compared by value; "
            f"return an immutable value"
        ) from error.__cause__


def _done(program: Program, past: list[Point], args: tuple[Any, ...], *results: Any) -> Hashable:
    """Return what ``program`` does when it is given other ``args``, if any, and ``results``, for `check_process`."""
    run = _Run(Program(program.name, program.fn, args or program.args))
    freezer, done = Unordered(), list[Hashable]()
    halves = (passed.second_half for passed in past)
    for result in (result for result, half in zip_longest(results, halves, fillvalue=False) if not half):
        reached = run.step(result)
        if isinstance(reached, _Ended):
            return (*done, reached.status, freezer.freeze(reached.outcome))
        done.append(freezer.freeze((reached.target, reached.name, reached.args)))
    return (*done, freezer.freeze(run.generator))


def _generator_key(point: Point) -> Hashable:
    """Return the frozen generator of a point, without the operation it is about to do."""
    while point.second_half and point.parent is not None:
        point = point.parent
    return point.key[0]


def _differs(expected: Point, reached: Point | Operation | _Ended | None) -> NondeterminismError:
    did = _deed(expected)
    now = did if reached is None else _deed(reached)
    if now == did:
        now = "the same with other values in its variables"
    where = expected.where or (expected.parent.where if expected.parent is not None else "")
    return NondeterminismError(
        f"{expected.program.name}{f' ({where})' * bool(where)}: it {did}, and when it was run again with the same "
        f"results, {now}. Usual causes: an object that another process can change, a clock, a random number. Share "
        f"data through model.variable(...), and take a free choice with choose(...)"
    )


def _deed(what: Point | Operation | _Ended) -> str:
    if isinstance(what, Point) and what.operation is not None:
        what = what.operation
    return f"came to {what}" if isinstance(what, Operation) else f"{what.status}: {what.outcome!r}"
