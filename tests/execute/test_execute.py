"""Real runs: every object, gated and free, told to be stuck, and cleaned up."""

from __future__ import annotations

import importlib
import itertools
import os
import queue
import select
import threading
import time
from concurrent.futures import InvalidStateError
from contextlib import contextmanager

import pytest
from toys import opposed_locks

from simcore import Model, choose, explore, sleep
from simcore.errors import Diverged, ModelError, OptionError
from simcore.execute import execute
from simcore.execute.records import Actor, Cancelled
from simcore.execute.tcp import Codec, LiveLink
from simcore.kernel import Kernel
from simcore.model.objects import Queue
from simcore.model.operations import Raised
from simcore.models import pool_starvation
from simcore.schedule import Schedule


def left_behind():
    return {thread.ident for thread in threading.enumerate()}, sorted(os.listdir("/proc/self/fd"))


@pytest.fixture(autouse=True)
def _nothing_is_left_behind():
    before = left_behind()
    yield
    assert left_behind() == before


def alone(fn, *args, **objects):
    """Run one process for real, and return what it gave; the kernel has to explain it."""
    model = Model("one process")
    made = [getattr(model, kind)(name, *more) for name, (kind, *more) in objects.items()]
    model.process("p", fn, *made, *args)
    run = execute(model, settle=0.05)
    assert run.explained, run
    assert run.status == "completed", run
    return run.results["p"]


def caught(operation):
    """Return the type and the arguments of what an operation raises."""
    try:
        yield operation
    except Exception as error:
        return type(error), error.args
    return None


# ---- objects, one process ------------------------------------------------------------------------------


def test_a_lock_is_taken_tried_and_released():
    def p(lock):
        seen = ((yield lock.acquire()), (yield lock.acquire(False)), (yield lock.acquire(timeout=0.01)))
        locked = yield lock.locked()
        yield lock.release()
        return (*seen, locked, (yield lock.locked()))

    assert alone(p, lock=("lock",)) == (True, False, False, True, False)


def test_releasing_a_free_lock_raises_what_threading_raises():
    def p(lock, rlock):
        return ((yield from caught(lock.release())), (yield from caught(rlock.release())))

    assert alone(p, lock=("lock",), rlock=("rlock",)) == (
        (RuntimeError, ("release unlocked lock",)),
        (RuntimeError, ("cannot release un-acquired lock",)),
    )


def test_a_reentrant_lock_counts():
    def p(lock):
        yield lock.acquire()
        yield lock.acquire()
        yield lock.release()
        held = yield lock.locked()
        yield lock.release()
        return held, (yield lock.locked())

    assert alone(p, lock=("rlock",)) == (True, False)


def test_an_event_is_waited_for_set_and_cleared():
    def p(event):
        late = yield event.wait(0.01)
        yield event.set()
        seen = (yield event.wait()), (yield event.is_set())
        yield event.clear()
        return late, *seen, (yield event.is_set())

    assert alone(p, event=("event",)) == (False, True, True, False)


def test_a_semaphore_gives_its_permits():
    def p(semaphore):
        got = (yield semaphore.acquire()), (yield semaphore.acquire(False)), (yield semaphore.acquire(timeout=0.01))
        yield semaphore.release(2)
        return *got, (yield semaphore.acquire())

    assert alone(p, semaphore=("semaphore", 1)) == (True, False, False, True)


def test_a_queue_is_full_and_empty_as_in_the_standard_library():
    def p(queue):
        empty = yield from caught(queue.get(timeout=0.01))
        yield queue.put("a")
        full = yield from caught(queue.put("b", False))
        late = yield from caught(queue.put("b", timeout=0.01))
        size = yield queue.qsize()
        return empty, full, late, size, (yield queue.get()), (yield from caught(queue.get(False)))

    expected = ((queue.Empty, ()), (queue.Full, ()), (queue.Full, ()), 1, "a", (queue.Empty, ()))
    assert alone(p, queue=("queue", 1)) == expected


def test_a_future_is_set_once():
    def p(future, failed):
        early = (yield future.done()), (yield from caught(future.result(0.01)))
        yield future.set_result(7)
        twice = yield from caught(future.set_result(8))
        yield failed.set_exception(ValueError("no"))
        error = (yield failed.exception()), (yield from caught(failed.result()))
        return early, twice, (yield future.result()), (yield future.exception()), error

    assert alone(p, future=("future",), failed=("future",)) == (
        (False, (TimeoutError, ())),
        (InvalidStateError, ("future is set already",)),
        7,
        None,
        (ValueError, (ValueError, ("no",))),
    )


