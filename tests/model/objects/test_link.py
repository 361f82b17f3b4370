"""A link is one way, ordered, and holds at most its capacity in flight: a slow receiver blocks the sender."""

import multiprocessing

import pytest
import toys

from simcore.errors import ModelError
from simcore.kernel import Kernel
from simcore.model import Model


def model_of(frames, *, timeout=None, extra=(), **link):
    """A sender, a receiver of as many frames, and a process that performs ``extra`` on the link."""
    model = Model("link")
    wire = model.link("wire", **link)

    def send():
        for frame in frames:
            yield wire.send(frame, timeout)

    def receive():
        got = ()
        for _ in frames:
            got += ((yield wire.recv(timeout)),)
        return got

    def meddle():
        for name, *args in extra:
            yield getattr(wire, name)(*args)

    model.process("sender", send)
    model.process("receiver", receive)
    model.process("meddler", meddle)
    return model


@pytest.mark.parametrize("capacity", [1, 2, 64])
def test_frames_arrive_in_order(capacity):
    assert toys.finish(model_of("abcd", capacity=capacity))["receiver"] == tuple("abcd")


@pytest.mark.parametrize("capacity", [1, 3])
def test_a_full_link_blocks_send(capacity):
    assert toys.run(model_of("abcd", capacity=capacity), *["sender"] * capacity).process("sender").blocked


def test_an_empty_link_blocks_recv():
    assert toys.run(model_of("a")).process("receiver").blocked


def test_a_recv_makes_room_for_a_send():
    assert toys.run(model_of("ab", capacity=1), "sender", "receiver").process("sender").status == "enabled"


def test_capacity_in_bytes_counts_the_length_of_frames():
    model = model_of([b"12345", b"1234", b"1"], capacity=10, unit="bytes")
    assert toys.run(model, "sender", "sender", "sender").process("sender").done
    model = model_of([b"12345", b"123456"], capacity=10, unit="bytes")
    assert toys.run(model, "sender").process("sender").blocked


def test_a_frame_without_bytes_always_fits():
    model = model_of([b"12", b""], capacity=2, unit="bytes")
    assert toys.run(model, "sender", "sender").process("sender").done


def test_a_frame_that_can_never_fit_raises_in_the_process():
    view = toys.run(model_of(["ok", "longer"], capacity=5, unit="bytes"), "sender")
    assert "a frame of 6 does not fit wire, which holds 5 bytes" in str(view.process("sender").result)


def test_a_link_that_counts_bytes_refuses_what_has_none():
    with pytest.raises(ModelError, match="carries bytes or str, not int"):
        Model("m").link("wire", 5, unit="bytes").send(3)


def end(model, *order):
    """Return how sender and receiver end."""
    view = toys.run(model, *order)
    return {name: str(view.process(name).result) for name in ("sender", "receiver")}


def test_after_the_sending_end_closed_the_receiver_drains_and_then_gets_eof():
    model = model_of("ab", extra=[("close",)])
    view = toys.run(model, "sender", "meddler", "receiver", "receiver", "sender")
    assert str(view.process("receiver").result) == "EOFError"
    assert str(view.process("sender").result) == "OSError: handle is closed"


def test_after_the_receiving_end_closed_frames_are_lost_and_the_pipe_is_broken():
    model = model_of("ab", extra=[("close", "recv")])
    assert toys.run(model, "sender", "meddler")["wire"].frames == ()
    assert end(model, "sender", "meddler", "sender", "receiver") == {
        "sender": "BrokenPipeError: the receiving end is closed",
        "receiver": "OSError: handle is closed",
    }


@pytest.mark.parametrize("ends", [("send", "recv"), ("recv", "send")])
def test_after_both_ends_closed_each_end_is_a_closed_handle(ends):
    model = model_of("ab", extra=[("close", one) for one in ends])
    closed = "OSError: handle is closed"
    assert end(model, "sender", "meddler", "meddler", "sender", "receiver") == {"sender": closed, "receiver": closed}


@pytest.mark.parametrize("which", ["send", "recv"])
def test_closing_an_end_again_changes_nothing(which):
    model = model_of("ab", extra=[("close", which)] * 2)
    once, twice = (toys.run(model, "sender", *["meddler"] * n)["wire"] for n in (1, 2))
    assert once == twice


def test_a_reset_loses_what_is_in_flight_and_both_ends_learn_it():
    model = model_of("ab", extra=[("reset",), ("close",), ("close", "recv")])
    reset = "ConnectionResetError: connection reset by peer"
    for closed in (1, 2, 3):
        order = ["sender", *["meddler"] * closed, "sender", "receiver"]
        assert end(model, *order) == {"sender": reset, "receiver": reset}


