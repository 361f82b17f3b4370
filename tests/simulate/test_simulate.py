"""Runs in virtual time: every figure here can be checked with pencil and paper."""

from __future__ import annotations

import math
import queue
from itertools import pairwise
from random import Random

import pytest
from toys import opposed_locks

from simcore import Model, choose, sleep
from simcore.errors import Diverged, OptionError, ScheduleError
from simcore.kernel import Kernel
from simcore.models import pool_starvation
from simcore.schedule import Schedule
from simcore.simulate import exponential, lognormal, simulate, uniform


def jobs(*, workers: int = 1, tasks: int = 2) -> Model:
    """Tasks without operations; whoever submits them waits for all."""
    model = Model("jobs")
    pool = model.thread_pool("pool", workers)

    def job(number):
        yield from ()
        return number

    def boss():
        futures = ()
        for number in range(tasks):
            futures += ((yield pool.submit(job, number)),)
        total = 0
        for future in futures:
            total += yield future.result()
        return total

    model.process("boss", boss)
    return model


def alone(*operations) -> Model:
    """One process that performs ``operations`` and returns their results."""
    model = Model("alone")

    def run(make):
        results = ()
        for operation in make:
            results += ((yield operation),)
        return results

    model.process("p", run, operations)
    return model


def one_way(*, frames: tuple = ("x",), timeout: float | None = None, **link) -> Model:
    """A sender that sends all frames at once, and a receiver that notes when each comes by ending."""
    model = Model("one way")
    wire = model.link("wire", **link)
    box = model.queue("box")

    def send():
        for frame in frames:
            yield wire.send(frame)

    def receive():
        for _ in frames:
            yield box.put((yield wire.recv(timeout)))

    model.process("sender", send)
    model.process("receiver", receive)
    return model


def times(simulation, name: str) -> list[float]:
    """When ``name`` had more in use than before."""
    series = simulation.occupancy[name].series
    return [at for (_, before), (at, used) in pairwise(series) if used > before]


# ---- seeds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_the_same_seed_gives_the_same_run(seed):
    latency = {"read_stream": exponential(0.1), "send": uniform(0, 0.1)}
    one, other = (simulate(pool_starvation.fixed(downloads=3, workers=2), seed=seed, latency=latency) for _ in "ab")
    assert one.path == other.path
    assert (one.time, one.completion, one.occupancy) == (other.time, other.completion, other.occupancy)


def test_different_seeds_order_the_same_instant_differently():
    paths = {simulate(opposed_locks(), seed=seed).path for seed in range(20)}
    assert len(paths) > 2


def test_different_seeds_draw_different_delays():
    ends = {simulate(jobs(), seed=seed, latency={"job": exponential(1)}).time for seed in range(10)}
    assert len(ends) == 10


def test_choose_takes_every_option_under_some_seed():
    chosen = {simulate(alone(choose("heads", "tails")), seed=seed).results["p"] for seed in range(20)}
    assert chosen == {("heads",), ("tails",)}


def test_a_new_latency_does_not_change_the_arrivals():
    model = Model("arrivals")

    def come():
        yield sleep(1)

    for name in model.indices("p", 5):
        model.process(name, come)
    load = {"p[*]": exponential(2.0)}
    plain, slow = simulate(model, load=load), simulate(model, load=load, latency={"sleep": uniform(3, 3)})
    assert all(slow.completion[name] == pytest.approx(plain.completion[name] + 3) for name in plain.completion)


# ---- latency -----------------------------------------------------------------------------------------


def test_two_tasks_of_two_seconds_on_one_worker_end_at_two_and_at_four():
    model = Model("one worker")
    pool, done = model.thread_pool("pool", 1), model.queue("done")

    def job(number):
        yield done.put(number)

    def boss():
        for number in range(2):
            yield pool.submit(job, number)

    model.process("boss", boss)
    result = simulate(model, latency={"job": 2.0})
    assert result.status == "completed"
    assert times(result, "done") == [2.0, 4.0]


def test_a_task_without_operations_holds_its_worker_for_its_time():
    result = simulate(jobs(), latency={"job": 2.0})
    assert (result.time, result.results) == (4.0, {"boss": 1})


