"""What must happen in the end is decided on the graph of all states, by its cycles and by what can reach what.

A run that never reaches a goal either stops in a state without steps, or goes round for ever; in a finite
graph it then stays in one strongly connected component. Under weak fairness per process (a process that is
enabled without interruption moves at some time) a run can go round in a component for ever exactly if each
process is disabled in some state of it or takes some step inside it: then one cycle through all those
states and steps is fair. Inside a component that fails, every smaller one fails for the same process, so
looking at maximal components is exact (Emerson and Lei, 1985; Manna and Pnueli, 1995). Where the part without
the goal has no cycle, only the states without steps are left to look at, and fairness plays no part.

The same holds of a graph of representatives, for a goal that treats names alike: a run that goes round in states
goes round in representatives, so where those do not, every run stops, and a way through them is a way through
states but for names. Where they do, who moves in a component has changed its name on the way, and fairness cannot be
told (Emerson and Sistla, 1997, keep names in an annotated graph); then the states themselves are searched.

This is the definition, and what there is without numpy: `compiled/liveness.py` returns the same run, sooner for a large
graph. A question is a walk or two along the flat arrays of the graph, so it takes time in proportion to its edges, and
a few bytes of memory for each state. Nothing calls itself, because a run may be as long as there are states. The run
that is returned takes one more walk for each process, around its component.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable
from itertools import chain, compress

from simcore.explain import components
from simcore.explore.graph import Graph, Lasso

Mask = bytes | bytearray
"""For each state, whether it is one of some."""


def acyclic(graph: Graph) -> bool:
    """Tell whether no run goes round."""
    return not any(_goes_round(graph, states) for states in components(b"\1" * len(graph), graph.successors))


def _goes_round(graph: Graph, component: list[int]) -> bool:
    return len(component) > 1 or component[0] in graph.successors(component[0])


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
    fair = sorted(fair)
    due, inside = _without(graph, starts, goal)
    rounds = [states for states in components(inside, graph.successors) if _is_fair(graph, states, fair)]
    ends = (state for state in graph.ends() if inside[state])
    ways = _mask(graph, chain(ends, *rounds))
    if not any(ways):
        return None
    prefix, entry = _way(graph, [0, 1] if due[0] else [0], due, inside, ways.__getitem__)
    around = next((states for states in rounds if entry in states), None)
    cycle = [] if around is None else _round_trip(graph, entry, _mask(graph, around), fair)
    return Lasso(graph.steps(prefix), graph.steps(cycle), entry)


def goes_round(graph: Graph, starts: Iterable[int], goal: bytearray) -> bool:
    """Tell whether some run, fair or not, goes round without meeting the goal once it is due; as for `avoiding`."""
    _, inside = _without(graph, starts, goal)
    return any(_goes_round(graph, states) for states in components(inside, graph.successors))


def _mask(graph: Graph, states: Iterable[int]) -> bytearray:
    mask = bytearray(len(graph))
    for state in states:
        mask[state] = 1
    return mask


def _without(graph: Graph, starts: Iterable[int], goal: bytearray) -> tuple[Mask, Mask]:
    """Return where the goal is due, and where a run may be that has not met it since."""
    due = _mask(graph, (state for state in starts if not goal[state]))
    inside, left = due[:], list(compress(range(len(graph)), due))
    while left:
        for target in graph.successors(left.pop()):
            if not (inside[target] or goal[target]):
                inside[target] = 1
                left.append(target)
    return due, inside


def _is_fair(graph: Graph, component: list[int], fair: list[int]) -> bool:
    """Tell whether a run goes round in a component for ever, and each process moves there or is disabled somewhere."""
    if not _goes_round(graph, component):
        return False
    inside = frozenset(component)
    enabled, moving = set(fair), set[int]()
    for state in component:
        movers = graph.movers(state)
        enabled &= set(movers)
        moving.update(compress(movers, map(inside.__contains__, graph.successors(state))))
    return enabled <= moving


def _way(graph: Graph, begin: list[int], due: Mask, inside: Mask, goal: Callable[[int], int]) -> tuple[list[int], int]:
    """Return the edges of a shortest way by a state of ``due``, then ``inside``, to a goal, and that one.

    Breadth-first over nodes ``2 * state``, and ``2 * state + 1`` once a state that is due has been passed. For each it
    is kept by which edge it was met, and whether from a node of the second kind.
    """
    targets, came = graph.targets, array("q", bytes(16 * len(graph)))
    for node in begin:
        came[node] = -1
    queue = deque(begin)
    while queue:
        state, passed = divmod(queue.popleft(), 2)
        if passed and goal(state):
            return _back(graph, came, 2 * state + 1), state
        allowed = inside if passed else due
        for edge in graph.edges(state):
            after = 2 * targets[edge]
            for node in range(after + passed, after + 1 + allowed[targets[edge]]):
                if not came[node]:
                    came[node] = 2 * edge + 2 + passed
                    queue.append(node)
    raise LookupError("no way")


def _back(graph: Graph, came: array[int], node: int) -> list[int]:
    edges = []
    while came[node] >= 0:
        edge, passed = divmod(came[node] - 2, 2)
        edges.append(edge)
        node = 2 * (bisect_right(graph.starts, edge) - 1) + passed
    return edges[::-1]


def _round_trip(graph: Graph, entry: int, component: Mask, fair: list[int]) -> list[int]:
    """Return a cycle from ``entry`` on which each fair process moves, or is disabled somewhere."""
    cycle: list[int] = []
    for process in fair:
        if all(graph.processes[edge] != process for edge in cycle):
            cycle += _serving(graph, component, process, _passed(graph, entry, cycle))
    if not cycle:
        cycle = [edge for edge in graph.edges(entry) if component[graph.targets[edge]]][:1]
    last = _passed(graph, entry, cycle)[-1]
    return cycle + _way(graph, [2 * last + 1], component, component, _mask(graph, [entry]).__getitem__)[0]


def _passed(graph: Graph, entry: int, edges: list[int]) -> list[int]:
    return [entry, *(graph.targets[edge] for edge in edges)]


def _serving(graph: Graph, component: Mask, process: int, passed: list[int]) -> list[int]:
    """Return edges from the last of ``passed`` to where a process is disabled, or moves; none if it was disabled."""

    def disabled(state: int) -> bool:
        return process not in graph.movers(state)

    def moves(state: int) -> list[int]:
        return [e for e in graph.edges(state) if graph.processes[e] == process and component[graph.targets[e]]]

    if any(map(disabled, passed)):
        return []
    way, last = _way(graph, [2 * passed[-1] + 1], component, component, lambda s: disabled(s) or bool(moves(s)))
    return way + moves(last)[:1]
