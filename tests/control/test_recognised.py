"""Hangs of ordinary code are found, and the one thing that holds everybody is named; the repaired twin survives."""

from functools import partial
from inspect import signature
from itertools import pairwise
from types import FunctionType

import pytest
import threaded
import threaded_fine
import threaded_kept
from hints import tried

from simcore import Verdict, control
from simcore.control import live, replay

HANGS = {
    "nested submit": (
        threaded.nested_submit,
        {"workers": 2},
        "pool 1/1: every worker is in nested_submit.outer(), waiting for the result of nested_submit.inner() "
        "set only by nested_submit.inner(), queued in pool behind it",
    ),
    "two pools": (
        threaded.two_pools,
        {"workers": 2},
        "first 1/1: every worker is in two_pools.on_first(), waiting for the result of two_pools.on_second() "
        "which runs on",
    ),
    "Queue.join": (
        threaded.forgotten_task_done,
        {"forgets": False},
        "main waits for all items of todo to be done, empty, 1 not done: nobody does one any more; "
        "only worker did, last in step ",
    ),
    "lost wake-up": (
        threaded.lost_wake_up,
        {"tested_inside": True},
        "consumer waits to be notified on changed: nobody notifies it any more; only producer did, in step ",
    ),
    "semaphore twice": (
        threaded.semaphore_twice,
        {"permits": 3},
        "transfer[0] waits for a permit of limit, held by itself, transfer[1]",
    ),
    "a pool of connections": (
        threaded.connections_twice,
        {"connections": 3},
        "request[0] waits for an item of free, empty, taken by itself, request[1]",
    ),
    "opposed locks": (threaded.opposed_locks, {"opposed": False}, "one waits for right, held by other"),
    "a handler of logging": (
        threaded.logging_handler,
        {"waits": False},
        "main waits for the end of helper helper waits for Handler.lock, held by main",
    ),
    "a done-callback": (
        threaded.waiting_callback,
        {"waits": False},
        "db 1/1: every worker is in waiting_callback.<lambda>(), waiting for the result of waiting_callback.second() "
        "set only by waiting_callback.second(), queued in db behind it",
    ),
    "permits": (
        threaded_kept.permits_lost_on_an_error,
        {"gives_back": True},
        "main waits for a permit of permits, 2 taken by failing[0..1], which have ended",
    ),
    "a barrier": (threaded_kept.too_few_at_a_barrier, {"breaks": True}, "waits at barrier, 2 of 3 there: "),
    "an import": (
        threaded_kept.imported_by_two,
        {"joins": False},
        "main waits for the end of loader loader waits for the import of starts_a_loader, held by main",
    ),
    "a finalizer": (threaded.finalizer, {"collects": False}, "user waits for lock, held by itself"),
    "a knot beside a heartbeat": (
        threaded.knot_beside_a_heartbeat,
        {"opposed": False},
        "one waits for right, held by other",
    ),
}


@pytest.mark.some(12)
@pytest.mark.parametrize(
    ("body", "repair", "words"),
    [
        pytest.param(*told, id=name, marks=[pytest.mark.slow] * (name == "a knot beside a heartbeat"))
        for name, told in HANGS.items()
    ],
)
def test_a_hang_is_found_and_named_and_its_repaired_twin_survives(body, repair, words):
    result = control(body, schedules=100)
    assert result.verdict is Verdict.VIOLATED
    assert result.violation.kind == "deadlock"
    assert words in " ".join(" ".join(result.violation.wait_for.explain()).split())
    again = replay(result.violation.token)
    assert again.violation.wait_for.explain() == result.violation.wait_for.explain()
    assert again.notes == result.notes
    fixed = control(partial(body, **repair), schedules=5)
    assert (fixed.verdict, fixed.violation, fixed.notes) == (Verdict.UNDETERMINED, None, [])


