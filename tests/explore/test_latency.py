"""A frame on its way takes time: who waits for it, or for anything else, may time out before it arrives, or after."""

from __future__ import annotations

import pytest

from simcore import Model, Verdict, explore, sleep, sometimes

RULES = pytest.mark.parametrize("timeouts", ["when_stuck", "in_order", "anytime"])
EVERY = pytest.mark.parametrize(
    "options", [{}, {"symmetry": False, "partial_order": False}, {"strategy": "depth"}], ids=str
)


def late(latency=5.0, others=0) -> Model:
    """A frame, somebody who waits a second for it, and others who do something else meanwhile."""
    model = Model("late")
    link, never = model.link("link", latency=latency), model.event("never")

    def send():
        yield link.send("x")

    def receive():
        try:
            yield link.recv(timeout=1)
        except TimeoutError:
            yield never.wait()

    def other(event):
        yield event.set()
        yield event.clear()

    model.process("sender", send)
    model.process("receiver", receive)
    for number in range(others):
        model.process(f"other {number}", other, model.event(f"event {number}"))
    return model


@RULES
@EVERY
@pytest.mark.parametrize("others", [0, 2])
def test_who_waits_for_a_late_frame_may_time_out_before_it_arrives(others, timeouts, options):
    assert explore(late(others=others), timeouts=timeouts, **options).verdict is Verdict.VIOLATED


@RULES
@pytest.mark.parametrize("latency", [0.5, 5.0])
def test_how_long_it_takes_is_not_counted_which_is_said(timeouts, latency):
    result = explore(late(latency=latency), timeouts=timeouts)
    assert result.verdict is Verdict.VIOLATED
    assert ("may take any time" in str(result)) is (timeouts != "anytime")


@RULES
def test_it_may_arrive_in_time(timeouts):
    arrived = sometimes(lambda state: all(p.done for p in state.processes))
    assert explore(late(), arrived, timeouts=timeouts, strategy="depth").verdict is Verdict.HOLDS


@pytest.mark.parametrize("options", [{}, {"symmetry": False, "partial_order": False}], ids=str)
def test_where_time_outs_never_fire_it_arrives(options):
    assert explore(late(), timeouts="never", **options).verdict is Verdict.HOLDS


@pytest.mark.parametrize("timeouts", ["never", "when_stuck", "in_order"])
def test_without_a_latency_it_arrives_at_once(timeouts):
    assert explore(late(latency=0.0), timeouts=timeouts).verdict is Verdict.HOLDS


@pytest.mark.parametrize("timeouts", ["never", "when_stuck", "in_order", "anytime"])
def test_a_sleep_may_end_while_a_frame_is_on_its_way(timeouts):
    model = Model("sleeper")
    link, log = model.link("link", latency=5.0), model.variable("log", "")

    def send():
        yield link.send("x")

    def receive():
        yield link.recv()
        yield log.update(lambda old: old + "r")

    def sleeper():
        yield sleep(1)
        yield log.update(lambda old: old + "s")

    model.process("sender", send)
    model.process("receiver", receive)
    model.process("sleeper", sleeper)
    for text in ("rs", "sr"):
        assert (
            explore(model, sometimes(lambda s, text=text: s["log"] == text), timeouts=timeouts).verdict is Verdict.HOLDS
        )
