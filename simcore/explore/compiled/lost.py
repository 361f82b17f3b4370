"""What `simcore.explore.lost` says, which has the argument, found in arrays: the same answer, of large graphs sooner.

Reachability is a few passes in scipy; names are asked for edge by edge, here as there.
"""

from __future__ import annotations

from array import array
from operator import itemgetter
from typing import Any

import numpy as np

from simcore.explore.compiled.liveness import Flat, Ints, Mask, reached, turned
from simcore.explore.graph import Graph
from simcore.explore.reduction import Symmetry
from simcore.explore.standstill import timed_locals
from simcore.kernel import Kernel, Packed


def never_again(
    kernel: Kernel, symmetry: Symmetry, states: list[Packed], graph: Graph, *, ends: bool
) -> tuple[int, int] | None:
    """Return the first state from which somebody who must finish never moves again, and who; None without one.

    A pool's worker must finish its task.

    Parameters
    ----------
    states, graph
        All states, and the edges between them.
    ends : bool
        Ask who can never end, instead: a process that can only go round has moved, and does not end.
    """
    flat = Flat(graph)
    asked = _asked(kernel, states)
    timed = np.isin(np.arange(len(kernel.locals)), list(timed_locals(kernel)))
    doubtful = {p: mask if ends else mask & ~_moving(kernel, states, flat, p, mask, timed) for p, mask in asked.items()}
    clear = np.ones(flat.size, np.bool_)
    for mask in doubtful.values():
        clear &= ~mask
    left = ~flat.can_reach(clear)
    if not left.any():
        return None
    followed = [p for p in asked if not symmetry.trivial and _renamed(kernel, symmetry, p)]
    lost = [
        (int(np.argmin(able)), process)
        for process, mask in doubtful.items()
        if process not in followed and not (able := flat.can_reach(~mask)).all()
    ]
    if followed:
        pairs = np.column_stack([doubtful[p] & left for p in followed])
        ways = _ways(kernel, symmetry, states, flat, flat.edges(np.flatnonzero(pairs.any(axis=1))))
        lost += [(state, followed[place]) for state, place in _lost_on_the_way(flat, pairs, followed, *ways)]
    return min(lost, default=None)


def _asked(kernel: Kernel, states: list[Packed]) -> dict[int, Mask]:
    """Return, for each process that must ever finish, the states in which it has not: by what it is at there."""
    numbers = range(len(kernel.locals))
    in_task = np.array([kernel.locals[number].task is not None for number in numbers])
    going = np.array([(about := kernel.about(number)) is not None and not about.rests for number in numbers])
    found = {}
    for process in kernel.processes:
        if process.pool is not None or not process.daemon:
            local = _column(states, kernel.first_process + process.index)
            found[process.index] = (going if process.pool is None else in_task)[local]
    return found


def _column(states: Any, place: int) -> Ints:
    """Return what stands at a place of each state: where they lie in an array they need not be taken out of it."""
    if hasattr(states, "column"):
        return states.column(place)  # type: ignore[no-any-return]
    return np.fromiter(map(itemgetter(place), states), np.int32, count=len(states))


def _moving(kernel: Kernel, states: list[Packed], flat: Flat, process: int, asked: Mask, timed: Mask) -> Mask:
    """Return where ``process`` has a step, or a time-out that others, always quicker, may put off for ever."""
    moving = flat.enabled(process)
    waiting = asked & ~moving & timed[_column(states, kernel.first_process + process)]
    for number in np.flatnonzero(waiting).tolist():
        moving[number] = kernel.may_expire(states[number], process)
    return moving


def _renamed(kernel: Kernel, symmetry: Symmetry, process: int) -> bool:
    return kernel.processes[process].pool is not None or kernel.processes[process] in symmetry.interchangeable


def _ways(kernel: Kernel, symmetry: Symmetry, states: list[Packed], flat: Flat, edges: Ints) -> tuple[Ints, Ints]:
    """Return ``edges``, and for each of them which process plays the part of each after it."""
    parts: array[int] = array("H")
    for edge, source in zip(edges.tolist(), flat.sources[edges].tolist(), strict=True):
        after = kernel.step(states[source], int(flat.processes[edge]), int(flat.outcomes[edge]))
        assert after is not None
        parts.extend(symmetry.permutation(after))
    return edges, np.asarray(parts).reshape(len(edges), len(kernel.processes))


def _lost_on_the_way(flat: Flat, pairs: Mask, followed: list[int], edges: Ints, ways: Ints) -> list[tuple[int, int]]:
    """Return the first pair in doubt that no steps lead out of doubt, in a list, or an empty one.

    Parameters
    ----------
    pairs : array of bool
        For each state, and each process of ``followed``, whether it is in doubt.
    edges, ways
        Those that leave a state with a pair in doubt.
    """
    number = np.cumsum(pairs, dtype=np.int64).reshape(pairs.shape) - 1
    column = np.zeros(ways.shape[1], np.intp)
    column[followed] = np.arange(len(followed))
    clear = np.zeros(int(pairs.sum()), np.bool_)
    befores, afters = [], []
    for place, process in enumerate(followed):
        mine = pairs[flat.sources[edges], place]
        before = number[flat.sources[edges[mine]], place]
        after = flat.targets[edges[mine]], column[ways[mine, process]]
        clear[before[~pairs[after]]] = True
        befores.append(before[pairs[after]])
        afters.append(number[after][pairs[after]])
    before_of = turned(len(clear), np.concatenate(befores), np.concatenate(afters))
    lost = np.flatnonzero(~reached(*before_of, np.flatnonzero(clear)))
    return [(int(state), int(place)) for state, place in np.argwhere(pairs)[lost[:1]]]
