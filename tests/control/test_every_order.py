"""Every order once: the reduced search runs the orders of the full one, and what nobody saw is no proof."""

import threading
from contextlib import nullcontext
from functools import partial

import hypothesis.strategies as st
import pytest
import threaded
import threaded_at_once
import threaded_fine
import threaded_in_order as programs
import threaded_looks
import threads_at_random
from hypothesis import given
from orders_of_threads import reduced, whole

from simcore import Verdict, control
from simcore.control import replay
from simcore.control.hears import ADDS, READS, WRITES
from simcore.control.observed import ALL, FREE, Access, ByThing, dependent
from simcore.control.running import Options, Question, answer
from simcore.control.workers import Workers
from simcore.errors import OptionError

MOST = 300
SEEDS = [
    *range(40),
    176,  # the last reference to a pool that was shut down is dropped by one thread or another
    61,  # until 3.12 the library looks, in the order of addresses, which ends of threads it may forget
    1_074,  # somebody waits while time goes on for others: he could have come before that
    1_611,  # two waits end at the same time, and who is first does something before the other
]


@pytest.mark.some(25)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_reduced_search_runs_the_orders_of_the_full_one(seed):
    body = threads_at_random.program(seed)
    found, schedules, complete = whole(body, MOST)
    if complete:
        again, runs, complete = reduced(body, MOST)
        assert complete
        assert again == found
        assert runs <= schedules
    else:  # the full one is not to be had; what it has seen is not new
        again, runs, complete = reduced(body, MOST)
        assert not complete or found <= again


@pytest.mark.parametrize(
    ("threads", "orders"), [(1, 1), (2, 2), pytest.param(3, 6), pytest.param(4, 24, marks=pytest.mark.slow)]
)
def test_threads_that_take_one_lock_have_as_many_orders_as_there_are(threads, orders):
    found, runs, complete = reduced(partial(programs.take_one_lock, threads), MOST)
    assert complete
    assert (len(found), runs) == (orders, orders)


@pytest.mark.some(4)
@pytest.mark.parametrize("which", threaded_looks.LOOKS)
def test_who_asks_asks_before_a_change_or_after_it(which):
    function, expected = threaded_looks.LOOKS[which]
    found = control(partial(function, expected), strategy="dfs", schedules=300, witness="any")
    assert found.verdict is Verdict.VIOLATED
    assert "AssertionError" in str(found)


@pytest.mark.some(6)
@pytest.mark.parametrize("body", [programs.take_one_lock, programs.one_pool_for_each, programs.hand_over])
def test_what_holds_in_every_order_holds_at_synchronization_points(body):
    result = control(body, strategy="dfs", schedules=1_000)
    assert result.verdict is Verdict.HOLDS, result
    assert result.reason.startswith("at synchronization points (")
    assert "interrupted between two operations" in result.reason


@pytest.mark.some(3)
@pytest.mark.parametrize("body", [programs.opposed, programs.one_pool_for_both, programs.only_one_order_hangs])
def test_the_order_that_hangs_is_found(body):
    result = control(body, strategy="dfs", schedules=1_000)
    assert result.verdict is Verdict.VIOLATED
    assert result.violation.kind == "deadlock"
    assert control(body, strategy="dfs", schedules=1_000).violation == result.violation


@pytest.mark.some(2)
@pytest.mark.parametrize("body", [programs.too_late_beside_a_limit, programs.never_told_beside_a_heartbeat])
def test_the_order_that_hangs_is_found_although_time_goes_on_for_others(body):
    result = control(body, strategy="dfs", schedules=1_000)
    assert result.verdict is Verdict.VIOLATED, result
    assert [edge.process.name for edge in result.violation.wait_for.stuck] == ["main"]
    assert replay(result.violation.token).violation.steps == result.violation.steps


