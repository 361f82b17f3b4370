"""Small systems that violate or hold one property each, for the tests of searches and properties."""

import toys

from simcore import Model, choose


def relay(*, items: int = 2, capacity: int | None = None, fault: str = "") -> Model:
    """A sender and a receiver around a queue; the receiver returns what it got.

    ``fault``: "swap" sends the last two the other way round, "repeat" the first one in place of the last.
    """
    model = Model("relay")
    queue = model.queue("queue", capacity)
    numbers = tuple(range(items))
    if fault == "swap":
        numbers = (*numbers[:-2], numbers[-1], numbers[-2])
    if fault == "repeat":
        numbers = (*numbers[:-1], numbers[0])

    def send():
        for number in numbers:
            yield queue.put(number)

    def receive():
        received = ()
        for _ in range(items):
            received += ((yield queue.get()),)
        return received

    model.process("sender", send)
    model.process("receiver", receive)
    return model


def heartbeat(model: Model) -> Model:
    """Add a daemon that goes round for ever."""
    beat = model.event("beat")

    def run():
        while True:
            yield beat.set()
            yield beat.clear()

    model.process("heartbeat", run, daemon=True)
    return model


def crossed(*, beating: bool = False) -> Model:
    """Two processes take two locks in opposite orders; with a heartbeat, something can always move."""
    model = toys.crossing(Model("crossed locks"))
    return heartbeat(model) if beating else model


def spinner(*, released: bool = True) -> Model:
    """One process polls a flag until another one has set it; without ``released`` nobody ever sets it."""
    model = Model("spinner")
    flag = model.variable("flag", False)

    def poll():
        while not (yield flag.get()):
            pass

    def release():
        if released:
            yield flag.set(True)
        else:
            yield flag.set(False)

    model.process("poller", poll)
    model.process("releaser", release)
    return model


def flicker() -> Model:
    """A lamp goes on and off for ever; a process that waits for the light is enabled again and again."""
    model = Model("flicker")
    lamp = model.event("lamp")

    def blink():
        while True:
            yield lamp.set()
            yield lamp.clear()

    def wait():
        yield lamp.wait()

    model.process("blinker", blink, daemon=True)
    model.process("waiter", wait)
    return model


def nested_submit(*, workers: int, tasks: int) -> Model:
    """Each of ``tasks`` tasks submits one more to the same pool and waits for it."""
    model = Model("nested submit")
    pool = model.thread_pool("pool", workers)

    def inner(number):
        yield from ()
        return number

    def outer(number):
        inside = yield pool.submit(inner, number)
        yield inside.result()

    def main():
        for number in range(tasks):
            yield pool.submit(outer, number)

    model.process("main", main)
    return model


def raising() -> Model:
    """A process dies when it takes a step before the other one."""
    model = Model("raising")
    ready = model.event("ready")

    def prepare():
        yield ready.set()

    def use():
        if not (yield ready.is_set()):
            raise ValueError("used before it was ready")

    model.process("prepare", prepare)
    model.process("use", use)
    return model


def impatient() -> Model:
    """Crossed locks again, but the left one gives up its second lock after a second: a time-out hides a knot."""
    model = Model("impatient")
    a, b = model.lock("a"), model.lock("b")

    def left():
        yield a.acquire()
        if (yield b.acquire(timeout=1.0)):
            yield b.release()
        yield a.release()

    def right():
        yield b.acquire()
        yield a.acquire()
        yield a.release()
        yield b.release()

    model.process("left", left)
    model.process("right", right)
    return model


def steps(*, length: int, processes: int = 1) -> Model:
    """Each process takes ``length`` steps on a variable of its own: (length + 1) ** processes states."""
    model = Model("steps")

    def walk(variable):
        for number in range(length):
            yield variable.set(number)

    for i in range(processes):
        model.process(f"walker[{i}]", walk, model.variable(f"variable {i}", -1))
    return model


