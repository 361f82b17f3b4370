"""Real runs of several processes: explained by the model, told to be stuck, and cleaned up."""

from __future__ import annotations

import pytest
from real_runs import left_behind
from toys import opposed_locks

from simcore import Model, explore, sleep
from simcore.errors import ModelError, OptionError
from simcore.execute import execute
from simcore.model.operations import Raised
from simcore.models import pool_starvation
from simcore.schedule import Schedule

# ---- several processes ----------------------------------------------------------------------------------


def test_a_sender_never_runs_ahead_of_the_capacity_in_bytes():
    model = Model("bytes")
    link = model.link("link", 10, unit="bytes")

    def sender():
        yield link.send(b"123456")
        yield link.send(b"1234567")

    model.process("sender", sender)
    run = execute(model, settle=0.05)
    assert (run.status, run.state["link"].frames, run.explained) == ("stuck", (b"123456",), True)


def test_names_and_futures_survive_a_link():
    model = Model("identity")
    link, future = model.link("link"), model.future("future")
    (name,) = model.indices("name", 1)

    def sender():
        yield link.send((name, future))

    def receiver():
        got, where = yield link.recv()
        yield where.set_result(got == name)

    model.process("sender", sender)
    model.process("receiver", receiver)
    assert execute(model, settle=0.05).state["future"].result is True


def test_many_senders_share_a_connection_frame_by_frame():
    model = Model("senders")
    link = model.link("link", 3)

    def sender(n):
        for _ in range(50):
            yield link.send(bytes([n]) * 2000)

    def receiver():
        counts = [0, 0, 0]
        for _ in range(150):
            frame = yield link.recv()
            counts[frame[0]] += len(set(frame)) == 1
        return tuple(counts)

    for n in range(3):
        model.process(f"sender[{n}]", sender, n)
    model.process("receiver", receiver)
    run = execute(model)
    assert (run.results["receiver"], run.frames, run.explained) == ((50, 50, 50), 150, True)


def test_a_condition_hands_on_to_those_who_wait():
    model = Model("condition")
    condition, items = model.condition("condition"), model.variable("items", 0)

    def consumer():
        yield condition.acquire()
        while not (yield items.get()):
            yield condition.wait()
        yield items.update(lambda n: n - 1)
        yield condition.release()
        return True

    def producer():
        for _ in range(3):
            yield condition.acquire()
            yield items.update(lambda n: n + 1)
            yield condition.notify()
            yield condition.release()

    for n in range(3):
        model.process(f"consumer[{n}]", consumer)
    model.process("producer", producer)
    run = execute(model)
    assert (run.status, run.explained) == ("completed", True)


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_timer_runs_its_function_unless_it_is_cancelled(cancelled):
    model = Model("timer")
    event = model.event("event")

    def ring():
        yield event.set()

    timer = model.timer("timer", 0.02, ring)

    def p():
        yield timer.start()
        if cancelled:
            yield timer.cancel()
        return (yield event.wait(0.2))

    model.process("p", p)
    run = execute(model)
    assert (run.results["p"], run.explained) == (not cancelled, True)


def test_a_process_that_dies_fails_the_run():
    model = Model("dies")

    def p():
        yield sleep(0)
        raise ValueError("no")

    model.process("p", p)
    run = execute(model)
    assert (run.status, run.results["p"]) == ("failed", Raised(ValueError, ("no",)))


def test_a_run_without_end_stops_at_its_limit():
    model = Model("beats")

    def beat():
        while True:
            yield sleep(0.001)

    model.process("beat", beat)
    run = execute(model, max_seconds=0.1)
    assert (run.status, run.explained) == ("limit", True)


def test_a_blocked_daemon_does_not_keep_a_run_from_completing():
    model = Model("daemon")
    items = model.queue("items")

    def server():
        while True:
            yield items.get()

    def client():
        yield items.put(1)

    model.process("server", server, daemon=True)
    model.process("client", client)
    assert execute(model).status == "completed"


def test_options_must_be_positive():
    with pytest.raises(OptionError, match="settle"):
        execute(opposed_locks(), settle=0)


def test_a_finally_that_yields_does_not_hinder_the_clean_up():
    model = Model("finally")
    lock = model.lock("lock")

    def p():
        yield lock.acquire()
        try:
            yield lock.acquire()
        finally:
            yield lock.release()

    model.process("p", p)
    assert execute(model, settle=0.05).status == "stuck"


def test_a_model_error_in_a_process_is_raised_and_nothing_is_left():
    model = Model("wrong")

    def p():
        yield 7

    def waiter():
        yield model.objects[1].wait()

    model.event("event")
    model.process("waiter", waiter)
    model.process("p", p)
    with pytest.raises(ModelError, match="no operation"):
        execute(model)


# ---- the report, and nothing left behind --------------------------------------------------------------


@pytest.mark.parametrize("again", range(3))
def test_eight_downloads_over_four_workers_get_stuck(again):
    run = execute(pool_starvation.buggy(downloads=8, workers=4, chunks=201))
    assert (run.status, run.explained) == ("stuck", True)
    assert run.stuck_after < 2


@pytest.mark.slow
def test_eight_downloads_with_a_pool_for_callbacks_complete():
    model = pool_starvation.fixed(downloads=8, workers=4, callback_workers=64, chunks=21)
    run = execute(model)
    assert (run.status, run.explained) == ("completed", True)
    downloads = [result for name, result in run.results.items() if name.startswith("download")]
    assert downloads == [tuple(range(21))] * 8


@pytest.mark.slow
def test_the_report_at_full_size_completes_and_is_explained():
    model = pool_starvation.fixed(downloads=8, workers=4, callback_workers=64, chunks=201)
    run = execute(model)
    assert (run.status, run.explained, run.frames) == ("completed", True, 3216)
    downloads = [result for name, result in run.results.items() if name.startswith("download")]
    assert downloads == [tuple(range(201))] * 8


def replay_in_a_row(times):
    model = pool_starvation.buggy(downloads=2, workers=2)
    schedule = explore(model).counterexample.schedule
    before = left_behind()
    for _ in range(times):
        assert execute(model, schedule=schedule, settle=0.05).status == "stuck"
        assert left_behind() == before


def test_twenty_gated_replays_leave_nothing_behind():
    replay_in_a_row(20)


@pytest.mark.slow
def test_two_hundred_gated_replays_leave_nothing_behind():
    replay_in_a_row(200)


def test_the_explaining_schedule_replays_for_real():
    model = pool_starvation.buggy(downloads=3, workers=2)
    free = execute(model, settle=0.05)
    gated = execute(model, schedule=free.schedule, settle=0.05)
    assert gated.status == free.status
    assert Schedule.from_token(free.token).processes == free.schedule.processes
