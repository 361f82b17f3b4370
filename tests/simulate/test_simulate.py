"""The same seed gives the same run, which says how it ended; a wrong option is refused in one line."""

from __future__ import annotations

import math
from random import Random

import pytest
from timed import alone, first_stuck, jobs
from toys import opposed_locks

from simcore import Model, choose, sleep
from simcore.errors import OptionError
from simcore.models import pool_starvation
from simcore.simulate import exponential, lognormal, simulate, uniform

# ---- seeds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_the_same_seed_gives_the_same_run(seed):
    latency = {"read_stream": exponential(0.1), "send": uniform(0, 0.1)}
    one, other = (simulate(pool_starvation.fixed(downloads=3, workers=2), seed=seed, latency=latency) for _ in "ab")
    assert one.path == other.path
    assert (one.time, one.completion, one.occupancy) == (other.time, other.completion, other.occupancy)


def test_different_seeds_order_the_same_instant_differently():
    paths = {simulate(opposed_locks(), seed=seed).path for seed in range(20)}
    assert len(paths) > 2


def test_different_seeds_draw_different_delays():
    ends = {simulate(jobs(), seed=seed, latency={"job": exponential(1)}).time for seed in range(10)}
    assert len(ends) == 10


def test_choose_takes_every_option_under_some_seed():
    chosen = {simulate(alone(choose("heads", "tails")), seed=seed).results["p"] for seed in range(20)}
    assert chosen == {("heads",), ("tails",)}


def test_a_new_latency_does_not_change_the_arrivals():
    model = Model("arrivals")

    def come():
        yield sleep(1)

    for name in model.indices("p", 5):
        model.process(name, come)
    load = {"p[*]": exponential(2.0)}
    plain, slow = simulate(model, load=load), simulate(model, load=load, latency={"sleep": uniform(3, 3)})
    assert all(slow.completion[name] == pytest.approx(plain.completion[name] + 3) for name in plain.completion)


# ---- how it ends -------------------------------------------------------------------------------------


def test_opposed_locks_are_stuck_under_some_seed_and_complete_under_another():
    assert {simulate(opposed_locks(), seed=seed).status for seed in range(30)} == {"stuck", "completed"}


def test_a_deadlock_is_explained():
    result = first_stuck(opposed_locks)
    assert result.wait_for.has_edge("left", "right")
    assert result.wait_for.has_edge("right", "left")
    assert "left waits for b, held by right" in str(result)


def test_a_deadlock_is_explained_with_the_time_at_which_it_closed():
    result = first_stuck(opposed_locks, latency={"acquire": 1.5})
    assert (result.time, result.state.deadlocked) == (1.5, True)  # each has its first lock; nobody gets a second
    assert "stuck: 2 of 2 processes can never move again, at 1.5 s of virtual time" in str(result)


def test_waiting_for_a_notification_that_nobody_gives_is_explained():
    model = Model("not notified")
    condition = model.condition("condition")

    def wait():
        yield condition.acquire()
        yield condition.wait()

    model.process("p", wait)
    result = simulate(model)
    assert result.status == "stuck"
    assert "p waits to be notified on condition: nobody notifies it any more" in str(result)


def test_the_reported_hang_is_found_and_explained():
    latency = {"read_stream": 0.01, "blob_callback": 0.01}
    result = simulate(pool_starvation.buggy(downloads=8, workers=4), latency=latency)
    assert result.status == "stuck"
    assert result.occupancy["stream"].series[-1][1] == 4
    assert "stream 4/4: every worker is in blob_callback" in str(result)


def test_the_reported_hang_needs_as_many_downloads_as_workers():
    statuses = {simulate(pool_starvation.buggy(downloads=3, workers=4), seed=seed).status for seed in range(20)}
    assert statuses == {"completed"}


def test_fixed_completes_with_every_chunk():
    result = simulate(pool_starvation.fixed(downloads=8, workers=4, chunks=5), latency={"read_stream": 0.01})
    assert result.status == "completed"
    assert result.results == {f"download[{number}]": (0, 1, 2, 3, 4) for number in range(8)}


def test_four_workers_read_at_their_rate():
    # 8 downloads keep 4 workers of 10 ms each busy: 400 chunks a second
    result = simulate(pool_starvation.fixed(downloads=8, workers=4, chunks=5), latency={"read_stream": 0.01})
    assert result.takes["callback"] == 40
    assert result.time == pytest.approx(40 / 400)


def test_an_exception_that_nobody_caught_is_a_failure():
    model = Model("failure")

    def run():
        yield sleep(1)
        raise ValueError("wrong bytes")

    model.process("p", run)
    result = simulate(model)
    assert result.status == "failed"
    assert result.failures["p"].time == 1.0
    assert "p died at 1 s of ValueError: wrong bytes" in str(result)


