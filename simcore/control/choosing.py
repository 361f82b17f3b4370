"""Who goes on, in a run: as a strategy says, or as a schedule has it, to the letter or as far as that goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simcore.control.baton import Run
from simcore.control.hears import Enabled
from simcore.schedule import Strategy

Path = Sequence[tuple[str, int]]
"""Thread, by its path, and outcome of each step."""

Choose = Callable[[Run, Enabled], int]


def by_strategy(strategy: Strategy, numbers: dict[str, int]) -> Choose:
    """Choose as ``strategy`` does; ``numbers`` gives each thread one that it has in all runs, and grows."""

    def choose(run: Run, candidates: Enabled) -> int:
        if len(candidates) == 1:
            return 0
        order = [numbers.setdefault(thread.path, len(numbers)) for thread, _ in candidates]
        return strategy.choose(order, lambda number: id(candidates[order.index(number)][0].target))

    return choose


def along_then(path: Path, rest: Choose, late: float | None = None) -> Choose:
    """Follow a schedule to the letter; then choose as ``rest`` does.

    With ``late`` whatever may come behind it is to come: the collector runs, which may give back what somebody waits
    for, and whoever waits with a limit is woken so many seconds after it, so that whoever looks at the clock finds that
    the time has come for which he has looked out, however often he would have had to.
    """
    along, length, asks = to_the_letter(path), len(path), late is not None

    def choose(run: Run, candidates: Enabled) -> int:
        nonlocal asks
        if len(run.taken) < length:
            return along(run, candidates)
        if asks:
            asks, run.collects, run.late = False, True, late or 0.0
        return rest(run, candidates)

    return choose if path or asks else rest


class Diverged(Exception):
    """A schedule asks for a step that is not there."""


class Redundant(Exception):
    """Whoever could go on sleeps: what follows is known."""


def to_the_letter(path: Path) -> Choose:
    """Follow a schedule; then whoever ran last goes on."""
    left = iter(path)
    last = _Last()

    def choose(run: Run, candidates: Enabled) -> int:
        wanted = next(left, None)
        if wanted is None:
            return last(candidates)
        for position, (thread, outcome) in enumerate(candidates):
            if (thread.path, outcome) == wanted:
                return last.chosen(candidates, position)
        raise Diverged

    return choose


def loosely(path: Path) -> Choose:
    """Follow a schedule as far as that goes: what cannot be done is left out, and then whoever ran last goes on."""
    left = list(path)
    last = _Last()

    def choose(run: Run, candidates: Enabled) -> int:
        while left:
            for position, (thread, outcome) in enumerate(candidates):
                if (thread.path, outcome) == left[0]:
                    del left[0]
                    return last.chosen(candidates, position)
            del left[0]
        return last(candidates)

    return choose


class _Last:
    """Whoever ran last goes on; if he cannot, the one who was started first; time, where nobody can."""

    def __init__(self) -> None:
        self._path = ""

    def chosen(self, candidates: Enabled, position: int) -> int:
        self._path = candidates[position][0].path
        return position

    def __call__(self, candidates: Enabled) -> int:
        def rank(position: int) -> tuple[int, bool, int]:
            thread, outcome = candidates[position]
            return outcome, thread.path != self._path, thread.number

        return self.chosen(candidates, min(range(len(candidates)), key=rank))
