"""The point of no return: the last step of a run after which no good end could be reached.

A fix belongs before it. From there on no good end can be reached, so it is found by bisection; each question is
a search of its own, with the reductions of the search that has met the run.

Why one order of steps is enough for such a question. Each run can be continued to one that is, up to order, a run of
the reduced graph (`partial_order.py`), so what stays true once it is true is met there if it is met at all. That every
process that must end has ended stays so, and that no task is left does as well, unless a daemon submits another one.
So the answer "no" is taken from the reduced graph where no state of it has all processes ended and a task left, or
where nobody who never ends could submit; else the question is asked of the graph with all orders. "Yes" is a witness.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from simcore.errors import SimcoreError
from simcore.explain import Knots, reach
from simcore.explore.going_on import all_go_on_from
from simcore.explore.limits import Limits, OutOfBudget
from simcore.explore.reduction import NotSymmetric, PartialOrder, Symmetry
from simcore.explore.standstill import new_knots
from simcore.kernel import Choice, Kernel, Packed
from simcore.model import Watched
from simcore.schedule import Schedule

NO_RETURN_STATES = 10_000
HARMLESS_STATES, HARMLESS_STEPS = 4_000, 4
_QUESTIONS = 2  # that may use up all of these
_FOLLOWED = 100_000  # states, by proofs that somebody is stuck, for all questions
_ATTEMPTS = 3  # with one order of steps: what is learned late may show that too little was relied on


@dataclass(frozen=True)
class NoReturn:
    """The last step of a schedule after which no good end could be reached.

    Attributes
    ----------
    step : int
        Its number in the schedule, from 1; 0 where no run of the model ends well.
    earliest : int
        The search proved that a good end is still reachable after step ``earliest - 1``; smaller than
        ``step`` when its budget did not suffice to tell where in between the point lies. 0 where it did not
        suffice to find any run that ends well.
    states : int
        The budget, in states, of each question that was asked.
    ends : bool
        Whether any run of the model may end. Where none does, a good one is one in which everybody goes on for ever.
    """

    step: int
    earliest: int
    states: int
    ends: bool = True

    @property
    def exact(self) -> bool:
        """Whether the point was pinned down."""
        return self.step == self.earliest

    def describe(self, schedule: Schedule) -> str:
        """Say it in a line."""
        if self.step == 0:
            return "no run of this model ends well: no point of no return, it is lost from the start"
        step = schedule.steps[self.step - 1]
        text = f"step {self.step}, {step.process} {step.text}" + (f" -> {step.result}" if step.result else "")
        ran_out = f"a budget of {self.states:,} states did not suffice to tell"
        if self.exact and self.ends:
            return f"point of no return: {text}; no good end can be reached after it"
        if self.exact:
            return f"point of no return: {text}; after it not everybody can go on for ever, and no run ends"
        if not self.ends:
            return f"no run of this model ends; {ran_out} whether everybody can go on for ever"
        if self.earliest == 0:
            return f"point of no return: {text} at the latest, if any run ends well ({ran_out})"
        return f"point of no return: between step {self.earliest} and {text} ({ran_out} where)"


def no_return(kernel: Kernel, symmetry: Symmetry, knots: Knots, limits: Limits, states: list[Packed]) -> NoReturn:
    """Find the first of ``states`` from which no good end can be reached; from there on it stays so.

    Searching everything that can follow is cheap near the end and soon too much before, so the end is
    pushed back by bisection as long as the budget suffices; what cannot be decided leaves an interval. Where no run
    ends, one that is well goes on for ever (`going_on.py`).

    Parameters
    ----------
    symmetry, knots
        The reduction, and the judge of a state that is stuck.
    limits : Limits
        Of the search; its time is for this too.
    states : list of tuple of int
        Those that the run passes; from the last one no good end can be reached.
    """
    ahead = _Ahead(kernel, symmetry, knots, limits)
    asked = cache(lambda number, budget: ahead.can_end_well(states[number], budget))
    at_first = asked(0, NO_RETURN_STATES)
    if len(states) == 1:
        return NoReturn(0, 0, NO_RETURN_STATES)
    if at_first is False:
        return _of_those_without_end(ahead, states)
    last = _bisect(0, len(states) - 1, lambda n: asked(n, NO_RETURN_STATES) is not False)
    if at_first is None:
        return NoReturn(last, 0, NO_RETURN_STATES)
    first = _bisect(0, last, lambda n: asked(n, NO_RETURN_STATES // 20) is True)
    return NoReturn(last, first, NO_RETURN_STATES)


def _of_those_without_end(ahead: _Ahead, states: list[Packed]) -> NoReturn:
    """Find where somebody is stuck sooner or later, where no run of the model ends."""
    well = ahead.where_all_go_on(states[0])
    if well is None:
        return NoReturn(len(states) - 1, 0, NO_RETURN_STATES, ends=False)
    step = next(number for number, state in enumerate(states) if not well(state))
    return NoReturn(step, step, NO_RETURN_STATES, ends=False)


def harmless_after(kernel: Kernel, before: Packed, step: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the fewest steps of others after which a step, the point of no return, would have done no harm.

    Then it is either not possible, and a good end can be reached, or one can be reached after it, too.

    Parameters
    ----------
    before : tuple of int
        The state that the step was taken in.
    step : (process, outcome)
        The step.

    Returns
    -------
    list of (process, outcome)
        Empty where none were found: at most `HARMLESS_STEPS`, with a budget of `HARMLESS_STATES` for all questions.
    """
    for symmetry in (True, False):
        try:
            return _harmless_after(kernel, Symmetry(kernel, symmetry), before, step)
        except NotSymmetric:
            continue
        except SimcoreError:  # of a process, where no run of the search has come: it is no part of what is told
            break
    return []