@pytest.mark.parametrize("name", ["close", "reset"])
def test_closing_or_resetting_wakes_a_blocked_sender_and_receiver(name):
    kernel = Kernel(model_of("ab", capacity=1, extra=[(name,)]))
    assert "sender" in toys.enabled(kernel, toys.walk(kernel, kernel.initial, "sender", "meddler"))
    assert "receiver" in toys.enabled(kernel, toys.walk(kernel, kernel.initial, "meddler"))


def test_an_end_that_does_not_exist_is_refused():
    with pytest.raises(ModelError, match="the ends are 'send' and 'recv'"):
        Model("m").link("wire").close("both")


def real(*steps):
    """Do steps on the ends of a real connection; return the types of what is raised."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    calls = {
        "send": lambda: sender.send("x"),
        "recv": receiver.recv,
        "close send": sender.close,
        "close recv": receiver.close,
    }
    raised = []
    for step in steps:
        try:
            calls[step]()
        except Exception as error:
            raised.append(type(error))
        else:
            raised.append(None)
    receiver.close()
    sender.close()
    return raised


@pytest.mark.parametrize(
    "steps",
    [
        ("send", "close send", "recv", "recv", "send"),
        ("send", "close recv", "send", "recv"),
        ("close send", "close recv", "send", "recv"),
        ("close recv", "close send", "send", "recv"),
        ("close send", "close send", "recv"),
    ],
)
def test_the_ends_see_what_the_ends_of_a_real_connection_see(steps):
    model = Model("real")
    wire = model.link("wire")
    calls = {
        "send": lambda: wire.send("x"),
        "recv": wire.recv,
        "close send": wire.close,
        "close recv": lambda: wire.close("recv"),
    }
    modelled = toys.alone(*(calls[step] for step in steps), model=model)
    assert [one[0] if isinstance(one, tuple) else None for one in modelled] == real(*steps)


@pytest.mark.parametrize(("timeouts", "expected"), [("never", []), ("when_stuck", ["s"]), ("anytime", ["s"])])
def test_the_time_out_of_a_send_follows_the_rule(timeouts, expected):
    model = Model("m")
    wire = model.link("wire", 1)

    def send():
        yield wire.send("a")
        yield wire.send("b", timeout=1.0)

    model.process("s", send)
    kernel = Kernel(model, timeouts)
    assert toys.enabled(kernel, toys.walk(kernel, kernel.initial, "s")) == expected


def test_a_send_that_timed_out_raises_and_sends_nothing():
    view = toys.run(model_of("ab", capacity=1, timeout=1.0), "sender", "sender")
    assert (str(view.process("sender").result), view["wire"].frames) == ("TimeoutError: timed out", ("a",))


@pytest.mark.parametrize(("timeouts", "stuck"), [("never", True), ("when_stuck", False), ("anytime", False)])
def test_the_time_out_of_a_recv_follows_the_rule(timeouts, stuck):
    model = Model("m")
    wire = model.link("wire")
    model.process("receiver", lambda: (yield wire.recv(timeout=1.0)))
    kernel = Kernel(model, timeouts)
    assert (toys.enabled(kernel, kernel.initial) == []) == stuck
    assert kernel.view(kernel.initial).deadlocked == stuck


def test_a_recv_that_timed_out_raises():
    assert str(toys.run(model_of("a", timeout=1.0), "receiver").process("receiver").result) == "TimeoutError: timed out"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"capacity": 0}, "a capacity is at least 1"),
        ({"unit": "bits"}, "counts 'frames' or 'bytes'"),
        ({"latency": -1}, "at least 0 seconds"),
        ({"bandwidth": 0}, "more than 0 per second"),
    ],
)
def test_a_link_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(ModelError, match=message):
        Model("m").link("wire", **arguments)


def test_transit_is_latency_and_size_over_bandwidth():
    wire = Model("m").link("wire", 100, unit="bytes", latency=0.5, bandwidth=10)
    assert wire.transit(wire.send(b"12345")) == 1.0
    assert wire.occupies(wire.send(b"12345")) == 0.5


@pytest.mark.parametrize(
    ("order", "text"),
    [
        ((), "empty"),
        (("sender",), "1 in flight"),
        (("sender", "meddler"), "1 in flight, send end closed"),
        (("sender", "meddler", "meddler"), "empty, both ends closed"),
        (("sender", "meddler", "meddler", "meddler"), "empty, reset"),
    ],
)
def test_a_link_shows_what_is_in_flight_and_how_it_ended(order, text):
    model = model_of("ab", extra=[("close",), ("close", "recv"), ("reset",)])
    assert str(toys.run(model, *order)) == f"wire: {text}"


def test_a_link_counts_what_is_in_flight():
    model = model_of([b"123", b"45"], capacity=10, unit="bytes")
    assert model.objects[1].occupancy(toys.run(model, "sender", "sender")["wire"]) == (5, 10)
