"""A started timer is a thread that must end; every driver and every rule says so."""

from __future__ import annotations

import pytest

from simcore import Model, Verdict, execute, explore, simulate
from simcore.properties import no_stuck_subset

RULES = ("never", "when_stuck", "in_order", "anytime")
REDUCTIONS = ({}, {"symmetry": False, "partial_order": False}, {"strategy": "depth"})


def timed(*calls, hangs=True, daemon=False, beside=False) -> Model:
    """A process makes ``calls`` on a timer and ends; the timer's function hangs, or returns."""
    model = Model("timed")
    never, beat = model.event("never"), model.event("beat")

    def fn():
        yield (never.wait() if hangs else never.is_set())

    timer = model.timer("timer", 0.05, fn, daemon=daemon)

    def user():
        for call in calls:
            yield getattr(timer, call)()

    def heartbeat():
        yield beat.wait()

    model.process("user", user)
    if beside:
        model.process("beside", heartbeat, daemon=True)
    return model


HANGS = [{"calls": ("start",)}, {"calls": ("start",), "beside": True}]
ENDS = [
    {"calls": ()},
    {"calls": ("cancel",)},
    {"calls": ("cancel", "start")},
    {"calls": ("start",), "hangs": False},
    {"calls": ("start",), "daemon": True},
]


def made(calls, **how) -> Model:
    return timed(*calls, **how)


@pytest.mark.parametrize("how", HANGS, ids=str)
@pytest.mark.parametrize("timeouts", RULES)
@pytest.mark.parametrize("options", REDUCTIONS, ids=str)
def test_a_started_timer_whose_function_hangs_is_a_deadlock(how, timeouts, options):
    result = explore(made(**how), timeouts=timeouts, **options)
    assert result.verdict is Verdict.VIOLATED
    assert result.counterexample.wait_for.explain() == ["timer.run waits for never to be set: nobody sets it any more"]


@pytest.mark.parametrize("how", ENDS, ids=str)
@pytest.mark.parametrize("timeouts", RULES)
@pytest.mark.parametrize("options", REDUCTIONS, ids=str)
def test_a_timer_that_was_not_started_or_ends_or_is_a_daemon_owes_nothing(how, timeouts, options):
    assert explore(made(**how), timeouts=timeouts, **options).verdict is Verdict.HOLDS


@pytest.mark.parametrize("how", [how for how in ENDS if not how.get("daemon")], ids=str)
def test_every_process_can_end_though_a_timer_is_never_started(how):
    assert explore(made(**how), no_stuck_subset()).verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    ("how", "status"), [*((h, "stuck") for h in HANGS), *((h, "completed") for h in ENDS)], ids=str
)
def test_a_run_in_virtual_time_and_a_real_one_say_the_same(how, status):
    assert {simulate(made(**how), seed=seed).status for seed in range(8)} == {status}
    run = execute(made(**how), max_seconds=5)
    assert (run.status, run.explained) == (status, True)


def test_a_timer_that_was_never_started_is_not_counted_among_those_that_must_complete():
    assert "1 of 1 processes completed" in str(simulate(timed()))
    assert "2 of 2 processes completed" in str(simulate(timed("start", hangs=False)))
    assert "1 of 2 processes completed" in str(simulate(timed("start")))
