"""A run that no limit ends is ended where it is known that it goes on for ever, or that nobody is waiting for its end.

Somebody who must finish and never moves again is found by looking at all that can follow (`never_enabled`); the others,
who poll or beat, would go on for ever. That is looked for now and then, and at once when a schedule was replayed.
"""

from __future__ import annotations

from collections.abc import Sequence

from simcore.explain import never_enabled, out_of_reach
from simcore.kernel import OneRun
from simcore.simulate.result import Status

_DAEMONS = 100_000  # steps in which only daemons have moved
_LOOK, _REPLAYED = 20_000, 1_000_000  # steps between two looks, and steps for which a replay is followed
_EACH = 100  # steps between two looks for each process, of which there may be thousands: each look is at all of them

Ending = tuple[Status, str]


class Endless:
    """Tells when a run without limits is ended, and why."""

    def __init__(self, kernel: OneRun) -> None:
        self._kernel = kernel
        self._look = max(_LOOK, _EACH * len(kernel.processes))
        self._look_at, self._every, self._replayed = self._look, self._look, 0

    def replayed(self, steps: int) -> None:
        """Note that a schedule has been followed to its end, after so many steps."""
        self._replayed = self._look_at = steps

    def look_at(self, daemons: int) -> int:
        """Return a number of steps before which there is no reason to end the run.

        Parameters
        ----------
        daemons : int
            How many steps were taken when somebody who must finish moved last.
        """
        ends = self._replayed + _REPLAYED if self._replayed else self._look_at
        return min(self._look_at, daemons + _DAEMONS, ends)

    def ending(self, steps: int, daemons: int, owes: Sequence[bool]) -> Ending | None:
        """Return how to end the run now, and what to say; None to go on.

        Parameters
        ----------
        steps, daemons : int
            How many steps were taken, and how many since somebody who must finish has moved.
        owes : sequence of bool
            Who must still finish.
        """
        if steps >= self._look_at:
            self._look_at = steps + self._look
            kernel = self._kernel
            blocked = [p for p, owing in enumerate(owes) if owing and kernel.process_state(kernel.state, p).blocked]
            never = self._never(blocked) if blocked else []
            if (
                never is None
            ):  # too much to look at now; next time it may be less, and it must not become the run's work
                self._look_at += self._every
                self._every *= 2
            elif never:
                going = bool(kernel.successors(kernel.settled()))
                return "stuck", "others go on, for ever for all that is known: give `until` to watch them" * going
        if daemons >= _DAEMONS:
            return "limit", f"for {_DAEMONS:,} steps only daemons have moved: give `until` or `max_steps`"
        if self._replayed and steps >= self._replayed + _REPLAYED:
            return "limit", f"{_REPLAYED:,} steps after the schedule: give `until` or `max_steps`"
        return None

    def _never(self, blocked: list[int]) -> list[int] | None:
        """Return who of ``blocked`` can never move again; None where that is too much to look at."""
        state = self._kernel.settled()
        lost = sorted(out_of_reach(self._kernel, state).intersection(blocked))
        return lost or never_enabled(self._kernel, state, blocked)
