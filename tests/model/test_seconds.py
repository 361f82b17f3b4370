"""What is refused as a number of seconds, in every operation that waits: some CPython raises for it."""

from __future__ import annotations

import math
import sys
import threading
from decimal import Decimal
from fractions import Fraction

import pytest

from simcore import Model, ModelError, explore, sleep
from simcore.kernel import Kernel
from simcore.model.operations import LONGEST

REFUSED = [math.inf, math.nan, -1, -0.5, "1", Decimal("0.1"), Fraction(1, 3), 1e300, 10**400, LONGEST + 1, [1], 1j]
ACCEPTED = [0, 0.0, 1, 0.25, True, 1e-10, LONGEST, None]


def waits(seconds):
    """Return every operation that takes a time-out, by name, as a function that builds it."""
    model = Model("waits")
    objects = {
        "lock": (model.lock("lock"), "acquire"),
        "rlock": (model.rlock("rlock"), "acquire"),
        "event": (model.event("event"), "wait"),
        "condition": (model.condition("condition"), "wait"),
        "semaphore": (model.semaphore("semaphore", 0), "acquire"),
        "future": (model.future("future"), "result"),
        "queue": (model.queue("queue"), "get"),
        "link": (model.link("link"), "recv"),
    }
    made = {
        name: lambda thing=thing, how=how: getattr(thing, how)(timeout=seconds)
        for name, (thing, how) in objects.items()
    }
    return {**made, "exception": lambda: objects["future"][0].exception(timeout=seconds)}


def yielding(operation) -> Model:
    model = Model("one wait")
    event = model.event("event")

    def process():
        yield event.set()
        yield operation()

    model.process("process", process)
    return model


@pytest.mark.parametrize("seconds", REFUSED, ids=lambda seconds: str(seconds)[:8])
@pytest.mark.parametrize("name", list(waits(1)))
def test_a_wait_that_some_cpython_refuses_is_refused_in_one_line(name, seconds):
    build = waits(seconds)[name]
    with pytest.raises(ModelError, match="None") as caught:
        build()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seconds", [*REFUSED, None], ids=lambda seconds: str(seconds)[:8])
def test_so_is_a_sleep_and_a_timer(seconds):
    with pytest.raises(ModelError, match=r"sleep.* (seconds|s)\b"):
        explore(yielding(lambda: sleep(seconds)))
    with pytest.raises(ModelError, match="timer 't'"):
        Model("m").timer("t", seconds, lambda: None)


@pytest.mark.parametrize("seconds", ACCEPTED, ids=str)
@pytest.mark.parametrize("name", list(waits(1)))
def test_an_int_or_a_float_that_every_cpython_takes_is_taken(name, seconds):
    assert str(waits(seconds)[name]())


@pytest.mark.skipif(sys.maxsize < 2**32 or sys.platform == "win32", reason="shorter waits there")
def test_the_longest_wait_is_that_of_threading():
    assert int(threading.TIMEOUT_MAX) == LONGEST


@pytest.mark.parametrize("timeouts", ["never", "when_stuck", "in_order", "anytime"])
def test_a_sleep_of_less_than_clocks_count_still_is_one(timeouts):
    def process():
        yield sleep(1e-10)

    model = Model("tiny")
    model.process("process", process)
    event = model.event("event")
    model.process("other", lambda: (yield event.set()))
    kernel = Kernel(model, timeouts)
    first = {kernel.processes[choice.process].name for choice in kernel.successors(kernel.initial)}
    assert first == ({"other", "process"} if timeouts == "anytime" else {"other"})
