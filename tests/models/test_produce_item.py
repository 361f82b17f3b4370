"""A production inside the cache lock: what it costs, and what it costs to take it out."""

from collections import Counter
from itertools import accumulate

import pytest

from simcore import Verdict, execute, explore, simulate
from simcore.models import produce_item
from simcore.models.produce_item import CACHED_GO_ON, KEPT, LATE, LOST, MADE_ONCE, NEEDED, RIGHT_BYTES

QUICK = {"second": 0.02}
BOTH = pytest.mark.parametrize("build", [produce_item.buggy, produce_item.fixed])


def asked(model, *properties):
    return explore(model, *properties, timeouts="anytime")


def productions(run):
    """Return how often items were made, and how many were in production at most."""
    changes = [("begun" in step.text) - ("ended" in step.text) for step in run.schedule.steps]
    return changes.count(1), max(accumulate(changes))


# ---- the convoy --------------------------------------------------------------------------------------------


def test_the_counterexample_is_one_worker_in_production_and_another_one_at_the_lock():
    found = asked(produce_item.buggy(), CACHED_GO_ON).counterexample
    where = Counter(process.operation.name for process in found.state.processes if process.task)
    assert where == {"sleep": 1, "acquire": 1}
    assert found.state["cache"][0].data == "bytes of item 0"


@pytest.mark.some(3)
@pytest.mark.parametrize("receivers", range(1, 9))
def test_before_the_fix_the_time_to_serve_receivers_at_different_items_grows_with_their_number(receivers):
    run = simulate(produce_item.buggy(receivers=receivers, items=receivers, workers=8, cores=8, apart=True))
    assert (run.status, run.time) == ("completed", receivers * 1.0)


@pytest.mark.some(3)
@pytest.mark.parametrize("receivers", range(1, 9))
def test_after_the_fix_it_does_not(receivers):
    """A request makes its own item, and at worst the next one as well."""
    run = simulate(produce_item.fixed(receivers=receivers, items=receivers, workers=8, cores=8, apart=True))
    assert run.status == "completed"
    assert run.time <= 2 * 1.0


@pytest.mark.some(6)
@BOTH
def test_receivers_that_begin_together_wait_for_the_same_production_and_lose_nothing_by_that(build):
    times = [simulate(build(receivers=n, items=4, workers=8, cores=8)).time for n in (1, 2, 4, 8)]
    assert times == [4.0] * 4


@pytest.mark.parametrize("seed", range(3))
def test_the_last_of_three_times_out_in_the_convoy_when_three_productions_take_longer_than_the_time_out(seed):
    """2.5 productions: enough for the item and the one behind it, which is all that a request makes by itself."""
    sizes = {"receivers": 3, "items": 3, "workers": 4, "apart": True, "request_timeout": 2.5}
    before, after = (simulate(build(**sizes), seed=seed) for build in (produce_item.buggy, produce_item.fixed))
    assert max(download.repeated for download in before.results.values()) >= 1
    assert max(download.repeated for download in after.results.values()) == 0


# ---- the price ---------------------------------------------------------------------------------------------


def test_eight_receivers_make_two_items_sixteen_times_eight_at_once():
    run = simulate(produce_item.fixed(receivers=8, workers=8))
    assert productions(run) == (16, 8)


@pytest.mark.slow
def test_before_the_fix_they_make_two_items_twice_one_after_the_other():
    run = simulate(produce_item.buggy(receivers=8, workers=8))
    assert productions(run) == (2, 1)


@pytest.mark.slow
def test_with_fewer_cores_than_receivers_the_stampede_is_slower_than_the_convoy_was():
    before, after = (
        simulate(build(receivers=8, items=4, workers=8, cores=2)).time
        for build in (produce_item.buggy, produce_item.fixed)
    )
    assert (before, after) == (4.0, 16.0)


def test_the_shortest_stampede_makes_item_0_twice():
    found = asked(produce_item.fixed(), MADE_ONCE).counterexample
    assert found.state["in production"] == (0, 0)


def test_bytes_that_are_stored_in_the_wrong_place_are_noticed(monkeypatch):
    misplaced = lambda cache, index, data: tuple(item._replace(data=data) for item in cache)  # noqa: E731
    monkeypatch.setattr(produce_item, "stored_if_missing", misplaced)
    assert asked(produce_item.fixed(), RIGHT_BYTES).verdict is Verdict.VIOLATED


# ---- the cache ---------------------------------------------------------------------------------------------


@pytest.mark.some(12)
@pytest.mark.parametrize(("receivers", "items", "apart"), [(1, 3, False), (2, 1, False), (2, 3, False), (2, 2, True)])
@BOTH
def test_without_repeated_requests_the_cache_is_right_and_everybody_gets_the_right_bytes(
    build, receivers, items, apart
):
    model = build(receivers=receivers, items=items, apart=apart)
    assert explore(model, NEEDED, KEPT, RIGHT_BYTES).verdict is Verdict.HOLDS


def test_before_the_fix_an_item_that_is_made_again_stays_for_good():
    found = asked(produce_item.buggy(**LOST), NEEDED).counterexample
    item = next(item for item in found.state["cache"] if item.data and len(item.had_by) == 2)
    assert item.received < 2


def test_a_repeated_request_drops_an_item_that_the_other_receiver_has_not_had():
    found = asked(produce_item.fixed(**LOST), KEPT).counterexample
    item = next(item for item in found.state["cache"] if item.received == 2)
    assert len(item.had_by) == 1


def test_a_request_that_was_given_up_stores_what_nobody_needs_any_more():
    found = asked(produce_item.fixed(**LATE), NEEDED).counterexample
    assert any("gives up" in step.text for step in found.schedule.steps)


# ---- numbers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "sizes", "states"),
    [
        (produce_item.buggy, {}, 472),
        (produce_item.fixed, {}, 805),
        pytest.param(produce_item.buggy, LOST, 2_694, marks=pytest.mark.slow),
        (produce_item.fixed, LOST, 3_313),
    ],
)
def test_so_many_states_hold(build, sizes, states):
    assert asked(build(**sizes), RIGHT_BYTES).states == states


# ---- for real ----------------------------------------------------------------------------------------------


@BOTH
def test_for_real_a_free_run_completes_with_the_right_bytes(build):
    run = execute(build(receivers=3, workers=3, **QUICK))
    assert (run.status, run.explained) == ("completed", True)
    assert RIGHT_BYTES.predicate(run.state)


@BOTH
def test_for_real_the_counterexample_happens_on_the_first_try(build):
    wanted = CACHED_GO_ON if build is produce_item.buggy else MADE_ONCE
    model = build(**QUICK)
    run = execute(model, schedule=asked(model, wanted).counterexample.schedule)
    assert (run.status, run.explained) == ("completed", True)
