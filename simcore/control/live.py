"""Live objects are read into the same wait-for graph as the state of a model, with the same words.

Some of what is said there is a fact: who holds a lock, which work item would set a future and where it is queued, whose
end is waited for, who has taken what out of a queue or a semaphore and has not given it back. The rest is a guess: an
event is set by whoever can reach it, and by those of them, if that is known, whose function was seen to end waits for
objects made at that line in runs that went well. A lock may be released by another one than who has it, and a queued
task may be cancelled. A guess is for the reader, never a verdict (`suspicion.py`).
"""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from simcore.control.baton import Known, Run
from simcore.control.descriptors import Several
from simcore.control.functions import called, function_of
from simcore.control.marks import done_to, made, notified, taken, task_of
from simcore.control.naming import Names, Numbers
from simcore.control.net import others, sockets_of
from simcore.control.operations import pool_key, prefix_of
from simcore.control.primitives import items_of, owner_of
from simcore.control.reaching import AtAll, everything, names_any, parts_of, reaches, within
from simcore.control.thread import ControlledThread
from simcore.control.together import together
from simcore.control.words import WAITS, Wait, standing_of
from simcore.explain import Did, Edge, Pool, Slots, WaitForGraph, Why, cleared, summary, too_early


@dataclass(frozen=True)
class Seen:
    """A thread, as an actor of the graph."""

    name: str
    what: str
    status: str
    owes: bool
    must_finish: bool
    worker_of: str


@dataclass(frozen=True)
class Thing:
    """What is waited for."""

    name: str
    kind: str


class Item(NamedTuple):
    """A queued work item, and the queue that it lies in."""

    work: Any
    queue: int


_NEAR = 5
"""How many references away something may be that code is said to get at; twice as many, where it was seen to."""

_NEXT = 2
"""And where what has it names what would end the wait: a variable of its own, or an attribute of one."""

_OWNED: dict[str, Callable[[Any], int]] = {
    "RLock.acquire": owner_of,
    "_ModuleLock.acquire": lambda lock: lock.owner,
}
"""What only who has it can give back, and which thread that is."""

_KINDS = {"Lock": "lock", "RLock": "rlock", "SimpleQueue": "queue", "Thread": "thread", "_ModuleLock": "lock"}


