"""What CPython's executor does that its documentation does not tell: who is joined first, and of what a worker dies."""

from __future__ import annotations

import contextlib
from concurrent.futures import InvalidStateError

import pytest

from simcore import Model, Verdict, execute, explore, sleep, sometimes

EVERY = pytest.mark.parametrize(
    "options", [{}, {"symmetry": False, "partial_order": False}, {"partial_order": False}], ids=str
)


def closer(workers, *, waits) -> Model:
    """A worker shuts its own pool down, beside others; they wait until it has been told that it cannot, or do not."""
    model = Model("closer")
    pool = model.thread_pool("pool", workers)
    started, go = model.semaphore("started", 0), model.event("go")

    def close():
        for _ in range(workers - 1):
            yield started.acquire()
        try:
            yield pool.shutdown(wait=True)
        except RuntimeError:
            yield go.set()

    def other():
        yield started.release()
        if waits:
            yield go.wait()

    def main():
        yield pool.submit(close)
        for _ in range(workers - 1):
            yield pool.submit(other)
        if not waits:
            yield go.wait()

    model.process("main", main)
    return model


@EVERY
@pytest.mark.parametrize("workers", [2, 3])
def test_a_worker_that_shuts_its_pool_down_may_wait_for_another_one_first(workers, options):
    assert explore(closer(workers, waits=True), **options).verdict is Verdict.VIOLATED


@pytest.mark.parametrize("workers", [2, 3])
def test_or_may_be_told_at_once_that_it_cannot(workers):
    ends = sometimes(lambda state: all(p.done or p.task is None for p in state.processes) and state["go"])
    assert explore(closer(workers, waits=True), ends).verdict is Verdict.HOLDS


@EVERY
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_where_the_others_end_it_is_told_in_the_end(workers, options):
    assert explore(closer(workers, waits=False), **options).verdict is Verdict.HOLDS


def test_real_runs_end_in_both_ways_and_the_model_explains_them():
    runs = [execute(closer(2, waits=True), settle=0.05, max_seconds=5) for _ in range(6)]
    assert {run.status for run in runs} <= {"stuck", "completed"}
    assert all(run.explained for run in runs), [run.unexplained for run in runs]
    schedule = explore(closer(2, waits=True)).counterexample.schedule
    assert execute(closer(2, waits=True), schedule=schedule, settle=0.05, max_seconds=5).status == "stuck"


def by_hand(*, workers=1, keep=True, fails=False, shuts=False) -> Model:
    """The future of a task is set while it runs; then another task is submitted."""
    model = Model("by hand")
    pool, runs, go = model.thread_pool("pool", workers), model.event("runs"), model.event("go")

    def slow():
        yield runs.set()
        yield go.wait()
        if fails:
            raise KeyError("too late")

    def quick():
        yield sleep(0)

    def main():
        future = yield pool.submit(slow)
        yield runs.wait()
        yield future.set_result("by hand")
        if not keep:
            future = None
        yield go.set()
        if shuts:
            yield pool.shutdown(wait=True)
        else:
            another = yield pool.submit(quick)
            yield another.result()
        return future

    model.process("main", main)
    return model


@EVERY
@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("fails", [True, False])
def test_a_future_set_by_hand_kills_the_worker_of_its_task(keep, fails, options):
    assert explore(by_hand(keep=keep, fails=fails), **options).verdict is Verdict.VIOLATED


@EVERY
def test_another_worker_goes_on(options):
    assert explore(by_hand(workers=2), **options).verdict is Verdict.HOLDS


@EVERY
def test_a_dead_worker_keeps_no_shutdown_waiting(options):
    assert explore(by_hand(shuts=True), **options).verdict is Verdict.HOLDS


def queued(*, workers=1, sets=True, keep=True) -> Model:
    """The future of a task is set, or not, while the task is in the queue behind another one; then it is waited for."""
    model = Model("queued")
    pool, go, ran = model.thread_pool("pool", workers), model.event("go"), model.event("ran")

    def busy():
        yield go.wait()

    def task():
        yield ran.set()

    def main():
        yield pool.submit(busy)
        future = yield pool.submit(task)
        if sets:
            with contextlib.suppress(InvalidStateError):  # the task was quicker
                yield future.set_result("by hand")
        if not keep:
            future = None
        yield go.set()
        yield ran.wait()
        return future

    model.process("main", main)
    return model


@EVERY
@pytest.mark.parametrize("keep", [True, False])
def test_a_task_whose_future_is_set_before_it_is_taken_never_begins(keep, options):
    assert explore(queued(keep=keep), **options).verdict is Verdict.VIOLATED
    assert explore(queued(keep=keep, sets=False), **options).verdict is Verdict.HOLDS


@EVERY
def test_another_worker_may_have_begun_it(options):
    assert explore(queued(workers=2), sometimes(lambda state: state["ran"]), **options).verdict is Verdict.HOLDS
    assert explore(queued(workers=2), **options).verdict is Verdict.VIOLATED


@pytest.mark.parametrize(
    ("make", "how"),
    [(by_hand, {}), (by_hand, {"keep": False}), (by_hand, {"fails": True}), (queued, {}), (queued, {"keep": False})],
)
def test_a_real_worker_dies_too_freely_and_by_the_schedule(make, how, caplog):
    """What the executor itself says of it is on the log."""
    schedule = explore(make(**how)).counterexample.schedule
    for one in (None, schedule):
        run = execute(make(**how), schedule=one, settle=0.05, max_seconds=5)
        assert (run.status, run.explained) == ("stuck", True), run.unexplained
        assert "worker" in caplog.text
        caplog.clear()


def test_a_real_run_is_complete_where_the_dead_worker_is_not_missed(caplog):
    for model in (by_hand(workers=2), by_hand(shuts=True)):
        run = execute(model, settle=0.05, max_seconds=5)
        assert (run.status, run.explained) == ("completed", True), run.unexplained


def test_a_task_that_only_a_dead_worker_could_take_keeps_no_real_run_going(caplog):
    model = Model("left behind")
    pool = model.thread_pool("pool", 1)

    def task():
        yield sleep(0)

    def main():
        future = yield pool.submit(task)
        with contextlib.suppress(InvalidStateError):  # the task was quicker
            yield future.set_result("by hand")
        yield pool.submit(task)

    model.process("main", main)
    run = execute(model, settle=0.05, max_seconds=5)
    assert (run.status, run.explained) == ("completed", True), run.unexplained
