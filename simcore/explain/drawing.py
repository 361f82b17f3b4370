"""The wait-for graph as nodes and arrows, for pictures and for Mermaid: the same ones in both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from simcore.explain.edges import Actor, Edge, Pool, Slots

if TYPE_CHECKING:
    import networkx as nx


class Drawn(Protocol):
    """What is drawn: a wait-for graph."""

    edges: Any
    in_use: Any

    @property
    def knot(self) -> list[Edge]:
        """The edges in red."""

    def actor(self, name: str) -> Actor:
        """A process by its name."""

    def pool(self, name: str) -> Pool:
        """A pool by its name."""


def as_graph(waits: Drawn, graph: nx.DiGraph[str]) -> nx.DiGraph[str]:
    """Fill ``graph``, an empty one, with processes, objects and slots, and who waits for what."""
    knotted = {edge.process.name for edge in waits.knot}
    slots = {each.name: each for each in waits.in_use}
    for edge in waits.edges:
        if edge.process.owes or edge.process.name in knotted:
            _draw(waits, graph, edge, edge.process.name in knotted, slots)
    return graph


def _draw(waits: Drawn, graph: nx.DiGraph[str], edge: Edge, knot: bool, slots: dict[str, Slots]) -> None:
    name, target = edge.process.name, edge.target.name
    _actor(waits, graph, name, knot, certain=True)
    _thing(graph, target, edge.target.kind, slots, knot, _called(edge))
    graph.add_edge(name, target, mode="all of")
    pools = list(dict.fromkeys(pool for _, pool in edge.queued))
    helpers = [*edge.helpers, *(name for name, _ in edge.through)]
    direct = [helper for helper in helpers if waits.actor(helper).worker_of not in pools]
    several = "any of" if len(direct) + len(pools) > 1 else "all of"
    for helper in direct:
        _actor(waits, graph, helper, knot=False)
        graph.add_edge(target, helper, mode=several)
    for pool in pools:
        _thing(graph, pool, "pool", slots, knot)
        graph.add_edge(target, pool, mode=several)
        _arrows(waits, graph, pool, waits.pool(pool).workers, knot)


def _arrows(waits: Drawn, graph: nx.DiGraph[str], source: str, workers: Iterable[str], knot: bool) -> None:
    mode = "any of" if len(tuple(workers)) > 1 else "all of"
    for worker in workers:
        _actor(waits, graph, worker, knot)
        graph.add_edge(source, worker, mode=mode)


def _actor(waits: Drawn, graph: nx.DiGraph[str], name: str, knot: bool, certain: bool = False) -> None:
    """Add a process; whether it is in the knot is told by its own wait, if it has one."""
    before = graph.nodes.get(name, {}).get("knot", knot)
    what = waits.actor(name).what
    text = name if what == name else f"{name}\n{what}"
    graph.add_node(name, kind="process", slots=None, text=text, knot=knot if certain else before)


def _thing(graph: nx.DiGraph[str], name: str, kind: str, slots: dict[str, Slots], knot: bool, text: str = "") -> None:
    before = graph.nodes.get(name, {}).get("knot", False)
    used = (slots[name].used, slots[name].limit) if name in slots else None
    counted = f"{name}\n{used[0]} of {used[1]} in use" if used is not None and used[1] is not None else name
    graph.add_node(name, kind=kind, slots=used, text=text or counted, knot=knot or before)


def _called(edge: Edge) -> str:
    """Return what a task's future is drawn as; empty for everything else."""
    made = edge.target.kind == "future" and (edge.queued or edge.why.holders)
    return edge.why.wants.removeprefix("for the ").replace("result of ", "result of\n", 1) if made else ""


def as_mermaid(graph: nx.DiGraph[str]) -> str:
    """Return the graph as a Mermaid flowchart."""
    ids = {name: f"n{number}" for number, name in enumerate(graph)}
    lines = ["flowchart LR"]
    for name, about in graph.nodes(data=True):
        text = _label(name, about).replace('"', "'")
        lines.append(f'  {ids[name]}["{text}"]' if about["kind"] == "process" else f'  {ids[name]}(["{text}"])')
    for source, target, about in graph.edges(data=True):
        arrow = "-. any of .->" if about["mode"] == "any of" else "-->"
        lines.append(f"  {ids[source]} {arrow} {ids[target]}")
    knotted = [ids[name] for name, about in graph.nodes(data=True) if about["knot"]]
    if knotted:
        lines += ["  classDef knot fill:#fdd,stroke:#c00", f"  class {','.join(knotted)} knot"]
    return "\n".join(lines)


def _label(name: str, about: dict[str, Any]) -> str:
    if about["slots"] is not None and about["slots"][1] is not None:
        return f"{name} {about['slots'][0]}/{about['slots'][1]}"
    return name
