"""How many there are of everything is fitted to a few sizes and tested on others; what does not fit is refused."""

import pytest
from lawful import locks, nested

from simcore import Model, ModelError
from simcore.errors import OptionError
from simcore.sizes.structure import prove


def pool_of(size):
    """Return a function that builds clients of a pool with ``size(clients, workers)`` workers."""

    def function(*, clients: int = 1, workers: int = 1) -> Model:
        model = Model("clients of a pool")
        pool = model.thread_pool("pool", size(clients, workers))

        def inner():
            yield from ()

        def outer():
            yield (yield pool.submit(inner)).result()

        def client():
            yield (yield pool.submit(outer)).result()

        for name in model.indices("client", clients):
            model.process(name, client)
        return model

    return function


@pytest.mark.parametrize(
    ("size", "law"),
    [
        (lambda clients, workers: workers, "workers <= clients"),
        (lambda clients, workers: workers + 4, "workers <= clients - 4"),
        (lambda clients, workers: 2 * workers, "2*workers <= clients"),
        (lambda clients, workers: clients + workers, "never"),
        (lambda clients, workers: 3, "clients >= 3"),
    ],
)
def test_a_law_is_about_the_parameters_of_the_function(size, law):
    assert prove(pool_of(size)).law == law


@pytest.mark.parametrize(
    "size",
    [
        lambda clients, workers: clients * workers,
        lambda clients, workers: min(4, workers + 1),
        lambda clients, workers: workers**2,
        lambda clients, workers: workers // 2 + 1,
    ],
)
def test_a_number_that_is_no_sum_is_refused(size):
    assert "the number of units of pool is no sum of multiples of clients, workers" in prove(pool_of(size)).refused


def test_one_of_two_that_are_multiplied_can_be_given_a_value():
    proved = prove(pool_of(lambda clients, workers: clients * workers), workers=1)
    assert proved.law == "always"
    assert prove(pool_of(lambda clients, workers: clients * workers), workers=2).law == "never"


def test_a_number_that_falls_is_refused():
    """Below 0 there are none; that fewer than none cannot hang would be a wrong proof."""

    def few(*, clients: int = 1, others: int = 9) -> Model:
        return locks(left=clients, right=max(0, others - clients))

    assert "falls as clients grows" in prove(few, sizes=["clients"]).refused


def test_a_main_that_does_more_at_larger_sizes_is_refused():
    def by_size(*, permits: int = 2) -> Model:
        model = Model("main submits a task for each permit")
        semaphore, pool = model.semaphore("permits", permits), model.thread_pool("pool", 2)

        def task():
            yield semaphore.acquire()
            yield semaphore.acquire()
            yield semaphore.release(2)

        def main():
            for _ in range(permits):
                yield pool.submit(task)

        model.process("main", main)
        return model

    assert "permits is no size: it changes the programs" in prove(by_size, sizes=["permits"]).refused
    assert prove(by_size).kept


def test_a_size_that_the_law_is_not_about_need_not_be_given():
    proved = prove(nested, depth=1)
    assert proved.safe()
    assert proved.safe(clients=4)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: prove(nested, wokers=3), "has no parameter 'wokers'; it has clients, workers, depth"),
        (lambda: prove(nested, sizes=["w"]), "has no parameter 'w'"),
        (lambda: prove(nested, sizes=iter(["w"])), "has no parameter 'w'"),
        (lambda: prove(nested, sizes=5), "`sizes=5`: the names of parameters, in a list"),
        (lambda: prove(nested, sizes="workers"), r"pass a list of names, sizes=\['workers'\]"),
        (lambda: prove(nested, workers=["a"]), "workers: give whole numbers to compare"),
        (lambda: prove(nested, workers=[]), "workers: give whole numbers to compare"),
        (lambda: prove(nested()), "a value of type Model builds no model"),
        (lambda: prove(nested).safe(clients=1), "give workers a whole number"),
        (lambda: prove(nested).safe(clients=1, workers="3"), "give workers a whole number"),
        (lambda: prove(nested).safe(clients=1, workers=1, more=1), "the law of nested is about clients, workers"),
        (lambda: prove(nested, depth=range(1, 100)), "99 laws, one for each value; 64 are made"),
    ],
)
def test_a_slip_is_one_line(call, told):
    with pytest.raises(OptionError, match=told):
        call()


def test_sizes_may_be_anything_that_can_be_gone_through():
    assert list(prove(nested, sizes=iter(["clients"]), depth=2).lowest) == ["clients"]


def test_what_cannot_be_built_is_told_in_a_line():
    def lines(*, n: int = 1):
        raise ValueError("one line\nand another one")

    with pytest.raises(ModelError, match=r"lines\(n=1\) cannot be built: ValueError: one line and another one \(at "):
        prove(lines)
    with pytest.raises(ModelError, match=r"nested\(.*workers=0.*\)|at least 1 worker, not 0"):
        prove(nested, workers=0)
    with pytest.raises(ModelError, match=r"broken\(n=1\) cannot be built: ZeroDivisionError"):
        prove(broken)
    with pytest.raises(ModelError, match="returned a value of type int, not a Model"):
        prove(lambda: 1)
    with pytest.raises(ModelError, match="names no model"):
        prove("nested")


def broken(*, n: int = 1) -> Model:
    raise ZeroDivisionError(n)
