"""An event is a flag: waiting for it ends once it is set, and it stays set until it is cleared."""

import threading

import pytest
import toys

from simcore.kernel import Kernel
from simcore.model import Model


def model_of(*, timeout=None):
    model = Model("event")
    event = model.event("event")

    def wait():
        return (yield event.wait(timeout))

    def change(*names):
        for name in names:
            yield getattr(event, name)()

    for name in ("a", "b"):
        model.process(name, wait)
    model.process("setter", change, "set", "clear")
    return model


def test_wait_blocks_until_it_is_set():
    kernel = Kernel(model_of())
    assert toys.enabled(kernel, kernel.initial) == ["setter"]


def test_set_lets_every_waiter_go_on():
    assert toys.enabled(*after("setter")) == ["a", "b", "setter"]


def test_an_event_stays_set():
    assert "b" in toys.enabled(*after("setter", "a"))


def test_clear_blocks_those_who_did_not_go_on():
    assert toys.enabled(*after("setter", "a", "setter")) == []


def after(*order, **how):
    kernel = Kernel(model_of(**how))
    return kernel, toys.walk(kernel, kernel.initial, *order)


def test_an_event_gives_what_the_real_one_gives():
    model = Model("real")
    calls = [("is_set",), ("wait", 0.001), ("wait", 0), ("set",), ("set",), ("wait",), ("wait", 0), ("is_set",)]
    results = toys.agree(model, model.event("event"), threading.Event(), *calls, ("clear",), ("is_set",), ("wait", 0))
    assert results == [False, False, False, None, None, True, True, True, None, False, False]


@pytest.mark.parametrize(
    ("timeouts", "expected"), [("never", ["setter"]), ("when_stuck", ["setter"]), ("anytime", ["setter", "a", "b"])]
)
def test_a_time_out_beside_another_step_follows_the_rule(timeouts, expected):
    kernel = Kernel(model_of(timeout=1.0), timeouts)
    assert toys.enabled(kernel, kernel.initial) == expected


@pytest.mark.parametrize(("timeouts", "expected"), [("never", []), ("when_stuck", ["a", "b"]), ("anytime", ["a", "b"])])
def test_a_time_out_when_stuck_follows_the_rule(timeouts, expected):
    kernel = Kernel(model_of(timeout=1.0), timeouts)
    assert toys.enabled(kernel, toys.walk(kernel, kernel.initial, "setter", "setter")) == expected


def test_a_time_out_does_not_fire_once_the_event_is_set():
    kernel = Kernel(model_of(timeout=1.0), "anytime")
    assert kernel.expiries(toys.walk(kernel, kernel.initial, "setter"), 0) == ()


def test_an_event_says_whether_it_is_set():
    model = model_of()
    assert (str(toys.run(model)), str(toys.run(model, "setter"))) == ("event: not set", "event: set")
