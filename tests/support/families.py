"""Small models with interchangeable names, in which it can be told who is who by looking closely."""

from simcore import Model, sleep


def one_item(*, n: int = 2) -> Model:
    """One of the clients gets what there is, the others wait for ever."""
    model = Model("one item")
    there = model.queue("there")

    def client(_me):
        return ((yield there.get()),)

    def giver():
        yield there.put(0)

    for name in model.indices("client", n):
        model.process(name, client, name)
    model.process("giver", giver)
    return model


def numbers(*, n: int = 3) -> Model:
    """Each client gets another number."""
    model = Model("numbers")
    there = model.queue("there")

    def client(_me):
        return ((yield there.get()),)

    def giver():
        for number in range(n):
            yield there.put(number)

    for name in model.indices("client", n):
        model.process(name, client, name)
    model.process("giver", giver)
    return model


def last(*, n: int = 2) -> Model:
    """A variable remembers the name of who came last, another one the set of those who came, a queue their order."""
    model = Model("last")
    came, everybody = model.variable("last", None), model.variable("everybody", frozenset())
    line, at = model.queue("line"), {}

    def add(names, name):
        return names | {name}

    def client(me):
        yield came.set(me)
        yield everybody.update(add, me)
        yield line.put(("is here", me))
        yield at[me].put(me)

    for name in model.indices("client", n):
        at[name] = model.queue(f"inbox of {name}")
        model.process(name, client, name)
    return model


def pools() -> Model:
    """Each client has a pool of its own, and a clock runs while one of them works."""
    model = Model("pools")
    names = model.indices("client", 2)
    there = model.queue("there")
    pool = {name: model.thread_pool(f"pool of {name}", 1) for name in names}

    def task(_me):
        if (yield there.get()) == 1:
            yield sleep(10)
        return (0,)

    def client(me):
        future = yield pool[me].submit(task, me)
        return (yield future.result())

    def giver():
        yield there.put(0)
        yield there.put(1)

    def clock():
        yield sleep(5)

    for name in names:
        model.process(name, client, name)
    model.process("giver", giver)
    model.process("clock", clock)
    return model


def transfers(*, gated: bool = True) -> Model:
    """Two accounts are locked in opposite orders, one after the other."""
    model = Model("transfers")
    one, other = model.indices("account", 2)
    lock = {name: model.lock(f"lock of {name}") for name in (one, other)}
    gate = model.lock("gate")

    def transfer(mine, theirs):
        if gated:
            yield gate.acquire()
        yield mine.acquire()
        yield theirs.acquire()
        yield theirs.release()
        yield mine.release()
        if gated:
            yield gate.release()

    model.process(one, transfer, lock[one], lock[other])
    model.process(other, transfer, lock[other], lock[one])
    return model


def shared_pool() -> Model:
    """Two workers run tasks of two clients, with futures that are made and dropped."""
    model = Model("shared pool")
    pool, gate = model.thread_pool("pool", 2), model.semaphore("gate", 1)

    def task(me):
        yield gate.acquire()
        yield gate.release()
        return me

    def client(me):
        future = yield pool.submit(task, me)
        yield future.result()

    for name in model.indices("client", 2):
        model.process(name, client, name)
    return model
