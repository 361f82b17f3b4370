"""Schedules by a strategy, in two lanes: processes on a core of their own, each with its own random numbers.

Which schedules there are depends neither on the number of cores nor on which lane is faster: the first few are those of
the first lane, then they take turns, and of two that fail the earlier one is told.

A program that leaves its process as it found it has many schedules run in one, which saves most of the time that a
small one takes. Whether it does is asked of the first run, and after each batch by a run that there was before: if it
is another one now, the batch does not count, and there are no more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from math import inf
from typing import Any, NoReturn

from simcore.control.baton import Known, learn
from simcore.control.operations import EVERY
from simcore.control.result import RUNS_ON
from simcore.control.running import FAILS, Options, Outcome, Question, Reference, answer
from simcore.control.shrink import Steps
from simcore.control.workers import Workers, first_of
from simcore.errors import NotUnderControl, SimcoreError
from simcore.schedule import RandomWalk, Strategy

ALONE = 8
"""How many schedules the first lane runs before there is a second one."""

_BATCH = 25
_CHECK_EVERY = 100
"""How often a schedule is run twice, to see whether it is the same."""

_SECOND = 7_919
"""What is added to the seed of the second lane."""


def differs(again: Steps, before: Steps, ask: Callable[[Question], Outcome], options: Options) -> NoReturn:
    """Say at which step a schedule is not what it was."""
    differ = (n for n, (one, other) in enumerate(zip(again, before, strict=False)) if one != other)
    differs_from(before[: next(differ, min(len(again), len(before)))], ask, options)


def differs_from(common: Steps, ask: Callable[[Question], Outcome], options: Options) -> NoReturn:
    """Say that a schedule is not what it was but for the steps that are ``common``, and what the last of these did.

    What differs is done by the code between that step and the next. The words are those of one run more, if that is the
    same until there.
    """
    behind = ""
    with suppress(SimcoreError):
        shown = ask(Question(options, path=common, facts=True, record=True))
        if common and shown.recording is not None and shown.taken[: len(common)] == common:
            step = shown.recording.steps[len(common) - 1]
            behind = f", behind {step.thread}: {step.told}{step.place and f' at {step.place}'}"
    raise NotUnderControl(
        f"not under control: the same schedule was another run from step {len(common) + 1} on{behind}: "
        "something depends on what is not scheduled (a file that a run before has left, the time of day, an address, "
        "the order of a set of texts: set PYTHONHASHSEED)"
    )


LATE = 3_600.0
"""How late, in seconds, waits end where it is tried what may come in a long time."""

TRY_SECONDS = 10.0
"""For how long it may still be tried, when there is no more time, whether somebody is lost who was guessed to be."""


def run_on(path: Steps, ask: Callable[[Question], Outcome], options: Options, until: float) -> Iterator[Outcome]:
    """Yield how `RUNS_ON` runs end that go on from a path, each by a random walk; nobody is suspected but on facts.

    In each of them the collector runs, as for real it may wherever somebody still moves; and in every second one time
    flies, as somebody may look at the clock more often than a run has steps before his time has come.

    Raises
    ------
    TimeoutError
        Where it is too late to begin one of them.
    """
    for seed in range(RUNS_ON):
        if time.monotonic() > until:
            raise TimeoutError
        yield ask(Question(options, RandomWalk(seed), path=path, facts=True, late=LATE * (seed % 2)))


def comes_yet(outcome: Outcome, ask: Callable[[Question], Outcome], options: Options, until: float) -> bool:
    """Tell whether somebody moves who was guessed to be lost, where the others run on from there in other orders.

    Raises
    ------
    TimeoutError
        Where there is no time to find that out.
    """
    return outcome.guess and any(
        path in outcome.lost
        for on in run_on(outcome.into, ask, options, until + TRY_SECONDS)
        for path, _ in on.taken[outcome.since :]
    )


class Lane:
    """One schedule after the other.

    Attributes
    ----------
    ran : int
        How many.
    longest : int
        Steps of the longest one.
    given_up, outside : int
        How many had not come to their end, and in how many somebody outside of the process had a part.
    limited : int
        In how many of those that were given up somebody still waited with a limit.
    still, busy : tuple of str
        Who had not moved for long in the first of those, and who could always go on, so that no time passed.
    only_behind : str
        How one has ended behind others in one process, and not in one of its own; else empty.
    known : Known
        Who was seen to end which waits in those that completed.
    facts : bool
        Whether nobody is suspected any more but on facts, as somebody came who was given up.
    untried : int
        In how many somebody was guessed to be lost, and there was no time to try that.
    """

    def __init__(
        self,
        workers: Workers,
        options: Options,
        strategy: Strategy,
        absent: tuple[str, ...],
        *,
        batches: bool,
        short: bool,
        until: float = inf,
    ) -> None:
        self.workers, self._until = workers, until
        self.ran = self.longest = self.given_up = self.outside = self.limited = self.untried = 0
        self.still: tuple[str, ...] = ()
        self.busy: tuple[str, ...] = ()
        self.only_behind = ""
        self.known: Known = {}
        self.facts = False
        self._options, self._strategy, self._absent = options, strategy, absent
        self._numbers: dict[str, int] = {}
        self.batches, self._short = batches and options.in_batches, short
        self._reference: Reference | None = None
        self._asked: Question | None = None
        self._has_had_room = False

    def ask(self, most: int) -> None:
        """Have some more schedules run, one at least and at most so many."""
        many = min(most, _BATCH) if self.batches and self._reference is not None else 1
        self._asked = Question(
            self._options,
            self._strategy,
            self._numbers,
            self.known,
            absent=self._absent,
            many=many,
            until=self._until,
            longest=self.longest,
            facts=self.facts,
            probe=self.batches and self._reference is None and self.ran > 0,  # the first one fails often
            reference=self._reference if many > 1 else None,
        )
        self.workers.send(self._asked)

    def hear(self) -> Outcome | None:
        """Return how the last of them has ended; None if they do not count, and are to be asked for again."""
        asked = self._asked
        assert asked is not None
        try:
            outcome: Outcome = self.workers.receive()
        except NotUnderControl:
            if asked.many == 1:
                raise
            self.batches = False
            return None
        if asked.many > 1 and not (self._is_found_again(outcome) and outcome.untouched):
            self.batches = False
            return None
        as_it_was = outcome.how in FAILS and not self._short  # told by a run of its own, along the same steps
        if asked.many == 1 and self.ran % _CHECK_EVERY == 0 and not outcome.outside and not as_it_was:
            again = self._again(outcome)
            if (again.how, again.taken) != (outcome.how, outcome.taken):
                differs(again.taken, outcome.taken, self.workers.ask, self._options)
        late = any(late for _, late in outcome.taken)
        if outcome.how != "completed" and not self._has_had_room and (late or not as_it_was):
            outcome = self._with_room(outcome, late=late)
        try:
            if comes_yet(outcome, self.workers.ask, self._options, self._until):
                self.facts = True
                outcome = self._taken_again(outcome)
        except TimeoutError:
            outcome = outcome._replace(how="untried")
            self.untried += 1
        if asked.probe:
            self.batches = outcome.tidy and outcome.untouched and outcome.how == "completed"
            self._reference = Reference(outcome.taken, outcome.checks)
        assert outcome.strategy is not None
        self._strategy, self._numbers, self.longest = outcome.strategy, outcome.numbers, outcome.longest
        self.ran += outcome.runs
        if outcome.given_up is not None:
            if not self.given_up:
                _, self.still, self.busy = outcome.given_up
            self.given_up += 1
            self.limited += outcome.given_up.limited
        self.outside += outcome.outside
        learn(self.known, outcome.seen)
        return outcome

    def _with_room(self, outcome: Outcome, *, late: bool) -> Outcome:
        """Return a run, taken again once more is known of who ends which waits if time had to go on in it.

        Where each run hangs, none has shown that; beside pollers and heartbeats nobody is suspected then, and time-outs
        hide where it began. In a run whose pools have room for everybody the same waits may end.
        """
        self._has_had_room = True
        roomy: Outcome = self.workers.ask(Question(self._options, known=self.known, absent=self._absent, more=EVERY))
        if roomy.how == "completed":
            learn(self.known, roomy.seen)
        if late:
            again = self._taken_again(outcome)
            if again.how == "deadlock":
                return again
        return outcome

    def _taken_again(self, outcome: Outcome) -> Outcome:
        """Return how a run ends with what is known by now; it counts as it was."""
        kept = {name: getattr(outcome, name) for name in ("strategy", "numbers", "runs", "longest", "seen")}
        return self._again(outcome, strict=False)._replace(**kept)

    def _is_found_again(self, outcome: Outcome) -> bool:
        """Tell whether a run behind others in one process is the same in a new one, if it has not completed."""
        if outcome.how == "completed":
            return True
        again = self._again(outcome)
        if again.how != outcome.how:
            self.only_behind = outcome.how
        return (again.how, again.taken) == (outcome.how, outcome.taken)

    def _again(self, outcome: Outcome, *, strict: bool = True) -> Outcome:
        along = Question(self._options, known=self.known, facts=self.facts, path=outcome.taken, absent=self._absent)
        again: Outcome = self.workers.ask(replace(along, strict=strict))
        return again


class Lanes:
    """Two lanes for one body.

    Parameters
    ----------
    first : Workers
        Of the first lane.
    body : function
        What is run.
    options, strategy, absent
        Of all runs.
    one : bool
        Whether the body may be run by one at a time only, and in a new process each time.
    short : bool
        Whether a run that fails is looked at with more runs before it is told.
    until : float
        When there is no more time, by `time.monotonic`.
    """

    def __init__(
        self,
        first: Workers,
        body: Callable[[], Any],
        options: Options,
        strategy: Strategy,
        absent: tuple[str, ...],
        *,
        one: bool,
        short: bool,
        until: float,
    ) -> None:
        self._body, self._one, self._short, self._until = body, one, short, until
        self._common = options, absent
        self._second_strategy = replace(strategy, seed=strategy.seed + _SECOND)
        self._stack = ExitStack()
        self.lanes = [Lane(first, options, strategy, absent, batches=not one, short=short, until=until)]

    def __enter__(self) -> Lanes:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def heard(self, schedules: int, goes_on: Callable[[], bool]) -> Iterator[tuple[Lane, Outcome]]:
        """Yield how schedules have ended, the last of each batch; behind one that fails only earlier ones are run."""
        end, busy = schedules + 1, set[Lane]()
        while True:
            if len(self.lanes) == 1 and not self._one and self.lanes[0].ran >= ALONE and end > ALONE + 2:
                self._open()
            for lane in self.lanes:
                if lane not in busy and (most := self._most(lane, end) - lane.ran) > 0 and goes_on():
                    lane.ask(most)
                    busy.add(lane)
            if not busy:
                return
            workers = first_of([lane.workers for lane in busy])
            lane = next(lane for lane in busy if lane.workers is workers)
            busy.remove(lane)
            if (outcome := lane.hear()) is not None:
                if outcome.how in FAILS:
                    end = min(end, self.number(lane))
                yield lane, outcome

    def _open(self) -> None:
        workers = self._stack.enter_context(Workers(partial(answer, self._body), self.lanes[0].workers))
        options, absent = self._common
        first = self.lanes[0]
        common = options, self._second_strategy, absent
        lane = Lane(workers, *common, batches=first.batches, short=self._short, until=self._until)
        self.lanes.append(lane)

    def number(self, lane: Lane) -> int:
        """Return the number of the schedule that a lane has run last, among all."""
        if lane is not self.lanes[0]:
            return ALONE + 2 * lane.ran
        return lane.ran if self._one else lane.ran + max(0, lane.ran - ALONE - 1)

    def _most(self, lane: Lane, end: int) -> int:
        """Return how many schedules of a lane come before one with a number."""
        behind = max(0, end - 1 - ALONE)
        if lane is not self.lanes[0]:
            return behind // 2
        if self._one:
            return end - 1
        return min(end - 1, ALONE) + (behind + 1) // 2 * (len(self.lanes) > 1 or end <= ALONE + 2)
