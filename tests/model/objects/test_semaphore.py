"""A semaphore is a number of permits: acquire takes one and waits while there is none, release gives back."""

import threading

import pytest
import toys

from simcore.errors import ModelError
from simcore.kernel import Kernel
from simcore.model import Model


def three(n, **arguments):
    model = Model("three")
    semaphore = model.semaphore("semaphore", n)

    def take():
        return (yield semaphore.acquire(**arguments))

    for name in "abc":
        model.process(name, take)
    return model


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_as_many_go_on_as_there_are_permits(n):
    results = toys.finish(three(n)).values()
    assert sorted(results, key=str) == [None] * (3 - n) + [True] * n


def test_a_release_lets_one_waiter_go_on():
    model = three(0)
    model.process("r", lambda: (yield model.objects[1].release()))
    assert sorted(toys.finish(model).values(), key=str) == [None, None, None, True]


def test_a_release_may_give_back_more_than_there_were():
    model = Model("more")
    semaphore = model.semaphore("semaphore", 1)
    model.process("p", lambda: (yield semaphore.release(2)))
    view = toys.run(model, "p")
    assert (view["semaphore"], semaphore.occupancy(view["semaphore"])) == (3, (0, 1))


def test_a_semaphore_gives_what_the_real_one_gives():
    model = Model("real")
    toys.agree(
        model,
        model.semaphore("semaphore", 2),
        threading.Semaphore(2),
        ("acquire",),
        ("acquire", False),
        ("acquire", False),
        ("acquire", {"timeout": 0.001}),
        ("acquire", {"timeout": 0}),
        ("acquire", False, 1),
        ("release", 0),
        ("release", 2),
        ("acquire",),
        ("acquire",),
        ("acquire", False),
        ("release",),
        ("release",),
        ("release",),
    )


@pytest.mark.parametrize(("timeouts", "expected"), [("never", []), ("when_stuck", ["b", "c"]), ("anytime", ["b", "c"])])
def test_the_time_out_of_an_acquire_follows_the_rule(timeouts, expected):
    kernel = Kernel(three(1, timeout=2.0), timeouts)
    assert toys.enabled(kernel, toys.walk(kernel, kernel.initial, "a")) == expected


def test_an_acquire_that_timed_out_is_false_and_takes_nothing():
    view = toys.run(three(0, timeout=2.0), "a")
    assert (view.process("a").result, view["semaphore"]) == (False, 0)


def test_a_negative_number_of_permits_is_refused():
    with pytest.raises(ModelError, match="at least 0, not -1"):
        Model("m").semaphore("semaphore", -1)


def test_a_semaphore_counts_the_permits_taken():
    view = toys.run(three(2), "a")
    semaphore = view.model.objects[1]
    assert (semaphore.occupancy(view["semaphore"]), str(view)) == ((1, 2), "semaphore: 1 of 2 permits free")
