"""A model names its objects and processes once, and holds no state: it is the program, not a run of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Literal, Self, TypeVar
from zlib import crc32

from simcore.errors import ModelError
from simcore.model.listing import listed
from simcore.model.objects import (
    LOCAL,
    Condition,
    Event,
    Future,
    Link,
    Lock,
    Queue,
    RLock,
    Semaphore,
    ThreadPool,
    Timer,
    Variable,
)
from simcore.model.operations import ProcessGenerator, SharedObject, Value
from simcore.model.origin import Origin
from simcore.model.pictured import Pictured

ProcessFunction = Callable[..., ProcessGenerator]

_SharedObject = TypeVar("_SharedObject", bound=SharedObject)


@dataclass(eq=False, frozen=True)
class Process:
    """A named process: a generator function with its arguments, or a worker of a pool.

    Attributes
    ----------
    daemon : bool
        Whether the system may end while this process has not: a server loop, a heartbeat.
    pool : ThreadPool, optional
        The pool of which this is a worker. A worker has no function of its own; it runs tasks.
    """

    name: str
    index: int
    fn: ProcessFunction | None = None
    args: tuple[Any, ...] = ()
    daemon: bool = False
    pool: ThreadPool | None = None

    def __str__(self) -> str:
        return self.name

    __repr__ = __str__


class Index:
    """One of several interchangeable names: it can be compared for equality, and nothing else.

    Because no process can tell two of them apart, a permutation of them is a symmetry of the model. After
    the scalarsets of Ip and Dill (1996).
    """

    __slots__ = ("_hash", "family", "position")

    def __init__(self, family: str, position: int) -> None:
        self.family, self.position = family, position
        self._hash = crc32(str(self).encode())

    def __hash__(self) -> int:
        """Return what is the same in every process, so that a set of them has the same order."""
        return self._hash

    def __str__(self) -> str:
        return f"{self.family}[{self.position}]"

    __repr__ = __str__

    def _refuse(self, *_: object) -> Any:
        raise ModelError(
            f"{self}: the names that model.indices() gives are interchangeable, so they have no order and no "
            f"arithmetic; compare them with == only, or use plain integers and give up the symmetry"
        )

    __lt__ = __le__ = __gt__ = __ge__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse
    __mod__ = __rmod__ = __floordiv__ = __truediv__ = __neg__ = __int__ = __index__ = __float__ = __bool__ = _refuse


@listed(without="conditions families named pools")
@dataclass(eq=False)
class Model(Pictured):
    """The objects and processes of a system.

    A model is built by a function of keyword parameters that returns it; that function and its parameters
    are remembered (`origin`), so that a replay token can build the model again.

    Parameters
    ----------
    name : str
        A few words for reports.
    """

    name: str
    objects: list[SharedObject] = field(default_factory=lambda: [LOCAL], init=False)
    processes: list[Process] = field(default_factory=list, init=False)
    families: dict[str, tuple[Index, ...]] = field(default_factory=dict, init=False)
    origin: Origin | None = field(default=None, init=False)
    _names: set[str] = field(default_factory=set, init=False, repr=False)

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Make a model, or what `made_as` says is to be made in its place."""
        kind = _KIND.get() if cls is Model else None
        return super().__new__(cls if kind is None else kind)  # type: ignore[return-value]

    def __post_init__(self) -> None:
        self.origin = _origin(sys._getframe(2))  # __post_init__ <- the generated __init__ <- the builder

    @property
    def named(self) -> list[SharedObject]:
        """The objects that the model's function has made."""
        return [thing for thing in self.objects if thing is not LOCAL]

    def __str__(self) -> str:
        objects = [f"{thing.name} ({thing.kind})" for thing in self.named]
        processes = [f"{each.name}{' (daemon)' * each.daemon}" for each in self.processes if each.pool is None]
        processes += [f"{len(workers)} workers of {pool.name}" for pool, workers in self.pools()]
        lines = [with_parameters(self.name, self.origin)]
        lines += [f"  objects: {_some(objects)}", f"  processes: {_some(processes)}"]
        return "\n".join(lines)

    def lock(self, name: str) -> Lock:
        """Add a `Lock`."""
        return self._add(Lock(name))

    def rlock(self, name: str) -> RLock:
        """Add a re-entrant lock."""
        return self._add(RLock(name))

    def event(self, name: str) -> Event:
        """Add an `Event`, not set."""
        return self._add(Event(name))

    def condition(self, name: str, lock: Lock | None = None) -> Condition:
        """Add a `Condition` on ``lock``, or on a re-entrant lock of its own."""
        self._check(name)
        condition = Condition(name, lock if lock is not None else self._add(RLock(f"{name}.lock")))
        if not self._has(condition.lock):
            raise ModelError(f"condition {name!r}: its lock {condition.lock} belongs to another model")
        condition.index = condition.lock.index
        self.conditions.append(condition)
        self._names.add(name)
        return condition

    conditions: list[Condition] = field(default_factory=list, init=False, repr=False)

    def semaphore(self, name: str, n: int = 1) -> Semaphore:
        """Add a `Semaphore` with ``n`` permits."""
        return self._add(Semaphore(name, n))

    def future(self, name: str) -> Future:
        """Add a `Future`, pending."""
        return self._add(Future(name))

    def queue(self, name: str, capacity: int | None = None) -> Queue:
        """Add an empty `Queue`."""
        return self._add(Queue(name, capacity))

    def thread_pool(self, name: str, workers: int) -> ThreadPool:
        """Add a `ThreadPool` and its workers, which are processes called ``name[0]``, ``name[1]``, ..."""
        return self._add_pool(ThreadPool(name, workers))

    def _add_pool(self, pool: ThreadPool) -> ThreadPool:
        self._add(pool)
        for number in range(pool.workers):
            self._add_process(f"{pool.name}[{number}]", daemon=True, pool=pool)
        return pool

    def link(
        self,
        name: str,
        capacity: int = 64,
        *,
        unit: Literal["frames", "bytes"] = "frames",
        latency: float = 0.0,
        bandwidth: float | None = None,
    ) -> Link:
        """Add an open, empty `Link`."""
        return self._add(Link(name, capacity, unit=unit, latency=latency, bandwidth=bandwidth))

    def timer(self, name: str, interval: float, fn: ProcessFunction, *args: Any, daemon: bool = False) -> Timer:
        """Add a `Timer` that runs ``fn(*args)`` ``interval`` seconds after it was started.

        Once started it is a thread like any other: it must end, as what it runs must, unless it is a ``daemon``.
        """
        timer = self._add(Timer(name, interval))
        self.process(f"{name}.run", timer.run, fn, args, daemon=daemon)
        return timer

    def variable(self, name: str, value: Value = None) -> Variable:
        """Add a `Variable` that holds ``value``."""
        return self._add(Variable(name, value))

    def process(self, name: str | Index, fn: ProcessFunction, *args: Any, daemon: bool = False) -> Process:
        """Add a process that runs ``fn(*args)``.

        Raises
        ------
        ModelError
            When the name is taken, or ``fn`` is not a function (a running generator, say).
        """
        if not callable(fn):
            raise ModelError(
                f"process {str(name)!r}: pass the generator function and its arguments, "
                f"model.process(name, fn, *args), not {fn!r}"
            )
        return self._add_process(str(name), fn=fn, args=args, daemon=daemon)

    def indices(self, family: str, n: int) -> tuple[Index, ...]:
        """Return ``n`` interchangeable names ``family[0]``, ``family[1]``, ... (see `Index`)."""
        if family in self.families:
            raise ModelError(f"indices {family!r}: the family exists already; keep the tuple that was returned first")
        if not isinstance(n, int) or n < 0:
            raise ModelError(f"indices {family!r}: a number of names is at least 0, not {n!r}")
        self.families[family] = tuple(Index(family, position) for position in range(n))
        return self.families[family]

    def pools(self) -> Iterator[tuple[ThreadPool, tuple[Process, ...]]]:
        """Yield each pool with its workers."""
        teams: dict[ThreadPool, list[Process]] = {thing: [] for thing in self.objects if isinstance(thing, ThreadPool)}
        for process in self.processes:
            if process.pool is not None:
                teams[process.pool].append(process)
        for pool, workers in teams.items():
            yield pool, tuple(workers)

    def _has(self, thing: SharedObject) -> bool:
        return 0 <= thing.index < len(self.objects) and self.objects[thing.index] is thing

    def _add(self, thing: _SharedObject) -> _SharedObject:
        self._check(thing.name)
        thing.index = len(self.objects)
        self.objects.append(thing)
        self._names.add(thing.name)
        return thing

    def _add_process(self, name: str, **how: Any) -> Process:
        self._check(name)
        process = Process(name, len(self.processes), **how)
        self.processes.append(process)
        self._names.add(name)
        return process

    def _check(self, name: str) -> None:
        if not isinstance(name, str) or not name:
            raise ModelError(f"model {self.name!r}: a name is a non-empty text, not {name!r}")
        if name in self._names:  # LOCAL is not there, as nobody has named it
            raise ModelError(f"model {self.name!r}: the name {name!r} is taken; names are unique in a model")


