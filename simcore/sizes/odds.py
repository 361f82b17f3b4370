"""How often a random schedule hangs: exactly, as a fraction, where all states are met; else an interval, and said so.

A stress test is such a schedule, more or less: which of the enabled steps comes next is chosen anew each time. What it
has not seen after so many runs may still be there; `Odds.runs_for_95` says how many runs it takes to see it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

from simcore.explain import Knots
from simcore.explore import hanging, new_knots
from simcore.kernel import Kernel, Packed
from simcore.model import Model, Origin, Timeouts, check_model, check_numbers, check_timeouts, with_parameters
from simcore.schedule import RandomWalk
from simcore.sizes.chances import TooLarge, chances

_STEPS = 2_000
"""Steps after which a sampled run is given up: nothing is said of it."""

_LOOK_EVERY = 50
"""Steps of a sampled run between two looks for somebody who can never move again: who cannot, cannot later either."""

_UNSURE = 0.05

_DOWN, _UP = (Context(prec=3, rounding=way) for way in (ROUND_FLOOR, ROUND_CEILING))


class Sample(NamedTuple):
    """What sampled runs came to.

    Attributes
    ----------
    runs : int
        How many there were.
    hung, ended : int
        How many came to a hang, and how many to an end without one; of the others nothing is known.
    died : int
        In how many a process died of an exception before that.
    """

    runs: int
    hung: int
    ended: int
    died: int


@dataclass(frozen=True)
class Odds:
    """How likely a run with a uniformly random scheduler comes to a hang.

    Attributes
    ----------
    model : str
        Its name.
    origin : Origin, optional
        The function it was built by, and its parameters.
    timeouts : str
        The rule for time-outs.
    probability : Fraction, optional
        Exactly; None where it is estimated, or not known.
    dies : Fraction, optional
        The probability that a process dies of an exception, in a run that goes on after it and after a hang.
    states : int
        All states of the model; 0 where they were not all met.
    sample : Sample, optional
        The runs that an estimate is made of.
    reason : str
        Why it is not known exactly.
    """

    model: str
    origin: Origin | None
    timeouts: str
    probability: Fraction | None = None
    dies: Fraction | None = None
    states: int = 0
    sample: Sample | None = None
    reason: str = ""

    @property
    def exact(self) -> bool:
        """Whether the probability is exact."""
        return self.probability is not None

    @property
    def interval(self) -> tuple[float, float]:
        """Where the probability lies, at least and at most: with 95 % confidence where it is estimated.

        Of sampled runs it is the interval of Clopper and Pearson (1934). Runs that were given up might have hung or
        not, so they count as not hung below, and as hung above. A hang of servers that wait for each other is not seen
        in a single run; where the model has servers, `reason` says so.
        """
        if self.probability is not None:
            return float(self.probability), float(self.probability)
        if self.sample is None:
            return 0.0, 1.0
        runs, hung, ended, _ = self.sample
        return at_least(hung, runs, _UNSURE / 2), at_most(runs - ended, runs, _UNSURE / 2)

    @property
    def at_most(self) -> float:
        """The probability is at most this: with 95 % confidence where it is estimated.

        After n runs none of which may have hung that is 1 - 0.05 ** (1 / n), of which the "rule of three", 3 / n, is a
        rough value. It is less than the upper end of `interval`, as nothing is said of how small it may be.
        """
        if self.probability is not None or self.sample is None:
            return self.interval[1]
        return at_most(self.sample.runs - self.sample.ended, self.sample.runs, _UNSURE)

    @property
    def runs_for_95(self) -> int | None:
        """How many random runs meet the hang at least once with 95 % confidence; None where none does, or not known.

        Where the probability is estimated it is taken as small as its interval allows, so it is enough runs.
        """
        least = self.probability if self.probability is not None else self.interval[0]
        return runs_to_see(least) if least else None

    def __str__(self) -> str:
        first = self._exactly(self.probability) if self.probability is not None else self._about()
        lines = [first, f"  {with_parameters(self.model, self.origin)}; time-outs: {self.timeouts}"]
        lines += [f"  not exact: {self.reason}"] * bool(self.reason)
        lines += [f"  all {self.states:,} states, every enabled step with the same probability"] * self.exact
        lines += [f"  a process dies of an exception with probability {_shown(self.dies)}"] if self.dies else []
        if self.sample is not None and self.sample.died:
            lines.append(f"  a process died of an exception in {self.sample.died:,} of the runs")
        return "\n".join(lines)

    def _exactly(self, probability: Fraction) -> str:
        if not probability:
            return "no random schedule hangs: the probability is exactly 0"
        seen = _runs(self.runs_for_95, "see it with 95 % confidence")
        return f"a random schedule hangs with probability {_shown(probability)}; {seen}"

    def _about(self) -> str:
        if self.sample is None:
            return "how likely a random schedule hangs is not known"
        runs, hung, ended, _ = self.sample
        low, high = self.interval
        left = f", {runs - hung - ended:,} were given up after {_STEPS:,} steps" * (runs > hung + ended)
        met = f"{hung:,} of {runs:,} random runs hung{left}"
        if not hung:
            bound = f"the probability is at most {_up(self.at_most)}, with 95 % confidence"
            return f"estimate: {met}; {bound}, and it may not be 0"
        seen = _runs(self.runs_for_95, "are enough to see it with 95 % confidence", "is enough to see it")
        return f"estimate: {met}; the probability is {_down(low)} to {_up(high)} with 95 % confidence; {seen}"

    __repr__ = __str__


def odds(
    model: Model,
    *,
    timeouts: Timeouts = "when_stuck",
    max_states: int = 200_000,
    runs: int = 2_000,
    seed: int = 0,
) -> Odds:
    """Return how likely a run of ``model`` hangs when every enabled step is taken with the same probability.

    A step is a process and an outcome of its operation, as `RandomWalk` chooses them: a process with two outcomes is
    chosen twice as often. Time-outs that may fire are steps, too. A run hangs when it comes to a state in which
    somebody who must finish can never move again, or servers wait for each other for ever: what `explore` asks. One
    that goes on for ever without that does not hang. So the probability is 0 where no schedule hangs, and otherwise
    more. It is found on all states, without reductions, backwards over the graph, and where states lead back to each
    other by solving their equations in fractions (`chances.py`).

    Parameters
    ----------
    model : Model
        At the size that is asked for.
    timeouts : {"never", "when_stuck", "in_order", "anytime"}
        When time-outs may fire.
    max_states : int
        For more states the probability is estimated.
    runs : int
        Sampled runs for an estimate, of at most 2,000 steps each.
    seed : int
        Of the sampled runs.

    Returns
    -------
    Odds
        The probability as a fraction; or, for what is too big, an estimate with its interval, which is marked as one;
        or, where `explore` has no verdict because no time passes, that it is not known.

    Raises
    ------
    ModelError
        When the model cannot be run.
    OptionError
        When an option is not of its kind.
    """
    check_model(model, "odds")
    check_timeouts(timeouts)
    check_numbers(whole=True, least=1, none=False, max_states=max_states, runs=runs)
    check_numbers(whole=True, none=False, seed=seed)
    kernel = Kernel(model, timeouts)
    answer = partial(Odds, model.name, model.origin, timeouts)
    found = hanging(kernel, max_states)
    if found is None:
        reason = f"there are more states than `max_states={max_states}`"
        return answer(sample=_sampled(kernel, runs, seed), reason=reason + _unseen(kernel))
    if found.unknown:
        return answer(reason=found.unknown)
    rows = [found.graph.successors(state) for state in range(len(found.graph))]
    try:
        hangs, dies = (chances(rows, _numbers(each))[0] for each in (found.hangs, found.dies))
    except TooLarge as loop:
        return answer(sample=_sampled(kernel, runs, seed), reason=str(loop) + _unseen(kernel))
    return answer(probability=hangs, dies=dies, states=len(rows))


def _numbers(marked: bytearray) -> list[int]:
    return [number for number, mark in enumerate(marked) if mark]


# ---- estimates -----------------------------------------------------------------------------------------


def _sampled(kernel: Kernel, runs: int, seed: int) -> Sample:
    """Return what runs with a random scheduler come to."""
    walk, knots = RandomWalk(seed), new_knots(kernel)
    met = [_run(kernel, walk, knots) for _ in range(runs)]
    ways = [way for way, _ in met]
    return Sample(runs, ways.count("hung"), ways.count("ended"), sum(died for _, died in met))


def _run(kernel: Kernel, walk: RandomWalk, knots: Knots) -> tuple[str, bool]:
    """Return what one run comes to, and whether a process died on the way."""
    state, died = kernel.initial, False
    for step in range(_STEPS + 1):
        choices = kernel.successors(state)
        died = died or kernel.failed(state) is not None
        if not choices or step % _LOOK_EVERY == 0:
            stuck = knots.stuck(state, choices) if choices else _left_behind(kernel, state)
            if stuck or not choices:
                return "hung" if stuck else "ended", died
        place = walk.choose([choice.process for choice in choices], partial(kernel.target_of, state))
        state = choices[place].state
    return "given up", died


def _left_behind(kernel: Kernel, state: Packed) -> bool:
    """Tell whether somebody who must finish has not, where nobody has a step; who has died does not wait."""
    processes = (kernel.process_state(state, process.index) for process in kernel.processes)
    return any(each.owes and each.operation is not None for each in processes)


def _unseen(kernel: Kernel) -> str:
    """Say what a sampled run does not see of a hang; empty where it sees all."""
    servers = any(process.daemon and process.pool is None for process in kernel.processes)
    return "; hangs of servers that wait for each other are not seen in single runs" * servers


def at_least(seen: int, runs: int, tail: float) -> float:
    """Return the probability with which so many or more of the runs are seen in ``tail`` of all cases."""
    return 0.0 if seen == 0 else 1 - at_most(runs - seen, runs, tail)


def at_most(seen: int, runs: int, tail: float) -> float:
    """Return the probability with which so many or fewer of the runs are seen in ``tail`` of all cases."""
    if seen == 0:
        return float(1 - tail ** (1 / runs))
    if seen == runs:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if _chance(seen, runs, middle) < tail else (middle, high)
    return high


def _chance(seen: int, runs: int, p: float) -> float:
    """Return the probability of so many successes or fewer in ``runs`` trials of probability ``p``, not 0 and not 1."""
    hit, miss, orders = math.log(p), math.log1p(-p), math.lgamma(runs + 1)
    ways = (orders - math.lgamma(k + 1) - math.lgamma(runs - k + 1) + k * hit for k in range(seen + 1))
    return math.fsum(math.exp(way + (runs - k) * miss) for k, way in enumerate(ways))


def runs_to_see(probability: Fraction | float) -> int:
    """Return the fewest runs of which one or more meet something of this probability with 95 % confidence."""
    missed = 1 - Fraction(probability)
    few = next((runs for runs in range(1, 20) if missed**runs <= Fraction(1, 20)), None)
    if few is not None:
        return few
    return math.ceil(Fraction(math.log(_UNSURE)) / Fraction(math.log1p(-float(probability)) or -math.ulp(0.0)))


# ---- words ---------------------------------------------------------------------------------------------


def _shown(probability: Fraction) -> str:
    """Return a fraction, where it is short, with its value."""
    if probability.denominator == 1:
        return str(probability)
    value = f"{float(probability):.3g}" if probability < Fraction(999, 1000) else f"1 - {float(1 - probability):.3g}"
    return f"{probability} = {value}" if probability.denominator < 10**9 else f"{value}"


def _down(value: float) -> str:
    return f"{_DOWN.create_decimal_from_float(value):g}"


def _up(value: float) -> str:
    return f"{_UP.create_decimal_from_float(value):g}"


def _runs(number: Any, many: str, one: str = "") -> str:
    return f"1 run {one or many.replace('see ', 'sees ', 1)}" if number == 1 else f"{number:,} runs {many}"
