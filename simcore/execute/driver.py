"""Run a model for real: processes on OS threads, pools as executors, links as TCP connections on loopback.

The OS decides what happens next, or a schedule does: then each operation waits for its turn. The run is
watched, a hang is told by quiescence, and what happened is handed to the kernel, which must be able to do the
same. Nothing of the run is left when `execute` returns or raises: no thread, no socket.
"""

from __future__ import annotations

import time

from simcore.errors import ModelError, OptionError
from simcore.execute.explain import Explainer, Explanation
from simcore.execute.gate import Gate
from simcore.execute.records import Record
from simcore.execute.result import Execution
from simcore.execute.run import Run
from simcore.execute.watch import held_up, observe, results, watch
from simcore.kernel import Kernel
from simcore.model import Model, check_flags, check_kinds, check_model, check_numbers
from simcore.model.objects import ThreadPool
from simcore.schedule import Schedule

__all__ = ["Execution", "Record", "execute"]


def execute(
    model: Model,
    *,
    schedule: Schedule | None = None,
    settle: float = 0.2,
    max_seconds: float = 60.0,
    explain: bool = True,
) -> Execution:
    """Run ``model`` on OS threads, real primitives and real TCP connections.

    Parameters
    ----------
    model : Model
        What to run.
    schedule : Schedule, optional
        Steps to begin with, each in its turn; behind the last one the OS decides. None: the OS decides from the
        start.
    settle : float
        Seconds without progress after which a run in which everybody is blocked counts as stuck.
    max_seconds : float
        Seconds after which the run is ended whatever it does.
    explain : bool
        Whether the kernel has to find an interleaving that explains what happened.

    Returns
    -------
    Execution
        What happened.

    Raises
    ------
    Diverged
        When the model, or the real run, does not do what ``schedule`` says.
    ModelError
        When the model cannot mean what it says, or a process does not yield.
    """
    check_model(model, "execute")
    check_kinds(schedule=(schedule, Schedule, "a Schedule; Schedule.from_token(...) reads a token"))
    check_numbers(whole=False, none=False, settle=settle, max_seconds=max_seconds)
    check_flags(explain=explain)
    if not settle > 0 or not max_seconds > 0:
        raise OptionError(f"`settle={settle}`, `max_seconds={max_seconds}`: both are numbers of seconds above 0")
    for pool, _ in model.pools():
        if type(pool) is not ThreadPool:
            raise ModelError(
                f"{pool.name} is a {type(pool).__name__}, as which there is no executor in the standard library, so it "
                f"cannot be run for real; explore or simulate it"
            )
    kernel = Kernel(model, "anytime")
    run = Run(model, Gate(kernel, schedule))
    try:
        run.start()
        status, stuck_after = watch(run, settle, max_seconds)
        seconds = time.perf_counter() - run.began
        state, held = observe(run), held_up(run)
    finally:
        run.stop()
    found = Explanation(None)
    if explain:
        found = Explainer(kernel, run.actors, stuck_after is not None).explain()
    return Execution(
        model,
        status,
        seconds,
        stuck_after,
        state,
        {actor.process.name: tuple(actor.records) for actor in run.actors},
        results(run),
        sum(link.frames_received for link in run.links),
        sum(link.bytes_received for link in run.links),
        found.explained,
        found.text,
        tuple(found.path),
        held,
    )