@pytest.mark.some(2)
@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (
            threaded.nested_submit,
            "  " + tried("pool", 1),
        ),
        (
            threaded.two_pools,
            "  " + tried("first", 1),
        ),
        (threaded.nested_deeper, None),
        (
            partial(threaded.nested_deeper, workers=2),
            "  " + tried("pool", 2),
        ),
    ],
)
def test_one_more_worker_is_tried_before_it_is_recommended(body, hint):
    told = control(body).violation.wait_for.explain()
    assert [line for line in told if "tried: " in line] == ([hint] if hint else [])


def test_a_finalizer_that_blocks_is_named_with_its_place():
    text = " ".join(str(control(threaded.finalizer)).split())
    assert "in finalizer.use(), below the finalizer" in text or "finalizer.Connection.__del__()" in text


FINE = [
    *(
        body
        for body in vars(threaded_fine).values()
        if isinstance(body, FunctionType)
        and body.__module__ == "threaded_fine"
        and all(parameter.default is not parameter.empty for parameter in signature(body).parameters.values())
    ),
    *(threaded.forks, threaded.starts_too_large_a_thread),
]


@pytest.mark.some(8)
@pytest.mark.parametrize("schedules", [3, pytest.param(25, marks=pytest.mark.slow)])
@pytest.mark.parametrize("body", FINE, ids=[body.__name__ for body in FINE])
def test_what_does_not_hang_is_not_said_to(body, schedules):
    result = control(body, schedules=schedules)
    assert result.verdict is Verdict.UNDETERMINED, str(result)
    assert result.reason == f"no violation in {schedules} schedules"


@pytest.mark.some(2)
@pytest.mark.parametrize("timeouts", ["never", "when_stuck", "in_order", "anytime"])
def test_what_dies_with_a_thread_may_end_a_wait(timeouts):
    body = threaded_fine.told_by_what_dies_with_a_thread
    assert control(body, timeouts=timeouts, schedules=20).reason == "no violation in 20 schedules"


def test_a_timer_is_a_sleep_and_no_time_out():
    assert control(threaded_fine.timer_alone, timeouts="never", schedules=5).verdict is Verdict.UNDETERMINED


def test_nobody_is_looked_for_where_it_is_known_of_nobody_who_might_help(monkeypatch):
    monkeypatch.setattr(live, "reaches", None)
    assert control(threaded_fine.many_wait_beside_a_sleeper, schedules=1).verdict is Verdict.UNDETERMINED


def test_threads_of_one_name_are_told_apart():
    violation = control(threaded.same_names).violation
    assert {"main", "main (0.1)", "main (0.2)"} <= {step.thread for step in violation.steps}
    assert violation.places.keys() == {"main", "main (0.1)", "main (0.2)"}
    assert violation.switches == sum(one.thread != other.thread for one, other in pairwise(violation.steps))


def test_a_finalizer_that_runs_between_two_operations_is_met_when_it_is_recorded_too():
    violation = control(threaded.finalizer_in_the_middle).violation
    assert "user waits for lock, held by itself" in violation.wait_for.explain()


@pytest.mark.slow
def test_who_is_lost_beside_others_who_go_on_is_told_from_the_step_where_he_was():
    result = control(threaded.lost_beside_a_watcher)
    assert result.violation.kind == "deadlock"
    assert len(result.violation.steps) < 40
    assert replay(result.violation.token).violation.wait_for.explain()[0].startswith("main waits to be notified on")
    assert control(partial(threaded.lost_beside_a_watcher, loses=False), schedules=20).violation is None


def test_what_fails_in_some_order_only_is_a_violation_with_its_schedule():
    result = control(threaded.lost_update)
    assert result.violation.kind == "failed"
    assert result.violation.answer == "main raised AssertionError: 1 of 2"
    assert result.violation.steps[-1].text.startswith("joins")


def test_what_was_raised_is_told_although_others_never_end():
    result = control(threaded.fails_beside_who_never_ends, max_steps=200)
    assert result.violation.answer == "main raised AssertionError: at once"


def test_an_exception_that_ends_a_thread_is_a_violation():
    result = control(threaded.dies)
    assert [(each.thread, each.error) for each in result.violation.errors] == [("a", "KeyError: 'missing'")]
    assert "threaded.py:" in result.violation.errors[0].place