def test_a_condition_without_its_lock_is_refused():
    def p(condition):
        return (yield from caught(condition.wait())), (yield from caught(condition.notify()))

    assert alone(p, condition=("condition",)) == (
        (RuntimeError, ("cannot wait on un-acquired lock",)),
        (RuntimeError, ("cannot notify on un-acquired lock",)),
    )


def test_a_condition_times_out_and_holds_its_lock_again():
    def p(condition):
        yield condition.acquire()
        yield condition.acquire()
        late = yield condition.wait(0.01)
        yield condition.release()
        yield condition.release()
        return late, (yield from caught(condition.release()))

    assert alone(p, condition=("condition",)) == (False, (RuntimeError, ("cannot release un-acquired lock",)))


def test_a_variable_is_read_changed_and_waited_for():
    def p(variable):
        yield variable.set(1)
        new = yield variable.update(lambda value: value + 1)
        late = yield variable.wait_for(lambda value: value > 5, timeout=0.01)
        first = yield variable.transition(lambda value: [(value + 1, "a"), (value, "b")])
        return new, late, first, (yield variable.get())

    assert alone(p, variable=("variable", 0)) == (2, None, "a", 3)


def test_sleep_takes_its_time_and_choose_takes_its_first_option():
    def p():
        yield sleep(0.02)
        return (yield choose("a", "b"))

    assert alone(p) == "a"


def test_a_pool_runs_tasks_and_hands_over_results_and_exceptions():
    def task(n):
        yield sleep(0.001)
        if n > 1:
            raise ValueError(n)
        return n

    def p(pool):
        good = yield pool.submit(task, 1)
        bad = yield pool.submit(task, 2)
        return (yield good.result()), (yield from caught(bad.result()))

    assert alone(p, pool=("thread_pool", 2)) == (1, (ValueError, (2,)))


def test_a_pool_that_is_shut_down_ends_its_queue_and_refuses_submits():
    def task():
        yield sleep(0.001)
        return "done"

    def p(pool):
        first, second = (yield pool.submit(task)), (yield pool.submit(task))
        yield pool.shutdown()
        refused = yield from caught(pool.submit(task))
        return (yield first.done()), (yield second.result()), refused

    refused = (RuntimeError, ("cannot schedule new futures after shutdown",))
    assert alone(p, pool=("thread_pool", 1)) == (True, "done", refused)


def test_a_worker_cannot_wait_for_its_own_pool_to_shut_down():
    def task(pool):
        return (yield from caught(pool.shutdown()))

    def p(pool):
        future = yield pool.submit(task, pool)
        return (yield future.result())

    assert alone(p, pool=("thread_pool", 2)) == (RuntimeError, ("cannot join current thread",))


def test_a_link_ends_after_what_was_in_flight():
    def p(link):
        yield link.send("a")
        yield link.close()
        closed = yield from caught(link.send("b"))
        return closed, (yield link.recv()), (yield from caught(link.recv()))

    assert alone(p, link=("link", 2)) == ((OSError, ("handle is closed",)), "a", (EOFError, ()))


def test_a_link_whose_receiver_has_gone_is_broken():
    def p(link):
        yield link.send("a")
        yield link.close("recv")
        broken = yield from caught(link.send("b"))
        return broken, (yield from caught(link.recv()))

    assert alone(p, link=("link", 2)) == (
        (BrokenPipeError, ("the receiving end is closed",)),
        (OSError, ("handle is closed",)),
    )


def test_a_reset_loses_what_is_in_flight():
    def p(link):
        yield link.send("a")
        yield link.reset()
        return (yield from caught(link.recv())), (yield from caught(link.send("b")))

    reset = (ConnectionResetError, ("connection reset by peer",))
    assert alone(p, link=("link", 2)) == (reset, reset)


def test_a_link_gives_up_in_time():
    def p(link):
        empty = yield from caught(link.recv(0.01))
        yield link.send("a")
        return empty, (yield from caught(link.send("b", 0.01))), (yield link.recv(0))

    late = (TimeoutError, ("timed out",))
    assert alone(p, link=("link", 1)) == (late, late, "a")


