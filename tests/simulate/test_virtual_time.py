"""Every operation takes its time, and every wait gives up at its own, as worked out with pencil and paper."""

from __future__ import annotations

import queue

import pytest
from timed import alone, jobs, times

from simcore import Model, sleep
from simcore.simulate import simulate

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
