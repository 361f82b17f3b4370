"""What the argument does not cover is refused with its line; most of these models hang, which no count shows."""

import re

import pytest

from simcore import Model, Verdict, explore, sleep
from simcore.sizes.structure import prove


def waits_for_a_notice(*, n: int = 1) -> Model:
    model = Model("condition")
    condition = model.condition("notice")

    def wait():
        yield condition.acquire()
        yield condition.wait()
        yield condition.release()

    for name in model.indices("waiter", n):
        model.process(name, wait)
    return model


def waits_for_an_event(*, n: int = 1) -> Model:
    model = Model("event")
    event = model.event("ready")

    def wait():
        yield event.wait()

    for name in model.indices("waiter", n):
        model.process(name, wait)
    return model


def receives(*, n: int = 1) -> Model:
    model = Model("link")
    link = model.link("wire")

    def wait():
        yield link.recv()

    for name in model.indices("reader", n):
        model.process(name, wait)
    return model


def gets(*, n: int = 1) -> Model:
    model = Model("queue")
    queue = model.queue("mail")

    def wait():
        yield queue.get()

    for name in model.indices("reader", n):
        model.process(name, wait)
    return model


def starts_a_timer(*, n: int = 1) -> Model:
    model = Model("timer")
    lock = model.lock("lock")

    def late():
        yield lock.acquire()
        yield lock.acquire()

    timer = model.timer("no law is argued for timers", 1.0, late)

    def start():
        yield timer.start()

    for name in model.indices("starter", n):
        model.process(name, start)
    return model


def gives_up(*, n: int = 1) -> Model:
    model = Model("time-out")
    lock = model.lock("lock")

    def take():
        while not (yield lock.acquire(timeout=1.0)):
            pass

    for name in model.indices("taker", n):
        model.process(name, take)
    return model


def waits_for_data(*, n: int = 1) -> Model:
    model = Model("variable")
    flag = model.variable("flag", False)

    def wait():
        yield flag.wait_for(bool)

    for name in model.indices("waiter", n):
        model.process(name, wait)
    return model


def shuts_down(*, n: int = 1, workers: int = 1) -> Model:
    model = Model("shutdown")
    pool = model.thread_pool("pool", workers)

    def task():
        yield pool.shutdown()

    def root():
        yield pool.submit(task)

    for name in model.indices("root", n):
        model.process(name, root)
    return model


def philosophers(*, n: int = 2) -> Model:
    """Each has a fork of its own, so forks must not be merged into one with n units."""
    model = Model("philosophers")
    forks = [model.lock(f"fork[{number}]") for number in range(n)]

    def eat(left, right):
        yield left.acquire()
        yield right.acquire()
        yield right.release()
        yield left.release()

    for number in range(n):
        model.process(f"philosopher {number}", eat, forks[number], forks[(number + 1) % n])
    return model


def gives_back_for_others(*, n: int = 1) -> Model:
    model = Model("a permit given back by another one")
    semaphore = model.semaphore("permits", 0)

    def take():
        yield semaphore.acquire()
        yield semaphore.acquire()

    def give():
        yield semaphore.release()

    for name in model.indices("taker", n):
        model.process(name, take)
    model.process("giver", give)
    return model


def spins(*, n: int = 1) -> Model:
    """One holds a and tries b for ever, the other one holds b and waits for a."""
    model = Model("spin")
    a, b = model.lock("a"), model.lock("b")

    def spin():
        yield a.acquire()
        while not (yield b.acquire(False)):
            pass
        yield b.release()
        yield a.release()

    def wait():
        yield b.acquire()
        yield a.acquire()
        yield a.release()
        yield b.release()

    for name in model.indices("spinner", n):
        model.process(name, spin)
    model.process("waiter", wait)
    return model


def task_that_keeps_a_lock(*, n: int = 2, workers: int = 2) -> Model:
    model = Model("a task that ends with a lock")
    pool, lock = model.thread_pool("pool", workers), model.lock("lock")

    def task():
        yield lock.acquire()

    def root():
        done = yield pool.submit(task)
        yield done.result()

    for name in model.indices("root", n):
        model.process(name, root)
    return model


def task_that_goes_on(*, n: int = 2, workers: int = 1) -> Model:
    """It never ends, so whoever is queued behind it waits for ever, though nobody is blocked by a lock."""
    model = Model("a task without an end")
    pool, lock = model.thread_pool("pool", workers), model.lock("lock")

    def task():
        while True:
            yield lock.acquire()
            yield lock.release()

    def root():
        done = yield pool.submit(task)
        yield done.result()

    for name in model.indices("root", n):
        model.process(name, root)
    return model


