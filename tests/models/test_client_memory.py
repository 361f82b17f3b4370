"""Memory grows with the number of rounds, or is bounded by the number of rounds between two clean-ups."""

from math import inf

import pytest
from versions import loops

from simcore import Verdict, execute, explore
from simcore.models.client_memory import MOST, Memory, buggy, fixed, holds_at_most
from simcore.properties import completes, deadlock_free


def peak_is(model, models):
    """Whether so many models are held at some time, and never more."""
    verdicts = [explore(model, holds_at_most(limit)).verdict for limit in (models, models - 1)]
    return verdicts == [Verdict.HOLDS, Verdict.VIOLATED]


@pytest.mark.parametrize("collect", [False, True])
@pytest.mark.parametrize("rounds", [1, 2, 3, 5])
def test_before_the_fix_the_peak_is_a_model_for_each_round(rounds, collect):
    assert peak_is(buggy(rounds=rounds, collect=collect), rounds)


@pytest.mark.parametrize("drop_at_send", [True, False])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_after_the_fix_the_peak_is_a_model_for_each_round_between_two_clean_ups_for_ever(n, drop_at_send):
    model = fixed(rounds=0, memory_gc_rounds=n, drop_at_send=drop_at_send)
    assert peak_is(model, n if drop_at_send else n + 1)


@pytest.mark.parametrize("bound", [1, 4, MOST - 1])
@pytest.mark.parametrize(
    "model",
    [
        buggy(rounds=0),
        buggy(rounds=0, collect=True),
        fixed(rounds=0, fix=False),
        fixed(rounds=0, memory_gc_rounds=0),
        fixed(rounds=0, glibc=False),
    ],
    ids=["before", "collected", "taken out", "never", "not trimmed"],
)
def test_without_a_trim_every_bound_is_exceeded(model, bound):
    assert explore(model, holds_at_most(bound)).verdict is Verdict.VIOLATED


@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_clean_up_every_n_rounds_is_none_at_all_in_fewer_rounds(n):
    assert peak_is(fixed(rounds=3, memory_gc_rounds=n), n or 3)


def test_what_is_counted_no_further_is_within_no_bound():
    assert (Memory(1, 1, 1).resident, Memory(1, MOST, 0).resident) == (3, inf)


@pytest.mark.parametrize(
    ("model", "states"),
    [
        (fixed(), 81),
        (fixed(rounds=0), loops(28, 26)),
        (fixed(rounds=0, memory_gc_rounds=3), loops(202, 200)),
        (fixed(rounds=0, memory_gc_rounds=0), 1_393),
    ],
    ids=["three rounds", "for ever", "every third", "never"],
)
def test_so_many_states_hold(model, states):
    assert explore(model, holds_at_most(inf), partial_order=False).states == states


@pytest.mark.parametrize("build", [buggy, fixed])
def test_every_round_ends(build):
    assert explore(build(rounds=2), completes("server", "client"), deadlock_free()).verdict is Verdict.HOLDS


@pytest.mark.parametrize("build", [buggy, fixed])
def test_for_real_the_rounds_complete(build):
    run = execute(build(rounds=3))
    assert (run.status, run.explained) == ("completed", True)


def test_for_real_the_schedule_of_the_counterexample_happens():
    schedule = explore(buggy(), holds_at_most(2)).counterexample.schedule
    run = execute(buggy(), schedule=schedule)
    assert (run.status, run.explained, run.state["memory"].resident) == ("completed", True, 3)
