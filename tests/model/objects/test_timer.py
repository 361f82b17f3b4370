"""A timer runs a function once, some time after it was started, unless it is cancelled before."""

import threading

import pytest
import toys

from simcore.kernel import Kernel
from simcore.model import Model


def model_of(*calls, interval=1.0):
    """A process makes ``calls`` on a timer whose function adds 1 to ``fired``."""
    model = Model("timer")
    fired = model.variable("fired", 0)

    def fire():
        yield fired.update(lambda old: old + 1)

    timer = model.timer("timer", interval, fire)

    def use():
        given = ()
        for name in calls:
            try:
                given += ((yield getattr(timer, name)()),)
            except RuntimeError as error:
                given += (str(error),)
        return given

    model.process("user", use)
    return model


def ends(*calls, timeouts="anytime"):
    """Return how often the function ran, over all ways to the end."""
    kernel = Kernel(model_of(*calls), timeouts)
    space = toys.space(kernel)
    return {kernel.view(state)["fired"] for state in space.distance if not kernel.successors(state)}


@pytest.mark.parametrize("timeouts", ["never", "when_stuck", "anytime"])
def test_a_started_timer_fires_once_under_every_rule(timeouts):
    assert ends("start", timeouts=timeouts) == {1}


def test_a_timer_that_was_not_started_never_fires():
    assert ends() == {0}


def test_a_timer_cancelled_before_it_was_started_never_fires():
    assert ends("cancel", "start") == {0}


def test_a_timer_cancelled_after_it_was_started_may_have_fired():
    assert ends("start", "cancel") == {0, 1}


def test_a_timer_cancelled_at_once_never_fires_on_a_fast_machine():
    assert ends("start", "cancel", timeouts="when_stuck") == {0}


def test_a_timer_that_fired_takes_no_notice_of_a_cancel():
    view = toys.run(model_of("start", "cancel"), "user", "timer.run", ("timer.run", 0), "user", "timer.run")
    assert (view["timer"], view["fired"]) == ("fired", 1)


def real_second_start(cancel_first):
    timer = threading.Timer(0.001, lambda: None)
    if cancel_first:
        timer.cancel()
    timer.start()
    with pytest.raises(RuntimeError) as caught:
        timer.start()
    timer.join()
    return str(caught.value)


@pytest.mark.parametrize("cancel_first", [False, True])
def test_a_timer_started_twice_raises_what_the_real_one_raises(cancel_first):
    calls = ["cancel"] * cancel_first + ["start", "start"]
    assert toys.finish(model_of(*calls))["user"][-1] == real_second_start(cancel_first)


def test_a_timer_started_again_after_it_fired_raises():
    results = toys.finish(model_of("start", "start"), "user", "timer.run", "timer.run", "timer.run")
    assert results["user"] == (None, "threads can only be started once")


def test_a_countdown_beside_another_step_waits_for_it_on_a_fast_machine():
    kernel = Kernel(model_of("start", "cancel"))
    assert toys.enabled(kernel, toys.walk(kernel, kernel.initial, "user", "timer.run")) == ["user"]


def test_a_countdown_of_zero_seconds_may_end_at_once():
    kernel = Kernel(model_of("start", "cancel", interval=0))
    assert toys.enabled(kernel, toys.walk(kernel, kernel.initial, "user", "timer.run")) == ["timer.run", "user"]


def test_a_timer_without_a_start_keeps_nobody_waiting():
    kernel = Kernel(model_of())
    assert not kernel.view(kernel.initial).deadlocked