def submits_itself(*, n: int = 1, workers: int = 1) -> Model:
    model = Model("a task that submits itself")
    pool = model.thread_pool("pool", workers)

    def task():
        yield pool.submit(task)

    def root():
        yield pool.submit(task)

    for name in model.indices("root", n):
        model.process(name, root)
    return model


def counts_for_ever(*, n: int = 1) -> Model:
    model = Model("a counter")
    count = model.variable("count", 0)

    def add():
        yield count.update(lambda number: number + 1)

    for name in model.indices("adder", n):
        model.process(name, add)
    return model


REFUSED = [
    (waits_for_a_notice, "notice.wait() is of a condition, and no law is argued for conditions", True),
    (waits_for_an_event, "no law is argued for events", True),
    (receives, "wire.recv() waits for what it has not asked for", True),
    (gets, "mail.get() waits for what it has not asked for", True),
    (starts_a_timer, "no law is argued for timers", True),
    (gives_up, "lock.acquire() has a time-out", False),
    (waits_for_data, "flag.wait_for(bool) waits for the value of a variable", True),
    (shuts_down, "shuts a pool down", None),
    (gives_back_for_others, "gives permits back without holding it there", True),
    (spins, "may go round for ever and keep a", True),
    (task_that_keeps_a_lock, "ends and keeps lock", True),
    (task_that_goes_on, "may go round for ever and keep pool", True),
    (submits_itself, "submits, again and again", None),
    (counts_for_ever, "may have more than 50 values", False),
]
"""A model, what is said of it, and whether it hangs; None where that is not the question."""


@pytest.mark.parametrize(("function", "told", "hangs"), REFUSED)
def test_it_is_refused_with_the_reason(function, told, hangs):
    proved = prove(function)
    assert told in proved.refused
    assert (proved.law, proved.premises) == ("", ())
    sizes = dict.fromkeys(proved.lowest, 100)
    assert not proved.safe(**sizes), "what is refused is not proved"
    if hangs is not None:
        assert explore(function()).verdict is (Verdict.VIOLATED if hangs else Verdict.HOLDS)


@pytest.mark.parametrize("function", [gets, gives_up, spins])
def test_the_refusal_names_the_line(function):
    assert re.search(r"^\w+\[0\], \w+ \(test_not_of_the_class.py:\d+\): ", prove(function).refused)


def test_locks_that_each_has_of_its_own_are_not_merged_into_one():
    proved = prove(philosophers, sizes=["n"])
    assert "n is no size" in proved.refused
    assert "fork[" in proved.refused
    assert explore(philosophers(n=3)).verdict is Verdict.VIOLATED


def test_such_a_number_stays_as_it_is_where_nobody_asked_for_it():
    proved = prove(philosophers)
    assert proved.law == "always"
    assert "n is no size here" in str(proved)
    assert not proved.safe()


def opposed_by_position(*, n: int = 2) -> Model:
    """Each index does the same but for one, which takes the locks in the other order."""
    model = Model("one of them is another")
    a, b = model.lock("a"), model.lock("b")

    def take(first, second):
        yield first.acquire()
        yield second.acquire()
        yield second.release()
        yield first.release()

    for number, name in enumerate(model.indices("taker", n)):
        model.process(name, take, *((b, a) if number == 1 else (a, b)))
    return model


def test_one_that_differs_is_seen_wherever_it_stands():
    assert "no size" in prove(opposed_by_position, sizes=["n"]).refused
    assert prove(opposed_by_position, n=range(2, 6)).law == "always"
    assert explore(opposed_by_position(n=2)).verdict is Verdict.VIOLATED


def test_a_sleep_is_no_reason():
    def sleeps(*, n: int = 1) -> Model:
        model = Model("sleeps")
        lock = model.lock("lock")

        def take():
            yield lock.acquire()
            yield sleep(1.0)
            yield lock.release()

        for name in model.indices("taker", n):
            model.process(name, take)
        return model

    assert prove(sleeps).law == "never"


def dies_with_a_lock(*, n: int = 1) -> Model:
    model = Model("a process that dies")
    lock = model.lock("lock")

    def take():
        yield lock.acquire()
        raise ValueError("lost")

    for name in model.indices("taker", n):
        model.process(name, take)
    return model


def test_one_who_died_keeps_what_he_holds():
    proved = prove(dies_with_a_lock)
    assert proved.law == "n >= 2"
    assert "not looked at, as it is no hang: taker[0] may die of ValueError: lost" in str(proved)
