"""A pool is a real executor; its queue is noted beside it, so that it can be read."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future as RealFuture
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from simcore.execute.real import Context, Live, LiveFuture
from simcore.execute.records import Actor
from simcore.model.objects import Future, PoolValue, Task, ThreadPool
from simcore.model.operations import Operation, SharedObject


class PoolContext(Context, Protocol):
    """What a pool needs of the run that it is part of."""

    lock: threading.Lock
    handles: Iterator[int]
    live: dict[SharedObject, Live]

    def work(self, pool: LivePool, entry: Entry) -> Any:
        """Run a task; what a thread of the executor is given."""

    def handed_over(self, entry: Entry) -> None:
        """The executor has set the real future of a task."""


class Entry:
    """A submitted task: the real future, and the worker that has taken it."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.actor: Actor | None = None


class LivePool(Live):
    """`concurrent.futures.ThreadPoolExecutor`, with all its threads started.

    Attributes
    ----------
    pending : deque
        What no worker has taken yet.
    names : list of Actor
        The workers.
    """

    run: PoolContext
    thing: ThreadPool

    def __init__(self, run: PoolContext, thing: ThreadPool, names: list[Actor]) -> None:
        super().__init__(run, thing)
        self.pending: deque[Entry] = deque()
        self.names = names
        self.taking = threading.Condition(run.lock)
        self._bound: dict[int, Actor] = {}
        self.shut = False
        self.executor: Any = ThreadPoolExecutor(thing.workers, thread_name_prefix=thing.name)
        self._start_threads()

    def _start_threads(self) -> None:
        """Start all workers now: the executor would start them one by one, and the model has them all."""
        everybody = threading.Barrier(self.thing.workers)
        for started in [self.executor.submit(everybody.wait) for _ in self.names]:
            started.result()

    def value(self) -> PoolValue:
        left = sum(not thread.is_alive() for thread in self.executor._threads)
        return PoolValue(tuple(entry.task for entry in self.pending), self.shut, left)

    def submit(self, actor: Actor, operation: Operation, fn: Any, args: tuple[Any, ...]) -> Future:
        with self.run.lock:
            handle = Future(f"future#{next(self.run.handles)}")
            entry = Entry(Task(fn, args, handle))
            actor.effect = self.run.tick()
            real: RealFuture[Any] = self.executor.submit(self.run.work, self, entry)
            self.pending.append(entry)
            self.run.live[handle] = LiveFuture(self.run, handle, real)
            real.add_done_callback(lambda _: self.run.handed_over(entry))
        return handle

    def shutdown(self, actor: Actor, operation: Operation, wait: bool) -> Operation | None:
        actor.effect = self.run.tick()
        self.shut = True
        self.executor.shutdown(wait=False)
        if not wait:
            return None
        if actor.process.pool is not self.thing:
            return Operation(self.thing, "join")
        return Operation(self.thing, "join", (actor.granted.outcome if actor.granted else self._before_me(),))

    def _before_me(self) -> int:
        """Return how many of its threads the executor joins before this one."""
        return list(self.executor._threads).index(threading.current_thread())

    def join(self, actor: Actor, operation: Operation, before: int | None = None) -> None:
        if before is not None and before != self._before_me():  # a schedule says in which order the set has them
            mine = threading.current_thread()
            for thread in [*[each for each in self.executor._threads if each is not mine][:before], mine]:
                thread.join()
        self.executor.shutdown(wait=True)

    def idle_name(self) -> Actor:
        """Return the worker that this thread was before, or one that is idle."""
        mine = self._bound.get(threading.get_ident())
        if mine is None or mine.status != "idle":
            taken = self._bound.values()
            free = [actor for actor in self.names if actor.status == "idle"]
            mine = next((actor for actor in free if actor not in taken), free[0])
        return mine

    def bind(self, actor: Actor) -> None:
        """Note which worker this thread is."""
        self._bound[threading.get_ident()] = actor

    def cancel(self) -> None:
        self.executor.shutdown(wait=False, cancel_futures=True)
