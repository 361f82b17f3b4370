"""No more is in use, or in a queue, than was planned for."""

from __future__ import annotations

from collections.abc import Mapping

from simcore import ModelError, Property, State, always


def within_capacity(limits: Mapping[str, int]) -> Property:
    """Require that no object ever has more slots in use than its limit.

    An invariant. What counts are the items of a queue, the frames or bytes in flight on a link, the permits
    taken of a semaphore, the owner of a lock, and the busy workers of a pool. It comes from NVFlare's stream
    window (at most 16 MiB of a stream unacknowledged) and from sizing pools: a limit that holds is enough.

    Parameters
    ----------
    limits : mapping of str to int
        Most slots in use, by the name of the object.

    Raises
    ------
    ModelError
        When ``limits`` is no mapping; while exploring, when the model has no such object, or it has no slots to count.
    """

    def within(state: State) -> bool:
        return all(_in_use(state, name) <= limit for name, limit in limits.items())

    return always(within, f"within capacity of {_told(limits)}")


def backlog_within(limits: Mapping[str, int]) -> Property:
    """Require that no pool ever has more tasks waiting in its queue than its limit.

    An invariant. The queue of a `ThreadPoolExecutor` has no bound of its own; it comes from NVFlare's stream
    pool, where the tasks behind the blocked workers are what the hang is made of.

    Parameters
    ----------
    limits : mapping of str to int
        Most tasks in the queue, by the name of the pool.

    Raises
    ------
    ModelError
        When ``limits`` is no mapping; while exploring, when the model has no such pool.
    """

    def within(state: State) -> bool:
        return all(len(_tasks(state, name)) <= limit for name, limit in limits.items())

    return always(within, f"backlog within {_told(limits)}")


def _in_use(state: State, name: str) -> int:
    value = state[name]
    if hasattr(value, "tasks"):  # a pool: its slots are its workers
        return sum(p.task is not None and str(p.process.pool) == name for p in state.processes)
    taken = next(thing.occupancy(value) for thing in state.values if thing.name == name)
    if taken is None:
        raise ModelError(f"{name!r} has no slots to count; within_capacity is about queues, links, semaphores, pools")
    return taken[0]


def _tasks(state: State, name: str) -> tuple[object, ...]:
    value = state[name]
    if not hasattr(value, "tasks"):
        raise ModelError(f"{name!r} is not a thread pool; backlog_within is about the queues of pools")
    tasks: tuple[object, ...] = value.tasks
    return tasks


def _told(limits: Mapping[str, int]) -> str:
    if not isinstance(limits, Mapping) or not all(isinstance(limit, int) for limit in limits.values()):
        raise ModelError(f"{limits!r} is no mapping of names to numbers; write {{'pool': 3}}")
    return ", ".join(f"{name} <= {limit}" for name, limit in limits.items())
