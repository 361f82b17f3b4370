"""Where no run ends, one is well in which everybody who must finish goes on for ever: then nobody is ever stuck.

Such a run stays, in the end, in a strongly connected component of the graph of all states, and everybody takes a step
there. So the states from which one is possible are those that lead to a component in which everybody who has not
finished moves. Whether these are servers that are meant to go on or pollers that poll in vain is not asked; nobody of
them waits for ever. The graph is that of states, not of representatives, where who moves would have changed its name.
"""

from __future__ import annotations

from collections.abc import Callable

from simcore.explain import components
from simcore.explore.graph import Graph, all_from
from simcore.explore.lost import reached
from simcore.kernel import Kernel, Packed


def all_go_on_from(
    kernel: Kernel, start: Packed, budget: int, hopeless: Callable[[Packed], bool]
) -> Callable[[Packed], bool] | None:
    """Return what tells of a state that ``start`` leads to whether everybody can still go on for ever.

    None when that takes more than ``budget`` states.

    Parameters
    ----------
    hopeless : function
        States in which somebody is known to be stuck.
    """
    found = all_from(start, lambda state: [] if hopeless(state) else kernel.successors(state), budget)
    if found is None:
        return None
    states, graph = found
    good = dict(zip(states, reached(graph, _where_all_move(kernel, graph, states)), strict=True))
    return lambda state: bool(good.get(state))


def _where_all_move(kernel: Kernel, graph: Graph, states: list[Packed]) -> list[int]:
    """Return, for each state, whether it lies in a component in which everybody who must finish takes a step."""
    found = [0] * len(graph)
    for component in components(b"\1" * len(graph), graph.successors):
        inside = set(component)
        movers = {
            graph.processes[edge] for state in component for edge in graph.edges(state) if graph.targets[edge] in inside
        }
        some = states[component[0]]  # who has finished, or died, is the same in all of it
        if movers and kernel.failed(some) is None and movers.issuperset(_owing(kernel, some)):
            for state in component:
                found[state] = 1
    return found


def _owing(kernel: Kernel, state: Packed) -> list[int]:
    return [p.index for p in kernel.processes if kernel.process_state(state, p.index).owes]
