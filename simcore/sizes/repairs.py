"""A repaired model is built by the same function, and differs from it in one pool alone.

A model says nothing about where it can be repaired. Its function is called once more, and `Model(...)` makes a
`Repaired` there (`made_as`): that hands out another pool under the same name, and runs each process, and each task that
one submits, through `passed_on`, which passes every operation on as it is but submits to that pool. What a process
does between two operations is its own code, untouched, and what it is given is what an operation gave.

Rejected: to change closures, so that a process finds another pool where it looks for this one (a pool may be in a
named tuple, a dict or a global, too); a list in the model of what may be repaired, which nobody keeps up to date.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from simcore.errors import ModelError, OptionError, SimcoreError
from simcore.model import (
    Model,
    Origin,
    Parameter,
    ProcessFunction,
    build,
    check_numbers,
    made_as,
    replaced,
)
from simcore.model.objects import Event, Semaphore, ThreadPool
from simcore.model.operations import Operation, ProcessGenerator, Raised, plain
from simcore.sizes.pools import CallerRunsPool, CancellingPool, ReservingPool
from simcore.sizes.retries import Asked, retry, waited_for

KINDS = {
    "size": "{size} worker{s}",
    "levels": "a pool for each of {size} level{s}",
    "bound": "at most {size} root{s} at once",
    "reserve": "a worker reserved for inner tasks",
    "caller": "run in the caller",
    "retry": "time-out with retry",
    "count": "{size} worker{s} and as many permits",
    "none": "no change",
}
"""What is changed, in words; ``size`` is the number of workers, of levels, or of roots at once.

