"""The user's own code, as it stands: run under many schedules, until one of them hangs or something is raised.

Nothing is proved by that. What is found was run again before it is told, in a process of its own, to the letter of the
shortened schedule; so the token is one that replays.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple, NoReturn

from simcore.control.baton import ControlledThread, Known, Run
from simcore.control.choosing import Choose, Diverged, Path, by_strategy, loosely, to_the_letter
from simcore.control.environment import Learning, Recorded, begin
from simcore.control.live import Reader
from simcore.control.naming import function_at
from simcore.control.operations import called
from simcore.control.primitives import Current
from simcore.control.result import CodeStep, Controlled, Raised, Violation
from simcore.control.shrink import Steps, shrunk
from simcore.control.suspicion import Suspicion
from simcore.control.token import find, origin_of, read, token_of
from simcore.control.workers import Workers
from simcore.errors import Diverged as OtherStep
from simcore.errors import InternalError, NotUnderControl, OptionError
from simcore.explain import WaitForGraph
from simcore.model import Timeouts, Verdict, check_flags, check_numbers, check_timeouts
from simcore.schedule import SAMPLING, Strategy

SHRINK_RUNS = 400
LEARNING_RUNS = 10
_CHECK_EVERY = 100
_FAILS = ("deadlock", "failed")


class Options(NamedTuple):
    """What all runs of one question have in common."""

    timeouts: Timeouts = "when_stuck"
    max_steps: int = 20_000
    after_release: bool = False


@dataclass(frozen=True)
class Question:
    """One run: chosen by a strategy, or along a path, followed loosely or to the letter; in words if ``record``."""

    options: Options
    strategy: Strategy | None = None
    numbers: dict[str, int] = field(default_factory=dict)
    known: Known = field(default_factory=dict)
    path: Path = ()
    strict: bool = False
    record: bool = False


class Recording(NamedTuple):
    """What there is to tell of a run."""

    steps: list[CodeStep]
    checks: list[int]
    graph: WaitForGraph
    places: dict[str, str]
    now: float


class Outcome(NamedTuple):
    """How a run has ended, and what was learned in it."""

    how: str
    taken: Steps
    errors: list[Raised]
    strategy: Strategy | None
    numbers: dict[str, int]
    seen: Known
    recording: Recording | None = None


def control(
    body: Callable[[], Any],
    *,
    schedules: int = 200,
    seed: int = 0,
    strategy: str | Strategy = "portfolio",
    timeouts: Timeouts = "when_stuck",
    max_steps: int = 20_000,
    max_seconds: float | None = None,
    after_release: bool = False,
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
        Of wall-clock time; the run that goes on then is finished.
    after_release : bool
        Whether others may also go on right after a lock was released, and not only before one is acquired.

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
    check_timeouts(timeouts)
    check_numbers(whole=True, none=False, least=1, schedules=schedules, max_steps=max_steps)
    check_numbers(whole=True, none=False, seed=seed)
    check_numbers(whole=False, max_seconds=max_seconds)
    check_flags(after_release=after_release)
    if isinstance(strategy, str):
        if strategy not in SAMPLING:
            raise OptionError(f"strategy={strategy!r}: there are {', '.join(map(repr, SAMPLING))}")
        strategy = SAMPLING[strategy](seed)
    options = Options(timeouts, max_steps, after_release)
    with Workers(partial(answer, body)) as workers:
        return _Search(workers, body, options, strategy).result(schedules, max_seconds)


class _Search:
    """Schedules, one after the other, and what is made of the first that fails."""

    def __init__(self, workers: Workers, body: Callable[[], Any], options: Options, strategy: Strategy) -> None:
        self.workers, self.body, self.options, self.strategy = workers, body, options, strategy
        self.numbers: dict[str, int] = {}
        self.known: Known = {}
        self.longest = self.given_up = self.tried = 0
        self.started = time.monotonic()

    def result(self, schedules: int, max_seconds: float | None) -> Controlled:
        while self.tried < schedules:
            if max_seconds is not None and time.monotonic() - self.started >= max_seconds:
                break
            outcome = self._sample()
            self.tried += 1
            self.given_up += outcome.how == "steps"
            if outcome.how in _FAILS:
                return self._answer(self._found(outcome))
        return self._answer(None)

    def _sample(self) -> Outcome:
        self.strategy.begin(max(1, len(self.numbers)), max(1, self.longest))
        asked = Question(self.options, self.strategy, self.numbers, self.known)
        outcome: Outcome = self.workers.ask(asked)
        if self.tried % _CHECK_EVERY == 0:
            self._same(outcome)
        assert outcome.strategy is not None
        self.strategy, self.numbers = outcome.strategy, outcome.numbers
        self.longest = max(self.longest, len(outcome.taken))
        if outcome.how == "completed":
            for where, roles in outcome.seen.items():
                self.known.setdefault(where, set()).update(roles)
        return outcome

    def _along(self, path: Path, strict: bool, record: bool = False) -> Outcome:
        asked = Question(self.options, None, {}, self.known, path, strict, record)
        outcome: Outcome = self.workers.ask(asked)
        return outcome

    def _same(self, outcome: Outcome) -> None:
        """Insist that a run is the same when it is run again."""
        again = self._along(outcome.taken, strict=True)
        if (again.how, again.taken) != (outcome.how, outcome.taken):
            at = next((n for n, (a, b) in enumerate(zip(again.taken, outcome.taken, strict=False)) if a != b), None)
            step = min(len(again.taken), len(outcome.taken)) if at is None else at
            raise NotUnderControl(
                f"not under control: the same schedule was another run from step {step + 1} on: something depends on "
                "what is not scheduled (the time of day, an address, the order of a set of texts: set PYTHONHASHSEED)"
            )

    def _found(self, outcome: Outcome) -> Violation:
        how = outcome.how

        def fails(path: Path) -> Steps | None:
            again = self._along(path, strict=False)
            return again.taken if again.how == how else None

        path = shrunk(outcome.taken, fails, SHRINK_RUNS)
        for _ in range(LEARNING_RUNS):  # who ends which waits is seen in runs that go well
            self._sample()
        shown = self._along(path, strict=True, record=True)
        self._same(shown)
        told = shown.recording
        assert told is not None
        assert shown.how == how
        token = token_of(origin_of(self.body), self.options, shown.taken, told.checks)
        return _violation(shown, token)

    def _answer(self, found: Violation | None) -> Controlled:
        notes = []
        if self.given_up:
            notes.append(f"{self.given_up:,} of them had not ended after {self.options.max_steps:,} steps")
        return Controlled(
            Verdict.UNDETERMINED if found is None else Verdict.VIOLATED,
            self.tried,
            self.longest,
            time.monotonic() - self.started,
            called(self.body),
            str(self.strategy),
            self.options.timeouts,
            found,
            f"no violation in {self.tried:,} schedules" if found is None else "",
            notes,
        )


def replay(token: str) -> Controlled:
    """Run a schedule of code again, to the letter.

    Parameters
    ----------
    token : str
        What a report printed behind ``simcore replay``.

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
    body, started, options = find(*told.origin), time.monotonic(), Options(*told.options)
    with Workers(partial(answer, body)) as workers:
        outcome: Outcome = workers.ask(Question(options, path=told.path, strict=True, record=True))
    shown = outcome.recording
    assert shown is not None
    differs = (n for n, (now, then) in enumerate(zip(shown.checks, told.checks, strict=False)) if now != then)
    first = next(differs, len(shown.checks) if outcome.how == "diverged" else None)
    if first is not None:
        what = str(shown.steps[first]) if first < len(shown.steps) else "nothing"
        raise OtherStep(first, f"recorded on another version of {told.origin.function}", [what])
    found = _violation(outcome, token) if outcome.how in _FAILS else None
    return Controlled(
        Verdict.UNDETERMINED if found is None else Verdict.VIOLATED,
        1,
        len(outcome.taken),
        time.monotonic() - started,
        f"{told.origin.function}({told.origin.bound})",
        "the token",
        options.timeouts,
        found,
        "the schedule does not fail any more" if found is None else "",
    )


