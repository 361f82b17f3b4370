"""What a run measures, under the load it is given, is what one works out with pencil and paper."""

from __future__ import annotations

import math
from random import Random

import pytest
from timed import alone, jobs, one_way

from simcore import Model, choose, sleep
from simcore.errors import OptionError
from simcore.simulate import exponential, simulate

# ---- load --------------------------------------------------------------------------------------------


def test_load_starts_the_processes_of_a_pattern_one_gap_after_another():
    model = Model("load")
    pool = model.thread_pool("pool", 1)

    def job():
        yield from ()

    def download():
        future = yield pool.submit(job)
        yield future.result()

    for name in model.indices("download", 3):
        model.process(name, download)
    result = simulate(model, load={"download[*]": 2.0}, latency={"job": 0.5})
    assert result.completion == {"download[0]": 2.5, "download[1]": 4.5, "download[2]": 6.5}


def test_load_of_one_process_is_when_it_starts():
    model = alone(sleep(1))
    assert simulate(model, load={"p": 3.0}).time == 4.0


def test_exponential_load_follows_its_seed():
    gaps = Random("7 load p")
    assert simulate(alone(choose(1)), seed=7, load={"p": exponential(2.0)}).time == gaps.expovariate(0.5)


# ---- figures -----------------------------------------------------------------------------------------


def test_the_occupancy_of_a_pool_is_its_busy_workers():
    result = simulate(jobs(workers=2, tasks=3), latency={"job": 2.0, "submit": 1.0})
    # submitted at 1, 2 and 3; the first two run from 1 to 3 and from 2 to 4, the third from 3 to 5
    assert [(at, used) for at, used in result.occupancy["pool"].series if at != 3.0] == [
        (0.0, 0),
        (1.0, 1),
        (2.0, 2),
        (4.0, 1),
        (5.0, 0),
    ]
    assert result.occupancy["pool"].capacity == 2


def test_the_occupancy_of_a_pools_queue_is_the_tasks_that_wait():
    result = simulate(jobs(workers=1, tasks=3), latency={"job": 2.0, "submit": 1.0})
    # submitted at 1, 2 and 3; taken at 1, 3 and 5
    assert result.mean("pool queue") == pytest.approx((1 * 1 + 1 * 2) / 7)
    assert result.occupancy["pool queue"].capacity is None


def test_the_occupancy_of_a_lock_is_a_step_series():
    model = Model("lock")
    lock = model.lock("lock")

    def run():
        yield sleep(1)
        yield lock.acquire()
        yield sleep(2)
        yield lock.release()
        yield sleep(1)

    model.process("p", run)
    result = simulate(model)
    assert result.occupancy["lock"] == ([(0.0, 0), (1.0, 1), (3.0, 0)], 1)
    assert result.utilisation("lock") == 0.5


def test_the_occupancy_of_a_semaphore_counts_permits_taken():
    model = Model("semaphore")
    semaphore = model.semaphore("permits", 3)

    def run():
        yield semaphore.acquire()
        yield sleep(1)
        yield semaphore.acquire()
        yield sleep(3)

    model.process("p", run)
    result = simulate(model)
    assert result.occupancy["permits"] == ([(0.0, 0), (0.0, 1), (1.0, 2)], 3)
    assert result.utilisation("permits") == pytest.approx((1 + 2 * 3) / 4 / 3)


def test_the_occupancy_of_a_condition_is_its_locks():
    model = Model("condition")
    condition = model.condition("condition")

    def run():
        yield condition.acquire()
        yield sleep(1)
        yield condition.release()

    model.process("p", run)
    assert simulate(model).occupancy["condition.lock"].series == [(0.0, 0), (0.0, 1), (1.0, 0)]


def test_the_occupancy_of_a_link_is_what_is_in_flight():
    result = simulate(one_way(frames=("a", "b"), latency=2.0))
    assert result.occupancy["wire"].peak == 2
    assert result.mean("wire") == 2.0


def test_throughput_counts_completed_processes_per_second():
    model = Model("throughput")

    def run(seconds):
        yield sleep(seconds)

    for number in range(4):
        model.process(f"p[{number}]", run, number + 1)
    model.process("other", run, 4)
    result = simulate(model)
    assert (result.throughput(), result.throughput("p[*]"), result.throughput("p[1]")) == (1.25, 1.0, 0.25)


def test_throughput_of_a_pool_counts_tasks_begun_per_second():
    assert simulate(jobs(tasks=4), latency={"job": 0.5}).throughput("pool") == 2.0


def test_throughput_in_no_time_at_all_is_infinite():
    assert simulate(jobs()).throughput() == math.inf


def test_utilisation_of_something_without_a_limit_is_refused():
    with pytest.raises(OptionError, match="no capacity to be a part of"):
        simulate(jobs()).utilisation("pool queue")


def test_a_figure_that_was_not_measured_is_refused():
    with pytest.raises(OptionError, match="nothing called 'pol' was measured; there are pool"):
        simulate(jobs()).mean("pol")


def test_throughput_of_an_unknown_name_is_refused():
    with pytest.raises(OptionError, match="no pool or process"):
        simulate(jobs()).throughput("boss[*]")
