"""An answer says no more than was looked at, and a counterexample explains itself.

`str(result)` is the report: what was asked, the verdict with its bound, the schedule in words, who waits
for whom, and the token that replays it.
"""

from __future__ import annotations

import builtins  # a field is called property
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Context
from functools import cached_property, partial
from itertools import pairwise

from simcore.errors import ScheduleError
from simcore.explain import (
    WaitForGraph,
    fit,
    left_out,
    repeats,
    untried_graph_after,
    wait_for_graph,
    with_breaks,
)
from simcore.explore.no_return import NoReturn, harmless_after
from simcore.explore.standstill import stands_still
from simcore.kernel import Kernel
from simcore.model import Origin, Pictured, State, Verdict, listed, with_parameters
from simcore.schedule import Schedule, Tasks

_ROUNDED_UP = Context(prec=2, rounding=ROUND_CEILING)


@listed(without="hangs kernel never servers why")
@dataclass(frozen=True)
class Counterexample(Pictured):
    """One witness of a violation.

    Attributes
    ----------
    property : str
        The property that it violates.
    schedule : Schedule
        The steps into it.
    state : State
        The state it ends in.
    lasso : Schedule, optional
        For liveness: the steps that are then repeated for ever; empty when the run just stops.
    shortest : str
        "shortest", or what is known instead.
    no_return : NoReturn, optional
        Where it could no longer end well.
    failure : str
        The exception that a process died of, and where.
    lost : str
        Who can never move, or end, again, where only the whole graph tells.
    kernel : Kernel, optional
        In which the schedule was taken; what is proved of its end is asked of this.
    hangs : bool
        Whether what is violated is that nobody waits for ever.
    never : str
        The process that can never move again, where only the whole graph tells.
    servers : mapping of str to sequence of str
        Servers that wait for each other for ever, as in `WaitForGraph`.
    """

    property: str
    schedule: Schedule
    state: State
    lasso: Schedule | None = None
    shortest: str = "shortest"
    no_return: NoReturn | None = None
    failure: str = ""
    lost: str = ""
    kernel: Kernel | None = field(default=None, repr=False)
    hangs: bool = False
    never: str = ""
    servers: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)

    @cached_property
    def wait_for(self) -> WaitForGraph:
        """Who waits for whom at its end, with what is proved of it."""
        if self.kernel is None:
            return self._untried
        return with_breaks(self.kernel, self.schedule.path(self.kernel), self._untried)

    @cached_property
    def _untried(self) -> WaitForGraph:
        """The same without what would have broken the knot, of which a headline says nothing."""
        if self.kernel is None:
            return wait_for_graph(self.state)
        still, never = partial(stands_still, self.kernel), [self.never] * bool(self.never)
        return untried_graph_after(self.kernel, self.schedule.path(self.kernel), never, still, self.servers)

    @builtins.property
    def answer(self) -> str:
        """What is wrong, in plain words."""
        if self.failure:
            return self.failure
        return (self.hangs and self._untried.headline) or self.lost or self._avoids or self.property

    @builtins.property
    def _avoids(self) -> str:
        """What a run does in which the property never comes about."""
        if self.lasso is None:
            return ""
        still = self._untried.headline or "nothing is left to be done"
        run = f"{repeats(self._movers)} for ever" if self.lasso.steps else still
        return f"'{self.property}' does not hold in a run in which {run}"

    @builtins.property
    def token(self) -> str:
        """What `simcore replay` takes; empty when the model cannot be built again from a name."""
        try:
            return self.schedule.token
        except ScheduleError:
            return ""

    def __str__(self) -> str:
        return fit(self.lines())

    def lines(self) -> list[str]:
        """Tell it, line by line: why, then how it comes to that."""
        lines = [*self.why]
        if self.no_return is not None:
            lines.append(self.no_return.describe(self.schedule))
            lines += [f"  {self.harmless}"] * bool(self.harmless)
        lines.append(f"schedule ({self.shortest}):")
        lines += [str(self.schedule)] if self.schedule.steps else ["      (in the initial state)"]
        if self.lasso is not None:
            lines += ["and then, for ever:", str(self.lasso)] if self.lasso.steps else ["and then nothing, for ever"]
        lines.append(f"replay: simcore replay {self.token}" if self.token else "replay: explore the same model again")
        return lines

    @cached_property
    def harmless(self) -> str:
        """After which steps of others the point of no return would do no harm; empty where none are known."""
        point = self.no_return
        if self.kernel is None or point is None or not (point.exact and point.ends and point.step):
            return ""
        path, states = self.schedule.path(self.kernel), self.schedule.states(self.kernel)
        others = harmless_after(self.kernel, states[point.step - 1], path[point.step - 1])
        instead = Schedule.of(self.kernel, path[: point.step - 1] + others).steps[point.step - 1 :]
        told = "; ".join(f"{step.process} {step.text}" for step in instead)
        return f"it would do no harm after: {told}" if told else ""

    @builtins.property
    def why(self) -> list[str]:
        """Say, line by line, who waits for whom, and of a run that goes round for ever who is left out of that."""
        lines = [f"lost: {self.lost}"] if self.lost and not self.never and not self.servers else []
        round_ = self.lasso is not None and bool(self.lasso.steps)
        passes = round_ and not any(edge.process.owes for edge in self.wait_for.stuck)  # who waits now goes on later
        return lines + self._left_out + ([] if passes else self.wait_for.told())

    @cached_property
    def _left_out(self) -> list[str]:
        if self.kernel is None or self.lasso is None or not self.lasso.steps:
            return []
        whole = Schedule((*self.schedule.steps, *self.lasso.steps), self.schedule.origin)
        states, tasks = whole.states(self.kernel), Tasks(self.kernel)
        for before, after in pairwise(states):
            tasks.after(before, after)
        told = [edge.process.name for edge in self.wait_for.stuck]
        return list(map(tasks.named, left_out(self.kernel, states[len(self.schedule) : -1], self._movers, told)))

    @builtins.property
    def _movers(self) -> list[str]:
        return [step.process for step in self.lasso.steps] if self.lasso is not None else []