class Reader:
    """Reads a run, as it stands, into a wait-for graph.

    Parameters
    ----------
    run : Run
        Nobody runs meanwhile but who asks.
    known : Known
        Who was seen to end which waits.
    named : bool
        Whether somebody will read what objects are called.
    at_all : bool
        Whether it is looked for who might come by any way to what somebody waits for, where it is not known who does.

    Attributes
    ----------
    exact : set of str
        Of whom it is a fact who alone ends their wait.
    unknown : set of str
        Of whom nothing is known of who might.
    """

    def __init__(self, run: Run, known: Known, *, named: bool = True, at_all: bool = False) -> None:
        self.run, self.known, self.names = run, known, Names(run) if named else Numbers(run)
        self._named, self._owing = named, frozenset(run.owing)
        self._at_all = AtAll(t.target for t in run.live if t.target is not None) if at_all else None
        self.pools: dict[int, list[ControlledThread]] = {}
        for thread in run.threads:
            if thread.pool is not None:
                self.pools.setdefault(id(thread.pool[1]), []).append(thread)
        self.items = [
            Item(work, number)
            for number, workers in self.pools.items()
            for work in items_of(workers[0].pool[1])  # type: ignore[index]
            if work is not None
        ]
        self.exact: set[str] = set()
        self.unknown: set[str] = set()

    # ---- who -----------------------------------------------------------------------------------------------

    def waits(self, thread: ControlledThread) -> bool:
        """Tell whether a thread waits, with a limit or without."""
        return thread.ready is not None and not thread.done and not thread.ready()

    def actor(self, thread: ControlledThread) -> Seen:
        """Return a thread as an actor."""
        must = thread in self._owing
        status = "done" if thread.done else "idle" if thread.idle else "blocked" if self.waits(thread) else "enabled"
        if status == "blocked" and self.run.timed(thread):
            status = "enabled"  # when its time has come
        pool = "" if thread.pool is None else self.pool_name(id(thread.pool[1]))
        name = self.names.thread(thread)
        what = thread.role if thread.task is not None else name
        return Seen(name, what, status, must and not thread.idle, must, pool)

    def pool_name(self, number: int) -> str:
        """Return what a pool is called: by the prefix of its threads' names, or by where it was made."""
        reference, work = self.pools[number][0].pool  # type: ignore[misc]
        executor = reference()
        if executor is None:
            return self.names.of(work, "pool")
        return prefix_of(executor) or self.names.of(executor, "pool")

    def pool_keys(self) -> dict[str, str]:
        """Return by what each pool is found in another run, by its name."""
        found = {self.pool_name(number): workers[0].pool[0]() for number, workers in self.pools.items()}  # type: ignore[index]
        return {name: pool_key(executor) for name, executor in found.items() if executor is not None}

    # ---- the graph -----------------------------------------------------------------------------------------

    def graph(self) -> WaitForGraph:
        """Return who waits for whom."""
        blocked = [t for t in self.run.live if self.waits(t) and not t.idle]
        at = {thread: self.actor(thread) for thread in self.run.threads}
        edges = [self._edge(thread, at[thread]) for thread in blocked]
        busy = [self.names.thread(t) for t in self.run.live if not t.idle]
        pools = [
            Pool(self.pool_name(n), tuple(self.names.thread(t) for t in self._workers(n)), tuple(busy))
            for n in self.pools
        ]
        return WaitForGraph(list(at.values()), edges, pools, list(self._slots()))

    def dead(self) -> list[Seen]:
        """Return who seems lost, where whoever waits for nobody knows what may be helped by anybody."""
        graph = self.graph()
        seen = {thread: self.actor(thread) for thread in self.run.threads}
        helped = [replace(a, status="enabled") if a.name in self.unknown else a for a in seen.values()]
        names = {edge.process.name for edge in replace(graph, actors=helped).dead}
        return [actor for actor in seen.values() if actor.name in names and actor.status == "blocked"]

    def _workers(self, number: int) -> list[ControlledThread]:
        return [thread for thread in self.pools[number] if not thread.done]

    def _left(self, executor: Any) -> list[ControlledThread]:
        """Return the workers of a pool that are at a task: the others end when they are told to."""
        own = (t for t in self.run.live if t.pool is not None and t.pool[0]() is executor)
        return [t for t in own if t.task is not None and not t.done]

    def _slots(self) -> Iterator[Slots]:
        for number, workers in self.pools.items():
            executor = workers[0].pool[0]()  # type: ignore[index]
            busy = [thread for thread in workers if thread.task is not None and not thread.done]
            tasks = ", ".join(dict.fromkeys(thread.role for thread in busy))
            limit = len(workers) if executor is None else executor._max_workers
            yield Slots(self.pool_name(number), "pool", len(busy), limit, tasks)

    def _edge(self, thread: ControlledThread, actor: Seen) -> Edge:
        label, target = thread.label, thread.target
        if isinstance(target, ControlledThread):
            target = target.thread
        if isinstance(target, threading.Thread):
            return self._join(actor, target)
        if (several := together(thread)) is not None and several.left:
            return self._of_several(actor, several.left)
        wait = WAITS.get(label, Wait("in {}"))
        if isinstance(target, Future) and (edge := self._of_task(actor, target, wait)) is not None:
            return edge
        if isinstance(target, Several | socket.socket):
            return self._of_descriptors(thread, actor, target, wait)
        if label == "ThreadPoolExecutor.shutdown" and (workers := self._left(target)):
            return self._shutdown(actor, workers)
        name = self.names.of(target, _kind(target))
        thing, standing = Thing(name, _kind(target)), standing_of(target, label, self.names.thread)
        holders = self._holders(thread)
        if holders:
            held = tuple((self.names.thread(t), self.names.thread(t)) for t in holders)
            how = "taken by" if isinstance(target, queue.Queue) else "held by"
            if label in _OWNED:
                self.exact.add(actor.name)
            others = tuple(self.names.thread(t) for t in holders)
            if label == "Lock.acquire" and holders == [thread]:  # a signal, which another one gives
                others += self._anybody(thread, actor)
            why = Why(wait.wants.format(name), standing, wait.ends, held, how)
            return Edge(actor, thing, others, why)
        if self._known(target, wait.methods) is None:
            anybody = self._anybody(thread, actor)
            if not self._named:
                return Edge(actor, thing, anybody, Why(wait.wants.format(name)))
        helpers, queued = self._guessed(thread, wait)
        helpers += [worker for item in queued for worker in self._workers(item.queue)]
        did, missed = self._did(target, wait.methods), self._missed(thread, target)
        why = Why(wait.wants.format(name), standing, wait.ends, did=did, missed=missed)
        tasks = tuple((called(function_of(item.work)), self.pool_name(item.queue)) for item in queued)
        return Edge(actor, thing, tuple(dict.fromkeys(self.names.thread(t) for t in helpers)), why, (), tasks)

    def _did(self, target: Any, methods: frozenset[str]) -> tuple[Did, ...]:
        done = done_to(target, methods).items()
        return tuple(Did(self.names.thread(t), task or self.names.thread(t), tuple(n)) for (t, task), n in done)

    def _missed(self, thread: ControlledThread, target: Any) -> str:
        """Say what became of the last step that would have ended a wait; empty where that is not known."""
        if isinstance(target, threading.Event):
            return cleared(self._did(target, frozenset(["set"])), self._did(target, frozenset(["clear"])))
        if not isinstance(target, threading.Condition):
            return ""
        step, many = notified(target)
        numbers = (n for n, (number, _) in enumerate(self.run.taken, 1) if number == thread.number)
        return too_early(step, self.actor(thread).what, max(numbers, default=0)) if step and not many else ""

    def _join(self, actor: Seen, ends: threading.Thread) -> Edge:
        """Return the edge of somebody who waits for the end of a thread: nothing else ends that."""
        name = next((self.names.thread(t) for t in self.run.threads if t.thread is ends), ends.name)
        return self._until_ended(actor, [name])

    def _shutdown(self, actor: Seen, workers: list[ControlledThread]) -> Edge:
        """Return the edge of somebody who waits for the end of all workers of a pool."""
        pool = self.pool_name(id(workers[0].pool[1]))  # type: ignore[index]
        return self._until_ended(actor, [self.names.thread(each) for each in workers], f" of {pool}")

    def _until_ended(self, actor: Seen, names: list[str], pool: str = "") -> Edge:
        self.exact.add(actor.name)
        what = f"the end of {summary(names)}{pool}"
        why = Why(f"for {what}", holders=tuple((name, name) for name in names), holding="")
        return Edge(actor, Thing(what, "thread"), tuple(names), why)

    def _of_task(self, actor: Seen, future: Future[Any], wait: Wait) -> Edge | None:
        """Return the edge of somebody who waits for a task that runs, or is queued."""
        task, thing = task_of(future), Thing(f"the result of {task_of(future)}", "future")
        for thread in self.run.live:
            if thread.task is not None and thread.task.future is future:
                self.exact.add(actor.name)
                name = self.names.thread(thread)
                why = Why(f"for {thing.name}", "", wait.ends, ((name, name),), "which runs on")
                return Edge(actor, thing, (name,), why)
        for item in self.items:
            if item.work.future is future:
                workers = tuple(self.names.thread(t) for t in self._workers(item.queue))
                queued = ((task, self.pool_name(item.queue)),)
                return Edge(actor, thing, workers, Why(f"for {thing.name}", "", wait.ends), (), queued)
        return None

    def _of_several(self, actor: Seen, several: list[Future[Any]]) -> Edge:
        """Return the edge of somebody who waits for several futures, by what keeps the first of them."""
        tasks = summary(dict.fromkeys(task_of(f) or self.names.of(f, "future") for f in several))
        many = f"{len(several)} future{'s' * (len(several) > 1)} ({tasks})"
        wait, edges = WAITS["Future.result"], [self._of_task(actor, f, WAITS["Future.result"]) for f in several]
        known = [edge for edge in edges if edge is not None]
        self.exact.discard(actor.name)
        gone = [f for f in several if f.cancelled()]
        standing = f"{len(gone)} cancelled, which nobody who waits is told" if gone else ""
        helpers = tuple(dict.fromkeys(name for edge in known for name in edge.helpers))
        queued = tuple(dict.fromkeys(each for edge in known for each in edge.queued))
        why = Why(f"for {many}", standing, wait.ends)
        return Edge(actor, Thing(many, "future"), helpers, why, (), queued)

    def _of_descriptors(
        self, thread: ControlledThread, actor: Seen, target: Several | socket.socket, wait: Wait
    ) -> Edge:
        """Return the edge of somebody who waits for a descriptor, or for several: of whoever has the other end.

        Who might connect, or send from where nobody is seen to get at the other end, is not known.
        """
        descriptors = target.descriptors if isinstance(target, Several) else [target.fileno()]
        mine, far = sockets_of(descriptors) or [target], others(descriptors)
        told = summary(dict.fromkeys(self._called(each) for each in mine))
        standing = f"whose other end is {summary(dict.fromkeys(self._called(each) for each in far))}" if far else ""
        if descriptors == [-1]:
            standing = "which was closed meanwhile"
        helpers = [other for other in self._busy(thread) if any(reaches(within(other), each, _NEAR) for each in far)]
        if len(descriptors) > 1 or not helpers:
            self.unknown.add(actor.name)
        why = Why(wait.wants.format(told), standing, wait.ends)
        return Edge(actor, Thing(told, "socket"), tuple(self.names.thread(t) for t in helpers), why)

    def _busy(self, thread: ControlledThread) -> Iterator[ControlledThread]:
        """Yield everybody else who has something to do."""
        return (other for other in self.run.live if not (other is thread or other.idle or other.done))

    def _called(self, thing: Any) -> str:
        if isinstance(thing, Several):
            one = f"descriptor {thing.descriptors[0]}" if len(thing.descriptors) == 1 else ""
            return one or f"{len(thing.descriptors)} descriptors"
        return self.names.of(thing, "socket")

    def _holders(self, thread: ControlledThread) -> list[ControlledThread]:
        """Return who has what a thread waits for, and would have to give it back."""
        run, target = self.run, thread.target
        if thread.label in ("Lock.acquire", "SemLock.acquire"):
            return [run.owners[id(target)]] if id(target) in run.owners else []
        if thread.label in _OWNED:
            identity = _OWNED[thread.label](target)
            return [each for each in run.live if each.identity == identity]
        if thread.label not in ("Semaphore.acquire", "Queue.get"):
            return []
        back = self._known(target, frozenset({"release", "put"}))
        has = [each for each, n in taken(target).items() if n > 0 and not each.done]
        return [each for each in has if back is not None and each.role in back]

    def _known(self, target: Any, methods: frozenset[str]) -> set[str] | None:
        """Return which functions were seen to do one of some operations on such objects; None where none was seen."""
        where = made(target)
        if where is None:
            return None
        found = [self.known.get((*where, method)) for method in methods]
        return set().union(*(roles for roles in found if roles)) or None

    def _with_submitters(self, known: set[str] | None) -> set[str] | None:
        """Return some functions, and those that were seen to submit them, or to submit who does."""
        more = set(known or ())
        while more:
            more = set().union(*(self.known.get((task, "", 0, "submit"), ()) for task in more)) - (known or set())
            known = (known or set()) | more
        return known

    # ---- guesses -------------------------------------------------------------------------------------------

    def _anybody(self, thread: ControlledThread, actor: Seen) -> tuple[str, ...]:
        """Return who might come to what a thread waits for; where that is not looked for, it is not known."""
        if self._at_all is None:
            self.unknown.add(actor.name)
            return ()
        reach, goal = self._at_all.reach, thread.target
        found = [other for other in self._busy(thread) if reach(other, everything, goal)]
        tasks = [item for item in self.items if reach(item.work, parts_of, goal)]
        return tuple(self.names.thread(t) for t in [*found, *(w for i in tasks for w in self._workers(i.queue))])

    def _guessed(self, thread: ControlledThread, wait: Wait) -> tuple[list[ControlledThread], list[Item]]:
        """Return the threads, and the queued work items, that may end a wait."""
        target = thread.target
        known = self._with_submitters(self._known(target, wait.methods))
        deep = _NEAR if known is None else 2 * _NEAR
        items = [
            item
            for item in self.items
            if (known is None or called(function_of(item.work)) in known) and reaches(parts_of(item.work), target, deep)
        ]
        threads = [
            other
            for other in self._busy(thread)
            if ((known is None or other.role in known) and reaches(within(other), target, deep))
            or (names_any(other, wait.methods) and reaches(within(other), target, _NEXT))
        ]
        return threads, items


def _kind(target: Any) -> str:
    name = type(target).__name__
    return _KINDS.get(name, name)