def test_a_task_whose_result_nobody_wants_holds_its_worker_for_its_time():
    model = Model("fire and forget")
    pool = model.thread_pool("pool", 1)

    def job():
        yield from ()

    def boss():
        yield pool.submit(job)
        yield pool.submit(job)

    model.process("boss", boss)
    result = simulate(model, latency={"job": 2.0})
    assert (result.status, result.time) == ("completed", 4.0)
    assert result.mean("pool") == 1.0


def test_a_task_whose_future_is_dropped_before_it_is_set_frees_its_worker():
    model = Model("dropped")
    pool = model.thread_pool("pool", 1)

    def job():
        yield from ()

    def boss():
        yield from wait_a_second((yield pool.submit(job)))

    def wait_a_second(future):
        yield sleep(1)

    model.process("boss", boss)
    result = simulate(model, latency={"set_result": 5.0})
    assert result.occupancy["pool"].series == [(0.0, 0), (0.0, 1), (1.0, 0)]
    assert (result.status, result.time) == ("completed", 1.0)


def test_two_workers_halve_the_time():
    assert simulate(jobs(workers=2, tasks=4), latency={"job": 2.0}).time == 4.0


@pytest.mark.parametrize(
    ("key", "end"), [("box.put", 3.0), ("p", 4.0), ("box", 3.5), ("put", 3.0), ("run", 2.0), ("sleep", 2.0)]
)
def test_a_key_names_an_operation_a_process_an_object_or_a_function(key, end):
    model = Model("keys")
    box = model.queue("box")

    def run():  # two puts and a get, and one second of sleep
        yield box.put(1)
        yield box.put(2)
        yield box.get()
        yield sleep(1)

    model.process("p", run)
    latency = {"box.put": 1.0, "p": 0.75, "box": 2.5 / 3, "put": 1.0, "run": 1.0, "sleep": 1.0}[key]
    assert simulate(model, latency={key: latency}).time == pytest.approx(end)


def test_the_most_specific_key_counts():
    model = Model("specific")
    box = model.queue("box")

    def run():
        yield box.put(1)

    model.process("p[0]", run)
    latency = {"put": 1.0, "box": 2.0, "p[*]": 3.0, "p[0]": 4.0, "box.put": 5.0}
    ends = []
    for key in ("box.put", "p[0]", "p[*]", "box", "put"):
        ends.append(simulate(model, latency=latency).time)
        del latency[key]
    assert ends == [5.0, 4.0, 3.0, 2.0, 1.0]


def test_a_delay_comes_before_the_effect():
    model = Model("before")
    lock = model.lock("lock")

    def slow():
        yield lock.acquire()

    def quick():
        yield sleep(1)
        return (yield lock.locked())

    model.process("slow", slow)
    model.process("quick", quick)
    assert simulate(model, latency={"lock.acquire": 2.0}).results["quick"] is False
    assert simulate(model, latency={"lock.acquire": 0.5}).results["quick"] is True


def test_the_second_half_of_a_condition_wait_has_no_delay_of_its_own():
    model = Model("notified")
    condition = model.condition("condition")

    def waiter():
        yield condition.acquire()
        yield condition.wait()
        yield condition.release()

    def notifier():
        yield sleep(2.5)
        yield condition.acquire()
        yield condition.notify()
        yield condition.release()

    model.process("waiter", waiter)
    model.process("notifier", notifier)
    result = simulate(model, latency={"waiter": 1.0})  # acquire at 1, wait at 2, woken at 2.5, release
    assert result.completion == {"waiter": 3.5, "notifier": 2.5}


def test_latency_may_name_a_condition():
    model = Model("a condition")
    condition = model.condition("condition")

    def run():
        yield condition.acquire()
        yield condition.notify()

    model.process("p", run)
    assert simulate(model, latency={"condition.notify": 2.0}).time == 2.0


def test_latency_may_name_a_method():
    class Server:
        def __init__(self, pool):
            self.pool = pool

        def work(self):
            yield from ()

        def run(self):
            yield self.pool.submit(self.work)

    model = Model("methods")
    model.process("p", Server(model.thread_pool("pool", 1)).run)
    assert simulate(model, latency={"work": 3.0}).time == 3.0


