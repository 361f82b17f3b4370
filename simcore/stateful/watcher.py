"""What runs of one model share: the steps of a state, what is wrong in it, and the simplest run.

Hundreds of runs pass the same states, so each is asked once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from simcore.explore import Monitor, Result, without_laps
from simcore.kernel import Choice, Kernel, Packed
from simcore.model import Property
from simcore.stateful.way import Path, Way, simplest_first


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
        self._results: dict[tuple[tuple[int, int], ...], Result] = {}

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
        """Return the steps of the run that is simpler than any other (`way.py`)."""
        if self._way is None:
            judge = Monitor(self.kernel, self.properties)
            judge.choices = self.choices
            self._way = Way(judge).steps()
        return self._way

    def result(self, violated: str, steps: Path, seconds: float) -> Result:
        """Tell the run that took ``steps`` as a counterexample to ``violated``; once, as Hypothesis asks more often.

        Hypothesis removes consecutive steps; a lap of an endless process is taken out of the schedule here, also where
        the steps of others lie in between.
        """
        if (run := tuple(steps)) not in self._results:
            path = without_laps(self.kernel, steps, lambda state: self.violated_in(state) == violated)
            laps = len(path) < len(steps)
            how = "shrunk by Hypothesis, laps of a loop left out" if laps else "as shrunk by Hypothesis"
            self._results[run] = self.told(path, how, "stateful testing, this run", seconds)
        return self._results[run]