def test_a_link_holds_all_of_a_large_capacity_without_a_receiver():
    def p(link):
        for _ in range(20):
            yield link.send(b"x" * 100_000)
        total = 0
        for _ in range(20):
            total += len((yield link.recv()))
        return total

    assert alone(p, link=("link", 20)) == 2_000_000


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


# ---- a full link holds its sender up in TCP ---------------------------------------------------------------

FULL = 0.1  # seconds after which a sender has filled the connection, for sure


def unread_requests(*more, capacity=1, **options) -> Model:
    """A sender of one frame more than its link holds, a receiver that waits for ever, and more processes."""
    model = Model("unread")
    requests, never = model.link("requests", capacity, **options), model.event("never")

    def sender():
        for number in range(capacity + 1):
            yield requests.send(number)

    def receiver():
        yield never.wait()
        return (yield requests.recv())

    model.process("sender", sender)
    model.process("receiver", receiver)
    for number, fn in enumerate(more):
        model.process(f"more[{number}]", fn, requests)
    return model


def looked_at(monkeypatch, model, look, **options):
    """Run for real; return the run, and what ``look`` saw of it just before everybody was let go."""
    package, seen = importlib.import_module("simcore.execute.driver"), []
    observe = package.observe

    def spy(run):
        seen.append(look(run))
        return observe(run)

    monkeypatch.setattr(package, "observe", spy)
    return execute(model, **options), seen[0]


def writable(end):
    poll = select.poll()
    poll.register(end, select.POLLOUT)
    return bool(poll.poll(0))


def test_a_sender_whose_peer_stops_reading_is_held_up_by_tcp():
    run = execute(unread_requests(), settle=0.05)
    assert (run.status, run.held_up, run.explained) == ("stuck", ("requests",), True)
    assert "  held up by TCP: requests (the peer does not read)\n" in str(run)


def test_the_socket_of_a_sender_that_is_held_up_is_not_writable(monkeypatch):
    def look(run):
        sending = run.links[0].sending
        with pytest.raises(BlockingIOError):
            sending.send(bytes([255]))
        return writable(sending)

    run, was_writable = looked_at(monkeypatch, unread_requests(), look)
    assert (run.held_up, was_writable) == (("requests",), False)


@pytest.mark.parametrize("capacity", [1, 7])
def test_a_link_that_is_full_in_bytes_holds_its_sender_up_too(capacity):
    model = Model("bytes")
    link, never = model.link("link", capacity, unit="bytes"), model.event("never")

    def sender():
        yield link.send(b"1" * capacity)
        yield link.send(b"2")

    model.process("sender", sender)
    model.process("receiver", lambda: (yield never.wait()))
    run = execute(model, settle=0.05)
    assert (run.status, run.held_up, run.state["link"].frames) == ("stuck", ("link",), (b"1" * capacity,))


def test_a_frame_of_a_mebibyte_is_in_flight_before_its_sender_is_held_up():
    model = Model("large")
    link, never = model.link("link", 1), model.event("never")

    def sender():
        yield link.send(b"x" * (1 << 20))
        yield link.send(b"y")

    model.process("sender", sender)
    model.process("receiver", lambda: (yield never.wait()))
    run = execute(model, settle=0.05)
    assert (run.status, run.held_up, len(run.state["link"].frames)) == ("stuck", ("link",), 1)


def test_a_run_that_ends_at_its_limit_says_who_is_held_up_then():
    def beat(requests):
        while True:
            yield sleep(0.001)

    run = execute(unread_requests(beat), max_seconds=0.3)
    assert (run.status, run.held_up) == ("limit", ("requests",))
    assert "held up by TCP: requests" in str(run)


def test_only_links_on_which_a_sender_waits_are_held_up():
    model = unread_requests()
    answers = model.link("answers", 1)

    def answer():
        yield answers.send("in flight")
        return (yield answers.recv()), (yield answers.recv())

    model.process("answer", answer)
    run = execute(model, settle=0.05)
    assert (run.status, run.held_up) == ("stuck", ("requests",))


def test_no_link_is_held_up_when_a_receiver_waits_for_a_frame():
    model = Model("empty")
    link = model.link("link", 1)
    model.process("receiver", lambda: (yield link.recv()))
    run = execute(model, settle=0.05)
    assert (run.status, run.held_up) == ("stuck", ())
    assert "held up" not in str(run)


