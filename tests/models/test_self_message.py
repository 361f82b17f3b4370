"""A client that sends to itself waits for itself; a time-out hides that, and a lost permission stays lost."""

import pytest

from simcore import Verdict, execute, explore, simulate
from simcore.models.self_message import buggy, fixed, served_or_over, told_so, work_is_kept
from simcore.properties import deadlock_free

SIZES = [(others, workers) for others in (0, 1) for workers in (1, 2)]
both = pytest.mark.parametrize("scattered_by", ["self", "other"])
every_size = pytest.mark.parametrize(("others", "workers"), SIZES)


# ---- the message to itself ---------------------------------------------------------------------------------


@both
@every_size
def test_before_the_fixes_it_waits_for_itself_whatever_the_number_of_workers_and_trainers(
    scattered_by, others, workers
):
    model = buggy(scattered_by=scattered_by, others=others, workers=workers)
    assert explore(model, deadlock_free(), timeouts="never").verdict is Verdict.VIOLATED


@both
@every_size
def test_after_the_fixes_it_never_does(scattered_by, others, workers):
    model = fixed(scattered_by=scattered_by, others=others, workers=workers)
    assert explore(model, deadlock_free(), timeouts="never").verdict is Verdict.HOLDS


@both
def test_it_takes_a_handler_that_waits_for_tensors(scattered_by):
    model = buggy(scattered_by=scattered_by, tensor_stream=False)
    assert explore(model, deadlock_free(), timeouts="never").verdict is Verdict.HOLDS


def test_the_first_fix_alone_lets_the_round_hang_at_its_submission():
    found = explore(fixed(submit_fix=False), deadlock_free(), timeouts="never").counterexample
    assert found.schedule.steps[-1].text.startswith("takes the next task of callback")
    assert "callback 1/1: every worker is in process_learn_result(client)" in "\n".join(found.wait_for.explain())


def test_the_scatter_hangs_before_anything_but_the_sending_thread_has_moved():
    found = explore(buggy(tensor_wait=0), deadlock_free()).counterexample
    assert (found.schedule.processes, len(found.schedule)) == (["gather monitor"], 1)
    assert (
        "gather monitor waits for tensors of the task to be set: learn might set it, but waits itself"
        in found.wait_for.explain()
    )


@pytest.mark.parametrize(
    ("model", "timeouts", "states"),
    [
        (fixed(), "never", 21),
        (fixed(others=1), "in_order", 383),
        pytest.param(fixed(others=2, workers=2), "in_order", 8_585, marks=pytest.mark.slow),
        (buggy(tensor_stream=False), "never", 54),
    ],
    ids=["one", "two", "three", "without streamed tensors"],
)
def test_so_many_states_hold(model, timeouts, states):
    result = explore(model, deadlock_free(), timeouts=timeouts, partial_order=False)
    assert (result.verdict, result.states) == (Verdict.HOLDS, states)


# ---- what a time-out hides -----------------------------------------------------------------------------------


@both
def test_a_time_out_breaks_the_hang_and_the_round_is_lost(scattered_by):
    model = buggy(scattered_by=scattered_by)
    assert explore(model, deadlock_free(), timeouts="in_order").verdict is Verdict.HOLDS
    lost = explore(model, work_is_kept(), timeouts="in_order").counterexample
    assert lost.state.process("gather monitor").result == "panicked"


@both
def test_after_the_fixes_no_work_is_lost(scattered_by):
    result = explore(fixed(scattered_by=scattered_by, others=1), work_is_kept(), told_so(), timeouts="in_order")
    assert result.verdict is Verdict.HOLDS


@pytest.mark.parametrize(("tensor_wait", "ack_timeout"), [(5, 10), (20, 10), (5, 3), (0, 10), (5, 0)])
def test_a_streamed_message_is_broken_by_the_shorter_time_out(tensor_wait, ack_timeout):
    run = simulate(buggy(scattered_by="other", tensor_wait=tensor_wait, ack_timeout=ack_timeout), seed=0)
    assert run.completion["gather monitor"] == min(limit for limit in (tensor_wait, ack_timeout) if limit)


@pytest.mark.parametrize("ack_timeout", [1, 3, 10, 0])
def test_a_message_that_is_a_call_is_broken_by_its_handler_alone(ack_timeout):
    assert simulate(buggy(ack_timeout=ack_timeout), seed=0).completion["gather monitor"] == 5
    assert simulate(buggy(ack_timeout=ack_timeout, tensor_wait=0), seed=0).status == "stuck"


def test_a_result_that_counts_is_reported_as_lost_when_the_sender_gives_up_first():
    result = explore(buggy(scattered_by="other", tensor_wait=0), told_so(), timeouts="in_order")
    assert result.verdict is Verdict.VIOLATED
    assert result.counterexample.state.process("learn").result == "no reply"


# ---- the lost permission (H12) -------------------------------------------------------------------------------


def test_a_trainer_that_dies_with_the_permission_keeps_the_others_asking_for_ever():
    found = explore(fixed(others=1, crash=True), served_or_over(), timeouts="in_order").counterexample
    assert found.state.process("trainer[0]").result == "crashed"
    assert "trainer[0]" in {str(trainer) for trainer in found.state["round"].busy}
    assert {step.process for step in found.lasso.steps} == {"learn", "callback[0]"}
    assert any(step.text.startswith("has slept") for step in found.lasso.steps)


@pytest.mark.parametrize("more", [{}, {"crash": True, "round_limit": 20}], ids=["nobody dies", "a limit"])
def test_every_trainer_is_served_or_the_round_ends_if_nobody_dies_or_the_round_has_a_limit(more):
    assert explore(fixed(others=1, **more), served_or_over(), timeouts="in_order").verdict is Verdict.HOLDS


def test_two_living_trainers_take_turns():
    result = explore(fixed(others=1), work_is_kept(), timeouts="in_order")
    assert result.verdict is Verdict.HOLDS


# ---- real runs -----------------------------------------------------------------------------------------------


@both
def test_for_real_the_schedule_gets_stuck_at_the_first_try(scattered_by):
    model = buggy(scattered_by=scattered_by, tensor_wait=0, ack_timeout=0)
    run = execute(model, schedule=explore(model, deadlock_free()).counterexample.schedule)
    assert (run.status, run.explained) == ("stuck", True)


@both
@pytest.mark.parametrize("others", [0, 2])
def test_for_real_the_fixed_round_completes(scattered_by, others):
    run = execute(fixed(scattered_by=scattered_by, others=others, workers=2, second=0.1))
    assert (run.status, run.explained) == ("completed", True)
    assert run.results["gather monitor"] == 1 + others


def test_for_real_a_time_out_of_the_handler_ends_the_job():
    run = execute(buggy(second=0.01))
    assert (run.status, run.explained, run.results["gather monitor"]) == ("completed", True, "panicked")
