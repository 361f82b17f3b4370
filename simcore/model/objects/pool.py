"""A thread pool is one first-in-first-out queue of tasks, a number of workers, and a future per submit.

The value is the queue. The workers are processes: an idle worker's operation is ``take``, and while it runs
a task its operations are the task's. A task that waits for another task of the same pool therefore holds
the worker that the other one may need, which is what this project is about.

Two habits of CPython 3.11 to 3.15 are part of it, though no documentation tells of them. ``shutdown(wait=True)`` joins
the threads in the order in which a set has them; a worker that shuts its own pool down waits for as many others as come
before it there, none or all, and is then told "cannot join current thread". And a worker dies of a future that somebody
has set by hand, and nobody takes its place: of RuntimeError where it takes the task, which then never begins, and of
InvalidStateError where it cannot hand over what the task has returned. A task is taken and begun in one step here; in
CPython others may come in between, which makes a difference only to who sets the future by hand because of them.
"""

from __future__ import annotations

import inspect
from typing import Any, ClassVar, NamedTuple, cast

from simcore.errors import ModelError
from simcore.model.operations import (
    BLOCKED,
    Ends,
    Operation,
    Outcome,
    Outcomes,
    Raised,
    SharedObject,
    Value,
    pairs,
    plain,
)


class Task(NamedTuple):
    """A submitted call. ``future`` is None once nobody is left who could ask for its result.

    Once it has returned, nobody reads any more what was called: then ``fn`` is None, and there are no arguments.
    """

    fn: Any
    args: tuple[Any, ...]
    future: Any

    def __str__(self) -> str:
        if self.fn is None:
            return "a task that has returned"
        return f"{plain(self.fn)}({plain(self.args)})"


class PoolValue(NamedTuple):
    """Tasks in the queue, whether it is shut down, and how many workers have left because of that."""

    tasks: tuple[Task, ...] = ()
    shut: bool = False
    left: int = 0


LEAVE = "leave"
"""What a worker takes from the empty queue of a pool that is shut down."""


class ThreadPool(SharedObject):
    """`concurrent.futures.ThreadPoolExecutor`.

    Parameters
    ----------
    name : str
        Its name; its workers are called ``name[0]``, ``name[1]``, ...
    workers : int
        Number of workers, at least 1.
    """

    kind = "pool"
    creates: ClassVar = frozenset({"submit"})
    enabled_by: ClassVar = {"take": frozenset({"submit", "shutdown"}), "join": frozenset({"take", "die"})}
    commutes: ClassVar = pairs(("submit", "take"))
    phrases: ClassVar = {
        "submit": "submits {0}({1}) to {at}",
        "take": "takes the next task of {at}",
        "shutdown": "shuts {at} down",
        "die": "dies, as the future of its task was set already",
    }
    waits: ClassVar = {
        "take": Ends("for a task of {at}", "submit to it", "submits to it", "submitted to it"),
        "join": Ends("for every worker of {at} to leave", "leave it", "leaves it", "left it"),
    }
    spelled: ClassVar = {"join": "shutdown"}
    interchangeable: ClassVar[bool] = True
    """Whether it is the same which of its workers takes a task."""
    begins: ClassVar[frozenset[str]] = frozenset({"take"})
    """Operations with which a call begins, that then takes its time."""

    def __init__(self, name: str, workers: int) -> None:
        super().__init__(name)
        if not isinstance(workers, int) or workers < 1:
            raise ModelError(f"thread pool {name!r}: at least 1 worker, not {workers!r}")
        self.workers = workers

    @property
    def initial(self) -> PoolValue:
        """Empty and open."""
        return PoolValue()

    def submit(self, fn: Any, *args: Any) -> Operation:
        """Queue a call of the generator function ``fn``. The result is its future.

        Raises RuntimeError in the process when the pool is shut down.
        """
        if inspect.isgenerator(fn) or not callable(fn):
            raise ModelError(
                f"{self.name}.submit({fn!r}): submit takes a generator function and its arguments, "
                f"not {'a running generator' if inspect.isgenerator(fn) else 'a ' + type(fn).__name__}; "
                f"write {self.name}.submit(fn, *args)"
            )
        return Operation(self, "submit", (fn, args))

    def do_submit(self, value: PoolValue, process: Any, fn: Any, args: tuple[Any, ...], future: Any) -> Outcomes:
        if value.shut:
            return (Outcome(value, Raised(RuntimeError, ("cannot schedule new futures after shutdown",))),)
        return (Outcome(value._replace(tasks=(*value.tasks, Task(fn, args, future))), future),)

    def begun(self, operation: Operation, result: Any) -> Any:
        """Return the function whose call begins where ``operation`` gives ``result``; None where none does."""
        return result.fn if isinstance(result, Task) else None

    @property
    def taking(self) -> Operation:
        """What an idle worker does; no process can ask for it."""
        return Operation(self, "take")

    def do_take(self, value: PoolValue, process: Any) -> Outcomes:
        if value.tasks:
            return (Outcome(value._replace(tasks=value.tasks[1:]), value.tasks[0]),)
        return (Outcome(value._replace(left=value.left + 1), LEAVE),) if value.shut else BLOCKED

    def shutdown(self, wait: bool = True) -> Operation:
        """Refuse further submits; with ``wait``, wait until the queue is empty and every worker has left."""
        return Operation(self, "shutdown", (wait,))

    def do_shutdown(self, value: PoolValue, process: Any, wait: bool) -> Outcomes:
        shut = value._replace(shut=True)
        if not wait:
            return (Outcome(shut),)
        if process.pool is not self:
            return (Outcome(shut, Operation(self, "join")),)
        return tuple(Outcome(shut, Operation(self, "join", (before,))) for before in range(self.workers))

    def do_join(self, value: PoolValue, process: Any, before: int | None = None) -> Outcomes:
        if value.left < (self.workers if before is None else before):
            return BLOCKED
        told = None if before is None else Raised(RuntimeError, ("cannot join current thread",))
        return (Outcome(value, told),)

    @property
    def dying(self) -> Operation:
        """What a worker does whose task had its future set by someone else: it ends, and its thread with it."""
        return Operation(self, "die")

    def do_die(self, value: PoolValue, process: Any) -> Outcomes:
        return (Outcome(value._replace(left=value.left + 1), LEAVE),)

    def standing(self, value: Value, operation: Operation) -> str:
        """How many workers have left a pool that is shut down."""
        return f"{cast(PoolValue, value).left} of {self.workers} have left" if operation.name == "join" else ""

    def show(self, value: Value) -> str:
        tasks, shut, _ = cast(PoolValue, value)
        return f"[{', '.join(map(str, tasks))}]" + (" shut down" if shut else "")
