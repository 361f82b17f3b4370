"""What runs of one model share: the steps of a state, what is wrong in it, and the way into the nearest violation.

Hundreds of runs pass the same states, so each is asked once. Before the first run a small breadth-first search looks
for the nearest violation; the run that follows it is the simplest one, which Hypothesis tries first and has nothing to
shrink in. Its budget is counted in steps, not in seconds: the steps that are offered, and so what a choice of
Hypothesis means, must be the same in each process, or no run that it has kept would fail again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from simcore.explore import Monitor, without_laps
from simcore.kernel import Choice, Kernel, Packed
from simcore.model import Property

MOST_STEPS = 500
"""Steps that are followed to find the nearest violation: some hundredths of a second."""

Path = list[tuple[int, int]]
_Before = dict[Packed, tuple[Packed, tuple[int, int]] | None]
"""The state before each, and the step that was taken there."""


class Watcher(Monitor):
    """What is known of one model.

    Parameters
    ----------
    kernel : Kernel
        The model.
    properties : sequence of Property
        What must hold; deadlock freedom when there is none.

    Attributes
    ----------
    blocked_in : function
        Returns how many processes are blocked in a state, and how many of them are workers inside a task.
    """

    def __init__(self, kernel: Kernel, properties: Sequence[Property]) -> None:
        super().__init__(kernel, properties)
        self.properties = properties
        self.choices = cache(kernel.successors)
        self._workers = sum(1 << process.index for process in kernel.processes if process.pool is not None)
        self.blocked_in = cache(self._blocked_in)
        self._way: Path | None = None
        self._reports: dict[tuple[tuple[int, int], ...], str] = {}

    def _blocked_in(self, state: Packed) -> tuple[int, int]:
        movers = {choice.process for choice in self.choices(state)}
        waiting = self.kernel.waiting(state, movers)[0] & ~self.kernel.idle(state)
        return waiting.bit_count(), (waiting & self._workers).bit_count()

    def offered(self, state: Packed, path: Path) -> list[Choice]:
        """Return the steps that are enabled in ``state``, the end of ``path``, the simplest first.

        That is the next one of `way` as long as ``path`` is its beginning; else the process that moved last goes on.
        """
        choices = simplest_first(self.choices(state), path)
        way, taken = self.way(), len(path)
        if taken < len(way) and path == way[:taken]:
            choices.sort(key=lambda choice: choice[:2] != way[taken])
        return choices

    def way(self) -> Path:
        """Return the steps of a shortest run into the nearest violation; none where the budget does not reach it."""
        if self._way is None:
            self._way = self._nearest()
        return self._way

    def _nearest(self) -> Path:
        """Search breadth-first.

        A search asks about many states, and `Monitor` gives up guessing after some wrong guesses; so this one has a
        monitor of its own, or runs would not see what they saw without it. What cannot be asked without an exception is
        wrong, too, and the run that comes there raises it.
        """
        judge = Monitor(self.kernel, self.properties)
        judge.choices = self.choices
        before: _Before = {self.kernel.initial: None}
        followed = 0
        for state in (queue := [self.kernel.initial]):
            came = before[state]
            try:
                if judge.violated_in(state) is not None:
                    return _back(before, state)
                choices = simplest_first(self.choices(state), [] if came is None else [came[1]])
            except Exception:
                return _back(before, state)
            followed += len(choices)
            if followed > MOST_STEPS:
                break
            for choice in choices:
                if choice.state not in before:
                    before[choice.state] = state, choice[:2]
                    queue.append(choice.state)
        return []

    def report(self, violated: str, steps: Path, seconds: float) -> str:
        """Tell the run that took ``steps`` as a counterexample to ``violated``; once, as Hypothesis asks more often.

        Hypothesis removes consecutive steps; a lap of an endless process is taken out of the schedule here, also where
        the steps of others lie in between.
        """
        if (run := tuple(steps)) not in self._reports:
            path = without_laps(self.kernel, steps, lambda state: self.violated_in(state) == violated)
            laps = len(path) < len(steps)
            how = "shrunk by Hypothesis, laps of a loop left out" if laps else "as shrunk by Hypothesis"
            self._reports[run] = str(self.told(path, how, "stateful testing, this run", seconds))
        return self._reports[run]


def simplest_first(choices: Sequence[Choice], path: Sequence[tuple[int, int]]) -> list[Choice]:
    """Order enabled steps: the process that moved last, then the others in the order of the model."""
    last = path[-1][0] if path else -1
    return sorted(choices, key=lambda choice: (choice.process != last, choice.process, choice.outcome))


def _back(before: _Before, state: Packed) -> Path:
    """Return the steps from the initial state to ``state``."""
    path = []
    while (step := before[state]) is not None:
        state, taken = step
        path.append(taken)
    return path[::-1]
