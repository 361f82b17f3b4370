"""A condition's waiters release its lock, are woken in the order in which they came, and acquire it again."""

import threading

import pytest
import toys

from simcore.errors import ModelError
from simcore.kernel import Kernel
from simcore.model import Model


def waiting(*names, timeout=None, make="rlock", notify=None):
    """Build waiters, and a notifier that acquires, calls ``notify(condition)``, releases."""
    model = Model("waiting")
    lock = getattr(model, make)("lock")
    ready = model.condition("ready", lock)

    def wait():
        yield ready.acquire()
        notified = yield ready.wait(timeout)
        yield ready.release()
        return notified

    def wake():
        yield ready.acquire()
        yield notify(ready) if notify else ready.notify()
        yield ready.release()

    for name in names:
        model.process(name, wait)
    model.process("waker", wake)
    return model


def test_waiting_releases_the_lock():
    assert toys.run(waiting("a"), "a", "a")["lock"].owner is None


def test_a_waiter_is_blocked_until_it_is_notified():
    assert toys.run(waiting("a"), "a", "a").process("a").blocked


def test_a_notified_waiter_waits_for_the_lock():
    kernel = Kernel(waiting("a"))
    state = toys.walk(kernel, kernel.initial, "a", "a", "waker", "waker")
    assert kernel.view(state).process("a").blocked
    assert toys.enabled(kernel, toys.walk(kernel, state, "waker")) == ["a"]


@pytest.mark.parametrize(
    ("order", "woken"), [(("a", "a", "b", "b"), "a"), (("b", "b", "a", "a"), "b"), (("a", "b", "a", "b"), None)]
)
def test_notify_wakes_who_came_first(order, woken):
    kernel = Kernel(waiting("a", "b"))
    if woken is None:  # b cannot acquire before a has released the lock by waiting
        with pytest.raises(AssertionError, match="b cannot take"):
            toys.walk(kernel, kernel.initial, *order)
        return
    state = toys.walk(kernel, kernel.initial, *order, "waker", "waker", "waker")
    assert toys.enabled(kernel, state) == [woken]


@pytest.mark.parametrize(
    ("notify", "woken"),
    [
        (lambda ready: ready.notify(), ["a"]),
        (lambda ready: ready.notify(2), ["a", "b"]),
        (lambda ready: ready.notify(9), ["a", "b", "c"]),
        (lambda ready: ready.notify(0), []),
        (lambda ready: ready.notify(-1), []),
        (lambda ready: ready.notify_all(), ["a", "b", "c"]),
    ],
)
def test_notify_wakes_as_many_as_it_says(notify, woken):
    kernel = Kernel(waiting("a", "b", "c", notify=notify), "never")
    state = toys.walk(kernel, kernel.initial, "a", "a", "b", "b", "c", "c", "waker", "waker", "waker")
    assert toys.enabled(kernel, state) == woken


def test_a_notification_without_a_waiter_is_lost():
    assert toys.run(waiting("a"), "waker", "waker", "waker", "a", "a").deadlocked


def test_a_notified_wait_is_true():
    assert toys.finish(waiting("a"), "a", "a")["a"] is True


def test_a_wait_that_timed_out_acquires_the_lock_again_and_is_false():
    kernel = Kernel(waiting("a", timeout=1.0))
    state = toys.walk(kernel, kernel.initial, "a", "a", "waker", "waker", "waker", "a", "a")
    assert kernel.view(state).process("a").result is True  # notified before
    state = toys.walk(kernel, kernel.initial, "a", "a", "a", "a")
    assert kernel.view(state)["lock"].owner.name == "a"
    assert kernel.view(toys.walk(kernel, state, "a")).process("a").result is False


def test_a_time_out_while_the_lock_is_held_waits_for_the_lock():
    kernel = Kernel(waiting("a", timeout=1.0), "anytime")
    state = toys.walk(kernel, kernel.initial, "a", "a", "waker", "a")
    assert kernel.view(state).process("a").blocked
    assert toys.finish(kernel.model, "a", "a", "waker", "a", timeouts="anytime")["a"] is False


def test_a_time_out_after_the_notification_changes_nothing():
    kernel = Kernel(waiting("a", timeout=1.0), "anytime")
    state = toys.walk(kernel, kernel.initial, "a", "a", "waker", "waker")
    assert toys.enabled(kernel, state) == ["waker"]
    assert toys.finish(kernel.model, "a", "a", "waker", "waker", timeouts="anytime")["a"] is True


def test_a_waiter_that_timed_out_takes_a_notification_until_it_has_the_lock_again():
    kernel = Kernel(waiting("a", "b", timeout=1.0), "anytime")
    state = toys.walk(kernel, kernel.initial, "a", "a", "b", "b", "waker", "a", "waker", "waker")
    assert [process.name for _, process in kernel.view(state)["lock"].waiters] == ["b"]
    assert toys.finish(kernel.model, "a", "a", "b", "b", "waker", "a", "waker", timeouts="anytime")["a"] is False


def test_a_waiter_that_timed_out_takes_none_once_it_has_the_lock_again():
    kernel = Kernel(waiting("a", "b", timeout=1.0), "anytime")
    state = toys.walk(kernel, kernel.initial, "a", "a", "b", "b", "a", "a")
    assert [process.name for _, process in kernel.view(state)["lock"].waiters] == ["b"]
    assert toys.finish(kernel.model, "a", "a", "b", "b", "a", "a", "a", *["waker"] * 3, timeouts="anytime")["b"] is True


