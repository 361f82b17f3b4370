"""A strategy chooses among enabled steps, repeatably, and PCT by its priorities."""

from itertools import groupby

import pytest

from simcore import PCT, RandomWalk
from simcore.errors import OptionError


def choices(strategy, runs=3, processes=4, steps=20):
    """Let ``strategy`` choose for processes that are always enabled; return the processes, run by run."""
    taken = []
    for _ in range(runs):
        strategy.begin(processes, steps)
        taken.append([strategy.choose(range(processes)) for _ in range(steps)])
    return taken


@pytest.mark.parametrize("strategy", [RandomWalk, PCT])
def test_the_same_seed_makes_the_same_choices(strategy):
    assert choices(strategy(seed=7)) == choices(strategy(seed=7))


@pytest.mark.parametrize("strategy", [RandomWalk, PCT])
def test_another_seed_makes_other_choices(strategy):
    assert choices(strategy(seed=7)) != choices(strategy(seed=8))


def test_runs_of_one_strategy_differ():
    first, second, _ = choices(RandomWalk())
    assert first != second


def test_a_random_walk_takes_every_step_at_some_time():
    assert {process for run in choices(RandomWalk()) for process in run} == {0, 1, 2, 3}


def test_pct_of_depth_one_keeps_to_one_process_while_it_is_enabled():
    assert all(len(set(run)) == 1 for run in choices(PCT(depth=1), runs=10))


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_pct_switches_away_from_an_enabled_process_less_often_than_its_depth(depth):
    runs = choices(PCT(depth=depth), runs=50)
    switches = [len(list(groupby(run))) - 1 for run in runs]
    assert max(switches) == depth - 1


def test_pct_gives_every_process_the_highest_priority_at_some_time():
    assert {run[0] for run in choices(PCT(depth=1), runs=50)} == {0, 1, 2, 3}


def test_pct_takes_another_process_when_the_highest_is_blocked():
    strategy = PCT(depth=1)
    strategy.begin(3, 10)
    best = strategy.choose([0, 1, 2])
    others = [process for process in range(3) if process != best]
    assert others[strategy.choose(others)] != best


def test_pct_chooses_among_the_outcomes_of_one_process():
    strategy = PCT(depth=1)
    strategy.begin(1, 50)
    assert {strategy.choose([0, 0, 0]) for _ in range(50)} == {0, 1, 2}


@pytest.mark.parametrize(("depth", "bound"), [(1, 1 / 5), (2, 1 / 50), (3, 1 / 500)])
def test_the_bound_of_pct_is_that_of_the_paper(depth, bound):
    strategy = PCT(depth=depth)
    strategy.begin(5, 10)
    assert strategy.bound == pytest.approx(bound)


def test_a_depth_below_one_is_refused():
    with pytest.raises(OptionError, match=r"PCT\(depth=0\): a bug's depth is at least 1"):
        PCT(depth=0)
