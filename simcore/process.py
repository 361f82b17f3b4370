"""Two suspended generators are the same program point only if nothing they could ever do tells them apart.

A process is a generator, and a generator cannot be copied; but between two operations what it will do
depends only on its own state and on the results it is given. So each distinct state of a generator is
interned once as a `Point`, and what follows a point for a given result is found by replaying that one
process alone, from its start, with the results it has had (`Points.advance`). A search then never runs a
process twice for the same step.

What a suspended generator is. Its code; the instruction it stopped at; its local variables and cells; *the
values on its evaluation stack* (the iterator of a ``for`` loop, the first half of ``(yield a) + (yield b)``);
the exception that it is handling; and the same for the generator it delegates to. Two generators with equal
locals and equal instruction can differ in the rest, and merging them would be a false "holds". On CPython
`gc.get_referents` gives all of it: what comes before the pair (function, code object) differs between
versions, what comes after is locals, cells, stack and handled exception, in order. Unbound locals are left
out there, so the names that are bound are part of the key. Tested on 3.11, 3.12 and 3.13; another
interpreter is refused at import rather than trusted.

Freezing is by value, as pickle would see it: mutable objects are numbered at their first appearance, so
that sharing between two variables is part of the key; iterators tell their position through ``__reduce__``;
exceptions are their type, arguments, attributes, cause and context; a set is frozen in its order of
iteration. What pickle refuses, we refuse, and name the variable. Equal keys therefore mean equal futures,
as long as a process touches nothing but its own state. That premise is tested too: every replay compares
each operation, and at its end the whole frozen state, with what was recorded, and reports the process that
differs. Mutable containers among the globals that the code names are part of the key for the same reason.
"""

from __future__ import annotations

import gc
import os
import sys
import types
import warnings
from collections import ChainMap
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from simcore.errors import InternalError, ModelError, NondeterminismError, SimcoreError
from simcore.model import Index, Model, Process, ProcessFunction
from simcore.objects import Future, Task
from simcore.operations import Operation, ProcessGenerator, Raised, SharedObject

if sys.implementation.name != "cpython":
    raise ImportError("simcore reads the state of suspended generators and is tested on CPython only")

_ATOMS = (str, int, bytes, type(None), type(Ellipsis), type(NotImplemented))
_BY_IDENTITY = (type, types.ModuleType, types.CodeType, Process, Index, Model)
_LONG = 100  # results; beyond it a point is advanced from a kept generator where there is one


class Freezer:
    """Turn an object graph into a hashable key, and collect what simcore objects it mentions.

    Attributes
    ----------
    objects : set of SharedObject
        Everything shared that can be reached; futures made by submits included.
    weak : set of Future
        Futures that only their own task mentions: they do not keep a future alive.
    processes : set of Process
        Processes that are mentioned.
    """

    def __init__(self) -> None:
        self.objects: set[SharedObject] = set()
        self.weak: set[Future] = set()
        self.processes: set[Process] = set()
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []  # temporaries, so that an id is not used twice

    def freeze(self, thing: Any) -> Hashable:
        """Return a key that is equal for equal values of equal types."""
        kind = type(thing)
        if kind in _ATOMS:
            return thing  # type: ignore[no-any-return]
        if kind is tuple:
            return (tuple, *map(self.freeze, thing))  # every compound key starts with a tag, so none can be mistaken
        if isinstance(thing, SharedObject):
            self.objects.add(thing)
            return thing
        if kind in (bool, float, complex):
            return (kind, repr(thing))
        if kind is Task:
            return self._task(thing)
        if isinstance(thing, _BY_IDENTITY):
            if kind is Process:
                self.processes.add(thing)
            return thing  # type: ignore[no-any-return]
        if isinstance(thing, tuple) and hasattr(kind, "_fields"):
            return (kind, *map(self.freeze, thing))
        if kind is frozenset:
            return (kind, frozenset(map(self.freeze, thing)))
        return self._mutable(thing)

    def _task(self, task: Task) -> Hashable:
        if task.future is not None:
            self.weak.add(task.future)
        return (Task, self.freeze(task.fn), self.freeze(task.args), task.future)

    def _mutable(self, thing: Any) -> Hashable:
        """Freeze something with an identity: the second mention of it is a reference to the first."""
        if id(thing) in self._seen:
            return ("again", self._seen[id(thing)])
        self._seen[id(thing)] = len(self._seen)
        self._kept.append(thing)
        special = _SPECIAL.get(type(thing))
        if special is not None:
            return special(self, thing)
        if isinstance(thing, BaseException):
            return _exception(self, thing)
        return self._reduced(thing)

    def _reduced(self, thing: Any) -> Hashable:
        """Freeze anything else the way pickle would take it apart."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # itertools, from 3.12 on
                reduced = thing.__reduce_ex__(4)
        except Exception as error:
            raise _Unfreezable(thing) from error
        if isinstance(reduced, str):
            return (type(thing), reduced)
        self._kept.append(reduced)
        constructor, arguments, *rest = reduced
        parts = [list(part) if isinstance(part, Iterator) else part for part in rest]
        return (type(thing), self.freeze(constructor), self.freeze(tuple(arguments)), self.freeze(tuple(parts)))


class _Unfreezable(Exception):
    """Carries the object that cannot be frozen up to where its variable is known."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing


