"""In which states somebody hangs, of all that there are: what a search asks until the first, asked of each.

Everything is there, whatever was violated on the way: all processes by their names, all orders of steps, and what
others do once a process has died. So a hang is what `explore` calls a violation of deadlock freedom, and no state that
a hang leads to is without one.
"""

from __future__ import annotations

from dataclasses import dataclass

from simcore.explore.graph import Graph, all_from
from simcore.explore.lost import lost_in
from simcore.explore.reduction import Symmetry
from simcore.explore.servers import Servers
from simcore.explore.standstill import standstills, timed_locals, told
from simcore.kernel import Kernel, Packed


@dataclass(frozen=True)
class Hanging:
    """All states of a model.

    Attributes
    ----------
    graph : Graph
        The steps between them; the first is the initial one.
    hangs : bytearray
        Of each, whether somebody who must finish can never move again, or servers wait for each other for ever.
    dies : bytearray
        Of each, whether a process has died of an exception.
    unknown : str
        Why it is not known of all whether somebody hangs; empty where it is.
    """

    graph: Graph
    hangs: bytearray
    dies: bytearray
    unknown: str = ""


def hanging(kernel: Kernel, most: int) -> Hanging | None:
    """Return all states of a model, and which of them hang; None where there are more than ``most``."""
    found = all_from(kernel.initial, kernel.successors, most)
    if found is None:
        return None
    states, graph = found
    servers = Servers(kernel, Symmetry(kernel, on=False))
    hangs = bytearray(bool(lost) for lost in lost_in(kernel, states, graph))
    if servers.possible:
        hangs = bytearray(lost or bool(servers.knot(state)) for lost, state in zip(hangs, states, strict=True))
    dies = bytearray(kernel.failed(state) is not None for state in states)
    unsure = "whether servers wait for each other for ever is not known, within a budget of states"
    return Hanging(graph, hangs, dies, _still(kernel, states, graph) or unsure * servers.unsure)


def _still(kernel: Kernel, states: list[Packed], graph: Graph) -> str:
    """Say who waits for time that cannot pass; empty where nobody does."""
    if kernel.timeouts == "anytime" or not timed_locals(kernel) or graph.forward():
        return ""
    found = [each for each in standstills(kernel, states, graph, lambda _: False) if not each.starved]
    return told(kernel, found) if found else ""
