"""Why it hangs: who waits for whom, who could end a wait, and the smallest group that waits only for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simcore.first_use import load_at_first_use

if TYPE_CHECKING:
    from simcore.explain.components import components
    from simcore.explain.edges import Did, Edge, Pool, Slots, Why
    from simcore.explain.ending import graph_after, untried_graph_after, with_breaks
    from simcore.explain.history import History, history_of
    from simcore.explain.knot import Knots, never_enabled, reach
    from simcore.explain.layout import fit, in_a_line, printable
    from simcore.explain.missed import cleared, too_early
    from simcore.explain.out_of_reach import out_of_reach
    from simcore.explain.reading import wait_for_graph
    from simcore.explain.rounds import left_out, repeats
    from simcore.explain.summary import shortened, summary
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
    "shortened",
    "summary",
    "too_early",
    "untried_graph_after",
    "wait_for_graph",
    "with_breaks",
]

load_at_first_use(
    __name__,
    {
        "components": "components",
        "edges": "Did Edge Pool Slots Why",
        "ending": "graph_after untried_graph_after with_breaks",
        "history": "History history_of",
        "knot": "Knots never_enabled reach",
        "layout": "fit in_a_line printable",
        "missed": "cleared too_early",
        "out_of_reach": "out_of_reach",
        "reading": "wait_for_graph",
        "rounds": "left_out repeats",
        "summary": "shortened summary",
        "waitfor": "WaitForGraph",
    },
)
