"""The whole path of a download: the pool knot before the fix, and the window knot that the fix leaves."""

import pytest

from simcore import ModelError, Verdict, execute, explore, simulate
from simcore.models import download_path
from simcore.models.f3 import TOPOLOGIES

LONG = {"chunks": 4, "window": 1}


def verdict(model, **how):
    return explore(model, **how).verdict


@pytest.mark.some(6)
@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("downloads", [1, 2, 3])
def test_before_the_fix_a_hang_is_reachable_exactly_with_as_many_downloads_as_workers(downloads, workers):
    found = verdict(download_path.buggy(downloads=downloads, workers=workers))
    assert found is (Verdict.VIOLATED if downloads >= workers else Verdict.HOLDS)


@pytest.mark.parametrize(("downloads", "workers"), [(1, 1), (1, 2), (2, 1), pytest.param(2, 2, marks=pytest.mark.slow)])
def test_within_one_process_the_window_knot_takes_as_many_long_replies_as_workers(downloads, workers):
    found = verdict(download_path.fixed(downloads=downloads, workers=workers, **LONG))
    assert found is (Verdict.VIOLATED if downloads >= workers else Verdict.HOLDS)


@pytest.mark.parametrize(("window", "chunks"), [(0, 2), (0, 3), (1, 3), (1, 4), (2, 4), (2, 5)])
def test_a_stream_of_window_and_two_chunks_never_waits_and_one_more_does(window, chunks):
    found = verdict(download_path.fixed(chunks=chunks, window=window))
    assert found is (Verdict.VIOLATED if chunks > window + 2 else Verdict.HOLDS)


def test_an_acknowledgement_interval_above_the_window_stalls_every_longer_stream():
    """The receiver's setting and the sender's come from two machines, and nobody compares them (H25)."""
    stalls = {"workers": 2, "chunks": 4, "window": 1}
    assert verdict(download_path.fixed(**stalls, ack_interval=1)) is Verdict.HOLDS
    assert verdict(download_path.fixed(**stalls, ack_interval=2)) is Verdict.VIOLATED


@pytest.mark.some(2)
@pytest.mark.parametrize(
    ("build", "sizes", "states"),
    [
        (download_path.buggy, {"workers": 2}, 58),
        (download_path.fixed, {}, 55),
        (download_path.fixed, {"chunks": 3}, 73),
        (download_path.fixed, {"chunks": 4, "workers": 2}, 1_292),
        (download_path.fixed, {"topology": "tcp"}, 139),
        (download_path.fixed, {"topology": "relay"}, 163),
    ],
)
def test_so_many_states_hold(build, sizes, states):
    result = explore(build(**sizes), partial_order=False)
    assert (result.verdict, result.states) == (Verdict.HOLDS, states)


def test_the_report_blames_the_wrappers_on_the_stream_pool():
    lines = explore(download_path.buggy(downloads=2, workers=2)).counterexample.wait_for.explain()
    assert lines[0].startswith("both stream 2/2: every worker is in callback_in_the_wrapper(")
    assert "queued in both stream behind them" in lines[1]


@pytest.mark.slow
def test_the_distributed_knot_has_the_sender_of_each_side_waiting_for_the_other_sides_worker():
    model = download_path.fixed(topology="tcp", request_chunks=4, both_ways=True)
    found = explore(model, timeouts="never").counterexample
    tasks = {
        edge.process.process.pool.name: str(edge.process.task) for edge in found.wait_for.knot if edge.process.task
    }
    assert tasks == {
        "requester stream": "transmit(requester, request of download[0])",
        "owner stream": "transmit(owner, request of upload[0])",
    }


@pytest.mark.slow
def test_the_distributed_knot_is_inevitable_once_the_second_send_task_is_queued():
    model = download_path.fixed(topology="tcp", request_chunks=4, both_ways=True)
    found = explore(model, timeouts="never").counterexample
    step = found.schedule.steps[found.no_return.step - 1]
    assert found.no_return.exact
    assert step.text == "submits transmit(requester, request of download[0]) to requester stream"


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_before_the_fix_the_hang_happens_for_real_on_the_first_try(topology):
    model = download_path.buggy(topology=topology)
    run = execute(model, schedule=explore(model).counterexample.schedule)
    assert (run.status, run.explained) == ("stuck", True)


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_after_the_fix_free_real_runs_complete(topology):
    run = execute(download_path.fixed(topology=topology, downloads=3, workers=1, chunks=3, second=0.01))
    assert (run.status, run.explained) == ("completed", True)
    assert {run.results[f"download[{number}]"] for number in range(3)} == {3}


def test_the_window_knot_happens_for_real_and_its_sender_looks_again_for_ever():
    """Not stuck: every five seconds, scaled, the sender wakes up, looks, and waits again."""
    model = download_path.fixed(**LONG, second=0.001)
    run = execute(model, max_seconds=0.5)
    assert run.status == "limit"
    assert not run.results.get("download[0]")


def test_at_the_reported_size_the_fixed_path_completes_in_virtual_time():
    run = simulate(download_path.fixed(topology="tcp", downloads=8, workers=4, callback_workers=64, frame_workers=8))
    assert run.status == "completed"


def test_a_topology_that_does_not_exist_is_named():
    with pytest.raises(ModelError, match="use one of 'one process', 'tcp', 'relay'"):
        download_path.fixed(topology="pigeon")
