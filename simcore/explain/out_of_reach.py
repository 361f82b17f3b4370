"""Who waits for what nobody who can still move will ever get at waits for ever.

To follow all that the others can do is a proof where that comes to an end; where one of them counts, it does not. But
who moves can act on nothing but what he can get at. Of a process whose code is plain (`simcore.kernel.plain`) that is
known: what its arguments and names stand for, what it was given and still holds, and what it may be given by any of
those. So those who wait without a limit, all of them at first, are taken for lost, but for each whose object is within
reach of one who is not, again and again until there is none. The others stay where they are: no step that will ever be
taken changes what they wait for. It is the argument by which a collector of garbage finds what is left.

Where one of those who can move is not plain, nothing is said; nor where he was or may be given what can get at more
than it holds: a function, an instance of a class, a process, an exception.
"""

from __future__ import annotations

from typing import Any

from simcore.kernel import Kernel, Packed, Point
from simcore.kernel.freeze import mentioned_by
from simcore.kernel.plain import key_of, reached_by
from simcore.model import Process
from simcore.model.operations import Operation, SharedObject


def out_of_reach(kernel: Kernel, state: Packed) -> frozenset[int]:
    """Return processes that wait in ``state`` for what nobody who can move will ever act on."""
    lost: dict[int, Operation] = {}
    movers: list[int] = []
    for process in range(len(kernel.processes)):
        operation = kernel.operation(state, process)
        if operation is None:
            continue
        if operation.timeout is None and not kernel.moves(state, process):
            lost[process] = operation
        else:
            movers.append(process)
    within: set[SharedObject] = set()
    while lost and movers:
        more = _reached(kernel, state, movers)
        if more is None:
            return frozenset()
        within |= more
        movers = [process for process, operation in lost.items() if not within.isdisjoint(_with_lock(operation.target))]
        for process in movers:
            del lost[process]
    return frozenset(lost)


def _with_lock(thing: SharedObject) -> set[SharedObject]:
    """Return what has one value: a condition's is its lock's."""
    return {thing, vars(thing).get("lock", thing)}


def _reached(kernel: Kernel, state: Packed, processes: list[int]) -> set[SharedObject] | None:
    """Return all that ``processes`` can get at; None where that is not known."""
    found: set[SharedObject] = set()
    for process in processes:
        point, task, _ = kernel.locals[state[kernel.first_process + process]]
        reached = None if point is None or task is not None else reached_by(point.program)
        if point is None or reached is None or not _given_plainly(point):
            return None
        found |= reached | point.objects
    todo = list(found)
    while todo:
        thing = todo.pop()
        holder = vars(thing).get("lock", thing)
        if holder.index < 0:  # the future of a submit
            return None
        value = kernel.values[state[holder.index]]
        if not _is_plain((value, *vars(thing).values()), owners=holder.names_processes):
            return None
        inside = {*_with_lock(thing), *mentioned_by((value,))} - found
        found |= inside
        todo += inside
    return found


def _given_plainly(point: Point) -> bool:
    """Tell whether all results that have led to ``point`` are plain."""
    return all(passed.second_half or _is_plain(passed.result) for passed in point.history())


def _is_plain(thing: Any, owners: bool = False) -> bool:
    """Tell whether nothing can be got at through ``thing`` but the shared objects in it.

    That a process is named in a value, as a lock's owner, gives it to nobody.
    """
    todo = [thing]
    while todo:
        part = todo.pop()
        kind = type(part)
        if kind is tuple or (isinstance(part, tuple) and kind.__module__.startswith("simcore.model.")):
            todo += part
        elif not (owners and kind is Process) and key_of(part) is None:
            return False
    return True
