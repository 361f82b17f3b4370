"""Every simulated run is counted as what it came to, and one that hangs or dies makes the means worse, never better."""

from __future__ import annotations

import math
from functools import partial

import pytest
from toys import nested_futures, opposed_locks

from simcore import Model, choose, sleep
from simcore.errors import OptionError
from simcore.sizes import measure as measured
from simcore.sizes.measure import Measured, measure


def work(*, tasks: int = 4, workers: int = 1, daemon: bool = False) -> Model:
    """Tasks of one second in a pool."""
    model = Model("work")
    pool = model.thread_pool("pool", workers)

    def task():
        yield sleep(1.0)

    def client():
        future = yield pool.submit(task)
        yield future.result()

    for number in range(tasks):
        model.process(f"client[{number}]", client, daemon=daemon)
    return model


def beside(model: Model) -> Model:
    """Add somebody who takes a second."""

    def late():
        yield sleep(1.0)

    model.process("late", late)
    return model


def sometimes(ends: str) -> Model:
    """Ends well in one of two cases, after a second; else as it is told."""
    model = Model("sometimes")
    lock = model.lock("lock")

    def main():
        yield sleep(1.0)
        if (yield choose("well", ends)) == "well":
            return
        if ends == "dies":
            raise ValueError("dead")
        while ends == "goes on":
            yield sleep(1.0)
        yield lock.acquire()
        yield lock.acquire()

    model.process("main", main)
    return model


def of(model: Model, **options) -> Measured:
    return measure(model, **{"latency": {}, "load": {}, "runs": 10, "seed": 0, "where": "here", **options})


@pytest.mark.parametrize(("workers", "seconds"), [(1, 4.0), (2, 2.0), (3, 2.0), (4, 1.0)])
def test_what_is_measured_is_what_a_clock_would_show(workers, seconds):
    assert of(work(workers=workers)) == (10, 0, 0, 0, 4 / seconds, seconds)
    assert of(work(workers=workers)).clean


def test_latency_and_load_are_those_of_a_simulation():
    assert of(work(workers=4), latency={"task": 1.0}).p99 == 2.0
    assert of(work(workers=4), load={"client[*]": 10.0}).p99 == pytest.approx(31.0, abs=10.0)


@pytest.mark.parametrize(("ends", "kind"), [("hangs", "hung"), ("dies", "died")])
def test_a_run_that_does_not_complete_has_no_throughput_and_is_counted(ends, kind):
    found = of(sometimes(ends), runs=40)
    bad = getattr(found, kind)
    assert 5 < bad < 35
    assert found.hung + found.died == bad
    assert not found.clean
    assert found.throughput == pytest.approx((40 - bad) / 40)
    assert found.p99 == math.inf


def test_who_completes_in_a_run_that_hangs_has_completed_and_the_run_has_not():
    found = of(beside(nested_futures(roots=1, levels=2, workers=1)))
    assert (found.hung, found.throughput) == (10, 0.0)
    assert found.p99 == 1.0  # the two processes, as who hangs is a worker


def test_of_a_run_that_is_given_up_nothing_is_said_and_no_other_is_begun(monkeypatch):
    monkeypatch.setattr(measured, "_STEPS", (10, 100))
    found = of(sometimes("goes on"), runs=100)
    assert 0 < found.runs < 100
    assert (found.given_up, found.throughput, found.p99, found.clean) == (1, None, None, False)


def test_a_hang_beside_somebody_who_goes_on_is_one(monkeypatch):
    monkeypatch.setattr(measured, "_STEPS", (100, 200))
    model = opposed_locks()

    def beat():
        while True:
            yield sleep(1.0)

    model.process("heart", beat, daemon=True)
    found = of(model, latency={"acquire": 1.0})
    assert (found.runs, found.hung, found.given_up, found.throughput) == (10, 10, 0, 0.0)


def test_a_long_run_is_waited_for(monkeypatch):
    monkeypatch.setattr(measured, "_STEPS", (5, 100))
    assert of(work(workers=1)).throughput == 1.0


def test_the_seeds_are_those_that_are_said():
    one = of(sometimes("hangs"), runs=20, seed=5)
    assert one == of(sometimes("hangs"), runs=20, seed=5)
    each = [of(sometimes("hangs"), runs=1, seed=number).hung for number in range(5, 25)]
    assert one.hung == sum(each)


@pytest.mark.parametrize(
    ("times", "expected"),
    [(range(1, 101), 99), (range(1, 11), 10), (range(1, 201), 198), ([1.0] * 99 + [math.inf], 1.0), ([7.0], 7.0)],
)
def test_p99_is_the_nearest_rank(times, expected):
    assert measured._p99([*times]) == expected


def test_more_than_one_in_a_hundred_is_too_many():
    assert measured._p99([1.0] * 98 + [math.inf] * 2) == math.inf


def in_no_time() -> Model:
    model = Model("quick")
    lock = model.lock("lock")

    def main():
        yield lock.acquire()

    model.process("main", main)
    return model


@pytest.mark.parametrize(
    ("model", "said"),
    [(in_no_time, "takes no virtual time"), (partial(work, daemon=True), "no process has to complete")],
)
def test_what_cannot_be_measured_is_an_error_that_says_where(model, said):
    with pytest.raises(OptionError, match=f"here: .*{said}"):
        of(model())


def test_a_hang_takes_no_time_and_is_measured_all_the_same():
    found = of(opposed_locks(), runs=40, latency={"acquire": 1.0})
    assert found.hung == 40
    assert found.throughput == 0.0
