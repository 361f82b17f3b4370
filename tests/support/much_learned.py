"""Families of models on which little is searched and much has to be learned, before, meanwhile and after."""

from __future__ import annotations

from simcore import Model


def nested(*, clients: int = 2, depth: int = 2, workers: int = 9) -> Model:
    """Each client submits a task that submits two, and one of these goes deeper: many futures, and so many names."""
    model = Model("nested tasks")
    pool = model.thread_pool("pool", workers)

    def writer(level):
        yield from ()
        if level < depth:
            inner = yield pool.submit(pair, level + 1)
            yield inner.result()

    def pair(level):
        first = yield pool.submit(writer, level)
        second = yield pool.submit(writer, depth)
        yield first.result()
        yield second.result()

    def client():
        outer = yield pool.submit(pair, 1)
        yield outer.result()

    for name in model.indices("client", clients):
        model.process(name, client)
    return model


def shared_value(*, n: int = 4) -> Model:
    """All names of a family are in one value, which one operation looks into: each image of it has to be tried."""
    model = Model("one value")
    value = model.variable("value", frozenset())

    def step(there, me):
        if me in there:
            return ()
        return tuple((there | {me} - {other}, None) for other in (*there, None))

    def loop(me):
        while True:
            yield value.transition(step, me)

    for name in model.indices("user", n):
        model.process(name, loop, name, daemon=True)
    return model


def takers(*, threads: int = 12, each: int = 2, pool: int = 12) -> Model:
    """Threads take slots one by one: they hang when all are taken by those who want more."""
    model = Model("takers")
    slots = model.semaphore("slots", pool)

    def thread():
        for _ in range(each):
            yield slots.acquire()
        yield slots.release(each)

    for name in model.indices("thread", threads):
        model.process(name, thread)
    return model
