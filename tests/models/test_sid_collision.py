"""Streams with the same id are mixed, across processes before the fix and within one after it too."""

import pytest

from simcore import Verdict, execute, explore
from simcore.models import sid_collision


def found(model):
    return explore(model, sid_collision.unmixed()).counterexample


def test_before_the_fix_a_blob_of_two_senders_is_handed_over():
    state = found(sid_collision.buggy()).state
    assert {frozenset(blob) for blob in state["blobs"]} == {frozenset({"left", "right"})}


def test_one_thread_must_read_the_counter_between_the_others_count_and_read():
    steps = [f"{step.process} {step.text}" for step in found(sid_collision.fixed(one_process=True)).schedule.steps]
    last_count = max(number for number, step in enumerate(steps) if "updates stream count" in step)
    assert all(number > last_count for number, step in enumerate(steps) if "reads stream count" in step)


@pytest.mark.parametrize("one_process", [False, True])
def test_after_the_fix_ids_collide_within_one_process_only(one_process):
    result = explore(sid_collision.fixed(chunks=1, one_process=one_process), sid_collision.unmixed())
    assert result.verdict is (Verdict.VIOLATED if one_process else Verdict.HOLDS)


@pytest.mark.parametrize(("chunks", "states"), [(1, 145), (2, 637), (3, 2_209)])
def test_after_the_fix_so_many_states_hold(chunks, states):
    result = explore(sid_collision.fixed(chunks=chunks), sid_collision.unmixed(), partial_order=False)
    assert (result.verdict, result.states) == (Verdict.HOLDS, states)


def test_the_mixed_blob_comes_out_of_real_connections_on_the_first_try():
    model = sid_collision.buggy()
    run = execute(model, schedule=found(model).schedule)
    assert run.explained
    assert frozenset({"left", "right"}) in {frozenset(blob) for blob in run.state["blobs"]}
