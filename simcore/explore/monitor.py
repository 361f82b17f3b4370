"""What is wrong in one state, for whoever walks through single runs rather than through all of them.

A run can witness a broken invariant, a process that died, and somebody who can never move again. It cannot
witness that something never happens, so properties about whole runs are refused, not ignored.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from simcore.errors import OptionError
from simcore.explore.result import Counterexample, Result
from simcore.explore.standstill import new_knots
from simcore.kernel import Choice, Kernel, Packed
from simcore.model import DEADLOCK_FREE, NO_FAILURE, Property, Verdict
from simcore.schedule import Schedule

_WITNESSED = ("always", "deadlock")


def refuse_unwitnessed(properties: Iterable[Property]) -> None:
    """Raise `OptionError` for the first property that no single run can show to be violated."""
    for prop in properties:
        if prop.kind not in _WITNESSED:
            raise OptionError(
                f"{prop.name!r} is about whole runs, and a run that stops somewhere cannot show that it is violated; "
                f"ask explore() for it, or give an always(...) property here"
            )


class Monitor:
    """Judges the states of single runs.

    An answer is kept for each state: it must not depend on what was judged before, or a run that failed
    once would not fail again.

    Parameters
    ----------
    kernel : Kernel
        Whose states are judged.
    properties : sequence of Property
        What must hold; deadlock freedom when there is none. That no process dies is always asked.

    Raises
    ------
    OptionError
        When a property is about whole runs.

    Attributes
    ----------
    choices : function
        Returns the steps of a state; whoever asks for them, too, may put here what remembers them.
    """

    def __init__(self, kernel: Kernel, properties: Sequence[Property] = ()) -> None:
        asked = tuple(properties) or (DEADLOCK_FREE,)
        refuse_unwitnessed(asked)
        self.kernel = kernel
        self.choices: Callable[[Packed], list[Choice]] = kernel.successors
        self._deadlock = next((prop for prop in asked if prop.kind == "deadlock"), None)
        self._invariants = [(prop.name, prop.predicate) for prop in asked if prop.predicate is not None]
        self._knots = new_knots(kernel)
        self._judged: dict[Packed, str | None] = {}

    def violated_in(self, state: Packed) -> str | None:
        """Return the name of a property that ``state`` violates, or None."""
        if state not in self._judged:
            self._judged[state] = self._judge(state)
        return self._judged[state]

    def _judge(self, state: Packed) -> str | None:
        if self.kernel.failed(state) is not None:
            return NO_FAILURE
        for name, predicate in self._invariants:
            if not predicate(self.kernel.view(state)):
                return name
        if self._deadlock is not None and self._knots.stuck(state, self.choices(state)):
            return self._deadlock.name
        return None

    def replay(self, schedule: Schedule) -> Result | None:
        """Follow ``schedule`` and return the first violation that it meets as a result, or None.

        Raises
        ------
        Diverged
            When the model does not offer one of its steps.
        """
        started = time.monotonic()
        path = schedule.path(self.kernel)
        for length, state in enumerate(schedule.states(self.kernel)):
            if self.violated_in(state) is not None:
                return self.told(path[:length], "as recorded", "one schedule, replayed", time.monotonic() - started)
        return None

    def told(self, path: Sequence[tuple[int, int]], how: str, strategy: str, seconds: float) -> Result:
        """Return the run ``path``, which ends in a violation, as an explorer would.

        Parameters
        ----------
        path : sequence of (int, int)
            Process and outcome of each step.
        how : str
            What is known of its length.
        strategy : str
            How it was found.
        seconds : float
            How long that took.
        """
        model = self.kernel.model
        schedule = Schedule.of(self.kernel, path)
        state = schedule.states(self.kernel)[-1]
        violated = self.violated_in(state)
        assert violated is not None
        view = self.kernel.view(state)
        failed = self.kernel.failed(state)
        failure = "" if failed is None else self.kernel.process_state(state, failed).failure
        return Result(
            Verdict.VIOLATED,
            model.name,
            model.origin,
            violated,
            states=len(schedule) + 1,
            transitions=len(schedule),
            depth=len(schedule),
            seconds=seconds,
            strategy=strategy,
            timeouts=self.kernel.timeouts,
            counterexample=Counterexample(
                violated,
                schedule,
                view,
                shortest=how,
                failure=failure,
                kernel=self.kernel,
                hangs=self._deadlock is not None and violated == self._deadlock.name,
            ),
        )
