"""What a scheduler tells wrongly that looks too little: each of these was told so by an earlier one."""

import time
from functools import partial

import pytest
import threaded
import threaded_wrong_once as programs

from simcore import Verdict, control
from simcore.control.running import Options, Question, answer
from simcore.control.workers import Workers
from simcore.schedule import SAMPLING, EvenProgress

NAMED = {
    "a put below a get": (
        programs.a_queue_puts_where_it_gets,
        {"item": 0},
        "taker waits for Puts.mutex, held by itself",
    ),
    "a lock below a get": (
        programs.a_queue_takes_a_lock_to_get,
        {"opposed": False},
        "taker waits for Guarded.guard, held by giver",
    ),
    "a lock below a get, its own": (
        programs.a_queue_takes_the_lock_of_whoever_gets,
        {"held": False},
        "taker waits for Guarded.guard, held by itself",
    ),
    "a finalizer below a get": (
        programs.a_finalizer_runs_where_a_queue_gets,
        {"collects": False},
        "taker waits for lock, held by itself",
    ),
    "a future of a done-callback": (
        programs.an_answer_is_set_when_a_task_is_done,
        {"workers": 2},
        "blocking 1/1: every worker is in an_answer_is_set_when_a_task_is_done.middleware(), waiting for answer "
        "set only by an_answer_is_set_when_a_task_is_done.query(), queued in blocking behind it",
    ),
    "a future of what a done-callback submits": (
        partial(programs.an_answer_is_set_when_a_task_is_done, deep=True),
        {"workers": 2},
        "blocking 1/1: every worker is in an_answer_is_set_when_a_task_is_done.middleware(), waiting for answer "
        "set only by an_answer_is_set_when_a_task_is_done.query(), queued in blocking behind it",
    ),
    "owners of slots of a queue without a bound": (
        programs.tokens_and_connections,
        {"closing_needs_a_token": False},
        "request[0..1] wait for an item of free, empty, taken by request[2] "
        "request[2] waits for a permit of limiter, held by request[0..1]",
    ),
    "owners that are workers": (
        programs.workers_take_two_each,
        {"connections": 3},
        "empty, taken by itself, request_1 empty, taken by request_0, itself",
    ),
}


@pytest.mark.some(8)
@pytest.mark.parametrize(("body", "repair", "words"), NAMED.values(), ids=NAMED)
def test_who_blocks_on_what_is_named_and_the_repaired_twin_survives(body, repair, words):
    told = control(body, schedules=60).violation
    assert told.kind == "deadlock"
    assert words in " ".join(" ".join(told.wait_for.explain()).split()), told.wait_for.explain()
    assert control(partial(body, **repair), schedules=5).violation is None


def runs_of(body, seed, process_of_its_own):
    """Return a run as the first of a process of its own, or as one of those that are forked from one process."""
    seeds = [seed] if process_of_its_own else range(4)
    asked = [Question(Options(), SAMPLING["urw"](each), probe=True) for each in seeds]
    with Workers(partial(answer, body)) as workers:
        return [(ran.how, ran.taken, ran.checks) for ran in map(workers.ask, asked)]


@pytest.mark.some(3)
@pytest.mark.parametrize("body", [threaded.lost_wake_up, programs.whichever_comes_first, threaded.nested_submit])
def test_a_fork_does_not_change_a_schedule(body):
    assert [runs_of(body, seed, True)[0] for seed in range(4)] == runs_of(body, 0, False)


def test_many_runs_in_one_process_are_those_of_a_process_each():
    """What one leaves, as a set that is walked through or garbage, has no part in the next one."""
    steps = []
    for many in (12, 1):
        strategy, numbers, longest, taken = SAMPLING["random"](3), {}, 0, []
        with Workers(partial(answer, programs.whichever_comes_first)) as workers:
            for _ in range(12 // many):
                asked = Question(Options(), strategy, numbers, many=many, longest=longest)
                ran = workers.ask(asked)
                strategy, numbers, longest = ran.strategy, ran.numbers, ran.longest
                taken.append((ran.how, ran.taken))
        steps.append((taken[-1], longest))
    assert steps[0] == steps[1]


@pytest.mark.some(3)
@pytest.mark.parametrize("workers", [2, 1, 3])
def test_one_more_worker_is_not_recommended_where_it_takes_more(workers):
    told = control(partial(programs.needs_more_workers, workers), schedules=5).violation.wait_for.explain()
    assert any(line.lstrip().startswith("tried: with ") for line in told) == (workers == 3), told


def test_a_knot_with_a_poller_is_named_where_time_outs_never_fire_and_else_it_is_said_where_to_look():
    named = control(programs.a_knot_has_a_poller, timeouts="never").violation
    assert "teller waits for left, held by poller" in " ".join(named.wait_for.explain())
    result = control(programs.a_knot_has_a_poller, schedules=1, max_steps=500)
    assert result.verdict is Verdict.UNDETERMINED
    assert result.notes == [
        "1 of them had not ended after 500 steps; somebody waits with a limit again and again, and `timeouts='never'` "
        "tells whether for ever",
        "in the first that had not ended, main has not moved since step 4, at threaded.py:24 in together(); teller has "
        "not moved since step 5, at threaded_wrong_once.py:179 in a_knot_has_a_poller.tells()",
    ]
    assert not control(partial(programs.a_knot_has_a_poller, opposed=False), schedules=5).notes


def test_time_that_passes_in_a_selector_takes_none():
    begun = time.monotonic()
    assert control(programs.selects_for_hours, schedules=1).violation is None
    assert time.monotonic() - begun < 3_600  # of nearly two million


def test_options_of_listeners_and_of_sockets_that_are_not_connected_are_kept():
    assert control(programs.buffers_are_set_before_there_is_a_connection, schedules=2).violation is None


def test_threads_that_end_in_a_hang_say_nothing(capfd):
    with Workers(partial(answer, programs.handlers_die_with_a_hang)) as workers:
        assert workers.ask(Question(Options(), SAMPLING["random"](0))).how == "deadlock"
    assert capfd.readouterr() == ("", "")


@pytest.mark.some(3)
@pytest.mark.parametrize("seed", range(3))
def test_pools_of_many_slots_are_filled_by_even_progress(seed):
    body = partial(programs.tokens_and_connections, requests=60, tokens=40, connections=15)
    strategy, numbers, longest, ends = EvenProgress(seed), {}, 0, []
    with Workers(partial(answer, body)) as workers:
        while "deadlock" not in ends and len(ends) < 20:
            ran = workers.ask(Question(Options(), strategy, numbers, longest=longest))
            strategy, numbers, longest = ran.strategy, ran.numbers, ran.longest
            ends.append(ran.how)
    assert ends[-1] == "deadlock", ends
