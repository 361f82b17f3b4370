"""Verdicts, limits, schedules and reports of `explore`, on systems small enough to check by hand."""

import pytest
import small

from simcore import Verdict, explore

VIOLATED, HOLDS, UNDETERMINED = Verdict.VIOLATED, Verdict.HOLDS, Verdict.UNDETERMINED
EXHAUSTIVE = ["breadth", "depth"]


# ---- what is hidden by what goes on ------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", EXHAUSTIVE)
@pytest.mark.parametrize("in_a_task", [False, True])
def test_who_can_never_move_again_is_found_although_a_heartbeat_looks_able_to_help(strategy, in_a_task):
    result = explore(small.hidden(in_a_task=in_a_task), strategy=strategy)
    assert (result.verdict, result.property) == (VIOLATED, "deadlock free")


@pytest.mark.parametrize("strategy", EXHAUSTIVE)
@pytest.mark.parametrize("in_a_task", [False, True])
def test_who_waits_for_a_heartbeat_that_does_help_is_not_stuck(strategy, in_a_task):
    assert explore(small.hidden(in_a_task=in_a_task, alone=False), strategy=strategy).verdict is HOLDS


def test_the_first_state_from_which_somebody_never_moves_again_is_reported():
    """The task is stuck as soon as a worker has taken it: after the submit and the take, whoever arms."""
    assert explore(small.hidden(in_a_task=True)).counterexample.schedule.processes == ["main", "pool[0]"]


@pytest.mark.parametrize("strategy", EXHAUSTIVE)
def test_a_wait_with_a_time_out_is_no_deadlock_beside_a_heartbeat_that_never_sleeps(strategy):
    assert explore(small.patient(), strategy=strategy).verdict is HOLDS


def test_without_time_outs_it_is_one():
    assert explore(small.patient(), timeouts="never").verdict is VIOLATED


def test_a_report_says_who_can_never_move_again_where_only_the_graph_tells():
    assert "stuck: main can never move again" in str(explore(small.hidden()))
