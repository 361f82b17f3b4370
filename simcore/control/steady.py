"""The same schedule is the same run, in any process and on any day: what else could differ is the same from the start.

A run begins with the same random numbers, identifiers and counters of names, and without garbage whose finalizers would
run in the middle of it; the collector runs where the program calls it, and nowhere else. Threads and futures are in the
order in which they were made wherever the library walks through a set of them (`operations.py`).

What is left: the order of a set of texts, which depends on ``PYTHONHASHSEED``; addresses, where a program sorts by
``id``; and what comes from outside. A run that differs from itself is found by running it twice.
"""

from __future__ import annotations

import concurrent.futures
import gc
import itertools
import os
import random
import threading
import uuid
from collections.abc import Callable
from typing import Any

from simcore.control.primitives import here

_urandom = os.urandom
_chance = random.Random(0)


def urandom(size: int, /) -> bytes:
    """Return bytes that nobody could tell from random ones, the same in each run."""
    found = here()
    if found is None:
        return _urandom(size)
    found[0].touched("random bytes")
    return _chance.randbytes(size)


FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {_urandom: urandom}


def begin() -> None:
    """Begin a run: as every other one begins."""
    gc.collect()
    gc.disable()
    random.seed(0)
    _chance.seed(0)
    threading._counter = itertools.count(1).__next__  # type: ignore[attr-defined]
    concurrent.futures.ThreadPoolExecutor._counter = itertools.count().__next__  # type: ignore[attr-defined]
    uuid._node = 1  # type: ignore[attr-defined]
    uuid._last_timestamp = None  # type: ignore[attr-defined]
    uuid._generate_time_safe = None  # type: ignore[attr-defined]
    held: set[Any] = getattr(threading, "_shutdown_locks", set())  # until 3.12; of threads that nobody has joined
    held.difference_update([lock for lock in held if not lock.locked()])
