"""A future is waited for by whoever submitted its task, or by the one task that was given it; else it is refused."""

import pytest

from simcore import Model, Verdict, explore
from simcore.sizes.structure import prove


def waits_for_a_promise(*, n: int = 1) -> Model:
    model = Model("future")
    future = model.future("promise")

    def wait():
        yield future.result()

    for name in model.indices("waiter", n):
        model.process(name, wait)
    return model


def passes_it_on_twice(*, n: int = 1, workers: int = 3) -> Model:
    """Two tasks wait for one, so there are more who wait than there are tasks that they wait for."""
    model = Model("a future passed to two tasks")
    pool = model.thread_pool("pool", workers)

    def task():
        yield from ()

    def waits(futures):
        yield futures[0].result()

    def root():
        first = yield pool.submit(task)
        yield pool.submit(waits, (first,))
        yield pool.submit(waits, (first,))

    for name in model.indices("root", n):
        model.process(name, root)
    return model


def asks_after_it_was_passed_on(*, n: int = 1, workers: int = 2) -> Model:
    model = Model("a future passed on and asked for")
    pool = model.thread_pool("pool", workers)

    def task():
        yield from ()

    def waits(future):
        yield future.result()

    def root():
        first = yield pool.submit(task)
        yield pool.submit(waits, first)
        yield first.result()

    for name in model.indices("root", n):
        model.process(name, root)
    return model


def shares_it_in_a_variable(*, n: int = 1, workers: int = 2) -> Model:
    """Whoever reads the variable gets a future that may look like one of its own."""
    model = Model("a future in a variable")
    pool, shared = model.thread_pool("pool", workers), model.variable("shared")

    def task():
        yield from ()

    def root():
        first = yield pool.submit(task)
        yield shared.set(first)

    for name in model.indices("root", n):
        model.process(name, root)
    return model


def returns_it(*, n: int = 1, workers: int = 2) -> Model:
    model = Model("a future returned")
    pool = model.thread_pool("pool", workers)

    def task():
        yield from ()

    def outer():
        return (yield pool.submit(task))

    def root():
        first = yield pool.submit(outer)
        inner = yield first.result()
        yield inner.result()

    for name in model.indices("root", n):
        model.process(name, root)
    return model


def sets_it_by_hand(*, n: int = 1, workers: int = 1) -> Model:
    model = Model("a future of a submit that is set by hand")
    pool = model.thread_pool("pool", workers)

    def task():
        yield from ()

    def root():
        first = yield pool.submit(task)
        yield first.set_result(None)

    for name in model.indices("root", n):
        model.process(name, root)
    return model


@pytest.mark.parametrize(
    ("function", "told", "hangs"),
    [
        (waits_for_a_promise, "promise.result() is of a future that is set by hand", True),
        (passes_it_on_twice, "passes a future on that is another one's", False),
        (asks_after_it_was_passed_on, "is of a future that is set by hand, or asked for by another one", False),
        (shares_it_in_a_variable, "gives a future away", False),
        (returns_it, "returns a future", False),
        (sets_it_by_hand, "is of a future that is set by hand", None),
    ],
)
def test_a_future_that_more_than_one_may_wait_for_is_refused(function, told, hangs):
    proved = prove(function)
    assert told in proved.refused
    assert not proved.safe(n=100)
    if hangs is not None:
        assert explore(function()).verdict is (Verdict.VIOLATED if hangs else Verdict.HOLDS)


def hands_over(*, roots: int = 2, workers: int = 2, spare: int = 2, kept: bool = False) -> Model:
    """A task has another one done, and gives its future to a third, in another pool or kept in a closure."""
    model = Model("a future handed over")
    pool, other = model.thread_pool("pool", workers), model.thread_pool("other", spare)

    def inner():
        yield from ()

    def waits(future):
        yield future.result()

    def outer():
        future = yield pool.submit(inner)

        def waits_inside():
            yield future.result()

        if kept:
            yield pool.submit(waits_inside)
        else:
            yield other.submit(waits, future)

    def root():
        yield (yield pool.submit(outer)).result()

    for name in model.indices("root", roots):
        model.process(name, root)
    return model


def test_a_future_may_be_given_to_one_task():
    """None of the two pools is full of those who wait for it."""
    assert prove(hands_over).law == "never"
    assert explore(hands_over()).verdict is Verdict.HOLDS


def test_one_in_a_closure_is_given_too():
    """Who waits stands behind what it waits for in the queue. That is not seen, so the law is wider than it need be."""
    proved = prove(hands_over, kept=True, spare=1)
    assert proved.law in ("workers <= roots", "always") or proved.refused
    assert explore(hands_over(kept=True)).verdict is Verdict.HOLDS


def waits_at_once(*, roots: int = 1, workers: int = 2) -> Model:
    """Who is given a future then submits a task and waits for that, too: each holds a worker that another needs."""
    model = Model("given, and waits")
    pool = model.thread_pool("pool", workers)

    def inner():
        yield from ()

    def waits(future):
        yield future.result()
        yield (yield pool.submit(inner)).result()

    def root():
        future = yield pool.submit(inner)
        yield (yield pool.submit(waits, future)).result()

    for name in model.indices("root", roots):
        model.process(name, root)
    return model


def test_who_was_given_a_future_holds_its_worker_meanwhile():
    assert prove(waits_at_once).law == "workers <= roots"
    assert explore(waits_at_once(roots=2)).verdict is Verdict.VIOLATED
    assert explore(waits_at_once(roots=2, workers=3)).verdict is Verdict.HOLDS
