"""Where the callback pool starves, what ends that, and which repairs do; the claims themselves are in test_models."""

import re
from collections import Counter
from pathlib import Path

import pytest

from simcore import ModelError, Verdict, execute, explore, simulate, sometimes
from simcore.models.callback_repairs import FAILED, OK, REPAIRS, TIMEOUT
from simcore.models.callback_starvation import ASKED, LETTERS, VERDICTS, buggy, fixed
from simcore.properties.completion import family

PAGE = Path(__file__).parents[2] / "docs" / "callback-repairs.md"

CURES = [repair for repair, verdicts in VERDICTS.items() if verdicts.split()[[*ASKED].index("S2")] == "T"]

LATE_NESTED = {"connection to site[*].send": 0.01}
"""Nested requests take so long that all callbacks that can begin have begun before a reply comes."""

NO_CURE = ("admission in the callback", "replies first in the queue", "wrappers on the callback pool")
"""These leave the threshold where it is."""


def hangs(model):
    """Tell whether a hang is reachable."""
    verdict = explore(model).verdict
    assert verdict is not Verdict.UNDETERMINED
    return verdict is Verdict.VIOLATED


def is_stuck(model):
    """Tell whether one run in virtual time hangs: a witness, where a search would be long."""
    return simulate(model, latency=LATE_NESTED).status == "stuck"


def ends(run):
    return Counter(site.result for site in family(run.state, "site"))


# ---- the law ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("requests", "callback_workers"), [(k, m) for k in range(1, 5) for m in range(1, 5) if k < m])
def test_with_fewer_requests_than_callback_workers_nothing_hangs(requests, callback_workers):
    assert not hangs(buggy(requests=requests, workers=1, callback_workers=callback_workers))


@pytest.mark.some(3)
@pytest.mark.parametrize(("requests", "callback_workers"), [(k, m) for k in range(1, 5) for m in range(1, 5) if k >= m])
def test_with_as_many_requests_as_callback_workers_a_hang_is_reachable(requests, callback_workers):
    model = buggy(requests=requests, workers=1, callback_workers=callback_workers)
    assert is_stuck(model)
    if requests < 4:
        result = explore(model, strategy="depth", max_states=500)
        assert (result.verdict, result.property) == (Verdict.VIOLATED, "deadlock free")


@pytest.mark.slow
@pytest.mark.parametrize("callback_workers", range(1, 5))
def test_with_four_requests_the_search_finds_it_too(callback_workers):
    model = buggy(requests=4, workers=1, callback_workers=callback_workers)
    assert explore(model, strategy="depth", max_states=500).verdict is Verdict.VIOLATED


@pytest.mark.parametrize("workers", [1, 3])
def test_the_number_of_stream_workers_does_not_matter(workers):
    assert hangs(buggy(workers=workers, callback_workers=2))
    assert not hangs(buggy(workers=workers, callback_workers=3))


@pytest.mark.parametrize("depth", [2, 3])
def test_how_many_nested_requests_one_callback_makes_does_not_matter(depth):
    assert hangs(buggy(workers=1, depth=depth))
    assert not hangs(buggy(workers=1, depth=depth, callback_workers=3))


@pytest.mark.parametrize(("requests", "callback_workers"), [(1, 1), (2, 1), (3, 1), (3, 2), (2, 2)])
def test_callbacks_that_do_not_nest_never_starve_each_other(requests, callback_workers):
    assert not hangs(buggy(requests=requests, depth=0, workers=1, callback_workers=callback_workers))


@pytest.mark.parametrize(("requests", "workers"), [(k, n) for k in range(1, 4) for n in range(1, 4)])
def test_in_2_7_1_the_threshold_is_the_number_of_stream_workers(requests, workers):
    model = fixed(requests=requests, workers=workers, callback_workers=1, repair="callbacks on the stream worker")
    assert hangs(model) is (requests >= workers)


@pytest.mark.parametrize(("requests", "callback_workers"), [(1, 1), (1, 2), (2, 2), (2, 3)])
def test_within_one_process_the_threshold_is_the_same_and_counts_all_cells(requests, callback_workers):
    model = buggy(topology="one process", requests=requests, workers=1, callback_workers=callback_workers)
    assert hangs(model) is (requests >= callback_workers)


@pytest.mark.some(3)
@pytest.mark.parametrize("clients", [1, 2, 3])
@pytest.mark.parametrize("callback_workers", [1, 2, 3])
def test_a_barrier_needs_a_worker_for_every_client(clients, callback_workers):
    model = buggy(requests=clients, depth=0, barrier=True, workers=1, callback_workers=callback_workers)
    assert hangs(model) is (clients > callback_workers)


@pytest.mark.parametrize(("clients", "callback_workers"), [(1, 1), (1, 2), (2, 2), (2, 3)])
def test_a_barrier_with_nested_requests_needs_one_worker_more(clients, callback_workers):
    model = buggy(requests=clients, barrier=True, workers=1, callback_workers=callback_workers)
    assert hangs(model) is (clients >= callback_workers)


