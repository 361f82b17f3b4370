"""What a search will learn late, a few sampled runs teach it early.

With reductions a search relies on what has been learned so far: that a program point leads to certain operations and
no others, that names are treated alike. What it learns later may show that to be wrong, and then all is searched
again. Breadth-first search comes to the ends of runs last, so nearly always something comes late. A sampled run goes
to the end at once. It only fills tables that the search would fill, so it can change no answer, however it
is chosen, and nothing that it meets is reported.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from simcore.errors import SimcoreError
from simcore.explore.limits import Limits, OutOfBudget
from simcore.kernel import Choice, Kernel, Packed
from simcore.schedule import PCT, RandomWalk, Strategy

FORESEE_AFTER = (100, 1_000, 10_000)  # states expanded; to look as many steps ahead costs less than they did
_IN_VAIN = 3  # runs one after the other that taught nothing; when it looks once more, one of them is enough


def foresee(
    kernel: Kernel,
    canonical: Callable[[Packed], Packed],
    wrong_in: Callable[[Packed], object],
    limits: Limits,
    steps: int,
    known: Callable[[], object],
) -> None:
    """Let sampled runs teach ``kernel`` what processes do, and properties tell what they look at.

    Parameters
    ----------
    kernel : Kernel
        What is learned is kept in its tables.
    canonical : function
        Returns the representative of a state: runs go through those, as the search does.
    wrong_in : function
        Asks properties of a state; where something is wrong a run ends.
    limits : Limits
        Of the search, whose states are not counted here.
    steps : int
        How many steps to take in all: a model may run for ever.
    known : function
        Returns something that changes with what is known, but for names: it ends when runs do not change that.

    Raises
    ------
    NotSymmetric
        When names turn out to be treated differently.
    """

    def ways(state: Packed) -> list[Choice]:
        limits.check(0)
        return [] if wrong_in(state) else kernel.successors(state)

    longest = in_vain = seed = 0
    most = _IN_VAIN if steps == FORESEE_AFTER[0] else 1
    while steps > 0 and in_vain < most:
        before = known()
        strategy = in_turn(seed)
        strategy.begin(len(kernel.processes), max(longest, 1))
        try:
            taken = _run(canonical(kernel.initial), ways, canonical, strategy, kernel, steps)
        except (OutOfBudget, SimcoreError):
            return  # the search says so, if it comes to that
        longest, steps, seed = max(longest, taken), steps - max(taken, 1), seed + 1
        in_vain = in_vain + 1 if known() == before else 0


def in_turn(seed: int) -> Strategy:
    """Return what chooses the steps of one of several runs: chance, and PCT, in turn."""
    return PCT(seed=seed) if seed % 2 else RandomWalk(seed)


def sampled(strategy: Strategy, kernel: Kernel, state: Packed, choices: list[Choice]) -> Choice:
    """Return the one of ``choices``, all steps of ``state``, that ``strategy`` takes."""
    return choices[strategy.choose([choice.process for choice in choices], partial(kernel.target_of, state))]


def _run(
    state: Packed,
    ways: Callable[[Packed], list[Choice]],
    canonical: Callable[[Packed], Packed],
    strategy: Strategy,
    kernel: Kernel,
    steps: int,
) -> int:
    """Take one run of at most so many ``steps`` from ``state``; return how many it took."""
    for taken in range(steps):
        choices = ways(state)
        if not choices:
            return taken
        state = canonical(sampled(strategy, kernel, state, choices).state)
    return steps
