"""Repairs of nested futures as somebody would write them, and small systems with a pool that are easily got wrong."""

from __future__ import annotations

from typing import Any

from simcore import Model
from simcore.model.objects import ThreadPool


def bounded(*, roots: int, depth: int, workers: int, at_once: int) -> Model:
    """Nested futures where a root waits for a permit, which its first task gives back."""
    model = Model("bounded by hand")
    pool, permits = model.thread_pool("pool", workers), model.semaphore("roots of pool", at_once)

    def task(level):
        if level + 1 < depth:
            inner = yield pool.submit(task, level + 1)
            yield inner.result()

    def first():
        try:
            yield from task(0)
        finally:
            yield permits.release()

    def root():
        yield permits.acquire()
        outer = yield pool.submit(first)
        yield outer.result()

    for number in range(roots):
        model.process(f"root {number}", root)
    return model


def inline(*, roots: int, depth: int, workers: int) -> Model:
    """Nested futures where a task runs the next level itself."""
    model = Model("inline by hand")
    pool = model.thread_pool("pool", workers)

    def task(level):
        if level + 1 < depth:
            yield from task(level + 1)

    def root():
        outer = yield pool.submit(task, 0)
        yield outer.result()

    for number in range(roots):
        model.process(f"root {number}", root)
    return model


def _first(queue, inside_only):
    """Take the first task, or the first that was submitted from inside; nothing blocks."""
    for number, (task, inside) in enumerate(queue):
        if inside or not inside_only:
            return ((queue[:number] + queue[number + 1 :], task),)
    return ()


def reserved(*, roots: int, depth: int, workers: int) -> Model:
    """Nested futures over a pool written out: a queue, workers, one of them for inner tasks, an event for each task."""
    model = Model("reserved by hand")
    queue = model.variable("queue", ())
    done = {(root, level): model.event(f"done {root} {level}") for root in range(roots) for level in range(depth)}

    def submit(root, level):
        yield queue.update(_with, ((root, level), level > 0))

    def worker(inside_only):
        while True:
            root, level = yield queue.transition(_first, inside_only)
            if level + 1 < depth:
                yield from submit(root, level + 1)
                yield done[root, level + 1].wait()
            yield done[root, level].set()

    def root(number):
        yield from submit(number, 0)
        yield done[number, 0].wait()

    for number in range(workers):
        model.process(f"worker {number}", worker, number + 1 == workers, daemon=True)
    for number in range(roots):
        model.process(f"root {number}", root, number)
    return model


def _with(queue, task):
    return (*queue, task)


def one_lock(*, workers: int = 1) -> Model:
    """Tasks that submit nothing: one has the lock that the other one waits for, and waits for a message from it."""
    model = Model("one lock")
    pool, lock, told = model.thread_pool("pool", workers), model.lock("lock"), model.event("told")

    def waits():
        yield lock.acquire()
        yield told.wait()
        yield lock.release()

    def tells():
        yield lock.acquire()
        yield told.set()
        yield lock.release()

    def main():
        first = yield pool.submit(waits)
        second = yield pool.submit(tells)
        yield first.result()
        yield second.result()

    model.process("main", main)
    return model


def ends_in_all_ways(*, workers: int = 2) -> Model:
    """Inner tasks that return, raise, and are never asked for; a pool that is shut down while they run."""
    model = Model("ends in all ways")
    pool, seen = model.thread_pool("pool", workers), model.variable("seen", ())

    def inner(number):
        yield seen.update(_with, number)
        if number == 1:
            raise ValueError(number)
        return number

    def outer():
        found = []
        yield pool.submit(inner, 0)
        failing = yield pool.submit(inner, 1)
        try:
            yield failing.result()
        except ValueError as error:
            found.append(str(error))
        asked = yield pool.submit(inner, 2)
        found.append((yield asked.result()))
        return tuple(found)

    def main():
        future = yield pool.submit(outer)
        found = yield future.result()
        yield pool.shutdown()
        try:
            yield pool.submit(inner, 3)
        except RuntimeError as error:
            found += (str(error),)
        return found

    model.process("main", main)
    return model


def _one_in_another(model: Model, pool: ThreadPool) -> Model:
    """Add a task that waits for another one of the same pool."""

    def task(level):
        if level:
            inner = yield pool.submit(task, level - 1)
            yield inner.result()

    def main():
        future = yield pool.submit(task, 1)
        yield future.result()

    model.process("main", main)
    return model


def oddly_named(*, name: str = "a\x1b[31m\n" + "b" * 200) -> Model:
    """Nested futures in a pool whose name is no name for a table."""
    model = Model("oddly named")
    pool = model.thread_pool(name, 1)

    return _one_in_another(model, pool)


def handed_on() -> Model:
    """A task that leaves it to another process to wait for the inner task."""
    model = Model("handed on")
    pool, box = model.thread_pool("pool", 1), model.queue("box")

    def inner():
        yield from ()

    def task():
        future = yield pool.submit(inner)
        yield box.put(future)
        yield future.result()

    def main():
        future: Any = yield pool.submit(task)
        late = yield box.get()
        yield late.result()
        yield future.result()

    model.process("main", main)
    return model


def named_alike() -> Model:
    """Nested futures beside objects that have the names of what a repair adds."""
    model = Model("named alike")
    pool = model.thread_pool("pool", 1)
    model.semaphore("roots of pool")
    model.lock("pool, level 1")

    return _one_in_another(model, pool)
