"""Beside a heartbeat it is told who is lost where nobody comes to what he waits for, and not where somebody might."""

import nobody_might
import pytest

from simcore import Verdict, control
from simcore.control import reaching, replay


@pytest.mark.some(12)
@pytest.mark.parametrize(("body", "words"), nobody_might.HANGS.items())
def test_a_hang_that_nobody_can_end_is_told_beside_a_heartbeat(body, words):
    result = control(body, schedules=2, max_steps=4_000, witness="any")
    assert result.verdict is Verdict.VIOLATED, str(result)
    assert words in " ".join(" ".join(result.violation.wait_for.explain()).split())
    assert len(result.violation.steps) < 30, "from where it is lost on, not from where that was asked"
    assert replay(result.violation.token).violation.steps == result.violation.steps


@pytest.mark.some(10)
@pytest.mark.parametrize("body", nobody_might.HELPED)
def test_who_might_come_to_it_by_any_way_is_waited_for(body):
    result = control(body, schedules=2, max_steps=4_000)
    assert result.verdict is Verdict.UNDETERMINED, str(result)
    assert result.notes[0].startswith("2 of them had not ended after 4,000 steps")


def test_who_has_more_than_can_be_looked_through_might(monkeypatch):
    monkeypatch.setattr(reaching, "_MOST_AT_ALL", 3)
    assert control(nobody_might.event_of_nobody, schedules=1, max_steps=4_000).verdict is Verdict.UNDETERMINED
