"""One asks about an object while another changes it: both answers are there, and one of them is not expected."""

import queue
import threading
from concurrent.futures import ThreadPoolExecutor


def beside(change, look):
    """Return what is seen of a change that another thread makes, and who that thread is, which has ended."""
    thread = threading.Thread(target=change)
    thread.start()
    seen = look()
    thread.join()
    return seen


def _active(expected):
    assert (beside(lambda: None, threading.active_count) == 2) is expected


def _alive(expected):
    assert (beside(lambda: None, lambda: len(threading.enumerate())) == 2) is expected


def _is_alive(expected):
    thread = threading.Thread(target=lambda: None)
    thread.start()
    seen = thread.is_alive()
    thread.join()
    assert seen is expected


def _broken(expected):
    barrier = threading.Barrier(2)
    assert beside(barrier.abort, lambda: barrier.broken) is expected


def _comes_to_a_barrier(expected):
    barrier = threading.Barrier(2)
    thread = threading.Thread(target=barrier.wait)
    thread.start()
    seen = barrier.n_waiting == 1
    barrier.wait()
    thread.join()
    assert seen is expected


def _set(expected):
    event = threading.Event()
    assert beside(event.set, event.is_set) is expected


def _locked(expected):
    lock = threading.Lock()
    assert beside(lock.acquire, lock.locked) is expected


def _empty(expected):
    items = queue.Queue()
    assert beside(lambda: items.put(1), items.empty) is expected


def _simply_empty(expected):
    items = queue.SimpleQueue()
    assert beside(lambda: items.put(1), items.empty) is expected


def _done(expected):
    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(lambda: None).done()
    assert seen is expected


LOOKS = {
    f"{function.__name__.strip('_')}, {expected}": (function, expected)
    for function in (
        *(_active, _alive, _is_alive, _broken, _comes_to_a_barrier),
        *(_set, _locked, _empty, _simply_empty, _done),
    )
    for expected in (True, False)
}
"""Bodies that fail in one order of two, and what they are given."""
