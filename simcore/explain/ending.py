"""How a run has ended, as far as that can be proved: who can never move again, and what would have broken the knot.

A process never moves again when nothing that can follow enables it; all that can follow is looked at, within a budget.
What the budget does not decide is not said, but for those who wait for the result of a task that only they could run.
That one more worker would break a knot is tried: the same steps are taken in the same model with one more worker in
that pool, who takes none of them, and then everybody in the knot who must finish must be able to move again. A time-out
among these steps fires there, too, although it may have waited until nothing else could move and the new worker can. It
is said of that size and of this knot alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace

from simcore.explain.history import history_of
from simcore.explain.knot import StandsStill, closed_by_shape, never_enabled
from simcore.explain.out_of_reach import out_of_reach
from simcore.explain.reading import wait_for_graph
from simcore.explain.waitfor import WaitForGraph
from simcore.kernel import Kernel, Packed
from simcore.model import Model, Process
from simcore.model.objects import PoolValue, ThreadPool

Steps = Sequence[tuple[int, int]]


def graph_after(
    kernel: Kernel,
    path: Steps,
    lost: Iterable[str] = (),
    stands_still: StandsStill | None = None,
    servers: Mapping[str, Sequence[str]] | None = None,
) -> WaitForGraph:
    """Return who waits for whom after ``path``, with what can be proved of it, and what would have broken the knot.

    The parameters are those of `untried_graph_after`.
    """
    return with_breaks(kernel, path, untried_graph_after(kernel, path, lost, stands_still, servers))


def untried_graph_after(
    kernel: Kernel,
    path: Steps,
    lost: Iterable[str] = (),
    stands_still: StandsStill | None = None,
    servers: Mapping[str, Sequence[str]] | None = None,
) -> WaitForGraph:
    """Return who waits for whom after ``path``, with what can be proved of it.

    Parameters
    ----------
    lost : iterable of str
        Who is known never to move again, from the whole graph.
    stands_still : function, optional
        Tells whether, from a state on, somebody may wait for time that cannot pass: as in `Knots`.
    servers : mapping, optional
        As in `WaitForGraph`.
    """
    state, history = history_of(kernel, path)
    proved, complete = _proved(kernel, state, stands_still)
    view = kernel.view(state)
    return wait_for_graph(view, history=history, proved=proved | frozenset(lost), complete=complete, servers=servers)


def with_breaks(kernel: Kernel, path: Steps, graph: WaitForGraph) -> WaitForGraph:
    """Return ``graph``, of what is after ``path``, with the pools in which one more worker would break the knot.

    To try that takes as long as all the rest.
    """
    starved = _starved(kernel.model, graph)
    return replace(graph, breaks={p.name: p.workers + 1 for p in starved if _broken(kernel, path, graph, p)})


def _proved(kernel: Kernel, state: Packed, stands_still: StandsStill | None) -> tuple[frozenset[str], bool]:
    """Return the names of those who can never move again, and whether these are all."""
    movers = {choice.process for choice in kernel.successors(state)}
    waiting = [p.index for p in kernel.processes if kernel.process_state(state, p.index).blocked]
    if not movers:
        return frozenset(kernel.processes[index].name for index in waiting), True
    lost = out_of_reach(kernel, state).intersection(waiting)
    left = [index for index in waiting if index not in lost]
    never = never_enabled(kernel, state, left, stands_still) if left else []
    names = frozenset(kernel.processes[index].name for index in lost.union(never or ()))
    if never is None:
        view = kernel.view(state)
        return names | closed_by_shape(view, wait_for_graph(view)), False
    return names, True


def _starved(model: Model, graph: WaitForGraph) -> list[ThreadPool]:
    """Return the pools in which a task is queued that somebody in the knot waits for."""
    names = {pool for edge in graph.knot for _, pool in edge.queued}
    return [pool for pool, _ in model.pools() if pool.name in names]


def _broken(kernel: Kernel, path: Steps, graph: WaitForGraph, pool: ThreadPool) -> bool:
    """Tell whether all of the knot who must finish can move again where ``pool`` has one more worker."""
    model = _with_one_more(kernel.model, pool)
    if model is None:
        return False
    other = Kernel(model, kernel.timeouts)
    state = other.initial
    for step in path:
        after = other.step(state, *step)
        if after is None:
            return False
        state = after
    inside: PoolValue = other.values[state[pool.index]]
    if inside.shut:  # who waits for its workers to leave would wait for another number of them
        return False
    owing = {edge.process.name for edge in graph.knot if edge.process.owes}
    return never_enabled(other, state, [p.index for p in model.processes if p.name in owing]) == []


def _with_one_more(model: Model, pool: ThreadPool) -> Model | None:
    """Return the same model with another worker in ``pool``; None when its name is taken."""
    name = f"{pool.name}[{pool.workers}]"
    if any(process.name == name for process in model.processes):
        return None
    other = copy(model)
    other.processes = [*model.processes, Process(name, len(model.processes), daemon=True, pool=pool)]
    return other