@pytest.mark.parametrize("requests", [1, 2, 3])
def test_the_owner_may_hold_the_bytes_of_every_request(requests):
    model = buggy(requests=requests, depth=0, workers=1, callback_workers=1, counted=True)
    held = sometimes(lambda state: state["requests held"] == requests, "all requests held")
    assert explore(model, held).verdict is Verdict.HOLDS


# ---- the hang -----------------------------------------------------------------------------------------------


def test_the_report_says_that_the_dispatchers_are_queued_behind_those_who_wait_for_them():
    text = str(explore(buggy()).counterexample.wait_for)
    assert "callback 2/2: every worker is in answer(" in text
    assert "waiting for nested reply 0 for site[0..1]" in text
    assert (
        "process_reply(owner, nested reply 0 for site[0..1]) might set it, but is queued in callback behind them"
        in text
    )
    assert "the same steps do not close this knot" in text


def test_the_shortest_way_there_ends_with_the_dispatchers_being_queued():
    found = explore(buggy(workers=1), symmetry=False, partial_order=False).counterexample
    how = "shortest to where everything else has stopped, with the fewest switches between processes"
    assert (len(found.schedule), found.shortest) == (34, how)
    assert [step.process for step in found.schedule.steps[-2:]] == ["stream[0]", "stream[0]"]
    assert found.schedule.steps[-1].text == "submits process_reply(owner, nested reply 0 for site[1]) to callback"


@pytest.mark.parametrize(
    ("build", "sizes", "reduced", "full"),
    [
        (buggy, {"requests": 1, "callback_workers": 2}, 29, 52),
        (buggy, {"callback_workers": 3}, 443, 6_031),
        (fixed, {}, 384, 2_665),
        (fixed, {"requests": 1, "callback_workers": 1}, 27, 34),
    ],
)
def test_so_many_states_hold(build, sizes, reduced, full):
    counts = [explore(build(**sizes), symmetry=on, partial_order=False).states for on in (True, False)]
    assert counts == [reduced, full]


# ---- what time-outs make of it ------------------------------------------------------------------------------


def test_a_request_that_starves_is_given_up_after_forty_minutes():
    run = simulate(buggy(requests=1, callback_workers=1, nested_timeout=600.0, retries=3))
    assert (run.status, run.time, ends(run)) == ("completed", 4 * 600 + 2 + 4 + 8, {FAILED: 1})


def test_of_two_on_two_workers_one_may_time_out_and_so_let_the_other_through():
    model = buggy(workers=1, nested_timeout=600.0)

    def one_of_two(state):
        return sorted(str(site.result) for site in family(state, "site")) == [FAILED, OK]

    assert explore(model, sometimes(one_of_two, "one of two"), timeouts="in_order").verdict is Verdict.HOLDS


@pytest.mark.parametrize("seed", range(3))
def test_of_eight_on_four_workers_some_time_out_and_of_four_on_eight_none(seed):
    many = simulate(buggy(requests=8, callback_workers=4, nested_timeout=600.0), latency=LATE_NESTED, seed=seed)
    few = simulate(buggy(requests=4, callback_workers=8, nested_timeout=600.0), latency=LATE_NESTED, seed=seed)
    assert ends(many)[FAILED] >= 4
    assert ends(few) == {OK: 4}


def test_a_site_that_has_given_up_does_not_release_the_worker():
    model = buggy(workers=1, request_timeout=60.0, nested_timeout=600.0)
    run = simulate(model, latency=LATE_NESTED, until=300.0)
    assert ends(run) == {TIMEOUT: 2}
    assert [worker.task is not None for worker in family(run.state, "callback")] == [True, True]


# ---- at NVFlare's sizes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("requests", "status"), [pytest.param(63, "completed", marks=pytest.mark.slow), (64, "stuck")])
def test_64_nested_requests_hang_on_the_64_workers_of_the_default_pool(requests, status):
    run = simulate(buggy(requests=requests, workers=128, callback_workers=64), latency=LATE_NESTED)
    assert run.status == status
    assert ends(run) == {OK if status == "completed" else None: requests}


@pytest.mark.slow
@pytest.mark.parametrize(("repair", "requests"), [(CURES[0], 144), *((repair, 80) for repair in CURES[1:])])
def test_of_more_nested_requests_than_workers_every_repair_brings_all_home(repair, requests):
    run = simulate(fixed(requests=requests, workers=128, callback_workers=64, repair=repair), latency=LATE_NESTED)
    assert (run.status, ends(run)) == ("completed", {OK: requests})


