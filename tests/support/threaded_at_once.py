"""Programs in which two waits end at the same moment, by time, and who is first ends the other's wait.

The other one never times out then; but he could have been the first, and then he does.
"""

import queue
import threading
from concurrent.futures import Future, wait


def _event():
    event = threading.Event()
    return lambda: event.wait(1), event.set


def _lock():
    lock = threading.Lock()
    lock.acquire()
    return lambda: lock.acquire(timeout=1), lock.release


def _semaphore():
    semaphore = threading.Semaphore(0)
    return lambda: semaphore.acquire(timeout=1), semaphore.release


def _simple_queue():
    items = queue.SimpleQueue()

    def gets():
        try:
            return items.get(timeout=1)
        except queue.Empty:
            return False

    return gets, lambda: items.put(True)


def _future():
    future = Future()
    return lambda: bool(wait([future], timeout=1).done), lambda: future.set_result(1)


WAITS = {made.__name__.strip("_"): made for made in (_event, _lock, _semaphore, _simple_queue, _future)}
"""What makes a wait of a second that says whether it was ended in time, and what ends it."""

TAKES = {name: WAITS[name] for name in ("lock", "semaphore", "simple_queue")}
"""Of those, where one alone gets what there is."""


def wakes_after_a_wait(made, ended):
    """Two waits end at the same moment; it fails where the one has ended so."""
    waits, ends = made()
    other, found = threading.Event(), []

    def tells():
        other.wait(1)
        ends()

    thread = threading.Thread(target=tells)
    thread.start()
    found.append(waits())
    thread.join()
    assert found != [ended]


def one_gives_up(made, first):
    """Two wait until their time is up, and one of them gets what there is; it fails where that is ``first``."""
    waits, ends = made()
    got = {}

    def asks(number):
        got[number] = waits()

    threads = [threading.Thread(target=asks, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    ends()
    for thread in threads:
        thread.join()
    assert not got[first]


def wakes_whoever_waits(ended):
    """One after the other, each may be first; it fails where they were told as ``ended`` has it."""
    told = []
    for _ in ended:
        both = threading.Condition()

        def tells(both=both):
            with both:
                both.wait(1)
                both.notify()

        thread = threading.Thread(target=tells)
        with both:
            thread.start()
            told.append(both.wait(1))
        thread.join()
    assert told != list(ended)
