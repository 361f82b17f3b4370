"""Who may end a wait, as far as values, code and what a state can reach tell.

What a process "still can do" is read from its code and from the objects that its state mentions: a good
guess, for the wait-for graph and for people. A search confirms what it takes from here (`knot.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from simcore.kernel.freeze import mentioned_by
from simcore.kernel.mentions import Mentions
from simcore.model import ProcessState
from simcore.model.objects import Future, Task, ThreadPool
from simcore.model.operations import SharedObject, Value


def may_enable(waiting: ProcessState, value: Value, other: ProcessState) -> tuple[ThreadPool, ...] | None:
    """Tell whether ``other`` may enable what ``waiting`` waits for.

    Parameters
    ----------
    waiting : ProcessState
        A blocked process.
    value : value
        Of the object that it waits for.
    other : ProcessState
        Another process, whatever its state.

    Returns
    -------
    tuple of ThreadPool or None
        None: it cannot. Empty: it can by itself. Otherwise through a task that it submits to one of these.
    """
    operation = waiting.operation
    if operation is None or other.status in ("done", "failed"):
        return None
    target = operation.target
    wait = target.blocked_on(value, operation, waiting.process)
    if wait.processes:
        return () if other.process in wait.processes else None
    if isinstance(target, ThreadPool) and operation.name == "join":  # each worker that leaves counts
        return () if other.process.pool is target else None
    if _made_by_submit(target):
        return () if other.task is not None and other.task.future is target else None
    if other.process is waiting.process or target not in other.objects:
        return None
    if other.mentions & wait.enabled_by:
        return ()
    if "submit" in other.mentions and other.submits & wait.enabled_by:
        return tuple(thing for thing in other.objects if isinstance(thing, ThreadPool)) or None
    return None


def queued_may_enable(waiting: ProcessState, value: Value, tasks: Iterable[Task]) -> bool:
    """Tell whether one of the queued ``tasks``, once a worker takes it, may enable what ``waiting`` waits for."""
    operation = waiting.operation
    if operation is None:
        return False
    target = operation.target
    wait = target.blocked_on(value, operation, waiting.process)
    if wait.processes:
        return False
    for task in tasks:
        if _made_by_submit(target):
            if task.future is target:
                return True
            continue
        objects, names = _within_reach(task.fn, task.args)
        if target in objects and names & wait.enabled_by:
            return True
    return False


@cache
def _within_reach(fn: Any, args: tuple[Any, ...]) -> tuple[frozenset[SharedObject], frozenset[str]]:
    """Return the objects that a task can reach, and the names that it and what it submits may call."""
    called, submitted = Mentions().called_by(fn)
    return mentioned_by((fn, args)), called | submitted


def _made_by_submit(target: SharedObject) -> bool:
    return isinstance(target, Future) and target.index < 0
