"""The user's own code, as it stands: run under many schedules, until one of them hangs or something is raised.

Nothing is proved by that. What is found was run again before it is told, in a process of its own, to the letter of the
shortened schedule; so the token is one that replays.
"""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import inf
from typing import Any, NoReturn

from simcore.control.baton import Known
from simcore.control.choosing import Path
from simcore.control.finer import POINTS
from simcore.control.operations import EVERY, called
from simcore.control.result import Controlled, Violation
from simcore.control.running import Options, Outcome, Question, answer
from simcore.control.shrink import Steps, shrunk
from simcore.control.token import Named, find, origin_of, read, token_of
from simcore.control.workers import Workers
from simcore.errors import Diverged as OtherStep
from simcore.errors import NotUnderControl, OptionError
from simcore.model import Timeouts, Verdict, check_numbers, check_timeouts
from simcore.schedule import SAMPLING, Strategy

SHRINK_RUNS, SHRINK_SECONDS = 400, 30.0
LEARNING_RUNS = 10
_CHECK_EVERY = 100
_FAILS = ("deadlock", "failed")


def control(
    body: Callable[[], Any],
    *,
    schedules: int = 200,
    seed: int = 0,
    strategy: str | Strategy = "portfolio",
    timeouts: Timeouts = "when_stuck",
    max_steps: int = 20_000,
    max_seconds: float | None = None,
    points: str = "operations",
) -> Controlled:
    """Run ``body``, unmodified code with threads, under many schedules in virtual time.

    One thread runs at a time. Whoever is about to do something with a lock, a queue, a future or any other object of
    the standard library that threads meet at, may have to let others do something first; who, a strategy says. Sleeps
    and time-outs take no time. Each schedule is run in a process of its own.

    Parameters
    ----------
    body : function
        Takes no arguments; what it returns is ignored. Use `functools.partial` for parameters.
    schedules : int
        How many to try, at least 1.
    seed : int
        The same seed gives the same schedules.
    strategy : {"random", "pct", "pos", "urw", "portfolio"} or an object of `simcore.schedule`
        How they are chosen.
    timeouts : {"never", "when_stuck", "in_order", "anytime"}
        When time-outs fire, as in `explore`; a sleep ends like one, and under "never", too.
    max_steps : int
        After which a run is given up.
    max_seconds : float, optional
        Of wall-clock time; the run that goes on then is finished, and what was found is shortened no further.
    points : {"operations", "release", "lines", "instructions"}
        Where others may go on: before an operation; also right after a lock was released; also at each line, or at each
        instruction, of the program's own code, where data is shared without a lock.

    Returns
    -------
    Controlled
        Violated, with a run that hangs or in which something was raised; else undetermined.

    Raises
    ------
    OptionError
        When an option is unknown or out of its range.
    NotUnderControl
        When a thread waits for something that is not Python's to schedule, a run differs from itself, or this platform
        cannot fork processes.
    """
    if not callable(body):
        raise OptionError(f"control({body!r}): a function without parameters is run; write its name, without brackets")
    if inspect.iscoroutinefunction(body) or inspect.isgeneratorfunction(body):
        raise OptionError(
            f"control({called(body)}): it does not run when it is called; wrap it: lambda: asyncio.run(...)"
        )
    check_timeouts(timeouts)
    check_numbers(whole=True, none=False, least=1, schedules=schedules, max_steps=max_steps)
    check_numbers(whole=True, none=False, seed=seed)
    check_numbers(whole=False, max_seconds=max_seconds)
    if points not in POINTS:
        raise OptionError(f"points={points!r}: there are {', '.join(map(repr, POINTS))}")
    if isinstance(strategy, str):
        if strategy not in SAMPLING:
            raise OptionError(f"strategy={strategy!r}: there are {', '.join(map(repr, SAMPLING))}")
        strategy = SAMPLING[strategy](seed)
    options = Options(timeouts, max_steps, points)
    with Workers(partial(answer, body)) as workers:
        return _Search(workers, body, options, strategy, max_seconds).result(schedules)


