"""Why it hangs: who waits for whom, who could end a wait, and the smallest group that waits only for itself."""

from simcore.explain.components import components
from simcore.explain.edges import Did, Edge, Pool, Slots, Why
from simcore.explain.ending import graph_after, untried_graph_after, with_breaks
from simcore.explain.history import History, cleared, history_of, too_early
from simcore.explain.knot import Knots, never_enabled, reach
from simcore.explain.layout import fit, in_a_line, printable
from simcore.explain.out_of_reach import out_of_reach
from simcore.explain.reading import wait_for_graph
from simcore.explain.rounds import left_out, repeats
from simcore.explain.summary import summary
from simcore.explain.waitfor import WaitForGraph

__all__ = [
    "Did",
    "Edge",
    "History",
    "Knots",
    "Pool",
    "Slots",
    "WaitForGraph",
    "Why",
    "cleared",
    "components",
    "fit",
    "graph_after",
    "history_of",
    "in_a_line",
    "left_out",
    "never_enabled",
    "out_of_reach",
    "printable",
    "reach",
    "repeats",
    "summary",
    "too_early",
    "untried_graph_after",
    "wait_for_graph",
    "with_breaks",
]
