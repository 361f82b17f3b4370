"""Systems of which the law is known, with their sizes as parameters."""

from __future__ import annotations

from simcore import Model


def nested(*, clients: int = 2, workers: int = 2, depth: int = 3) -> Model:
    """Each client submits a task that submits one, and so on; all wait, in one pool."""
    model = Model("nested futures")
    pool = model.thread_pool("pool", workers)

    def task(level):
        if level:
            inner = yield pool.submit(task, level - 1)
            yield inner.result()
        else:
            yield from ()

    def client():
        outer = yield pool.submit(task, depth - 1)
        yield outer.result()

    for name in model.indices("client", clients):
        model.process(name, client)
    return model


def two_pools(*, a: int = 1, b: int = 1, clients: int = 1, others: int = 1, both_ways: bool = False) -> Model:
    """A task in pool A waits for one in B; that waits for one in A, or others go the other way by themselves."""
    model = Model("two pools")
    pools = model.thread_pool("A", a), model.thread_pool("B", b)

    def task(path):
        if len(path) > 1:
            inner = yield pools[path[1]].submit(task, path[1:])
            yield inner.result()
        else:
            yield from ()

    def client(path):
        outer = yield pools[path[0]].submit(task, path)
        yield outer.result()

    for name in model.indices("client", clients):
        model.process(name, client, (0, 1) if both_ways else (0, 1, 0))
    for name in model.indices("other", others if both_ways else 0):
        model.process(name, client, (1, 0))
    return model


def locks(*, left: int = 1, right: int = 1, opposed: bool = True, gate: bool = False) -> Model:
    """Some take a and then b, others b and then a, or the same; a gate lets one of them at a time begin."""
    model = Model("two locks")
    a, b = model.lock("a"), model.lock("b")
    outer = model.lock("gate")

    def take(first, second):
        if gate:
            yield outer.acquire()
        yield first.acquire()
        yield second.acquire()
        yield second.release()
        yield first.release()
        if gate:
            yield outer.release()

    for name in model.indices("left", left):
        model.process(name, take, a, b)
    for name in model.indices("right", right):
        model.process(name, take, *((b, a) if opposed else (a, b)))
    return model


def permits(*, takers: int = 2, permits: int = 2, each: int = 2) -> Model:
    """Each takes permits one by one, and gives all of them back."""
    model = Model("permits taken one by one")
    semaphore = model.semaphore("permits", permits)

    def take():
        for _ in range(each):
            yield semaphore.acquire()
        yield semaphore.release(each)

    for name in model.indices("taker", takers):
        model.process(name, take)
    return model


def turns(*, roots: int = 1, workers: int = 1) -> Model:
    """A root has a task take a and then b, waits for it, and then has one take b and then a."""
    model = Model("one order after the other")
    a, b, pool = model.lock("a"), model.lock("b"), model.thread_pool("pool", workers)

    def task(first, second):
        yield first.acquire()
        yield second.acquire()
        yield second.release()
        yield first.release()

    def root():
        for pair in ((a, b), (b, a)):
            done = yield pool.submit(task, *pair)
            yield done.result()

    for name in model.indices("root", roots):
        model.process(name, root)
    return model


def reentrant(*, clients: int = 2, again: bool = True) -> Model:
    """Each takes a re-entrant lock, again while it has it, and another one, in one order."""
    model = Model("a re-entrant lock")
    outer, inner = model.rlock("outer"), model.lock("inner")

    def client():
        yield outer.acquire()
        yield inner.acquire()
        if again:
            yield outer.acquire()
            yield outer.release()
        yield inner.release()
        yield outer.release()

    for name in model.indices("client", clients):
        model.process(name, client)
    return model
