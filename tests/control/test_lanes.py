"""Many schedules in one process, in two lanes: the same answers as one by one, whatever a program leaves behind."""

import pytest
import threaded_in_one_process as programs

from benchmarks import schedules
from simcore import Verdict, control
from simcore.control import lanes

ALL = [
    programs.leaves_nothing,
    programs.hangs_the_first_time,
    programs.hangs_while_nobody_counts,
    programs.hangs_while_it_was_not_told,
]


@pytest.mark.some(3)
@pytest.mark.parametrize("strategy", ["portfolio", pytest.param("pos", marks=pytest.mark.slow)])
@pytest.mark.parametrize("body", ALL)
def test_the_answer_is_the_one_of_schedules_one_by_one(body, strategy, monkeypatch):
    together = control(body, seed=3, schedules=120, strategy=strategy)
    monkeypatch.setattr(lanes, "_BATCH", 1)
    alone = control(body, seed=3, schedules=120, strategy=strategy)
    assert (together.schedules, together.steps) == (alone.schedules, alone.steps)
    assert together.violation == alone.violation


def test_what_fails_only_in_a_process_in_which_it_has_run_before_does_not_fail():
    result = control(programs.fails_the_fifth_time, schedules=60)
    assert result.verdict is Verdict.UNDETERMINED
    assert result.schedules == 60


def test_what_hangs_behind_others_alone_is_said_not_to_count():
    result = control(programs.hangs_the_fourth_time, schedules=60)
    assert (result.verdict, result.schedules) == (Verdict.UNDETERMINED, 60)
    assert result.notes == [
        "one hung behind others in the same process, and not by the same steps in one of its own: perhaps runs leave "
        "something behind (what a module holds, a file); it does not count, and the rest ran one by one"
    ]


def test_of_a_program_that_leaves_nothing_behind_nothing_is_said():
    assert control(programs.completes, schedules=60).notes == []


@pytest.mark.some(2)
@pytest.mark.parametrize("schedules", [1, lanes.ALONE, lanes.ALONE + 1, lanes.ALONE + 2, 70])
def test_there_are_as_many_schedules_as_were_asked_for(schedules):
    assert control(programs.completes, schedules=schedules).schedules == schedules


def test_batches_are_run_where_nothing_is_left(monkeypatch):
    asked = []
    ask = lanes.Lane.ask

    def watched(lane, most):
        ask(lane, most)
        asked.append(lane._asked.many)

    monkeypatch.setattr(lanes.Lane, "ask", watched)
    control(programs.completes, schedules=100)
    assert max(asked) > 20
    asked.clear()
    control(programs.fails_the_fifth_time, schedules=100)
    assert asked[-20:] == [1] * 20


def test_the_benchmark_of_schedules_runs_them_in_lanes(monkeypatch):
    monkeypatch.setattr(schedules, "SECONDS", 0.1)
    ran, hung, _ = schedules.control(2, 2, 1)
    assert (ran > 0, hung) == (True, 0)
    ran, hung, _ = schedules.control(2, 2, 0)
    assert 0 < hung <= ran