@pytest.mark.some(3)
@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.parametrize("made", threaded_at_once.WAITS.values(), ids=threaded_at_once.WAITS)
def test_of_waits_that_end_at_once_all_orders_are_run(made, ended):
    body = partial(threaded_at_once.wakes_after_a_wait, made, ended)
    found, _, complete = reduced(body, MOST)
    assert complete
    assert found == whole(body, MOST)[0]
    assert {how for how, _ in found} == {"completed", "failed"}


@pytest.mark.some(3)
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("made", threaded_at_once.TAKES.values(), ids=threaded_at_once.TAKES)
def test_whoever_gives_up_could_have_been_the_first_to_take_it(made, first):
    body = partial(threaded_at_once.one_gives_up, made, first)
    found, _, complete = reduced(body, MOST)
    assert complete
    assert {how for how, _ in found} == {"completed", "failed"}
    again, _, complete = whole(body, MOST)
    assert again <= found
    assert again == found or not complete


@pytest.mark.some(3)
@pytest.mark.parametrize("ended", [(True,), (False,), (False, True, True, False, True)])
def test_whoever_is_woken_by_the_first_could_have_been_the_first(ended):
    result = control(partial(threaded_at_once.wakes_whoever_waits, ended), strategy="dfs", schedules=1_000)
    assert result.verdict is Verdict.VIOLATED, result
    assert len(reduced(partial(threaded_at_once.wakes_whoever_waits, ()), MOST)[0]) == 1


@pytest.mark.some(16)
@pytest.mark.parametrize("body", [programs.opposed_within, programs.updated_within])
@pytest.mark.parametrize("kind", programs.WITHIN)
def test_what_the_library_calls_of_the_program_has_steps_of_its_own(body, kind):
    """Others go on meanwhile, as they do for real: the library's lock is another one on each object."""
    result = control(partial(body, kind), strategy="dfs", schedules=1_000)
    assert result.verdict is Verdict.VIOLATED, result
    assert control(partial(body, kind)).verdict is Verdict.VIOLATED
    assert replay(result.violation.token).violation.steps == result.violation.steps


def test_who_knows_more_by_now_is_told_the_run_that_was_found():
    options = Options()
    with Workers(partial(answer, programs.too_late_beside_a_limit)) as workers:
        found = workers.ask(Question(options, path=[("0", 0), ("0.1", 0), ("0.1", 0)]))
        assert (found.how, found.lost) == ("deadlock", frozenset())
        known = workers.ask(Question(options)).seen
        earlier = workers.ask(Question(options, known=known, path=found.taken))
        assert earlier.lost == {"0"}
        told = workers.ask(Question(options, known=known, path=found.taken, strict=True, lost=found.lost))
        assert (told.how, told.taken, told.into) == (found.how, found.taken, found.taken)


@given(accesses=st.lists(st.dictionaries(st.sampled_from("abc"), st.sampled_from([READS, WRITES, ADDS])), max_size=12))
def test_steps_that_depend_on_one_are_found_together_as_one_by_one(accesses):
    done, steps = ByThing(), []
    for number, modes in enumerate(accesses):
        step = {ALL if name == "c" else name: Access(mode, FREE) for name, mode in modes.items()}
        one_by_one = [n for n, each in enumerate(steps) if dependent(each, step)]
        assert done.dependent(step) == sum(1 << n for n in one_by_one)
        done.add(number, step)
        steps.append(step)


@pytest.mark.some(2)
@pytest.mark.parametrize("body", [programs.list_without_a_lock, programs.reads_a_file, programs.over_a_socket])
def test_what_is_shared_and_not_seen_is_no_proof(body):
    result = control(body, strategy="dfs", schedules=1_000)
    assert result.verdict is Verdict.UNDETERMINED, result


@pytest.mark.some(3)
@pytest.mark.parametrize(
    "body",
    [
        programs.a_finalizer_tells,
        programs.a_weak_reference_tells,
        programs.finalize_tells,
        programs.a_generator_tells,
        threaded_fine.told_by_what_dies_with_a_thread,
        programs.nobody_shuts_the_pool_down,
    ],
)
def test_what_a_finalizer_does_is_no_proof(body):
    result = control(body, strategy="dfs", schedules=1_000)
    assert result.verdict is Verdict.UNDETERMINED, result
    assert "of a finalizer, which runs where the last reference is dropped, it is not known" in result.reason


