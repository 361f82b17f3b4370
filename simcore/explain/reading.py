"""A model's state is read into a wait-for graph: the one place where the graph learns what a lock or a pool is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from simcore.explain.edges import Edge, Pool, Slots, Why
from simcore.explain.enabling import may_enable, queued_may_enable
from simcore.explain.history import History
from simcore.explain.summary import shortened, summary
from simcore.explain.waitfor import WaitForGraph
from simcore.model import ProcessState, State
from simcore.model.objects import Condition, Future, PoolValue, Semaphore, Task, ThreadPool
from simcore.model.operations import Operation, SharedObject, Value


def wait_for_graph(
    state: State,
    *,
    history: History | None = None,
    proved: frozenset[str] | None = None,
    breaks: Mapping[str, int] | None = None,
    complete: bool = True,
    servers: Mapping[str, Sequence[str]] | None = None,
) -> WaitForGraph:
    """Return who waits for whom in ``state``.

    Parameters
    ----------
    history : History, optional
        Of the run that has led there, where it is known.
    proved : set of str, optional
        Who can never move again, where that is known; where nobody can move at all that is everybody who waits.
    breaks, complete, servers
        As in `WaitForGraph`.
    """
    graph = _Reader(state, history).graph(proved)
    told = servers or {}
    edges = [replace(e, helpers=tuple(told.get(e.process.name) or e.helpers)) for e in graph.edges]
    return replace(graph, edges=edges, breaks=breaks or {}, complete=complete, servers=told)


class _Reader:
    def __init__(self, state: State, history: History | None) -> None:
        self.state, self.history = state, history
        self.processes = state.processes
        self.pools = [
            (pool, inside)
            for pool, inside in state.values.items()
            if isinstance(pool, ThreadPool) and isinstance(inside, PoolValue)
        ]

    def graph(self, proved: frozenset[str] | None) -> WaitForGraph:
        edges = [self._edge(process) for process in self.processes if process.blocked]
        if proved is None and not any(process.status == "enabled" for process in self.processes):
            proved = frozenset(edge.process.name for edge in edges)
        pools = [self._pool(pool) for pool, _ in self.pools]
        return WaitForGraph(self.processes, edges, pools, list(self._slots()), proved)

    def _edge(self, waiting: ProcessState) -> Edge:
        assert waiting.operation is not None
        target = waiting.operation.target
        value = self.state.value_of(target)
        direct: list[str] = []
        through: list[tuple[str, tuple[str, ...]]] = []
        for other in self.processes:
            pools = may_enable(waiting, value, other)
            if pools:
                through.append((other.name, tuple(pool.name for pool in pools)))
            elif pools is not None:
                direct.append(other.name)
        queued = [(task, pool) for pool, task in self._tasks() if queued_may_enable(waiting, value, [task])]
        direct += [p.name for _, pool in queued for p in self.processes if p.process.pool is pool]
        why = self._why(waiting, waiting.operation, target, value, others=bool(direct))
        named = tuple((str(task), pool.name) for task, pool in queued if not why.holders)  # who has it gives it back
        return Edge(waiting, target, tuple(dict.fromkeys(direct)), why, tuple(through), named)

    def _gives_back(self, name: str, semaphore: Semaphore) -> bool:
        holder = next(process for process in self.processes if process.name == name)
        return holder.status in ("done", "failed", "idle") or (
            semaphore in holder.objects and "release" in holder.mentions
        )

    def _tasks(self) -> Iterator[tuple[ThreadPool, Task]]:
        for pool, inside in self.pools:
            for task in inside.tasks:
                yield pool, task

    def _holders(self, semaphore: Semaphore, value: Value, others: bool) -> tuple[tuple[str, str], ...]:
        """Return who has taken the permits, and the task of each; nobody where it is ``others`` who may give one back.

        It is for whoever took one to give it back, if he may do that himself, or has ended without. Else, as for a
        permit that goes with a task, others are waited for.
        """
        found = () if self.history is None else self.history.holders(semaphore, value)  # type: ignore[arg-type]
        return () if others and not all(self._gives_back(name, semaphore) for name, _ in found) else found

    def _why(
        self, waiting: ProcessState, operation: Operation, target: SharedObject, value: Value, *, others: bool
    ) -> Why:
        words = target.wants(operation)
        ends = words[1:]
        standing = shortened(target.standing(value, operation))
        owners = target.blocked_on(value, operation, waiting.process).processes
        if owners:
            wants = f"for the lock of {target.name}" if isinstance(target, Condition) else words.wants
            return Why(wants, "", ends, tuple((owner.name, owner.name) for owner in owners))
        if isinstance(target, Future) and (found := self.state.task_of(target)) is not None:
            place, task = found
            runs = ((place.name, place.name),) if not isinstance(place, ThreadPool) else ()
            return Why(f"for the result of {task}", "", ends, runs, "which runs on")
        if isinstance(target, ThreadPool) and operation.name == "join":
            inside = [p for p in self.processes if p.process.pool is target and p.status != "done"]
            return Why(words.wants, standing, ends, tuple((p.name, f"{p.what} on {p.name}") for p in inside), "not yet")
        holders = self._holders(target, value, others) if isinstance(target, Semaphore) else ()
        if self.history is None:
            return Why(words.wants, standing, ends, holders)
        did = self.history.did(target, sorted(target.enabled_by.get(operation.name, ())))
        missed = self.history.missed(waiting.name, waiting.what, target)
        return Why(words.wants, standing, ends, holders, did=did, missed=missed)

    def _pool(self, pool: ThreadPool) -> Pool:
        workers = tuple(p.name for p in self.processes if p.process.pool is pool)
        submitters = tuple(p.name for p in self.processes if pool in p.objects and "submit" in p.mentions)
        return Pool(pool.name, workers, submitters)

    def _slots(self) -> Iterator[Slots]:
        """Tell how much of every pool, lock, queue and link is in use."""
        for thing, value in self.state.values.items():
            if isinstance(thing, ThreadPool):
                busy = [p for p in self.processes if p.process.pool is thing and p.task is not None]
                yield Slots(thing.name, thing.kind, len(busy), thing.workers, summary(str(p.task) for p in busy))
            elif (taken := thing.occupancy(value)) is not None:
                yield Slots(thing.name, thing.kind, *taken, thing.show(value))