FRAMES = [b"a", bytes([255]) * 5000, b"", b"x" * (1 << 20), bytes([255]), b"y" * 3, "last"]


@pytest.mark.parametrize("capacity", [1, 2, 3])
def test_what_was_held_up_arrives_in_order_and_complete_once_the_receiver_reads(capacity):
    model = Model("late reader")
    link = model.link("link", capacity)

    def sender():
        for frame in FRAMES:
            yield link.send(frame)

    def receiver():
        got = []
        for _ in FRAMES:
            yield sleep(FULL / 2)
            got.append((yield link.recv()))
        return tuple(got)

    model.process("sender", sender)
    model.process("receiver", receiver)
    run = execute(model)
    assert (run.results["receiver"], run.frames, run.explained) == (tuple(FRAMES), len(FRAMES), True)
    assert run.held_up == ()


def test_a_send_that_gave_up_leaves_the_link_undamaged():
    def p(link):
        yield link.send("a")
        late = yield from caught(link.send("lost", timeout=0.05))
        later = yield from caught(link.send("lost", timeout=0.05))
        first = yield link.recv()
        yield link.send(b"b" * 100_000)
        second = yield link.recv()
        return late, later, first, second, (yield from caught(link.recv(timeout=0.01)))

    late = (TimeoutError, ("timed out",))
    assert alone(p, link=("link", 1)) == (late, late, "a", b"b" * 100_000, late)


def test_the_end_of_a_link_comes_at_once_although_a_send_gave_up_before():
    def p(link):
        yield link.send("a")
        yield from caught(link.send("lost", timeout=0.05))
        yield link.close()
        return (yield link.recv(timeout=0)), (yield from caught(link.recv(timeout=0)))

    assert alone(p, link=("link", 1)) == ("a", (EOFError, ()))


def test_after_a_send_gave_up_nobody_is_held_up():
    model = Model("gave up")
    link, never = model.link("link", 1), model.event("never")

    def sender():
        yield link.send("a")
        late = yield from caught(link.send("b", timeout=FULL))
        yield never.wait()
        return late

    model.process("sender", sender)
    run = execute(model, settle=0.05)
    assert (run.status, run.held_up, run.explained) == ("stuck", (), True)


ENDS = {
    ("close", "send"): ((OSError, ("handle is closed",)), ["a", (EOFError, ())]),
    ("close", "recv"): ((BrokenPipeError, ("the receiving end is closed",)), [(OSError, ("handle is closed",))]),
    ("reset",): (
        (ConnectionResetError, ("connection reset by peer",)),
        [(ConnectionResetError, ("connection reset by peer",))],
    ),
}


@pytest.mark.parametrize("end", ENDS, ids="-".join)
def test_closing_and_resetting_let_a_sender_go_that_is_held_up(end):
    model = Model("ends")
    link, ended = model.link("link", 1), model.event("ended")

    def sender():
        yield link.send("a")
        return (yield from caught(link.send("b")))

    def breaker():
        yield sleep(FULL)
        yield getattr(link, end[0])(*end[1:])
        yield ended.set()

    def receiver():
        yield ended.wait()
        seen = []
        while not seen or not isinstance(seen[-1], tuple):
            try:
                seen.append((yield link.recv()))
            except Exception as error:
                seen.append((type(error), error.args))
        return seen

    for fn in (sender, breaker, receiver):
        model.process(fn.__name__, fn)
    run = execute(model)
    assert (run.status, run.explained, run.held_up) == ("completed", True, ())
    assert (run.results["sender"], run.results["receiver"]) == ENDS[end]


def test_a_sender_that_is_held_up_uses_no_processor(monkeypatch):
    def look(run):
        (sender,) = [thread for thread in run.threads if thread.name == "sender"]
        clock = time.pthread_getcpuclockid(sender.ident)
        before = time.clock_gettime(clock)
        time.sleep(0.5)
        return time.clock_gettime(clock) - before

    _, seconds = looked_at(monkeypatch, unread_requests(), look, settle=0.05)
    assert seconds < 0.1


class Bench:
    """As much of a run as a link alone needs."""

    def __init__(self):
        self.over, self.tick = threading.Event(), itertools.count(1).__next__


