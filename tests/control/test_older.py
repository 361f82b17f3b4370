"""Large programs have much that is older than a run: it is named, it is learned from, and telling it may last."""

import time

import pytest
import threaded_older
from hints import tried

from simcore import Verdict, control
from simcore.control import naming, patience, replay, workers
from simcore.errors import NotUnderControl

KNOT = [
    "replies 1/1: every worker is in polled_reply.handle(), waiting for told",
    "  set only by polled_reply.read(), queued in replies behind it",
    "  " + tried("replies", 1),
]


@pytest.mark.slow
@pytest.mark.parametrize("timeouts", ["when_stuck", "in_order", "never"])
@pytest.mark.parametrize("body", [threaded_older.polled_reply, threaded_older.polled_reply_beside_a_heartbeat])
def test_a_knot_in_each_run_is_told_where_it_closes_although_whoever_asked_gives_up(body, timeouts):
    result = control(body, schedules=1, timeouts=timeouts, max_seconds=60)
    assert (result.verdict, result.violation.kind) == (Verdict.VIOLATED, "deadlock")
    assert result.violation.wait_for.explain()[:2] == KNOT[:2], str(result)
    assert not result.violation.errors
    again = replay(result.violation.token)
    assert again.violation.steps == result.violation.steps


@pytest.mark.slow
def test_one_more_worker_is_tried_in_a_pool_that_is_older_than_the_run():
    assert KNOT[2] in control(threaded_older.polled_reply, schedules=1).violation.wait_for.explain()


def test_whoever_gives_up_where_the_reply_comes_late_hangs_nobody():
    result = control(lambda: threaded_older.polled_reply(workers=2, seconds=0.0), schedules=5)
    assert result.violation.kind == "failed"


def test_a_lock_of_a_class_has_its_name_and_what_is_older_takes_no_other_names_away():
    found = control(threaded_older.opposed_to_the_lock_of_all).violation
    assert "one waits for Tasks.gate, held by other" in found.wait_for.explain()[0]
    assert {step.text for step in found.steps if "lock" in step.text or "gate" in step.text} == {
        "a lock.acquire()",
        "Tasks.lock.acquire()",
        "Tasks.gate.acquire()",
    }


@pytest.mark.slow
def test_a_run_that_takes_long_to_tell_is_under_control(monkeypatch):
    candidates = naming.Names._candidates

    def slowly(*asked):
        threaded_older.works_for_long(1.0)
        return candidates(*asked)

    monkeypatch.setattr(workers, "PATIENCE", 2.0)
    monkeypatch.setattr(workers, "kept_waiting", lambda *_: 0.0)
    monkeypatch.setattr(naming.Names, "_candidates", slowly)
    assert control(threaded_older.polled_reply, schedules=1, max_seconds=60).violation is not None


@pytest.mark.slow
def test_what_the_system_took_for_others_is_no_time_in_which_nothing_moved(monkeypatch):
    begun = time.monotonic()
    busy = [False]

    def kept_waiting(*processes):
        return time.monotonic() - begun if busy[0] else 0.0

    monkeypatch.setattr(workers, "PATIENCE", 0.5)
    monkeypatch.setattr(workers, "kept_waiting", kept_waiting)
    slow = threaded_older.works_for_long
    with pytest.raises(NotUnderControl, match=r"nothing has moved for 0\.5 s"):
        control(slow, schedules=1)
    busy[0] = True
    assert control(slow, schedules=1).violation is None
    assert patience.kept_waiting("self") >= 0.0
