"""One lost reply: what it costs before the retry and with it, and what asking again breaks."""

import pytest

from simcore import ModelError, Verdict, always, execute, explore, simulate
from simcore.models import download_retry
from simcore.models.download_retry import (
    END,
    LATE,
    NOT_LEFT,
    ONCE,
    RACE,
    RE_ENTERS,
    REMOVED_RIGHTLY,
    REPORTED,
    SLOW,
    SURVIVED,
)
from simcore.properties import deadlock_free
from simcore.simulate import uniform

PATIENT = {"transaction_timeout": 10_000.0, "monitor_period": 1_000.0}
"""So that no transaction expires."""
QUICK = {"second": 0.01}


def asked(model, *properties):
    return explore(model, *properties, timeouts="in_order")


def verdict(model, *properties):
    return asked(model, *properties).verdict


def judged(right):
    return Verdict.HOLDS if right else Verdict.VIOLATED


# ---- lost replies ------------------------------------------------------------------------------------------


@pytest.mark.some(12)
@pytest.mark.parametrize("retries", range(4))
@pytest.mark.parametrize("more", [0, 1])
def test_as_many_lost_replies_are_survived_as_there_are_retries(retries, more):
    model = download_retry.fixed(lost=retries + more, retries=retries, transaction_timeout=60.0)
    assert verdict(model, SURVIVED) is judged(not more)


@pytest.mark.parametrize("losing", ["data", "end", "any"])
def test_before_the_fix_whichever_reply_is_lost_fails_the_download(losing):
    assert verdict(download_retry.buggy(losing=losing), SURVIVED) is Verdict.VIOLATED


def test_without_a_lost_reply_no_download_fails_before_the_fix_either():
    assert verdict(download_retry.buggy(**RACE), SURVIVED) is Verdict.HOLDS


def test_the_shortest_failure_before_the_fix_is_one_time_out():
    found = asked(download_retry.buggy(), SURVIVED).counterexample
    gave_up = [step.process for step in found.schedule.steps if "gives up" in step.text]
    assert (gave_up, found.state["data of download[0]"]) == (["download[0]"], ())


@pytest.mark.parametrize("cut", [False, True])
def test_a_reply_that_breaks_off_behind_its_first_bytes_is_survived_as_well(cut):
    assert verdict(download_retry.fixed(cut=cut), SURVIVED) is Verdict.HOLDS


def test_one_lost_reply_costs_a_time_out_and_two_seconds():
    runs = [simulate(download_retry.fixed(), seed=seed) for seed in range(10)]
    assert {run.results["download[0]"] for run in runs} == {"completed"}
    assert {run.completion["download[0]"] for run in runs} == {0.0, 5.0 + 2.0}


def test_without_request_ids_a_late_reply_would_be_taken_for_the_next_chunk(monkeypatch):
    monkeypatch.setattr(download_retry, "first_bytes", lambda waiter, request: waiter._replace(begun=True))
    monkeypatch.setattr(download_retry, "rest", lambda waiter, request, reply: waiter._replace(reply=reply))
    result = explore(download_retry.fixed(**SLOW, retries=1), ONCE, timeouts="anytime")
    assert result.counterexample.state["data of download[0]"] == (0, 0)


# ---- the bound ---------------------------------------------------------------------------------------------


def failing(*, seed=0, latency=None, **parameters):
    """Return the second at which a download fails whose peer is silent from the first chunk on."""
    model = download_retry.fixed(lost=4, **PATIENT, **parameters)
    schedule = asked(model, SURVIVED).counterexample.schedule
    run = simulate(model, schedule=schedule, seed=seed, latency=latency)
    assert run.results["download[0]"] == "failed"
    return run.completion["download[0]"]


def test_four_attempts_without_a_byte_end_after_four_time_outs_and_14_s():
    assert failing() == 4 * 5.0 + 14.0


def test_with_the_time_outs_of_nvflare_that_is_2414_s():
    assert failing(request_timeout=600.0) == 2414.0


def test_first_bytes_just_before_each_time_out_double_that():
    late = {"handle_download": 599.999}
    assert failing(request_timeout=600.0, cut=True, latency=late) == pytest.approx(4814.0, abs=0.01)


@pytest.mark.some(4)
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("cut", [False, True])
def test_whatever_the_owner_takes_the_bound_is_four_times_one_to_two_time_outs_and_14_s(cut, seed):
    seconds = failing(cut=cut, seed=seed, latency={"handle_download": uniform(0.0, 4.999)})
    assert 4 * 5.0 + 14.0 <= seconds <= 8 * 5.0 + 14.0


# ---- H7: the transaction expires first ---------------------------------------------------------------------


@pytest.mark.some(4)
@pytest.mark.parametrize(("lost", "transaction_timeout"), [(1, t) for t in (4, 5, 6, 8)] + [(2, t) for t in (6, 8, 10)])
def test_a_retry_is_of_use_if_and_only_if_it_comes_within_the_time_out_of_the_transaction(lost, transaction_timeout):
    """Each attempt that is served keeps the transaction alive, so the last pause counts: 2 s, or 4 s after two."""
    model = download_retry.fixed(lost=lost, transaction_timeout=float(transaction_timeout))
    assert verdict(model, SURVIVED) is judged(5 + 2**lost < transaction_timeout)


