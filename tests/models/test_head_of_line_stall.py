"""One connection's lock held across a write that cannot complete: who is held up, for how long, and what remains."""

import pytest

from simcore import Model, ModelError, Verdict, execute, explore, simulate
from simcore.models import head_of_line_stall
from simcore.models.head_of_line_stall import (
    ACKS,
    ALONE,
    CONTROL,
    FAILS,
    FLOW,
    LARGE,
    LIMIT,
    LONE_FLOW,
    LOOK,
    MIXED,
    RELAY,
    SENT,
    answered,
    buggy,
    fixed,
    healthy_stream_is_sent,
    heartbeats_go_on,
    served,
    whole_frames,
)
from simcore.properties import completes, deadlock_free, ended_by, idle_by

QUICK = {"second": 0.01}


def in_order(model, *properties):
    return explore(model, *properties, timeouts="in_order")


def violated(model, *properties):
    """Whether a property is violated; nothing may be left open."""
    result = in_order(model, *properties)
    assert result.verdict in (Verdict.HOLDS, Verdict.VIOLATED)
    return result.verdict is Verdict.VIOLATED


def holder_and_waiting(state):
    """Return who holds the lock of the stalled connection, what it does, and who waits for that lock."""
    lock = "stalled peer connection lock"
    owner = state[lock].owner
    waiting = [p.name for p in state.processes if p.operation is not None and str(p.operation.target) == lock]
    return owner.name, str(state.process(owner.name).operation.target), waiting


# ---- the bug -------------------------------------------------------------------------------------------------


def test_the_heartbeat_thread_waits_for_the_lock_of_a_sender_in_the_socket():
    found = explore(
        buggy(), heartbeats_go_on(), symmetry=False, partial_order=False, timeouts="in_order"
    ).counterexample
    assert found.schedule.processes == ["stalled[0]", *["stream[0]"] * 5, "healthy", *["hb_mon"] * 2]
    assert found.lasso.steps == ()
    assert holder_and_waiting(found.state) == ("stream[0]", "stalled peer socket", ["hb_mon"])


def test_the_report_names_the_socket_and_says_that_nobody_can_end_it():
    text = " ".join(str(in_order(buggy(), deadlock_free())).split())
    assert "stream 1/1: every worker is in transmit(stalled[0]), waiting to send over stalled peer socket" in text
    assert "full (1/1): nothing that the others may still do ends it" in text


def test_heartbeats_stop_although_workers_are_free():
    assert violated(buggy(workers=2), heartbeats_go_on())


@pytest.mark.parametrize("stalled", [0, 1, 2])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_before_the_fix_a_healthy_peer_is_lost_exactly_when_as_many_streams_as_workers_stall(stalled, workers):
    model = buggy(stalled=stalled, workers=workers, heartbeats=False)
    assert violated(model, completes("healthy")) == (stalled >= workers)