@contextmanager
def a_link(capacity, **options):
    """Yield a live link, and a function that performs an operation on it."""
    model = Model("bench")
    thing = model.link("link", capacity, **options)
    model.process("p", lambda: (yield thing.recv()))
    link, actor = LiveLink(Bench(), thing, Codec()), Actor(model.processes[-1])
    try:
        yield link, lambda name, *args, **kwargs: link.perform(getattr(thing, name)(*args, **kwargs), actor)
    finally:
        link.dispose()


@contextmanager
def waiting(do, *operation):
    """Perform an operation on a thread; yield what it gives, in a list, once it has given it."""
    given = []

    def work():
        try:
            given.append(do(*operation))
        except Cancelled:
            given.append("cancelled")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield given
    finally:
        thread.join(10)


def eventually(true):
    deadline = time.monotonic() + 10
    while not true() and time.monotonic() < deadline:
        time.sleep(0.005)
    return true()


def test_a_link_is_held_up_from_when_it_is_full_until_the_receiver_reads():
    with a_link(1) as (link, do):
        do("send", "a")
        assert not link.held_up()
        with waiting(do, "send", "b") as given:
            assert eventually(link.held_up)
            assert (do("recv"), do("recv"), given) == ("a", "b", [None])
        assert not link.held_up()


def test_a_link_that_was_never_full_carries_frames_alone():
    with a_link(3) as (link, do):
        for frame in "abc":
            do("send", frame)
        assert bytes([255]) not in link.receiving.recv(1 << 16)


def test_what_fills_a_connection_does_not_pile_up_where_nobody_receives():
    with a_link(10, unit="bytes") as (link, do):
        do("send", b"123456")
        with waiting(do, "send", b"1234567") as given:
            for _ in range(50):
                assert eventually(link.held_up)
                do("send", b"")  # passes, and moves bytes on to the receiving end for the room that it needs
            assert len(link._partial) < 10_000
            assert [do("recv") for _ in range(52)] == [b"123456", *[b""] * 50, b"1234567"]
            assert given == [None]


def test_a_run_that_is_over_lets_a_sender_go_that_is_held_up():
    with a_link(1) as (link, do):
        do("send", "a")
        with waiting(do, "send", "b") as given:
            assert eventually(link.held_up)
            link.run.over.set()
            link.cancel()
        assert given == ["cancelled"]


def test_a_sender_sends_on_into_a_connection_that_is_still_full():
    with a_link(2) as (link, do):
        do("send", "a")
        do("send", "b")
        with waiting(do, "send", b"c" * (1 << 20)) as given:
            assert eventually(link.held_up)
            assert do("recv") == "a"  # and from here on nobody receives
        assert given == [None]
        assert do("recv", timeout=0) == "b"
        assert do("recv", timeout=0) == b"c" * (1 << 20)


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


@pytest.mark.parametrize("notified", [True, False])
def test_a_schedule_decides_whether_a_condition_is_notified_in_time(notified):
    model = Model("condition")
    condition = model.condition("condition")

    def waiter():
        yield condition.acquire()
        got = yield condition.wait(0.02)
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
    path = [*waits, *wakes, (0, 0)] if notified else [*waits, (0, 0), *wakes, (0, 0)]
    schedule = Schedule.of(Kernel(model, "anytime"), path)
    run = execute(model, schedule=schedule)
    assert (run.results["waiter"], run.status, run.explained) == (notified, "completed", True)


def test_pool_starvation_is_replayed_on_its_workers():
    model = pool_starvation.buggy(downloads=2, workers=2)
    schedule = explore(model).counterexample.schedule
    run = execute(model, schedule=schedule, settle=0.05)
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
    assert "items.get(True) -> first" in run.unexplained
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


def test_a_run_full_of_contention_is_explained():
    run = execute(contended())
    assert (run.status, run.explained) == ("completed", True)
    assert run.state["total"] == sum(n * 1000 + number for n in range(4) for number in range(100))


# ---- the report, and nothing left behind --------------------------------------------------------------


@pytest.mark.parametrize("again", range(3))
def test_eight_downloads_over_four_workers_get_stuck(again):
    run = execute(pool_starvation.buggy(downloads=8, workers=4, chunks=201))
    assert (run.status, run.explained) == ("stuck", True)
    assert run.stuck_after < 2


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
