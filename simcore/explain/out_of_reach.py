"""Who waits for what nobody who can still move will ever get at waits for ever.

To follow all that the others can do is a proof where that comes to an end; where one of them counts, it does not. But
who moves can act on nothing but what he can get at. Of a process whose code is plain (`simcore.kernel.plain`) that is
known: what its arguments and names stand for, and what it may be given by those. So those who wait without a limit, all
of them at first, are taken for lost, but for each whose object is within reach of one who is not, again and again until
there is none. The others stay where they are: no step that will ever be taken changes what they wait for. It is the
argument by which a collector of garbage finds what is left.

Where one of those who can move is not plain, nothing is said.
"""

from __future__ import annotations

from simcore.kernel import Kernel, Packed
from simcore.kernel.freeze import mentioned_by
from simcore.kernel.plain import reached_by
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
        if reached is None:
            return None
        found |= reached
    todo = list(found)
    while todo:
        thing = todo.pop()
        place = vars(thing).get("lock", thing).index
        if place < 0:  # the future of a submit
            return None
        inside = {*_with_lock(thing), *mentioned_by((kernel.values[state[place]],))} - found
        found |= inside
        todo += inside
    return found
