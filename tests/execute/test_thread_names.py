"""A thread of a run is told from every other one of it, those that have ended included."""

from __future__ import annotations

import pytest

from simcore import Model, execute, explore


def kept() -> Model:
    """Whoever comes first ends while it holds the lock."""
    model = Model("kept")
    lock = model.rlock("lock")

    def keep():
        yield lock.acquire()

    for name in "abc":
        model.process(name, keep)
    return model


def kept_by_a_worker() -> Model:
    """A worker keeps the lock and leaves with its pool, while others may be about to begin."""
    model = Model("kept by a worker")
    pool, lock = model.thread_pool("pool", 1), model.rlock("lock")

    def keep():
        yield lock.acquire()

    def close():
        yield pool.submit(keep)
        yield pool.shutdown()

    def want():
        yield lock.acquire()

    model.process("closer", close)
    for name in "abcd":
        model.process(name, want)
    return model


@pytest.mark.parametrize("model", [kept, kept_by_a_worker])
def test_a_reentrant_lock_of_a_thread_that_has_ended_is_nobody_elses(model):
    for _ in range(8):
        run = execute(model(), settle=0.05, max_seconds=5)
        assert (run.status, run.explained) == ("stuck", True)


@pytest.mark.parametrize("model", [kept, kept_by_a_worker])
def test_the_schedule_of_such_a_counterexample_is_stuck_for_real(model):
    schedule = explore(model()).counterexample.schedule
    for _ in range(3):
        assert execute(model(), schedule=schedule, settle=0.05, max_seconds=5).status == "stuck"