def test_a_download_that_asks_again_too_late_is_told_that_nobody_knows_the_reference():
    found = asked(download_retry.fixed(transaction_timeout=4.0), SURVIVED).counterexample
    assert found.state["transaction"].status == "expired"
    assert found.state["waiter of download[0]"].reply.status == "unknown reference"


@pytest.mark.parametrize("receivers", [1, 2])
def test_a_retry_that_comes_too_late_alone_is_in_time_when_another_download_keeps_the_transaction_alive(receivers):
    model = download_retry.fixed(chunks=1, transaction_timeout=4.0, receivers=receivers, lag=4.0)
    first = always(lambda state: state.process("download[0]").result != "failed", "the first download does not fail")
    assert verdict(model, first) is judged(receivers == 2)


# ---- H8: the end of file is counted again ------------------------------------------------------------------


def test_who_has_all_data_fails_because_the_end_of_file_was_served_already():
    found = asked(download_retry.fixed(**END), REPORTED).counterexample
    assert found.state["data of download[0]"] == (0,)
    assert found.state["transaction"].status == "finished"


def test_one_receiver_is_counted_for_two_and_the_other_one_is_left_with_nothing():
    found = asked(download_retry.fixed(**LATE), REMOVED_RIGHTLY).counterexample
    assert [str(who) for who in found.state["transaction"].done] == ["download[0]", "download[0]"]
    assert (found.state["data of download[0]"], found.state["data of download[1]"]) == ((0,), ())


def test_receivers_that_are_equally_fast_are_not_harmed_by_a_wrong_count():
    assert verdict(download_retry.fixed(**{**LATE, "lag": 0.0}), REMOVED_RIGHTLY) is Verdict.HOLDS


@pytest.mark.some(2)
@pytest.mark.parametrize("receivers", [1, 2])
@pytest.mark.parametrize("lag", [0.0, 10.0])
@pytest.mark.parametrize("losing", ["data", "end", "any"])
def test_with_an_idempotent_end_of_file_one_lost_reply_harms_nobody(receivers, lag, losing):
    sizes = {"receivers": receivers, "chunks": 1, "lag": lag, "losing": losing}
    model = download_retry.fixed(**sizes, idempotent_eof=True)
    assert verdict(model, SURVIVED, REPORTED, REMOVED_RIGHTLY, ONCE) is Verdict.HOLDS


# ---- H9: the service's own races ---------------------------------------------------------------------------


def test_a_lost_update_of_the_count_leaves_the_transaction_to_its_time_out():
    found = asked(download_retry.fixed(**RACE), NOT_LEFT).counterexample
    assert len(found.state["transaction"].done) == 1


@pytest.mark.parametrize("preparing", [0.0, 0.5, 1.0, 2.0])
def test_a_transaction_without_an_object_is_removed_at_the_next_look_of_the_monitor(preparing):
    assert verdict(download_retry.fixed(preparing=preparing), REMOVED_RIGHTLY) is judged(preparing < 1.0)


def test_a_callback_into_the_service_waits_for_the_lock_that_its_own_thread_holds():
    found = asked(download_retry.fixed(**END, **RE_ENTERS), deadlock_free()).counterexample
    assert found.wait_for.has_edge("monitor", "monitor")
    assert {process.name for process in found.state.processes if process.blocked} >= {"monitor"}


# ---- numbers -----------------------------------------------------------------------------------------------


@pytest.mark.some(4)
@pytest.mark.parametrize(
    ("sizes", "states"),
    [({}, 450), ({"losing": "any", "lost": 4}, 3_263), (LATE, 1_078), ({**LATE, "idempotent_eof": True}, 1_215)],
)
def test_so_many_states_hold_after_the_fix(sizes, states):
    assert asked(download_retry.fixed(**sizes), ONCE).states == states


@pytest.mark.parametrize("parameters", [{"losing": "most"}, {"callback": "sleeps"}])
def test_a_word_that_means_nothing_is_refused(parameters):
    with pytest.raises(ModelError, match="use one of"):
        explore(download_retry.fixed(**parameters))


# ---- for real ----------------------------------------------------------------------------------------------


def test_for_real_one_lost_reply_fails_the_download_before_the_fix():
    model = download_retry.buggy(**QUICK)
    run = execute(model, schedule=asked(model, SURVIVED).counterexample.schedule)
    assert (run.status, run.results["download[0]"], run.explained) == ("completed", "failed", True)


def test_for_real_the_fix_survives_a_lost_reply():
    """Where the model leaves a choice a free run takes the first, which is to lose the reply."""
    run = execute(download_retry.fixed(**QUICK))
    assert (run.status, run.results["download[0]"], run.explained) == ("completed", "completed", True)


def test_for_real_a_callback_into_the_service_hangs_the_monitor_and_a_worker():
    model = download_retry.fixed(**END, **RE_ENTERS, retries=1, **QUICK)
    run = execute(model, schedule=asked(model, deadlock_free()).counterexample.schedule, settle=0.1)
    assert (run.status, run.explained) == ("stuck", True)


def test_for_real_a_lost_update_leaves_the_transaction_to_its_time_out():
    model = download_retry.fixed(**RACE, **QUICK)
    run = execute(model, schedule=asked(model, NOT_LEFT).counterexample.schedule)
    assert (run.status, run.explained, run.state["transaction"].status) == ("completed", True, "expired")
