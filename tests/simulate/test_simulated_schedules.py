"""A run in virtual time follows a schedule, and its own schedule replays in every way."""

from __future__ import annotations

import queue

import pytest
from timed import first_stuck
from toys import opposed_locks

from simcore import Model, choose, sleep
from simcore.errors import Diverged
from simcore.kernel import Kernel
from simcore.models import pool_starvation
from simcore.schedule import Schedule
from simcore.simulate import simulate, uniform

# ---- schedules ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_deadlock_replays_from_its_token_step_by_step():
    first = first_stuck(lambda: pool_starvation.buggy(downloads=8, workers=4, chunks=2))
    again = simulate(
        pool_starvation.buggy(downloads=8, workers=4, chunks=2), seed=99, schedule=Schedule.from_token(first.token)
    )
    assert again.path == first.path
    assert again.status == "stuck"
    assert str(again.wait_for) == str(first.wait_for)


def test_a_token_replays_in_the_kernel():
    first = first_stuck(lambda: pool_starvation.buggy(downloads=4, workers=4), latency={"blob_callback": 0.1})
    kernel = Kernel(pool_starvation.buggy(downloads=4, workers=4), "anytime")
    assert kernel.view(Schedule.from_token(first.token).states(kernel)[-1]).deadlocked


def test_a_run_with_time_outs_and_delays_replays_in_the_kernel():
    model = Model("mixed")
    lock, box = model.lock("lock"), model.queue("box", 1)

    def worker(name):
        for _ in range(3):
            if (yield lock.acquire(timeout=0.5)):
                yield sleep(0.3)
                yield lock.release()
            try:
                yield box.put((yield choose("x", "y")), timeout=0.2)
                yield box.get(timeout=0.1)
            except (queue.Full, queue.Empty):
                yield sleep(0.1)

    for name in model.indices("w", 4):
        model.process(name, worker, name)
    for seed in range(10):
        run = simulate(model, seed=seed, latency={"lock.release": uniform(0, 0.4)})
        assert run.status == "completed"
        kernel = Kernel(model, "anytime")
        assert kernel.view(run.schedule.states(kernel)[-1]).process("w[0]").done
        assert simulate(model, schedule=run.schedule).path == run.path


def test_a_prefix_is_followed_and_then_the_run_goes_on_by_itself():
    model = opposed_locks()
    schedule = Schedule.of(Kernel(model, "anytime"), [(0, 0), (1, 0)])
    results = [simulate(model, seed=seed, schedule=schedule) for seed in range(5)]
    assert all(result.path[:2] == ((0, 0), (1, 0)) and result.status == "stuck" for result in results)


def test_a_schedule_waits_for_the_delays_of_its_steps():
    model = opposed_locks()
    schedule = Schedule.of(Kernel(model, "anytime"), [(0, 0), (1, 0)])
    assert simulate(model, schedule=schedule, latency={"left": 2.0}).time == 2.0


def test_after_a_schedule_delays_are_spent_as_ever():
    model = Model("afterwards")
    box = model.queue("box")

    def run():
        yield box.put(1)
        yield box.put(2)

    model.process("p", run)
    schedule = Schedule.of(Kernel(model, "anytime"), [(0, 0)])
    assert simulate(model, schedule=schedule, latency={"put": 1.0}).time == 2.0


def test_a_time_out_in_a_schedule_fires_at_its_time():
    model = Model("time-out")
    lock = model.lock("lock")

    def take():
        yield lock.acquire(timeout=3)
        yield sleep(10)

    model.process("a", take)
    model.process("b", take)
    schedule = Schedule.of(Kernel(model, "anytime"), [(1, 0), (0, 0)])
    assert simulate(model, schedule=schedule).completion == {"a": 13.0, "b": 10.0}


def test_the_clock_of_a_time_out_runs_while_a_schedule_lets_others_go_first():
    model = Model("clock")
    event = model.event("event")

    def wait():
        yield event.wait(timeout=3)

    def other():
        yield sleep(10)

    model.process("waiter", wait)
    model.process("other", other)
    schedule = Schedule.of(Kernel(model, "anytime"), [(1, 0), (0, 0)])
    assert simulate(model, schedule=schedule).completion == {"waiter": 10.0, "other": 10.0}


def test_a_schedule_of_another_model_diverges_at_its_first_differing_step():
    other = Model("other")
    lock = other.lock("a")

    def take():
        yield lock.acquire()
        yield sleep(1)

    other.process("left", take)
    other.process("right", take)
    schedule = Schedule.of(Kernel(opposed_locks(), "anytime"), [(0, 0), (1, 0)])
    with pytest.raises(Diverged) as error:
        simulate(other, schedule=schedule)
    assert error.value.index == 1


def test_a_limit_holds_during_a_schedule():
    first = simulate(opposed_locks())
    result = simulate(opposed_locks(), schedule=first.schedule, max_steps=2)
    assert (result.status, result.path) == ("limit", first.path[:2])


def test_a_run_in_which_a_worker_dies_of_a_future_set_by_hand_is_replayed():
    model = Model("set by hand")
    pool = model.thread_pool("pool", 1)

    def serve():
        yield sleep(1)

    def client():
        first = yield pool.submit(serve)
        second = yield pool.submit(serve)
        yield second.set_result("by hand")
        yield first.result()
        return (yield second.result())

    model.process("client", client)
    run = simulate(model)
    assert run.results == {"client": "by hand"}
    assert len(run.schedule) == run.steps
    assert run.state.process("pool[0]").operation.name == "die"
