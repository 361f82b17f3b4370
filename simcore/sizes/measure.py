"""What simulated runs of one size come to: every run counts, and one that hangs or dies completes nothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from simcore.errors import OptionError
from simcore.model import Model
from simcore.simulate import Delay, Simulation, simulate

_STEPS = (20_000, 200_000)
"""Steps after which a run is looked at, as others may go on for ever beside a hang, and after which it is given up."""


class Measured(NamedTuple):
    """What the runs of one size came to.

    Attributes
    ----------
    runs : int
        How many there were; after one that is given up no other is begun.
    hung, died : int
        In how many somebody can never move again, and in how many a process died of an exception.
    given_up : int
        How many were stopped by the limit of steps, without a hang that is proved.
    throughput : float, optional
        Processes that completed per virtual second, in the mean of all runs; of one that hung or died that is 0. None
        where a run was given up.
    p99 : float, optional
        The virtual second by which 99 % of the processes of all runs had completed: the smallest such value that was
        seen. Infinite where more than 1 % never do. None where a run was given up.
    """

    runs: int
    hung: int
    died: int
    given_up: int
    throughput: float | None
    p99: float | None

    @property
    def clean(self) -> bool:
        """Whether all runs completed."""
        return not (self.hung or self.died or self.given_up)


def measure(
    model: Model, latency: Mapping[str, Delay], load: Mapping[str, Delay], runs: int, seed: int, where: str
) -> Measured:
    """Return what so many runs of ``model`` come to, with the seeds from ``seed`` on.

    Raises
    ------
    OptionError
        When a run completes in no time, or nobody has to complete; ``where`` says at which size.
    """
    ends: Counter[str] = Counter()
    rates: list[float] = []
    times: list[float] = []
    for number in range(seed, seed + runs):
        run, end = _run(model, latency, load, number)
        completions = [*_completions(run)]
        if not completions:
            raise OptionError(f"{where}: no process has to complete, so there is no throughput to be measured")
        if end == "completed" and run.time <= 0:
            raise OptionError(
                f"{where}: a run takes no virtual time; say what is slow, as in `latency={{'function': 0.01}}`"
            )
        ends[end] += 1
        rates.append(len(completions) / run.time if end == "completed" else 0.0)
        times += completions
        if end == "given up":
            return Measured(len(rates), ends["hung"], ends["died"], 1, None, None)
    return Measured(runs, ends["hung"], ends["died"], 0, math.fsum(rates) / runs, _p99(times))


def _run(model: Model, latency: Mapping[str, Delay], load: Mapping[str, Delay], seed: int) -> tuple[Simulation, str]:
    """Return a run, and what it came to."""
    for steps in _STEPS:
        run = simulate(model, seed=seed, latency=latency, load=load, max_steps=steps)
        end = _end(run)
        if end != "given up":
            break
    return run, end


def _end(run: Simulation) -> str:
    if run.failures:
        return "died"
    if run.status == "stuck" or run.hangs:
        return "hung"
    return "completed" if run.status == "completed" else "given up"


def _completions(run: Simulation) -> Iterator[float]:
    """Yield when each process that must complete has; infinity where it never does, or was not seen to."""
    for each in run.state.processes:
        if each.process.pool is None and not each.process.daemon and (each.owes or each.done):
            yield run.completion.get(each.name, math.inf)


def _p99(times: list[float]) -> float:
    """Return the smallest of ``times`` that 99 % of them do not exceed (the nearest rank)."""
    return sorted(times)[(99 * len(times) + 99) // 100 - 1]