# ---- waiting and time-outs ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_who_began_to_wait_first_is_served_first(seed):
    model = Model("line")
    lock, order = model.lock("lock"), model.queue("order")

    def hold():
        yield lock.acquire()
        yield sleep(10)
        yield lock.release()
        yield lock.acquire()  # at once again, and yet behind all who wait
        yield order.put("holder")

    def wait(name, delay):
        yield sleep(delay)
        yield lock.acquire()
        yield order.put(name)
        yield lock.release()

    model.process("holder", hold)
    for name, delay in (("c", 3), ("a", 1), ("b", 2)):
        model.process(name, wait, name, delay)
    assert simulate(model, seed=seed).state["order"] == ("a", "b", "c", "holder")


def test_a_sleep_takes_its_seconds():
    assert simulate(alone(sleep(1.5), sleep(2))).time == 3.5


def test_acquire_gives_up_at_its_time():
    model = Model("give up")
    lock = model.lock("lock")

    def hold():
        yield lock.acquire()
        yield sleep(10)

    def want():
        yield sleep(1)
        got = yield lock.acquire(timeout=2.5)
        return got

    model.process("holder", hold)
    model.process("wanter", want)
    result = simulate(model)
    assert result.results["wanter"] is False
    assert result.completion == {"wanter": 3.5, "holder": 10.0}


def test_an_empty_queue_raises_empty_at_its_time():
    model = Model("empty")
    box = model.queue("box")

    def want():
        try:
            yield box.get(timeout=2)
        except queue.Empty:
            return "empty"

    model.process("p", want)
    result = simulate(model)
    assert (result.results["p"], result.completion["p"]) == ("empty", 2.0)


def test_the_result_of_a_slow_task_raises_timeout_error_at_its_time():
    model = Model("slow")
    pool = model.thread_pool("pool", 1)

    def job():
        yield sleep(5)

    def boss():
        future = yield pool.submit(job)
        try:
            yield future.result(timeout=2)
        except TimeoutError:
            return "late"

    model.process("boss", boss)
    result = simulate(model)
    assert (result.results["boss"], result.completion["boss"], result.time) == ("late", 2.0, 5.0)


def test_a_time_out_that_was_not_needed_leaves_no_trace():
    model = Model("in time")
    event = model.event("event")

    def setter():
        yield sleep(1)
        yield event.set()

    def waiter():
        first = yield event.wait(timeout=60)
        yield sleep(3)
        return first

    model.process("setter", setter)
    model.process("waiter", waiter)
    result = simulate(model)
    assert (result.results["waiter"], result.time) == (True, 4.0)


@pytest.mark.parametrize("seed", range(20))
def test_a_time_out_that_comes_together_with_what_was_waited_for_does_not_shorten_what_follows(seed):
    model = Model("together")
    event, box = model.event("event"), model.queue("box")

    def setter():
        yield sleep(1)
        yield event.set()

    def waiter():
        yield event.wait(timeout=1)
        yield box.put("after")

    model.process("setter", setter)
    model.process("waiter", waiter)
    assert simulate(model, seed=seed, latency={"put": 1.0}).completion["waiter"] == 2.0


def test_a_condition_that_nobody_notifies_gives_up_at_its_time():
    model = Model("not notified")
    condition = model.condition("condition")

    def waiter():
        yield condition.acquire()
        notified = yield condition.wait(timeout=2)
        yield condition.release()
        return notified

    model.process("waiter", waiter)
    result = simulate(model)
    assert (result.results["waiter"], result.time) == (False, 2.0)


def test_a_timer_fires_at_its_time():
    model = Model("timer")
    event = model.event("event")

    def ring():
        yield event.set()

    timer = model.timer("timer", 4.0, ring)

    def run():
        yield timer.start()
        yield event.wait()

    model.process("p", run)
    assert simulate(model).completion["p"] == 4.0


def test_a_time_out_of_zero_seconds_gives_up_at_once():
    model = Model("at once")
    box = model.queue("box", 1)

    def run():
        yield box.put(1)
        try:
            yield box.put(2, timeout=0)
        except queue.Full:
            return "full"

    model.process("p", run)
    result = simulate(model)
    assert (result.results["p"], result.time) == ("full", 0.0)


# ---- links -------------------------------------------------------------------------------------------


def test_a_frame_is_received_after_the_latency():
    assert times(simulate(one_way(latency=2.0)), "box") == [2.0]


