"""Each object does what the standard library's does: 200 random sequences of calls that do not block, for each of them.

The model's side is the object's pure functions alone, so this runs on every supported Python with pytest and the
packages that simcore itself needs. Results, types of exceptions and their texts are compared; not the text of an
InvalidStateError, which is CPython's own representation of the future.
"""

from __future__ import annotations

import concurrent.futures
import queue
import random
import threading
from types import SimpleNamespace

import pytest

from simcore.model.objects import Condition, Event, Future, Lock, Queue, RLock, Semaphore, ThreadPool, Timer
from simcore.model.operations import Operation, Raised

SEQUENCES, LENGTH = 200, 30
BLOCKS = object()


class Modelled:
    """An object of the model and its value, used by one process."""

    def __init__(self, thing):
        self.thing, self.value = thing, thing.initial
        self.process = SimpleNamespace(name="alone", pool=None, index=0)

    def call(self, name, *args, **keywords):
        """Return what the call gives, or `BLOCKS`; then nothing has happened."""
        before = self.value
        result = getattr(self.thing, name)(*args, **keywords)
        while isinstance(result, Operation):
            result = self._perform(result)
        if result is BLOCKS:
            self.value = before
        if isinstance(result, Raised):
            raise result.build()
        return result

    def _perform(self, operation):
        owner = getattr(operation.target, "lock", operation.target)
        assert owner in (self.thing, getattr(self.thing, "lock", None))
        made = (Future("made"),) if operation.name in operation.target.creates else ()
        outcomes = operation.target.outcomes(self.value, operation, self.process, *made)
        if not outcomes and operation.timeout == 0:
            outcomes = operation.target.expired(self.value, operation, self.process)
        if not outcomes:
            return BLOCKS
        self.value, result = outcomes[0]
        return result


def shown(call, name, *args, **keywords):
    """Return what a call gives, in a form in which both sides can be compared."""
    try:
        result = call(name, *args, **keywords)
    except Exception as error:
        return type(error), "" if isinstance(error, concurrent.futures.InvalidStateError) else str(error)
    if isinstance(result, BaseException):  # the model gives the type of the exception that a future has
        return type(result)
    return "a future" if isinstance(result, Future | concurrent.futures.Future) else result


def task():
    yield from ()


LOCKING = [
    ("acquire",),
    ("acquire", False),
    ("acquire", {"timeout": 0}),
    ("acquire", True, 0),
    ("acquire", False, 1),
    ("release",),
    ("release",),
]
NOTIFYING = [("wait",), ("wait", 0), ("wait", 0.0), ("notify",), ("notify", 2), ("notify", 0), ("notify_all",)]

KINDS = {
    "lock": (lambda: Lock("x"), threading.Lock, [*LOCKING, ("locked",)]),
    "rlock": (lambda: RLock("x"), threading.RLock, LOCKING),
    "event": (
        lambda: Event("x"),
        threading.Event,
        [("set",), ("clear",), ("is_set",), ("wait",), ("wait", 0), ("wait", {"timeout": 0.0})],
    ),
    "condition on a lock": (
        lambda: Condition("x", Lock("l")),
        lambda: threading.Condition(threading.Lock()),
        LOCKING + NOTIFYING,
    ),
    "condition on an rlock": (lambda: Condition("x", RLock("l")), threading.Condition, LOCKING + NOTIFYING),
    "semaphore": (
        lambda: Semaphore("x", 2),
        lambda: threading.Semaphore(2),
        [*LOCKING, ("release", 2), ("release", 0), ("release", -1)],
    ),
    "queue": (
        lambda: Queue("x", 3),
        lambda: queue.Queue(3),
        [
            ("put", 1),
            ("put", 2, False),
            ("put", 3, {"timeout": 0}),
            ("get",),
            ("get", False),
            ("get", {"timeout": 0}),
            ("qsize",),
        ],
    ),
    "unbounded queue": (
        lambda: Queue("x"),
        queue.Queue,
        [("put", 1), ("put", None, False), ("get", False), ("qsize",)],
    ),
    "future": (
        lambda: Future("x"),
        concurrent.futures.Future,
        [
            ("set_result", 1),
            ("set_exception", KeyError("k", 2)),
            ("result",),
            ("result", 0),
            ("exception", 0),
            ("exception",),
            ("done",),
            ("done",),
            ("result", {"timeout": 0}),
        ],
    ),
    "thread pool": (
        lambda: ThreadPool("x", 1),
        lambda: concurrent.futures.ThreadPoolExecutor(1),
        [*[("submit", task)] * 8, ("shutdown", False), ("shutdown", {"wait": False})],
    ),
    "timer": (
        lambda: Timer("x", 30),
        lambda: threading.Timer(30, print),
        [("start",), ("cancel",), ("cancel",)],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_gives_what_the_librarys_gives(kind):
    make, real_one, calls = KINDS[kind]
    performed = 0
    for seed in range(SEQUENCES):
        chosen, modelled, real = random.Random(f"{kind} {seed}"), Modelled(make()), real_one()
        done = []
        for name, *args in (chosen.choice(calls) for _ in range(LENGTH)):
            keywords = args.pop() if args and isinstance(args[-1], dict) else {}
            expected = shown(modelled.call, name, *args, **keywords)
            if expected is BLOCKS:
                continue
            done.append((name, args, keywords))
            assert (
                shown(lambda name, *a, real=real, **k: getattr(real, name)(*a, **k), name, *args, **keywords)
                == expected
            ), done
        performed += len(done)
        getattr(real, "cancel", lambda: None)() if kind == "timer" else None
    assert performed > SEQUENCES * LENGTH / 4
