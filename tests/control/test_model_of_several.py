"""What a run that hangs does not show comes from another one, of which it is known what is the same in both."""

import queue
import threading

import pytest
from test_model_of_code import built

from simcore import Verdict, control, explore
from simcore.control import conforms


def takes_it_or_gives_up():
    """Who begins to wait for the only permit has it for good; the other one gives up, or waits for ever."""
    permits = threading.Semaphore(1)
    thread = threading.Thread(target=permits.acquire, name="waits")
    thread.start()
    permits.acquire(timeout=1)
    thread.join()


def takes_it_at_once_or_never():
    lock, items = threading.Lock(), queue.SimpleQueue()

    def gets():
        with lock:
            items.get()

    thread = threading.Thread(target=gets, name="gets")
    thread.start()
    if lock.acquire(blocking=False):
        items.put(1)
        lock.release()
    thread.join()


def meets_others_first():
    """Where nothing is put, what is got from was met later than where something is."""
    lock, taken, goes_on, items = threading.Lock(), threading.Event(), threading.Event(), queue.SimpleQueue()

    def gets():
        with lock:
            taken.set()
        goes_on.wait()
        items.get()

    def puts():
        with lock:
            if taken.is_set():
                threading.Event().is_set()
            else:
                items.put(1)
        goes_on.set()

    threads = [threading.Thread(target=each, name=each.__name__) for each in (puts, gets)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    items.qsize()


@pytest.mark.some(3)
@pytest.mark.parametrize("timeouts", ["when_stuck", "in_order"])
@pytest.mark.parametrize("body", [takes_it_or_gives_up, takes_it_at_once_or_never, meets_others_first])
def test_the_model_of_a_hang_beside_a_run_that_has_ended_is_that_of_the_hang(body, timeouts):
    seen = control(body, timeouts=timeouts, schedules=60)
    assert seen.violation.kind == "deadlock"
    source = seen.model()
    assert "(2)" not in source  # one object, whichever run has met it when
    told = conforms(seen, built(seen))
    assert told.verdict is Verdict.HOLDS, f"{told}\n{source}"
    assert explore(built(seen), timeouts=timeouts).verdict is Verdict.VIOLATED, source
