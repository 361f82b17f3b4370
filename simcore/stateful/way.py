"""The way into a violation that is near, or easily met: the run along it is simpler than any other.

Hypothesis tries the simplest run first, and has nothing to shrink in it. A breadth-first search gives a shortest way.
Where its budget does not suffice, a few sampled runs may meet a violation; of the first that does, what is not needed
is left out, no step and no process, as `explore` does it. Else there is no way, and Hypothesis looks for itself.

Budgets are counted in steps, not in seconds, and chance is seeded: what a choice of Hypothesis means must be the same
in each process, or no run that it has kept would fail again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simcore.explore import Monitor, sampled, without_needless
from simcore.kernel import Choice, Kernel, Packed
from simcore.schedule import Portfolio

MOST_STEPS = 500
"""Steps that the search follows: some hundredths of a second."""

SAMPLED_RUNS = 5
"""One of each strategy."""

_RUN_STEPS = 50  # of each; a machine takes no more, unless its settings say so

Path = list[tuple[int, int]]
_Before = dict[Packed, tuple[Packed, tuple[int, int]] | None]
"""The state before each, and the step that was taken there."""


class Way:
    """Finds the way.

    A state that cannot be asked about without an exception is wrong, too, and the run that comes there raises it.

    Parameters
    ----------
    judge : Monitor
        Judges states, and has judged none: it gives up guessing after some wrong guesses, and a search asks about many.
    """

    def __init__(self, judge: Monitor) -> None:
        self._judge = judge
        self._kernel: Kernel = judge.kernel
        self._choices: Callable[[Packed], list[Choice]] = judge.choices

    def steps(self) -> Path:
        """Return its steps; none where it was not found, or the initial state is wrong already."""
        found = self._nearest()
        return self._met() if found is None else found

    def _wrong(self, state: Packed) -> str | None:
        try:
            self._choices(state)
            return self._judge.violated_in(state)
        except Exception as error:
            return repr(type(error))

    def _nearest(self) -> Path | None:
        """Search breadth-first; return no steps where all states were met and none is wrong, None out of budget."""
        before: _Before = {self._kernel.initial: None}
        followed = 0
        for state in (queue := [self._kernel.initial]):
            if self._wrong(state) is not None:
                return _back(before, state)
            came = before[state]
            choices = simplest_first(self._choices(state), [] if came is None else [came[1]])
            followed += len(choices)
            if followed > MOST_STEPS:
                return None
            for choice in choices:
                if choice.state not in before:
                    before[choice.state] = state, choice[:2]
                    queue.append(choice.state)
        return []

    def _met(self) -> Path:
        """Return the first violation that sampled runs meet, as short as leaving out makes it."""
        strategy = Portfolio()
        for _ in range(SAMPLED_RUNS):
            path, wrong = self._run(strategy)
            if wrong is not None:
                return self._shortened(path, wrong)
        return []

    def _run(self, strategy: Portfolio) -> tuple[Path, str | None]:
        """Take a run; return its steps, and what is wrong after them."""
        strategy.begin(len(self._kernel.processes), _RUN_STEPS)
        state, path = self._kernel.initial, Path()
        while (wrong := self._wrong(state)) is None and len(path) < _RUN_STEPS and self._choices(state):
            choice = sampled(strategy, self._kernel, state, self._choices(state))
            path.append(choice[:2])
            state = choice.state
        return path, wrong

    def _shortened(self, path: Path, wrong: str) -> Path:
        return without_needless(self._kernel, path, lambda state: self._wrong(state) == wrong)


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
