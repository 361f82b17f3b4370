"""Ordinary code with threads, as anybody would write it: nothing of simcore. What hangs has a twin that does not."""

import contextlib
import datetime
import gc
import logging
import os
import queue
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from threading import Lock as AliasOfLock
from time import sleep as alias_of_sleep

MADE_BEFORE, RE_ENTRANT, INBOX, BOUNDED = threading.Lock(), threading.RLock(), queue.SimpleQueue(), queue.Queue(1)


def together(*functions, names=None):
    threads = [threading.Thread(target=fn, name=name) for fn, name in zip(functions, names or "abcdefgh", strict=False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# ---- what hangs ----------------------------------------------------------------------------------------------


def nested_submit(workers=1):
    """A task waits for one that is queued in its own pool behind it."""
    with ThreadPoolExecutor(workers, thread_name_prefix="pool") as pool:

        def inner():
            return 1

        def outer():
            return pool.submit(inner).result()

        assert pool.submit(outer).result() == 1


def two_pools(workers=1):
    a, b = (ThreadPoolExecutor(workers, thread_name_prefix=name) for name in ("first", "second"))

    def leaf():
        return 1

    def on_second():
        return a.submit(leaf).result()

    def on_first():
        return b.submit(on_second).result()

    assert a.submit(on_first).result() == 1
    a.shutdown()
    b.shutdown()


def forgotten_task_done(forgets=True):
    todo = queue.Queue()

    def worker():
        while (item := todo.get()) is not None:
            if not (item == "bad" and forgets):
                todo.task_done()
        todo.task_done()

    threading.Thread(target=worker, daemon=True, name="worker").start()
    for item in ("good", "bad", None):
        todo.put(item)
    todo.join()


def lost_wake_up(tested_inside=False):
    """Whether something is ready is tested outside of the lock, so that the notification may come in between."""
    changed, ready = threading.Condition(), []

    def consumer():
        if tested_inside:
            with changed:
                while not ready:
                    changed.wait()
        elif not ready:
            with changed:
                changed.wait()

    def producer():
        with changed:
            ready.append(1)
            changed.notify()

    together(consumer, producer, names=("consumer", "producer"))


def semaphore_twice(permits=2):
    limit = threading.BoundedSemaphore(permits)

    def transfer():
        with limit, limit:
            pass

    together(transfer, transfer, names=("transfer[0]", "transfer[1]"))


def connections_twice(connections=2):
    """Each of two requests takes two connections of a pool, one after the other."""
    free = queue.Queue(8)
    for number in range(connections):
        free.put(number)

    def request():
        first = free.get()
        second = free.get()
        free.put(second)
        free.put(first)

    together(request, request, names=("request[0]", "request[1]"))


def opposed_locks(opposed=True):
    left, right = threading.Lock(), threading.Lock()

    def take(first, second):
        with first, second:
            pass

    together(
        lambda: take(left, right), lambda: take(*((right, left) if opposed else (left, right))), names=("one", "other")
    )


def logging_handler(waits=True):
    """A handler waits for a thread that logs, too."""
    logger = logging.getLogger("simcore.tests.threaded")
    logger.propagate = False

    class Handler(logging.Handler):
        def emit(self, record):
            if record.msg == "outer":
                thread = threading.Thread(target=logger.error, args=("inner",), name="helper")
                thread.start()
                if waits:
                    thread.join()

    logger.handlers[:] = [Handler()]
    logger.error("outer")


def waiting_callback(waits=True):
    """What is done when a task has ended waits for another task of the same pool."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="db")

    def second():
        return 2

    def ended(_):
        future = pool.submit(second)
        if waits:
            future.result()

    first = pool.submit(lambda: 1)
    first.add_done_callback(ended)
    pool.shutdown()


def finalizer(collects=True):
    """An object is deleted while its lock is held, and takes it."""
    lock = threading.Lock()

    class Connection:
        def __init__(self):
            self.itself = self

        def __del__(self):
            with lock:
                pass

    def use():
        Connection()
        with lock:
            if collects:
                gc.collect()

    together(use, names=("user",))


def knot_beside_a_heartbeat(opposed=True):
    stop = threading.Event()

    def beat():
        while not stop.wait(1.0):
            pass

    threading.Thread(target=beat, name="heart", daemon=True).start()
    opposed_locks(opposed)
    stop.set()


# ---- what does not -------------------------------------------------------------------------------------------


def made_before_the_run():
    """Locks and queues of the module, and aliases that it took when it was imported."""

    def give():
        with MADE_BEFORE, RE_ENTRANT, RE_ENTRANT:
            alias_of_sleep(0.1)
        INBOX.put(1)
        BOUNDED.put(1)
        with AliasOfLock():
            pass

    def take():
        INBOX.get()
        BOUNDED.get()

    together(give, take, give, take)


def imports_twice():
    """Two threads import one module, whose import takes time."""
    together(lambda: __import__("takes_time"), lambda: __import__("takes_time"))


def days_pass():
    day, clock = datetime.datetime.now(), time.monotonic()
    time.sleep(86_400)
    assert (datetime.datetime.now() - day).days == 1
    assert 86_400 <= time.monotonic() - clock < 86_401
    assert datetime.datetime.now(datetime.UTC).year >= 2027


def polls(pause=0.0):
    """One waits for the other by looking, with pauses of no length, or with none."""
    seen = []

    def look():
        end = time.monotonic() + 1
        while not seen and time.monotonic() < end:
            if pause is not None:
                time.sleep(pause)

    together(look, lambda: seen.append(1))


def polls_without_a_pause():
    polls(None)


def time_outs():
    lock, never, empty = threading.Lock(), threading.Event(), queue.Queue()
    before = time.monotonic()
    lock.acquire()
    assert not lock.acquire(timeout=1)
    assert not never.wait(2)
    with contextlib.suppress(queue.Empty):
        empty.get(timeout=3)
    assert 6 <= time.monotonic() - before < 6.001


def timers_and_futures():
    fired = threading.Event()
    threading.Timer(5, fired.set).start()
    assert not fired.wait(4.9)
    assert fired.wait(0.2)
    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(pow, 2, n) for n in range(5)]
        assert sorted(future.result() for future in as_completed(futures, timeout=1)) == [1, 2, 4, 8, 16]
        done, left = wait(futures)
        assert len(done) == 5
        assert not left


def barrier_and_locals():
    barrier, own, seen = threading.Barrier(3), threading.local(), []

    def meet(number):
        own.number = number
        barrier.wait()
        seen.append(own.number)

    together(*(lambda n=n: meet(n) for n in range(3)))
    assert sorted(seen) == [0, 1, 2]


def user_future():
    promise = Future()
    together(lambda: promise.set_result(1), promise.result)


# ---- what is not as it should be -----------------------------------------------------------------------------


def lost_update():
    """Two threads read a number, and write it one higher."""
    box, lock = [0], threading.Lock()

    def add():
        with lock:
            seen = box[0]
        with lock:
            box[0] = seen + 1

    together(add, add)
    assert box[0] == 2, f"{box[0]} of 2"


def dies():
    together(lambda: {}["missing"])


def waits_outside():
    """A thread waits for what no Python object is: a pipe."""
    reads, writes = os.pipe()
    together(lambda: os.read(reads, 1), lambda: os.write(writes, b"x"))


def differs():
    """What it does depends on its process."""
    for _ in range(os.getpid() % 7):
        with MADE_BEFORE:
            pass
