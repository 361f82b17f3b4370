"""Every repair is tried on the model itself: a search proves it, or a schedule shows what is wrong with it.

Nothing about a repair is taken from the literature. Each is a model of its own (`repairs.py`), and is explored as any
other would be, with the same limits; a search that comes to one leaves the repair undetermined, whatever it has seen.
What depends on a number (workers, levels, roots at once) is tried with one number after the other, and the answer is
the best that is proved. It is about the parameters that the model has, and not about other sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from simcore.errors import ModelError, OptionError
from simcore.explore import Result, explore
from simcore.model import (
    DEADLOCK_FREE,
    Model,
    Origin,
    Property,
    State,
    Timeouts,
    Verdict,
    always,
    build,
    check_kinds,
    check_numbers,
    eventually,
)
from simcore.model.objects import ThreadPool
from simcore.simulate import Delay, simulate
from simcore.sizes.advice import IMPOSSIBLE, NOTHING, SAFE, UNKNOWN, WRONG, Advice, Attempt, Rate, ranked
from simcore.sizes.pools import CancellingPool
from simcore.sizes.repairs import Repair, level_name, more_than, origin_of, rebuild

MOST_WORKERS, MOST_LEVELS = 64, 8
"""Of a repair whose number is looked for; a model that needs more is said to."""

ENDS = eventually(lambda state: all(p.done for p in state.processes if not p.process.daemon), "every process ends")
"""What a repair must keep that goes on by itself: where one retries for ever, nobody waits for ever."""

_WHOLE = {"symmetry": False, "partial_order": False}  # for a goal that a run may go round without both are no use


def advise(
    model: Model | Callable[[], Model],
    *,
    max_states: int | None = 100_000,
    max_seconds: float | None = None,
    timeouts: Timeouts = "when_stuck",
    latency: Mapping[str, Delay] | None = None,
    seeds: int = 5,
    progress: Callable[[str], None] | None = None,
) -> Advice:
    """Try repairs of each pool of a model that hangs, and rank those that are proved safe.

    The repairs: as many workers as there can be tasks at once ("unbounded"); the smallest larger pool that is safe
    ("bigger"); a pool for each level of nested submits ("levels"); a bound on the roots at once, which are the tasks
    submitted from outside ("bound"); a worker that takes tasks from inside alone ("reserve"); tasks run at once by the
    worker that submits them ("caller", as ThreadPoolExecutor.CallerRunsPolicy of Java); and waits for inner tasks with
    a time-out, after which they are submitted again ("retry"). Each is one change of one pool; they are not combined.

    Parameters
    ----------
    model : Model or function
        The model; where no function of a module builds it, a function without parameters that builds it anew.
    max_states : int, optional
        Of each search; one that comes to it leaves a repair undetermined.
    max_seconds : float, optional
        Of each search, in seconds of wall-clock time; likewise.
    timeouts : {"never", "when_stuck", "in_order", "anytime"}
        When time-outs may fire, as in `explore`. "retry" is safe only if it is safe under "anytime", too.
    latency : mapping of str to Delay, optional
        Seconds that operations and calls take, as in `simulate`: where safe repairs are run, to rank them.
    seeds : int
        Runs of each.
    progress : function, optional
        Called with a line that says what is being done.

    Returns
    -------
    Advice
        Without attempts where the model does not hang, or has no pool, or that is not known.

    Raises
    ------
    OptionError
        When an option is out of range, or ``latency`` names nothing in the model.
    ModelError
        When the model cannot be built again.
    """
    check_numbers(whole=True, none=False, least=1, seeds=seeds)
    check_kinds(progress=(progress, callable, "a function that takes a line"))
    builder, first = _builder(model)
    simulate(first, latency=latency, max_steps=1)  # raises what is wrong with it before anything is explored
    limits = {"max_states": max_states, "max_seconds": max_seconds}
    options = {**limits, "timeouts": timeouts, "witness": "any"}
    adviser = _Adviser(builder, first.origin, options, partial(_rate, latency or {}, seeds), progress or _quiet)
    before = adviser.explored(first, what="the model as it is")
    told = ", ".join(f"`{name}={limit}`" for name, limit in limits.items() if limit is not None)
    limit = f"limits of each search: {told or 'none'}"
    pools = [pool for pool, _ in first.pools()]
    if before.verdict is not Verdict.VIOLATED or not pools:
        return Advice(before, limits=limit, notes=(_why_nothing(before),))
    attempts = [attempt for pool in pools for attempt in adviser.attempts(pool)]
    return Advice(before, ranked(attempts), limit, _of_speed(attempts))


def _quiet(line: str) -> None:
    """Tell nobody."""


def _why_nothing(before: Result) -> str:
    if before.verdict is Verdict.HOLDS:
        return "nothing to repair: it does not hang at these parameters"
    if before.verdict is Verdict.UNDETERMINED:
        return "nothing was tried, as it is not known to hang; raise the limit, or choose smaller parameters"
    return "nothing was tried: it has no thread pool, and these are repairs of pools"


def _builder(model: object) -> tuple[Callable[[], Model], Model]:
    """Return what builds a model anew, and the model."""
    if isinstance(model, Model):
        origin = model.origin
        if origin is None:
            raise ModelError(
                f"{model.name}: it is built by no function of a module, so it cannot be built again with a repair; "
                f"pass a function without parameters that builds it: advise(lambda: build(workers=2))"
            )
        return lambda: build(origin), model
    if not callable(model):
        raise OptionError(f"advise({model!r}): pass a Model, or a function without parameters that builds one")
    built = model()
    if not isinstance(built, Model):
        raise ModelError(f"advise(...): the function returned a {type(built).__name__}, and no Model")
    return model, built


def flat(pool: str) -> Property:
    """Require that no task of a pool ever comes to submit to that pool."""

    def nested(state: State) -> bool:
        inside = (p.operation for p in state.processes if p.process.pool is not None and p.process.pool.name == pool)
        return any(each is not None and each.name == "submit" and each.target.name == pool for each in inside)

    return always(lambda state: not nested(state), f"no task of {pool} submits to it")


def counted(pool: str) -> Property:
    """Require of a model in which the tasks of a pool are counted that there are never more than workers."""
    return always(lambda state: not state[more_than(pool)], f"each task of {pool} has a worker")


def _rate(latency: Mapping[str, Delay], seeds: int, model: Model) -> Rate | str:
    """Return how fast a model is in virtual time, or why that is not known."""
    rates = []
    for seed in range(seeds):
        run = simulate(model, seed=seed, latency=latency)
        if run.status != "completed":
            return f"a simulated run did not complete ({run.status})"
        if not run.time:
            return "no time passes in a simulated run; say with `latency` what takes how long"
        rates.append(run.throughput())
    return Rate(sum(rates) / len(rates), min(rates), max(rates))


def _retries(result: Result) -> bool:
    """Tell whether a run was found that goes on for ever by cancelling tasks, and submitting them again."""
    lasso = None if result.counterexample is None else result.counterexample.lasso
    cancels = CancellingPool.phrases["cancel"].partition("{")[0]
    return lasso is not None and any(step.text.startswith(cancels) for step in lasso.steps)


def _of_speed(attempts: Sequence[Attempt]) -> tuple[str, ...]:
    """Say, once, why safe repairs could not be ranked by how fast they are."""
    whys = dict.fromkeys(attempt.unrated for attempt in attempts if attempt.unrated)
    return tuple(f"not ranked by throughput: {why}" for why in whys)


class _Adviser:
    """Tries repairs of one model, and keeps what it has found.

    Parameters
    ----------
    builder : function
        Builds the model anew.
    origin : Origin, optional
        What builds it from a name.
    options : mapping
        Of `explore`.
    rate : function
        Of a repaired model that is safe: how fast it is, or why that is not known.
    tell : function
        Called with what is being done.
    """

    def __init__(
        self,
        builder: Callable[[], Model],
        origin: Origin | None,
        options: Mapping[str, Any],
        rate: Callable[[Model], Rate | str],
        tell: Callable[[str], None],
    ) -> None:
        self._builder, self._origin, self._options = builder, origin, options
        self._rate, self._tell = rate, tell
        self._known: dict[tuple[Repair, tuple[str, ...], str], Result] = {}

    def explored(self, model: Model, *properties: Property, what: str, **options: Any) -> Result:
        """Explore a model within the limits."""
        self._tell(f"exploring {what}")
        return explore(model, *properties, **{**self._options, **options})

    def tried(self, repair: Repair, *properties: Property, **options: Any) -> Result:
        """Explore a repaired model, once."""
        key = repair, tuple(each.name for each in properties), str(options)
        if key not in self._known:
            what = f"{repair} of {repair.pool}"
            self._known[key] = self.explored(self.repaired(repair), *properties, what=what, **options)
        return self._known[key]

    def repaired(self, repair: Repair) -> Model:
        """Return the repaired model, which a token can build again where it can build the model itself."""
        model = rebuild(self._builder, repair)
        model.origin = origin_of(self._origin, repair)
        return model

    def attempts(self, pool: ThreadPool) -> Iterator[Attempt]:
        """Try every repair of a pool; that one cannot be made there is said, and is no answer."""
        at_once: int | str
        try:
            at_once = self._tasks_at_once(pool)
        except ModelError as error:  # a name is taken, say
            at_once = str(error)
        nested = self.explored(self._builder(), flat(pool.name), what=f"whether tasks of {pool.name} submit to it")
        flat_already = f"no task of {pool.name} submits to it" if nested.verdict is Verdict.HOLDS else ""
        for name, attempt, useless in (
            ("unbounded", partial(self._unbounded, at_once=at_once), self._idle(pool, at_once)),
            ("bigger", partial(self._bigger, at_once=at_once), self._idle(pool, at_once)),
            ("levels", self._levels, flat_already),
            ("bound", self._bound, ""),
            ("reserve", self._reserve, flat_already),
            ("caller", partial(self._once, "caller"), flat_already),
            ("retry", self._retry, flat_already),
        ):
            if useless:
                yield Attempt(name, pool.name, "", NOTHING, useless)
                continue
            try:
                yield attempt(pool)
            except ModelError as error:
                yield Attempt(name, pool.name, "", IMPOSSIBLE, str(error))

    # ---- each repair ---------------------------------------------------------------------------------

    def _tasks_at_once(self, pool: ThreadPool) -> int | str:
        """Return the smallest number of workers that there are never more tasks than, or why it is not known.

        A task is there from its submit until its code has ended. Whoever waits in the queue then waits for a worker
        that is about to hand over what a task has returned, and for that no worker waits.
        """
        never = counted(pool.name)
        for workers in range(1, MOST_WORKERS + 1):
            found = self.tried(Repair("count", pool.name, workers), never)
            if found.verdict is Verdict.HOLDS:
                return workers
            if found.property != never.name or found.verdict is Verdict.UNDETERMINED:
                return f"with {workers} workers: {found.reason or found.answer}"
        return f"more than {MOST_WORKERS} at once; more were not tried"

    def _idle(self, pool: ThreadPool, at_once: int | str) -> str:
        """Say that a pool never lets a task wait; nothing where it may."""
        if isinstance(at_once, str) or at_once > pool.workers:
            return ""
        tasks = "is at most 1 task" if at_once == 1 else f"are at most {at_once} tasks"
        return f"there {tasks} of {pool.name} at once, so none waits for a worker"

    def _unbounded(self, pool: ThreadPool, at_once: int | str) -> Attempt:
        if isinstance(at_once, str):
            return Attempt("unbounded", pool.name, "", UNKNOWN, f"not bounded, as far as is known: {at_once}")
        repair = Repair("size", pool.name, at_once)
        return self._judged("unbounded", repair, self.tried(repair))

    def _bigger(self, pool: ThreadPool, at_once: int | str) -> Attempt:
        """Try one worker more after the other, until it is safe, or not known, or no task would wait any more."""
        most = MOST_WORKERS if isinstance(at_once, str) else at_once
        for size in range(pool.workers + 1, most + 1):
            repair = Repair("size", pool.name, size)
            result = self.tried(repair)
            if result.verdict is not Verdict.VIOLATED:
                break
        found = self._judged("bigger", repair, result)
        return replace(found, text=f"up to {repair}") if found.verdict == WRONG else found

    def _levels(self, pool: ThreadPool) -> Attempt:
        for levels in range(2, MOST_LEVELS + 1):
            repair, deep_enough = Repair("levels", pool.name, levels), flat(level_name(pool.name, levels - 1))
            result = self.tried(repair, DEADLOCK_FREE, deep_enough)
            if result.property != deep_enough.name:
                return self._judged("levels", repair, result, DEADLOCK_FREE, deep_enough)
        return Attempt(
            "levels", pool.name, "", UNKNOWN, f"there are more than {MOST_LEVELS} levels; no more were tried"
        )

    def _bound(self, pool: ThreadPool) -> Attempt:
        """Try bounds from the largest on; that a larger one is undetermined is said of one that is safe."""
        unknown: dict[Repair, Result] = {}
        for roots in range(pool.workers, 0, -1):
            repair = Repair("bound", pool.name, roots)
            result = self.tried(repair)
            if result.verdict is Verdict.HOLDS:
                larger = ", ".join(f"{each}: undetermined" for each in unknown)
                return replace(self._judged("bound", repair, result), reason=larger)
            if result.verdict is Verdict.UNDETERMINED:
                unknown[repair] = result
        return self._judged("bound", *next(iter(unknown.items()), (repair, result)))

    def _reserve(self, pool: ThreadPool) -> Attempt:
        if pool.workers > 1:
            return self._once("reserve", pool)
        why = "with its one worker reserved, nobody would take a task from outside"
        return Attempt("reserve", pool.name, "", IMPOSSIBLE, why)

    def _once(self, kind: str, pool: ThreadPool) -> Attempt:
        repair = Repair(kind, pool.name)
        return self._judged(kind, repair, self.tried(repair))

    def _retry(self, pool: ThreadPool) -> Attempt:
        """Retries must not only leave nobody waiting for ever: whenever time-outs come, every process must end."""
        repair = Repair("retry", pool.name)
        result = self.tried(repair)
        if result.verdict is Verdict.VIOLATED:  # shown best by a run that retries for ever, where one is found in time
            for_ever = self.tried(repair, ENDS, **_WHOLE)
            if for_ever.property == ENDS.name and _retries(for_ever):
                return self._attempt("retry", repair, for_ever, WRONG, "it retries for ever")
        if result.verdict is not Verdict.HOLDS:
            return self._judged("retry", repair, result)
        ends = self.tried(repair, ENDS, timeouts="anytime", **_WHOLE)
        if ends.verdict is Verdict.HOLDS:
            return replace(self._judged("retry", repair, result), reason="every process ends, whenever time-outs come")
        why = ends.reason or f"{ends.verdict}: {ends.answer}"
        return self._attempt("retry", repair, result, UNKNOWN, f"nobody hangs; under 'anytime', {ENDS.name}: {why}")

    # ---- what comes of it ----------------------------------------------------------------------------

    def _judged(self, name: str, repair: Repair, result: Result, *properties: Property) -> Attempt:
        """Return the attempt that an exploration has decided: how fast it is, or with a shorter schedule."""
        if result.verdict is Verdict.UNDETERMINED:
            return self._attempt(name, repair, result, UNKNOWN, result.reason)
        if result.verdict is Verdict.HOLDS:
            safe, rate = self._attempt(name, repair, result, SAFE), self._rate(self.repaired(repair))
            return replace(safe, rate=rate) if isinstance(rate, Rate) else replace(safe, unrated=rate)
        short = self.tried(repair, *properties, witness="short")
        found = short if short.property == result.property and short.counterexample is not None else result
        return self._attempt(name, repair, found, WRONG, found.answer)

    def _attempt(self, name: str, repair: Repair, result: Result, verdict: str, reason: str = "") -> Attempt:
        threads = sum(pool.workers for pool, _ in self.repaired(repair).pools())
        return Attempt(name, repair.pool, str(repair), verdict, reason, threads, result)
