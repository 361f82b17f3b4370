"""The lock that waits for itself, what it takes with it, and what the fix leaves."""

import pytest

from simcore import Verdict, execute, explore, simulate
from simcore.models import rxtask_self_deadlock as rxtask
from simcore.models.f3 import TOPOLOGIES
from simcore.properties import completes, deadlock_free
from simcore.properties.locks import no_self_deadlock

ALONE = {"bystanders": 0}
QUICK = {"second": 0.001}
REAL = ["one process", "tcp", pytest.param("relay", marks=pytest.mark.slow)]


def answer(model, *asked, **how):
    return explore(model, *asked, **how).verdict


# ---- when it happens ---------------------------------------------------------------------------------------


@pytest.mark.some(3)
@pytest.mark.parametrize("chunks", [1, 2, 3])
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_lock_waits_for_itself_exactly_when_the_stream_is_open_as_the_error_comes(topology, chunks):
    """Not before the first chunk, when nobody knows the stream, and not after the last, when nobody does any more."""
    for fails_after in range(chunks + 1):
        model = rxtask.buggy(topology=topology, chunks=chunks, fails_after=fails_after, **ALONE)
        expected = Verdict.VIOLATED if 0 < fails_after < chunks else Verdict.HOLDS
        assert answer(model, no_self_deadlock()) is expected


@pytest.mark.parametrize("frame_workers", [1, 2, 3])
def test_more_frame_workers_do_not_help(frame_workers):
    assert answer(rxtask.buggy(frame_workers=frame_workers), no_self_deadlock()) is Verdict.VIOLATED
    assert answer(rxtask.fixed(frame_workers=frame_workers, **ALONE), no_self_deadlock()) is Verdict.HOLDS


def test_within_one_process_the_sender_alone_gets_into_it():
    found = explore(rxtask.buggy(topology="one process"), no_self_deadlock()).counterexample
    assert set(found.schedule.processes[1:]) == {"both stream[0]"}
    assert found.wait_for.has_edge("both stream[0]", "both stream[0]")


def test_the_last_step_before_it_is_the_look_into_the_map():
    found = explore(rxtask.buggy(), no_self_deadlock()).counterexample
    assert (len(found.schedule), found.schedule.steps[-1].text) == (19, "reads stream received")


def test_the_report_says_that_the_worker_waits_for_itself():
    lines = explore(rxtask.buggy(), no_self_deadlock()).counterexample.wait_for.explain()
    assert lines[0].endswith("in process_frame(receiver, stream error for the receiver), waiting for receiver map_lock")
    assert lines[1].strip() == "held by itself"


@pytest.mark.parametrize(
    ("build", "sizes", "states"),
    [
        (rxtask.fixed, {"topology": "one process"}, 280),
        (rxtask.fixed, ALONE, 297),
        (rxtask.fixed, {"topology": "relay", **ALONE}, 389),
        (rxtask.buggy, {"fails_after": 2, **ALONE}, 383),
    ],
)
def test_so_many_states_hold(build, sizes, states):
    result = explore(build(**sizes), partial_order=False)
    assert (result.verdict, result.states) == (Verdict.HOLDS, states)


# ---- what it takes with it ---------------------------------------------------------------------------------