def _exception(freezer: Freezer, error: BaseException) -> Hashable:
    return (freezer._reduced(error), freezer.freeze(error.__cause__), freezer.freeze(error.__context__))


def _function(freezer: Freezer, fn: types.FunctionType) -> Hashable:
    parts = (fn.__closure__, fn.__defaults__, fn.__kwdefaults__, fn.__dict__)
    return (fn.__code__, *map(freezer.freeze, parts), _watched_globals(freezer, fn.__code__, fn.__globals__))


def _cell(freezer: Freezer, cell: types.CellType) -> Hashable:
    try:
        return ("cell", freezer.freeze(cell.cell_contents))
    except ValueError:
        return ("cell",)


def _set(freezer: Freezer, items: set[Any]) -> Hashable:
    return (set, sys.getsizeof(items), *map(freezer.freeze, items))  # the size tells the table's, thus later orders


def _watched_globals(freezer: Freezer, code: types.CodeType, scope: dict[str, Any]) -> Hashable:
    names = [name for name in code.co_names if type(scope.get(name)) in (list, dict, set, bytearray)]
    return tuple((name, freezer.freeze(scope[name])) for name in names)


def _generator(freezer: Freezer, generator: ProcessGenerator) -> Hashable:
    frame = generator.gi_frame
    if frame is None:
        return ("finished",)
    code = generator.gi_code
    parts = []
    for part in _locals_and_stack(generator):
        try:
            parts.append(freezer.freeze(part))
        except _Unfreezable as error:
            raise _cannot_freeze(generator, part, error.thing) from error.__cause__
    watched = _watched_globals(freezer, code, frame.f_globals)
    return (code, frame.f_lasti, tuple(sorted(frame.f_locals)), tuple(parts), watched)


def _locals_and_stack(generator: ProcessGenerator) -> list[Any]:
    referents = gc.get_referents(generator)
    code = generator.gi_code
    for position in range(1, len(referents)):
        if referents[position] is code and getattr(referents[position - 1], "__code__", None) is code:
            return referents[position + 1 :]
    raise InternalError(f"the state of {generator} cannot be read on Python {sys.version.split()[0]}")


def _cannot_freeze(generator: ProcessGenerator, part: Any, thing: Any) -> ModelError:
    names = [name for name, value in generator.gi_frame.f_locals.items() if value is part]
    variable = f"variable {names[0]!r}" if names else "a value in use"
    return ModelError(
        f"{generator.gi_code.co_qualname} ({_place(generator)}): {variable} holds a {type(thing).__name__}, whose state "
        f"cannot be compared by value; keep it out of the process, or use model.variable(...) or an object of the model"
    )