def hidden(*, in_a_task: bool = False, alone: bool = True) -> Model:
    """Somebody waits for an event that only a heartbeat could set, and never does; its code alone looks able to."""
    model = Model("hidden")
    event, armed, beat = model.event("event"), model.variable("armed", False), model.event("beat")

    def heartbeat():
        while True:
            yield beat.set()
            yield beat.clear()
            if (yield armed.get()):
                yield event.set()

    def wait():
        yield event.wait()

    def arm():
        yield armed.set(not alone)

    def submit(pool):
        yield pool.submit(wait)

    model.process("heartbeat", heartbeat, daemon=True)
    model.process("arm", arm)
    if in_a_task:
        model.process("main", submit, model.thread_pool("pool", 2))
    else:
        model.process("main", wait)
    return model


def seats(*, many: int = 70) -> Model:
    """Two guests choose any of more seats than a word has bits, and wait where it is taken."""
    model = Model("seats")
    places = model.indices("seat", many)
    taken = {place: model.lock(f"lock of {place}") for place in places}
    seen = model.variable("last seat", None)

    def guest():
        place = yield choose(*places)
        yield taken[place].acquire()
        yield seen.set(place)
        yield taken[place].release()

    for name in model.indices("guest", 2):
        model.process(name, guest)
    return model


def going_round(*, names: int = 9) -> Model:
    """One process goes round for ever beside two that share a queue, in a model of many names that do nothing.

    Partial order wants the one that goes round alone, cannot have it once that leads back, and must then know all
    the same who else there was.
    """
    model = Model("going round")
    shared = model.queue("shared")

    def do_nothing(_):
        return
        yield

    def put(item):
        yield shared.put(item)

    def get():
        yield shared.get()

    heartbeat(model)
    for name in model.indices("idle", names):
        model.process(name, do_nothing, name)
    model.process("get", get)
    model.process("put", put, 1)
    model.process("put another", put, 2)
    return model


def patient() -> Model:
    """A process waits, with a time-out, for what nobody does, beside a heartbeat that never sleeps."""
    model = Model("patient")
    event = model.event("event")

    def wait():
        yield event.wait(timeout=1.0)

    model.process("main", wait)
    return heartbeat(model)


def first_come(*, processes: int = 3) -> Model:
    """Whoever writes last wins; the shortest ways to a lost write differ in how often they switch."""
    model = Model("first come")
    total = model.variable("total", 0)

    def add():
        seen = yield total.get()
        yield total.set(seen + 1)

    for i in range(processes):
        model.process(f"adder[{i}]", add)
    return model


def passed_release() -> Model:
    """A lock is released by another process than its owner, which waits for it again: no deadlock."""
    model = Model("passed release")
    lock = model.lock("lock")

    def own():
        yield lock.acquire()
        yield lock.acquire()
        yield lock.release()

    def help_out():
        while not (yield lock.locked()):
            pass
        yield lock.release()

    model.process("owner", own)
    model.process("helper", help_out)
    return model


def deep(*, length: int, width: int) -> Model:
    """``width`` processes walk beside one whose fault lies ``length`` steps down: too many states to meet it early."""
    model = steps(length=4, processes=width)
    fault = model.variable("fault", 0)

    def sink():
        for number in range(length):
            yield fault.set(number + 1)

    model.process("sink", sink)
    return model


def locked_tasks(*, workers: int = 2, opposed: bool = True) -> Model:
    """Two tasks of one pool take two locks that only their owners may release, in opposite orders or not."""
    model = Model("locked tasks")
    a, b = model.rlock("a"), model.rlock("b")
    pool = model.thread_pool("pool", workers)

    def task(first, second):
        yield first.acquire()
        yield second.acquire()
        yield second.release()
        yield first.release()

    def main():
        one = yield pool.submit(task, a, b)
        two = yield pool.submit(task, *((b, a) if opposed else (a, b)))
        yield one.result()
        yield two.result()

    model.process("main", main)
    return model
