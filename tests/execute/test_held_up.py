"""A link that is full holds its sender up in TCP until the receiver reads, and loses nothing."""

from __future__ import annotations

import importlib
import itertools
import select
import threading
import time
from contextlib import contextmanager

import pytest
from real_runs import alone, caught

from simcore import Model, sleep
from simcore.execute import execute
from simcore.execute.records import Actor, Cancelled
from simcore.execute.tcp import Codec, LiveLink

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
    run = execute(model, settle=0.5)
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
