"""Time-outs fire by the rules of models, and hours take no time."""

import threading
import time
from functools import partial

import kept_clocks
import pytest

from simcore import Verdict, control
from simcore.errors import OptionError


def gives_up():
    """Somebody waits a minute for one who is fast, and complains when he gives up."""
    event = threading.Event()
    thread = threading.Thread(target=event.set)
    thread.start()
    assert event.wait(60), "given up"
    thread.join()


def sets_after(seconds, limit):
    event = threading.Event()

    def late():
        time.sleep(seconds)
        event.set()

    thread = threading.Thread(target=late)
    thread.start()
    assert event.wait(limit), "given up"
    thread.join()


@pytest.mark.some(2)
@pytest.mark.parametrize(
    ("timeouts", "verdict"),
    [
        ("never", Verdict.UNDETERMINED),
        ("when_stuck", Verdict.UNDETERMINED),
        ("in_order", Verdict.VIOLATED),
        ("anytime", Verdict.VIOLATED),
    ],
)
def test_a_time_out_beside_somebody_who_moves(timeouts, verdict):
    assert control(gives_up, timeouts=timeouts, schedules=25).verdict is verdict


@pytest.mark.some(2)
@pytest.mark.parametrize(
    ("timeouts", "seconds", "limit", "verdict"),
    [
        ("never", 10, 1, Verdict.UNDETERMINED),
        ("when_stuck", 10, 1, Verdict.VIOLATED),
        ("when_stuck", 1, 10, Verdict.UNDETERMINED),
        ("in_order", 1, 10, Verdict.VIOLATED),
        ("anytime", 1, 10, Verdict.VIOLATED),
    ],
)
def test_a_time_out_beside_somebody_who_sleeps(timeouts, seconds, limit, verdict):
    assert control(lambda: sets_after(seconds, limit), timeouts=timeouts, schedules=25).verdict is verdict


def keeps_functions_of_the_library_in_a_class():
    class Clock:
        now, pause, make = time.monotonic, time.sleep, threading.Lock

    clock = Clock()
    before = clock.now()
    clock.pause(60)
    assert clock.now() >= before + 60
    clock.make().acquire()


def test_what_is_replaced_is_no_method_of_a_class_that_has_it():
    assert control(keeps_functions_of_the_library_in_a_class, schedules=1).violation is None


def test_nobody_sets_it_and_nobody_gives_up():
    result = control(lambda: threading.Event().wait(60), timeouts="never")
    assert result.violation.kind == "deadlock"


@pytest.mark.parametrize(
    "options",
    [
        {"schedules": 0},
        {"seed": "x"},
        {"strategy": "best"},
        {"timeouts": "soon"},
        {"max_steps": 0},
        {"max_seconds": "soon"},
        {"points": "everywhere"},
    ],
    ids=str,
)
def test_an_option_that_cannot_be_is_refused(options):
    with pytest.raises(OptionError, match=next(iter(options))):
        control(gives_up, **options)


def test_what_is_no_function_is_refused():
    with pytest.raises(OptionError, match="without brackets"):
        control(None)


@pytest.mark.parametrize("clocks", [kept_clocks.SECONDS, kept_clocks.KEPT], ids=["each", "kept"])
def test_time_is_virtual_by_every_clock_wherever_it_is_kept(clocks):
    def body():
        for name, clock in clocks.items():
            try:
                kept_clocks.passes(clock)
            except AssertionError as error:
                raise AssertionError(name) from error

    result = control(body, schedules=1)
    assert result.violation is None, result


@pytest.mark.slow
def test_what_depends_on_a_kept_clock_is_found():
    assert control(kept_clocks.one_that_is_too_old, strategy="dfs").violation.kind == "deadlock"
    assert control(partial(kept_clocks.one_that_is_too_old, repaired=True), strategy="dfs").verdict is Verdict.HOLDS