def _violation(outcome: Outcome, token: str) -> Violation:
    told = outcome.recording
    assert told is not None
    return Violation(outcome.how, told.steps, told.graph, told.places, outcome.errors, told.now, token)


# ---- in the process of a run ---------------------------------------------------------------------------------


def answer(
    body: Callable[[], Any], asked: Question, progress: Callable[[int], None], leave: Callable[[Any], None]
) -> Outcome:
    """Run ``body`` once, and say how it has ended."""
    suspicion, options = Suspicion(), asked.options

    def stop(run: Run, how: str) -> NoReturn:
        try:
            leave(_outcome(run, how, asked, suspicion))
        except BaseException:  # it would end as an exception of the program's thread
            leave(InternalError(traceback.format_exc()))
        raise AssertionError

    chosen = _choose(asked)

    def choose(run: Run, candidates: Any) -> int:
        try:
            return chosen(run, candidates)
        except Diverged:
            stop(run, "diverged")

    run = (Recorded if asked.record else Learning)(
        choose,
        options.timeouts,
        options.max_steps,
        after_release=options.after_release,
        hung=suspicion,
        stop=stop,
        progress=progress,
    )
    run.known = asked.known
    begin(run)
    run.take(body)
    Current.run = None
    return _outcome(run, "failed" if run.errors else "completed", asked, suspicion)


def _choose(asked: Question) -> Choose:
    if asked.strategy is not None:
        return by_strategy(asked.strategy, asked.numbers)
    return to_the_letter(asked.path) if asked.strict else loosely(asked.path)


def _outcome(run: Run, how: str, asked: Question, suspicion: Suspicion) -> Outcome:
    taken = [(run.threads[number].path, outcome) for number, outcome in run.taken]
    errors = [_raised(thread, error) for thread, error in run.errors]
    assert isinstance(run, Learning)
    recording = _recording(run, suspicion) if isinstance(run, Recorded) else None
    return Outcome(how, taken, errors, asked.strategy, asked.numbers, run.seen, recording)


def _recording(run: Recorded, suspicion: Suspicion) -> Recording:
    graph = Reader(run).graph()
    lost = suspicion.lost or frozenset(edge.process.name for edge in graph.edges)
    at = {thread.name: function_at(thread) for thread in run.live}
    return Recording(run.steps(), run.checks, replace(graph, proved=lost, complete=not suspicion.lost), at, run.now)


def _raised(thread: ControlledThread, error: BaseException) -> Raised:
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    at = "" if where is None else f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}"
    return Raised(thread.name, f"{type(error).__name__}: {error}".removesuffix(": "), at)