class _Search:
    """Schedules, one after the other, and what is made of the first that fails."""

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
        self.has_had_room = False
        self.started = time.monotonic()
        self.absent = tuple(each.name for each in threading.enumerate() if each is not threading.current_thread())

    def result(self, schedules: int) -> Controlled:
        while self.tried < schedules and time.monotonic() - self.started < self.max_seconds:
            outcome = self._sample()
            self.tried += 1
            self.given_up += outcome.how == "steps"
            self.outside += outcome.outside
            if outcome.how in _FAILS:
                return self._answer(self._found(outcome))
        return self._answer(None)

    def _sample(self) -> Outcome:
        self.strategy.begin(max(1, len(self.numbers)), max(1, self.longest))
        asked = Question(self.options, self.strategy, self.numbers, self.known, absent=self.absent)
        outcome: Outcome = self.workers.ask(asked)
        if self.tried % _CHECK_EVERY == 0 and not outcome.outside:
            self._same(outcome)
        if outcome.how != "completed" and not self.has_had_room:
            outcome = self._with_room(outcome)
        assert outcome.strategy is not None
        self.strategy, self.numbers = outcome.strategy, outcome.numbers
        self.longest = max(self.longest, len(outcome.taken))
        self._learn(outcome)
        return outcome

    def _learn(self, outcome: Outcome) -> None:
        if outcome.how == "completed":
            for where, roles in outcome.seen.items():
                self.known.setdefault(where, set()).update(roles)

    def _with_room(self, outcome: Outcome) -> Outcome:
        """Return a run, taken again once more is known of who ends which waits if time had to go on in it.

        Where each run hangs, none has shown that; beside pollers and heartbeats nobody is suspected then, and time-outs
        hide where it began. In a run whose pools have room for everybody the same waits may end.
        """
        self.has_had_room = True
        self._learn(self._along((), self.known, more=EVERY))
        if any(late for _, late in outcome.taken):
            again = self._along(outcome.taken, self.known)
            if again.how == "deadlock":
                return again._replace(strategy=outcome.strategy, numbers=outcome.numbers)
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
        step = next(differ, min(len(again), len(before)))
        raise NotUnderControl(
            f"not under control: the same schedule was another run from step {step + 1} on: something depends on what "
            "is not scheduled (the time of day, an address, the order of a set of texts: set PYTHONHASHSEED)"
        )

    def _found(self, outcome: Outcome) -> Violation:
        how, known = outcome.how, dict(self.known)
        until = min(time.monotonic() + SHRINK_SECONDS, self.started + self.max_seconds)

        def fails(path: Path) -> Steps | None:
            again = self._along(path, known) if time.monotonic() < until else None
            return again.into if again is not None and again.how == how else None

        path = shrunk(outcome.into, fails, SHRINK_RUNS)
        lost = self._along(path, known).lost
        for _ in range(LEARNING_RUNS):  # who ends which waits is seen in runs that go well, and is good for words
            if time.monotonic() < until:
                self._sample()
        shown = self._along(path, self.known, strict=True, record=True, lost=lost)
        if (shown.how, shown.into) != (how, path):
            self._differs(shown.into, path)
        assert shown.recording is not None
        shown = _with_hints(shown, lambda more: self._along(path, known, more=more))
        assert shown.recording is not None
        token = token_of(origin_of(self.body), [*self.options, sorted(lost)], path, shown.recording.checks)
        return _violation(shown, token, self.body)

    def _answer(self, found: Violation | None) -> Controlled:
        notes = []
        if self.given_up:
            notes.append(f"{self.given_up:,} of them had not ended after {self.options.max_steps:,} steps")
        if self.outside:
            notes.append(f"{self.outside:,} of them had to do with somebody outside of the process: not deterministic")
        return Controlled(
            Verdict.UNDETERMINED if found is None else Verdict.VIOLATED,
            self.tried,
            self.longest,
            time.monotonic() - self.started,
            _name(self.body),
            str(self.strategy),
            self.options.timeouts,
            found,
            f"no violation in {self.tried:,} schedules" if found is None else "",
            notes,
        )


def replay(token: str, body: Named | None = None) -> Controlled:
    """Run a schedule of code again, to the letter.

    Parameters
    ----------
    token : str
        What a report printed behind ``simcore replay``.
    body : Named, optional
        What to run, where it is no function that is found by its name.

    Returns
    -------
    Controlled
        Violated as before; undetermined if the schedule does not fail any more.

    Raises
    ------
    ScheduleError
        When it is no token, or damaged; `Diverged` at the first step that is another one now.
    OptionError
        When the function is not there any more.
    """
    told = read(token)
    *common, lost = told.options
    found_body = find(*told.origin) if body is None else body
    started, options = time.monotonic(), Options(*common)
    with Workers(partial(answer, found_body)) as workers:
        asked = Question(options, path=told.path, strict=True, record=True, lost=frozenset(lost))
        outcome: Outcome = workers.ask(asked)
        if outcome.how in _FAILS:
            outcome = _with_hints(outcome, lambda more: workers.ask(Question(options, path=told.path, more=more)))
    shown = outcome.recording
    assert shown is not None
    differs = (n for n, (now, then) in enumerate(zip(shown.checks, told.checks, strict=False)) if now != then)
    first = next(differs, len(shown.checks) if outcome.how == "diverged" else None)
    if first is not None:
        what = str(shown.steps[first]) if first < len(shown.steps) else "nothing"
        raise OtherStep(first, f"recorded on another version of {told.origin.function}", [what])
    found = _violation(outcome, token, body) if outcome.how in _FAILS else None
    return Controlled(
        Verdict.UNDETERMINED if found is None else Verdict.VIOLATED,
        1,
        len(outcome.taken),
        time.monotonic() - started,
        f"{told.origin.function}({told.origin.bound})" if body is None else _name(body),
        "the token",
        options.timeouts,
        found,
        "the schedule does not fail any more" if found is None else "",
    )


def _with_hints(shown: Outcome, ask: Callable[[str], Outcome]) -> Outcome:
    """Add which pools would have broken the knot with one more worker: with whom all come home by the same schedule."""
    told = shown.recording
    assert told is not None
    starved = {pool: told.pools.get(pool) for edge in told.graph.knot for _, pool in edge.queued}
    broken = [pool for pool, key in starved.items() if key and ask(key).how == "completed"]
    breaks = {pool: len(told.graph.pool(pool).workers) + 1 for pool in broken}
    return shown._replace(recording=told._replace(graph=replace(told.graph, breaks=breaks)))


def _name(body: Callable[[], Any]) -> str:
    return body.origin.function if isinstance(body, Named) else called(body)


def _violation(outcome: Outcome, token: str, body: Callable[[], Any] | None) -> Violation:
    told = outcome.recording
    assert told is not None
    found = Violation(outcome.how, told.steps, told.graph, told.places, outcome.errors, told.now, token)
    return replace(found, again=body.again) if isinstance(body, Named) else found