def test_a_frame_is_under_way_while_the_sender_goes_on():
    assert simulate(one_way(latency=2.0)).completion["sender"] == 0.0


def test_frames_on_one_link_follow_each_other_at_its_bandwidth():
    result = simulate(one_way(frames=("a", "b", "c"), latency=1.0, bandwidth=4.0))
    assert times(result, "box") == [1.25, 1.5, 1.75]
    assert result.state["box"] == ("a", "b", "c")


def test_a_link_in_bytes_takes_longer_for_longer_frames():
    result = simulate(one_way(frames=("aaaa", "b"), capacity=8, unit="bytes", latency=1.0, bandwidth=2.0))
    assert times(result, "box") == [3.0, 3.5]


def test_a_full_link_blocks_the_sender_until_the_first_frame_has_arrived():
    result = simulate(one_way(frames=("a", "b"), capacity=1, latency=2.0))
    assert result.completion["sender"] == 2.0
    assert times(result, "box") == [2.0, 4.0]


def test_the_end_of_a_link_arrives_after_its_last_frame():
    model = Model("end")
    wire = model.link("wire", latency=3.0)

    def send():
        yield wire.send("x")
        yield sleep(1)
        yield wire.close()

    def receive():
        yield wire.recv()
        try:
            yield wire.recv()
        except EOFError:
            return "end"

    model.process("sender", send)
    model.process("receiver", receive)
    result = simulate(model)
    assert (result.results["receiver"], result.time) == ("end", 4.0)


def test_a_reset_is_seen_at_once_and_what_is_under_way_is_lost():
    model = Model("reset")
    wire = model.link("wire", latency=5.0)

    def send():
        yield wire.send("x")
        yield sleep(1)
        yield wire.reset()

    def receive():
        try:
            yield wire.recv()
        except ConnectionResetError:
            return "reset"

    model.process("sender", send)
    model.process("receiver", receive)
    result = simulate(model)
    assert (result.results["receiver"], result.time) == ("reset", 1.0)


def test_the_receiver_who_closes_forgets_what_is_under_way():
    model = Model("closed")
    wire = model.link("wire", latency=5.0)

    def receive():
        yield sleep(1)
        yield wire.close("recv")
        try:
            yield wire.recv()
        except OSError:
            return "closed"

    def send():
        yield wire.send("x")
        yield sleep(2)
        try:
            yield wire.send("y")
        except BrokenPipeError:
            return "broken"

    model.process("sender", send)
    model.process("receiver", receive)
    result = simulate(model)
    assert result.results == {"sender": "broken", "receiver": "closed"}
    assert result.completion == {"sender": 2.0, "receiver": 1.0}


def test_recv_gives_up_on_a_silent_link_at_its_time():
    model = Model("silent")
    wire = model.link("wire", latency=1.0)

    def receive():
        try:
            yield wire.recv(timeout=2)
        except TimeoutError:
            return "silence"

    model.process("receiver", receive)
    result = simulate(model)
    assert (result.results["receiver"], result.time) == ("silence", 2.0)


def test_a_time_out_fires_while_a_frame_travels_and_the_schedule_replays():
    result = simulate(one_way(latency=5.0, timeout=1.0))
    assert (result.status, result.failures["receiver"].time) == ("failed", 1.0)
    assert result.failures["receiver"].error.type is TimeoutError
    again = simulate(one_way(latency=5.0, timeout=1.0), schedule=result.schedule)
    assert again.path == result.path


def test_exploration_lets_a_time_out_come_before_a_frame_that_travels():
    for latency, steps in ((5.0, 2), (0.0, 1)):
        kernel = Kernel(one_way(latency=latency, timeout=1.0), "anytime")
        sent = kernel.step(kernel.initial, 0, 0)
        assert len(kernel.successors(sent)) == steps


def test_a_time_out_that_came_while_a_frame_travelled_fires_when_another_takes_it():
    model = Model("two receivers")
    wire = model.link("wire", latency=5.0)

    def send():
        yield wire.send("x")

    def patient():
        yield wire.recv()

    def hasty():
        yield sleep(1)
        try:
            yield wire.recv(timeout=1)
        except TimeoutError:
            return "late"

    model.process("sender", send)
    model.process("patient", patient)
    model.process("hasty", hasty)
    assert simulate(model).results["hasty"] == "late"


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


