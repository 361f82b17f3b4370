"""What a forwarding process holds, how long a reference lives, and which tensor it stands for."""

import pytest
from versions import loops

from simcore import Verdict, always, execute, explore, sometimes
from simcore.models.pass_through import (
    CHUNK,
    MANY,
    PLACEHOLDER,
    buggy,
    fixed,
    owner_lets_go,
    references_live,
    small_at_the_job,
)
from simcore.properties import completes, deadlock_free, in_order

SIZES = [
    *((tensors, chunks, receivers) for tensors in (1, 3) for chunks in (1, 2, 4) for receivers in (1, 2)),
    (1, 1, 3),
]
every_size = pytest.mark.parametrize(("tensors", "chunks", "receivers"), SIZES)


def at_most(resident):
    return always(lambda state: state["resident at CJ"].bytes <= resident, f"CJ holds at most {resident} bytes")


def peak_is(model, resident):
    """Whether so much is held at some time, and never more."""
    verdicts = [explore(model, at_most(limit)).verdict for limit in (resident, resident - 1)]
    return verdicts == [Verdict.HOLDS, Verdict.VIOLATED]


# ---- what CJ holds -------------------------------------------------------------------------------------------


@every_size
def test_before_the_fix_cj_holds_tensors(tensors, chunks, receivers):
    model = buggy(tensors=tensors, chunks=chunks, receivers=receivers)
    assert explore(model, small_at_the_job()).verdict is Verdict.VIOLATED


@pytest.mark.some(3)
@every_size
def test_after_the_fix_cj_holds_a_placeholder_for_each_tensor_and_no_more(tensors, chunks, receivers):
    model = fixed(tensors=tensors, chunks=chunks, receivers=receivers)
    assert explore(model, small_at_the_job()).verdict is Verdict.HOLDS


@pytest.mark.parametrize("chunks", [1, 2])
@pytest.mark.parametrize("batches", [1, 2])
def test_before_the_fix_the_peak_is_two_copies_of_the_model(batches, chunks):
    assert peak_is(buggy(batches=batches, chunks=chunks), 2 * batches * chunks * CHUNK)


@pytest.mark.parametrize("chunks", [1, 4, 16])
def test_after_the_fix_the_peak_does_not_depend_on_the_size(chunks):
    assert peak_is(fixed(tensors=3, chunks=chunks), 3 * PLACEHOLDER)


@pytest.mark.some(3)
@pytest.mark.parametrize(("batches", "timeouts"), [(1, "in_order"), (1, "anytime"), (2, "when_stuck")])
def test_for_any_number_of_chunks_tensors_and_receivers_the_graph_is_finite_and_cj_holds_no_tensor(batches, timeouts):
    model = fixed(batches=batches, chunks=0, tensors=0, receivers=0)
    result = explore(model, small_at_the_job(), timeouts=timeouts)
    if timeouts == "anytime":
        assert result.verdict is Verdict.HOLDS
    else:  # receivers that come for ever keep time from passing, for which the monitors wait
        assert (result.verdict, "monitor of transaction 0" in result.reason) == (Verdict.UNDETERMINED, True)


@pytest.mark.parametrize("does", ["chunk", "end", "gone"])
def test_any_number_of_subprocesses_get_every_kind_of_reply(does):
    def replied(state):
        return does in state["to SUB[0]"].frames

    model = fixed(chunks=0, tensors=0, receivers=0)
    assert explore(model, sometimes(replied), timeouts="anytime").verdict is Verdict.HOLDS


def test_any_number_of_tensors_is_counted_as_many():
    result = explore(fixed(tensors=0), always(lambda state: state["resident at CJ"].placeholders < MANY, "few"))
    assert result.counterexample.state["resident at CJ"].placeholders == MANY


def test_without_the_fix_the_first_chunk_of_any_number_is_too_much():
    result = explore(fixed(chunks=0, tensors=0, receivers=0, fix=False), small_at_the_job())
    assert (result.verdict, result.counterexample.state["resident at CJ"].chunks) == (Verdict.VIOLATED, 1)


def test_the_shortest_schedule_is_the_download_of_one_chunk_by_cj():
    found = explore(buggy(), small_at_the_job()).counterexample
    assert len(found.schedule) == 10
    assert set(found.schedule.processes) == {"owner", "CJ", "owner's service"}