_SPECIAL: dict[type, Callable[[Freezer, Any], Hashable]] = {
    list: lambda freezer, items: (list, *map(freezer.freeze, items)),
    dict: lambda freezer, items: (dict, *((freezer.freeze(k), freezer.freeze(v)) for k, v in items.items())),
    set: _set,
    types.FunctionType: _function,
    types.BuiltinFunctionType: lambda freezer, fn: (fn.__qualname__, freezer.freeze(fn.__self__)),
    types.MethodType: lambda freezer, fn: (freezer.freeze(fn.__func__), freezer.freeze(fn.__self__)),
    types.CellType: _cell,
    types.GeneratorType: _generator,
}


def freeze(thing: Any) -> Hashable:
    """Return a key for ``thing`` by value (see `Freezer`)."""
    return Freezer().freeze(thing)


def operation_key(operation: Operation) -> Hashable:
    """Return what makes two operations the same step."""
    return (operation.target, operation.name, freeze(operation.args), operation.timeout)


@dataclass(eq=False, frozen=True)
class Program:
    """What a process or a task runs: a function and its arguments, shared by all that run the same."""

    name: str
    fn: ProcessFunction
    args: tuple[Any, ...]

    def start(self) -> ProcessGenerator:
        """Return a fresh generator, not started."""
        generator = self.fn(*self.args)
        if not isinstance(generator, types.GeneratorType):
            raise ModelError(
                f"{self.name}: {getattr(self.fn, '__qualname__', self.fn)} returned {type(generator).__name__}, "
                f"not a generator; a process function yields operations"
            )
        return generator


@dataclass(eq=False)
class Point:
    """A program point: a distinct state of a program, and the operation it is about to do.

    Attributes
    ----------
    status : {"ready", "returned", "failed"}
        Whether it has an operation to do, has returned ``outcome``, or died of it (a `Raised`).
    parent, result : Point and its result
        One history that leads here, the first that was found.
    objects : frozenset of SharedObject
        Everything shared that its state mentions.
    mentions, submits : frozenset of str
        Names of operations that the code it is running may still call, and that what it submits may.
    where : str
        Function, file and line, for reports.
    """

    program: Program
    parent: Point | None
    result: Any
    key: Hashable
    status: str = "ready"
    operation: Operation | None = None
    outcome: Any = None
    objects: frozenset[SharedObject] = frozenset()
    mentions: frozenset[str] = frozenset()
    submits: frozenset[str] = frozenset()
    where: str = ""
    depth: int = 0
    next: dict[Hashable, Point] = field(default_factory=dict)

    def history(self) -> list[tuple[Point, Any]]:
        """Return (point, result it was given) from the start of the program up to here."""
        steps: list[tuple[Point, Any]] = []
        point: Point | None = self
        while point is not None and point.parent is not None:
            steps.append((point.parent, point.result))
            point = point.parent
        return steps[::-1]