# ---- how it ends -------------------------------------------------------------------------------------


def first_stuck(make, **options):
    """Return the first run that is stuck, over a few seeds."""
    runs = (simulate(make(), seed=seed, **options) for seed in range(30))
    return next(run for run in runs if run.status == "stuck")


def test_opposed_locks_are_stuck_under_some_seed_and_complete_under_another():
    assert {simulate(opposed_locks(), seed=seed).status for seed in range(30)} == {"stuck", "completed"}


def test_a_deadlock_is_explained():
    result = first_stuck(opposed_locks)
    assert result.wait_for.has_edge("left", "right")
    assert result.wait_for.has_edge("right", "left")
    assert "left waits for b, held by right" in str(result)


def test_a_deadlock_is_explained_with_the_time_at_which_it_closed():
    result = first_stuck(opposed_locks, latency={"acquire": 1.5})
    assert (result.time, result.state.deadlocked) == (1.5, True)  # each has its first lock; nobody gets a second
    assert "stuck at 1.5 s of virtual time" in str(result)


def test_waiting_for_a_notification_that_nobody_gives_is_explained():
    model = Model("not notified")
    condition = model.condition("condition")

    def wait():
        yield condition.acquire()
        yield condition.wait()

    model.process("p", wait)
    result = simulate(model)
    assert result.status == "stuck"
    assert "p waits for condition (reacquire)" in str(result)


def test_the_reported_hang_is_found_and_explained():
    latency = {"read_stream": 0.01, "blob_callback": 0.01}
    result = simulate(pool_starvation.buggy(downloads=8, workers=4), latency=latency)
    assert result.status == "stuck"
    assert result.occupancy["stream"].series[-1][1] == 4
    assert "stream 4/4: every worker is in blob_callback" in str(result)


def test_the_reported_hang_needs_as_many_downloads_as_workers():
    statuses = {simulate(pool_starvation.buggy(downloads=3, workers=4), seed=seed).status for seed in range(20)}
    assert statuses == {"completed"}


def test_fixed_completes_with_every_chunk():
    result = simulate(pool_starvation.fixed(downloads=8, workers=4, chunks=5), latency={"read_stream": 0.01})
    assert result.status == "completed"
    assert result.results == {f"download[{number}]": (0, 1, 2, 3, 4) for number in range(8)}


def test_four_workers_read_at_their_rate():
    # 8 downloads keep 4 workers of 10 ms each busy: 400 chunks a second
    result = simulate(pool_starvation.fixed(downloads=8, workers=4, chunks=5), latency={"read_stream": 0.01})
    assert result.takes["callback"] == 40
    assert result.time == pytest.approx(40 / 400)


def test_an_exception_that_nobody_caught_is_a_failure():
    model = Model("failure")

    def run():
        yield sleep(1)
        raise ValueError("wrong bytes")

    model.process("p", run)
    result = simulate(model)
    assert result.status == "failed"
    assert result.failures["p"].time == 1.0
    assert "p died at 1 s of ValueError: wrong bytes" in str(result)


def test_the_others_go_on_after_a_failure():
    model = Model("failure")

    def fail():
        yield sleep(1)
        raise ValueError

    def run():
        yield sleep(2)

    model.process("failing", fail)
    model.process("other", run)
    assert simulate(model).completion == {"other": 2.0}


def heartbeat_beside_a_deadlock() -> Model:
    model = Model("heartbeat")
    lock = model.lock("lock")

    def beat():
        while True:
            yield sleep(1)

    def twice():
        yield lock.acquire()
        yield lock.acquire()

    model.process("heart", beat, daemon=True)
    model.process("stuck one", twice)
    return model


def test_a_stuck_subset_is_said_to_be_suspected_when_time_is_up():
    result = simulate(heartbeat_beside_a_deadlock(), until=10)
    assert (result.status, result.time) == ("limit", 10.0)
    assert "suspected from the wait-for graph: others run on, but these can never finish: stuck one" in str(result)


def test_a_run_in_which_only_daemons_move_ends_by_itself():
    result = simulate(heartbeat_beside_a_deadlock())
    assert result.status == "limit"
    assert "only daemons have moved" in str(result)