@pytest.mark.parametrize(
    ("sizes", "timeouts", "states"),
    [
        ({}, "when_stuck", loops(84, 65)),
        ({"chunks": 0}, "in_order", loops(76, 57)),
        ({"chunks": 0, "tensors": 0, "receivers": 0}, "anytime", loops(30_048, 19_392)),
        ({"chunks": 0, "tensors": 1, "receivers": 2}, "when_stuck", loops(1_744, 1_146)),
    ],
)
def test_after_the_fix_so_many_states_hold(sizes, timeouts, states):
    result = explore(fixed(**sizes), small_at_the_job(), timeouts=timeouts, partial_order=False)
    assert (result.verdict, result.states) == (Verdict.HOLDS, states)


# ---- what subprocesses receive -------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [buggy, fixed])
@pytest.mark.parametrize(("chunks", "receivers"), [(1, 1), (2, 1), (1, 2)])
def test_every_subprocess_receives_every_tensor(build, chunks, receivers):
    asked = in_order("SUB", 2), completes("SUB"), deadlock_free(), owner_lets_go()
    result = explore(build(chunks=chunks, receivers=receivers, start=10.0), *asked, timeouts="in_order")
    assert result.verdict is Verdict.HOLDS


@pytest.mark.parametrize("receivers", [1, 2])
def test_every_subprocess_receives_every_tensor_if_it_ends_whatever_its_number_of_chunks(receivers):
    model = fixed(tensors=1, chunks=0, receivers=receivers)
    assert explore(model, in_order("SUB", 1), deadlock_free(), timeouts="in_order").verdict is Verdict.HOLDS


@pytest.mark.parametrize("lifetime", [0, 100, 400])
@pytest.mark.parametrize("start", [10, 299, 300, 310, 399, 400, 600])
def test_a_reference_outlives_a_subprocess_that_starts_within_its_time_out(start, lifetime):
    result = explore(fixed(start=start, lifetime=lifetime), references_live(), timeouts="in_order")
    assert result.verdict is (Verdict.HOLDS if start < max(lifetime, 300) else Verdict.VIOLATED)


@pytest.mark.parametrize("start", [10, 310, 3_000])
def test_before_the_fix_a_late_subprocess_finds_what_cj_holds(start):
    assert explore(buggy(start=start), references_live(), timeouts="in_order").verdict is Verdict.HOLDS


def test_the_second_batch_of_a_type_is_read_from_the_first():
    result = explore(fixed(batches=2), in_order("SUB", 4), timeouts="in_order")
    assert result.verdict is Verdict.VIOLATED
    assert result.counterexample.state.process("SUB[0]").result == (0, 1, 0, 1)


@pytest.mark.parametrize("batches", [1, 2])
def test_writing_every_batch_again_repairs_that(batches):
    model = fixed(batches=batches, tensors=1, chunks=0, every_batch=True)
    assert explore(model, in_order("SUB", batches), small_at_the_job(), timeouts="in_order").verdict is Verdict.HOLDS


def test_a_batch_that_nobody_asks_for_is_let_go_when_its_time_is_up():
    assert explore(fixed(batches=2), owner_lets_go(), timeouts="in_order").verdict is Verdict.HOLDS
    assert explore(fixed(batches=2), owner_lets_go(), timeouts="when_stuck").verdict is Verdict.HOLDS


# ---- real runs -----------------------------------------------------------------------------------------------


def test_for_real_cj_holds_a_chunk_at_the_first_try():
    schedule = explore(buggy(), small_at_the_job()).counterexample.schedule
    run = execute(buggy(), schedule=schedule)
    assert (run.status, run.explained, run.results["SUB[0]"]) == ("completed", True, (0, 1))


@pytest.mark.parametrize("receivers", [1, 3])
def test_for_real_every_subprocess_receives_every_tensor_from_the_owner(receivers):
    run = execute(fixed(receivers=receivers, chunks=3))
    assert (run.status, run.explained) == ("completed", True)
    assert [run.results[f"SUB[{number}]"] for number in range(receivers)] == [(0, 1)] * receivers
    assert run.state["resident at CJ"].bytes == 2 * PLACEHOLDER


def test_for_real_a_subprocess_that_starts_late_finds_the_reference_gone():
    run = execute(fixed(start=600, second=0.001))
    assert (run.status, run.explained, run.results["SUB[0]"]) == ("completed", True, ())


def test_for_real_the_second_batch_is_read_from_the_first():
    assert execute(fixed(batches=2)).results["SUB[0]"] == (0, 1, 0, 1)
