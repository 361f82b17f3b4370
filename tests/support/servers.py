"""Systems of servers, which need not end: some wait for each other for ever, some have nothing to do."""

from __future__ import annotations

from simcore import Model


def calls(
    *, window: int = 1, callers: int = 1, nested: bool = True, one_table: bool = False, alike: bool = False
) -> Model:
    """Each of two services, asked by a client, calls the other and waits for its answer.

    Parameters
    ----------
    one_table : bool
        Whether everybody has everything in one table, so that code does not tell who uses what.
    alike : bool
        Whether the services are interchangeable.
    """
    model = Model("two services")
    names = model.indices("service", 2) if alike else ("A", "B")
    table = {("to", name): model.link(f"to {name}", window) for name in names}
    reply = {("reply", name): model.link(f"reply to {name}", window) for name in names}
    if one_table:
        table |= reply
        reply = table

    def serve(me, other):
        while True:
            if (yield table["to", me].recv()) == "inner":
                yield reply["reply", other].send("ok")
            elif nested:
                yield table["to", other].send("inner")
                yield reply["reply", me].recv()

    def client(target):
        yield table["to", target].send("outer")

    for me, other in (names, names[::-1]):
        model.process(me, serve, me, other, daemon=True)
        for number in range(callers):
            model.process(f"client {number} of {me}", client, me)
    return model


def expecting(*, clients: bool = True) -> Model:
    """Two servers take a request each, and then each waits for the other to speak first."""
    model = Model("after you")
    asked, said = {n: model.queue(f"asked {n}") for n in "ab"}, {n: model.queue(f"said to {n}") for n in "ab"}

    def serve(me, other):
        while True:
            yield asked[me].get()
            yield said[me].get()
            yield said[other].put("hello")

    for me, other in ("ab", "ba"):
        model.process(me, serve, me, other, daemon=True)
    if clients:
        model.process("client", lambda: (yield from (asked[n].put(1) for n in "ab")))
    return model


def parked(*, doors: int = 2) -> Model:
    """Each server takes a request, and then waits at its door, or at the only one, for what nobody ever sends."""
    model = Model("parked")
    inbox = {n: model.queue(f"inbox {n}") for n in "ab"}
    notes = [model.queue(f"notes {number}") for number in range(doors)]

    def serve(me, note):
        while True:
            if (yield inbox[me].get()):
                yield note.put("never asked for")
            yield note.get()

    for number, name in enumerate("ab"):
        model.process(name, serve, name, notes[number % doors], daemon=True)
    model.process("client", lambda: (yield from (inbox[n].put(False) for n in "ab")))
    return model


def locking(*, opposed: bool = True, kind: str = "lock", clients: bool = True) -> Model:
    """Two servers take two locks, or permits, for each request, in opposed orders or in the same."""
    model = Model("locks of servers")
    inbox, locks = model.queue("inbox"), {name: getattr(model, kind)(name) for name in "ab"}

    def serve(first, second):
        while True:
            yield inbox.get()
            yield locks[first].acquire()
            yield locks[second].acquire()
            yield locks[second].release()
            yield locks[first].release()

    def client():
        if clients:  # it uses what they use, and gives it back
            yield locks["a"].acquire()
            yield locks["a"].release()
        yield from (inbox.put(n) for n in range(2))

    model.process("server", serve, "a", "b", daemon=True)
    model.process("other server", serve, *("ba" if opposed else "ab"), daemon=True)
    model.process("client", client)
    return model


def handing_over(*, window: int = 1) -> Model:
    """Two peers greet each other with two frames before they listen."""
    model = Model("peers")
    links = {name: model.link(f"to {name}", window) for name in "ab"}

    def peer(me, other):
        for _ in range(2):
            yield links[other].send("hello")
        while True:
            yield links[me].recv()

    for me, other in ("ab", "ba"):
        model.process(me, peer, me, other, daemon=True)
    return model


def handshake() -> Model:
    """Two peers say hello, and wait for a welcome, before they read what the other has said."""
    model = Model("handshake")
    hello, welcome = ({n: model.queue(f"{what} {n}") for n in "ab"} for what in ("hello to", "welcome to"))

    def peer(me, other):
        yield hello[other].put(me)
        yield welcome[me].get()
        while True:
            yield hello[me].get()
            yield welcome[other].put(me)

    for me, other in ("ab", "ba"):
        model.process(me, peer, me, other, daemon=True)
    return model


