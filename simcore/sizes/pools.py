"""A pool that is repaired differs from a thread pool in one rule, and is one in everything else."""

from __future__ import annotations

from typing import Any, ClassVar

from simcore.errors import ModelError
from simcore.model.objects import Future, PoolValue, ThreadPool
from simcore.model.operations import BLOCKED, Operation, Outcome, Outcomes, Raised


class CallerRunsPool(ThreadPool):
    """A pool whose workers run at once, themselves, what they submit to it.

    As `ThreadPoolExecutor.CallerRunsPolicy` of Java does once the queue is full, and as code does that asks whether it
    is in a thread of the pool already. The future is the submit's, set by who has run the call.
    """

    creates: ClassVar = frozenset({"submit", "promise"})
    begins: ClassVar = frozenset({"take", "promise"})
    phrases: ClassVar = {**ThreadPool.phrases, "promise": "runs {0}({1}) itself, in place of submitting it to {at}"}

    def promise(self, fn: Any, *args: Any) -> Operation:
        """Make the future of a call that the process is about to run itself.

        Raises RuntimeError in the process when the pool is shut down, as a submit does.
        """
        return Operation(self, "promise", (fn, args))

    def do_promise(self, value: PoolValue, process: Any, fn: Any, args: tuple[Any, ...], future: Any) -> Outcomes:
        submitted = self.do_submit(value, process, fn, args, future)
        return submitted if value.shut else (Outcome(value, future),)

    def begun(self, operation: Operation, result: Any) -> Any:
        """Return the function whose call begins: the worker's that runs it itself, too."""
        runs = operation.name == "promise" and not isinstance(result, Raised)
        return operation.args[0] if runs else super().begun(operation, result)


class CancellingPool(ThreadPool):
    """A pool whose queued tasks can be cancelled by their future, as `concurrent.futures.Future.cancel` does."""

    phrases: ClassVar = {**ThreadPool.phrases, "cancel": "cancels a task of {at}, if nobody has taken it"}

    def cancel(self, future: Future) -> Operation:
        """Take the task of ``future`` from the queue. The result is False when it is not there: a worker has it."""
        return Operation(self, "cancel", (future,))

    def do_cancel(self, value: PoolValue, process: Any, future: Future) -> Outcomes:
        left = tuple(task for task in value.tasks if task.future is not future)
        return (Outcome(value._replace(tasks=left), len(left) < len(value.tasks)),)


class ReservingPool(ThreadPool):
    """A pool whose last worker takes only tasks that tasks of the pool have submitted: it is reserved for them."""

    interchangeable = False

    def __init__(self, name: str, workers: int) -> None:
        super().__init__(name, workers)
        if workers < 2:
            raise ModelError(f"pool {name!r} has one worker; were it reserved, nobody would take a task from outside")

    def do_take(self, value: PoolValue, process: Any) -> Outcomes:
        """Take the next task; the reserved worker, the next that was submitted from inside."""
        if process.name != f"{self.name}[{self.workers - 1}]":
            return super().do_take(value, process)
        inside = [number for number, task in enumerate(value.tasks) if from_inside(task.fn)]
        for number in inside[:1]:
            rest = (*value.tasks[:number], *value.tasks[number + 1 :])
            return (Outcome(value._replace(tasks=rest), value.tasks[number]),)
        return BLOCKED if value.tasks else super().do_take(value, process)


def from_inside(fn: Any) -> bool:
    """Tell whether a submitted function is marked as submitted by a task of the same pool."""
    return getattr(fn, "from_inside", False) is True
