"""Frames travel for as long as the latency and the bandwidth of their link say, and arrive in order."""

from __future__ import annotations

from timed import one_way, times

from simcore import Model, sleep
from simcore.kernel import Kernel
from simcore.simulate import simulate

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
