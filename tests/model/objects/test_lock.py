"""A lock belongs to the process that acquired it; whoever else wants it waits."""

import threading

import pytest
import toys

from simcore.errors import ModelError
from simcore.kernel import Kernel
from simcore.model import Model
from simcore.model.objects import sleep


def two(make="lock", **arguments):
    """Build two processes that acquire one lock and keep it, and return what acquire gave."""
    model = Model("two")
    lock = getattr(model, make)("lock")

    def take():
        return (yield lock.acquire(**arguments))

    model.process("a", take)
    model.process("b", take)
    return model


@pytest.mark.parametrize("make", ["lock", "rlock"])
def test_a_held_lock_blocks_others(make):
    assert toys.run(two(make), "a").process("b").blocked


def test_a_lock_names_its_owner():
    assert toys.run(two(), "a")["lock"].owner.name == "a"


def test_a_lock_taken_twice_waits_for_its_owner():
    model = Model("twice")
    lock = model.lock("lock")

    def twice():
        yield lock.acquire()
        yield lock.acquire()

    model.process("p", twice)
    assert toys.run(model, "p").deadlocked


def test_a_released_lock_may_be_taken_by_any_waiter():
    model = two()
    lock = model.objects[1]

    def hand_over():
        yield lock.acquire()
        yield lock.release()

    model.process("c", hand_over)
    kernel = Kernel(model)
    assert toys.enabled(kernel, toys.walk(kernel, kernel.initial, "c", "c")) == ["a", "b"]


@pytest.mark.parametrize("make", ["lock", "rlock"])
def test_a_lock_gives_what_the_real_one_gives(make):
    model = Model("real")
    real = {"lock": threading.Lock, "rlock": threading.RLock}[make]()
    toys.agree(
        model,
        getattr(model, make)("lock"),
        real,
        ("release",),
        ("acquire",),
        ("release",),
        ("release",),
        ("acquire", False),
        ("release",),
        ("acquire", True, {"timeout": 0.001}),
        ("acquire", False, {"timeout": 1}),
        ("release",),
        ("release",),
    )


def test_a_held_lock_refuses_like_the_real_one():
    model = Model("real")
    calls = [("acquire",), ("acquire", False), ("acquire", {"timeout": 0.001}), ("locked",), ("release",), ("locked",)]
    assert toys.agree(model, model.lock("lock"), threading.Lock(), *calls) == [True, False, False, True, None, False]


def test_an_rlock_counts_like_the_real_one():
    model = Model("real")
    calls = [("acquire",), ("acquire",), ("release",), ("release",), ("release",)]
    results = toys.agree(model, model.rlock("lock"), threading.RLock(), *calls)
    assert results[-1] == (RuntimeError, "cannot release un-acquired lock")


def test_an_rlock_released_once_too_few_stays_held():
    model = two("rlock")
    lock = model.objects[1]

    def deep():
        yield lock.acquire()
        yield lock.acquire()
        yield lock.release()

    model.process("c", deep)
    assert toys.run(model, "c", "c", "c").process("a").blocked


def release_by_another(make):
    model = two(make)
    lock = model.objects[1]

    def release():
        try:
            yield lock.release()
        except RuntimeError as error:
            return str(error)
        return "released"

    model.process("c", release)
    return toys.run(model, "a", "c")


def test_a_plain_lock_is_released_by_whoever_calls_release():
    view = release_by_another("lock")
    assert (view.process("c").result, view["lock"].owner) == ("released", None)


def test_an_rlock_refuses_a_release_by_another_process():
    view = release_by_another("rlock")
    assert view.process("c").result == "cannot release un-acquired lock"
    assert view["lock"].owner.name == "a"


def test_an_exception_that_nobody_catches_fails_the_process():
    model = Model("fails")
    lock = model.lock("lock")

    def release():
        yield lock.release()

    model.process("p", release)
    view = toys.run(model, "p")
    assert (view.process("p").status, str(view.process("p").result)) == (
        "failed",
        "RuntimeError: release unlocked lock",
    )


@pytest.mark.parametrize("make", ["lock", "rlock"])
@pytest.mark.parametrize(("timeouts", "expected"), [("never", []), ("when_stuck", ["b"]), ("anytime", ["b"])])
def test_the_time_out_of_an_acquire_follows_the_rule(make, timeouts, expected):
    kernel = Kernel(two(make, timeout=1.0), timeouts)
    assert toys.enabled(kernel, toys.walk(kernel, kernel.initial, "a")) == expected


def test_an_acquire_that_timed_out_is_false_and_leaves_the_lock():
    view = toys.run(two(timeout=1.0), "a", "b")
    assert (view.process("b").result, view["lock"].owner.name) == (False, "a")


@pytest.mark.parametrize("timeouts", ["never", "when_stuck", "anytime"])
def test_an_acquire_with_a_time_out_of_zero_is_a_try_under_every_rule(timeouts):
    kernel = Kernel(two(timeout=0), timeouts)
    state = toys.walk(kernel, kernel.initial, "a")
    assert toys.enabled(kernel, state) == ["b"]
    assert kernel.view(toys.walk(kernel, state, "b")).process("b").result is False


def test_an_acquire_with_a_time_out_of_zero_does_not_wait_for_others_to_move():
    model = two(timeout=0)
    model.process("other", lambda: (yield sleep(0)))
    kernel = Kernel(model)
    assert toys.enabled(kernel, toys.walk(kernel, kernel.initial, "a")) == ["b", "other"]


@pytest.mark.parametrize("timeout", [-1, float("nan")])
def test_a_time_out_that_is_no_duration_is_refused(timeout):
    with pytest.raises(ModelError, match=r"lock\.acquire.*number of seconds"):
        Model("m").lock("lock").acquire(timeout=timeout)


def test_a_lock_waits_for_its_owner():
    view = toys.run(two(), "a")
    lock = next(iter(thing for thing in view.values if thing.name == "lock"))
    wait = lock.blocked_on(view["lock"], lock.acquire(), view.process("b").process)
    assert [process.name for process in wait.processes] == ["a"]


def test_a_lock_says_who_holds_it():
    view = toys.run(two(), "a")
    assert str(view) == "lock: held by a"