class Points:
    """All program points met so far, each interned once."""

    def __init__(self) -> None:
        self._programs: dict[Hashable, Program] = {}
        self._points: dict[Hashable, Point] = {}
        self._starts: dict[Program, Point] = {}
        self._kept: dict[Program, tuple[Point, ProcessGenerator]] = {}

    def start(self, name: str, fn: ProcessFunction, args: tuple[Any, ...]) -> Point:
        """Return the first point of ``fn(*args)``."""
        try:
            key = freeze((fn, args))
        except _Unfreezable as error:
            raise ModelError(
                f"{name}: an argument or a closure of {getattr(fn, '__qualname__', fn)} holds a "
                f"{type(error.thing).__name__}, which cannot be compared by value; use an object of the model"
            ) from error.__cause__
        program = self._programs.setdefault(key, Program(name, fn, args))
        if program not in self._starts:
            generator = program.start()
            self._starts[program] = self._run(program, None, None, generator, lambda: next(generator))
        return self._starts[program]

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
        return following

    def _learn(self, point: Point, result: Any) -> Point:
        if isinstance(result, Operation):  # the same generator state, waiting for the operation's second half
            key = (point.key, operation_key(result))
            again = Point(point.program, point, result, key, operation=result, where=point.where, depth=point.depth + 1)
            again.objects, again.mentions, again.submits = point.objects, point.mentions, point.submits
            return self._points.setdefault((point.program, key), again)
        generator = self._generator_at(point)
        found = self._run(point.program, point, result, generator, lambda: _give(generator, result))
        if found.status != "ready":  # never advanced again, so its premise is tested here
            second = self._replay(point)
            again = self._run(point.program, point, result, second, lambda: _give(second, result))
            if again is not found:
                raise _differs(point, found, again)
        return found

    def _generator_at(self, point: Point) -> ProcessGenerator:
        kept, generator = self._kept.pop(point.program, (None, None))
        if kept is point and generator is not None and point.depth > _LONG:
            return generator
        return self._replay(point)

    def _replay(self, point: Point) -> ProcessGenerator:
        """Run the program alone up to ``point``, comparing every operation with what was recorded."""
        generator = point.program.start()
        history = point.history()
        passed = [parent for parent, _ in history] + [point]
        _compare(passed[0], _step(lambda: next(generator)))
        for (_, result), expected in zip(history, passed[1:], strict=True):
            if not isinstance(result, Operation):
                _compare(expected, _step(lambda result=result: _give(generator, result)))  # type: ignore[misc]
        if freeze(generator) != _generator_key(point):
            raise _differs(point, point, None)
        return generator

    def _run(
        self, program: Program, parent: Point | None, result: Any, generator: ProcessGenerator, go: Callable[[], Any]
    ) -> Point:
        """Let ``generator`` run to its next operation and intern where it stopped."""
        yielded = _step(go)
        point = Point(program, parent, result, None, depth=0 if parent is None else parent.depth + 1)
        freezer = Freezer()
        if isinstance(yielded, _Ended):
            point.status, point.outcome, point.where = yielded.status, yielded.outcome, yielded.where
            point.key = (yielded.status, freezer.freeze(yielded.outcome))
        else:
            point.operation = _checked(program, generator, yielded)
            point.where, (point.mentions, point.submits) = _place(generator), _mentions(generator)
            point.key = (_freeze_in(freezer, program, generator), operation_key(yielded))
            freezer.freeze(yielded.args)
            freezer.objects.add(yielded.target)
        point.objects = frozenset(freezer.objects)
        interned = self._points.setdefault((program, point.key), point)
        if interned.status == "ready":
            self._kept[program] = (interned, generator)
        return interned


@dataclass(frozen=True)
class _Ended:
    """A generator that has no further operation."""

    status: str
    outcome: Any
    where: str = ""


def _step(go: Callable[[], Any]) -> Any:
    """Return what a generator yields, or how it ended."""
    try:
        return go()
    except StopIteration as stop:
        return _Ended("returned", stop.value)
    except SimcoreError:
        raise
    except Exception as error:
        last = error.__traceback__
        while last is not None and last.tb_next is not None:
            last = last.tb_next
        place = "" if last is None else f"{os.path.basename(last.tb_frame.f_code.co_filename)}:{last.tb_lineno}"
        return _Ended("failed", Raised.of(error), place)


def _give(generator: ProcessGenerator, result: Any) -> Any:
    return generator.throw(result.build()) if isinstance(result, Raised) else generator.send(result)


def _freeze_in(freezer: Freezer, program: Program, generator: ProcessGenerator) -> Hashable:
    try:
        return freezer.freeze(generator)
    except _Unfreezable as error:
        raise _cannot_freeze(generator, None, error.thing) from error.__cause__


def _generator_key(point: Point) -> Hashable:
    """Return the frozen generator of a point, without the operation it is about to do."""
    key = point.key[0]  # type: ignore[index]
    while point.parent is not None and isinstance(point.result, Operation):
        point, key = point.parent, key[0]
    return key  # type: ignore[no-any-return]


