"""Two suspended generators are the same program point only if nothing they could ever do tells them apart.

A process is a generator, and a generator cannot be copied; but between two operations what it will do
depends only on its own state and on the results it is given. So each distinct state of a generator is
interned once as a `Point`, and what follows a point for a given result is found by replaying that one
process alone, from its start, with the results it has had (`Points.advance`). A search then never runs a
process twice for the same step.

A point is keyed by the frozen generator (`freeze.py` says what that holds, and why it must hold so much:
two generators with equal locals at the same instruction can still differ, and merging them would be a false
"holds") and by the operation that it is about to do. Equal keys mean equal futures as long as a process touches nothing
but its own state. That premise is tested whenever a step is learned, which is once for each point and result
(`Points._twice`): two runs must come to the same point and the same operation, whatever mutable they have passed to
others must be as it was, and so must everything that can be reached outside of the process (`outside.py`). The second
run is what finds clocks, random numbers and addresses; the process that differs is reported.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from simcore.errors import ModelError, NondeterminismError
from simcore.kernel.alone import Ended, Run
from simcore.kernel.dropped import codes_of
from simcore.kernel.freeze import Freezer, Unfreezable, operation_key, place
from simcore.kernel.generators import all_variables
from simcore.kernel.instances import not_too_deep
from simcore.kernel.mentions import Mentions
from simcore.kernel.orders import Unordered, check_process, have_orders
from simcore.kernel.outside import Outside
from simcore.kernel.point import Learned, Point, differs
from simcore.kernel.real_world import refuse_real_world
from simcore.kernel.running import Program
from simcore.kernel.selftest import try_interpreter
from simcore.kernel.tasks import parts
from simcore.model import ProcessFunction
from simcore.model.objects import Task
from simcore.model.operations import Operation

_LONG = 100  # results beyond which a point is advanced from a kept run, if there is one
_KEPT = 256  # points that have kept runs

_SHARED = (
    "Usual causes: an attribute of a class or module, a default argument, a list or a counter that functions share. "
    "Keep it in a local variable, or share it through model.variable(...)"
)
_TRIED_ALL = "A random number stands for all that it may be: write `yield choose(...)`, and each is tried"


class Points:
    """All program points met so far, each interned once; on an interpreter where they cannot be read, none.

    Attributes
    ----------
    learned : list
        Each `Learned`, once, in the order in which they were met; others may add what they have learned.
    orders : bool
        Whether what is learned from a set is learned again from equal ones in other orders (`orders.py`).
    """

    orders = True

    def __init__(self, *roots: Any) -> None:
        try_interpreter()
        self.outside = Outside()
        self.outside.add(*roots)
        self.learned: list[Any] = []
        self._programs: dict[Hashable, Program] = {}
        self._points: dict[Hashable, Point] = {}
        self._starts: dict[Program, Point] = {}
        self._begun: dict[tuple[int, int], tuple[Task, Point]] = {}
        self._kept: OrderedDict[Point, list[Run]] = OrderedDict()
        self._mentions = Mentions()
        self._handed: dict[Program, tuple[Any, ...]] = {}  # arguments that have been in a queue

    def start(self, name: str, fn: ProcessFunction, args: tuple[Any, ...]) -> Point:
        """Return the first point of ``fn(*args)``."""
        self.outside.add((fn, args), held=False)  # a process may have made them
        code = getattr(getattr(fn, "__func__", fn), "__code__", None)
        line = f" ({Path(code.co_filename).name}:{code.co_firstlineno})" if code is not None else ""
        with not_too_deep(f"{name}{line}"):
            return self._start(name, fn, args)

    def _start(self, name: str, fn: ProcessFunction, args: tuple[Any, ...]) -> Point:
        try:
            key = Freezer(outside=self.outside).freeze((fn, args))
        except Unfreezable as error:
            refuse_real_world(name, codes_of(fn, args))
            raise ModelError(
                f"{name}: an argument or a closure of {getattr(fn, '__qualname__', fn)} holds a "
                f"{type(error.thing).__name__}, which cannot be compared by value; use an object of the model"
            ) from error.__cause__
        program = self._programs.setdefault(key, Program(name, fn, args))
        if program not in self._starts:
            self._starts[program] = self._twice(Point(program, None, None), None, begins=True)
            self.learned.append(Learned(None, (fn, args), self._starts[program]))
        return self._starts[program]

    def begin(self, task: Task) -> Point:
        """Return the first point of a task; many are made of the same function and arguments."""
        key = parts(task)[:2]
        if key not in self._begun:
            point = self.start(str(task), task.fn, task.args)
            self._begun[key] = task, point
            if self.orders and have_orders(task.args):
                self._handed[point.program] = point.program.args
                check_process(str(task), "", (task.args,), lambda other: self._done(point.program, [], *other, None))
        return self._begun[key][1]

    def advance(self, point: Point, result: Any) -> Point:
        """Return the point that follows ``point`` when its operation gives ``result``.

        Raises
        ------
        NondeterminismError
            When the process, replayed, does something else than it did before.
        """
        freezer = Freezer(outside=self.outside)
        with not_too_deep(f"{point.program.name} ({point.where})"):
            key = operation_key(result, freezer) if isinstance(result, Operation) else freezer.freeze(result)
            following = point.next.get(key)
            if following is None:
                following = point.next[key] = self._learn(point, result)
                self.learned.append(Learned(point, result, following))
        return following

    def follow(self, point: Point, results: Sequence[Any]) -> Point:
        """Return what follows ``point`` after ``results``; in between only operations are compared. As `advance`."""
        runs = [self._run_at(point, False, again) for again in (False, True)]
        with not_too_deep(f"{point.program.name} ({point.where})"):
            for result in results[:-1]:
                point, again = (self._passing(run, point, result) for run in runs)
                if point.key != again.key:
                    raise self._wrong(point, differs(point, again), point.where)
            return self._both(runs, point, results[-1])

    def _passing(self, run: Run, parent: Point, result: Any) -> Point:
        """Let ``run`` pass an operation."""
        reached = run.step(result)
        if isinstance(reached, Ended):
            raise self._wrong(parent, differs(parent, reached))
        point = Point(run.program, parent, result, operation=reached, depth=parent.depth + 1, sets=parent.sets)
        point.key, point.where = (None, run.passed(reached)[0]), place(run.generator)
        return point

    def variables(self, point: Point) -> dict[str, Any]:
        """Return the variables at ``point``, those of the innermost generator that it runs coming last.

        A program that has ended has none.
        """
        if point.status != "ready":
            return {}
        run = self._replay(point, compare=False)  # kept until it has been read: a run that is given up is closed
        return all_variables(run.generator)

    def _learn(self, point: Point, result: Any) -> Point:
        if isinstance(result, Operation):  # the same generator state, waiting for the operation's second half
            key = (point.key, operation_key(result, Freezer(outside=self.outside)))
            again = Point(point.program, point, result, key, operation=result, where=point.where, depth=point.depth + 1)
            again.objects, again.mentions, again.submits = point.objects, point.mentions, point.submits
            again.sets = point.sets
            return self._points.setdefault((point.program, key), again)
        found = self._twice(point, result)
        if self.orders and (point.sets or have_orders(result) or point.program in self._handed):
            self._check_orders(point, result)
        return found

    def _check_orders(self, point: Point, result: Any) -> None:
        """Check that the program would come to the same if the sets that it was given were in other orders."""
        past = point.history()
        given = (self._handed.get(point.program, ()), *(passed.result for passed in past), result)
        check_process(point.program.name, point.where, given, lambda other: self._done(point.program, past, *other))

    def _twice(self, point: Point, result: Any, begins: bool = False) -> Point:
        """Return what follows ``point``, when two runs have come to the same and nothing outside has changed.

        The second run is from the start, at another time, and so shows what else than results it depends on. In long
        processes it goes on from where it was kept; its every step has been taken twice all the same.
        """
        runs = [self._run_at(point, begins, again) for again in (False, True)]
        return self._both(runs, point, result, begins)

    def _both(self, runs: list[Run], point: Point, result: Any, begins: bool = False) -> Point:
        """Return what both ``runs``, which are at ``point``, come to."""
        found, again = (self._stopped(run, None if begins else point, result) for run in runs)
        if found.key != again.key:
            raise self._wrong(point, differs(found, again), found.where)
        self._refuse_change(point, found.where)
        interned = self._interned(found)
        if interned is found and found.status == "ready":  # another history's objects may be shared differently
            found.mentions, found.submits = self._mentions.of(runs[0].generator)
            self._kept[found] = runs
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return interned

    def _refuse_change(self, point: Point, before: str = "") -> None:
        """Raise NondeterminismError when something outside is not as it was before any process ran."""
        name = self.outside.changed()
        if name is not None:
            when = f"after {point.where}" if point.where else f"before {before or 'its first operation'}"
            drawn = name.partition(".")[0] == "random"
            raise NondeterminismError(
                f"{point.program.name}, {when}, changed {name.rstrip(',')}: that is outside of the process, and "
                f"whoever reads it sees it behind the kernel's back. {_TRIED_ALL if drawn else _SHARED}"
            )

    def _wrong(self, point: Point, error: NondeterminismError, before: str = "") -> NondeterminismError:
        """Return ``error``, unless its cause is known."""
        self._refuse_change(point, before)
        return error

    def rest(self) -> None:
        """Let go of kept runs: in a cycle, a generator may be closed before its run, and be blamed for its yields."""
        self._kept.clear()

    def _run_at(self, point: Point, begins: bool, again: bool) -> Run:
        if begins:
            return Run(point.program, self.outside)
        kept = self._kept.get(point, [])
        if kept and (not again or point.depth > _LONG):
            return kept.pop()
        return self._replay(point, compare=not again)

    def _replay(self, point: Point, compare: bool) -> Run:
        """Run the program alone up to ``point``, comparing every operation with what was recorded."""
        run = Run(point.program, self.outside)
        for passed in point.history():
            if not passed.second_half:
                reached = run.step(passed.result)
                if isinstance(reached, Ended) or run.passed(reached)[0] != passed.key[1]:
                    raise self._wrong(passed, differs(passed, reached))
        run.check()
        if compare and self._frozen(run)[0] != point.frozen:
            raise self._wrong(point, differs(point, None))
        return run

    def _done(self, program: Program, past: list[Point], args: tuple[Any, ...], *results: Any) -> Hashable:
        """Return what ``program`` does when it is given other ``args``, if any, and ``results``."""
        run = Run(Program(program.name, program.fn, args) if args else program, self.outside)
        freezer, done = Unordered(self.outside, frame=True), list[Hashable]()
        halves = (passed.second_half for passed in past)
        for result in (result for result, half in zip_longest(results, halves, fillvalue=False) if not half):
            reached = run.step(result)
            if isinstance(reached, Ended):
                return (*done, reached.status, freezer.freeze(reached.outcome))
            done.append(freezer.freeze((reached.target, reached.name, reached.args)))
        return (*done, freezer.freeze(run.generator))

    def _frozen(self, run: Run) -> tuple[Hashable, Freezer]:
        freezer = Freezer(outside=self.outside, frame=True)
        return freezer.freeze(run.generator), freezer

    def _stopped(self, run: Run, parent: Point | None, result: Any) -> Point:
        """Let ``run`` go to its next operation, and return where it stopped."""
        yielded = run.step(result)
        run.check()
        point = Point(run.program, parent, result, depth=0 if parent is None else parent.depth + 1)
        point.sets = have_orders(result) or (parent is not None and parent.sets)
        if isinstance(yielded, Ended):
            self._end(point, yielded)
        else:
            point.operation, point.where = yielded, place(run.generator)
            key, objects = run.passed(yielded)
            frozen, freezer = self._frozen(run)
            point.key = (frozen, key)
            point.objects = objects.union(freezer.objects)
        return point

    def _end(self, point: Point, ended: Ended) -> None:
        """Note at ``point`` how its program has ended there."""
        freezer = Freezer(outside=self.outside)
        point.status, point.outcome, point.where = ended.status, ended.outcome, ended.where
        point.key = (ended.status, _outcome(freezer, point.program.name, ended.outcome))
        point.objects = frozenset(freezer.objects)
        point.made = freezer.made[0] if freezer.made else None

    def returned(self, program: Program, value: Any) -> Point:
        """Return the point of ``program`` that has returned ``value``."""
        point = Point(program, None, None)
        self._end(point, Ended("returned", value))
        return self._interned(point)

    def _interned(self, point: Point) -> Point:
        return self._points.setdefault((None if point.keyed_alone else point.program, point.key), point)


def _outcome(freezer: Freezer, name: str, thing: Any) -> Hashable:
    try:
        return freezer.freeze(thing)
    except Unfreezable as error:
        raise ModelError(
            f"{name} returned a {type(error.thing).__name__}, which cannot be compared by value; "
            f"return an immutable value"
        ) from error.__cause__
