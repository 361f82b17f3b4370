"""A pool is a real executor; its queue is noted beside it, so that it can be read.

What its threads do to the future of a task, they do by three methods of that future: `set_running_or_notify_cancel`
where a task begins, `set_result` or `set_exception` where it has ended. Each future has hooks there, which note and
gate. What happens is the standard library's: a thread that finds the future set by hand, before or behind the task,
dies, and says so on the log as it does elsewhere.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import InvalidStateError, ThreadPoolExecutor
from queue import SimpleQueue
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

    def begin(self, pool: LivePool, entry: Entry, really: Callable[[], bool]) -> bool:
        """Let a thread of the executor take a task, and ``really`` begin it; tell whether it runs."""

    def work(self, pool: LivePool, entry: Entry) -> Any:
        """Run a task; what a thread of the executor is given."""

    def handed_over(self, entry: Entry) -> None:
        """The executor has set the real future of a task."""

    def not_handed_over(self, pool: LivePool, entry: Entry) -> None:
        """The real future of a task had been set by hand, and the executor's thread dies of that."""


class Entry:
    """A submitted task: the real future, and the worker that has taken it."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.actor: Actor | None = None
        self.begun = False


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
        self.submitting: Entry | None = None
        self.executor: Any = ThreadPoolExecutor(thing.workers, thread_name_prefix=thing.name)
        self.executor._work_queue = _WorkQueue(self)
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
            self.submitting = entry
            real = self.executor.submit(self.run.work, self, entry)
            self.pending.append(entry)
            self.run.live[handle] = LiveFuture(self.run, handle, real)
        return handle

    def hook(self, future: Any, entry: Entry) -> None:
        """Have noted what the executor does to the future of a task."""
        begin, set_result, set_exception = future.set_running_or_notify_cancel, future.set_result, future.set_exception
        future.set_running_or_notify_cancel = lambda: self.run.begin(self, entry, begin)
        future.set_result = lambda result: self._hand_over(entry, set_result, result)
        future.set_exception = lambda error: self._hand_over(entry, set_exception, error)

    def _hand_over(self, entry: Entry, really: Callable[[Any], None], outcome: Any) -> None:
        try:
            really(outcome)
        except InvalidStateError:
            self.run.not_handed_over(self, entry)
            raise
        self.run.handed_over(entry)

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


class _WorkQueue(SimpleQueue[Any]):
    """The queue of an executor, in which each task has its hooks before a thread can see it."""

    def __init__(self, pool: LivePool) -> None:
        super().__init__()
        self._pool = pool

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if item is not None:  # None lets a thread leave
            entry, self._pool.submitting = self._pool.submitting, None
            if entry is not None:
                self._pool.hook(item.future, entry)
        super().put(item, block, timeout)