The last two are no repairs: what comes of counting is how many tasks there can be at once, and of no change nothing.
"""

OUTSIDE = -1
"""Where a process is that is no task of the pool; a task is at its level, 0 for one submitted from outside."""


BY_NAME = "simcore.sizes:repaired"
"""What builds a repaired model from names."""


class Repair(NamedTuple):
    """One change of one pool.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    pool : str
        The pool's name.
    size : int
        The number that the kind has; 1 where it has none.
    """

    kind: str
    pool: str
    size: int = 1

    def __str__(self) -> str:
        return KINDS[self.kind].format(size=self.size, s="s" * (self.size != 1))


@dataclass(frozen=True)
class Change:
    """What a repair does in place of submits, as processes know it.

    Attributes
    ----------
    pool : ThreadPool
        The pool that is repaired.
    levels : tuple of ThreadPool
        The pool of each level, where that is the repair; else of one.
    permits : Semaphore, optional
        Where roots are bounded: one for each that there may be at once. Where tasks are counted: for each worker.
    more : Event, optional
        Where tasks are counted: set once there is one more than permits.
    """

    kind: str
    pool: ThreadPool
    levels: tuple[ThreadPool, ...]
    permits: Semaphore | None = None
    more: Event | None = None

    def follow(
        self, _driven: ProcessGenerator, operation: Operation, at: int, asked: tuple[Asked, ...]
    ) -> ProcessGenerator:
        """Do ``operation`` of a process, or what comes in its place.

        Parameters
        ----------
        at : int
            The level of the task that it is, or `OUTSIDE`.
        asked : tuple of Asked
            The inner tasks that it may submit again.

        Returns
        -------
        tuple of (object, tuple of Asked)
            What the process is given, and the inner tasks from now on.
        """
        if operation.name != "submit":
            return (yield from self._wait(_driven, operation, asked))
        future = yield from self._submit(_driven, operation, at)
        if self.kind == "retry" and at != OUTSIDE and operation.target is self.pool:
            fn, args = operation.args
            asked = (*asked, Asked(future, driven(fn, self, at), args, future))
        return future, asked

    def _wait(self, _driven: ProcessGenerator, operation: Operation, asked: tuple[Asked, ...]) -> ProcessGenerator:
        number = waited_for(operation, asked)
        if number is None:
            return (yield operation), asked
        assert isinstance(self.pool, CancellingPool)
        replaced(operation)
        given, one = yield from retry(_driven, self.pool, operation, asked[number])
        return given, (*asked[:number], one, *asked[number + 1 :])

    def _submit(self, _driven: ProcessGenerator, operation: Operation, at: int) -> ProcessGenerator:
        """Do what the repair does in place of a submit of a process that is ``at`` a level, or `OUTSIDE`.

        ``_driven`` is for reports, which look for the process's own code there.
        """
        replaced(operation)
        fn, args = operation.args
        if operation.target is not self.pool:
            return (yield Operation(operation.target, "submit", (driven(fn, self, OUTSIDE), args)))
        if at == OUTSIDE or self.more is not None:
            return (yield from self._admit(_driven, fn, args))
        if self.kind == "caller":
            return (yield from self._run_here(_driven, fn, args, at))
        deeper = min(at + 1, len(self.levels) - 1)
        inner = driven(fn, self, deeper, inside=self.kind == "reserve")
        return (yield Operation(self.levels[deeper], "submit", (inner, args)))

    def _admit(self, _driven: ProcessGenerator, fn: Any, args: tuple[Any, ...]) -> ProcessGenerator:
        """Submit a root: where roots are bounded, once there is a permit, which its task gives back.

        Where tasks are counted, submit any of them, and tell when there was no permit for it.
        """
        root = Operation(self.pool, "submit", (driven(fn, self, 0, permits=self.permits), args))
        if self.permits is None:
            return (yield root)
        if not (yield self.permits.acquire(blocking=self.more is None)) and self.more is not None:
            yield self.more.set()
        try:
            return (yield root)
        except RuntimeError:  # it is shut down: no task will give the permit back
            yield self.permits.release()
            raise

    def _run_here(self, _driven: ProcessGenerator, fn: Any, args: tuple[Any, ...], at: int) -> ProcessGenerator:
        """Run a task of the pool in the worker that submits it, and set its future as a worker would."""
        future = yield Operation(self.pool, "promise", (fn, args))
        result = raised = None
        try:
            result = yield from driven(fn, self, at)(*args)
        except (SimcoreError, GeneratorExit):
            raise
        except BaseException as error:  # whatever it is, a worker hands it over
            raised = Raised.of(error)
        yield future.set_result(result) if raised is None else future.set_exception(raised)
        return future


class Repaired(Model):
    """A model with one pool repaired, made where its function makes a `Model`."""

    repair: ClassVar[Repair]
    change: Change | None = None
    """What was changed, once the function has made the pool."""

    def thread_pool(self, name: str, workers: int) -> ThreadPool:
        """Add a pool, and where it is the one to be repaired what the repair adds to it."""
        kind, repaired_one, size = self.repair
        if name != repaired_one:
            return super().thread_pool(name, workers)
        pool = self._add_pool(_POOLS.get(kind, ThreadPool)(name, size if kind in ("size", "count") else workers))
        deeper = range(1, size if kind == "levels" else 1)
        levels = (pool, *(super(Repaired, self).thread_pool(level_name(name, level), workers) for level in deeper))
        permits = self.semaphore(f"roots of {name}", size) if kind in ("bound", "count") else None
        more = self.event(more_than(name)) if kind == "count" else None
        self.change = Change(kind, pool, levels, permits, more)
        return pool

    def drive(self) -> None:
        """Let each process do what the repair does in place of its submits."""
        functions: dict[int, ProcessFunction] = {}
        for process in self.processes:
            if process.fn is not None and self.change is not None and self.repair.kind != "size":
                fn = functions.setdefault(id(process.fn), driven(process.fn, self.change, OUTSIDE))
                object.__setattr__(process, "fn", fn)  # as if the function had given it


_POOLS: dict[str, type[ThreadPool]] = {"caller": CallerRunsPool, "reserve": ReservingPool, "retry": CancellingPool}


def driven(
    fn: Any, change: Change, at: int, *, inside: bool = False, permits: Semaphore | None = None
) -> ProcessFunction:
    """Return ``fn`` with its submits changed; for a report it is the same function.

    Parameters
    ----------
    at : int
        The level of the task that runs it, or `OUTSIDE`.
    inside : bool
        Whether it is marked as submitted by a task.
    permits : Semaphore, optional
        Where it gives a permit back at its end.
    """

    def run(*args: Any) -> Any:
        generator = fn(*args) if permits is None else _rooted(fn, args, permits)
        return passed_on(generator, change, at) if isinstance(generator, types.GeneratorType) else generator

    run.__name__ = plain(fn)
    run.__qualname__ = getattr(fn, "__qualname__", run.__name__)
    run.__wrapped__ = fn  # type: ignore[attr-defined]  # of a lambda, the line is told
    if inside:
        run.from_inside = True  # type: ignore[attr-defined]
    return run


def passed_on(_driven: ProcessGenerator, change: Change, at: int) -> ProcessGenerator:
    """Run a generator: yield what it yields, but for its submits, and give or throw to it what comes back.

    At each yield its variables are what follows from the generator's own state and its operation, so two program
    points are one here where they are one there.
    """
    given = thrown = None
    asked: tuple[Asked, ...] = ()
    while True:
        try:
            operation = _driven.send(given) if thrown is None else _driven.throw(thrown)
        except StopIteration as ended:
            return ended.value
        given = thrown = None
        try:
            if isinstance(operation, Operation) and (asked or operation.name == "submit"):
                given, asked = yield from change.follow(_driven, operation, at, asked)
            else:
                given = yield operation
        except BaseException as error:  # given to the process outside of this block, as it handles none yet
            thrown = error


def _rooted(fn: Any, args: tuple[Any, ...], permits: Semaphore) -> ProcessGenerator:
    """Run a root, and give its permit back, however it ends."""
    try:
        return (yield from fn(*args))
    finally:
        yield permits.release()


def level_name(pool: str, level: int) -> str:
    """Return what the pool of a level is called; that of the first one has the pool's own name."""
    return f"{pool}, level {level}" if level else pool


