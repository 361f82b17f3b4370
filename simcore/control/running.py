"""One run, in a process of its own: what is asked of it, and what it has to say in the end."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from simcore.control.baton import GOES_ON, OUTSIDE, Known, Run, learn
from simcore.control.choosing import Choose, Diverged, Path, Redundant, along_then, by_strategy, loosely, to_the_letter
from simcore.control.descriptors import untouched
from simcore.control.environment import Learning, Noted, Recorded, begin
from simcore.control.finer import AT_OPERATIONS
from simcore.control.live import Reader
from simcore.control.loops import tasks_of
from simcore.control.naming import Names, function_at
from simcore.control.primitives import Current
from simcore.control.residue import residue
from simcore.control.result import CodeStep, Raised
from simcore.control.shrink import Steps
from simcore.control.suspicion import Expectation, Suspicion
from simcore.control.thread import LIBRARY, OURS, ControlledThread
from simcore.control.watching import Watch
from simcore.errors import InternalError, NotUnderControl
from simcore.explain import WaitForGraph
from simcore.model import Timeouts
from simcore.schedule import Strategy
from simcore.whose import is_standard

if TYPE_CHECKING:
    from simcore.control.history import History
    from simcore.control.orders import Guide, Observation
    from simcore.control.watching import Watched

FAILS = ("deadlock", "failed")
"""Ends of runs that are violations."""


_AT_THE_END = 100
"""Of so many steps before a run is given up it is asked whether somebody waits with a limit."""


class Options(NamedTuple):
    """What all runs of one question have in common."""

    timeouts: Timeouts = "when_stuck"
    max_steps: int = 20_000
    points: str = "operations"

    @property
    def in_batches(self) -> bool:
        """Whether a process may have one run after the other: one that was made to stop at lines does so for good."""
        return self.points in AT_OPERATIONS


class Reference(NamedTuple):
    """A run that completed, and what tells it from others step by step."""

    path: Steps
    checks: tuple[int, ...]


@dataclass(frozen=True)
class Question:
    """One run: along a path, at whose end some may be known to be lost, and then by a strategy; recorded or not.

    Where it is not known who is lost, somebody may be suspected, or, if that was wrong before, on ``facts`` alone. With
    ``late`` seconds it is asked what may still come behind the path.

    By a strategy there may be many, one after the other in one process, until one has not completed, or has left
    something behind, or there is no more time. Then, whether the process is as it was is known from a run that was
    there before.
    """

    options: Options
    strategy: Strategy | None = None
    numbers: dict[str, int] = field(default_factory=dict)
    known: Known = field(default_factory=dict)
    facts: bool = False
    path: Path = ()
    strict: bool = False
    record: bool = False
    lost: frozenset[str] | None = None
    absent: tuple[str, ...] = ()
    more: str = ""
    guide: Guide | None = None
    observe: bool = False
    many: int = 1
    until: float = inf
    longest: int = 0
    probe: bool = False
    reference: Reference | None = None
    note: bool = False
    late: float | None = None


class Recording(NamedTuple):
    """What there is to tell of a run."""

    steps: list[CodeStep]
    checks: list[int]
    graph: WaitForGraph
    places: dict[str, str]
    tasks: dict[str, str]
    now: float
    pools: dict[str, str]
    watched: Watched


class GivenUp(NamedTuple):
    """How it stands in a run that has not ended after as many steps as it may have.

    Attributes
    ----------
    limited : bool
        Whether somebody still waits again and again with a limit, and would wait on under "never".
    still : tuple of str
        Who has not moved for the second half of it, since when, and where.
    busy : tuple of str
        Where one of those waits for time, and none has passed for that half, who could go on all the while, and where.
    """

    limited: bool
    still: tuple[str, ...]
    busy: tuple[str, ...]


class Outcome(NamedTuple):
    """How a run has ended, and what was learned in it."""

    how: str
    taken: Steps
    errors: list[Raised]
    strategy: Strategy | None
    numbers: dict[str, int]
    seen: Known
    lost: frozenset[str]
    since: int
    guess: bool
    outside: bool
    paused: float
    recording: Recording | None = None
    observation: Observation | None = None
    tidy: bool = False
    runs: int = 1
    longest: int = 0
    checks: tuple[int, ...] = ()
    untouched: bool = True
    history: History | None = None
    given_up: GivenUp | None = None

    @property
    def into(self) -> Steps:
        """The steps into the end that is told.

        They are neither those for which it was waited whether somebody is lost, nor, in a run that never comes to its
        end, those behind what was raised.
        """
        return self.taken[: self.since]


def answer(
    body: Callable[[], Any], asked: Question, progress: Callable[[], None], leave: Callable[[Any], None]
) -> Outcome:
    """Run ``body`` once, or many times, and say how it has ended."""
    if asked.strategy is None:
        return _run(body, asked, progress, leave)
    if asked.observe:
        asked.strategy.begin(max(1, len(asked.numbers)), max(1, asked.longest))
        return _run(body, asked, progress, leave)
    before = residue() if asked.probe else None
    runs, longest = 0, asked.longest
    seen: Known = {}

    def told(outcome: Any) -> Any:
        if not isinstance(outcome, Outcome):
            return outcome
        if outcome.how == "completed":
            learn(seen, outcome.seen)
        return outcome._replace(seen=seen, runs=runs, longest=max(longest, len(outcome.taken)))

    while True:
        runs += 1
        asked.strategy.begin(max(1, len(asked.numbers)), max(1, longest))
        outcome: Outcome = told(_run(body, asked, progress, lambda outcome: leave(told(outcome))))
        longest = outcome.longest
        if runs == asked.many or outcome.how != "completed" or not outcome.tidy or time.monotonic() > asked.until:
            break
    if asked.reference is not None and outcome.how == "completed":
        if not outcome.tidy:
            return _unlike(outcome)
        again = Question(asked.options, path=asked.reference.path, strict=True, probe=True)
        same = _run(body, again, progress, lambda _: leave(_unlike(outcome)))
        if asked.reference != (same.taken, same.checks):
            return _unlike(outcome)
    return outcome._replace(untouched=not asked.probe or (before is not None and residue() == before))


def _unlike(outcome: Outcome) -> Outcome:
    return outcome._replace(untouched=False)


def _run(
    body: Callable[[], Any], asked: Question, progress: Callable[[], None], leave: Callable[[Any], None]
) -> Outcome:
    options = asked.options
    suspicion: Suspicion | Expectation = Suspicion(asked.known, facts=asked.facts)
    if asked.lost is not None:
        suspicion = Expectation(asked.lost, len(asked.path))

    def stop(run: Run, how: str) -> NoReturn:
        unended = how == "steps" and bool(run.raised)
        how = "failed" if unended else how
        try:
            _insist_on_the_inside(run, how)
            if how == "deadlock" and asked.absent and (suspicion.guess or not suspicion.lost):
                _insist_on_those_who_are_there(run, asked, suspicion.lost)
            leave(_outcome(run, how, asked, suspicion, unended=unended))
        except NotUnderControl as error:
            leave(error)
        except BaseException:  # it would end as an exception of the program's thread
            leave(InternalError(traceback.format_exc()))
        raise AssertionError

    chosen = _choose(asked)

    def choose(run: Run, candidates: Any) -> int:
        try:
            return chosen(run, candidates)
        except Diverged:
            stop(run, "diverged")
        except Redundant:
            stop(run, "redundant")

    run = _kind(asked)(
        choose,
        options.timeouts,
        options.max_steps,
        points=options.points,
        hung=suspicion,
        stop=stop,
        progress=progress,
    )
    run.more = asked.more
    if asked.record:
        assert isinstance(run, Recorded)
        run.watch = Watch(run, run.remembered)
    if asked.note:
        assert isinstance(run, Noted)
        run.note()
    begin(run)
    run.take(body)
    Current.run = None
    how = "failed" if run.raised else "completed"
    _insist_on_the_inside(run, how)
    return _outcome(run, how, asked, suspicion)._replace(tidy=_is_tidy(run))


def _kind(asked: Question) -> type[Learning]:
    """Return the kind of run that remembers what is asked for."""
    if asked.record or asked.probe:
        return Recorded
    if asked.note:
        return Noted
    if asked.observe:
        from simcore.control.observed import Observed

        return Observed
    return Learning


def _is_tidy(run: Run) -> bool:
    """Tell whether a run has left nothing: no thread, no descriptor, nobody outside."""
    return run.live == [run.main] and untouched() and not run.outside


def _insist_on_the_inside(run: Run, how: str) -> None:
    """Refuse what has come about in a run in which somebody outside of the process had a part."""
    if how == "outside":
        waits = next((t for t in run.live if t.outside is not None and t.outside()), None)
        whom = "a signal may come"
        if waits is not None:
            whom = f"{Names(run).thread(waits)} waits for somebody outside of the process"
        raise NotUnderControl(
            f"not under control: nothing has moved for {OUTSIDE:g} s; {whom}, at {function_at(waits or run.main)}; "
            "put somebody into his place whom the function itself starts"
        )
    if how == "deadlock" and run.main.done and run.left_for_exit():
        raise NotUnderControl(
            "not under control: nobody could go on, and what the program has left for the interpreter's exit, by "
            "threading._register_atexit, is not run, which might end that; call it at the end of the function itself"
        )
    if run.outside and how in ("deadlock", "failed"):
        what = _raised(Names(run), *run.errors[0]).told if how == "failed" else "nobody could go on"
        raise NotUnderControl(
            f"not under control: {what}, perhaps because of somebody outside of the process, who came in by "
            f"{run.outside}; such a run need not be like the next one; put somebody into his place whom the function "
            "itself starts"
        )


def _insist_on_those_who_are_there(run: Run, asked: Question, lost: frozenset[str]) -> None:
    """Refuse a hang that a thread might end that the caller has, and no run has: a fork takes one thread along."""
    reader = Reader(run, asked.known)
    told = {reader.names.thread(thread) for thread in run.live if not lost or thread.path in lost}
    for edge in reader.graph().edges:
        if edge.process.name in told and not (edge.why.holders or edge.queued or edge.helpers or edge.why.did):
            raise NotUnderControl(
                f"not under control: {edge.process.name} waits {edge.why.wants}, and a thread might end that which was "
                f"there before, and is not in the run ({', '.join(asked.absent[:3])}); start it in the function itself"
            )


def _choose(asked: Question) -> Choose:
    if asked.strategy is not None:
        return along_then(asked.path, by_strategy(asked.strategy, asked.numbers), asked.late)
    if asked.guide is not None:
        from simcore.control.orders import guided

        return guided(asked.guide)
    return to_the_letter(asked.path) if asked.strict else loosely(asked.path)


def _outcome(
    run: Run, how: str, asked: Question, suspicion: Suspicion | Expectation, *, unended: bool = False
) -> Outcome:
    taken = [(run.threads[number].path, outcome) for number, outcome in run.taken]
    names = Names(run)
    errors = [_raised(names, thread, error) for thread, error in run.raised]
    assert isinstance(run, Learning)
    recording, history, guess = None, None, suspicion.guess
    if asked.record or asked.note:
        assert isinstance(run, Noted)
        reader = Reader(run, asked.known)
        if asked.record and isinstance(run, Recorded):
            recording = _recording(run, reader, suspicion.lost)
            guess = not {reader.names.thread(t) for t in run.live if t.path in suspicion.lost} <= reader.exact
        history = None if run.notes is None else run.notes.history(how, reader.names)
    checks = tuple(run.checks) if isinstance(run, Recorded) else ()
    told = how, taken, errors, asked.strategy, asked.numbers, run.seen
    steps = _observation(run) if asked.observe else None
    lost = suspicion.lost if how == "deadlock" else frozenset()
    since = suspicion.since if lost else run.failed_at if unended else len(taken)
    where = lost, since, guess and bool(lost), bool(run.outside), run.paused
    given_up = _given_up(run, names) if how == "steps" else None
    return Outcome(*told, *where, recording, steps, history=history, checks=checks, given_up=given_up)


def _given_up(run: Run, names: Names) -> GivenUp:
    last = {number: step for step, (number, _) in enumerate(run.taken, 1)}
    waits = [(last.get(t.number, 0), t) for t in run.live if not (t.idle or t.done or t.ready is None or t.ready())]
    half = len(run.taken) // 2
    waits = [(step, thread) for step, thread in waits if step <= half]
    still = tuple(
        f"{names.thread(thread)} has not moved since step {step:,}, at {function_at(thread)}"
        for step, thread in sorted(waits, key=lambda each: (each[0], each[1].number))
    )
    busy: tuple[str, ...] = ()
    stuck_first = run.timeouts in ("never", "when_stuck")
    if stuck_first and any(run.timed(t) for _, t in waits) and all(how == GOES_ON for _, how in run.taken[half:]):
        busy = tuple(f"{names.thread(t)} at {function_at(t)}" for t in run.live if last.get(t.number, 0) > half)
    return GivenUp(run.limited > max(0, len(run.taken) - _AT_THE_END), still, busy)


def _observation(run: Run) -> Observation:
    from simcore.control.observed import Observed
    from simcore.control.orders import Observation

    assert isinstance(run, Observed)
    return Observation(run.events, run.waiting(), run.unordered)


def _recording(run: Recorded, reader: Reader, lost: frozenset[str]) -> Recording:
    graph, name = reader.graph(), reader.names.thread
    proved = {name(t) for t in run.live if t.path in lost} or {edge.process.name for edge in graph.edges}
    at = {name(thread): function_at(thread) for thread in run.live if not thread.done}
    tasks = {f"{task} of {name(thread)}": place for thread in run.live for task, place in tasks_of(thread)}
    graph = replace(graph, proved=frozenset(proved), complete=not lost)
    assert run.watch is not None
    watched = run.watch.told(reader.names, lambda work: _pool_name(reader, work))
    return Recording(run.steps(reader.names), run.checks, graph, at, tasks, run.now, reader.pool_keys(), watched)


def _pool_name(reader: Reader, work: Any) -> str:
    return reader.pool_name(id(work)) if id(work) in reader.pools else reader.names.of(work, "pool")


def _raised(names: Names, thread: ControlledThread, error: BaseException) -> Raised:
    places = [(f.f_code.co_filename, line) for f, line in traceback.walk_tb(error.__traceback__)]
    own = [(file, line) for file, line in places if not (file in LIBRARY or is_standard(file))]
    theirs = [(file, line) for file, line in places if file not in OURS]
    at = next((f"{file}:{line}" for file, line in (own or theirs)[::-1]), "")
    try:
        text = str(error)
    except Exception:  # which is the program's
        text = "(its text cannot be had)"
    return Raised(names.thread(thread), f"{type(error).__name__}: {text}".removesuffix(": "), at)
