"""Large programs have much that is older than a run: it is named, it is learned from, and telling it may last."""

import time

import threaded_older

from simcore import control
from simcore.control import naming, workers


def test_a_lock_of_a_class_has_its_name_and_what_is_older_takes_no_other_names_away():
    found = control(threaded_older.opposed_to_the_lock_of_all).violation
    assert "one waits for Tasks.gate, held by other" in found.wait_for.explain()[0]
    assert {step.text for step in found.steps if "lock" in step.text or "gate" in step.text} == {
        "a lock.acquire()",
        "Tasks.lock.acquire()",
        "Tasks.gate.acquire()",
    }


def test_a_run_that_takes_long_to_tell_is_under_control(monkeypatch):
    named = naming.Names.of

    def slowly(*asked):
        time.sleep(0.3)
        return named(*asked)

    monkeypatch.setattr(workers, "PATIENCE", 1.0)
    monkeypatch.setattr(naming.Names, "of", slowly)
    assert control(threaded_older.polled_reply, schedules=1, max_seconds=1).violation is not None


def test_whoever_gives_up_where_the_reply_comes_late_hangs_nobody():
    result = control(lambda: threaded_older.polled_reply(workers=2, seconds=0.0), schedules=5)
    assert result.violation.kind == "failed"