def test_a_run_that_goes_well_suspects_nothing_when_time_is_up():
    model = Model("slow")

    def run():
        yield sleep(100)

    model.process("p", run)
    result = simulate(model, until=10)
    assert result.status == "limit"
    assert "suspected" not in str(result)


def test_a_run_ends_when_all_who_must_finish_have():
    model = Model("daemon")

    def beat():
        while True:
            yield sleep(1)

    def run():
        yield sleep(2.5)

    model.process("heart", beat, daemon=True)
    model.process("p", run)
    result = simulate(model)
    assert (result.status, result.time) == ("completed", 2.5)


def test_daemons_alone_run_until_their_time_is_up():
    model = Model("daemons")

    def beat():
        while True:
            yield sleep(1)

    model.process("heart", beat, daemon=True)
    result = simulate(model, until=10.5)
    assert (result.status, result.steps, result.time) == ("limit", 10, 10.5)


def test_what_is_due_exactly_at_the_limit_still_happens():
    assert simulate(alone(sleep(2)), until=2).status == "completed"


def test_max_steps_is_exact():
    result = simulate(opposed_locks(), max_steps=3)
    assert (result.status, result.steps) == ("limit", 3)


def test_a_pending_time_out_of_the_past_does_not_hide_a_deadlock():
    model = Model("stale")
    event, lock = model.event("event"), model.lock("lock")

    def run():
        yield event.wait(timeout=60)
        yield lock.acquire()
        yield lock.acquire()

    def setter():
        yield sleep(1)
        yield event.set()

    model.process("p", run)
    model.process("setter", setter)
    result = simulate(model, until=10)
    assert (result.status, result.time) == ("stuck", 1.0)


# ---- schedules ---------------------------------------------------------------------------------------


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


def test_giving_up_a_wait_without_a_limit_never_comes_to_its_time():
    model = Model("infinite")
    event = model.event("event")

    def wait():
        yield event.wait(timeout=math.inf)

    model.process("p", wait)
    schedule = Schedule.of(Kernel(model, "anytime"), [(0, 0)])
    with pytest.raises(ScheduleError, match="never comes to its time"):
        simulate(model, schedule=schedule)


# ---- options -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"until": 0}, "until=0: a finite number of virtual seconds, more than 0"),
        ({"until": -1.0}, "until=-1.0"),
        ({"until": math.nan}, "until=nan"),
        ({"max_steps": 0}, "max_steps=0: a number of steps, at least 1"),
        ({"latency": {"job": -1}}, "latency['job']: a delay is a finite number of seconds, at least 0, not -1"),
        ({"latency": {"job": math.inf}}, "latency['job']: a delay is a finite number"),
        ({"latency": {"job": "fast"}}, "latency['job']: a delay is a finite number"),
        ({"latency": {"job": lambda random: -2.0}}, "latency['job']: a delay is a finite number"),
        ({"latency": {"jbo": 1.0}}, "latency['jbo'] names no object, operation, process or function; did you mean job"),
        ({"load": {"pool": 1.0}}, "load['pool'] names no process that the model starts"),
        ({"load": {"pool[0]": 1.0}}, "load['pool[0]'] names no process that the model starts"),
        ({"load": {"boss": -1.0}}, "load['boss']: a delay is a finite number of seconds"),
    ],
)
def test_a_bad_option_is_refused_in_one_line(options, message):
    with pytest.raises(OptionError) as error:
        simulate(jobs(), **options)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("make", "arguments"),
    [(exponential, (0,)), (exponential, (-1,)), (uniform, (2, 1)), (uniform, (-1, 1)), (lognormal, (0, 1))],
)
def test_a_distribution_of_impossible_delays_is_refused(make, arguments):
    with pytest.raises(OptionError, match=make.__name__):
        make(*arguments)


@pytest.mark.parametrize(
    ("delay", "mean"), [(exponential(2.0), 2.0), (uniform(1, 3), 2.0), (lognormal(2.0, 0.5), 2.0 * math.exp(0.125))]
)
def test_a_distribution_has_the_mean_it_promises(delay, mean):
    random = Random(1)
    assert sum(delay(random) for _ in range(20_000)) / 20_000 == pytest.approx(mean, rel=0.03)
