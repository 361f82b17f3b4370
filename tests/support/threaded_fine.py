"""Ordinary code with threads that does not hang, however long somebody takes, and however it is made."""

import _thread
import contextlib
import datetime
import importlib
import queue
import sys
import threading
import time
import weakref
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from threading import Lock as AliasOfLock
from time import sleep as alias_of_sleep
from typing import ClassVar

from threaded import together

MADE_BEFORE, RE_ENTRANT, INBOX, BOUNDED = threading.Lock(), threading.RLock(), queue.SimpleQueue(), queue.Queue(1)


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


CONDITION = threading.Condition()
ACQUIRE, AGAIN = RE_ENTRANT.acquire, [RE_ENTRANT.release]


def kept_before_the_run(acquire=MADE_BEFORE.acquire, release=MADE_BEFORE.release):
    """Methods that a condition, a module, a list and a default keep, bound to locks, since they were imported."""

    def waits():
        with CONDITION:
            CONDITION.wait(0.1)
        alias_of_sleep(0.1)

    def holds():
        with CONDITION:
            alias_of_sleep(1)

    def takes():
        ACQUIRE()
        alias_of_sleep(0.1)
        AGAIN[0]()
        acquire()
        alias_of_sleep(0.1)
        release()

    together(waits, holds, waits, takes, takes)


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


def made_anew(*names):
    """Return a module, with those that it is made of, as another copy beside the one that everybody has."""
    known = {name: sys.modules.pop(name) for name in names}
    try:
        return importlib.import_module(names[0])
    finally:
        sys.modules.update(known)


ANOTHER = made_anew("queue", "_queue")


def another_copy_of_a_module():
    """Its types are other ones, and its names for the clock are in no module that is known."""
    inbox, bounded = ANOTHER.SimpleQueue(), ANOTHER.Queue(1)

    def give():
        time.sleep(3_600)
        inbox.put(1)
        bounded.put(2)

    def take():
        assert inbox.get() == 1
        assert bounded.get(timeout=7_200) == 2
        with contextlib.suppress(ANOTHER.Empty):
            inbox.get(timeout=3_600)

    together(give, take)


class Watch:
    """Has the clock as attributes, which a function of C does not take for methods."""

    now, pause = time.monotonic, time.sleep


def clock_under_other_names(now=time.monotonic, *, pause=time.sleep):
    since = now(), Watch().now()
    pause(1_000)
    Watch.pause(1_000)
    assert all(2_000 <= end - begin < 2_001 for end, begin in zip((now(), Watch.now()), since, strict=True))


def interrupts_the_main_thread():
    other = threading.Thread(target=_thread.interrupt_main)
    with contextlib.suppress(KeyboardInterrupt):
        other.start()
        other.join()
        time.sleep(1)
        raise AssertionError("nobody has interrupted")


def takes_the_lock_that_ends_a_thread():
    """Until 3.12 a thread has one; who takes it keeps others from seeing that the thread has ended."""
    thread = threading.Thread(target=int)
    thread.start()
    if (lock := getattr(thread, "_tstate_lock", None)) is not None:
        assert lock.acquire(timeout=60)
        assert thread.is_alive()
        lock.release()
    thread.join()
    assert not thread.is_alive()


def many_wait_beside_a_sleeper():
    """Each time the sleeper sleeps, all could be lost."""
    permits = threading.Semaphore(0)

    def give():
        for _ in range(10):
            time.sleep(1)
            permits.release()

    together(give, *[permits.acquire] * 10)


class Tells:
    """Tells when it is gone."""

    def __init__(self, event):
        self.event = event

    def __del__(self):
        self.event.set()

    def does_nothing(self):
        """Be what a thread runs."""


def told_by_what_dies_with_a_thread():
    """What a thread has to itself, or was given, is gone when it is."""
    own, gone = threading.local(), [threading.Event() for _ in range(5)]

    def keep():
        own.kept = Tells(gone[0])

    def watch():
        own.watched = type("Watched", (), {})()
        weakref.finalize(own.watched, gone[1].set)

    def start():
        own.started = type("Started", (), {})()
        weakref.finalize(own.started, threading.Thread(target=gone[4].set).start)

    for function in (keep, watch, start):
        threading.Thread(target=function).start()
    _thread.start_new_thread(id, (Tells(gone[2]),))
    _thread.start_new_thread(Tells(gone[3]).does_nothing, ())
    for event in gone:
        event.wait()
