"""What `simcore.explore.liveness` says, which has the argument, found in arrays: the same run, of large graphs sooner.

All of it is a few passes over arrays, which are those of the graph itself: reachability and components are
linear and run in scipy (Tarjan, 1972; Pearce, 2005), fairness is one pass for each process. Only the run that is
returned is looked for step by step. Importing numpy and scipy takes longer than exploring a small model, so this
module is imported for a graph that is worth it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from simcore.explore.graph import Graph, Lasso, Path

Ints = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


class Flat:
    """A whole graph as numpy arrays, in the same memory; while one is alive, the graph cannot grow.

    Parameters
    ----------
    graph : Graph
        A graph in which every state has been expanded.
    """

    def __init__(self, graph: Graph) -> None:
        self.size = len(graph)
        self.starts: Ints = np.asarray(graph.starts).view(np.int64)
        self.targets: Ints = np.asarray(graph.targets).view(np.int32)
        self.processes: Ints = np.asarray(graph.processes)
        self.outcomes: Ints = np.asarray(graph.outcomes)

    @cached_property
    def sources(self) -> Ints:
        """The state that each edge leaves."""
        return np.repeat(np.arange(self.size, dtype=np.int32), np.diff(self.starts))

    @cached_property
    def before(self) -> tuple[Ints, Ints]:
        """The edges turned round: where each state's row starts, and the states in it."""
        return turned(self.size, self.sources, self.targets)

    def enabled(self, process: int) -> Mask:
        """Return, for each state, whether ``process`` is enabled in it."""
        return self.mask(self.sources[self.processes == process])

    def mask(self, states: Any) -> Mask:
        """Return, for each state, whether it is one of ``states``."""
        mask = np.zeros(self.size, np.bool_)
        mask[states] = True
        return mask

    def edges(self, states: Ints) -> Ints:
        """Return the edges that leave ``states``, in the order of these."""
        lengths = self.starts[states + 1] - self.starts[states]
        first = np.repeat(self.starts[states] - np.cumsum(lengths) + lengths, lengths)
        return first + np.arange(len(first))

    def steps(self, edges: Iterable[int]) -> Path:
        """Return the steps that ``edges`` stand for."""
        return [(int(self.processes[edge]), int(self.outcomes[edge])) for edge in edges]

    def can_reach(self, goals: Mask) -> Mask:
        """Return, for each state, whether some state of ``goals`` can be reached from it."""
        return reached(*self.before, np.flatnonzero(goals))


def turned(size: int, sources: Ints, targets: Ints) -> tuple[Ints, Ints]:
    """Return edges turned round, in rows: where the row of each target starts, and the sources in it."""
    light = np.zeros(len(sources), np.int8)
    rows = coo_array((light, (targets, sources)), shape=(size, size)).tocsr()
    return rows.indptr, rows.indices


def reached(starts: Ints, targets: Ints, begin: Ints) -> Mask:
    """Return, for each state of a graph in rows, whether it can be reached from one of ``begin``.

    Breadth-first, from one state more, whose steps lead to all of ``begin``.
    """
    size = len(starts) - 1
    rows = np.append(starts, starts[-1] + len(begin)).astype(np.int32)
    columns = np.concatenate([targets, begin], dtype=np.int32)
    weights = np.broadcast_to(np.float64(1), columns.shape)  # which nobody reads, so one is enough for all
    graph = csr_array((weights, columns, rows), shape=(size + 1, size + 1))
    found = np.zeros(size + 1, np.bool_)
    found[breadth_first_order(graph, size, return_predecessors=False)] = True
    return found[:size]


def acyclic(graph: Graph) -> bool:
    """Tell whether no run goes round."""
    flat = Flat(graph)
    count, _ = _components(flat.size, flat.sources, flat.targets)
    return bool(count == flat.size and not np.any(flat.sources == flat.targets))


def _components(size: int, sources: Ints, targets: Ints) -> tuple[int, Ints]:
    """Return how many strongly connected components there are, and the number of that of each state.

    Two steps between the same states are made one edge first: given both, scipy's algorithm does not end.
    """
    once = coo_array((np.ones(len(sources), np.float64), (sources, targets)), shape=(size, size)).tocsr()
    count, labels = connected_components(once, connection="strong")
    return count, labels


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
    flat, fair = Flat(graph), sorted(fair)
    due, inside, edges = _without(flat, starts, goal)
    ends = inside & (np.diff(flat.starts) == 0)
    rounds = _rounds(flat, edges, fair)
    ways = ends | (rounds > 0)
    if not ways.any():
        return None
    begin = [0, 1] if due[0] else [0]
    prefix, entry = _way(flat, begin, due, inside, ways)
    cycle = _round_trip(flat, entry, rounds == rounds[entry], fair) if rounds[entry] else []
    return Lasso(flat.steps(prefix), flat.steps(cycle), entry)


def goes_round(graph: Graph, starts: Iterable[int], goal: bytearray) -> bool:
    """Tell whether some run, fair or not, goes round without meeting the goal once it is due; as for `avoiding`."""
    flat = Flat(graph)
    return bool(_rounds(flat, _without(flat, starts, goal)[2], []).any())


