"""The point of no return: the last step of a run after which no good end could be reached.

A fix belongs before it. From there on no good end can be reached, so it is found by bisection; each question is
a search of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from simcore.explain import Knots, reach
from simcore.explore.limits import Limits, OutOfBudget
from simcore.explore.reduction import Symmetry
from simcore.explore.result import NoReturn
from simcore.kernel import Kernel, Packed

NO_RETURN_STATES = 10_000
_QUESTIONS = 2  # that may use up all of these


def no_return(
    kernel: Kernel, symmetry: Symmetry, knots: Knots, limits: Limits, states: list[Packed]
) -> NoReturn | None:
    """Find the first of ``states`` from which no good end can be reached; from there on it stays so.

    Searching everything that can follow is cheap near the end and soon too much before, so the end is
    pushed back by bisection as long as the budget suffices; what cannot be decided leaves an interval.

    Parameters
    ----------
    symmetry, knots
        The reduction, and the judge of a state that is stuck.
    limits : Limits
        Of the search; its time is for this too.
    states : list of tuple of int
        Those that the run passes. None is returned when the first of them may be beyond the point.
    """
    in_all = 0

    def can_end_well(state: Packed, budget: int) -> bool | None:
        looked = 0

        def hopeless(reached: Packed) -> bool:
            nonlocal looked, in_all
            looked, in_all = looked + 1, in_all + 1
            if in_all > _QUESTIONS * NO_RETURN_STATES:
                raise OutOfBudget("the questions took too many states together")
            if looked > NO_RETURN_STATES // 20:
                limits.check(0)
            return knots.stuck(reached, kernel.successors(reached))

        try:
            return reach(kernel, state, kernel.finished, budget, hopeless, symmetry.representative)
        except OutOfBudget:
            return None

    if can_end_well(states[0], NO_RETURN_STATES) is not True:
        return None
    last = _bisect(0, len(states) - 1, lambda n: can_end_well(states[n], NO_RETURN_STATES) is not False)
    first = _bisect(0, last, lambda n: can_end_well(states[n], NO_RETURN_STATES // 20) is True)
    return NoReturn(last, first, NO_RETURN_STATES)


def _bisect(low: int, high: int, good: Callable[[int], bool]) -> int:
    """Return the smallest number in (low, high] that is not good; ``low`` is, ``high`` is not."""
    while high - low > 1:
        middle = (low + high) // 2
        if good(middle):
            low = middle
        else:
            high = middle
    return high