def test_the_others_go_on_after_a_failure():
    model = Model("failure")

    def fail():
        yield sleep(1)
        raise ValueError

    def run():
        yield sleep(2)

    model.process("failing", fail)
    model.process("other", run)
    assert simulate(model).completion == {"other": 2.0}


def heartbeat_beside_a_deadlock() -> Model:
    model = Model("heartbeat")
    lock = model.lock("lock")

    def beat():
        while True:
            yield sleep(1)

    def twice():
        yield lock.acquire()
        yield lock.acquire()

    model.process("heart", beat, daemon=True)
    model.process("stuck one", twice)
    return model


def test_a_stuck_subset_is_told_when_time_is_up():
    result = simulate(heartbeat_beside_a_deadlock(), until=10)
    assert (result.status, result.time) == ("limit", 10.0)
    assert "others go on, but 1 of 1 process can never move again" in str(result)


def test_a_run_in_which_only_daemons_move_ends_by_itself():
    result = simulate(heartbeat_beside_a_deadlock())
    assert result.status == "stuck"
    assert "others go on" in str(result)


def test_a_run_that_goes_well_suspects_nothing_when_time_is_up():
    model = Model("slow")

    def run():
        yield sleep(100)

    model.process("p", run)
    result = simulate(model, until=10)
    assert result.status == "limit"
    assert "suspected" not in str(result)


def test_a_run_ends_when_all_who_must_finish_have():
    model = Model("daemon")

    def beat():
        while True:
            yield sleep(1)

    def run():
        yield sleep(2.5)

    model.process("heart", beat, daemon=True)
    model.process("p", run)
    result = simulate(model)
    assert (result.status, result.time) == ("completed", 2.5)


def test_daemons_alone_run_until_their_time_is_up():
    model = Model("daemons")

    def beat():
        while True:
            yield sleep(1)

    model.process("heart", beat, daemon=True)
    result = simulate(model, until=10.5)
    assert (result.status, result.steps, result.time) == ("limit", 10, 10.5)


def test_what_is_due_exactly_at_the_limit_still_happens():
    assert simulate(alone(sleep(2)), until=2).status == "completed"


def test_max_steps_is_exact():
    result = simulate(opposed_locks(), max_steps=3)
    assert (result.status, result.steps) == ("limit", 3)


def test_a_pending_time_out_of_the_past_does_not_hide_a_deadlock():
    model = Model("stale")
    event, lock = model.event("event"), model.lock("lock")

    def run():
        yield event.wait(timeout=60)
        yield lock.acquire()
        yield lock.acquire()

    def setter():
        yield sleep(1)
        yield event.set()

    model.process("p", run)
    model.process("setter", setter)
    result = simulate(model, until=10)
    assert (result.status, result.time) == ("stuck", 1.0)


# ---- options -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"until": 0}, "`until=0`: use a finite number of virtual seconds, more than 0"),
        ({"until": -1.0}, "until=-1.0"),
        ({"until": math.nan}, "until=nan"),
        ({"max_steps": 0}, "`max_steps=0`: use at least 1"),
        ({"latency": {"job": -1}}, "`latency['job']`: a delay is a finite number of seconds, at least 0, not -1"),
        ({"latency": {"job": math.inf}}, "`latency['job']`: a delay is a finite number"),
        ({"latency": {"job": "fast"}}, "`latency['job']`: a delay is a finite number"),
        ({"latency": {"job": lambda random: -2.0}}, "`latency['job']`: a delay is a finite number"),
        (
            {"latency": {"jbo": 1.0}},
            "`latency['jbo']` names no object, operation, process or function; did you mean job",
        ),
        ({"load": {"pool": 1.0}}, "`load['pool']` names no process that the model starts"),
        ({"load": {"pool[0]": 1.0}}, "`load['pool[0]']` names no process that the model starts"),
        ({"load": {"boss": -1.0}}, "`load['boss']`: a delay is a finite number of seconds"),
    ],
)
def test_a_bad_option_is_refused_in_one_line(options, message):
    with pytest.raises(OptionError) as error:
        simulate(jobs(), **options)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("make", "arguments"),
    [(exponential, (0,)), (exponential, (-1,)), (uniform, (2, 1)), (uniform, (-1, 1)), (lognormal, (0, 1))],
)
def test_a_distribution_of_impossible_delays_is_refused(make, arguments):
    with pytest.raises(OptionError, match=make.__name__):
        make(*arguments)


@pytest.mark.parametrize(
    ("delay", "mean"), [(exponential(2.0), 2.0), (uniform(1, 3), 2.0), (lognormal(2.0, 0.5), 2.0 * math.exp(0.125))]
)
def test_a_distribution_has_the_mean_it_promises(delay, mean):
    random = Random(1)
    assert sum(delay(random) for _ in range(20_000)) / 20_000 == pytest.approx(mean, rel=0.03)
