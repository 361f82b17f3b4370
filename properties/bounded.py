"""By the time that a clock has run out, something has ended: a bound in seconds, not only "in the end".

The clock is a process of the model that sleeps and returns. The question makes sense where time-outs are met in
the order of their deadlines, ``timeouts="in_order"``; whoever ends at that very moment may be judged too late.
"""

from __future__ import annotations

from simcore import ModelError, Property, State, always
from simcore.model import Predicate
from simcore.properties.completion import family


def ended_by(clock: str, *names: str) -> Property:
    """Require that once the process ``clock`` has returned, every process called one of ``names`` has ended.

    An invariant. It comes from NVFlare #4206: a send that gives up after 30 s is one whose caller has an answer
    after 31 s, whatever it waited for in between.

    Parameters
    ----------
    clock : str
        A process that sleeps for the seconds of the bound.
    *names : str
        Processes or families of processes, as for `completes`.

    Raises
    ------
    ModelError
        While exploring, when the model has no process for one of the names.
    """

    def ended(state: State) -> bool:
        waited_for = [process for name in names for process in family(state, name)]
        return not state.process(clock).done or all(process.status in ("done", "failed") for process in waited_for)

    if not names:
        raise ModelError('ended_by() needs the name of a process or of a family: ended_by("stopwatch", "sender")')
    return always(ended, f"every {' and every '.join(names)} ends before {clock} does", premise=_ended(clock))


def idle_by(clock: str, pool: str) -> Property:
    """Require that once the process ``clock`` has returned, no worker of ``pool`` runs a task.

    An invariant. It comes from NVFlare's stream pool, whose workers are kept by senders of streams that have failed.

    Parameters
    ----------
    clock : str
        A process that sleeps for the seconds of the bound.
    pool : str
        A thread pool.

    Raises
    ------
    ModelError
        While exploring, when the model has no such pool.
    """

    def idle(state: State) -> bool:
        workers = [process for process in state.processes if str(process.process.pool) == pool]
        if not workers:
            raise ModelError(f"model {state.model.name!r} has no thread pool called {pool!r}")
        return not state.process(clock).done or all(worker.task is None for worker in workers)

    return always(idle, f"no worker of {pool} is busy when {clock} ends", premise=_ended(clock))


def _ended(clock: str) -> Predicate:
    return lambda state: bool(state.process(clock).done)
