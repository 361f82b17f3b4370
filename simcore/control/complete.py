"""Each order of operations of a body is run once; whether that was all there is, is asked of some runs at random."""

from __future__ import annotations

from simcore.control.baton import Known, learn
from simcore.control.finer import AT_OPERATIONS, POINTS
from simcore.control.lanes import Lane, comes_yet, differs_from
from simcore.control.orders import Audit, Differs, Guide, Orders
from simcore.control.result import Controlled
from simcore.control.running import FAILS, Outcome, Question
from simcore.control.search import AUDITING_RUNS, INTERRUPTED_RUNS, Search
from simcore.schedule import Strategy


class EveryOrder(Search):
    """A search that may come to an end.

    Its module is loaded before the process that runs are forked from: they need what it needs.
    """

    def every_order(self, schedules: int) -> Controlled:
        """Run each order of operations once, and then some at random, for what is shared that nobody has seen."""
        orders, audit, doubt = Orders(), Audit(), ""
        known: Known = {}
        facts = False
        guide = orders.guide()
        while guide is not None or (not doubt and self.tried < orders.runs + AUDITING_RUNS):
            if (guide is not None and self.tried >= schedules) or not self._goes_on():
                left = f"all orders were run, but only {self.tried - orders.runs:,} of {AUDITING_RUNS} further runs"
                if guide is not None:
                    left = f"of the orders {self.tried:,} were run, and there are more"
                doubt = doubt or left
                break
            outcome = self._observe(guide, known, facts=facts)
            try:
                if comes_yet(outcome, self.workers.ask, self.options, self.until):
                    facts = True
                    outcome = self._observe(guide, known, facts=facts)
            except TimeoutError:
                self.untried += 1
                doubt = doubt or f"of the orders {self.tried:,} were run, and there are more"
                break
            self.tried += 1
            if outcome.how in FAILS:
                common = self.options, self.strategy, self.absent
                lane = Lane(self.workers, *common, batches=False, short=self.short)
                lane.known, lane.facts = known, facts
                return self._answer(self._found(outcome, lane), "every order")
            doubt = doubt or self._doubt(outcome, audit)
            if guide is not None:
                self._learn(orders, outcome)
                guide = orders.guide()
        return self._answer(None, "every order", doubt or self._interrupted(), orders.runs - orders.redundant)

    def _interrupted(self) -> str:
        """Return how a run goes wrong in which code between two operations is interrupted; empty where none did."""
        for points in POINTS[len(AT_OPERATIONS) :]:
            strategy: Strategy | None = self.strategy
            numbers, longest = dict[str, int](), self.longest
            options = self.options._replace(points=points)
            for _ in range(INTERRUPTED_RUNS):
                if not self._goes_on():
                    return f"all orders were run, but not all runs at {points}"
                asked = Question(options, strategy, numbers, facts=True, absent=self.absent, longest=longest)
                outcome: Outcome = self.workers.ask(asked)
                strategy, numbers, longest = outcome.strategy, outcome.numbers, outcome.longest
                self.tried += 1
                if outcome.how in FAILS:
                    raised = [f"raised {each.error.partition(chr(10))[0]}" for each in outcome.errors]
                    did = "hung" if outcome.how == "deadlock" else raised[0]
                    return f"but one {did} that was interrupted between two operations: `points={points!r}` tells it"
        return ""

    def _observe(self, guide: Guide | None, known: Known, *, facts: bool) -> Outcome:
        chance = self.strategy if guide is None else None
        common = self.options, chance, self.numbers, known, facts
        asked = Question(*common, guide=guide, observe=True, absent=self.absent, longest=self.longest)
        outcome: Outcome = self.workers.ask(asked)
        if guide is None:
            assert outcome.strategy is not None
            self.strategy, self.numbers = outcome.strategy, outcome.numbers
        self.longest = max(self.longest, len(outcome.taken))
        self.given_up += outcome.how == "steps"
        self.outside += outcome.outside
        if outcome.how == "completed":
            learn(known, outcome.seen)
        return outcome

    def _learn(self, orders: Orders, outcome: Outcome) -> None:
        assert outcome.observation is not None
        try:
            orders.ran(outcome.observation, outcome.how == "redundant")
        except Differs as at:
            differs_from(outcome.taken[: at.step], self.workers.ask, self.options)

    def _doubt(self, outcome: Outcome, audit: Audit) -> str:
        """Return why nothing is proved; empty if what was seen is all there was to see."""
        seen = outcome.observation
        assert seen is not None
        if outcome.how == "steps":
            return f"a run had not ended after {self.options.max_steps:,} steps"
        if outcome.outside:
            return "somebody outside of the process had a part in it"
        if seen.unordered:
            return f"of {seen.unordered} it is not known what it does to what threads share"
        hidden = audit(seen, outcome.how != "redundant")
        return hidden and f"threads share what no lock protects: one came to {hidden}, after the same operations"
