"""Whoever comes late comes: nobody is told to be lost on a guess that another order refutes."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import comes_in_time
import comes_late as programs
import pytest
import threaded_in_order

from simcore import Verdict, control
from simcore.control import lanes, replay
from simcore.control.complete import EveryOrder
from simcore.control.running import Options, Question, answer
from simcore.control.token import read
from simcore.control.workers import Workers
from simcore.errors import NotUnderControl
from simcore.schedule import RandomWalk


@pytest.mark.some(3)
@pytest.mark.parametrize("body", comes_in_time.BY_THE_COLLECTOR)
def test_what_the_collector_would_give_back_beside_others_is_waited_for(body):
    result = control(body, schedules=3, max_steps=500)
    assert result.verdict is Verdict.UNDETERMINED, str(result)


@pytest.mark.parametrize("body", comes_in_time.BY_THE_CLOCK)
def test_whoever_looks_out_for_a_time_that_is_far_away_is_waited_for(body):
    result = control(body, schedules=10, max_steps=500)
    assert result.verdict is Verdict.UNDETERMINED, str(result)


@pytest.mark.some(40)
@pytest.mark.parametrize("strategy", ["dfs", "portfolio", "random"])
@pytest.mark.parametrize("body", programs.LATE)
def test_who_comes_late_by_a_way_that_is_not_seen_is_waited_for(body, strategy):
    schedules = 5 if strategy == "dfs" else 20  # which tries each guess anew
    assert control(body, strategy=strategy, schedules=schedules).violation is None


@pytest.mark.parametrize("body", [programs.event_of_a_class, programs.future_of_nobody])
def test_without_a_try_in_other_orders_a_guess_would_be_told(body, monkeypatch):
    monkeypatch.setattr(lanes, "comes_yet", lambda *_: False)
    assert control(body, strategy="random", schedules=20, witness="any").violation is not None


@pytest.mark.some(8)
@pytest.mark.parametrize("strategy", ["random", "dfs"])
@pytest.mark.parametrize("witness", ["short", "any"])
@pytest.mark.parametrize("body", [programs.told_if_first, programs.one_of_two_made_at_a_line])
def test_from_where_somebody_is_told_to_be_lost_nothing_helps_him(body, witness, strategy):
    violation = control(body, strategy=strategy, witness=witness, schedules=100).violation
    assert violation.kind == "deadlock"
    path = read(violation.token).path
    with Workers(partial(answer, body)) as workers:
        for seed in range(20):
            on = workers.ask(Question(Options(), RandomWalk(seed), path=path, facts=True))
            assert on.how != "completed"
    assert replay(violation.token).violation.steps == violation.steps


@pytest.mark.some(2)
@pytest.mark.parametrize("strategy", ["dfs", "random"])
def test_what_there_was_no_time_to_try_is_not_told(strategy, monkeypatch):
    monkeypatch.setattr(lanes, "TRY_SECONDS", -3_600.0)
    body = threaded_in_order.never_told_beside_a_heartbeat
    result = control(body, schedules=20, strategy=strategy, max_steps=4_000, max_seconds=600)
    assert result.verdict is Verdict.UNDETERMINED
    assert any("there was no time to try it" in note for note in result.notes)


@pytest.mark.slow
def test_what_was_tried_and_is_no_fact_is_noted():
    result = control(threaded_in_order.never_told_beside_a_heartbeat, schedules=100, max_steps=4_000, witness="any")
    assert result.verdict is Verdict.VIOLATED
    (note,) = [note for note in result.notes if "no fact" in note]
    assert note.endswith("let run 5 times, for at most 4,000 steps each")
    assert replay(result.violation.token).notes == [note]
    assert not control(threaded_in_order.opposed, schedules=100).notes


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["dfs", "random"])
def test_a_thread_that_was_there_before_may_help_although_time_goes_on(strategy):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
        body = partial(programs.beside_a_heartbeat, pool)
        with pytest.raises(NotUnderControl, match="a thread might end that which was there before"):
            control(body, strategy=strategy, schedules=20)


@pytest.mark.some(2)
@pytest.mark.parametrize("locks", [0, 3, 6, 7])
def test_which_runs_name_locks_changes_nothing(locks):
    body = partial(programs.two_meet_and_somebody_fails, locks)
    assert control(body, strategy="dfs", schedules=20, witness="any").violation.kind == "failed"


def test_the_audit_ends_with_the_time_and_is_no_proof_then(monkeypatch):
    goes_on = iter([True] * 5)
    monkeypatch.setattr(EveryOrder, "_goes_on", lambda _: next(goes_on, False))
    result = control(threaded_in_order.take_one_lock, strategy="dfs")
    assert result.verdict is Verdict.UNDETERMINED
    assert "all orders were run, but only" in result.reason


def test_what_is_left_for_the_exit_of_the_interpreter_might_help():
    with pytest.raises(NotUnderControl, match="what the program has left for the interpreter's exit, by threading"):
        control(comes_in_time.told_at_exit, schedules=2)