def more_than(pool: str) -> str:
    """Return what the event is called that is set once a pool has more tasks than there are permits."""
    return f"more tasks of {pool} than permits"


def rebuild(builder: Callable[[], Model], repair: Repair) -> Repaired:
    """Return the model that ``builder`` builds, repaired.

    Raises
    ------
    ModelError
        When it makes no pool of that name, or keeps a model and returns it again, or the repair cannot be made there.
    """
    kind: type[Repaired] = type("Repaired", (Repaired,), {"repair": repair})
    with made_as(kind):
        model = builder()
    if not isinstance(model, kind):
        if isinstance(model, Repaired):
            raise ModelError(f"{model.name} is repaired already, and repairs are not combined; repair the model itself")
        raise ModelError(f"{model.name}: its function returns a model that was built before; build one in each call")
    if model.change is None:
        pools = ", ".join(pool.name for pool, _ in model.pools()) or "none"
        raise ModelError(f"{model.name} has no pool {repair.pool!r}; it has {pools}")
    model.drive()
    return model


def repaired(*, of_model: str, by_kind: str, in_pool: str, to_size: int = 1, **parameters: Parameter) -> Model:
    """Build a model with one pool repaired, by name: so tokens of repaired models replay, and every command takes one.

    Parameters
    ----------
    of_model : str
        The model, as ``package.module:function``.
    by_kind : str
        size, levels, bound, reserve, caller or retry.
    in_pool : str
        The pool that is repaired.
    to_size : int
        Its workers, the number of levels, or of roots at once.
    **parameters : int, float, str, bool or None
        Of the model.

    Raises
    ------
    OptionError
        When there is no such kind of repair, or the size is none.
    ModelError
        When the model cannot be built, or has no such pool.
    """
    if by_kind not in KINDS:
        raise OptionError(f"by_kind={by_kind!r}: there is {', '.join(KINDS)}")
    check_numbers(whole=True, none=False, to_size=to_size)
    return rebuild(lambda: build(Origin(of_model, parameters)), Repair(by_kind, in_pool, to_size))


def origin_of(model: Origin | None, repair: Repair) -> Origin | None:
    """Return what builds a repaired model again from a name; None where the model itself has none."""
    if model is None:
        return None
    own: dict[str, Parameter] = {
        "of_model": model.function,
        "by_kind": repair.kind,
        "in_pool": repair.pool,
        "to_size": repair.size,
    }
    if own.keys() & model.parameters.keys():
        return None
    return Origin(BY_NAME, {**own, **model.parameters})