def _without(flat: Flat, starts: Iterable[int], goal: bytearray) -> tuple[Mask, Mask, Ints]:
    """Return where the goal is due, where a run may be that has not met it since, and the edges between those."""
    free = np.frombuffer(goal, np.bool_) == 0
    due = flat.mask(list(starts)) & free
    edges = np.flatnonzero(free[flat.sources] & free[flat.targets])
    inside = reached(*_rows(flat, edges), np.flatnonzero(due))
    return due, inside, edges[inside[flat.sources[edges]]]


def _rows(flat: Flat, edges: Ints) -> tuple[Ints, Ints]:
    """Return the graph in rows that has these edges alone."""
    lengths = np.bincount(flat.sources[edges], minlength=flat.size)
    return np.concatenate([[0], np.cumsum(lengths)], dtype=np.int32), flat.targets[edges]


def _rounds(flat: Flat, edges: Ints, fair: list[int]) -> Ints:
    """Return, for each state, the number of the component of ``edges`` in which a fair run goes round, or 0."""
    if np.all(flat.sources[edges] < flat.targets[edges]):
        return np.zeros(flat.size, np.int32)
    _, labels = _components(flat.size, flat.sources[edges], flat.targets[edges])
    edges = edges[labels[flat.sources[edges]] == labels[flat.targets[edges]]]
    component, count = _numbered(labels, labels[flat.sources[edges]])
    around = component[flat.sources[edges]]
    movers = flat.processes[edges]
    good = np.arange(count + 1) > 0
    for process in fair:
        served = np.zeros(count + 1, np.bool_)
        served[around[movers == process]] = True
        served[component[~flat.enabled(process)]] = True
        good &= served
    return np.where(good[component], component, 0)


def _numbered(labels: Ints, some: Ints) -> tuple[Ints, int]:
    """Return ``labels`` with those that are in ``some`` numbered from 1, all others 0, and how many those are."""
    there = np.zeros(len(labels), np.bool_)
    there[some] = True
    numbers = np.where(there, np.cumsum(there, dtype=np.int32), 0)
    return numbers[labels], int(there.sum())


def _way(flat: Flat, begin: list[int], due: Mask, inside: Mask, goals: Mask) -> tuple[list[int], int]:
    """Return the edges of a shortest way by a state of ``due``, then ``inside``, to one of ``goals``, and that one.

    Breadth-first over nodes ``2 * state``, and ``2 * state + 1`` once a state that is due has been passed.
    """
    edge_to = np.full(2 * flat.size, -2, np.int64)
    before = np.full(2 * flat.size, -1, np.int64)
    front = np.array(begin, np.int64)
    edge_to[front] = -1
    while len(front):
        found = front[(front % 2 == 1) & goals[front // 2]]
        if len(found):
            return _back(edge_to, before, int(found[0])), int(found[0]) // 2
        edges = flat.edges(front // 2)
        node = np.repeat(front, flat.starts[front // 2 + 1] - flat.starts[front // 2])
        after, passed = flat.targets[edges].astype(np.int64), node % 2 == 1
        nodes = np.column_stack([2 * after, 2 * after + 1]).ravel()
        allowed = np.column_stack([~passed, np.where(passed, inside[after], due[after])]).ravel()
        new = np.flatnonzero(allowed & (edge_to[nodes] == -2))
        new = new[np.sort(np.unique(nodes[new], return_index=True)[1])]  # as a queue takes them
        front = nodes[new]
        edge_to[front], before[front] = edges[new // 2], node[new // 2]
    raise LookupError("no way")


def _back(edge_to: Ints, before: Ints, node: int) -> list[int]:
    edges = []
    while edge_to[node] >= 0:
        edges.append(int(edge_to[node]))
        node = int(before[node])
    return edges[::-1]


def _round_trip(flat: Flat, entry: int, component: Mask, fair: list[int]) -> list[int]:
    """Return a cycle from ``entry`` on which each fair process moves, or is disabled somewhere."""
    within = component[flat.sources] & component[flat.targets]
    nowhere = np.zeros(flat.size, np.bool_)
    cycle: list[int] = []
    state = entry
    for process in fair:
        passed = np.array([entry, *flat.targets[cycle]])
        mine = flat.processes == process
        resting = component & ~flat.enabled(process)
        if np.any(mine[cycle]) or np.any(resting[passed]):
            continue
        places = resting | flat.mask(flat.sources[mine & within])
        way, last = _way(flat, [2 * state + 1], nowhere, component, places)
        leaving = flat.edges(np.array([last]))
        cycle += way + [int(edge) for edge in leaving if mine[edge] and within[edge]][:1]
        state = int(flat.targets[cycle[-1]]) if cycle else entry
    if not cycle:
        cycle = [int(edge) for edge in flat.edges(np.array([entry])) if within[edge]][:1]
        state = int(flat.targets[cycle[0]])
    return cycle + _way(flat, [2 * state + 1], nowhere, component, flat.mask([entry]))[0]