@pytest.mark.slow
@pytest.mark.parametrize(("clients", "status"), [(64, "completed"), (65, "stuck")])
def test_a_barrier_of_65_clients_hangs_on_the_64_workers_of_the_default_pool(clients, status):
    run = simulate(buggy(requests=clients, depth=0, barrier=True, workers=128, callback_workers=64))
    assert run.status == status


# ---- on real threads ----------------------------------------------------------------------------------------


def test_the_hang_happens_on_real_threads_and_connections():
    run = execute(buggy(), schedule=explore(buggy()).counterexample.schedule, settle=0.05)
    assert (run.status, run.explained) == ("stuck", True)


def test_what_was_a_hang_is_a_failed_request_when_time_outs_are_real():
    model = buggy(workers=1, nested_timeout=600.0, second=0.0005)
    schedule = explore(model, timeouts="never").counterexample.schedule
    run = execute(model, schedule=schedule, settle=0.05)
    assert (run.status, run.explained) == ("completed", True)
    assert FAILED in run.results.values()


@pytest.mark.some(2)
@pytest.mark.parametrize("repair", CURES)
def test_a_repair_runs_free_on_real_threads(repair):
    run = execute(fixed(requests=4, callback_workers=2, repair=repair))
    assert (run.status, run.explained) == ("completed", True)
    assert [run.results[f"site[{number}]"] for number in range(4)] == [OK] * 4


# ---- repairs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("requests", "callback_workers"), [(1, 1), (2, 1), (2, 2), (3, 1)])
def test_with_replies_on_the_stream_worker_one_callback_worker_is_enough(requests, callback_workers):
    assert not hangs(fixed(requests=requests, workers=1, callback_workers=callback_workers))


@pytest.mark.some(4)
@pytest.mark.parametrize("repair", NO_CURE)
@pytest.mark.parametrize(("requests", "callback_workers"), [(1, 1), (1, 2), (2, 2), (2, 3)])
def test_what_leaves_the_reply_in_the_same_pool_leaves_the_threshold(repair, requests, callback_workers):
    model = fixed(requests=requests, workers=1, callback_workers=callback_workers, repair=repair)
    assert hangs(model) is (requests >= callback_workers)


@pytest.mark.some(3)
@pytest.mark.parametrize(
    ("requests", "workers", "callback_workers"), [(k, n, m) for k in (1, 2) for n in (1, 2) for m in (1, 2, 3)]
)
def test_admission_in_the_wrapper_hangs_when_those_not_admitted_fill_the_stream_pool(
    requests, workers, callback_workers
):
    admitted = max(callback_workers - 1, 1)
    model = fixed(
        requests=requests, workers=workers, callback_workers=callback_workers, repair="admission in the wrapper"
    )
    assert hangs(model) is (requests >= admitted + workers or requests >= callback_workers == 1)


@pytest.mark.parametrize(("requests", "callback_workers"), [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_admission_before_the_pool_needs_two_callback_workers(requests, callback_workers):
    model = fixed(requests=requests, workers=1, callback_workers=callback_workers, repair="admission before the pool")
    assert hangs(model) is (callback_workers < 2)


@pytest.mark.parametrize("repair", ["callbacks resumed by the reply", "waiting callbacks run others"])
def test_where_no_worker_is_kept_waiting_one_is_enough_for_all(repair):
    assert not hangs(fixed(requests=2, workers=1, callback_workers=1, repair=repair))


@pytest.mark.some(2)
@pytest.mark.parametrize("repair", [*REPAIRS])
def test_whatever_is_repaired_nothing_is_left_of_it_when_it_is_taken_out(repair):
    sizes = {"requests": 1, "callback_workers": 2}
    assert explore(fixed(**sizes, repair=repair, fix=False)).states == explore(buggy(**sizes)).states


def test_a_repair_that_nobody_knows_is_refused_with_those_that_there_are():
    with pytest.raises(ModelError, match="repair='more threads': use one of 'replies on the stream worker', "):
        fixed(repair="more threads")


def test_time_outs_are_refused_where_the_repair_is_modelled_without_them():
    with pytest.raises(ModelError, match="leave nested_timeout out"):
        fixed(repair="callbacks resumed by the reply", nested_timeout=600.0)


def test_a_topology_that_nobody_knows_is_refused():
    with pytest.raises(ModelError, match="topology='relay': use one of 'tcp', 'one process', 'both ways'"):
        buggy(topology="relay")


def test_the_page_ranks_the_repairs_as_the_model_does_and_says_what_is_claimed():
    rows = re.findall(r"^\| (\d+) \| (.+?) \| ((?:[TF-] \| ){6})", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    claimed = [(LETTERS.get(repair, "") + repair, VERDICTS[repair]) for repair in REPAIRS]
    assert [(repair, verdicts.replace("|", "").split()) for _, repair, verdicts in rows] == [
        (repair, verdicts.split()) for repair, verdicts in claimed
    ]
    assert [int(rank) for rank, _, _ in rows] == [*range(1, len(REPAIRS) + 1)]
