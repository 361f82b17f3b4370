"""Lines of simcore explain nothing: a run takes itself out of that phase, unless somebody has asked for it."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from hypothesis import Phase, settings
from hypothesis.control import current_build_context
from hypothesis.stateful import run_state_machine_as_test
from toys import opposed_locks, pool_system

from simcore.stateful import machine, unexplained

MINE = settings(max_examples=100, stateful_step_count=40, deadline=None, database=None, derandomize=True)
"""Of a user who says nothing of phases."""

ASKED = settings(MINE, phases=list(Phase))


def seen(how, look):
    """Return what ``look`` says in each run of a machine that fails, and how it is told."""
    found = []

    class Seen(machine(pool_system, requesters=[1, 2], workers=[1, 2], chunks=[1, 2])):
        def teardown(self):
            super().teardown()
            found.append(look())

    with pytest.raises(AssertionError) as caught:
        run_state_machine_as_test(Seen, settings=how)
    return found, "\n".join([str(caught.value), *caught.value.__notes__])


def arguments():
    """Return the arguments that Hypothesis could vary."""
    return len(current_build_context().data.arg_spans)


def traced():
    """Tell whether Hypothesis traces lines."""
    if hasattr(sys, "monitoring"):
        events = [sys.monitoring.get_events(n) for n in range(6) if sys.monitoring.get_tool(n) == "scrutineer"]
        return any(events)
    return sys.gettrace() is not None


@pytest.fixture
def untraced():
    """Have no coverage measured here: before Python 3.12 there is one tracer at a time."""
    before = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(before)


@pytest.mark.slow
@pytest.mark.usefixtures("untraced")
def test_the_phase_is_left_out_unless_the_user_names_it():
    left_out, told = seen(MINE, lambda: (arguments(), traced()))
    assert set(left_out) == {(0, False)}
    assert "Explanation" not in told
    asked, told = seen(ASKED, lambda: (arguments(), traced()))
    assert all(varied for varied, _ in asked)
    assert any(lines for _, lines in asked)
    assert "Explanation" in told
    assert 5 * len(left_out) < len(asked)


def test_settings_that_are_made_of_others_say_as_much_of_phases():
    derived = settings(settings(MINE, max_examples=7), stateful_step_count=3)
    assert derived.phases is settings.get_profile("default").phases
    assert settings(ASKED, max_examples=7).phases is not settings.get_profile("default").phases


@pytest.mark.usefixtures("untraced")
def test_a_debugger_goes_on_tracing():
    def trace(frame, event, arg):
        return None

    def look():
        return sys.gettrace() is trace

    sys.settrace(trace)
    found, _ = seen(MINE, look)
    assert all(found)


def test_a_machine_outside_a_test_is_left_alone():
    before = sys.gettrace()
    run = machine(opposed_locks())()
    run.teardown()
    assert sys.gettrace() is before


# ---- the two ways of tracing -------------------------------------------------------------------------------


class Tracer:
    """Stands for Hypothesis' own."""

    __module__ = "hypothesis.internal.scrutineer"

    def __init__(self):
        self._branches = {("a line", "another")}

    def trace(self, *event):
        return None


def test_before_monitoring_the_trace_is_taken_away(monkeypatch):
    tracer, taken = Tracer(), []
    here = SimpleNamespace(gettrace=lambda: tracer.trace, settrace=taken.append)
    monkeypatch.setattr(unexplained, "sys", here)
    monkeypatch.setattr(unexplained, "_unasked", lambda: True)
    unexplained.stop_tracing()
    assert taken == [None]
    assert not tracer._branches


def test_with_monitoring_the_events_of_its_tool_are_switched_off(monkeypatch):
    tracer, events = Tracer(), []
    monitoring = SimpleNamespace(
        events=SimpleNamespace(LINE=32),
        get_tool={1: "coverage", 3: "scrutineer"}.get,
        set_events=lambda *asked: events.append(asked),
        register_callback=lambda tool, event, callback: tracer.trace,
    )
    monkeypatch.setattr(unexplained, "sys", SimpleNamespace(monitoring=monitoring))
    monkeypatch.setattr(unexplained, "_unasked", lambda: True)
    unexplained.stop_tracing()
    assert events == [(3, 0)]
    assert not tracer._branches
