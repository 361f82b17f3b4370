"""The user's own code, as it stands: run under many schedules, until one of them hangs or something is raised.

Nothing is proved by that, but where every order was run, and nothing is shared that was not seen.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from simcore.control.finer import AT_OPERATIONS, POINTS
from simcore.control.functions import called
from simcore.control.result import Controlled
from simcore.control.running import FAILS, Options, Outcome, Question, answer
from simcore.control.search import (
    Search,
    histories,
    insist_on_no_pause,
    name_of,
    no_fact,
    no_return,
    violation,
    who_ends_what,
    with_hints,
)
from simcore.control.token import Named, read
from simcore.control.workers import Workers
from simcore.errors import Diverged as OtherStep
from simcore.errors import OptionError, recorded_on_another
from simcore.model import Timeouts, Verdict, Witness, check_limit, check_numbers, check_timeouts, check_witness
from simcore.schedule import SAMPLING, Portfolio, Strategy

DFS = "dfs"
STRATEGIES = (*SAMPLING, DFS)


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
    witness: Witness = "short",
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
    strategy : {"random", "pct", "pos", "urw", "even", "portfolio", "dfs"} or an object of `simcore.schedule`
        How they are chosen. With "dfs" each order of operations is run once; where that comes to an end, with time-outs
        "never" or "when_stuck", the answer may be that it holds, at the points where threads meet.
    timeouts : {"never", "when_stuck", "in_order", "anytime"}
        When time-outs fire, as in `explore`; a sleep ends like one, and under "never", too.
    max_steps : int
        After which a run is given up.
    max_seconds : float, optional
        Of wall-clock time; the run that goes on then is finished, what was found is shortened no further, and that
        somebody is lost, where that is a guess, is tried for ten seconds more at most.
    points : {"operations", "release", "lines", "instructions"}
        Where others may go on: before an operation; also right after a lock was released; also at each line, or at each
        instruction, of the program's own code, where data is shared without a lock.
    witness : {"short", "any"}
        What is told of the first run that fails: with "short" its schedule is shortened, its point of no return is
        looked for, and some runs go on to learn who ends which waits, for words; with "any" it is told as it was.

    Returns
    -------
    Controlled
        Violated, with a run that hangs or in which something was raised; it holds, where every order was run and what
        threads share was seen in them; else undetermined.

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
    check_limit(max_seconds=max_seconds)
    if points not in POINTS:
        raise OptionError(f"`points={points!r}`: there are {', '.join(map(repr, POINTS))}")
    check_witness(witness)
    options = Options(timeouts, max_steps, points)
    if strategy == DFS:
        _insist_on_seeing(options)
    elif isinstance(strategy, str):
        if strategy not in SAMPLING:
            raise OptionError(f"`strategy={strategy!r}`: there are {', '.join(map(repr, STRATEGIES))}")
        strategy = SAMPLING[strategy](seed)
    short = witness == "short"
    if isinstance(strategy, str):
        from simcore.control.complete import EveryOrder

        with Workers(partial(answer, body)) as workers:
            return EveryOrder(workers, body, options, Portfolio(seed=seed), max_seconds, short=short).every_order(
                schedules
            )
    with Workers(partial(answer, body)) as workers:
        return Search(workers, body, options, strategy, max_seconds, short=short).sampled(schedules)


def _insist_on_seeing(options: Options) -> None:
    """Refuse a search of every order where steps do to each other what is not seen."""
    if options.timeouts not in ("never", "when_stuck"):
        raise OptionError(f"`timeouts={options.timeouts!r}`: every order is run with 'never' or 'when_stuck'")
    if options.points not in AT_OPERATIONS:
        raise OptionError(f"`points={options.points!r}`: every order is run with 'operations' or 'release'")


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
    found_body: Callable[[], Any] | None = body
    if found_body is None:
        from simcore.control.finding import find

        found_body = find(*told.origin)
    started, options = time.monotonic(), Options(*common)
    with Workers(partial(answer, found_body)) as workers:
        known = who_ends_what(workers.ask, options, one=isinstance(body, Named))
        asked = Question(options, known=known, path=told.path, strict=True, record=True, lost=frozenset(lost))
        outcome: Outcome = workers.ask(asked)
        insist_on_no_pause(outcome, lambda: workers.ask(asked))
        if outcome.how in FAILS:
            outcome = with_hints(outcome, lambda more: workers.ask(Question(options, path=told.path, more=more)))
        step = no_return(outcome, options, workers)
    shown = outcome.recording
    assert shown is not None
    differs = (n for n, (now, then) in enumerate(zip(shown.checks, told.checks, strict=False)) if now != then)
    first = next(differs, len(shown.checks) if outcome.how == "diverged" else None)
    if first is not None:
        what = str(shown.steps[first]) if first < len(shown.steps) else "nothing"
        raise OtherStep(first, recorded_on_another(told.origin.function), [what])
    found = replace(violation(outcome, token, body), no_return=step) if outcome.how in FAILS else None
    name = f"{told.origin.function}({told.origin.bound})" if body is None else name_of(body)
    return Controlled(
        Verdict.UNDETERMINED if found is None else Verdict.VIOLATED,
        1,
        len(outcome.taken),
        time.monotonic() - started,
        name,
        "the token",
        options.timeouts,
        found,
        "the schedule does not fail any more" if found is None else "",
        [no_fact(options)] if outcome.guess else [],
        recall=partial(histories, found_body, options, asked, name),
    )
