"""What an operation of the class may do to whoever does it: what it waits for, what it gives, what is held afterwards.

The class is what the argument of `net.py` is about: locks, semaphores, thread pools, the futures of their tasks where
whoever submits a task is alone in asking for its result, variables, choices and sleeps. Each result that an operation
may ever give is a way to go on, whether or not it can be given there: that adds runs and takes none away. Whatever else
may block is refused, by its name and its line.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from simcore.kernel import Point, Points, Program
from simcore.kernel.freeze import Freezer
from simcore.model.objects import LOCAL, Future, Link, Lock, Queue, RLock, Semaphore, Task, ThreadPool, Variable
from simcore.model.operations import Operation

MOST_VALUES = 50


class Refused(Exception):
    """The model is not of the class; the text says what is not, and where."""


class Work(NamedTuple):
    """What a process runs; or its ``host``, a pool or a server, for a task, or for a message of this value.

    ``given`` are the futures that a task was given by whoever submitted it.
    """

    program: Program
    host: str = ""
    message: Hashable = None
    given: tuple[Kept, ...] = ()


class Need(NamedTuple):
    """A wait for a unit of a resource, by its name."""

    resource: str


class Child(NamedTuple):
    """A wait until a task has ended."""

    work: Work


class Mail(NamedTuple):
    """A wait for something in a queue of one's own."""

    queue: str


Wait = Need | Child | Mail | None


class Kept(NamedTuple):
    """A future that is mentioned, its task, whether that is known to have ended, and whether it was given away."""

    future: Future
    work: Work
    ended: bool = False
    away: bool = False

    @property
    def awaited(self) -> bool:
        """Whether it may still be waited for here."""
        return not self.ended and not self.away


class Place(NamedTuple):
    """Where one run of a program may be: its point, how deep it holds what, and the futures that it keeps.

    ``owes`` counts answers: for who has a queue of his own, those that are on their way to it; for all others, whether
    they have still to see to it that one comes.
    """

    point: Point
    held: tuple[tuple[str, int], ...]
    kept: tuple[Kept, ...]
    owes: int = 0

    @property
    def units(self) -> dict[str, int]:
        """How deep it holds each thing."""
        return dict(self.held)

    @property
    def awaited(self) -> tuple[Work, ...]:
        """The tasks that it may still wait for."""
        return tuple(each.work for each in self.kept if each.awaited)


class Way(NamedTuple):
    """One way to go on: what the operation gives, what is held then, and the futures that were made or have ended."""

    result: Any
    held: Mapping[str, int]
    kept: tuple[Kept, ...]
    submits: Work | None = None
    puts: str = ""
    gets: str = ""


Ways = tuple[Wait, list[Way]]


class Values:
    """Values that may ever turn up somewhere, each once, in the order in which they were met; True is not 1."""

    def __init__(self, *values: Any) -> None:
        self._known: dict[Any, Any] = {}
        for each in values:
            self.add(each)

    def add(self, value: Any) -> None:
        """Add a value, if there is none like it."""
        self._known.setdefault(Freezer().freeze(value), value)

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._known.values()))

    def __len__(self) -> int:
        return len(self._known)


