"""A strategy chooses among enabled steps, repeatably, and PCT by its priorities."""

from collections import Counter
from itertools import groupby
from math import comb

import pytest

from simcore import Model, Verdict, explore
from simcore.errors import OptionError
from simcore.schedule import PCT, POS, URW, EvenProgress, Portfolio, RandomWalk

ALL = [RandomWalk, PCT, POS, URW, EvenProgress, Portfolio]


def alone(process):
    """Let every process act on something of its own."""
    return process


def choices(strategy, runs=3, processes=4, steps=20):
    """Let ``strategy`` choose for processes that are always enabled; return the processes, run by run."""
    taken = []
    for _ in range(runs):
        strategy.begin(processes, steps)
        taken.append([strategy.choose(range(processes), alone) for _ in range(steps)])
    return taken


@pytest.mark.parametrize("strategy", ALL)
def test_the_same_seed_makes_the_same_choices(strategy):
    assert choices(strategy(seed=7)) == choices(strategy(seed=7))


@pytest.mark.parametrize("strategy", ALL)
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
    best = strategy.choose([0, 1, 2], alone)
    others = [process for process in range(3) if process != best]
    assert others[strategy.choose(others, alone)] != best


def test_pct_chooses_among_the_outcomes_of_one_process():
    strategy = PCT(depth=1)
    strategy.begin(1, 50)
    assert {strategy.choose([0, 0, 0], alone) for _ in range(50)} == {0, 1, 2}


@pytest.mark.parametrize(("depth", "bound"), [(1, 1 / 5), (2, 1 / 50), (3, 1 / 500)])
def test_the_bound_of_pct_is_that_of_the_paper(depth, bound):
    strategy = PCT(depth=depth)
    strategy.begin(5, 10)
    assert strategy.bound == pytest.approx(bound)


def test_a_depth_below_one_is_refused():
    with pytest.raises(OptionError, match=r"PCT\(depth=0\): a bug's depth is at least 1"):
        PCT(depth=0)


# ---- how often each order is met -----------------------------------------------------------------------------------


def orders(strategy, programs, runs):
    """Run processes that wait for nobody; count the orders in which they take their steps.

    A program is a list of what its steps act on.
    """
    met = Counter()
    for _ in range(runs):
        strategy.begin(len(programs), sum(map(len, programs)))
        at, taken = [0] * len(programs), []
        while any(at[p] < len(program) for p, program in enumerate(programs)):
            enabled = [p for p, program in enumerate(programs) if at[p] < len(program)]
            on = {p: programs[p][at[p]] for p in enabled}
            process = enabled[strategy.choose(enabled, on.get)]
            taken.append((process, programs[process][at[process]]))
            at[process] += 1
        met[tuple(taken)] += 1
    return met


def test_urw_takes_every_order_with_the_same_probability_once_it_has_counted_the_steps():
    programs = [[0] * 6, [1] * 2]
    strategy = URW(seed=1)
    orders(strategy, programs, 1)
    met = orders(strategy, programs, 2_800)
    assert len(met) == comb(8, 2)
    assert all(60 <= count <= 140 for count in met.values())  # 100 are expected of each, give or take 10
    walked = orders(RandomWalk(seed=1), programs, 2_800)
    assert max(walked.values()) > 300  # where a long process has only begun as the short one ends


def test_pos_meets_both_orders_of_two_steps_that_race_however_many_do_not():
    """A random walk is seldom at the last of twenty steps before the other has taken its first."""
    programs = [[*[("own", 0)] * 20, "shared"], ["shared"]]

    def late_first(strategy):
        met = orders(strategy, programs, 400)
        return sum(count for order, count in met.items() if [p for p, on in order if on == "shared"] == [0, 1])

    assert late_first(RandomWalk(seed=1)) == 0
    assert late_first(POS(seed=1)) > 10


def test_pos_draws_priorities_anew_for_those_that_race_alone():
    strategy = POS(seed=3)
    strategy.begin(3, 10)
    on = {0: "shared", 1: "shared", 2: "own"}
    kept = []
    for _ in range(50):
        strategy.begin(3, 10)
        first = strategy.choose([0, 1, 2], on.get)
        kept.append((first, {process: about for process, (about, _) in strategy._priorities.items()}))
    for first, left in kept:
        assert left == ({0: "shared", 1: "shared"} if first == 2 else {2: "own"})


def test_even_progress_lets_nobody_get_further_ahead_than_his_head_start():
    for number, run in enumerate(choices(EvenProgress(seed=3), runs=20)):
        if number % 2:  # in the others the first process goes on whenever it can
            taken = Counter(run)
            assert max(taken.values()) - min(taken.values()) <= 5
        else:
            assert set(run) == {0}


@pytest.mark.some(3)
@pytest.mark.parametrize("seed", range(3))
def test_even_progress_fills_pools_of_models_where_walks_do_not(seed):
    """Requests take a token and a connection, and give back the token; to give back the connection they need one."""
    model = Model("tokens and connections")
    tokens, connections = model.semaphore("tokens", 20), model.semaphore("connections", 8)

    def request():
        yield tokens.acquire()
        yield connections.acquire()
        yield tokens.release()
        yield tokens.acquire()
        yield connections.release()
        yield tokens.release()

    for name in model.indices("request", 30):
        model.process(name, request)
    assert explore(model, strategy=EvenProgress(seed), max_states=4_000).verdict is Verdict.VIOLATED
    assert explore(model, strategy=RandomWalk(seed), max_states=4_000).verdict is Verdict.UNDETERMINED


def test_a_portfolio_takes_turns():
    portfolio, parts = Portfolio(seed=5), [RandomWalk(5), URW(5), PCT(seed=5), POS(5), EvenProgress(5)]
    runs = choices(portfolio, runs=10)
    assert runs[:5] == [choices(one, runs=1)[0] for one in parts]


def test_only_pct_promises_anything():
    assert [strategy().promise for strategy in (RandomWalk, POS, URW, EvenProgress, Portfolio)] == [""] * 5
    strategy = Portfolio(depth=1)
    choices(strategy, runs=3, processes=4)
    assert (
        strategy.promise == "one run of PCT meets a bug of depth 1 with probability at least 0.25, and one in 5 is one"
    )


def test_the_depth_of_a_portfolio_is_one_of_pct():
    with pytest.raises(OptionError, match=r"PCT\(depth=0\): a bug's depth is at least 1"):
        Portfolio(depth=0)


@pytest.mark.parametrize("kind", ALL)
def test_a_process_may_appear_in_the_middle_of_a_run(kind):
    strategy = kind()
    for _ in range(4):
        strategy.begin(2, 10)
        for processes in (2, 2, 4, 3, 7):
            assert 0 <= strategy.choose(range(processes), alone) < processes


def test_pct_gives_a_late_process_a_priority_among_the_others():
    """It is first of four in a quarter of the runs."""
    first = Counter()
    for seed in range(400):
        strategy = PCT(depth=1, seed=seed)
        strategy.begin(3, 10)
        first[strategy.choose(range(4), alone)] += 1
    assert all(60 < count < 140 for count in first.values())
    strategy.begin(3, 10)
    strategy.choose([0, 5], alone)
    assert strategy.bound == 1 / 6