@pytest.mark.parametrize(("timeouts", "expected"), [("never", []), ("when_stuck", ["a"]), ("anytime", ["a", "waker"])])
def test_the_time_out_of_a_wait_follows_the_rule(timeouts, expected):
    kernel = Kernel(waiting("a", timeout=1.0), timeouts)
    order = ["a", "a"] if timeouts == "anytime" else ["waker", "waker", "waker", "a", "a"]
    assert sorted(toys.enabled(kernel, toys.walk(kernel, kernel.initial, *order))) == expected


def test_two_conditions_share_a_lock_and_not_their_waiters():
    model = Model("buffer")
    lock = model.lock("lock")
    full, empty = model.condition("full", lock), model.condition("empty", lock)

    def wait(condition):
        yield lock.acquire()
        yield condition.wait()

    def wake():
        yield lock.acquire()
        yield full.notify_all()
        yield lock.release()

    model.process("f", wait, full)
    model.process("e", wait, empty)
    model.process("waker", wake)
    kernel = Kernel(model)
    assert toys.enabled(kernel, toys.walk(kernel, kernel.initial, "e", "e", "f", "f", *["waker"] * 3)) == ["f"]


def test_a_wait_gives_back_every_level_of_a_reentrant_lock():
    model = waiting("a")
    ready = model.conditions[0]

    def deep():
        yield ready.acquire()
        yield ready.acquire()
        yield ready.wait()
        yield ready.release()
        yield ready.release()

    model.process("deep", deep)
    assert toys.run(model, "deep", "deep", "deep")["lock"].owner is None
    assert toys.run(model, *["deep"] * 3, *["waker"] * 3, "deep")["lock"].depth == 2
    assert toys.run(model, *["deep"] * 3, *["waker"] * 3, *["deep"] * 3)["lock"].owner is None


@pytest.mark.parametrize("lock", [threading.Lock, threading.RLock])
def test_misuse_of_a_condition_raises_what_the_real_one_raises(lock):
    model = Model("real")
    condition = model.condition("condition", model.lock("l") if lock is threading.Lock else model.rlock("l"))
    results = toys.agree(
        model,
        condition,
        threading.Condition(lock()),
        ("notify",),
        ("notify_all",),
        ("wait",),
        ("release",),
        ("acquire",),
        ("notify", 3),
        ("wait", 0.001),
        ("wait", {"timeout": 0}),
        ("release",),
        ("wait", 0.001),
    )
    assert results[2] == (RuntimeError, "cannot wait on un-acquired lock")


def by_another(lock):
    """Return what the standard library does when B notifies while A holds the lock."""
    condition, result = threading.Condition(lock), []

    def b():
        try:
            result.append(condition.notify())
        except RuntimeError as error:
            result.append(str(error))

    with condition:
        thread = threading.Thread(target=b)
        thread.start()
        thread.join()
    return result[0]


@pytest.mark.parametrize(("make", "real"), [("lock", threading.Lock), ("rlock", threading.RLock)])
def test_only_a_reentrant_lock_knows_that_another_process_holds_it(make, real):
    model = Model("held")
    lock = getattr(model, make)("lock")
    condition = model.condition("condition", lock)

    def hold():
        yield condition.acquire()

    def notify():
        try:
            return (yield condition.notify())
        except RuntimeError as error:
            return str(error)

    model.process("a", hold)
    model.process("b", notify)
    assert toys.finish(model, "a")["b"] == by_another(real())


def test_a_condition_has_a_reentrant_lock_of_its_own_when_none_is_given():
    model = Model("own")
    condition = model.condition("condition")
    assert (condition.lock.kind, condition.lock.name) == ("rlock", "condition.lock")


def test_a_condition_on_the_lock_of_another_model_is_refused():
    with pytest.raises(ModelError, match="belongs to another model"):
        Model("one").condition("condition", Model("other").lock("lock"))


def test_a_condition_of_another_model_is_refused_where_it_is_used():
    other = Model("other")
    condition = other.condition("condition")
    model = Model("one")
    model.lock("padding")

    def wait():
        yield condition.wait()

    model.process("p", wait)
    with pytest.raises(ModelError, match="condition does not belong to model 'one'"):
        Kernel(model)


def test_a_notified_waiter_is_said_to_wait_for_the_owner_of_the_lock():
    view = toys.run(waiting("a"), "a", "a", "waker", "waker")
    a = view.process("a")
    wait = a.operation.target.blocked_on(view["lock"], a.operation, a.process)
    assert [process.name for process in wait.processes] == ["waker"]


def test_a_waiter_that_has_given_up_is_said_to_wait_for_the_owner_of_the_lock():
    kernel = Kernel(waiting("a", "b", timeout=1.0), "anytime")
    view = kernel.view(toys.walk(kernel, kernel.initial, "a", "a", "b", "b", "waker", "a"))
    a = view.process("a")
    wait = a.operation.target.blocked_on(view["lock"], a.operation, a.process)
    assert [process.name for process in wait.processes] == ["waker"]
