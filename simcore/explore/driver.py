"""Every interleaving, or an honest word about which ones were not looked at.

Breadth-first search gives the shortest schedule; depth-first search the same verdict with a long one; a
random walk and PCT take samples and can only find, never prove. All of them look at the same things in a
state: a process that died, an invariant, a state without steps, a knot that has just closed (`knot.py`).
What is about whole runs is decided afterwards, on the graph (`runs.py`).

A breadth-first search of a system with a deep bug can run out of memory long before it meets it. So when
50,000 states have shown nothing, a few sampled runs look ahead; if they meet a violation, the search goes
on for a bounded number of states to find the shortest one, and failing that, the sampled schedule is
shortened: what is not needed is left out, then the processes that are left are searched breadth-first.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

from simcore.errors import OptionError, extra
from simcore.explore.exploration import Attempt, Exploration, compiled_loops
from simcore.explore.limits import Limits, OutOfBudget
from simcore.explore.reduction import NamesMatter, NotSymmetric, Symmetry, alike_but_named_apart
from simcore.explore.result import Result
from simcore.explore.runs import OrderMatters
from simcore.explore.search import FAST_AFTER, FAST_PROCESSES, Unfit, Unjustified
from simcore.explore.search import Progress as Progress
from simcore.kernel import Kernel, unlimited, unread
from simcore.model import (
    DEADLOCK_FREE,
    Model,
    Property,
    Timeouts,
    Watched,
    Witness,
    check_flags,
    check_kinds,
    check_limit,
    check_model,
    check_numbers,
    check_properties,
    check_timeouts,
    check_witness,
)
from simcore.schedule import SAMPLING, Strategy

HINTS_AFTER = 10_000
"""States for which it is worth saying what would make them fewer."""

StrategyName = Literal["breadth", "depth", "random", "pct", "pos", "urw", "even", "portfolio"]


@contextmanager
def _no_cyclic_collection() -> Iterator[None]:
    """Switch the cyclic collector off: a search makes millions of tuples and few cycles.

    A search and its space know each other, so what was met is collected when nothing is left but the answer, which is
    why this is for a whole function; or the next search would find the memory that it may use in use. Whatever was made
    while the collector was off is in the youngest generation, unless somebody has collected meanwhile: to look at that
    one does not take longer where the process holds much else.
    """
    was, before = gc.isenabled(), _collections()
    gc.disable()
    try:
        yield
    finally:
        gc.collect(0 if _collections() == before else 2)
        if was:
            gc.enable()


def _collections() -> int:
    """Return how often something was collected."""
    return sum(generation["collections"] for generation in gc.get_stats())


@_no_cyclic_collection()
def explore(
    model: Model,
    *properties: Property,
    strategy: StrategyName | Strategy = "breadth",
    max_states: int | None = None,
    max_seconds: float | None = None,
    max_memory: int | None = None,
    cores: int | None = None,
    compact: bool = False,
    seed: int = 0,
    symmetry: bool = True,
    partial_order: bool = True,
    timeouts: Timeouts = "when_stuck",
    witness: Witness = "short",
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 60.0,
    progress: Callable[[Progress], None] | None = None,
) -> Result:
    """Search the interleavings of ``model`` for a violation of ``properties``.

    Parameters
    ----------
    model : Model
        What to explore.
    *properties : Property
        What must hold; deadlock freedom when none is given. That no process dies of an exception is
        always asked.
    strategy : {"breadth", "depth", "random", "pct", "pos", "urw", "even", "portfolio"} or a strategy object
        Breadth and depth look at every state, and prove; the others sample runs: `RandomWalk`, `PCT`, `POS`, `URW`,
        or all of these in turn, `Portfolio`; or `EvenProgress`, of `simcore.schedule`.
    max_states : int, optional
        Stop after this many distinct states (steps, when sampling).
    max_seconds : float, optional
        Stop after this many seconds of wall-clock time.
    max_memory : int, optional
        Stop when the process uses this many bytes of memory. The answer says up to which depth every state
        was looked at, or, where steps were left out, how many states.
    cores : int, optional
        So many threads expand a level, in searches without reductions; the answer is the same for any number. As
        many as the process may use when None.
    compact : bool
        Keep of each state no more than a hash of 64 bits, once its level has been expanded (hash compaction), where
        memory is what a search without reductions is short of. A state with the hash of another one is omitted;
        the answer bounds the probability that this happened. No graph is left for questions about whole runs.
    seed : int
        For sampled runs, and for the hashes of ``compact``.
    symmetry : bool
        Treat the workers of a pool, and the names that ``model.indices`` gives, as interchangeable, where the model
        and the properties were seen to treat them alike. It is switched off for a family that one of them tells apart,
        and for a liveness property whose goal a run may go round without: then a note says why.
    partial_order : bool
        Of steps in which order does not count, follow one order only. Switched off likewise.
    timeouts : {"never", "when_stuck", "in_order", "anytime"}
        When time-outs may fire; see `Kernel`.
    witness : {"short", "any"}
        What is told of a violation: with "short" a shortest schedule, as far as that can be known, and its point of no
        return; with "any" the first that is met, by a few sampled runs before the search or by the search itself.
    checkpoint : path, optional
        A file in which a breadth-first search is kept now and then, and when a limit of states or seconds stops it.
        Where it is there already, the search goes on from it, with the same answer as if it had not been interrupted;
        limits and ``cores`` may then be others, everything else may not. It is removed once the answer is known, and
        stays where that is undetermined.
    checkpoint_every : float
        Seconds between two times that it is written; more where writing would take more than a tenth of the time.
    progress : function, optional
        Called with a `Progress` a few times per second.

    Returns
    -------
    Result
        Violated with a counterexample, holds when the whole space was searched, undetermined otherwise.

    Raises
    ------
    OptionError
        When an option is unknown, the combination cannot give a sound answer, or ``checkpoint`` is of something else.
    ModelError
        When the model cannot be run.
    """
    check_model(model, "explore")
    check_properties(properties, "explore")
    check_timeouts(timeouts)
    check_witness(witness)
    check_numbers(whole=True, least=1, max_states=max_states, max_memory=max_memory, cores=cores)
    check_numbers(whole=True, none=False, seed=seed)
    check_limit(max_seconds=max_seconds)
    check_numbers(whole=False, none=False, checkpoint_every=checkpoint_every)
    check_flags(compact=compact, symmetry=symmetry, partial_order=partial_order)
    check_kinds(
        checkpoint=(checkpoint, str | os.PathLike, "the path of a file"),
        progress=(progress, callable, "a function that is called with a Progress"),
    )
    asked = properties or (DEADLOCK_FREE,)
    sampler = _sampler(strategy, seed)
    graph_needed = [p.name for p in asked if p.needs_graph]
    only_deadlock = all(prop.kind == "deadlock" for prop in asked)
    if graph_needed and strategy != "breadth":
        raise OptionError(f"{graph_needed[0]!r} is about whole runs, which only `strategy='breadth'` decides")
    if compact:
        _check_compact(strategy, graph_needed, symmetry or partial_order, timeouts)
    if sampler is not None:
        partial_order = False
    limits, kernel = Limits(max_states, max_seconds, max_memory), Kernel(model, timeouts)  # time begins first
    clocks = timeouts == "in_order" or (kernel.slow and timeouts != "anytime")  # which the compiled loops have not
    if compact and clocks:
        raise OptionError("`compact=True`: the compiled loop has no links with a latency; use `timeouts='anytime'`")
    quick = not clocks and (compact or limits.room_to_compile)
    attempt = Attempt(symmetry, Watched() if partial_order else None, quick)
    kept: Any = None
    if checkpoint is not None:
        if strategy != "breadth":
            raise OptionError("`checkpoint`: only a breadth-first search is kept; use `strategy='breadth'`")
        from simcore.explore.checkpoint import Checkpoint, digest_of

        about: dict[str, Any] = {"properties": [prop.name for prop in asked], "timeouts": timeouts, "seed": seed}
        about |= {"symmetry": symmetry, "partial_order": partial_order, "compact": compact}
        about["what the properties ask"] = digest_of(asked)
        kept = Checkpoint(Path(checkpoint), checkpoint_every, kernel, attempt, about)
    depth_first = strategy == "depth"
    with _limited(kernel):
        if witness == "any" and sampler is None:
            first = Exploration(kernel, asked, Symmetry(kernel, on=False), limits, progress)
            kernel.look = limits.look
            if (met := first.glance()) is not None:
                return met
        while True:
            search, within = None, replace(limits)
            if attempt.again_as and max_memory is not None:
                gc.collect()  # what was met before
            kernel.look = within.look
            try:
                reduction = Symmetry(kernel, attempt.symmetry, attempt.apart) if kept is None else kept.symmetry()
                search = Exploration(kernel, asked, reduction, within, progress, attempt.watched)
                search.any_witness = witness == "any"
                ordered = attempt.watched is not None and kept is None
                if attempt.quick and reduction.trivial and attempt.watched is None:
                    search.fast_after = _fast_after(kernel)
                    search.cores, search.compact, search.seed = cores or usable_cores(), compact, seed
                elif attempt.quick and ordered and (only_deadlock or reduction.trivial):
                    search.fast_after = _fast_after(kernel)
                if kept is not None:
                    search.checkpoint = kept
                    kept.resume(search)
                result = search.exhaust(depth_first) if sampler is None else search.sample(sampler)
            except NotSymmetric as found:  # what was left out may differ from what was kept
                attempt.apart = {**reduction.apart, found.family: found.reason}
                attempt.again(search, f"{found.family} had to be told apart")
            except Unjustified:
                attempt.again(search, "processes did more than they had been seen to do")
            except OrderMatters as reason:
                attempt.watched = None
                attempt.again(search, "partial order had to be switched off")
                attempt.notes.append(f"partial order switched off: {reason}")
            except NamesMatter as reason:
                attempt.symmetry = False
                attempt.again(search, "symmetry had to be switched off")
                attempt.notes.append(f"symmetry switched off: {reason}")
            except Unfit:
                if compact:
                    raise OptionError("`compact=True`: the model has too many processes or futures for it") from None
                attempt.quick = False
                attempt.again(search, "the plain loop had to look at what was met")
            except OutOfBudget:  # before there was a search: one that needs no test of symmetry says so
                with within.lifted():
                    search = Exploration(kernel, asked, Symmetry(kernel, on=False), within, None)
                return attempt.told(search.exhaust(depth_first) if sampler is None else search.sample(sampler))
            else:
                fewer = _hints(kernel, symmetry) if result.states >= HINTS_AFTER else ()
                notes = (*attempt.notes, *reduction.notes, *fewer, *result.notes)
                result = attempt.told(replace(result, notes=notes))
                return result if kept is None else replace(result, notes=(*result.notes, *kept.ended(result.verdict)))


def _fast_after(kernel: Kernel) -> int:
    """Return after how many states a compiled loop is loaded: when the plain one has taken as long as that takes.

    A state takes it as long as it has processes.
    """
    return max(1, FAST_PROCESSES * FAST_AFTER // max(FAST_PROCESSES, len(kernel.processes)))


def _hints(kernel: Kernel, symmetry: bool) -> Iterator[str]:
    """Yield what a model could do so that it has fewer states."""
    if symmetry:
        yield from alike_but_named_apart(kernel)
    yield from unread(kernel.points)


def _check_compact(strategy: object, graph_needed: list[str], reduced: bool, timeouts: Timeouts) -> None:
    """Refuse what cannot be answered when only hashes of states are kept."""
    if reduced:
        raise OptionError("`compact=True`: no reductions; add `symmetry=False` and `partial_order=False`")
    if strategy != "breadth":
        raise OptionError("`compact=True` goes level by level; use `strategy='breadth'`")
    if graph_needed:
        raise OptionError(f"`compact=True`: {graph_needed[0]!r} is about whole runs, and no graph of them is kept")
    if timeouts == "in_order":
        raise OptionError(
            "`compact=True`: the compiled loop has no exact clocks; use another rule than `timeouts='in_order'`"
        )
    with extra("fast", "`compact=True`"):
        compiled_loops()


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _sampler(strategy: StrategyName | Strategy, seed: int) -> Strategy | None:
    if isinstance(strategy, Strategy):
        return strategy
    names = get_args(StrategyName)
    if not isinstance(strategy, str) or strategy not in names:
        raise OptionError(f"`strategy={strategy!r}`: use {', '.join(map(repr, names[:-1]))} or {names[-1]!r}")
    return SAMPLING[strategy](seed) if strategy in SAMPLING else None


@contextmanager
def _limited(kernel: Kernel) -> Iterator[None]:
    """Have nobody look at limits any more when the answer is there, and keep no runs: a report asks its kernel."""
    try:
        yield
    finally:
        kernel.look = unlimited
        kernel.points.rest()