@pytest.mark.some(2)
@pytest.mark.parametrize("frame_workers", [1, 2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_each_later_chunk_parks_a_frame_worker_until_none_is_left(frame_workers, seed):
    """The other streams begin a second apart, after the error; as many as there are workers suffice."""
    model = rxtask.buggy(bystanders=4, workers=5, frame_workers=frame_workers)
    run = simulate(model, seed=seed, load={"bystander[*]": 1.0})
    workers = [process for process in run.state.processes if process.name.startswith("receiver frame")]
    waiting = [process.operation.target.name for process in workers if process.blocked]
    others = [process for process in run.state.processes if process.name.startswith("bystander")]
    if run.status == "completed":  # the error has overtaken the first chunk
        assert (waiting, all(process.done for process in others)) == ([], True)
    else:
        assert (waiting, any(process.done for process in others)) == (["receiver map_lock"] * frame_workers, False)


def test_it_is_permanent_whatever_time_outs_there_are():
    model = rxtask.buggy(topology="one process")
    assert answer(model, completes("stream"), timeouts="anytime") is Verdict.VIOLATED


# ---- what the fix leaves -----------------------------------------------------------------------------------


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_the_reader_of_a_failed_stream_waits_for_its_time_out_alone(topology):
    """Frames in order, so that it is the stop which does not wake it (H13), and no error that came too early (H15)."""
    alone = {"topology": topology, "frame_workers": 1, **ALONE}
    assert answer(rxtask.fixed(**alone), deadlock_free(), timeouts="never") is Verdict.VIOLATED
    assert answer(rxtask.fixed(**alone), deadlock_free(), timeouts="when_stuck") is Verdict.HOLDS
    assert answer(rxtask.fixed(**alone, stop_wakes_reader=True), deadlock_free(), timeouts="never") is Verdict.HOLDS


def freed(seconds, build=rxtask.fixed, **sizes):
    """Tell whether the workers of the failed stream are free so many seconds after the failure."""
    return answer(build(**sizes, observed=seconds), rxtask.released(), timeouts="in_order") is Verdict.HOLDS


def test_the_reader_of_a_failed_stream_is_free_after_300_seconds():
    sizes = {"frame_workers": 1, **ALONE}
    assert [freed(seconds, **sizes) for seconds in (1.0, 299.0, 301.0)] == [False, False, True]


def test_a_reader_that_a_stop_wakes_is_free_at_once():
    assert freed(1.0, frame_workers=1, stop_wakes_reader=True, **ALONE)


@pytest.mark.some(6)
@pytest.mark.parametrize(("build", "limit"), [(rxtask.buggy, 300.0), (rxtask.fixed, 60.0)])
def test_a_sender_in_its_window_wait_hears_of_a_remote_error_when_the_wait_expires(build, limit):
    assert [freed(limit + late, build, **rxtask.REJECTED) for late in (-1.0, 1.0)] == [False, True]


@pytest.mark.parametrize("wakes", [False, True])
def test_only_the_reader_that_nobody_wakes_takes_a_task_without_a_reader_out_of_the_map(wakes):
    """Its stop frees what the map has for the stream, whichever task that is: repairing H13 alone makes H14 worse."""
    model = rxtask.fixed(**rxtask.GHOST, stop_wakes_reader=wakes)
    found = answer(model, rxtask.freed(), timeouts="in_order")
    assert found is (Verdict.VIOLATED if wakes else Verdict.HOLDS)


def test_a_failed_stream_leaves_one_task_in_the_map_that_has_no_reader():
    found = explore(rxtask.fixed(**rxtask.GHOST), rxtask.owned()).counterexample
    assert str(found.state["stream received"]) == "1 of ? chunks; 0 of ? chunks (in the map)"


# ---- chunks that overtake each other -----------------------------------------------------------------------


def overtaking(window, ack_interval, chunks):
    """Return how many chunks can be handled while the one before them is delayed.

    With ``acked`` chunks acknowledged the next one may be the delayed one; the sender goes on to chunk
    ``acked + window``, and does not look at the window for the last chunk.
    """
    reached = []
    for acked in range(0, chunks, ack_interval + 1):
        newest = acked + window
        reached.append((chunks - 1 if newest >= chunks - 2 else newest) - acked)
    return max(reached)


@pytest.mark.some(6)
@pytest.mark.parametrize("frame_workers", [1, 3])
@pytest.mark.parametrize("most_early", [0, 1, 2])
@pytest.mark.parametrize(
    ("window", "ack_interval", "chunks"),
    [
        (0, 0, 3),
        (1, 1, 3),
        pytest.param(0, 0, 2, marks=pytest.mark.slow),
        pytest.param(1, 0, 4, marks=pytest.mark.slow),
        pytest.param(2, 1, 4, marks=pytest.mark.slow),
    ],
)
def test_a_healthy_stream_survives_exactly_with_room_for_all_that_can_overtake_a_chunk(
    window, ack_interval, chunks, most_early, frame_workers
):
    sizes = {"window": window, "ack_interval": ack_interval, "chunks": chunks, "fails_after": chunks}
    model = rxtask.fixed(**sizes, most_early=most_early, frame_workers=frame_workers, **ALONE)
    safe = frame_workers == 1 or most_early >= overtaking(window, ack_interval, chunks)
    found = answer(model, rxtask.not_failed(), timeouts="in_order")
    assert found is (Verdict.HOLDS if safe else Verdict.VIOLATED)


@pytest.mark.parametrize("window", [0, 1, 4, 16])
def test_window_and_one_more_chunk_can_overtake_one(window):
    """17 with the defaults, and room for 16: so a healthy stream of 18 chunks may be given up."""
    assert max(overtaking(window, window, chunks) for chunks in range(1, 100)) == window + 1
    assert overtaking(window, window, window + 2) == window + 1


def test_two_frame_workers_suffice_to_give_up_a_healthy_stream():
    found = explore(rxtask.fixed(**rxtask.EARLY), rxtask.not_failed()).counterexample
    assert {name for name in found.schedule.processes if name.startswith("receiver frame")} == {
        "receiver frame[0]",
        "receiver frame[1]",
    }


# ---- for real ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("topology", REAL)
def test_before_the_fix_a_real_lock_waits_for_itself_on_the_first_try(topology):
    model = rxtask.buggy(topology=topology, **QUICK)
    run = execute(model, schedule=explore(model, no_self_deadlock()).counterexample.schedule)
    assert (run.status, run.explained) == ("stuck", True)
    assert any(waiting == helper for waiting, helper in run.wait_for.waits.edges)
    assert not run.results.get("bystander[0]")


@pytest.mark.parametrize("topology", REAL)
def test_after_the_fix_free_real_runs_complete(topology):
    run = execute(rxtask.fixed(topology=topology, bystanders=3, workers=2, **QUICK))
    assert (run.status, run.explained) == ("completed", True)
    assert run.results["stream"] == "failed"
    assert {run.results[f"bystander[{number}]"] for number in range(3)} == {1}
