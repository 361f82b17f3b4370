"""What must happen in the end is decided on the graph of all states, by its cycles and by what can reach what.

A run that never reaches a goal either stops in a state without steps, or goes round for ever; in a finite
graph it then stays in one strongly connected component. Under weak fairness per process (a process that is
enabled without interruption moves at some time) a run can go round in a component for ever exactly if each
process is disabled in some state of it or takes some step inside it: then one cycle through all those
states and steps is fair. Inside a component that fails, every smaller one fails for the same process, so
looking at maximal components is exact (Emerson and Lei, 1985; Manna and Pnueli, 1995).
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import networkx as nx


@dataclass
class Graph:
    """All states that a search has expanded, as flat arrays.

    State ``s`` has the edges ``starts[s]`` to ``starts[s + 1]``; edge ``e`` is a step of process
    ``processes[e]``, outcome ``outcomes[e]``, to state ``targets[e]``.
    """

    starts: array[int] = field(default_factory=lambda: array("Q", [0]))
    targets: array[int] = field(default_factory=lambda: array("I"))
    processes: array[int] = field(default_factory=lambda: array("H"))
    outcomes: array[int] = field(default_factory=lambda: array("H"))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def edges(self, state: int) -> range:
        """Return the numbers of the edges that leave ``state``."""
        return range(self.starts[state], self.starts[state + 1])

    def successors(self, state: int) -> array[int]:
        """Return the states that follow ``state``."""
        return self.targets[self.starts[state] : self.starts[state + 1]]

    def movers(self, state: int) -> set[int]:
        """Return the processes that are enabled in ``state``."""
        return set(self.processes[self.starts[state] : self.starts[state + 1]])

    def arranged(self, order: Sequence[int]) -> Graph:
        """Return the graph of a search that expanded its states in ``order``, row by row, with rows by state."""
        graph = Graph()
        rows = {state: row for row, state in enumerate(order)}
        for state in range(len(order)):
            edges = self.edges(rows[state])
            graph.targets.extend(self.targets[edges.start : edges.stop])
            graph.processes.extend(self.processes[edges.start : edges.stop])
            graph.outcomes.extend(self.outcomes[edges.start : edges.stop])
            graph.starts.append(len(graph.targets))
        return graph

    @cached_property
    def before(self) -> list[list[int]]:
        """The states that precede each state; asked once the graph is whole."""
        before: list[list[int]] = [[] for _ in range(len(self))]
        for state in range(len(self)):
            for target in self.successors(state):
                before[target].append(state)
        return before

    def can_reach(self, goals: Iterable[int]) -> bytearray:
        """Return, for each state, whether some state of ``goals`` can be reached from it."""
        able = bytearray(len(self))
        queue = deque(goals)
        for state in queue:
            able[state] = 1
        while queue:
            for state in self.before[queue.popleft()]:
                if not able[state]:
                    able[state] = 1
                    queue.append(state)
        return able

    def acyclic(self) -> bool:
        """Tell whether no run goes round: remove states without predecessors until none is left (Kahn, 1962)."""
        incoming = array("I", bytes(4 * len(self)))
        for target in self.targets:
            incoming[target] += 1
        ready = [state for state in range(len(self)) if not incoming[state]]
        removed = 0
        while ready:
            removed += 1
            for target in self.successors(ready.pop()):
                incoming[target] -= 1
                if not incoming[target]:
                    ready.append(target)
        return removed == len(self)


Path = list[tuple[int, int]]
"""Steps as pairs (process, outcome)."""


@dataclass(frozen=True)
class Lasso:
    """A run for ever: ``prefix``, then ``cycle`` again and again; an empty cycle stays in the last state.

    ``state`` is the last one of the prefix, which the cycle comes back to.
    """

    prefix: Path
    cycle: Path
    state: int


def avoiding(graph: Graph, starts: Iterable[int], goal: bytearray, fair: Iterable[int]) -> Lasso | None:
    """Return a weakly fair run that never meets the goal once it is due, or None.

    Parameters
    ----------
    graph : Graph
        The full graph; state 0 is the initial one.
    starts : iterable of int
        States from which the goal must be met.
    goal : bytearray
        For each state, whether it is the goal.
    fair : iterable of int
        Processes that are treated fairly.
    """
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


def path(graph: Graph, start: int, goals: set[int], inside: Callable[[int], bool] | None = None) -> Path:
    """Return the shortest steps from ``start`` to one of ``goals``, through states that are ``inside``."""
    edges = _edges_to(graph, start, goals, inside)
    return [(graph.processes[edge], graph.outcomes[edge]) for edge in edges]


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
    resting = {process for state in component for process in fair if process not in graph.movers(state)}
    return all(process in moving or process in resting for process in fair)


def _round_trip(graph: Graph, entry: int, component: set[int], fair: list[int]) -> Path:
    """Return a cycle from ``entry`` on which each fair process moves, or is disabled somewhere."""
    cycle: list[int] = []
    state = entry
    waiting = set(fair)
    visited = [entry]
    while waiting:
        waiting -= {graph.processes[edge] for edge in cycle}
        waiting -= {process for process in waiting for seen in visited if process not in graph.movers(seen)}
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
        if process not in graph.movers(state)
        or any(graph.processes[e] == process and graph.targets[e] in component for e in graph.edges(state))
    }