_MOST_NAMED = 12


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join([*names[:_MOST_NAMED], *[f"and {more:,} more"] * (more > 0)]) or "none"


_KIND: ContextVar[type[Model] | None] = ContextVar("what Model(...) makes", default=None)


@contextmanager
def made_as(kind: type[Model]) -> Iterator[None]:
    """Let each ``Model(...)`` inside make a ``kind`` of model: the function of a system then builds a changed one."""
    before = _KIND.set(kind)
    try:
        yield
    finally:
        _KIND.reset(before)


def _origin(frame: FrameType) -> Origin | None:
    """Return which importable model function, with which parameters, is building a model in ``frame``.

    Only a function that says it returns a Model will be called again: a test that builds one on its way must not.
    """
    code = frame.f_code
    if not returns_model(frame.f_globals.get(code.co_qualname)):
        return None
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    parameters = {name: frame.f_locals[name] for name in names}
    if not all(value is None or isinstance(value, int | float | str | bool) for value in parameters.values()):
        return None
    return Origin(f"{frame.f_globals.get('__name__')}:{code.co_qualname}", parameters)


def with_parameters(name: str, origin: Origin | None) -> str:
    """Return the name of a model and the parameters that it was built with, as a report shows them."""
    return f"{name} ({origin.bound})" if origin and origin.parameters else name


def returns_model(function: object) -> bool:
    """Tell whether a function says that it returns a `Model`."""
    return getattr(function, "__annotations__", {}).get("return") in (Model, "Model")
