"""For every kind of wait the report says what for, how full it is, who could end it and why they do not."""

from __future__ import annotations

import pytest

from simcore import Model, explore, sleep


def told(model, **how):
    return explore(model, **how).counterexample.wait_for.explain()


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


def an_event_that_nobody_sets():
    model = Model("event")
    ready = model.event("ready")

    def wait():
        yield ready.wait()

    model.process("waiter[0]", wait)
    model.process("waiter[1]", wait)
    return model


def a_full_queue():
    model = Model("full")
    queue = model.queue("queue", 1)

    def producer():
        for n in range(3):
            yield queue.put(n)

    def consumer():
        yield queue.get()

    model.process("producer", producer)
    model.process("consumer", consumer)
    return model


def an_empty_queue():
    model = Model("empty")
    queue = model.queue("queue")

    def consumer():
        yield queue.get()

    model.process("consumer", consumer)
    return model


def two_queues():
    model = Model("two queues")
    up, down = model.queue("up", 1), model.queue("down", 1)

    def main():
        for n in range(4):
            yield up.put(n)
        for _ in range(4):
            yield down.get()

    def server():
        while True:
            yield up.get()
            yield down.put("answer")

    model.process("main", main)
    model.process("server", server)
    return model


def a_future_by_hand():
    model = Model("by hand")
    future = model.future("answer")

    def wait():
        yield future.result()

    model.process("main", wait)
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


def a_full_link():
    model = Model("link")
    link = model.link("link", capacity=4, unit="bytes")

    def sender():
        yield link.send("abc")
        yield link.send("def")

    model.process("sender", sender)
    return model


def an_empty_link():
    model = Model("link")
    link = model.link("link")

    def sender():
        yield link.send("abc")

    def receiver():
        yield link.recv()
        yield link.recv()

    model.process("sender", sender)
    model.process("receiver", receiver)
    return model


def a_link_whose_other_end_is_closed():
    """The end of a reply link is closed on the wrong side: who waits for a reply is not told."""
    model = Model("links")
    request, reply = model.link("request"), model.link("reply")

    def client():
        yield request.close("send")
        yield reply.recv()

    def server():
        try:
            yield request.recv()
        except EOFError:
            return

    model.process("client", client)
    model.process("server", server)
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


def a_timer_that_is_cancelled():
    model = Model("timer")
    fired = model.event("fired")

    def fire():
        yield fired.set()

    timer = model.timer("timer", 1.0, fire)

    def main():
        yield timer.start()
        yield timer.cancel()
        yield fired.wait()

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


def is_two(value):
    return value == 2


def a_variable():
    model = Model("variable")
    count = model.variable("count", 0)

    def add():
        yield count.set(1)

    def wait():
        yield count.wait_for(is_two)

    model.process("adder", add)
    model.process("waiter", wait)
    return model


WAITS = {
    a_lock_held_by_another: ["left waits for b, held by right", "right waits for a, held by left"],
    a_lock_left_behind: ["second waits for lock, held by first, which has ended"],
    a_lock_of_a_task_that_has_ended: ["main waits for lock, held by pool[0], whose task has ended"],
    lambda: a_lock_left_behind("rlock"): ["second waits for lock, held by first, which has ended"],
    lambda: a_condition(notified=False): [
        "waiter waits to be notified on ready: nobody notifies it any more",
    ],
    lambda: a_condition(notified=True): ["waiter waits for the lock of ready, held by notifier, which has ended"],
    a_semaphore_of_tasks: [
        "handlers 3/3: every worker is in 3x handle(), waiting for a permit of db, 2x the result of query()",
        "  set only by query(), queued in handlers behind them",
        "  db: 0 of 2 free, held by handle() on handlers[1..2]",
        "  one more worker in handlers would break this knot (4 instead of 3)",
        "waiting behind it: client[0..2] wait for the result of handle(), which runs on handlers[0..2]",
    ],
    a_semaphore_never_given_back: [
        "second waits for a permit of permits, 0 of 1 free, held by first, which has ended",
    ],
    an_event_that_nobody_sets: [
        "waiter[0] waits for ready to be set: nobody sets it any more",
        "stuck too: waiter[1] waits for ready to be set: nobody sets it any more",
    ],
    a_full_queue: [
        "producer waits to put into queue, full (1/1): only consumer has taken from it, and it has ended",
    ],
    an_empty_queue: ["consumer waits for an item of queue, empty: nobody puts into it any more"],
    two_queues: [
        "main waits to put into up, full (1/1): server has taken from it, and waits itself",
        "server waits to put into down, full (1/1): main might take from it, but waits itself",
    ],
    a_future_by_hand: ["main waits for the result of answer: nobody sets it any more"],
    a_task_that_is_queued: [
        "pool 1/1: every worker is in outer(), waiting for the result of inner()",
        "  set only by inner(), queued in pool behind it",
        "  one more worker in pool would break this knot (2 instead of 1)",
        "waiting behind it: main waits for the result of outer(), which runs on pool[0]",
    ],
    two_pools: [
        "A 1/1: every worker is in first(), waiting for the result of middle()",
        "  which runs on B[0]",
        "  one more worker in A would break this knot (2 instead of 1)",
        "B 1/1: every worker is in middle(), waiting for the result of last()",
        "  set only by last(), queued in A behind first()",
        "waiting behind it: main waits for the result of first(), which runs on A[0]",
    ],
    a_full_link: ["sender waits to send over link, too full (3/4 bytes): nobody receives from it any more"],
    an_empty_link: [
        "receiver waits to receive from link, empty: only sender has sent over it, and it has ended",
    ],
    a_link_whose_other_end_is_closed: [
        "client waits to receive from reply, empty",  # the server has a step left
    ],
    a_shutdown_that_waits: [
        "pool 1/2: one worker is in task(), waiting for go to be set",
        "  main might set it, but waits itself",
        "main waits for every worker of pool to leave, 1 of 2 have left, not yet task() on pool[0]",
    ],
    a_timer_that_is_cancelled: ["main waits for fired to be set: nobody sets it any more"],
    beside_one_who_sleeps: ["main waits for lock, held by itself"],
    beside_one_who_spins: ["blocked waits for lock, held by spinner, which goes on and never releases it"],
    a_variable: [
        "waiter waits for is_two() of count, which is 1: only adder has changed it, and it has ended",
    ],
}


@pytest.mark.parametrize(("model", "lines"), WAITS.items(), ids=[str(number) for number in range(len(WAITS))])
def test_the_report_says_of_each_wait_what_for_and_why_nobody_ends_it(model, lines):
    assert told(model()) == lines
