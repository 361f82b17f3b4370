"""A state as people and properties see it: values by name, and what each process is about to do.

The kernel makes one from its integers, a real run makes one from its live objects; the wait-for graph, the
reports and the properties are written against this view and know neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from simcore.errors import ModelError
from simcore.model.listing import listed
from simcore.model.model import Model, Process
from simcore.model.objects import Condition, Future, PoolValue, Task
from simcore.model.operations import Operation, SharedObject, Value

Status = Literal["enabled", "blocked", "idle", "done", "failed"]


@listed(without="mentions must_finish objects submits worker_of")
@dataclass(frozen=True)
class ProcessState:
    """One process in one state.

    Attributes
    ----------
    status : str
        "enabled", "blocked", "done" (returned), "failed" (died of an exception it did not catch), or
        "idle" for a pool worker without a task.
    operation : Operation, optional
        What it is about to do.
    task : Task, optional
        The task that a pool worker runs.
    where : str
        Function, file and line.
    result : object
        What it returned, or the `Raised` it died of.
    objects, mentions, submits
        What its state can reach, the names its code may call, and those of what it submits.
    """

    process: Process
    status: Status
    operation: Operation | None = None
    task: Task | None = None
    where: str = ""
    result: Any = None
    objects: frozenset[SharedObject] = frozenset()
    mentions: frozenset[str] = frozenset()
    submits: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The process's name."""
        return self.process.name

    @property
    def done(self) -> bool:
        """Whether it has returned."""
        return self.status == "done"

    @property
    def blocked(self) -> bool:
        """Whether it waits; an idle worker does not."""
        return self.status == "blocked"

    @property
    def owes(self) -> bool:
        """Whether it must still finish: a process that is not a daemon and was started, or a worker inside a task."""
        if self.process.pool is not None:
            return self.task is not None and self.status != "failed"
        begun = self.operation is None or not self.operation.rests
        return not self.process.daemon and begun and self.status != "done"

    @property
    def what(self) -> str:
        """The task of a worker, or the name of the process."""
        return str(self.task) if self.task is not None else self.name

    @property
    def must_finish(self) -> bool:
        """Whether it owes, or did before it had finished."""
        return self.task is not None if self.process.pool is not None else not self.process.daemon

    @property
    def worker_of(self) -> str:
        """The name of the pool whose worker it is; empty when it is none."""
        return "" if self.process.pool is None else self.process.pool.name

    @property
    def failure(self) -> str:
        """What it died of, and where; empty unless it has failed."""
        if self.status != "failed":
            return ""
        return f"{self.what} died of {self.result}" + (f" at {self.where}" if self.where else "")


@dataclass
class Watched:
    """What properties have looked at: objects, processes, which futures there are, or everything.

    Attributes
    ----------
    parts : set of (Process, str)
        Of the processes, by itself or among all of them, what was looked at: a field of its `ProcessState`.
    made : bool
        Whether the value of a future that a submit has made was.
    """

    objects: set[SharedObject] = field(default_factory=set)
    processes: set[Process] = field(default_factory=set)
    futures: bool = False
    everything: bool = False
    parts: set[tuple[Process, str]] = field(default_factory=set)
    made: bool = False

    def add(self, other: Watched) -> None:
        """Add what others have looked at."""
        self.objects |= other.objects
        self.processes |= other.processes
        self.parts |= other.parts
        self.futures, self.everything = self.futures or other.futures, self.everything or other.everything
        self.made = self.made or other.made

    @property
    def version(self) -> int:
        """Grows with what is watched."""
        return len(self.objects) + len(self.processes) + self.futures + self.everything


class _WatchedValues(Mapping[SharedObject, Value]):
    """Values, and a record of whose were looked at."""

    def __init__(self, values: Mapping[SharedObject, Value], watched: Watched) -> None:
        self._values, self._watched = values, watched

    def __getitem__(self, thing: SharedObject) -> Value:
        if thing.index >= 0:
            self._watched.objects.add(thing)
        else:  # a future that a submit has made: the next one of its name is another
            self._watched.everything = self._watched.made = True
        return self._values[thing]

    def __iter__(self) -> Iterator[SharedObject]:
        self._watched.futures = True
        return iter(self._values)

    def __len__(self) -> int:
        self._watched.futures = True
        return len(self._values)


_FIELDS = frozenset(field.name for field in fields(ProcessState)) - {"process"}


