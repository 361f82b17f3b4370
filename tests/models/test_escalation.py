"""One fault leads to the next, down to a process that is dead for good; after the fix the chain ends early."""

import pytest

from simcore import Verdict, execute, explore, simulate
from simcore.models import escalation
from simcore.properties import no_self_deadlock

CHAIN = [
    "submits transmit(both, request of download[0]) to both stream",  # a long stream takes the only worker
    "submits callback_in_the_wrapper(both, request of download[0]) to both stream",  # its reader's is behind it
    "clears request of download[0] ack waiter",  # the window is used up: a knot
    "gives up after 300 s: request of download[0] ack waiter.wait()",  # its time-out
    "sets request of download[0] sent to StreamError: the sender has failed",
    "acquires both map_lock",  # the error frame, handled
]


def chain(model):
    return explore(model, no_self_deadlock(), timeouts="in_order").counterexample


def in_service(model):
    return explore(model, escalation.in_service(), timeouts="in_order").verdict


def test_one_counterexample_shows_the_whole_chain():
    texts = [step.text for step in chain(escalation.buggy()).schedule.steps]
    at = -1
    for link in CHAIN:
        assert link in texts[at + 1 :], link
        at = texts.index(link, at + 1)


def test_it_ends_with_the_lock_waiting_for_itself():
    lines = chain(escalation.buggy()).wait_for.explain()
    assert lines[:2] == [
        "both stream 1/1: every worker is in transmit(both, request of download[0]), waiting for both map_lock",
        "  held by itself",
    ]


@pytest.mark.slow
def test_over_tcp_a_frame_worker_of_the_other_process_is_lost():
    lines = chain(escalation.buggy(topology="tcp")).wait_for.explain()
    assert any("frame 1/1: every worker is in process_frame(" in line for line in lines)


@pytest.mark.parametrize(("after", "served"), [(61.0, False), (349.0, False), (351.0, True)])
def test_after_the_fix_service_is_back_when_the_readers_have_given_up(after, served):
    """60 s until the watchdog fires, 300 s more until the reader lets its worker go, 10 s that the probe may wait."""
    found = in_service(escalation.fixed(probe_after=after))
    assert found is (Verdict.HOLDS if served else Verdict.VIOLATED)


def test_with_a_stop_that_wakes_the_reader_service_is_back_after_the_watchdog():
    assert in_service(escalation.fixed(probe_after=61.0, stop_wakes_reader=True)) is Verdict.HOLDS


@pytest.mark.parametrize("chunks", [1, 3])
def test_streams_within_the_window_start_no_chain(chunks):
    assert in_service(escalation.fixed(chunks=chunks, probe_after=1.0)) is Verdict.HOLDS


def test_the_chain_happens_for_real_on_the_first_try():
    model = escalation.buggy(second=0.001)
    run = execute(model, schedule=chain(model).schedule)
    assert (run.status, run.explained) == ("stuck", True)
    assert run.results.get("probe") is None


@pytest.mark.slow
def test_after_the_fix_a_free_real_run_completes_and_the_probe_is_served():
    run = execute(escalation.fixed(second=0.01))
    assert (run.status, run.explained, run.results["probe"]) == ("completed", True, 1)


def test_in_virtual_time_the_process_is_dead_before_and_back_after():
    before, after = (simulate(build(topology="tcp")) for build in (escalation.buggy, escalation.fixed))
    assert before.status == "stuck"
    assert (before.results["probe"], after.results["probe"]) == (None, 1)
