"""Systems whose names are interchangeable, and what that says of their states."""

import toys

from simcore import Model, choose
from simcore.models import download_path, pool_starvation


def clients(*, n: int = 3, requests: int = 1, hold: bool = False) -> Model:
    """Each client sends its name to a server, which answers into the inbox of that name."""
    model = Model("clients")
    names = model.indices("client", n)
    desk = model.queue("desk")
    inbox = {name: model.queue(f"inbox of {name}") for name in names}
    lock = model.lock("lock")

    def client(name):
        if hold:
            yield lock.acquire()
        for _ in range(requests):
            yield desk.put(name)
            yield inbox[name].get()
        if hold:
            yield lock.release()

    def server():
        while True:
            name = yield desk.get()
            yield inbox[name].put("answer")

    for name in names:
        model.process(name, client, name)
    model.process("server", server, daemon=True)
    return model


def tied(*, n: int = 2, rounds: int = 2) -> Model:
    """Two families whose names are sent in pairs: states in which they are tied to each other in a ring."""
    model = Model("tied")
    left, right = model.indices("left", n), model.indices("right", n)
    pairs = model.variable("pairs", frozenset())

    def add(value, one, other):
        return value | {(one, other)}

    def link(name):
        for _ in range(rounds):
            other = yield choose(*right)
            yield pairs.update(add, name, other)

    for name in left:
        model.process(name, link, name)
    return model


def waiting_set(*, n: int = 3) -> Model:
    """A variable holds the set of the names that wait; a server lets any of them go."""
    model = Model("waiting set")
    names = model.indices("guest", n)
    waiting = model.variable("waiting", frozenset())
    door = {name: model.event(f"door of {name}") for name in names}

    def add(value, name):
        return value | {name}

    def let_go(value):
        for name in value:
            yield value - {name}, name

    def guest(name):
        yield waiting.update(add, name)
        yield door[name].wait()

    def host():
        for _ in range(n):
            name = yield waiting.transition(let_go)
            yield door[name].set()

    for name in names:
        model.process(name, guest, name)
    model.process("host", host)
    return model


def pools_of_names(*, n: int = 2, workers: int = 2) -> Model:
    """Each name has a pool of its own, whose workers take one lock that belongs to all."""
    model = Model("pools of names")
    lock = model.lock("lock")

    def task():
        yield lock.acquire()
        yield lock.release()

    def run(pool):
        one = yield pool.submit(task)
        two = yield pool.submit(task)
        yield one.result()
        yield two.result()

    for name in model.indices("node", n):
        model.process(name, run, model.thread_pool(f"pool of {name}", workers))
    return model


def patient(*, n: int = 3) -> Model:
    """Names wait with a limit, so that their deadlines are part of the state."""
    model = Model("patient")
    event = model.event("event")
    for name in model.indices("waiter", n):
        model.process(name, wait_with_limit, event)
    return model


def wait_with_limit(event):
    yield event.wait(timeout=1.0)
    yield event.wait(timeout=2.0)


SYMMETRIC = {
    "clients": clients,
    "clients with a lock": lambda: clients(hold=True),
    "clients, two requests": lambda: clients(n=2, requests=2),
    "tied": tied,
    "tied, three": lambda: tied(n=3, rounds=1),
    "waiting set": waiting_set,
    "pools of names": lambda: pools_of_names(workers=1),
    "pools of names with two workers": lambda: pools_of_names(workers=2),
    "patient": patient,
    "pool system before": lambda: toys.pool_system(requesters=3, workers=2, chunks=1, alike=True),
    "pool system after": lambda: toys.pool_system(requesters=2, workers=2, chunks=1, callback_workers=2, alike=True),
    "starved": lambda: pool_starvation.buggy(downloads=3, workers=2),
    "two pools": lambda: pool_starvation.fixed(downloads=2, workers=2, callback_workers=2),
    "download path": lambda: download_path.fixed(downloads=2, workers=1),
    "download path that hangs": lambda: download_path.buggy(downloads=2, workers=2),
}


def follow(kernel, symmetry, states):
    """Insist that what can happen in each of ``states`` can happen in its representative, renamed."""
    for state in states:
        chosen, way = symmetry.chosen(state)
        assert symmetry.representative(chosen) == chosen
        here = sorted((way[p], symmetry.representative(s)) for p, _, s in kernel.successors(state))
        assert here == sorted((p, symmetry.representative(s)) for p, _, s in kernel.successors(chosen))
