"""A run is stuck when every thread is inside an operation that would block now, and stays so for a while.

"Would block now" is what the object's own pure function says about the live object's value; no clock decides
it but the settle time, which guards against a value that was read in the middle of a change.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any

from simcore.errors import Diverged, ModelError
from simcore.execute.pool import LivePool
from simcore.execute.real import LiveFuture
from simcore.execute.records import Actor
from simcore.execute.result import Ending
from simcore.execute.run import Run
from simcore.kernel.freeze import Freezer, place
from simcore.kernel.mentions import Mentions
from simcore.model import ProcessState, State, Status
from simcore.model.operations import Raised, SharedObject

_INTERVAL = 0.01
_ROUNDS = 5
"""Looks without progress before a run counts as quiet: on a busy machine a thread may get no time for a while."""
_OVERDUE = 1.0
"""Seconds without progress after which a step of a schedule that is not seen to be blocked counts as blocked."""


def watch(run: Run, settle: float, max_seconds: float) -> tuple[Ending, float | None]:
    """Wait until a run has ended, and freeze its notes.

    Returns
    -------
    status : str
        As in `Execution`.
    stuck_after : float or None
        Seconds from the last progress until it was seen to be stuck.

    Raises
    ------
    SimcoreError
        What went wrong in the run, `Diverged` included.
    """
    progress, rounds = run.last_progress, 0
    while True:
        run.news.wait(_INTERVAL)
        run.news.clear()
        with run.lock:
            if run.error is not None:
                raise run.error
            now = time.perf_counter()
            rounds = rounds + 1 if progress == run.last_progress else 0
            progress = run.last_progress
            quiet = now - progress if rounds >= _ROUNDS else 0.0
            ending: Ending | None = _ending(run, quiet, settle)
            if ending is None and now - run.began >= max_seconds:
                ending = "limit"
            if ending is not None:
                run.frozen = True
                failed = any(actor.status == "failed" for actor in run.actors)
                return ("failed" if failed else ending), (now - progress if ending == "stuck" else None)


def _ending(run: Run, quiet: float, settle: float) -> Ending | None:
    if (
        run.gate.open
        and not any(_owes(run, actor) for actor in run.actors)
        and not any(_may_be_taken(pool) for pool in run.pools)
    ):
        return "completed"
    if quiet < settle:
        return None
    if not run.gate.open:
        _check_gate(run, quiet > max(_OVERDUE, 5 * settle))
        return None
    if any(pool.pending and any(actor.status == "idle" for actor in pool.names) for pool in run.pools):
        return None
    return "stuck" if all(_waits(run, actor) for actor in run.actors) else None


def _may_be_taken(pool: LivePool) -> bool:
    """Whether a task is in the queue, and a worker is left that has not died."""
    return bool(pool.pending) and not all(actor.over for actor in pool.names)


def _owes(run: Run, actor: Actor) -> bool:
    """Whether the run cannot be complete before ``actor`` has ended; who has not been started need not."""
    resting = actor.pending is not None and actor.pending.rests and run.blocked(actor)
    return actor.owes and not resting


def _check_gate(run: Run, overdue: bool) -> None:
    """Raise `Diverged` when the step whose turn it is cannot come, or does not end although the kernel says so."""
    for actor in run.actors:
        ends = actor.granted is None or (overdue and actor.pending is not None and actor.pending.timeout is None)
        if not _waits(run, actor) and not (ends and actor.granted is not None):
            return
    step = run.gate.current
    raise Diverged(run.gate.turn, f"{step.name} {step.text}", run.offers())


def _waits(run: Run, actor: Actor) -> bool:
    """Whether ``actor`` can do nothing now: it has ended, is idle, waits for its turn, or is blocked for ever."""
    if actor.over or actor.status == "idle" or (actor.at_gate and not run.gate.open):
        return True
    if actor.pending is None or actor.at_gate or actor.handover:
        return False
    return run.blocked(actor) and not run.may_expire(actor)


def observe(run: Run) -> State:
    """Return the state of a run whose notes are frozen, read from the live objects."""
    values = {thing: run.live[thing].value() for thing in run.model.objects}
    wanted = {actor.pending.target for actor in run.actors if actor.pending is not None}
    for thing, live in list(run.live.items()):
        if isinstance(live, LiveFuture) and (thing in wanted or not live.value().done):
            values[thing] = live.value()
    seen = [_process_state(run, actor) for actor in run.actors]
    return State(run.model, values, seen.__getitem__)


def held_up(run: Run) -> tuple[str, ...]:
    """Return the links whose sender is held up by TCP, of a run whose notes are frozen."""
    return tuple(link.thing.name for link in run.links if link.held_up())


def _process_state(run: Run, actor: Actor) -> ProcessState:
    if actor.over:
        status: Status = "failed" if actor.status == "failed" else "done"
        return ProcessState(actor.process, status, result=actor.outcome)
    if actor.status == "idle":
        assert actor.process.pool is not None
        pool = run.live[actor.process.pool]
        assert isinstance(pool, LivePool)
        status = "done" if pool.shut and not pool.pending else "idle"
        return ProcessState(actor.process, status, pool.thing.taking if status == "idle" else None)
    status = "blocked" if actor.pending is not None and run.blocked(actor) else "enabled"
    where, objects, called, submitted = _inside(actor)
    return ProcessState(actor.process, status, actor.pending, actor.task, where, None, objects, called, submitted)


def _inside(actor: Actor) -> tuple[str, frozenset[SharedObject], frozenset[str], frozenset[str]]:
    """Return where a suspended generator is, and what it can reach and call."""
    generator: Any = actor.generator
    if generator is None or actor.pending is None or generator.gi_frame is None:
        return "", frozenset(), frozenset(), frozenset()
    freezer = Freezer()
    with contextlib.suppress(ModelError):  # what was met until then guides the wait-for graph well enough
        freezer.freeze(generator)
    freezer.objects.add(actor.pending.target)
    return place(generator), frozenset(freezer.objects), *Mentions().of(generator)


def results(run: Run) -> dict[str, Any | Raised]:
    """Return what each process that has ended returned, or died of."""
    return {actor.process.name: actor.outcome for actor in run.actors if actor.over and actor.process.pool is None}
