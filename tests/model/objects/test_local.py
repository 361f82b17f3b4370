"""Sleep and choose are what a process does by itself."""

import pytest
import toys

from simcore.errors import ModelError
from simcore.kernel import Kernel
from simcore.model import Model
from simcore.model.objects import choose, sleep


def test_choose_gives_any_option():
    model = Model("m")

    def pick():
        return (yield choose("a", "b", "c"))

    model.process("p", pick)
    assert [toys.run(model, ("p", n)).process("p").result for n in range(3)] == ["a", "b", "c"]


def test_choose_without_an_option_is_refused():
    with pytest.raises(ModelError, match="at least one option"):
        choose()


def test_choose_among_mutable_options_is_refused():
    with pytest.raises(ModelError, match="mutable"):
        choose([1], [2])


def sleeper(seconds=1.0):
    model = Model("m")
    lock = model.lock("lock")

    def nap():
        return (yield sleep(seconds))

    def work():
        yield lock.acquire()

    model.process("sleeper", nap)
    model.process("worker", work)
    return model


@pytest.mark.parametrize(
    ("timeouts", "expected"), [("never", ["worker"]), ("when_stuck", ["worker"]), ("anytime", ["worker", "sleeper"])]
)
def test_a_sleep_beside_another_step_follows_the_rule(timeouts, expected):
    kernel = Kernel(sleeper(), timeouts)
    assert toys.enabled(kernel, kernel.initial) == expected


@pytest.mark.parametrize("timeouts", ["never", "when_stuck", "anytime"])
def test_a_sleep_ends_when_nothing_else_can_move(timeouts):
    assert toys.finish(sleeper(), timeouts=timeouts) == {"sleeper": None, "worker": None}
    assert toys.run(sleeper(), "worker", "sleeper", timeouts=timeouts).process("sleeper").done


def test_a_sleep_of_zero_seconds_is_a_step_like_any_other():
    kernel = Kernel(sleeper(0))
    assert toys.enabled(kernel, kernel.initial) == ["sleeper", "worker"]


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_a_sleep_that_is_no_duration_is_refused(seconds):
    with pytest.raises(ModelError, match="number of seconds"):
        sleep(seconds)


def test_a_sleeping_process_is_no_deadlock():
    view = toys.run(sleeper(), "worker")
    assert not view.deadlocked
