"""The gate lets one operation of a schedule begin at a time, and compares each with what the kernel says.

An operation whose turn has not come does not begin. Behind the last step the gate is open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

from simcore.errors import Diverged
from simcore.execute.compare import Handles
from simcore.execute.records import Actor
from simcore.kernel import Kernel
from simcore.model.objects import LEAVE, ThreadPool
from simcore.model.operations import Operation
from simcore.schedule import Schedule


class Expected(NamedTuple):
    """One step of the schedule, as the kernel says.

    ``outcome`` counts the operation's outcomes first, then, from ``moves`` on, its time-out's.
    """

    process: int
    name: str
    operation: Operation
    outcome: int
    moves: int
    result: Any
    text: str

    @property
    def takes_from(self) -> ThreadPool | None:
        """The pool, when a worker takes a task."""
        pool = self.operation.target
        return pool if isinstance(pool, ThreadPool) and self.operation.name == "take" else None


class Gate:
    """A schedule, and how far a real run has come in it. Used under the run's lock.

    Parameters
    ----------
    kernel : Kernel
        Says what each step is.
    schedule : Schedule, optional
        None: open from the start.

    Raises
    ------
    Diverged
        When the kernel itself does not offer a step.
    """

    def __init__(self, kernel: Kernel, schedule: Schedule | None) -> None:
        self.steps: list[Expected] = []
        self.turn = 0
        self.handles = Handles()
        self._ends: dict[int, Operation | None] = {}
        if schedule is not None:
            self._expect(kernel, schedule)
        self._of: dict[int, list[int]] = defaultdict(list)
        for number, step in enumerate(self.steps):
            self._of[step.process].append(number)
        self._skip()

    def _expect(self, kernel: Kernel, schedule: Schedule) -> None:
        states = schedule.states(kernel)
        for step, (process, outcome), state in zip(schedule.steps, schedule.path(kernel), states, strict=False):
            operation = kernel.operation(state, process)
            assert operation is not None
            moves, result = len(kernel.moves(state, process)), kernel.result(state, process, outcome)
            self.steps.append(Expected(process, step.process, operation, outcome, moves, result, step.text))
        for last in kernel.processes:
            self._ends[last.index] = kernel.operation(states[-1], last.index)

    def _skip(self) -> None:
        """Idle workers of a pool that is shut down leave by themselves."""
        while self.turn < len(self.steps) and self.steps[self.turn].result == LEAVE and self.current_takes:
            self.turn += 1

    @property
    def current_takes(self) -> ThreadPool | None:
        """The pool from which the step whose turn it is takes a task."""
        return self.steps[self.turn].takes_from if not self.open else None

    @property
    def open(self) -> bool:
        """Whether all steps have happened."""
        return self.turn >= len(self.steps)

    @property
    def current(self) -> Expected:
        """The step whose turn it is."""
        return self.steps[self.turn]

    def next_of(self, actor: Actor) -> Expected | None:
        """Return the next step that the schedule has for ``actor``, the one that it is in left out."""
        first = self.turn + (actor.granted is not None)
        return next((self.steps[n] for n in self._of[actor.process.index] if n >= first), None)

    def expects_handover(self, actor: Actor) -> bool:
        """Tell whether the kernel lets the worker ``actor`` hand the end of its task over by a step of its own."""
        if self.open:
            return True
        step = self.next_of(actor)
        operation = step.operation if step is not None else self._ends[actor.process.index]
        return operation is not None and operation.name != "take"

    def grant(self, actor: Actor, operation: Operation, offers: Callable[[], list[str]]) -> None:
        """Let ``actor`` begin: it is its turn.

        Raises
        ------
        Diverged
            When it is about to do something else.
        """
        step = self.current
        if not self.handles.same_operation(operation, step.operation):
            raise Diverged(self.turn, f"{step.name} {step.text}", offers())
        actor.granted = step

    def passed(self, actor: Actor, result: Any) -> None:
        """Go on to the next step.

        Raises
        ------
        Diverged
            When the step did not give what the kernel says.
        """
        step: Expected = actor.granted
        actor.granted = None
        self.handles.learn(step.operation, result, step.result)
        if not self.handles.same(result, step.result):
            offered = [f"{step.name} {step.text}, which gave {result} for {step.result}"]
            raise Diverged(self.turn, f"{step.name} {step.text}", offered)
        self.turn += 1
        self._skip()