def _checked(program: Program, generator: ProcessGenerator, yielded: Any) -> Operation:
    if isinstance(yielded, Operation):
        return yielded
    hint = "write `yield from` to run another generator" if isinstance(yielded, types.GeneratorType) else ""
    raise ModelError(
        f"{program.name} ({_place(generator)}) yielded {yielded!r}, which is no operation; "
        + (hint or "yield what a method of an object returns, such as lock.acquire()")
    )


def _compare(expected: Point, reached: Any) -> None:
    same = not isinstance(reached, _Ended) and expected.operation is not None
    if not same or operation_key(reached) != operation_key(expected.operation):  # type: ignore[arg-type]
        raise _differs(expected, expected, reached)


def _differs(at: Point, expected: Point, reached: Any) -> NondeterminismError:
    did = expected.operation if expected.operation is not None else f"{expected.status} {expected.outcome!r}"
    if reached is None:
        now = "the same with other values in its variables"
    elif isinstance(reached, Point):
        now = str(reached.operation or f"{reached.status} {reached.outcome!r}")
    else:
        now = f"{reached.status} {reached.outcome!r}" if isinstance(reached, _Ended) else str(reached)
    return NondeterminismError(
        f"{at.program.name} ({expected.where or at.where}) did {did}, and when it was run again with the same results, "
        f"{now}. Usual causes: an object that another process can change, a clock, a random number. Share "
        f"data through model.variable(...), and take a free choice with choose(...)"
    )


def _place(generator: ProcessGenerator) -> str:
    """Return function, file and line of the innermost generator that is suspended."""
    while isinstance(generator.gi_yieldfrom, types.GeneratorType) and generator.gi_yieldfrom.gi_frame is not None:
        generator = generator.gi_yieldfrom
    line = generator.gi_frame.f_lineno if generator.gi_frame is not None else 0
    return f"{generator.gi_code.co_name} ({os.path.basename(generator.gi_code.co_filename)}:{line})"


def _mentions(generator: ProcessGenerator) -> tuple[frozenset[str], frozenset[str]]:
    """Return `called_by` for everything that a suspended generator, and those it delegates to, is running."""
    called: frozenset[str] = frozenset()
    submitted: frozenset[str] = frozenset()
    current: Any = generator
    while isinstance(current, types.GeneratorType) and current.gi_frame is not None:
        frame = current.gi_frame
        more_called, more_submitted = _names(current.gi_code, ChainMap(frame.f_locals, frame.f_globals))
        called, submitted = called | more_called, submitted | more_submitted
        current = current.gi_yieldfrom
    return called, submitted


def called_by(fn: types.FunctionType) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that ``fn`` looks up on objects: itself or in what it calls, and in what it submits.

    A function that is named in code that submits is taken to be submitted, not called. This guides the
    wait-for graph; no verdict rests on it.
    """
    fn = getattr(fn, "__func__", fn)
    if not isinstance(fn, types.FunctionType):
        return frozenset(), frozenset()
    cells = zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True)
    inner = {free: _contents(cell) for free, cell in cells}
    return _names(fn.__code__, ChainMap(inner, fn.__globals__))


_NAMES: dict[types.CodeType, tuple[frozenset[str], frozenset[str]]] = {}


def _names(code: types.CodeType, scope: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    if code in _NAMES:
        return _NAMES[code]
    _NAMES[code] = (frozenset(code.co_names), frozenset())  # what a recursive function finds for itself
    called, submitted = set(code.co_names), set()
    for name in (*code.co_names, *code.co_freevars, *code.co_cellvars):
        fn = scope.get(name)
        if isinstance(fn, types.FunctionType | types.MethodType):
            inner_called, inner_submitted = called_by(fn)  # type: ignore[arg-type]
            submitted |= inner_submitted
            (submitted if "submit" in code.co_names else called).update(inner_called)
    _NAMES[code] = (frozenset(called), frozenset(submitted))
    return _NAMES[code]


def _contents(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None
