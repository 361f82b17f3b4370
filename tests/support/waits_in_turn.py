"""Systems that hang over who holds or runs something: locks, conditions, permits, workers."""

from __future__ import annotations

from simcore import Model, sleep


def is_two(value):
    return value == 2


def more(value):
    return value + 1


def a_lock_held_by_another():
    model = Model("lock")
    a, b = model.lock("a"), model.lock("b")

    def take(first, second):
        yield first.acquire()
        yield second.acquire()
        yield second.release()
        yield first.release()

    model.process("left", take, a, b)
    model.process("right", take, b, a)
    return model


def a_lock_left_behind(kind="lock", dies=False):
    model = Model("left behind")
    lock = getattr(model, kind)("lock")

    def first():
        yield lock.acquire()

    def second():
        yield lock.acquire()

    model.process("first", first)
    model.process("second", second)
    return model


def a_lock_of_a_task_that_has_ended():
    model = Model("left behind by a task")
    lock, pool = model.lock("lock"), model.thread_pool("pool", 1)

    def keep():
        yield lock.acquire()

    def main():
        yield (yield pool.submit(keep)).result()
        yield lock.acquire()

    model.process("main", main)
    return model


def a_condition(notified):
    model = Model("condition")
    lock = model.lock("lock")
    ready, waiting = model.condition("ready", lock), model.event("waiting")

    def waiter():
        yield ready.acquire()
        yield waiting.set()
        yield ready.wait()
        yield ready.release()

    def notifier():
        if notified:
            yield waiting.wait()
        yield ready.acquire()
        if notified:
            yield ready.notify()
            return  # the lock is kept
        yield ready.release()

    model.process("waiter", waiter)
    model.process("notifier", notifier)
    return model


def a_condition_with_two_waiters():
    """One is notified, and the lock is kept; the other one is not."""
    model = Model("condition")
    cond, waiting = model.condition("cond", model.lock("lock")), model.variable("waiting", 0)

    def waiter():
        yield cond.acquire()
        yield waiting.update(more)
        yield cond.wait()
        yield cond.release()

    def notifier():
        yield waiting.wait_for(is_two)
        yield cond.acquire()
        yield cond.notify()

    model.process("first", waiter)
    model.process("second", waiter)
    model.process("notifier", notifier)
    return model


def a_condition_that_all_wait_on():
    """A buffer for one item, where a producer may wake a producer and a consumer a consumer."""
    model = Model("buffer")
    cond, count = model.condition("cond"), model.variable("count", 0)

    def work(before, after):
        for _ in range(3):
            yield cond.acquire()
            while (yield count.get()) != before:
                yield cond.wait()
            yield count.set(after)
            yield cond.notify()
            yield cond.release()

    for number in range(2):
        model.process(f"producer[{number}]", work, 0, 1)
        model.process(f"consumer[{number}]", work, 1, 0)
    return model


def a_semaphore_of_tasks():
    model = Model("web")
    pool, db = model.thread_pool("handlers", 3), model.semaphore("db", 2)

    def query():
        yield sleep(0.01)

    def handle():
        yield db.acquire()
        yield (yield pool.submit(query)).result()
        yield db.release()

    def client():
        yield (yield pool.submit(handle)).result()

    for number in range(3):
        model.process(f"client[{number}]", client)
    return model


def a_semaphore_never_given_back():
    model = Model("permits")
    permits = model.semaphore("permits", 1)

    def first():
        yield permits.acquire()

    def second():
        yield permits.acquire()

    model.process("first", first)
    model.process("second", second)
    return model


def a_permit_that_goes_with_a_task():
    model = Model("permit of a task")
    slots, gate, pool = model.semaphore("slots", 1), model.event("gate"), model.thread_pool("pool", 1)

    def task():
        yield gate.wait()
        yield slots.release()

    def main():
        for _ in range(2):
            yield slots.acquire()
            yield pool.submit(task)
        yield gate.set()

    model.process("main", main)
    return model


def a_permit_that_another_gives_back():
    model = Model("permit of another")
    slots, gate = model.semaphore("slots", 1), model.event("gate")

    def other():
        yield gate.wait()
        yield slots.release()

    def main():
        yield slots.acquire()
        yield slots.acquire()
        yield gate.set()

    model.process("main", main)
    model.process("other", other)
    return model


def a_task_that_is_queued():
    model = Model("queued")
    pool = model.thread_pool("pool", 1)

    def inner():
        yield from ()

    def outer():
        yield (yield pool.submit(inner)).result()

    def main():
        yield (yield pool.submit(outer)).result()

    model.process("main", main)
    return model


def two_pools():
    model = Model("two pools")
    pool_a, pool_b = model.thread_pool("A", 1), model.thread_pool("B", 1)

    def last():
        yield from ()

    def middle():
        yield (yield pool_a.submit(last)).result()

    def first():
        yield (yield pool_b.submit(middle)).result()

    def main():
        yield (yield pool_a.submit(first)).result()

    model.process("main", main)
    return model


def a_shutdown_that_waits():
    model = Model("shutdown")
    pool, go = model.thread_pool("pool", 2), model.event("go")

    def task():
        yield go.wait()

    def main():
        yield pool.submit(task)
        yield pool.shutdown()
        yield go.set()

    model.process("main", main)
    return model


def beside_one_who_sleeps():
    model = Model("beside a heartbeat")
    lock = model.lock("lock")

    def twice():
        yield lock.acquire()
        yield lock.acquire()

    def beat():
        while True:
            yield sleep(1)

    model.process("main", twice)
    model.process("heart", beat, daemon=True)
    return model


def beside_one_who_spins():
    model = Model("a spinner keeps a lock")
    lock, flag = model.lock("lock"), model.event("flag")

    def spinner():
        yield lock.acquire()
        while not (yield flag.is_set()):
            pass
        yield lock.release()

    def blocked():
        yield lock.acquire()
        yield flag.set()
        yield lock.release()

    model.process("spinner", spinner)
    model.process("blocked", blocked)
    return model
