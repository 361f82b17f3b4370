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
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from simcore.control.baton import Known, learn
from simcore.control.choosing import Path
from simcore.control.functions import called
from simcore.control.lanes import Lane, Lanes, comes_yet, differs, run_on
from simcore.control.result import LATE, RUNS_ON, Controlled, Violation
from simcore.control.running import FAILS, Options, Outcome, Question, answer
from simcore.control.shrink import Steps, shrunk
from simcore.control.token import PLAIN, Named, origin_of, token_of
from simcore.control.workers import Workers
from simcore.errors import NotUnderControl
from simcore.model import Verdict
from simcore.schedule import RandomWalk, Strategy

if TYPE_CHECKING:
    from simcore.control.history import History

SHRINK_RUNS, SHRINK_SECONDS = 400, 30.0
LEARNING_RUNS = 10
AUDITING_RUNS = 100
INTERRUPTED_RUNS = 20
NOTING_RUNS = 3

LONG_PAUSE = 0.3
"""Seconds that a step may take beyond what the processor worked for it."""

_RETURN_SECONDS, _LEARNING_SECONDS = 5.0, 2.0

_TOLD = 3
"""How many of those are told who had not moved for long."""

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
    short : bool
        Whether what fails is shortened, and looked at with more runs, before it is told.
    """

    def __init__(
        self,
        workers: Workers,
        body: Callable[[], Any],
        options: Options,
        strategy: Strategy,
        max_seconds: float | None,
        *,
        short: bool = True,
    ) -> None:
        self.workers, self.body, self.options, self.strategy = workers, body, options, strategy
        self.short, self.most = short, options
        self.numbers: dict[str, int] = {}
        self.longest = self.given_up = self.outside = self.tried = self.limited = 0
        self.still: tuple[str, ...] = ()
        self.busy: tuple[str, ...] = ()
        self.unended = False
        self.only_behind = ""
        self.guessed = False
        self.started = time.monotonic()
        self.until = self.started + (inf if max_seconds is None else max_seconds)
        self.untried = 0
        self.told: Question | None = None
        self.absent = tuple(each.name for each in threading.enumerate() if each is not threading.current_thread())

    def sampled(self, schedules: int) -> Controlled:
        """Run so many schedules as the strategy has them."""
        one = isinstance(self.body, Named)
        found: tuple[int, Lane, Outcome] | None = None
        common = self.options, self.strategy, self.absent
        with Lanes(self.workers, self.body, *common, one=one, short=self.short, until=self.until) as lanes:
            for lane, outcome in lanes.heard(schedules, self._goes_on):
                if outcome.how in FAILS and (found is None or lanes.number(lane) < found[0]):
                    found = lanes.number(lane), lane, outcome
            told = lanes.lanes if found is None else [found[1]]
            self.longest = max(lane.longest for lane in told)
            self.given_up = sum(lane.given_up for lane in told)
            self.outside = sum(lane.outside for lane in told)
            self.limited = sum(lane.limited for lane in told)
            self.still, self.busy = next(((lane.still, lane.busy) for lane in told if lane.given_up), ((), ()))
            self.untried = sum(lane.untried for lane in told)
            self.only_behind = next((lane.only_behind for lane in told if lane.only_behind), "")
            if found is None:
                self.tried = sum(lane.ran for lane in told)
                return self._answer(None)
            self.tried, lane, outcome = found
            return self._answer(self._found(outcome, lane))

    def _goes_on(self) -> bool:
        return time.monotonic() < self.until

    def _along(self, path: Path, known: Known, **asked: Any) -> Outcome:
        outcome: Outcome = self.workers.ask(Question(self.options, known=known, path=path, absent=self.absent, **asked))
        return outcome

    def _found(self, outcome: Outcome, lane: Lane) -> Violation:
        how, known, facts = outcome.how, {where: set(roles) for where, roles in lane.known.items()}, lane.facts
        self._end_where_told(outcome)
        insist_on_no_pause(outcome, lambda: self._along(outcome.into, known))
        until = min(time.monotonic() + SHRINK_SECONDS, self.until) if self.short else -inf

        def fails(path: Path) -> Steps | None:
            again = self._along(path, known, facts=facts) if time.monotonic() < until else None
            return again.into if again is not None and again.how == how else None

        if self.short:
            shorter = self._along(shrunk(outcome.into, fails, SHRINK_RUNS), known, facts=facts)
            with suppress(TimeoutError):  # then it is told as it was, which was tried
                tried = (shorter.into, shorter.lost) == (outcome.into, outcome.lost)
                if shorter.how == how and (tried or not comes_yet(shorter, self.workers.ask, self.options, until)):
                    outcome = shorter
            learn(
                lane.known,
                who_ends_what(self.workers.ask, self.options, self.absent, one=not lane.batches, until=until),
            )
        self._end_where_told(outcome)
        path, lost, self.guessed = outcome.into, outcome.lost, outcome.guess
        shown = self._along(path, lane.known, strict=True, record=True, lost=lost)
        if (shown.how, shown.into) != (how, path):
            differs(shown.into, path, self.workers.ask, self.options)
        assert shown.recording is not None
        shown = with_hints(shown, lambda more: self._along(path, known, more=more))
        assert shown.recording is not None
        self.told = Question(self.options, known=lane.known, path=path, strict=True, lost=lost)
        token = token_of(origin_of(self.body), [*self.options, sorted(lost)], path, shown.recording.checks)
        step = no_return(shown, self.options, self.workers, self.until) if self.short else 0
        return replace(violation(shown, token, self.body), no_return=step)

    def _end_where_told(self, outcome: Outcome) -> None:
        """Have runs that follow one that has failed, and never comes to its end, have no more steps than it took."""
        if outcome.how == "failed" and len(outcome.into) < len(outcome.taken):
            self.unended = True
            self.options = self.options._replace(max_steps=max(1, len(outcome.into)))

    def _answer(self, found: Violation | None, how: str = "", doubt: str = "", orders: int | None = None) -> Controlled:
        notes = []
        if self.given_up:
            notes.append(f"{self.given_up:,} of them had not ended after {self.most.max_steps:,} steps")
        if self.limited and self.options.timeouts != "never":
            notes[-1] += "; somebody waits with a limit again and again, and `timeouts='never'` tells whether for ever"
        elif self.given_up and not self.busy:
            notes[-1] += "; for longer runs raise `max_steps`"
        if self.still:
            more = f"; and {len(self.still) - _TOLD} more" * (len(self.still) > _TOLD)
            notes.append(f"in the first that had not ended, {'; '.join(self.still[:_TOLD])}{more}")
        if self.busy:
            notes.append(
                f"no time had passed in its second half, for {' and '.join(self.busy[:_TOLD])} could always go on; "
                "more steps do not change that: `timeouts='in_order'` lets time pass beside those who can go on"
            )
        if self.unended:
            notes.append(
                f"the run in which this was raised had not ended after {self.most.max_steps:,} steps; "
                "its schedule is told as far as that"
            )
        if found is not None and found.kind == "failed" and any(step.text.endswith(LATE) for step in found.steps):
            notes.append("a time-out had fired before that: `timeouts='never'` tells whether it hides a hang")
        if self.untried:
            notes.append("somebody seemed to be lost, which is a guess, and there was no time to try it: `max_seconds`")
        if self.outside:
            notes.append(f"{self.outside:,} of them had to do with somebody outside of the process: not deterministic")
        if self.only_behind:
            did = {"deadlock": "hung", "failed": "failed"}.get(self.only_behind, "was given up")
            notes.append(
                f"one {did} behind others in the same process, and not by the same steps in one of its own: "
                "perhaps runs leave something behind (what a module holds, a file); "
                "it does not count, and the rest ran one by one"
            )
        if self.guessed:
            notes.append(no_fact(self.options))
        holds = found is None and orders is not None and not doubt
        reason = f"no violation in {self.tried:,} schedule{'s' * (self.tried != 1)}" + (doubt and f"; {doubt}")
        if holds:
            reason = (
                f"at synchronization points ({orders:,} order{'s' * (orders != 1)}, all; time-outs "
                f"{self.options.timeouts.replace('_', ' ')}; in {AUDITING_RUNS} further runs no thread came to "
                f"anything else after the same operations; {2 * INTERRUPTED_RUNS} more were interrupted between two "
                "operations, at lines and instructions, which proves nothing of those)"
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
            recall=partial(histories, self.body, self.most, self.told, name_of(self.body)),
        )


def no_fact(options: Options) -> str:
    """Return what there is to say of a hang that is told although it is a guess."""
    return (
        "that they can never go on is no fact, but was tried: from there on the others were let run "
        f"{RUNS_ON} times, for at most {options.max_steps:,} steps each"
    )


def who_ends_what(
    ask: Callable[[Question], Outcome],
    options: Options,
    absent: tuple[str, ...] = (),
    *,
    one: bool,
    until: float = inf,
) -> Known:
    """Return who ends which waits, as a few runs show: a report of somebody who waits says that of others.

    A token does not have it, so whoever follows one learns it first, or his report would be a poorer one. Some bodies
    want ``one`` run in each process. Where somebody seems to be lost a run ends, whether he is or not.
    """
    known: Known = {}
    left, until = LEARNING_RUNS, min(until, time.monotonic() + _LEARNING_SECONDS)
    while left > 0 and time.monotonic() < until:
        with suppress(NotUnderControl):
            chance, many = RandomWalk(left), left if options.in_batches and not one else 1
            outcome = ask(Question(options, chance, known=known, absent=absent, many=many, until=until))
            learn(known, outcome.seen)
            left -= outcome.runs - 1
        left -= 1
    return known


def histories(body: Callable[[], Any], options: Options, failed: Question | None, name: str) -> tuple[History, ...]:
    """Return what the run did that is told, and what one did that came to its end: of a few that which did most."""
    found: list[History | None] = []
    with Workers(partial(answer, body)) as workers:
        if failed is not None:
            found.append(workers.ask(replace(failed, record=True, note=True)).history)
        noted: list[History] = []
        for seed in range(NOTING_RUNS):
            with suppress(NotUnderControl):
                outcome: Outcome = workers.ask(Question(options, RandomWalk(seed), note=True))
                noted += [outcome.history] if outcome.how == "completed" and outcome.history is not None else []
    found.append(max(noted, key=lambda history: len(history.calls), default=None))
    return tuple(replace(each, name=name) for each in found if each is not None)


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


def no_return(shown: Outcome, options: Options, workers: Workers, until: float = inf) -> int:
    """Return the step of a hang behind which nothing was found that comes to its end, but before it; else 0.

    From the middle of what is left `RUNS_ON` runs go on, each by a random walk: where one comes to its end, the step is
    further on. None is told where this takes too long.
    """
    if shown.how != "deadlock":
        return 0
    until = min(until, time.monotonic() + _RETURN_SECONDS)

    def ends(length: int) -> bool:
        goes_on = run_on(shown.into[:length], workers.ask, options, until)
        return any(outcome.how == "completed" for outcome in goes_on)

    try:
        if not ends(0):
            return 0
        good, bad = 0, len(shown.into)
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if ends(middle) else (good, middle)
        return bad
    except (TimeoutError, NotUnderControl):
        return 0


def name_of(body: Callable[[], Any]) -> str:
    """Return what a body is called, with what it is given: plain values, and the types of others."""
    if isinstance(body, Named):
        return body.origin.function
    args, named, function = (), dict[str, Any](), body
    while isinstance(function, partial):
        args, named, function = (*function.args, *args), {**function.keywords, **named}, function.func
    given = [*map(_shown, args), *(f"{name}={_shown(value)}" for name, value in named.items())]
    return f"{called(body).removesuffix('()')}({', '.join(given)})"


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, PLAIN) else type(value).__name__


def violation(outcome: Outcome, token: str, body: Callable[[], Any] | None) -> Violation:
    """Return what is to be told of a run that was recorded and has failed."""
    told = outcome.recording
    assert told is not None
    found = Violation(
        outcome.how,
        told.steps,
        told.graph,
        told.places,
        outcome.errors,
        told.now,
        token,
        watched=told.watched,
        tasks=told.tasks,
    )
    return replace(found, again=body.again) if isinstance(body, Named) else found
