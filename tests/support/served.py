"""Random systems in which clients ask and wait: what they send goes through readers and tasks to their inboxes.

A seed gives the stages between a client and its inbox; how many there are of everything are parameters.
"""

from __future__ import annotations

import random

from simcore import Model

SIZES = ("clients", "P", "Q", "s", "capacity")


def body(rng, pools):
    """Return what a stage does before it hands on, and after: it may take a permit, and have tasks done."""
    before, after, held = [], [], []
    for _ in range(rng.randint(0, 2)):
        what = rng.choice(("take", "task", "task", "lock"))
        if what == "task":
            before.append(("task", rng.choice(pools), rng.random() < 0.3))
        else:
            held.append("s" if what == "take" else "a")
            before.append(("take", held[-1]))
    for thing in held:
        (before if rng.random() < 0.5 else after).append(("give", thing))
    return before, after


def design(seed):
    """Return the stages: how each is reached, what it does before and after it hands on, and with a future or not."""
    rng = random.Random(seed)
    pools = ("P", "Q")[: rng.randint(1, 2)]
    stages = []
    for number in range(rng.randint(1, 3)):
        how = rng.choice(("reader", *pools, *pools))
        stages.append((how, f"wire {number}", *body(rng, pools), rng.random() < 0.3))
    return stages, rng.randint(1, 2), rng.choice(("", "", "s", "a")), rng.choice(pools)


def served(*, seed: int, clients: int = 1, P: int = 1, Q: int = 1, s: int = 1, capacity: int = 1) -> Model:  # noqa: N803
    stages, rounds, around, spare = design(seed)
    model = Model(f"served {seed}")
    pool = {"P": model.thread_pool("P", P), "Q": model.thread_pool("Q", Q)}
    thing = {"s": model.semaphore("s", s), "a": model.lock("a")}
    names = model.indices("client", clients)
    inbox = {name: model.queue(f"inbox of {name}") for name in names}
    wires = {wire: model.link(wire, capacity) for how, wire, *_ in stages if how == "reader"}

    def leaf():
        yield from ()

    def does(steps):
        for what, on, *rest in steps:
            if what == "take":
                yield thing[on].acquire()
            elif what == "give":
                yield thing[on].release()
            elif rest[0]:
                yield pool[on].submit(leaf)
            else:
                yield (yield pool[on].submit(leaf)).result()

    def hand_on(number, name):
        if number == len(stages):
            yield inbox[name].put(0)
            return
        how, wire, *_, with_future = stages[number]
        if how == "reader":
            yield wires[wire].send((number, name))
        elif with_future:
            given = yield pool[spare].submit(leaf)
            yield pool[how].submit(stage, number, name, given)
        else:
            yield pool[how].submit(stage, number, name, None)

    def stage(number, name, given):
        _, _, before, after, _ = stages[number]
        yield from does(before)
        if given is not None:
            yield given.result()
        yield from hand_on(number + 1, name)
        yield from does(after)

    def reader(wire):
        while True:
            number, name = yield wire.recv()
            yield from stage(number, name, None)

    def client(name):
        for _ in range(rounds):
            if around:
                yield thing[around].acquire()
            yield from hand_on(0, name)
            yield inbox[name].get()
            if around:
                yield thing[around].release()

    for name in names:
        model.process(name, client, name)
    for wire in wires.values():
        model.process(f"reader of {wire}", reader, wire, daemon=True)
    return model


def some_sizes(seed, number=4):
    """Return some sizes of the system of ``seed``, up to three of each."""
    rng = random.Random(seed)
    return [{name: rng.randint(1, 3) for name in SIZES} for _ in range(number)]
