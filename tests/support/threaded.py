"""Ordinary code with threads, as anybody would write it: nothing of simcore. What hangs has a twin that does not."""

import contextlib
import fcntl
import gc
import json
import logging
import os
import queue
import sqlite3
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

MADE_BEFORE = threading.Lock()


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


# ---- what is not as it should be -----------------------------------------------------------------------------


def lost_update(guarded=False):
    """Two threads read a number, and write it one higher."""
    box, lock = [0], threading.Lock()

    def add():
        if guarded:
            with lock:
                box[0] += 1
            return
        with lock:
            seen = box[0]
        with lock:
            box[0] = seen + 1

    together(add, add)
    assert box[0] == 2, f"{box[0]} of 2"


def dies():
    together(lambda: {}["missing"])


def waits_outside():
    """A lock of the file system, which the system waits for in C."""
    with tempfile.NamedTemporaryFile() as file, open(file.name) as again:
        fcntl.flock(file, fcntl.LOCK_EX)
        (lambda: fcntl.flock(again, fcntl.LOCK_EX))()


def differs():
    """What it does depends on its process."""
    for _ in range(os.getpid() % 7):
        with MADE_BEFORE:
            pass


def gives_up_outside():
    """A data base waits, for half a second of real time, for a thread that may not run meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "data")
        with contextlib.closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as one:
            one.execute("begin exclusive")
            lock = threading.Lock()

            def commit():
                with lock:
                    one.execute("commit")

            thread = threading.Thread(target=commit)
            thread.start()
            with contextlib.closing(sqlite3.connect(path, timeout=0.5)) as other:
                other.execute("create table t (x)")
            thread.join()


def ends_its_process():
    os._exit(0)


def forks():
    """A copy of the process waits for ever, and is killed."""
    if not (child := os.fork()):
        threading.Event().wait()
    os.kill(child, 9)
    os.waitpid(child, 0)


def starts_too_large_a_thread():
    before = threading.stack_size(1 << 46)
    try:
        with contextlib.suppress(RuntimeError):
            threading.Thread(target=print).start()
    finally:
        threading.stack_size(before)


def same_names():
    lock = threading.Lock()

    def one():
        with lock:
            threading.Event().wait()

    def other():
        with lock:
            pass

    together(one, other, names=("main", "main"))


def finalizer_in_the_middle():
    """What an event has is deleted with it, between two operations, and wants the lock that is held there."""
    lock = threading.Lock()

    class Resource:
        def __del__(self):
            with lock:
                pass

    class Owner(threading.Event):
        pass

    def use():
        owner = Owner()
        owner.has = Resource()
        owner.set()
        with lock:
            del owner
            threading.Event().set()

    together(use, names=("user",))


def lost_beside_a_watcher(loses=True):
    """A watcher looks at a condition now and then, and never notifies; who does, did too early."""
    changed, ready = threading.Condition(), []

    def watch():
        while True:
            with changed:
                pass
            time.sleep(1)

    def notify():
        with changed:
            ready.append(1)
            changed.notify()

    threading.Thread(target=watch, daemon=True, name="watcher").start()
    setter = threading.Thread(target=notify, name="setter")
    setter.start()
    with changed:
        if loses or not ready:
            changed.wait()
    setter.join()


def positional(*sizes):
    nested_submit(*sizes)


POOLS = []


def uses_a_pool_of_the_caller():
    assert POOLS[0].submit(int).result() == 0


async def asynchronous():
    pass


def unguarded(in_one_line=True):
    """Two threads count without a lock, as one instruction after another."""
    counted = [0]

    def count():
        if in_one_line:
            counted[0] += 1
        else:
            before = counted[0]
            counted[0] = before + 1

    together(count, count)
    assert counted == [2]


def serialises():
    """The library's own code is interrupted nowhere."""
    together(lambda: json.dumps([1, 2, 3]), lambda: json.dumps({"a": 1}))


def fails_beside_who_never_ends():
    def polls():
        while True:
            time.sleep(1)

    threading.Thread(target=polls).start()
    raise AssertionError("at once")


def nested_deeper(workers=1):
    """A task waits for one that waits for another one, all in one pool: one more worker is not enough."""
    with ThreadPoolExecutor(workers, thread_name_prefix="pool") as pool:

        def middle():
            return pool.submit(int).result()

        def outer():
            return pool.submit(middle).result()

        assert pool.submit(outer).result() == 0