class _WatchedProcess(ProcessState):
    """A process, and a record of what of it was looked at.

    Whoever takes it apart some other way than by its fields (``vars``, ``copy``, ``pickle``) has looked at all of them,
    and gets the process itself.
    """

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return ProcessState
        if name in _FIELDS:
            seen, watched = object.__getattribute__(self, "_seen")
            watched.parts.add((seen.process, name))
            return getattr(seen, name)
        if name.startswith("__") and name not in ("__eq__", "__hash__"):
            seen, watched = object.__getattribute__(self, "_seen")
            watched.parts |= {(seen.process, part) for part in _FIELDS}
            return getattr(seen, name)
        return object.__getattribute__(self, name)


def _watched(process: ProcessState, watched: Watched) -> ProcessState:
    seen = object.__new__(_WatchedProcess)
    object.__setattr__(seen, "__dict__", {"process": process.process, "_seen": (process, watched)})
    return seen


@listed(without="task_of value_of")
class State:
    """A state of a model.

    ``state["map_lock"]`` is the value of an object, ``state.process("frame[0]")`` a `ProcessState`.

    Parameters
    ----------
    model : Model
        Whose state it is.
    values : mapping
        Value of each object; futures made by submits included.
    processes : function
        Position of a process in the model to its `ProcessState`; asked when it is needed.
    watched : Watched, optional
        Where to keep what is looked at.
    """

    def __init__(
        self,
        model: Model,
        values: Mapping[SharedObject, Value],
        processes: Callable[[int], ProcessState],
        watched: Watched | None = None,
    ) -> None:
        self.model = model
        self.values = values if watched is None else _WatchedValues(values, watched)
        self._names = values
        self._process = processes
        self._watched = watched

    def __getitem__(self, name: str) -> Any:
        return self.values[self._object(name)]

    def of(self, process: ProcessState, name: str) -> Any:
        """Return the value of an object that belongs to a process: ``name`` has {} in place of the process's.

        For properties of a whole family, ``all(state.of(p, "inbox of {}") == () for p in state.processes ...)``.
        """
        return self[name.format(process.name)]

    def _object(self, name: str) -> SharedObject:
        for thing in self._names:
            if thing.name == name and thing.kind != "local":
                return thing
        if self._watched is not None:  # it may be there when there are other futures
            self._watched.futures = True
        raise ModelError(f"model {self.model.name!r} has no object called {name!r}; it has {_names(self._names)}")

    def value_of(self, thing: SharedObject) -> Value:
        """Return the value that operations on ``thing`` are about: a condition has none but its lock's."""
        return self.values.get(thing.lock if isinstance(thing, Condition) else thing)

    def process(self, name: object) -> ProcessState:
        """Return one process by its name."""
        for process in self.model.processes:
            if process.name == str(name):
                if self._watched is not None:
                    self._watched.processes.add(process)
                return self._at(process.index)
        names = _names(self.model.processes)
        raise ModelError(f"model {self.model.name!r} has no process called {str(name)!r}; it has {names}")

    def _at(self, position: int) -> ProcessState:
        process = self._process(position)
        return process if self._watched is None else _watched(process, self._watched)

    @property
    def processes(self) -> list[ProcessState]:
        """All processes, in the order of the model."""
        if self._watched is not None:
            self._watched.everything = True
        return [self._at(process.index) for process in self.model.processes]

    @property
    def deadlocked(self) -> bool:
        """Whether no process can take a step although one of them must still finish."""
        states = self.processes
        return not any(p.status == "enabled" for p in states) and any(p.owes for p in states)

    def task_of(self, future: Future) -> tuple[Process | SharedObject, Task] | None:
        """Return where the task that will set ``future`` is: on a worker, or in a pool's queue."""
        for state in self.processes:
            if state.task is not None and state.task.future is future:
                return state.process, state.task
        for thing, value in self.values.items():
            if isinstance(value, PoolValue):
                for task in value.tasks:
                    if task.future is future:
                        return thing, task
        return None

    def __str__(self) -> str:
        values = [f"{thing}: {thing.show(value)}" for thing, value in self.values.items() if thing.kind != "local"]
        return "; ".join(values)

    def __repr__(self) -> str:
        return f"<State of {self.model.name!r}>"  # its values are looked at by who wants them


def _names(things: Any) -> str:
    return ", ".join(sorted(thing.name for thing in things)) or "none"