@pytest.mark.parametrize(("stalled", "workers"), [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_after_the_fix_a_healthy_peer_is_never_lost(stalled, workers):
    model = fixed(stalled=stalled, workers=workers, heartbeats=False)
    assert not violated(model, completes("healthy"), completes("stalled"))


def test_without_a_stall_nobody_waits_in_either_version():
    for build in (buggy, fixed):
        assert not violated(build(stalled=0, **LOOK), ended_by("stopwatch", "heartbeat", "healthy"))


@pytest.mark.parametrize(("frames", "buffer", "workers"), [(1, 1, 1), (2, 1, 1), (2, 1, 2), (3, 2, 1)])
def test_a_relay_loses_its_healthy_child_when_frames_that_do_not_fit_hold_all_frame_workers(frames, buffer, workers):
    model = buggy(**{**RELAY, "frames": frames, "buffer": buffer, "workers": workers})
    assert violated(model, completes("healthy")) == (frames - buffer >= workers)


@pytest.mark.parametrize(("frames", "workers"), [(1, 1), (2, 1), (2, 2)])
def test_an_acknowledgement_that_stalls_parks_a_frame_worker_for_each_frame_of_its_stream(frames, workers):
    model = buggy(**{**ACKS, "frames": frames, "workers": workers})
    stalls = frames > 1  # the buffer holds one acknowledgement
    assert violated(model, completes("healthy")) == (stalls and frames >= workers)


# ---- the send deadline (H18) ---------------------------------------------------------------------------------


@pytest.mark.some(3)
@pytest.mark.parametrize("frame", [1, 2, 3])
@pytest.mark.parametrize("buffer", [1, 2, 3, 4])
@pytest.mark.parametrize("reads", [0, 1])
def test_a_send_is_unbounded_exactly_when_a_frame_begins_to_fill_the_last_of_the_buffer(frame, buffer, reads):
    frames, room = 3, buffer + reads
    model = fixed(**LIMIT, frames=frames, frame=frame, buffer=buffer, reads=reads)
    assert violated(model, answered) == (frames * frame > room and room % frame != 0)


@pytest.mark.some(3)
@pytest.mark.parametrize("frame", [1, 2, 3])
@pytest.mark.parametrize("buffer", [1, 2, 3, 4])
def test_with_sockets_that_do_not_block_the_send_deadline_is_a_limit(frame, buffer):
    assert not violated(fixed(**LIMIT, frames=3, frame=frame, buffer=buffer, non_blocking=True), answered)


def test_a_stalled_send_ends_after_thirty_seconds_and_not_before():
    at = {seconds: violated(fixed(**ALONE, patience=seconds), answered) for seconds in (29, 31)}
    assert at == {29: True, 31: False}


@pytest.mark.parametrize("stalled", [1, 2, 3])
def test_control_messages_wait_thirty_seconds_for_each_stalled_peer(stalled):
    limit = 30 * stalled
    at = [violated(fixed(**CONTROL, stalled=stalled, patience=limit + more), served) for more in (-1, 1)]
    assert at == [True, False]


# ---- the stall monitor (H19) ---------------------------------------------------------------------------------


@pytest.mark.some(2)
@pytest.mark.parametrize("silent", [0, 10, 15, 20, 30, 60])
def test_the_monitor_waits_for_the_lock_it_watches_when_a_ping_is_due_in_the_first_45_seconds(silent):
    assert violated(fixed(**LARGE, silent=silent), heartbeats_go_on()) == (silent + 45 > 60)


@pytest.mark.parametrize(("auto_close", "closed_by_60"), [(True, True), (False, False)])
def test_a_stalled_write_is_closed_at_the_third_look_if_that_is_wanted(auto_close, closed_by_60):
    at = [violated(fixed(**LARGE, silent=0, auto_close=auto_close, patience=seconds), answered) for seconds in (59, 61)]
    assert at == [True, not closed_by_60]


def test_the_monitor_is_blocked_by_the_sender_that_it_would_have_to_close():
    found = in_order(fixed(**LARGE, auto_close=True), heartbeats_go_on()).counterexample
    assert holder_and_waiting(found.state) == ("stream[0]", "stalled peer socket", ["hb_mon"])


# ---- the watchdog (H20, H21, H24) ----------------------------------------------------------------------------


def test_a_task_that_was_queued_for_long_fails_without_having_waited():
    found = in_order(fixed(**FLOW), healthy_stream_is_sent()).counterexample
    assert found.state.process("healthy").result == "no progress of the acknowledgements"
    assert not [step for step in found.schedule.steps if "healthy ack waiter.wait" in step.text]


def test_the_caller_hears_of_a_failed_receiver_at_once_and_its_worker_is_kept():
    found = in_order(fixed(**FAILS, **LOOK), idle_by("stopwatch", "stream")).counterexample
    kept = [p.operation.name for p in found.state.processes if p.task is not None]
    told = in_order(fixed(**FAILS, patience=1), ended_by("stopwatch", "healthy"))
    assert (kept, told.verdict) == (["wait"], Verdict.HOLDS)


@pytest.mark.parametrize("build", [buggy, fixed])
def test_a_lost_wake_up_needs_more_than_window_plus_two_frames(build):
    at = [explore(build(**{**LONE_FLOW, "frames": n}), deadlock_free(), timeouts="never").verdict for n in (3, 4)]
    assert at == [Verdict.HOLDS, Verdict.VIOLATED]


# ---- closing (H22) -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stalled", "workers", "buffer"), [(10, 8, 1), (12, 8, 2), (8, 8, 1)])
def test_whoever_waits_for_the_lock_of_a_connection_that_is_closed_is_told_that_it_has_sent(stalled, workers, buffer):
    """Of 160 calls over 128 workers, the released 2.7.2 gave 22 an error: as here with 11 frames in the buffer."""
    model = fixed(stalled=stalled, workers=workers, frames=1, buffer=buffer, heartbeats=False)
    results = [result for name, result in simulate(model).results.items() if name.startswith("stalled[")]
    errors = 1 + max(0, stalled - workers - buffer)
    assert (len(results), results.count(SENT)) == (stalled, stalled - errors)


# ---- the connection's lock (S6) ------------------------------------------------------------------------------


class NoLocks(Model):
    """Gives for each lock a semaphore with room for everybody."""

    def lock(self, name):
        return self.semaphore(name, 64)


@pytest.mark.parametrize("build", [buggy, fixed])
def test_without_the_lock_frames_of_two_senders_are_mixed(monkeypatch, build):
    monkeypatch.setattr(head_of_line_stall, "Model", NoLocks)
    assert violated(build(**MIXED), whole_frames())


@pytest.mark.parametrize("timeouts", ["never", "when_stuck", "anytime"])
def test_frames_are_whole_whenever_time_outs_fire(timeouts):
    model = fixed(**{**MIXED, "frames": 1})
    assert explore(model, whole_frames(), timeouts=timeouts).verdict is Verdict.HOLDS


# ---- sizes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "prop", "states"),
    [
        (buggy(), completes("healthy"), 113),
        (buggy(workers=2), completes("healthy"), 206),
        (fixed(), completes("healthy"), 1_837),
        (fixed(**LIMIT), answered, 210),
        (fixed(**CONTROL, **LOOK), ended_by("stopwatch", "stopwatch"), 34),
    ],
)
def test_so_many_states_are_met(model, prop, states):
    assert explore(model, prop, timeouts="in_order", partial_order=False).states == states


def test_other_senders_than_there_are_are_refused():
    with pytest.raises(ModelError, match="'streams', 'relay', 'acks', 'control'"):
        buggy(senders="pigeons")


# ---- bounds --------------------------------------------------------------------------------------------------


def test_a_bound_needs_a_name():
    with pytest.raises(ModelError, match="needs the name"):
        ended_by("stopwatch")


@pytest.mark.parametrize("prop", [ended_by("stopwatch", "nobody"), idle_by("stopwatch", "nothing"), served])
def test_a_bound_is_about_what_the_model_has(prop):
    with pytest.raises(ModelError, match="has no"):
        in_order(buggy(), prop)


# ---- real runs -----------------------------------------------------------------------------------------------


def test_the_stall_happens_gated_on_a_real_socket_and_the_healthy_peer_hears_nothing():
    schedule = in_order(buggy(**QUICK), heartbeats_go_on()).counterexample.schedule
    run = execute(buggy(**QUICK), schedule=schedule)
    assert (run.status, run.held_up, run.explained) == ("stuck", ("stalled peer socket",), True)
    assert holder_and_waiting(run.state) == ("stream[0]", "stalled peer socket", ["hb_mon"])
    assert (run.state["healthy peer pinged"], run.state["healthy arrived"]) == (False, ())


def test_after_the_fix_the_send_gives_up_and_the_healthy_peer_is_served():
    run = execute(fixed(**QUICK))
    assert (run.status, run.held_up, run.explained) == ("completed", (), True)
    assert (run.results["healthy"], run.state["stalled peer socket"].status) == (SENT, "send")


def test_a_frame_that_has_begun_to_fill_the_buffer_is_stuck_for_real_in_spite_of_the_deadline():
    run = execute(fixed(**QUICK, **LARGE, **ALONE))
    assert (run.status, run.held_up, run.explained) == ("stuck", ("stalled peer socket",), True)


@pytest.mark.parametrize("repair", [{"non_blocking": True}, {"auto_close": True, "silent": 0}])
def test_sockets_that_do_not_block_or_a_monitor_that_closes_end_it_for_real(repair):
    run = execute(fixed(**QUICK, **LARGE, **repair))
    assert (run.status, run.results["healthy"], run.explained) == ("completed", SENT, True)


@pytest.mark.some(3)
@pytest.mark.parametrize("senders", ["relay", "acks", "control"])
def test_whoever_sends_is_held_up_for_real_before_and_goes_on_after(senders):
    before, after = (execute(build(**QUICK, senders=senders)) for build in (buggy, fixed))
    assert (before.status, before.held_up, before.explained) == ("stuck", ("stalled peer socket",), True)
    assert (after.status, after.explained) == ("completed", True)
