"""What is made of the runs of a body: which come next, and what is told of the first that fails.

What is found was run again before it is told, in a process of its own, to the letter of the shortened schedule; so the
token is one that replays.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from math import inf
from typing import Any, NoReturn

from simcore.control.baton import Known
from simcore.control.choosing import Path
from simcore.control.history import History
from simcore.control.operations import called
from simcore.control.orders import Audit, Differs, Guide, Orders
from simcore.control.result import Controlled, Violation
from simcore.control.running import Options, Outcome, Question
from simcore.control.shrink import Steps, shrunk
from simcore.control.token import Named, origin_of, token_of
from simcore.control.workers import Workers
from simcore.errors import NotUnderControl
from simcore.model import Verdict
from simcore.schedule import Strategy

SHRINK_RUNS, SHRINK_SECONDS = 400, 30.0
LEARNING_RUNS = 10
AUDITING_RUNS = 100
NOTING_RUNS = 3
_CHECK_EVERY = 100
FAILS = ("deadlock", "failed")

LONG_PAUSE = 0.3
"""Seconds that a step may take beyond what the processor worked for it."""

_PAUSES = 3
"""How often a run has to have such a step: another process may have had the processor."""


class Search:
    """Schedules of one body, one after the other, until one fails.

    Parameters
    ----------
    workers : Workers
        Run what they are asked.
    body : function
        Whose runs these are.
    options : Options
        Of all runs.
    strategy : Strategy
        Chooses schedules.
    max_seconds : float, optional
        After which no other run is begun.
    """

    def __init__(
        self,
        workers: Workers,
        body: Callable[[], Any],
        options: Options,
        strategy: Strategy,
        max_seconds: float | None,
    ) -> None:
        self.workers, self.body, self.options, self.strategy = workers, body, options, strategy
        self.max_seconds = inf if max_seconds is None else max_seconds
        self.numbers: dict[str, int] = {}
        self.known: Known = {}
        self.longest = self.given_up = self.outside = self.tried = 0
        self.started = time.monotonic()
        self.noted = 0
        self.went_well: History | None = None
        self.went_wrong: History | None = None
        self.absent = tuple(each.name for each in threading.enumerate() if each is not threading.current_thread())

    def sampled(self, schedules: int) -> Controlled:
        """Run so many schedules as the strategy has them."""
        while self.tried < schedules and time.monotonic() - self.started < self.max_seconds:
            outcome = self._sample()
            self.tried += 1
            self.given_up += outcome.how == "steps"
            self.outside += outcome.outside
            if outcome.how in FAILS:
                return self._answer(self._found(outcome))
        return self._answer(None)

    def every_order(self, schedules: int) -> Controlled:
        """Run each order of operations once, and then some at random, for what is shared that nobody has seen."""
        orders, audit, doubt = Orders(), Audit(), ""
        guide = orders.guide()
        while guide is not None or (not doubt and self.tried < orders.runs + AUDITING_RUNS):
            if guide is not None and (self.tried >= schedules or time.monotonic() - self.started >= self.max_seconds):
                doubt = doubt or f"{self.tried:,} orders were run, and there are more"
                break
            outcome = self._observe(guide)
            self.tried += 1
            if outcome.how in FAILS:
                return self._answer(self._found(outcome), "every order")
            doubt = doubt or self._doubt(outcome, audit)
            if guide is not None:
                self._learn(orders, outcome)
                guide = orders.guide()
        return self._answer(None, "every order", doubt, orders.runs - orders.redundant)

    def _observe(self, guide: Guide | None) -> Outcome:
        chance = self.strategy if guide is None else None
        asked = Question(self.options, chance, self.numbers, self.known, guide=guide, observe=True, absent=self.absent)
        outcome: Outcome = self.workers.ask(asked)
        if guide is None:
            assert outcome.strategy is not None
            self.strategy, self.numbers = outcome.strategy, outcome.numbers
        self.longest = max(self.longest, len(outcome.taken))
        self.given_up += outcome.how == "steps"
        self.outside += outcome.outside
        return outcome

    def _learn(self, orders: Orders, outcome: Outcome) -> None:
        assert outcome.observation is not None
        try:
            orders.ran(outcome.observation, outcome.how == "redundant")
        except Differs as at:
            self._differs_from(at.step)

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

    def _sample(self, note: bool = False) -> Outcome:
        self.strategy.begin(max(1, len(self.numbers)), max(1, self.longest))
        note = note and self.noted < NOTING_RUNS
        asked = Question(self.options, self.strategy, self.numbers, self.known, absent=self.absent, note=note)
        outcome: Outcome = self.workers.ask(asked)
        if self.tried % _CHECK_EVERY == 0 and not (outcome.outside or note):
            self._same(outcome)
        assert outcome.strategy is not None
        self.strategy, self.numbers = outcome.strategy, outcome.numbers
        self.longest = max(self.longest, len(outcome.taken))
        if outcome.how == "completed":
            self._keep(outcome.history)
            for where, roles in outcome.seen.items():
                self.known.setdefault(where, set()).update(roles)
        return outcome

    def _along(self, path: Path, known: Known, **asked: Any) -> Outcome:
        outcome: Outcome = self.workers.ask(Question(self.options, known=known, path=path, absent=self.absent, **asked))
        return outcome

    def _same(self, outcome: Outcome) -> None:
        """Insist that a run is the same when it is run again."""
        again = self._along(outcome.taken, self.known, strict=True)
        if (again.how, again.taken) != (outcome.how, outcome.taken):
            self._differs(again.taken, outcome.taken)

    @staticmethod
    def _differs(again: Steps, before: Steps) -> NoReturn:
        differ = (n for n, (one, other) in enumerate(zip(again, before, strict=False)) if one != other)
        Search._differs_from(next(differ, min(len(again), len(before))))

    @staticmethod
    def _differs_from(step: int) -> NoReturn:
        raise NotUnderControl(
            f"not under control: the same schedule was another run from step {step + 1} on: something depends on what "
            "is not scheduled (the time of day, an address, the order of a set of texts: set PYTHONHASHSEED)"
        )

    def _keep(self, history: History | None) -> None:
        """Keep of the runs that went well the one in which most was done: others may have taken a branch past it."""
        if history is not None:
            self.noted += 1
            if self.went_well is None or len(history.calls) > len(self.went_well.calls):
                self.went_well = history

    def _found(self, outcome: Outcome) -> Violation:
        how, known = outcome.how, dict(self.known)
        insist_on_no_pause(outcome, lambda: self._along(outcome.into, known))
        until = min(time.monotonic() + SHRINK_SECONDS, self.started + self.max_seconds)

        def fails(path: Path) -> Steps | None:
            again = self._along(path, known) if time.monotonic() < until else None
            return again.into if again is not None and again.how == how else None

        path = shrunk(outcome.into, fails, SHRINK_RUNS)
        lost = self._along(path, known).lost
        for _ in range(LEARNING_RUNS):  # who ends which waits is seen in runs that go well, and is good for words
            if time.monotonic() < until:
                self._sample(note=True)
        shown = self._along(path, self.known, strict=True, record=True, lost=lost)
        if (shown.how, shown.into) != (how, path):
            self._differs(shown.into, path)
        assert shown.recording is not None
        shown = with_hints(shown, lambda more: self._along(path, known, more=more))
        assert shown.recording is not None
        self.went_wrong = shown.history
        token = token_of(origin_of(self.body), [*self.options, sorted(lost)], path, shown.recording.checks)
        return violation(shown, token, self.body)

    def _answer(self, found: Violation | None, how: str = "", doubt: str = "", orders: int | None = None) -> Controlled:
        notes = []
        if self.given_up:
            notes.append(f"{self.given_up:,} of them had not ended after {self.options.max_steps:,} steps")
        if self.outside:
            notes.append(f"{self.outside:,} of them had to do with somebody outside of the process: not deterministic")
        holds = found is None and orders is not None and not doubt
        reason = f"no violation in {self.tried:,} schedules" + (doubt and f"; {doubt}")
        if holds:
            reason = (
                f"at synchronization points ({orders:,} order{'s' * (orders != 1)}, all; time-outs "
                f"{self.options.timeouts.replace('_', ' ')}; code between two operations was never interrupted; "
                f"no unprotected shared data was seen in {AUDITING_RUNS} further runs)"
            )
        return Controlled(
            Verdict.HOLDS if holds else Verdict.UNDETERMINED if found is None else Verdict.VIOLATED,
            self.tried,
            self.longest,
            time.monotonic() - self.started,
            name_of(self.body),
            how or str(self.strategy),
            self.options.timeouts,
            found,
            reason if found is None else "",
            notes,
            self._histories(found is not None),
        )

    def _histories(self, failed: bool) -> tuple[History, ...]:
        """Return what the run did that is told, and what one did that went well, of a few."""
        longest, name = self.longest, name_of(self.body)
        for _ in range(0 if failed or self.outside else NOTING_RUNS):
            with suppress(NotUnderControl):
                if time.monotonic() - self.started < self.max_seconds:
                    self._sample(note=True)
        self.longest = longest
        return tuple(replace(each, name=name) for each in (self.went_wrong, self.went_well) if each is not None)


def insist_on_no_pause(outcome: Outcome, again: Callable[[], Outcome]) -> None:
    """Refuse a run in which something was raised, if one of its steps always waits for something outside."""
    for _ in range(_PAUSES):
        if outcome.how != "failed" or outcome.paused <= LONG_PAUSE:
            return
        paused, raised = outcome.paused, outcome.errors[0].error.partition(":")[0]
        outcome = again()
    raise NotUnderControl(
        f"not under control: a thread has waited {paused:.1f} s for something outside, while nobody else could run, "
        f"and {raised} was raised, perhaps because of that"
    )


def with_hints(shown: Outcome, ask: Callable[[str], Outcome]) -> Outcome:
    """Add which pools would have broken the knot with one more worker: with whom all come home by the same schedule."""
    told = shown.recording
    assert told is not None
    starved = {pool: told.pools.get(pool) for edge in told.graph.knot for _, pool in edge.queued}
    broken = [pool for pool, key in starved.items() if key and ask(key).how == "completed"]
    breaks = {pool: len(told.graph.pool(pool).workers) + 1 for pool in broken}
    return shown._replace(recording=told._replace(graph=replace(told.graph, breaks=breaks)))


def name_of(body: Callable[[], Any]) -> str:
    """Return what a body is called."""
    return body.origin.function if isinstance(body, Named) else called(body)


def violation(outcome: Outcome, token: str, body: Callable[[], Any] | None) -> Violation:
    """Return what is to be told of a run that was recorded and has failed."""
    told = outcome.recording
    assert told is not None
    found = Violation(outcome.how, told.steps, told.graph, told.places, outcome.errors, told.now, token)
    return replace(found, again=body.again) if isinstance(body, Named) else found
