"""Programs in which what is waited for comes of itself: by the collector, at a time that somebody looks out for."""

import queue
import threading
import time
import weakref
from functools import partial

from threaded import together
from threaded_in_order import Arrivals


def beside(*functions):
    """Start threads."""
    for function in functions:
        threading.Thread(target=function).start()


def told_at_exit():
    """The interpreter tells whom it waits for before it exits, as it tells the workers of pools."""
    work = queue.Queue()
    threading._register_atexit(work.put, None)
    beside(work.get)


class Lease:
    """Gives back what was taken out of a pool when it is gone; in a ring of references that is when it is collected."""

    def __init__(self, pool):
        self.pool, self.taken, self.ring = pool, pool.get(), self

    def __del__(self):
        self.pool.put(self.taken)


class Watched:
    """Is in a ring of references, and has a weak one."""

    def __init__(self):
        self.ring = self


def _beside_a_beat(work):
    over = threading.Event()

    def beat():
        while not over.wait(60):
            pass

    beside(beat)
    work()
    over.set()


def lease_of_the_collector():
    pool = queue.Queue()
    pool.put("connection")

    def work():
        Lease(pool)
        Lease(pool)

    _beside_a_beat(work)


def event_of_the_collector():
    done = threading.Event()

    def work():
        weakref.finalize(Watched(), done.set)
        done.wait()

    _beside_a_beat(work)


def lock_of_the_collector():
    lock = threading.Lock()

    def held():
        with lock:
            yield ring

    def work():
        nonlocal ring
        ring = held()
        next(ring)
        ring = [ring]
        ring.append(ring)
        ring = None
        lock.acquire()

    ring = None
    _beside_a_beat(work)


BY_THE_COLLECTOR = [lease_of_the_collector, event_of_the_collector, lock_of_the_collector]
"""What is waited for comes when the collector runs, as it may wherever somebody still moves."""


class Leases:
    """Permits that are given back by whoever has taken one, or, when he has had it for ten days, by somebody else."""

    def __init__(self):
        self.permits, self.lock, self.ends = threading.Semaphore(1), threading.Lock(), {}

    def take(self, who):
        self.permits.acquire()
        with self.lock:
            self.ends[who] = time.monotonic() + DAYS

    def give(self, who):
        with self.lock:
            del self.ends[who]
        self.permits.release()

    def look(self):
        now = time.monotonic()
        for who in [who for who, ends in self.ends.items() if ends <= now]:
            self.give(who)


DAYS = 10 * 24 * 3_600.0


def lease_that_expires():
    """One of two forgets to give his lease back; who comes behind him waits until it has expired."""
    leases, over = Leases(), threading.Event()

    def looks():
        while not over.wait(60):
            leases.look()

    def has(who):
        leases.take(who)
        if who:
            leases.give(who)

    beside(looks)
    together(partial(has, 0), partial(has, 1))
    over.set()


class Works:
    """Knows what is to be done until when."""

    def __init__(self):
        self.begun = []

    def expire(self):
        for done in self.begun:
            done.set()


def work_that_is_given_up():
    """It is said to be done by whoever has done it, and by whoever finds that it takes too long."""
    done, arrivals, works, over = threading.Event(), Arrivals(), Works(), []
    works.begun.append(done)

    def work():
        if not arrivals.first("worker"):
            done.set()

    def watch():
        end = time.monotonic() + DAYS
        while time.monotonic() < end and not over:
            time.sleep(60)
        if not over:
            works.expire()

    beside(watch, work)
    arrivals.first("main")
    done.wait()
    over.append(1)


BY_THE_CLOCK = [lease_that_expires, work_that_is_given_up]
"""Somebody looks at the clock, more often than a run has steps, before his time comes."""