class Steps:
    """The ways to go on from a place.

    Parameters
    ----------
    points : Points
        Where programs are run, each alone.
    servers : dict of str to Work
        For each queue or link that one server empties, that server.
    """

    def __init__(self, points: Points, servers: Mapping[str, Work]) -> None:
        self._points = points
        self.starts: dict[Work, list[Point]] = {}
        self._at_once: dict[Point, Program] = {}
        self._servers = servers
        self.sent: dict[str, Values] = {}
        self.mail: dict[str, Values] = {}
        self.results: dict[Work, Values] = {}
        self.variables: dict[Variable, Values] = {}
        self._futures: list[Future] = []

    @property
    def met(self) -> int:
        """How many results and values were met so far; no more of them means that every way is known."""
        known = [*self.results.values(), *self.variables.values(), *self.sent.values(), *self.mail.values()]
        return sum(map(len, known))

    def of(self, place: Place) -> Ways:
        """Return what ``place`` waits for, and every way to go on from there."""
        operation = place.point.operation
        assert operation is not None
        target = operation.target
        if operation.name == "sleep" and target is LOCAL:
            return None, [Way(None, place.units, place.kept)]
        if operation.timeout is not None and not target.tries(operation):
            raise refused(place, "has a time-out")
        known: dict[type, Callable[[Place, Operation, Any], Ways]] = {
            Lock: self._lock,
            RLock: self._lock,
            Semaphore: self._semaphore,
            ThreadPool: self._pool,
            Future: self._future,
            Variable: self._variable,
            type(LOCAL): self._choose,
            Queue: self._mailed,
            Link: self._mailed,
        }
        step = known.get(type(target))
        if step is None:
            raise refused(place, f"is of {_a(target.kind)}, and no law is argued for {target.kind}s")
        return step(place, operation, target)

    def _lock(self, place: Place, operation: Operation, lock: Lock) -> Ways:
        depth = place.units.get(lock.name, 0)
        if operation.name == "locked":
            return None, [Way(each, place.units, place.kept) for each in (True, False)]
        if operation.name == "acquire" and depth and isinstance(lock, RLock):
            return None, [_taken(place, lock.name)]
        return self._semaphore(place, operation, lock)

    def _semaphore(self, place: Place, operation: Operation, thing: Lock | Semaphore) -> Ways:
        if operation.name == "acquire":
            if thing.tries(operation):
                return None, [_taken(place, thing.name), Way(False, place.units, place.kept)]
            return Need(thing.name), [_taken(place, thing.name)]
        if operation.name != "release":
            raise refused(place, "is an operation for which no law is argued")
        left = place.units.get(thing.name, 0) - (operation.args[0] if operation.args else 1)
        if left < 0:
            raise refused(place, f"gives {thing.name} back without holding it there")
        return None, [Way(None, {**place.units, thing.name: left}, place.kept)]

    def _pool(self, place: Place, operation: Operation, pool: ThreadPool) -> Ways:
        if operation.name != "submit":
            raise refused(place, "shuts a pool down, for which no law is argued")
        fn, args = operation.args
        task = Task(fn, args, None)
        start = self._points.begin(task)
        given, kept = self._given(place, start)
        work = Work(self.program(start, Program(str(task), fn, args)), pool.name, None, given)
        self.starts.setdefault(work, [start])
        future = self._fresh(place)
        return None, [Way(future, place.units, (*kept, Kept(future, work)), submits=work)]

    def program(self, start: Point, own: Program) -> Program:
        """Return the program that begins at ``start``: of those that return at once the point is shared, so ``own``."""
        return start.program if start.status == "ready" else self._at_once.setdefault(start, own)

    def _given(self, place: Place, start: Point) -> tuple[tuple[Kept, ...], tuple[Kept, ...]]:
        """Return the futures that a task is given, and those that are kept, with these marked."""
        passed = [thing for thing in start.objects if self.made(thing)]
        given = tuple(each for each in place.kept if each.future in passed)
        if len(given) < len(passed) or any(each.away for each in given):
            raise refused(place, "passes a future on that is another one's, so two may wait for it")
        return given, tuple(each._replace(away=True) if each in given else each for each in place.kept)

    def _fresh(self, place: Place) -> Future:
        """Return the first stand-in for a future that the place does not mention."""
        for future in self._futures:
            if future not in place.point.objects:
                return future
        self._futures.append(Future(f"future {len(self._futures)}"))
        return self._futures[-1]

    def _future(self, place: Place, operation: Operation, future: Future) -> Ways:
        own = next((each for each in place.kept if each.future is future), None)
        if own is None or own.away or operation.name not in ("result", "exception", "done"):
            raise refused(place, "is of a future that is set by hand, or asked for by another one")
        ended = tuple(each._replace(ended=True) if each is own else each for each in place.kept)
        if operation.name == "done":
            looked = [Way(True, place.units, ended), Way(False, place.units, place.kept)]
            return None, looked[:1] if own.ended else looked
        asked = future.do_result if operation.name == "result" else future.do_exception
        results = [
            outcome.result
            for result in self.results.get(own.work, ())
            for outcome in asked(future.initial._replace(done=True, result=result), None)
        ]
        return None if own.ended else Child(own.work), [Way(each, place.units, ended) for each in results]

    def _variable(self, place: Place, operation: Operation, variable: Variable) -> Ways:
        if operation.name not in ("get", "set", "update"):
            raise refused(place, "waits for the value of a variable, for which no law is argued")
        self._keep_futures(place, operation.args)
        values = self.variables.setdefault(variable, Values(variable.initial))
        ways = []
        for value in values:
            for outcome in variable.outcomes(value, operation, None):
                values.add(outcome.value)
                ways.append(Way(outcome.result, place.units, place.kept))
        if len(values) > MOST_VALUES:
            raise refused(place, f"is of {variable}, which may have more than {MOST_VALUES} values")
        return None, ways

    def _choose(self, place: Place, operation: Operation, _: Any) -> Ways:
        if operation.name != "choose":
            raise refused(place, "is a wait for time")
        outcomes = LOCAL.outcomes(None, operation, None)
        return None, [Way(outcome.result, place.units, place.kept) for outcome in outcomes]

    def _mailed(self, place: Place, operation: Operation, thing: Queue | Link) -> Ways:
        if operation.name in ("put", "send") and not thing.tries(operation):
            return self._put(place, operation, thing)
        if operation.name not in ("get", "recv") or thing.tries(operation) or thing.name in self._servers:
            raise refused(place, f"is of {_a(thing.kind)}, and no law is argued for that")
        values = self.mail.setdefault(thing.name, Values())
        return Mail(thing.name), [Way(each, place.units, place.kept, gets=thing.name) for each in values]

    def _put(self, place: Place, operation: Operation, thing: Queue | Link) -> Ways:
        """Return how something is put where a server takes it, or somebody whose queue it is."""
        item = operation.args[0]
        self._keep_futures(place, item)
        server = self._servers.get(thing.name)
        if server is None:
            if thing.capacity is not None:
                raise refused(place, f"may wait for a place in {thing}, which no server empties")
            self.mail.setdefault(thing.name, Values()).add(item)
            return None, [Way(None, place.units, place.kept, puts=thing.name)]
        if isinstance(thing, Link) and thing.unit != "frames":
            raise refused(place, "is of a link whose capacity is in bytes, and no law is argued for that")
        self.sent[thing.name].add(item)
        message = server._replace(message=Freezer().freeze(item))
        wait = None if thing.capacity is None else Need(thing.name)
        return wait, [Way(None, place.units, place.kept, submits=message)]

    def _keep_futures(self, place: Place, given: Any) -> None:
        if any(self.made(thing) for thing in mentioned(given)):
            raise refused(place, "gives a future away, so another one may wait for it")

    def made(self, thing: Any) -> bool:
        """Tell whether ``thing`` stands for the future of a submit."""
        return isinstance(thing, Future) and thing in self._futures


def mentioned(value: Any) -> Iterable[Any]:
    """Return the shared objects that ``value`` mentions."""
    freezer = Freezer()
    freezer.freeze(value)
    return freezer.objects


def refused(place: Place, why: str) -> Refused:
    """Say that the operation of ``place`` is not of the class, and why."""
    return Refused(f"{placed(place)}: {place.point.operation} {why}")


def placed(place: Place) -> str:
    """Return whose place it is, and where that is in the source."""
    return ", ".join(filter(None, (place.point.program.name, place.point.where)))


def _taken(place: Place, name: str) -> Way:
    return Way(True, {**place.units, name: place.units.get(name, 0) + 1}, place.kept)


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
