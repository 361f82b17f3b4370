"""Who waits for whom, and the smallest group that waits only for itself; of names, whoever they are read from.

A blocked process waits for an object; the object can be moved on by some processes. A lock's waiter needs
its owner; whoever waits for the future of a task needs the worker that runs it or, while it is queued, *any*
worker of that pool; whoever waits for anything else needs *any* process that still can do what enables it.
A process is alive when it can step, or when somebody alive can enable it; the rest is dead, a *knot* is a
group of the dead in which everybody is needed by everybody else and nobody else is (Holt, 1972: a knot, not
a cycle, is what makes a deadlock when one of several helpers suffices).

Who can enable whom is a guess (`enabling.py`), and so is who is dead. Where it was proved who can never move again
(`ending.py`), that is what counts, and nothing else is told as certain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from simcore.explain.components import components
from simcore.explain.drawing import as_graph, as_mermaid
from simcore.explain.edges import Actor, Edge, Pool, Slots
from simcore.explain.words import Words
from simcore.model import Pictured

if TYPE_CHECKING:
    import networkx as nx


@dataclass
class WaitForGraph(Pictured):
    """The wait-for graph of one state.

    Attributes
    ----------
    actors : sequence of Actor
        Everybody.
    edges : sequence of Edge
        One for each of them that is blocked.
    pools, in_use
        The pools and their workers, and how much of everything is in use.
    proved : set of str, optional
        Who can never move again, where that was proved; None where nobody has tried.
    breaks : mapping of str to int
        Pools in which so many workers would break the knot, where that was tried.
    complete : bool
        Whether of everybody else it is known that they can still move.
    servers : mapping of str to sequence of str
        Servers that are known to wait for each other for ever, and who alone, in any run, does what ends the wait of
        each: then it is these who are stuck, and whoever else just waits for work is not told of.
    """

    actors: Sequence[Actor]
    edges: Sequence[Edge]
    pools: Sequence[Pool] = ()
    in_use: Sequence[Slots] = ()
    proved: frozenset[str] | None = None
    breaks: Mapping[str, int] = field(default_factory=dict)
    complete: bool = True
    servers: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def dead(self) -> list[Edge]:
        """The blocked processes that nobody alive seems able to enable: a guess."""
        alive = {actor.name for actor in self.actors if actor.status == "enabled"}
        before = -1
        while len(alive) > before:
            before = len(alive)
            alive.update(edge.process.name for edge in self.edges if self._helped(edge, alive))
            for pool in self.pools:  # an idle worker can be woken by whoever submits
                if alive.intersection(pool.submitters):
                    alive.update(name for name in pool.workers if self.actor(name).status == "idle")
        return [edge for edge in self.edges if edge.process.name not in alive]

    def _helped(self, edge: Edge, alive: set[str]) -> bool:
        return bool(alive.intersection(edge.helpers)) or any(
            name in alive and any(alive.intersection(self.pool(pool).workers) for pool in pools)
            for name, pools in edge.through
        )

    @property
    def stuck(self) -> list[Edge]:
        """Who can never move again: as proved, or else as it seems."""
        if self.servers:
            return [edge for edge in self.edges if edge.process.name in self.servers]
        if self.proved is None:
            return self.dead
        return [edge for edge in self.edges if edge.process.name in self.proved]

    def actor(self, name: str) -> Actor:
        """Return one process by its name."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Actor]:
        return {actor.name: actor for actor in self.actors}

    def pool(self, name: str) -> Pool:
        """Return one pool by its name; one without workers where there is none."""
        return next((pool for pool in self.pools if pool.name == name), Pool(name, ()))

    @cached_property
    def helpers(self) -> dict[str, list[str]]:
        """For each process that waits, everyone who could end the wait."""
        found: dict[str, list[str]] = {}
        for edge in self.edges:
            held = [name for name, _ in edge.why.holders]  # known, where helpers are guessed
            found[edge.process.name] = held or [*edge.helpers, *(name for name, _ in edge.through)]
        return found

    @cached_property
    def waits(self) -> nx.DiGraph[str]:
        """Process to process: an edge for everyone who could end the wait."""
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(actor.name for actor in self.actors)
        for edge in self.edges:
            name = edge.process.name
            graph.add_edges_from(((name, helper) for helper in self.helpers[name]), target=edge.target.name)
        return graph

    def has_edge(self, waiting: str, helper: str) -> bool:
        """Tell whether process ``waiting`` waits for something that ``helper`` could end."""
        return helper in self.helpers.get(waiting, ())

    @cached_property
    def knot(self) -> list[Edge]:
        """The smallest group of stuck processes that wait only for each other; empty when nobody is stuck.

        Of several groups the one with workers or owed processes, then the smaller one, then one in which all that is
        waited for is held, or run, by one of them. Where it was proved who is stuck, a group of which it is known whom
        each waits for (who has the lock, runs the task, or has it queued) comes before one that is held together by who
        might end a wait.
        """
        groups = [self._closed(self.stuck, self.helpers)]
        if self.proved is not None and not self.servers:
            needs = {edge.process.name: list(self._needs(edge)) for edge in self.stuck}
            known = [edge for edge in self.stuck if needs[edge.process.name]]
            while others := [edge for edge in known if self._leads_out(needs[edge.process.name], known)]:
                known = [edge for edge in known if edge not in others]
            last = self._closed(known, needs)
            groups.insert(0, [group for group in last if any(edge.process.owes for edge in group)])
        found = next(filter(None, groups), [])
        owed = [group for group in found if any(edge.process.owes for edge in group)]
        return min(
            owed or found, key=lambda group: (len(group), not all(edge.why.holders for edge in group)), default=[]
        )

    def _leads_out(self, needs: Iterable[str], known: list[Edge]) -> bool:
        """Tell whether one of ``needs`` is stuck, and none of ``known``."""
        stuck = {edge.process.name for edge in self.stuck}
        return not (stuck.intersection(needs) <= {edge.process.name for edge in known})

    @staticmethod
    def _closed(stuck: list[Edge], helpers: Mapping[str, Sequence[str]]) -> list[list[Edge]]:
        """Return the groups in which everybody is needed by everybody else, and nobody else of ``stuck`` is."""
        number = {edge.process.name: place for place, edge in enumerate(stuck)}
        after = [[number[name] for name in helpers[edge.process.name] if name in number] for edge in stuck]
        groups = map(set, components(b"\1" * len(stuck), after.__getitem__))
        last = [group for group in groups if all(group.issuperset(after[place]) for place in group)]
        return [[stuck[place] for place in sorted(group)] for group in last]

    @cached_property
    def behind(self) -> list[Edge]:
        """Who is stuck because what it waits for is held by the knot, or by somebody of these: a fact, not a guess."""
        held = {edge.process.name for edge in self.knot}
        found: list[Edge] = []
        left = [edge for edge in self.stuck if edge.process.name not in held]
        while more := [edge for edge in left if held.intersection(self._needs(edge))]:
            found += more
            held.update(edge.process.name for edge in more)
            left = [edge for edge in left if edge.process.name not in held]
        return [edge for edge in self.stuck if edge in found]

    def _needs(self, edge: Edge) -> Iterable[str]:
        known = [name for name, _ in edge.why.holders] or list(self.servers.get(edge.process.name, ()))
        return known or [worker for _, pool in edge.queued for worker in self.pool(pool).workers]

    @property
    def headline(self) -> str:
        """How many of those who must finish can never move again, in a few words; empty where nobody is known to be."""
        stuck = [edge for edge in self.stuck if edge.process.owes]
        if not stuck or self.proved is None:
            return ""
        asked = [actor for actor in self.actors if actor.must_finish]
        least = "" if self.complete else "at least "
        who = "process" if len(asked) == 1 else "processes"
        return f"{least}{len(stuck)} of {len(asked)} {who} can never move again"

    def told(self) -> list[str]:
        """Return what `explain` says under a heading: that they are stuck, or just that they wait."""
        lines = self.explain()
        stuck = bool(self.servers) or any(edge.process.owes for edge in self.stuck)  # an idle server loop is not
        head = "waiting:" if not stuck else "stuck:" if self.proved is not None else "stuck, as it seems:"
        return [head, *(f"  {line}" for line in lines)] if lines else []

    def __dir__(self) -> list[str]:
        """Leave out what is for those who write the report."""
        return sorted(set(object.__dir__(self)) - {"actor", "headline", "helpers", "in_use", "pool", "servers", "told"})

    def slots(self) -> list[tuple[str, int, int | None, str]]:
        """Return (object, slots in use, of how many, by what) for every pool, lock, queue and link in use."""
        pools = {pool.name for pool in self.pools}
        return [(s.name, s.used, s.limit, s.by) for s in self.in_use if s.used or s.name in pools]

    @cached_property
    def graph(self) -> nx.DiGraph[str]:
        """Processes, objects and counted slots: process to what it waits for, that to who could end the wait.

        A task that is queued needs a slot of its pool, and any worker of the pool would do. Nodes have
        ``kind`` ("process", or an object's), ``slots`` (in use, of how many), ``text`` and ``knot``; edges have
        ``mode``, "all of" or "any of". Daemons that just wait for work are left out.
        """
        import networkx as nx

        return as_graph(self, nx.DiGraph())

    def mermaid(self) -> str:
        """Return the graph as a Mermaid flowchart; the knot is drawn in red."""
        return as_mermaid(self.graph)

    def explain(self) -> list[str]:
        """Say in a few lines who waits for what and why nobody ends it: the knot first, then whoever else is stuck.

        Daemons, which may wait for ever, are left out unless they are part of the knot, or wait for a lock while
        somebody waits for them.
        """
        return Words(self).lines()

    def __str__(self) -> str:
        return "\n".join(self.explain())
