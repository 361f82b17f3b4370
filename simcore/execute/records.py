"""What one process did in a real run: operation after operation, each with its window of logical time.

A window is two ticks of one counter that all threads share, so "A had finished before B began" is exact and
needs no clock. The effect of an operation lies somewhere in its window.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simcore.kernel.freeze import SuspendedGenerator
from simcore.model import Process
from simcore.model.objects import Task
from simcore.model.operations import Operation


class Cancelled(BaseException):
    """Ends a thread of a run that is over; no model sees it."""


@dataclass(frozen=True, slots=True)
class Record:
    """One operation that was performed.

    Attributes
    ----------
    operation : Operation
        The operation.
    result : object
        What the process was given; a `Raised` for an exception, an `Operation` for a second half.
    start, effect, finish : int
        Ticks: when it began, when it most likely happened, when its result was there.
    began, ended : float
        Seconds since the run began.
    handover : bool
        Whether a worker handed the end of its task to the task's future.
    """

    operation: Operation
    result: Any
    start: int
    effect: int
    finish: int
    began: float
    ended: float
    handover: bool = False

    def __str__(self) -> str:
        return f"{self.began:9.4f} s  {self.operation} -> {self.result}"


@dataclass(eq=False)
class Actor:
    """A process of the model while it runs: the thread's notes, read by the watcher under the run's lock.

    Attributes
    ----------
    status : str
        "active" (it has something to do), "idle" (a worker without a task), "done" or "failed".
    pending : Operation, optional
        The operation that it is in; None while its own code runs.
    at_gate : bool
        Whether it has not begun that operation because it is not its turn.
    granted : object
        The step of the schedule that it is performing.
    handover : bool
        Whether the pending operation is a worker's last one of a task.
    """

    process: Process
    status: str = "active"
    pending: Operation | None = None
    at_gate: bool = False
    granted: Any = None
    handover: bool = False
    start: int = 0
    began: float = 0.0
    effect: int | None = None
    task: Task | None = None
    generator: SuspendedGenerator | None = None
    outcome: Any = None
    records: list[Record] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.status in ("done", "failed")

    @property
    def owes(self) -> bool:
        """Whether the run cannot be complete before it has ended."""
        if self.process.pool is not None:
            return self.task is not None
        return not self.process.daemon and not self.over
