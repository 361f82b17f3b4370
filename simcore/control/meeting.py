"""What is seen of an object when a run meets it: what it is called and is, how much it takes, and what it holds."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from simcore.control.naming import Names
from simcore.control.operations import prefix_of
from simcore.control.primitives import LOCK, QUEUE, RLOCK
from simcore.control.thread import ControlledThread

_KINDS = ("LifoQueue", "PriorityQueue", "Queue", "Semaphore", "Event", "Condition", "Future", "Thread")
TYPES = {LOCK: "Lock", RLOCK: "RLock", QUEUE: "SimpleQueue"}


def name_in(names: Names, thing: Any, kind: str) -> str:
    """Return what an object is called; a pool as its threads are."""
    own = prefix_of(thing) if isinstance(thing, ThreadPoolExecutor) else ""
    return own or names.of(thing, kind.lower())


def kind_of(thing: Any) -> str:
    """Return its type, or of which type of the library it is a subclass."""
    if type(thing) in TYPES:
        return TYPES[type(thing)]
    if isinstance(thing, ControlledThread):
        return "Thread"
    bases = [base.__name__ for base in type(thing).__mro__]
    return next((name for name in bases if name in (*_KINDS, "ThreadPoolExecutor")), type(thing).__name__)


def size_of(thing: Any) -> int | None:
    """Return the workers of a pool, the permits of a semaphore, the places of a queue that has a bound."""
    if isinstance(thing, ThreadPoolExecutor):
        return thing._max_workers
    if isinstance(thing, threading.Semaphore):
        return int(thing._value)
    return thing.maxsize if isinstance(thing, queue.Queue) and thing.maxsize > 0 else None


def before(thing: Any) -> str:
    """Say what an object holds already."""
    if isinstance(thing, queue.Queue) and thing._qsize():
        return f"{thing._qsize()} in it"
    if isinstance(thing, threading.Event) and thing.is_set():
        return "set"
    return ""
