"""A schedule is worth reading when nothing in it can be left out and nobody is interrupted without need.

`fewest_switches` chooses, among all shortest paths that a breadth-first search has seen, one with the
fewest switches between processes. `without_needless` takes a long schedule found by chance and removes
processes, then runs of steps, as long as what is left still shows the violation (delta debugging: Zeller
and Hildebrandt, 2002).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise

from simcore.errors import InternalError
from simcore.explore.graph import Graph, Path
from simcore.explore.limits import Limits
from simcore.explore.reduction import Symmetry
from simcore.kernel import Kernel, Packed

_MOST_STATES = 50_000  # on shortest paths; beyond it the first path found is returned


def fewest_switches(
    kernel: Kernel, symmetry: Symmetry, states: list[Packed], graph: Graph, depths: array[int], goals: set[int]
) -> tuple[Path, bool]:
    """Return a shortest path from state 0 to one of ``goals``, and whether it has the fewest switches.

    Parameters
    ----------
    states, graph, depths
        What the search has met: representatives, the edges between them, the distance of each from state 0.
    goals
        States that are all equally far from state 0.
    """
    levels = _on_shortest_paths(graph, depths, goals)
    exact = sum(map(len, levels)) <= _MOST_STATES
    best: dict[tuple[int, int], tuple[int, tuple[int, int] | None, tuple[int, int]]] = {(0, -1): (0, None, (-1, -1))}
    front = [(0, -1)]
    for level in levels[1:]:
        following: dict[tuple[int, int], tuple[int, tuple[int, int] | None, tuple[int, int]]] = {}
        for node in front:
            kernel.look()
            for target, process, outcome, arrived in _steps(kernel, symmetry, states, graph, node[0], level):
                cost = best[node][0] + (process != node[1] and node[1] >= 0)
                key = (target, arrived if exact else -1)
                if key not in following or cost < following[key][0]:
                    following[key] = (cost, node, (process, outcome))
        best.update(following)
        front = list(following)
    last = min(front, key=lambda node: best[node][0])
    path = concrete(kernel, symmetry, _unwound(best, last))
    return path, exact and switches(path) <= best[last][0]


def _on_shortest_paths(graph: Graph, depths: array[int], goals: set[int]) -> list[set[int]]:
    """Return, for each distance from state 0, the states on shortest paths to ``goals``."""
    distance = depths[min(goals)]
    by_depth: list[list[int]] = [[] for _ in range(distance + 1)]
    for state in range(min(len(graph), len(depths))):
        if depths[state] < distance:
            by_depth[depths[state]].append(state)
    levels = [set(goals)]
    for candidates in reversed(by_depth[:-1]):
        nearer = levels[-1]
        levels.append({s for s in candidates if not nearer.isdisjoint(graph.successors(s))})
    return levels[::-1]


def _steps(
    kernel: Kernel, symmetry: Symmetry, states: list[Packed], graph: Graph, state: int, level: set[int]
) -> list[tuple[int, int, int, int]]:
    """Return (target, process, outcome, the process's place in the target) of the edges into ``level``."""
    steps = []
    for edge in graph.edges(state):
        target, process, outcome = graph.targets[edge], graph.processes[edge], graph.outcomes[edge]
        if target in level:
            after = kernel.step(states[state], process, outcome)
            assert after is not None
            steps.append((target, process, outcome, symmetry.permutation(after)[process]))
    return steps


def _unwound(
    best: dict[tuple[int, int], tuple[int, tuple[int, int] | None, tuple[int, int]]], last: tuple[int, int]
) -> Path:
    steps = []
    node: tuple[int, int] | None = last
    while node is not None and best[node][1] is not None:
        steps.append(best[node][2])
        node = best[node][1]
    return steps[::-1]


def concrete(kernel: Kernel, symmetry: Symmetry, path: Path) -> Path:
    """Turn steps between representatives into steps of the model: undo the renaming of processes on the way.

    Of all schedules that differ by the names of a family, the one in which they come in order.
    """
    steps = _named(kernel, symmetry, path, range(len(kernel.processes)))
    in_order = symmetry.in_order([process for process, _ in steps])
    return steps if in_order == symmetry.identity else _named(kernel, symmetry, path, in_order)


def _named(kernel: Kernel, symmetry: Symmetry, path: Path, start: Sequence[int]) -> Path:
    """Take the steps of ``path`` in states of the model, whose processes play the parts of those of representatives.

    Who plays whose part is known after a step when only one outcome leads to the representative that it should: that
    outcome is the image of the step. Where several do, each is the image of *some* step that leads there, and another
    one than was renamed along may have been taken; who is who is then read off the state that was reached.
    """
    everybody = range(len(kernel.processes))
    state, way = symmetry.chosen(kernel.initial)
    name = _followed(start, way)  # which process of the model plays the part of each
    real = kernel.initial
    steps = []
    for process, outcome in path:
        after = kernel.step(state, process, outcome)
        if after is None:
            raise InternalError(f"no step {process}, {outcome} in a representative that it was seen in")
        state, way = symmetry.chosen(after)
        outcome, real, alone = _same_step(kernel, symmetry, real, name[process], outcome, state)
        steps.append((name[process], outcome))
        name = _followed(name, way) if alone else _followed(everybody, symmetry.chosen(real)[1])
    return steps


def _followed(name: Sequence[int], way: Sequence[int]) -> list[int]:
    renamed = list(name)
    for old, new in enumerate(way):
        renamed[new] = name[old]
    return renamed


def _same_step(
    kernel: Kernel, symmetry: Symmetry, real: Packed, process: int, outcome: int, wanted: Packed
) -> tuple[int, Packed, bool]:
    """Return an outcome that leads to a state with the representative ``wanted``, the state, and whether no other does.

    Of several, the one of the same number. Where names tie in too many ways an orbit may have several representatives:
    the only outcome that there is needs not lead to this one.
    """
    every = [c for c in kernel.successors(real) if c.process == process]
    choices = every if len(every) == 1 else [c for c in every if symmetry.representative(c.state) == wanted]
    if not choices:
        raise InternalError(f"{kernel.processes[process]} cannot do in a state what it can in its representative")
    found = min(choices, key=lambda choice: choice.outcome != outcome)
    return found.outcome, found.state, all(choice.state == found.state for choice in choices)


def switches(path: Path) -> int:
    """Return how often another process goes on."""
    return sum(one != other for (one, _), (other, _) in pairwise(path))


def without_needless(
    kernel: Kernel, steps: Path, violates: Callable[[Packed], bool], limits: Limits | None = None
) -> Path:
    """Return a shorter schedule that still reaches a state which ``violates``.

    No single step, and no process's steps together, can be left out of the result, unless ``limits`` come in between.
    """
    best, shorter = steps, _ever_shorter(kernel, steps, violates)
    in_time = (limits or Limits(None, None)).in_time
    while (following := in_time(partial(next, shorter, None), None)) is not None:
        best = following
    return best


def _ever_shorter(kernel: Kernel, steps: Path, violates: Callable[[Packed], bool]) -> Iterator[Path]:
    best = _loosely(kernel, steps, violates) or steps
    yield best
    for process in sorted({process for process, _ in best}):
        best = _loosely(kernel, [step for step in best if step[0] != process], violates) or best
        yield best
    width = max(1, len(best) // 2)
    while width:
        start = 0
        while start < len(best):
            shorter = _loosely(kernel, best[:start] + best[start + width :], violates)
            if shorter is not None and len(shorter) < len(best):
                best = shorter
                yield best
            else:
                start += width
        width //= 2


def without_laps(kernel: Kernel, steps: Path, violates: Callable[[Packed], bool]) -> Path:
    """Return a schedule in which no process goes through a loop that it need not, for schedules of tens of steps.

    No consecutive steps of one process, whatever the others do in between, can be left out of the result.
    """
    best = _loosely(kernel, steps, violates) or steps
    for process in sorted({process for process, _ in best}):
        own = [place for place, step in enumerate(best) if step[0] == process]
        blocks = [own[first:last] for first in range(len(own)) for last in range(first + 1, len(own) + 1)]
        for block in sorted(blocks, key=len, reverse=True):
            lap = set(block)
            shorter = _loosely(kernel, [step for place, step in enumerate(best) if place not in lap], violates)
            if shorter is not None and len(shorter) < len(best):
                return without_laps(kernel, shorter, violates)
    return best


def _loosely(kernel: Kernel, steps: Path, violates: Callable[[Packed], bool]) -> Path | None:
    """Take those of ``steps`` that are enabled; return them up to the first violation, or None without one.

    A step that is possible need not be enabled: without what was left out, time may not have run out for anybody.
    """
    state = kernel.initial
    taken: Path = []
    for step in steps:
        after = next((choice.state for choice in kernel.successors(state) if choice[:2] == step), None)
        if after is None:
            continue
        state = after
        taken.append(step)
        if violates(state):
            return taken
    return None