@pytest.mark.some(2)
@pytest.mark.parametrize("tells", programs.IN_A_RING.values(), ids=programs.IN_A_RING)
def test_what_the_collector_would_have_done_at_some_moment_is_no_proof(tells):
    result = control(partial(programs.in_a_ring, tells), strategy="dfs", schedules=1_000)
    assert result.verdict is Verdict.UNDETERMINED, result
    assert "of a finalizer, which the collector may run at any moment, it is not known" in result.reason


@pytest.mark.slow
@pytest.mark.some(3)
@pytest.mark.parametrize("tells", programs.TELLS_NOBODY.values(), ids=programs.TELLS_NOBODY)
def test_what_the_collector_would_come_upon_that_does_nothing_is_no_matter(tells):
    result = control(partial(programs.in_a_ring, tells), strategy="dfs", schedules=1_000)
    assert result.verdict is Verdict.HOLDS, result


def test_not_all_orders_are_no_proof():
    result = control(programs.take_one_lock, strategy="dfs", schedules=1)
    assert result.verdict is Verdict.UNDETERMINED
    assert "of the orders 1 were run, and there are more" in result.reason


def test_a_run_that_does_not_end_is_no_proof():
    result = control(programs.asks_again_and_again, strategy="dfs", max_steps=50)
    assert result.verdict is Verdict.UNDETERMINED
    assert "had not ended after 50 steps" in result.reason


@pytest.mark.parametrize("option", [{"timeouts": "anytime"}, {"points": "lines"}])
def test_it_is_refused_where_steps_do_what_is_not_seen(option):
    with pytest.raises(OptionError, match="every order is run with"):
        control(programs.opposed, strategy="dfs", **option)


def asked_behind_the_start():
    """Whoever started somebody looks only then whether he is ready, and waits for what has been."""
    ready = []
    thread = threading.Thread(target=ready.append, args=(1,))
    thread.start()
    if ready:
        threading.Event().wait()
    thread.join()


def updated_by_two(guarded=False):
    hits, lock = {"a": 0}, threading.Lock()

    def hit():
        with lock if guarded else nullcontext():
            hits["a"] = hits["a"] + 1

    threaded.together(hit, hit)
    assert hits["a"] == 2, hits


def said_without_a_lock(steps=12):
    """Somebody says by a list that he is done; that he is, when he is asked, is less likely the more he does before."""
    done, own, other = [], threading.Lock(), threading.Lock()

    def works():
        for _ in range(steps):
            with own:
                pass
        done.append(1)

    thread = threading.Thread(target=works)
    thread.start()
    with other:
        pass
    if done:
        threading.Event().wait()
    thread.join()


@pytest.mark.some(2)
@pytest.mark.parametrize(
    ("body", "went_wrong"), [(asked_behind_the_start, "hung"), (updated_by_two, "raised AssertionError: {'a': 1}")]
)
def test_what_goes_wrong_between_two_operations_does_not_hold(body, went_wrong):
    result = control(body, strategy="dfs")
    assert result.verdict is Verdict.UNDETERMINED
    assert f"but one {went_wrong} that was interrupted between two operations: `points='" in result.reason
    points = result.reason.rpartition("points='")[2].partition("'")[0]
    assert control(body, points=points, schedules=200).violation is not None


@pytest.mark.slow
def test_what_is_guarded_holds_and_how_often_it_was_interrupted_is_said():
    result = control(partial(updated_by_two, guarded=True), strategy="dfs")
    assert result.verdict is Verdict.HOLDS
    assert "40 more were interrupted between two operations" in result.reason


@pytest.mark.some(3)
@pytest.mark.parametrize("seed", range(3))
def test_what_seldom_comes_first_is_looked_for_by_strategies_that_have_it_come_first(seed):
    assert control(said_without_a_lock, strategy="dfs", seed=seed).verdict is not Verdict.HOLDS
