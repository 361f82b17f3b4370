"""Ordinary code with threads, as anybody would write it: nothing of simcore. What hangs has a twin that does not."""

import contextlib
import datetime
import gc
import logging
import os
import queue
import socket
import sys
import threading
import time
import weakref
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from threading import Lock as AliasOfLock
from time import sleep as alias_of_sleep
from typing import ClassVar

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


class Late(threading.Thread):
    """Sets what it has itself, after some time."""

    def __init__(self, seconds):
        super().__init__(daemon=True)
        self.seconds, self.ready = seconds, threading.Event()

    def run(self):
        time.sleep(self.seconds)
        self.ready.set()


def poller(pause):
    def poll():
        while True:
            time.sleep(pause)

    threading.Thread(target=poll, daemon=True).start()


def late_beside_a_poller(pause=0.01, seconds=60):
    """Somebody polls all the time, and what is waited for comes in a while."""
    poller(pause)
    late = Late(seconds)
    late.start()
    late.ready.wait()


def very_late_beside_a_heartbeat():
    late_beside_a_poller(10, 4_000)


def timer_beside_a_poller():
    poller(0.01)
    rang = threading.Event()
    threading.Timer(60, rang.set).start()
    rang.wait()


def late_for_a_global():
    poller(0.01)

    def late():
        time.sleep(60)
        OF_THE_MODULE.set()

    threading.Thread(target=late).start()
    OF_THE_MODULE.wait()


OF_THE_MODULE = threading.Event()


def timer_alone():
    rang = threading.Event()
    threading.Timer(100, rang.set).start()
    rang.wait()


def deletes_what_it_has_at_its_end():
    """What a thread has to itself is deleted after it has ended, and takes a lock for a while."""
    lock, own, done = threading.Lock(), threading.local(), queue.Queue()

    class Connection:
        def __del__(self):
            with lock:
                time.sleep(0.05)

    def use():
        own.connection = Connection()
        done.put(1)

    threading.Thread(target=use).start()
    done.get()
    with lock:
        pass


def waits_for_the_main_thread():
    threading.Thread(target=lambda: threading.main_thread().join()).start()


def keeps_nothing_alive():
    box, event = queue.Queue(), threading.Event()
    seen = weakref.ref(box), weakref.ref(event)
    box.put(1)
    event.set()
    del box, event
    assert [each() for each in seen] == [None, None]


class Registered(threading.Thread):
    """Is in a set before it is made."""

    everybody: ClassVar = set()

    def __init__(self):
        self.everybody.add(self)
        super().__init__()

    def run(self):
        self.everybody.remove(self)


def registered():
    thread = Registered()
    thread.start()
    thread.join()


class Shown(type(threading.RLock())):
    """A lock that says something else of itself."""

    def __repr__(self):
        return "shown"


def shown_otherwise():
    lock = Shown()

    def use():
        with lock, lock:
            pass

    together(use, use)


def leaves():
    sys.exit(0)


def permits_by_the_dozen():
    permits = threading.Semaphore(0)

    def gives():
        permits.release(3)

    def takes():
        permits.acquire()

    together(gives, takes, takes, takes)


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


def gives_up_outside():
    """A socket, whose time-out is real, waits for a thread that may not run meanwhile."""
    here, there = socket.socketpair()
    there.settimeout(0.5)
    lock = threading.Lock()

    def send():
        with lock:
            here.send(b"x")

    thread = threading.Thread(target=send)
    thread.start()
    assert there.recv(1) == b"x"
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