def ring(*, tokens: int = 0, rounds: int | None = None, members: int = 3) -> Model:
    """Daemons hand tokens on in a ring, which the first one has put in, for so many rounds."""
    model = Model("ring")
    queues = [model.queue(f"queue {number}") for number in range(members)]

    def member(number):
        if number == 0:
            for _ in range(tokens):
                yield queues[0].put(rounds or 0)
        while True:
            left = yield queues[number].get()
            if rounds is None or left:
                yield queues[(number + 1) % members].put(left if rounds is None else left - 1)

    for number in range(members):
        model.process(f"member {number}", member, number, daemon=True)
    return model


def pipeline(*, stages: int = 3, items: int = 2, capacity: int | None = 1) -> Model:
    """A client feeds stages that are servers; the last of them keeps what it gets."""
    model = Model("pipeline")
    queues = [model.queue(f"queue {number}", capacity) for number in range(stages)]

    def stage(number):
        while True:
            item = yield queues[number].get()
            if number + 1 < stages:
                yield queues[number + 1].put(item)

    for number in range(stages):
        model.process(f"stage {number}", stage, number, daemon=True)
    model.process("client", lambda: (yield from (queues[0].put(item) for item in range(items))))
    return model


def acknowledged(*, acknowledge_first: bool = False) -> Model:
    """A reader and a writer of one node, with full windows both ways, each want to write before they read."""
    model = Model("acknowledged")
    there, back = model.queue("there", 1), model.queue("back", 1)

    def near():
        while True:
            yield there.put("frame")
            if acknowledge_first:
                yield back.get()

    def far():
        while True:
            frame = yield there.get()
            yield back.put(frame)

    model.process("near", near, daemon=True)
    model.process("far", far, daemon=True)
    return model


def pool(*, servers: int = 2, callbacks: bool = False) -> Model:
    """Servers submit to a pool what clients ask, and wait for the result, or for the task to call back."""
    model = Model("servers with a pool")
    inbox, done = model.queue("inbox"), model.queue("done")
    workers = model.thread_pool("pool", 1)

    def task():
        yield done.put("done")

    def serve():
        while True:
            yield inbox.get()
            future = yield workers.submit(task)
            yield done.get() if callbacks else future.result()

    for number in range(servers):
        model.process(f"server {number}", serve, daemon=True)
    model.process("client", lambda: (yield from (inbox.put(n) for n in range(2))))
    return model


def twice(*, kind: str = "lock") -> Model:
    """A server takes a lock that it has."""
    model = Model("twice")
    inbox, lock = model.queue("inbox"), getattr(model, kind)("lock")

    def serve():
        yield inbox.get()
        yield lock.acquire()
        yield lock.acquire()

    model.process("server", serve, daemon=True)
    model.process("client", lambda: (yield inbox.put(1)))
    return model


def left_locked() -> Model:
    """A client ends with a lock, for which a server waits from then on: that is not for another server."""
    model = Model("left locked")
    lock = model.lock("lock")

    def serve():
        while True:
            yield lock.acquire()
            yield lock.release()

    model.process("server", serve, daemon=True)
    model.process("client", lambda: (yield lock.acquire()))
    return model


def passed_on() -> Model:
    """Two servers wait for locks of each other, and a third one, whom a clock drives, releases them."""
    model = Model("passed on")
    locks, taken = {name: model.lock(name) for name in "ab"}, model.semaphore("taken", 0)

    def serve(first, second):
        yield locks[first].acquire()
        yield taken.release()
        yield locks[second].acquire()

    def free():
        for _ in "ab":
            yield taken.acquire()
        for name in "ab":
            yield locks[name].release()

    for order in ("ab", "ba"):
        model.process(f"server {order}", serve, *order, daemon=True)
    model.process("freer", free, daemon=True)
    return model


def conditions(*, notified: bool = True) -> Model:
    """A server waits on a condition that clients notify, or that only another such server would."""
    model = Model("conditions of servers")
    lock = model.lock("lock")
    there, back = model.condition("there", lock), model.condition("back", lock)
    inbox = model.queue("inbox")

    def serve(mine, other):
        while True:
            yield inbox.get()
            yield lock.acquire()
            yield mine.wait()
            yield other.notify()
            yield lock.release()

    def client():
        yield from (inbox.put(n) for n in range(2))
        if notified:
            yield lock.acquire()
            yield there.notify()
            yield back.notify()
            yield lock.release()

    model.process("server", serve, there, back, daemon=True)
    model.process("other server", serve, back, there, daemon=True)
    model.process("client", client)
    return model
