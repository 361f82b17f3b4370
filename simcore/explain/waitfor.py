"""Who waits for whom in one state, and the smallest group that waits only for itself.

A blocked process waits for an object; the object can be moved on by some processes. A lock's waiter needs
its owner; whoever waits for the future of a task needs the worker that runs it or, while it is queued, *any*
worker of that pool; whoever waits for anything else needs *any* process that still can do what enables it.
A process is alive when it can step, or when somebody alive can enable it; the rest is dead, a *knot* is a
group of the dead in which everybody is needed by everybody else and nobody else is (Holt, 1972: a knot, not
a cycle, is what makes a deadlock when one of several helpers suffices).

Who can enable whom is a guess (`enabling.py`), which a search confirms before a verdict rests on it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from simcore.explain.enabling import Edge, may_enable, queued_may_enable
from simcore.model import Process, ProcessState, State, listed
from simcore.model.objects import Future, PoolValue, ThreadPool
from simcore.model.operations import SharedObject

if TYPE_CHECKING:
    import networkx as nx


@listed(without="task_name")
@dataclass
class WaitForGraph:
    """The wait-for graph of one state.

    Attributes
    ----------
    state : State
        The state.
    edges : list of Edge
        One for each blocked process.
    """

    state: State
    edges: list[Edge] = field(init=False)

    def __post_init__(self) -> None:
        self._all = self.state.processes
        self.edges = [self._edge(process) for process in self._all if process.blocked]
        self._dead = _dead(self.edges, self._all)

    def _edge(self, waiting: ProcessState) -> Edge:
        assert waiting.operation is not None
        target = waiting.operation.target
        value = self.state.value_of(target)
        direct: list[tuple[Process, tuple[ThreadPool, ...]]] = []
        through: list[tuple[Process, tuple[ThreadPool, ...]]] = []
        for other in self._all:
            pools = may_enable(waiting, value, other)
            if pools is not None:
                (through if pools else direct).append((other.process, pools))
        queued = [
            (task, pool)
            for pool, inside in self.state.values.items()
            if isinstance(pool, ThreadPool) and isinstance(inside, PoolValue)
            for task in inside.tasks
            if queued_may_enable(waiting, value, [task])
        ]
        helpers = [process for process, _ in direct]
        helpers += [p.process for _, pool in queued for p in self._all if p.process.pool is pool]
        return Edge(waiting, target, tuple(dict.fromkeys(helpers)), tuple(through), tuple(queued))

    @property
    def dead(self) -> list[Edge]:
        """The blocked processes that nobody alive can enable."""
        return self._dead

    @cached_property
    def waits(self) -> nx.DiGraph[str]:
        """Process to process: an edge for everyone who could end the wait."""
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(process.name for process in self._all)
        for edge in self.edges:
            for helper in (*edge.helpers, *(process for process, _ in edge.through)):
                graph.add_edge(edge.process.name, helper.name, target=edge.target.name)
        return graph

    def has_edge(self, waiting: str, helper: str) -> bool:
        """Tell whether process ``waiting`` waits for something that ``helper`` could end."""
        return bool(self.waits.has_edge(waiting, helper))

    @cached_property
    def knot(self) -> list[Edge]:
        """The smallest group of dead processes that wait only for each other; empty when nothing is dead.

        Of several groups the one with workers or owed processes, then the smaller one.
        """
        import networkx as nx

        edges = {edge.process.name: edge for edge in self.dead}
        graph = self.waits.subgraph(edges)
        whole: nx.DiGraph[int] = nx.condensation(graph)
        groups = [whole.nodes[node]["members"] for node in whole if whole.out_degree(node) == 0]
        found = [[edge for name, edge in edges.items() if name in group] for group in groups]
        owed = [group for group in found if any(edge.process.owes for edge in group)]
        return min(owed or found, key=len, default=[])

    @cached_property
    def graph(self) -> nx.DiGraph[str]:
        """Processes, objects and counted slots: process to what it waits for, that to who could end the wait.

        A task that is queued needs a slot of its pool, and any worker of the pool would do. Nodes have
        ``kind`` ("process", or an object's), ``slots`` (in use, of how many) and ``knot``; edges have
        ``mode``, "all of" or "any of". Daemons that just wait for work are left out.
        """
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        knotted = {edge.process.name for edge in self.knot}
        for edge in self.edges:
            if edge.process.owes or edge.process.name in knotted:
                self._draw(graph, edge, edge.process.name in knotted)
        return graph

    def _draw(self, graph: nx.DiGraph[str], edge: Edge, knot: bool) -> None:
        name, target = edge.process.name, edge.target
        graph.add_node(name, kind="process", slots=None, knot=knot)
        self._node(graph, target, knot)
        graph.add_edge(name, target.name, mode="all of")
        pools = list(dict.fromkeys(pool for _, pool in edge.queued))
        direct = [p for p in (*edge.helpers, *(p for p, _ in edge.through)) if p.pool not in pools]
        several = len(direct) + len(pools) > 1
        for helper in direct:
            graph.add_node(
                helper.name, kind="process", slots=None, knot=graph.nodes.get(helper.name, {}).get("knot", False)
            )
            graph.add_edge(target.name, helper.name, mode="any of" if several else "all of")
        for pool in pools:
            self._node(graph, pool, knot)
            graph.add_edge(target.name, pool.name, mode="any of" if several else "all of")
            workers = [state for state in self._all if state.process.pool is pool]
            for worker in workers:
                graph.add_node(
                    worker.name, kind="process", slots=None, knot=graph.nodes.get(worker.name, {}).get("knot", knot)
                )
                graph.add_edge(pool.name, worker.name, mode="any of" if len(workers) > 1 else "all of")

    def _node(self, graph: nx.DiGraph[str], thing: SharedObject, knot: bool) -> None:
        slots = thing.occupancy(self.state.value_of(thing))
        if isinstance(thing, ThreadPool):
            slots = (sum(p.process.pool is thing and p.task is not None for p in self._all), thing.workers)
        before = graph.nodes.get(thing.name, {}).get("knot", False)
        graph.add_node(thing.name, kind=thing.kind, slots=slots, knot=knot or before)

    def task_name(self, target: str) -> str:
        """Return the task whose result the object called ``target`` is; empty when it is no submit's future."""
        for edge in self.edges:
            if edge.target.name == target and isinstance(edge.target, Future):
                where = self.state.task_of(edge.target)
                return str(where[1]) if where is not None else ""
        return ""

    def slots(self) -> list[tuple[str, int, int | None, str]]:
        """Return (object, slots in use, of how many, by what) for every pool, lock, queue and link in use."""
        rows: list[tuple[str, int, int | None, str]] = []
        for thing, value in self.state.values.items():
            if isinstance(thing, ThreadPool):
                busy = [p for p in self._all if p.process.pool is thing and p.task is not None]
                rows.append((thing.name, len(busy), thing.workers, _summary(str(p.task) for p in busy)))
            else:
                taken = thing.occupancy(value)
                if taken is not None and taken[0]:
                    rows.append((thing.name, *taken, thing.show(value)))
        return rows

    def explain(self) -> list[str]:
        """Say in a few lines who waits for what: the knot with its counted slots, then whoever waits behind it.

        Daemons, which may wait for ever, are left out unless they are part of the knot, or wait for a lock while
        somebody waits for them.
        """
        lines = _knot_lines(self) if self.knot else []
        behind = [edge for edge in self.dead if edge not in self.knot and self._matters(edge)]
        lines += [f"waiting behind it: {line}" for line in _grouped(behind)] if self.knot else []
        living = [edge for edge in self.edges if edge not in self.dead and edge.process.owes]
        return lines + [f"also waiting: {line}" for line in _grouped(living)]

    def _matters(self, edge: Edge) -> bool:
        """Tell whether the one who waits must finish, or waits for a lock while somebody who must waits for him."""
        waiting = edge.process
        return waiting.owes or (
            bool(_owner(edge)) and any(e.process.owes and e.helpers == (waiting.process,) for e in self.dead)
        )

    def mermaid(self) -> str:
        """Return the graph as a Mermaid flowchart; the knot is drawn in red."""
        ids = {name: f"n{number}" for number, name in enumerate(self.graph)}
        lines = ["flowchart LR"]
        for name, about in self.graph.nodes(data=True):
            text = _label(name, about).replace('"', "'")
            lines.append(f'  {ids[name]}["{text}"]' if about["kind"] == "process" else f'  {ids[name]}(["{text}"])')
        for source, target, about in self.graph.edges(data=True):
            arrow = "-. any of .->" if about["mode"] == "any of" else "-->"
            lines.append(f"  {ids[source]} {arrow} {ids[target]}")
        knotted = [ids[name] for name, about in self.graph.nodes(data=True) if about["knot"]]
        if knotted:
            lines += ["  classDef knot fill:#fdd,stroke:#c00", f"  class {','.join(knotted)} knot"]
        return "\n".join(lines)

    def __str__(self) -> str:
        return "\n".join(self.explain())


def _dead(edges: list[Edge], processes: list[ProcessState]) -> list[Edge]:
    alive = {p.process for p in processes if p.status == "enabled"}
    workers = {pool: {p.process for p in processes if p.process.pool is pool} for pool in _pools(processes)}
    idle = [p for p in processes if p.status == "idle"]
    growing = True
    while growing:
        before = len(alive)
        for edge in edges:
            if any(helper in alive for helper in edge.helpers) or any(
                process in alive and any(workers[pool] & alive for pool in pools if pool in workers)
                for process, pools in edge.through
            ):
                alive.add(edge.process.process)
        for worker in idle:  # it can be woken by whoever submits
            pool = worker.process.pool
            if any(p.process in alive and pool in p.objects and "submit" in p.mentions for p in processes):
                alive.add(worker.process)
        growing = len(alive) > before
    return [edge for edge in edges if edge.process.process not in alive]


def _pools(processes: list[ProcessState]) -> set[ThreadPool]:
    return {p.process.pool for p in processes if p.process.pool is not None}


def _label(name: str, about: dict[str, Any]) -> str:
    if about["slots"] is not None and about["slots"][1] is not None:
        return f"{name} {about['slots'][0]}/{about['slots'][1]}"
    return name


def _knot_lines(graph: WaitForGraph) -> list[str]:
    lines = []
    by_pool: dict[ThreadPool | None, list[Edge]] = {}
    for edge in graph.knot:
        by_pool.setdefault(edge.process.process.pool, []).append(edge)
    for pool, edges in by_pool.items():
        if pool is None:
            lines += _grouped(edges)
            continue
        all_of = f"{pool} {len(edges)}/{pool.workers}: " + (
            "every worker is" if len(edges) == pool.workers else "workers are"
        )
        lines.append(
            f"{all_of} in {_summary(str(e.process.task) for e in edges)}, waiting for {_targets(graph, edges)}"
        )
        lines += [f"  {line}" for line in _causes(edges)]
        if len(edges) == pool.workers and any(where is pool for edge in edges for _, where in edge.queued):
            lines.append(f"  one more worker in {pool} would break this knot")
    return lines


def _causes(edges: list[Edge]) -> list[str]:
    """Say who alone could end the waits of ``edges``."""
    queued = list(dict.fromkeys((str(task), pool) for edge in edges for task, pool in edge.queued))
    lines = []
    for pool in dict.fromkeys(pool for _, pool in queued):
        names = [name for name, where in queued if where is pool]
        lines.append(f"set only by {_summary(names)}, queued in {pool} behind {'it' if len(edges) == 1 else 'them'}")
    owners = list(dict.fromkeys(_owner(edge) for edge in edges if _owner(edge)))
    holders = list(dict.fromkeys(h.name for e in edges if not e.queued and not _owner(e) for h in e.helpers))
    if owners:
        lines.append(f"held by {_summary(owners)}")
    if holders:
        lines.append(f"which only {_summary(holders)} could end")
    elif not queued and not owners:
        lines.append("which nobody can end any more")
    return lines


def _owner(edge: Edge) -> str:
    """Return who holds the lock that ``edge`` waits for; empty when it waits for something else."""
    if edge.target.kind not in ("lock", "rlock") or not edge.helpers:
        return ""
    return "itself" if edge.helpers[0] is edge.process.process else edge.helpers[0].name


def _targets(graph: WaitForGraph, edges: list[Edge]) -> str:
    names = []
    for edge in edges:
        where = graph.state.task_of(edge.target) if isinstance(edge.target, Future) else None
        names.append(f"the result of {where[1]}" if where is not None else edge.target.name)
    return _summary(names)


def _grouped(edges: list[Edge]) -> list[str]:
    """Say who waits for what, one line for all that wait in the same way."""
    groups: dict[str, list[Edge]] = {}
    for edge in edges:
        groups.setdefault(_pattern(f"{edge.process.what} {_reason(edge)}"), []).append(edge)
    return [
        f"{_summary(edge.process.what for edge in group)} "
        f"{'waits' if len(group) == 1 else 'wait'} for {_reason_of(group)}"
        for group in groups.values()
    ]


def _reason_of(group: list[Edge]) -> str:
    return _summary(dict.fromkeys(_reason(edge) for edge in group))


def _reason(edge: Edge) -> str:
    if edge.process.operation is None:
        return edge.target.name
    if _owner(edge):
        return f"{edge.target.name}, held by {_owner(edge)}"
    if isinstance(edge.target, Future) and edge.target.index < 0:
        if edge.queued:
            return f"the result of {edge.queued[0][0]}, queued in {edge.queued[0][1]}"
        return f"the result of the task on {edge.helpers[0].name}"
    return f"{edge.target.name} ({edge.process.operation.name})"


_NUMBER = re.compile(r"\[(\d+)\]")


def _pattern(text: str) -> str:
    return _NUMBER.sub("[*]", text)


def _summary(names: Iterable[str]) -> str:
    """Shorten "a[0], a[1], a[2], b" to "a[0..2], b"."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_pattern(name), []).append(name)
    parts = []
    for pattern, members in groups.items():
        numbers = [_NUMBER.findall(member) for member in members]
        if len(members) == 1 or any(len(found) != 1 for found in numbers):
            parts += [f"{count}x {member}" if count > 1 else member for member, count in Counter(members).items()]
            continue
        values = sorted({int(found[0]) for found in numbers})
        inside = (
            f"{values[0]}..{values[-1]}"
            if values == list(range(values[0], values[-1] + 1))
            else ",".join(map(str, values))
        )
        parts.append(pattern.replace("[*]", f"[{inside if len(values) > 1 else values[0]}]"))
    return ", ".join(parts)