def _harmless_after(kernel: Kernel, symmetry: Symmetry, before: Packed, step: tuple[int, int]) -> list[tuple[int, int]]:
    ahead = _Ahead(kernel, symmetry, new_knots(kernel), Limits(None, None))
    ways: dict[Packed, list[tuple[int, int]]] = {before: []}
    for state in (queue := [before]):
        way = ways[state]
        after = kernel.step(state, *step)
        if way and ahead.can_end_well(state if after is None else after, HARMLESS_STATES // 20):
            return way
        if ahead.looked_at > HARMLESS_STATES:
            break
        if len(way) < HARMLESS_STEPS:
            for choice in kernel.successors(state):
                if choice.process != step[0] and choice.state not in ways:
                    ways[choice.state] = [*way, choice[:2]]
                    queue.append(choice.state)
    return []


class _Ahead:
    """Looks whether a good end can be reached; all questions together have a budget: so many states are looked at."""

    def __init__(self, kernel: Kernel, symmetry: Symmetry, knots: Knots, limits: Limits) -> None:
        self.kernel, self.symmetry, self.knots, self.limits = kernel, symmetry, knots, limits
        self._order = PartialOrder(kernel, symmetry, Watched())
        self._may_submit = any(p.daemon and p.pool is None for p in kernel.processes)
        self._looked = self.looked_at = 0
        self._most_followed = knots.followed + _FOLLOWED
        self._task_left = False

    def can_end_well(self, state: Packed, budget: int) -> bool | None:
        """Tell whether a good end can be reached from ``state``; None when the budget does not suffice."""
        try:
            for _ in range(_ATTEMPTS):
                self._order.relied_on.clear()
                self._task_left = False
                found = self._reach(state, budget, self._enough)
                if found is not False or not self._order.used:
                    return found
                if self._task_left and self._may_submit:
                    break
                if self._order.justified():
                    return False
            return self._reach(state, budget, None)
        except OutOfBudget:
            return None

    def where_all_go_on(self, start: Packed) -> Callable[[Packed], bool] | None:
        """Return what tells where everybody can go on for ever; None when the budget does not suffice."""
        self._looked = self.looked_at = 0
        try:
            return all_go_on_from(self.kernel, start, NO_RETURN_STATES, self._hopeless)
        except OutOfBudget:
            return None

    def _reach(self, state: Packed, budget: int, enough: Callable[..., list[Choice]] | None) -> bool | None:
        self._looked = 0
        canonical = self.symmetry.representative
        return reach(self.kernel, state, self.kernel.finished, budget, self._hopeless, canonical, enough)

    def _hopeless(self, reached: Packed) -> bool:
        self._looked, self.looked_at = self._looked + 1, self.looked_at + 1
        if self.looked_at > _QUESTIONS * NO_RETURN_STATES or self.knots.followed > self._most_followed:
            raise OutOfBudget("the questions took too many states together")
        if self._looked > NO_RETURN_STATES // 20:
            self.limits.check(0)
        self._task_left = self._task_left or self.kernel.all_returned(reached)
        return self.knots.stuck(reached, self.kernel.successors(reached))

    def _enough(self, state: Packed, choices: list[Choice], leads_on: Callable[[Choice], bool]) -> list[Choice]:
        for part in self._order.parts(state, choices):
            if any(map(leads_on, part.choices)):
                self._order.rely_on(state, part)
                return part.choices
        return choices


def _bisect(low: int, high: int, good: Callable[[int], bool]) -> int:
    """Return the smallest number in (low, high] that is not good; ``low`` is, ``high`` is not."""
    while high - low > 1:
        middle = (low + high) // 2
        if good(middle):
            low = middle
        else:
            high = middle
    return high
