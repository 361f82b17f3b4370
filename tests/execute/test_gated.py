"""A gated run follows its schedule step by step, and what the model cannot do diverges."""

from __future__ import annotations

import importlib

import pytest
from toys import opposed_locks

from simcore import Model, choose, explore, sleep
from simcore.errors import Diverged
from simcore.execute import execute
from simcore.kernel import Kernel
from simcore.model.objects import Queue
from simcore.models import pool_starvation
from simcore.schedule import Schedule

# ---- gated ---------------------------------------------------------------------------------------------


def test_opposed_locks_are_led_into_their_deadlock():
    model = opposed_locks()
    run = execute(model, schedule=explore(model).counterexample.schedule, settle=0.05)
    assert run.status == "stuck"
    assert {edge.process.name for edge in run.wait_for.knot} == {"left", "right"}


def test_a_stuck_run_is_seen_soon():
    model = opposed_locks()
    run = execute(model, schedule=explore(model).counterexample.schedule)
    assert 0.2 <= run.stuck_after < 2


def test_the_records_of_a_gated_run_are_in_the_order_of_the_schedule():
    model = opposed_locks()
    kernel = Kernel(model, "anytime")
    order = [0, 0, 0, 1, 0, 1, 1, 1]
    schedule = Schedule.of(kernel, [(process, 0) for process in order])
    run = execute(model, schedule=schedule)
    assert run.status == "completed"
    assert run.schedule.processes == schedule.processes


def test_a_schedule_chooses():
    model = Model("choice")

    def p():
        return (yield choose("a", "b"))

    model.process("p", p)
    schedule = Schedule.of(Kernel(model, "anytime"), [(0, 1)])
    assert execute(model, schedule=schedule).results["p"] == "b"


def test_a_schedule_lets_a_wait_time_out():
    model = Model("time-out")
    event = model.event("event")

    def waiter():
        return (yield event.wait(0.05))

    def setter():
        yield event.set()

    model.process("waiter", waiter)
    model.process("setter", setter)
    schedule = Schedule.of(Kernel(model, "anytime"), [(0, 0), (1, 0)])
    assert execute(model, schedule=schedule).results["waiter"] is False


def condition_after(limit):
    """Return a model in which a wait of ``limit`` seconds is notified after 0.05, and both its schedules."""
    model = Model("condition")
    condition = model.condition("condition")

    def waiter():
        yield condition.acquire()
        got = yield condition.wait(limit)
        yield condition.release()
        return got

    def notifier():
        yield sleep(0.05)
        yield condition.acquire()
        yield condition.notify()
        yield condition.release()

    model.process("waiter", waiter)
    model.process("notifier", notifier)
    waits = [(0, 0), (0, 0)]
    wakes = [(1, 0), (1, 0), (1, 0), (1, 0)]
    paths = {True: [*waits, *wakes, (0, 0)], False: [*waits, (0, 0), *wakes, (0, 0)]}
    return model, {notified: Schedule.of(Kernel(model, "anytime"), path) for notified, path in paths.items()}


@pytest.mark.parametrize(("notified", "limit"), [(True, 30), (False, 0.1)])
def test_a_schedule_decides_whether_a_condition_is_notified_in_time(notified, limit):
    model, schedules = condition_after(limit)
    run = execute(model, schedule=schedules[notified])
    assert (run.results["waiter"], run.status, run.explained) == (notified, "completed", True)


def test_a_schedule_that_notifies_a_condition_after_its_own_time_out_has_passed_diverges():
    model, schedules = condition_after(0.01)
    with pytest.raises(Diverged, match=r"step 7 .* which gave condition.reacquire\(1, False\) for True"):
        execute(model, schedule=schedules[True])


def test_pool_starvation_is_replayed_on_its_workers():
    model = pool_starvation.buggy(downloads=2, workers=2)
    schedule = explore(model).counterexample.schedule
    run = execute(model, schedule=schedule, settle=0.5)
    assert run.status == "stuck"
    names = [name for name, records in run.records.items() if name.startswith("stream[") and records]
    assert names == sorted({name for name in schedule.processes if name.startswith("stream[")})


def test_a_schedule_that_the_model_does_not_offer_diverges_before_anything_runs():
    model = opposed_locks()
    schedule = explore(model).counterexample.schedule
    wrong = Schedule((schedule.steps[0], schedule.steps[0]._replace(text="acquires b, twice")))
    with pytest.raises(Diverged) as error:
        execute(model, schedule=wrong)
    assert error.value.index == 1
    assert "right acquires b" in error.value.enabled


class Stack(Queue):
    """A wrong model of a queue: last in, first out."""

    def do_get(self, value, process, block):
        outcomes = super().do_get(value[::-1], process, block)
        return tuple(outcome._replace(value=value[:-1]) for outcome in outcomes)


def wrong_queue() -> Model:
    model = Model("a stack that says it is a queue")
    items = model._add(Stack("items"))

    def p():
        yield items.put("first")
        yield items.put("second")
        return (yield items.get())

    model.process("p", p)
    return model


def test_a_real_step_that_gives_something_else_diverges_at_its_index():
    model = wrong_queue()
    schedule = Schedule.of(Kernel(model, "anytime"), [(0, 0), (0, 0), (0, 0)])
    with pytest.raises(Diverged) as error:
        execute(model, schedule=schedule)
    assert error.value.index == 2
    assert "first" in str(error.value)


def test_a_real_run_that_the_model_cannot_do_is_not_explained():
    run = execute(wrong_queue())
    assert run.explained is False
    assert "items.get() -> first" in run.unexplained
    assert "-> second" in run.unexplained


class Generous(Queue):
    """A wrong model of a queue: something can be got although nothing was put."""

    def do_get(self, value, process, block):
        return super().do_get(value or ("made up",), process, block)


def test_a_real_step_that_does_not_end_diverges():
    model = Model("more than was put in")
    items = model._add(Generous("items"))

    def p():
        yield items.qsize()
        yield items.get()

    model.process("p", p)
    schedule = Schedule.of(Kernel(model, "anytime"), [(0, 0), (0, 0)])
    with pytest.raises(Diverged) as error:
        execute(model, schedule=schedule, settle=0.05, max_seconds=10)
    assert error.value.index == 1


def test_an_interrupt_leaves_nothing_behind(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib.import_module("simcore.execute.driver"), "watch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        execute(pool_starvation.buggy(downloads=2, workers=2))


def contended() -> Model:
    model = Model("contended")
    lock, permits, items = model.rlock("lock"), model.semaphore("permits", 2), model.queue("items", 2)
    event, total = model.event("event"), model.variable("total", 0)

    def producer(n):
        for number in range(100):
            yield permits.acquire()
            yield items.put(n * 1000 + number)
            yield permits.release()
            yield event.set()

    def consumer():
        for _ in range(100):
            item = yield items.get()
            yield lock.acquire()
            yield total.set((yield total.get()) + item)
            yield event.is_set()
            yield event.clear()
            yield lock.release()

    for n in range(4):
        model.process(f"producer[{n}]", producer, n)
        model.process(f"consumer[{n}]", consumer)
    return model


@pytest.mark.slow
def test_a_run_full_of_contention_is_explained():
    run = execute(contended())
    assert (run.status, run.explained) == ("completed", True)
    assert run.state["total"] == sum(n * 1000 + number for n in range(4) for number in range(100))