@dataclass(frozen=True)
class Result(Pictured):
    """The answer of an exploration.

    Attributes
    ----------
    verdict : Verdict
        Holds, violated, undetermined.
    property : str
        The violated property, or all that were asked.
    states, transitions : int
        Distinct states met, and steps between them.
    depth : int
        Steps to the farthest state met, or along the longest run.
    seconds : float
        Wall-clock time.
    counterexample : Counterexample, optional
        When violated.
    reason : str
        Why it is undetermined.
    strategy : str
        How the space was searched.
    notes : tuple of str
        Reductions that were in force or had to be switched off, bounds, and the like.
    never : tuple of str
        With *holds*: what never happened in the whole space (`vacuity.py`).
    omission : float
        A bound on the probability that a state was omitted; 0 but with hash compaction.
    """

    verdict: Verdict
    model: str
    origin: Origin | None
    property: str
    states: int
    transitions: int
    depth: int
    seconds: float
    strategy: str
    timeouts: str
    counterexample: Counterexample | None = None
    reason: str = ""
    notes: tuple[str, ...] = field(default=())
    omission: float = 0.0
    never: tuple[str, ...] = ()

    @builtins.property
    def bound(self) -> str:
        """The parameters for which the verdict was found."""
        return "" if self.origin is None else self.origin.bound

    @builtins.property
    def answer(self) -> str:
        """What is wrong, in plain words; or what was asked."""
        return self.property if self.counterexample is None else self.counterexample.answer

    def __str__(self) -> str:
        return fit(self.lines())

    def lines(self) -> list[str]:
        """Tell it, line by line: what was asked and looked at, then what was found."""
        counted = f"{self.states:,} states, {self.transitions:,} transitions, depth {self.depth}"
        bound = _ROUNDED_UP.create_decimal_from_float(self.omission)
        unless = f", unless a state was omitted (probability at most {bound:g})" if self.omission else ""
        lines = [
            f"{self.verdict}: {self.answer}{unless if self.verdict is Verdict.HOLDS else ''}",
            f"  {with_parameters(self.model, self.origin)}",
            f"  {self.strategy}: {counted}, {self.seconds:.1f} s",
        ]
        lines += [f"  {note}" for note in self.notes]
        if self.never:
            lines.append(f"  but never: {'; '.join(self.never)}")
        if self.reason:
            lines.append(f"  undetermined because {self.reason}")
        if self.counterexample is not None:
            lines += self.counterexample.lines()
        return lines
