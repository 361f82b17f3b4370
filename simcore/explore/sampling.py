"""Sampled runs: an answer of their own, a first look where any witness will do, and what makes one shorter.

Samples prove nothing: that they meet no violation is never a verdict.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial

from simcore.explore.counterexamples import Counterexamples
from simcore.explore.foresight import in_turn
from simcore.explore.graph import Path
from simcore.explore.limits import OutOfBudget
from simcore.explore.reduction import Symmetry
from simcore.explore.result import Counterexample, Result
from simcore.explore.search import Found
from simcore.explore.shrink import without_needless
from simcore.explore.space import Space
from simcore.model import Verdict
from simcore.schedule import Strategy

_SAMPLES = 1_000
_GLANCES, _GLANCE = 10, 1_000  # runs, and steps of each, before a search where any witness will do
ANY = "the first that was met; `witness='short'` looks for a shortest one"


class Sampling(Counterexamples):
    """A search that takes sampled runs; ``told`` is what a report should say of how it was made."""

    told: tuple[str, ...] = ()

    def sample(self, strategy: Strategy) -> Result:
        """Run the model again and again; the answer is a violation or no answer."""
        steps = longest = runs = 0
        reason = f"{_SAMPLES} sampled runs met no violation, and samples prove nothing"
        try:
            while runs < _SAMPLES:
                found, length = self.run(strategy, longest, steps)
                steps, longest, runs = steps + length, max(longest, length), runs + 1
                if found is not None:
                    with self.limits.lifted():
                        counterexample = self._shortened(found)
                    return self._sampled(str(strategy), runs, steps, longest, counterexample)
        except OutOfBudget as limit:
            cut = max(0, self.limits.counted - steps)  # of the run that did not end
            steps, longest = steps + cut, max(longest, cut)
            reason = f"{limit} after {runs} sampled runs without a violation"
            if not runs:
                reason = (
                    f"{limit} after {steps:,} steps of the first sampled run, so not one has ended: "
                    f"raise `{limit.option}`"
                )
        if strategy.promise and runs:
            reason += f"; {strategy.promise}"
        return self._sampled(str(strategy), runs, steps, longest, None, reason)

    def glance(self) -> Result | None:
        """Return a violation that a few short sampled runs meet; None where they meet none, or time is up."""
        steps = longest = 0
        with suppress(OutOfBudget):
            for runs in range(1, _GLANCES + 1):
                strategy = in_turn(runs)
                found, length = self.run(strategy, longest, -_GLANCE, _GLANCE)
                steps, longest = steps + length, max(longest, length)
                if found is not None:
                    self.any_witness = True
                    with self.limits.lifted():
                        return self._sampled(str(strategy), runs, steps, longest, self._told(*found, ANY))
        return None

    def _sampled(
        self, name: str, runs: int, steps: int, longest: int, found: Counterexample | None, reason: str = ""
    ) -> Result:
        result = self._result(f"{name}, {runs} runs", found, reason)
        return replace(result, states=steps, transitions=steps, depth=longest)

    def _shortened(self, found: tuple[Path, str]) -> Counterexample:
        """Return a sampled violation as a counterexample, as short as the budget allows."""
        path, name = found
        path = without_needless(self.kernel, path, lambda state: self.violation(state) == name, self.limits)
        only = frozenset(process for process, _ in path)
        space = Space()
        better = self.limits.in_time(partial(self._found_of, only, space), None)
        if better is None or space.depths[better.state] > len(path):
            return self._told(path, name, "no step can be left out; not known to be shortest")
        shorter = self._path(space, better, False)[0]
        how = "shortest that was seen of these processes alone; a breadth-first search of all ran out of budget"
        return self._told(shorter, better.name, how)

    def _found_of(self, only: frozenset[int], space: Space) -> Found | None:
        """Search the steps of some processes alone, for so long as it is worth."""
        apart = dict.fromkeys(self.kernel.model.families, "only some of its processes are looked at")
        self.reduce_by(Symmetry(self.kernel, not self.symmetry.trivial, {**apart, **self.symmetry.apart}))
        self.limits.shorten()
        self.wanted = []
        return self.walk(space, depth_first=False, only=self._with_pools(only))

    def _with_pools(self, only: frozenset[int]) -> frozenset[int]:
        """Add the other workers of a pool, so that they stay interchangeable."""
        pools = {self.kernel.processes[process].pool for process in only} - {None}
        return only | {process.index for process in self.kernel.processes if process.pool in pools}

    def _result(self, name: str, found: Counterexample | None = None, reason: str = "") -> Result:
        space, model = self.space, self.kernel.model
        return Result(
            Verdict.VIOLATED if found is not None else Verdict.UNDETERMINED,
            model.name,
            model.origin,
            found.property if found is not None else ", ".join(p.name for p in self.asked),
            len(space.states),
            space.transitions,
            space.depth,
            self.limits.elapsed,
            name,
            self.kernel.timeouts,
            found,
            reason,
            self.kernel.notes + space.notes + self.told,
            space.omission,
        )
