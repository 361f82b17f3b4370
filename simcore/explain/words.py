"""Why it hangs, in words: what is known is said plainly, what is read from code is said with "might", the rest is not.

Who holds something, who has ended and how full it is are facts of the state. Who has put, taken or set, and at which
step, is a fact of the run. That nobody sets it "any more" is said only where nobody can move at all. Of several who are
told in one sentence steps are told only where they are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simcore.explain.edges import Actor, Did, Edge
from simcore.explain.summary import mergeable, pattern, summary, together


class Words:
    """The lines of one wait-for graph.

    Parameters
    ----------
    graph : WaitForGraph
        What is told.
    """

    def __init__(self, graph: Any) -> None:
        self._graph = graph
        self._never = {edge.process.name for edge in graph.stuck} if graph.proved is not None else set()

    def lines(self) -> list[str]:
        """Say who waits for what and why nobody ends it."""
        graph = self._graph
        rest = [edge for edge in graph.stuck if edge not in graph.knot and self._matters(edge)]
        behind = [edge for edge in rest if edge in graph.behind]
        told = {self._alike(edge) for edge in graph.knot if not edge.process.worker_of}
        same = [
            edge for edge in rest if edge not in behind and not edge.process.worker_of and self._alike(edge) in told
        ]
        lines = self._knot([*graph.knot, *same])
        lines += [f"waiting behind it: {line}" for line in self._grouped(behind)]
        too = [edge for edge in rest if edge not in behind and edge not in same]
        lines += [f"stuck too: {line}" for line in self._grouped(too)]
        living = [edge for edge in graph.edges if edge not in graph.stuck and edge.process.owes]
        return lines + [f"also waiting: {line}" for line in self._grouped(living)]

    def _matters(self, edge: Edge) -> bool:
        """Tell whether the one who waits must finish, or waits for a lock while somebody who must waits for him."""
        waiting = edge.process
        return (
            waiting.owes
            or waiting.name in self._graph.servers
            or (_is_lock(edge) and any(e.process.owes and e.helpers == (waiting.name,) for e in self._graph.stuck))
        )

    # ---- the knot --------------------------------------------------------------------------------------

    def _knot(self, knot: list[Edge]) -> list[str]:
        by_pool: dict[str, list[Edge]] = {}
        for edge in knot:
            by_pool.setdefault(edge.process.worker_of, []).append(edge)
        lines: list[str] = []
        for pool, edges in by_pool.items():
            lines += self._pool(pool, edges) if pool else self._grouped(edges)
        return lines

    def _pool(self, pool: str, edges: list[Edge]) -> list[str]:
        size = len(self._graph.pool(pool).workers)
        who = "every worker is" if len(edges) == size else "one worker is" if len(edges) == 1 else "workers are"
        tasks = summary(dict.fromkeys(edge.process.what for edge in edges))
        lines = [f"{pool} {len(edges)}/{size}: {who} in {tasks}, {_waiting(edges)}"]
        lines += [f"  {line}" for line in (*self._queued(pool, edges), *self._causes(edges))]
        if pool in self._graph.breaks:
            more = self._graph.breaks[pool]
            tried = f"tried: with {more} workers in {pool}, not {size}, the same steps do not close this knot"
            lines.append(f"  {tried}, but others may")
        return lines

    def _queued(self, pool: str, edges: list[Edge]) -> list[str]:
        """Say which queued tasks would set what ``edges`` wait for, and behind what they are queued."""
        queued = dict.fromkeys((self._ends_by(edge), *each) for edge in edges for each in edge.queued)
        lines = []
        for ends, where in dict.fromkeys((ends, place) for ends, _, place in queued):
            names = summary(task for how, task, place in queued if (how, place) == (ends, where))
            own = "it" if len(edges) == 1 else "them"
            behind = own if where == pool else self._running(where)
            lines.append(f"{ends.format(names)} queued in {where}" + (f" behind {behind}" if behind else ""))
        return lines

    def _ends_by(self, edge: Edge) -> str:
        """Say of queued tasks that they alone end a wait; or, where others are told of who might, that they might."""
        do, _, done = edge.why.ends
        workers = {worker for _, pool in edge.queued for worker in self._graph.pool(pool).workers}
        if edge.through or not workers.issuperset(edge.helpers):
            return f"{{}} might {do}, but is"
        return f"{done.removesuffix(' it') if done.count(' ') == 1 else done} only by {{}},"

    def _running(self, pool: str) -> str:
        workers = map(self._graph.actor, self._graph.pool(pool).workers)
        return summary(dict.fromkeys(worker.what for worker in workers if worker.what != worker.name))

    def _causes(self, edges: list[Edge]) -> list[str]:
        """Say of each wait for something that is not queued why nobody ends it, one line for all that say the same."""
        left = [edge for edge in edges if not edge.queued]
        causes: dict[str, list[Edge]] = {}
        for edge in left:
            cause = self._because(edge, "in step {}" * (len(left) == 1))
            causes.setdefault(cause.removeprefix(", ").removeprefix(": "), []).append(edge)
        named = len({pattern(edge.target.name) for edge in edges}) > 1
        return [
            f"{summary(dict.fromkeys(edge.target.name for edge in group))}: {cause}" if named else cause
            for cause, group in _merged(causes)
            if cause
        ]

    # ---- one wait --------------------------------------------------------------------------------------

    def _grouped(self, edges: Sequence[Edge]) -> list[str]:
        """Say who waits for what, one line for all that wait in the same way."""
        groups: dict[str, list[Edge]] = {}
        lines: list[str] = []
        for among in self._among_themselves(edges):
            standing = among[0].why.standing
            because = f"{', ' * bool(standing)}{standing}: nobody else {among[0].why.ends[1]} any more"
            lines.append(_sentence(among, because))
            edges = [edge for edge in edges if edge not in among]
        for edge in edges:
            groups.setdefault(self._alike(edge), []).append(edge)
        return lines + [_sentence(group, self._in_common(group)) for group in groups.values()]

    def _in_common(self, edges: list[Edge]) -> str:
        """Return why nobody ends the waits of several who wait alike, with the steps where all have the same."""
        exact = {self._because(edge) for edge in edges}
        return exact.pop() if len(exact) == 1 else summary(dict.fromkeys(self._because(e, "") for e in edges))

    def _alike(self, edge: Edge) -> str:
        """Return the sentence about one wait, with its numbers taken out where those are all that may differ."""
        because = self._because(edge, "")
        sentence = f"{edge.process.what} {edge.why.wants}{because}"
        return pattern(sentence) if mergeable(because) and mergeable(edge.why.wants) else sentence

    def _among_themselves(self, edges: Sequence[Edge]) -> list[list[Edge]]:
        """Return those who wait for the same, of which only they could relieve each other."""
        if self._moving:
            return []
        groups: dict[tuple[str, str], list[Edge]] = {}
        for edge in edges:
            if not edge.queued and not edge.why.holders and edge.process.name in self._never:
                groups.setdefault((edge.target.name, edge.why.wants), []).append(edge)
        return [group for group in groups.values() if len(group) > 1 and self._closed(group)]

    def _closed(self, group: list[Edge]) -> bool:
        """Tell whether some of a group could have ended the wait of others in it, and nobody else could."""
        names = {edge.process.name for edge in group}
        ends = {did.actor for edge in group for did in edge.why.did or ()}.union(*(edge.helpers for edge in group))
        return bool(ends) and ends <= names

    def _because(self, edge: Edge, steps: str = "in step {}") -> str:
        """Say how full it is, who holds it, and why nobody ends the wait; with the steps unless those are empty."""
        why = edge.why
        told = f", {why.standing}" if why.standing else ""
        if edge.queued:
            where = summary(dict.fromkeys(pool for _, pool in edge.queued))
            task = why.wants.startswith("for the result of")
            tasks = summary(dict.fromkeys(task for task, _ in edge.queued))
            return f"{told}, {'' if task else f'{self._ends_by(edge).format(tasks)} '}queued in {where}"
        if why.holders and not why.holding:
            return told
        if why.holders:
            return f"{told}, {why.holding} {', '.join(self._holders(edge))}"
        reason = self._reason(edge, steps) if edge.process.name in self._never else ""
        return f"{told}: {reason}" if reason else told

    def _holders(self, edge: Edge) -> list[str]:
        """Name who holds it, and what became of those who do nothing about it."""
        groups: dict[str, list[str]] = {}
        for name, words in edge.why.holders:
            itself = name == edge.process.name and words == name
            fate = "" if itself else self._fate(edge, self._graph.actor(name))
            groups.setdefault(fate, []).append("itself" if itself else words)
        return [summary(names) + fate for fate, names in groups.items()]

    def _fate(self, edge: Edge, holder: Actor) -> str:
        if holder.status == "failed":
            return ", which has died"
        if holder.status == "done":
            return ", which has ended"
        if holder.status == "idle":
            return ", whose task has ended"
        if edge.process.name in self._never and holder.name not in self._never and _is_lock(edge):
            return ", which goes on and never releases it"
        return ""

    def _reason(self, edge: Edge, steps: str) -> str:
        """Say that nobody ends it any more; or who did, who might, and what keeps them; and what became of the last."""
        do, does, done = edge.why.ends
        if edge.process.name in self._graph.servers:
            return self._known(edge)
        did = [each for each in edge.why.did or () if each.actor != edge.process.name]
        gone = [each for each in did if self._gone(each.actor, each.what)]
        left = [each for each in did if each not in gone]
        here = [each for each in left if self._waits(each.actor)]
        known = {each.actor for each in left} | {edge.process.name}
        might = [name for name in edge.helpers if name not in known and self._waits(name)]
        over = not (self._moving or here or might)  # which is said first, so that the next words need not repeat it
        only = "only " * (len(gone) == len(did))
        parts = [f"{only}{_have(gone, 'did' if over else done, steps)}, and {_ended(gone, over)}"] * bool(gone)
        parts += [f"{_have(here, done, steps)}, and {_wait(_names(here))}"] * bool(here)
        parts += [f"{summary(might)} might {do}, but {_wait(might)}"] * bool(might)
        parts += [edge.why.missed] * bool(steps and edge.why.missed)
        if not self._moving:
            return "; ".join([f"nobody {does} any more"] * over + parts)
        named = {each.actor for each in left}.union(edge.helpers)
        submits = {name for name, _ in edge.through}
        movers = [a.name for a in self._graph.actors if a.status == "enabled" and a.name in named | submits]
        if movers or not parts or not named <= self._never | {edge.process.name}:  # whoever goes on, goes on in vain
            parts.insert(0, f"nothing that {summary(movers) or 'the others'} may still do ends it")
        return "; ".join(parts)

    def _known(self, edge: Edge) -> str:
        """Say who alone of all servers ever ends the wait of one; that nobody does, and whose code might."""
        (do, does, _), servers = edge.why.ends, self._graph.servers
        ends, might = list(servers[edge.process.name]), [name for name in edge.helpers if name in servers]
        if ends:
            return f"only {summary(ends)} ever {does if len(ends) == 1 else do}, and {_wait(ends)}"
        return f"nobody ever {does}" + f"; {summary(might)} might, but {_wait(might)}" * bool(might)

    @property
    def _moving(self) -> bool:
        return any(actor.status == "enabled" for actor in self._graph.actors)

    def _gone(self, name: str, what: str) -> bool:
        """Tell whether a process, or the task that it ran then, has ended."""
        actor = self._graph.actor(name)
        return actor.status in ("done", "failed") or (bool(actor.worker_of) and actor.what != what)

    def _waits(self, name: str) -> bool:
        return self._graph.actor(name).status in ("blocked", "idle")


def _sentence(group: list[Edge], because: str) -> str:
    waits = "waits" if len(group) == 1 else "wait"
    who, wants = summary(edge.process.what for edge in group), together(dict.fromkeys(e.why.wants for e in group))
    return f"{who} {waits} {wants}{because}"


def _waiting(edges: list[Edge]) -> str:
    """Say what the workers of a pool wait for, with how many of them where it is not the same for all."""
    groups: dict[str, list[Edge]] = {}
    for edge in edges:
        groups.setdefault(pattern(edge.why.wants), []).append(edge)
    counted = [f"{len(group)} " * (len(groups) > 1) for group in groups.values()]
    wants = [together(dict.fromkeys(edge.why.wants for edge in group)) for group in groups.values()]
    return ", ".join(f"{many}waiting {what}" for many, what in zip(counted, wants, strict=True))


def _names(did: list[Did]) -> list[str]:
    return list(dict.fromkeys(each.what for each in did))


def _have(did: list[Did], done: str, steps: str) -> str:
    names, taken = _names(did), [step for each in did for step in each.steps]
    when = f", {'last ' * (len(taken) > 1)}{steps.format(max(taken))}" if steps and taken else ""
    verb = done if done == "did" else f"{'has' if len(names) == 1 else 'have'} {done}"
    return f"{summary(names)} {verb}{when}"


def _ended(did: list[Did], short: bool) -> str:
    names = _names(did)
    if short:
        return "has ended" if len(names) == 1 else "have ended"
    return f"{names[0]} has ended" if len(names) == 1 else "they have ended"


def _wait(names: list[str]) -> str:
    return "waits itself" if len(names) == 1 else "wait themselves"


def _is_lock(edge: Edge) -> bool:
    return edge.target.kind in ("lock", "rlock") and bool(edge.why.holders)


def _merged(causes: dict[str, list[Edge]]) -> list[tuple[str, list[Edge]]]:
    """Put together causes that differ in a number only."""
    by_pattern: dict[str, dict[str, list[Edge]]] = {}
    for cause, edges in causes.items():
        by_pattern.setdefault(pattern(cause), {})[cause] = edges
    return [(summary(same), [edge for edges in same.values() for edge in edges]) for same in by_pattern.values()]
