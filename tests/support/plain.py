"""What `liveness.py` and `lost.py` decide, once more by sets, queues and networkx, which both versions must meet.

It shares nothing with them: whoever is lost is followed through every pair, names or not, and components are another
library's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

import networkx as nx

from simcore.explore.graph import Graph, Lasso, Path
from simcore.explore.reduction import Symmetry
from simcore.kernel import Kernel, Packed


def movers(graph: Graph, state: int) -> set[int]:
    return {graph.processes[edge] for edge in graph.edges(state)}


def avoiding(graph: Graph, starts: Iterable[int], goal: bytearray, fair: Iterable[int]) -> Lasso | None:
    due = {state for state in starts if not goal[state]}
    inside = _reachable(graph, due, goal)
    fair = list(fair)
    ends = {state for state in inside if not len(graph.edges(state))}
    rounds = [component for component in _components(graph, inside) if _is_fair(graph, component, fair)]
    if not ends and not rounds:
        return None
    prefix, entry = _prefix(graph, due, inside, ends.union(*rounds))
    component = next((component for component in rounds if entry in component), None)
    return Lasso(prefix, _round_trip(graph, entry, component, fair) if component else [], entry)


def _prefix(graph: Graph, due: set[int], inside: set[int], ways: set[int]) -> tuple[Path, int]:
    """Return the shortest steps from state 0 by way of a state of ``due``, then ``inside``, to one of ``ways``."""
    begin = [(0, False), *([(0, True)] if 0 in due else [])]
    came: dict[tuple[int, bool], tuple[tuple[int, bool], int]] = {node: (node, -1) for node in begin}
    queue = deque(begin)
    while queue:
        node = queue.popleft()
        if node[1] and node[0] in ways:
            return _back(graph, came, node), node[0]
        for edge in graph.edges(node[0]):
            target = graph.targets[edge]
            after_it = [(target, True)] if target in (inside if node[1] else due) else []
            for after in after_it if node[1] else [(target, False), *after_it]:
                if after not in came:
                    came[after] = (node, edge)
                    queue.append(after)
    raise LookupError("no path")


def _back(graph: Graph, came: dict[tuple[int, bool], tuple[tuple[int, bool], int]], node: tuple[int, bool]) -> Path:
    steps = []
    while came[node][1] >= 0:
        node, edge = came[node]
        steps.append((graph.processes[edge], graph.outcomes[edge]))
    return steps[::-1]


def _edges_to(graph: Graph, start: int, goals: set[int], inside: Callable[[int], bool] | None = None) -> list[int]:
    came: dict[int, tuple[int, int]] = {start: (-1, -1)}
    queue = deque([start])
    while queue:
        state = queue.popleft()
        if state in goals:
            edges = []
            while came[state][1] >= 0:
                state, edge = came[state]
                edges.append(edge)
            return edges[::-1]
        for edge in graph.edges(state):
            target = graph.targets[edge]
            if target not in came and (inside is None or inside(target)):
                came[target] = (state, edge)
                queue.append(target)
    raise LookupError("no path")


def _reachable(graph: Graph, starts: Iterable[int], barred: bytearray) -> set[int]:
    seen = set(starts)
    stack = list(seen)
    while stack:
        for target in graph.successors(stack.pop()):
            if target not in seen and not barred[target]:
                seen.add(target)
                stack.append(target)
    return seen


def _components(graph: Graph, inside: set[int]) -> Iterator[set[int]]:
    """Yield the strongly connected parts of ``inside`` in which a run can go round."""
    part: nx.DiGraph[int] = nx.DiGraph()
    part.add_nodes_from(inside)
    for state in inside:
        part.add_edges_from((state, target) for target in graph.successors(state) if target in inside)
    for component in nx.strongly_connected_components(part):
        state = next(iter(component))
        if len(component) > 1 or part.has_edge(state, state):
            yield component


def _is_fair(graph: Graph, component: set[int], fair: list[int]) -> bool:
    moving = {
        graph.processes[edge] for state in component for edge in graph.edges(state) if graph.targets[edge] in component
    }
    resting = {process for state in component for process in fair if process not in movers(graph, state)}
    return all(process in moving or process in resting for process in fair)


def _round_trip(graph: Graph, entry: int, component: set[int], fair: list[int]) -> Path:
    """Return a cycle from ``entry`` on which each fair process moves, or is disabled somewhere."""
    cycle: list[int] = []
    state = entry
    waiting = set(fair)
    visited = [entry]
    while waiting:
        waiting -= {graph.processes[edge] for edge in cycle}
        waiting -= {process for process in waiting for seen in visited if process not in movers(graph, seen)}
        if not waiting:
            break
        process = min(waiting)
        edges = _edges_to(graph, state, _places(graph, component, process), component.__contains__)
        last = graph.targets[edges[-1]] if edges else state
        move = [e for e in graph.edges(last) if graph.processes[e] == process and graph.targets[e] in component]
        added = edges + move[:1]
        cycle += added
        visited += [graph.targets[edge] for edge in added]
        state = visited[-1]
    if not cycle:
        step = next(e for e in graph.edges(entry) if graph.targets[e] in component)
        cycle, state = [step], graph.targets[step]
    cycle += _edges_to(graph, state, {entry}, component.__contains__)
    return [(graph.processes[edge], graph.outcomes[edge]) for edge in cycle]


def _places(graph: Graph, component: set[int], process: int) -> set[int]:
    """Return the states of ``component`` where ``process`` moves inside it, or is disabled."""
    return {
        state
        for state in component
        if process not in movers(graph, state)
        or any(graph.processes[e] == process and graph.targets[e] in component for e in graph.edges(state))
    }


def never_again(
    kernel: Kernel, symmetry: Symmetry, states: list[Packed], graph: Graph, *, ends: bool
) -> tuple[int, int] | None:
    """Follow every process that must finish from state to state, by its place in each representative."""
    before: dict[tuple[int, int], list[tuple[int, int]]] = {}
    alive: list[tuple[int, int]] = []
    for number, state in enumerate(states):
        for process in _unfinished(kernel, state):
            before[number, process] = []
            if not ends and (process in movers(graph, number) or kernel.may_expire(state, process)):
                alive.append((number, process))
    for number, process in list(before):
        for edge in graph.edges(number):
            after = kernel.step(states[number], graph.processes[edge], graph.outcomes[edge])
            following = (graph.targets[edge], symmetry.permutation(after)[process])
            if following in before:
                before[following].append((number, process))
            elif ends:
                alive.append((number, process))
    seen = set(alive)
    while alive:
        for pair in before[alive.pop()]:
            if pair not in seen:
                seen.add(pair)
                alive.append(pair)
    return min(set(before) - seen, default=None)


def _unfinished(kernel: Kernel, state: Packed) -> list[int]:
    part = zip(kernel.processes, state[kernel.first_process : kernel.first_future], strict=True)
    return [
        process.index
        for process, number in part
        if (_going(kernel, number) and not process.daemon if process.pool is None else kernel.locals[number].task)
    ]


def _going(kernel: Kernel, number: int) -> bool:
    operation = kernel.about(number)
    return operation is not None and not operation.rests
