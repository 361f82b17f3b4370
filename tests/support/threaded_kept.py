"""Somebody waits for what another one keeps, who does not give it back: an import, permits, a place at a barrier."""

import importlib
import sys
import threading
from contextlib import suppress

from threaded import together

JOINS = []
"""Whom `starts_a_loader` waits for."""


def permits_lost_on_an_error(gives_back=False):
    """Two of three jobs fail, and have a permit each then."""
    permits = threading.Semaphore(2)

    def job(fails):
        permits.acquire()
        if not fails or gives_back:
            permits.release()

    failing = [threading.Thread(target=job, args=(True,), name=f"failing[{n}]") for n in range(2)]
    for thread in failing:
        thread.start()
    for thread in failing:
        thread.join()
    job(False)


def too_few_at_a_barrier(breaks=False):
    """One of three fails before he has come to it."""
    barrier = threading.Barrier(3)

    def come(number):
        with suppress(threading.BrokenBarrierError):
            if number < 2:
                barrier.wait()
            elif breaks:
                barrier.abort()

    together(*[lambda number=number: come(number) for number in range(3)])


def imported_by_two(joins=True):
    """A module waits at its top for a thread that imports it."""
    sys.modules.pop("starts_a_loader", None)
    JOINS[:] = ["loader"] * joins
    importlib.import_module("starts_a_loader").loader.join()
