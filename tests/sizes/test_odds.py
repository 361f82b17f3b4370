"""The odds are those of a random walk: as fractions known beforehand, as a walk finds them, and 0 where it holds."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import partial

import pytest
import servers
from click.testing import CliRunner
from generated import descriptions, system
from hypothesis import HealthCheck, assume, given, seed, settings
from hypothesis import strategies as st
from toys import chance_of_deadlock, nested_futures, opposed_locks, philosophers, pool_system

from simcore import Model, ModelError, SimcoreError, Verdict, choose, explore, odds, sleep
from simcore.command import cli
from simcore.errors import OptionError
from simcore.kernel import Kernel
from simcore.model import RULES
from simcore.schedule import RandomWalk
from simcore.sizes.odds import Odds, Sample, at_least, at_most, runs_to_see

ONE_MEAL = {2: (1, 2), 3: (1, 3), 4: (11, 48), 5: (19, 120), 6: (473, 4320), 7: (229, 3024)}


def hang_by(model: Model, name: str, function, *args) -> Model:
    """Add a process that hangs where ``function``, a generator of its own, returns True."""
    lock = model.lock(f"lock of {name}")

    def process():
        if (yield from function(*args)):
            yield lock.acquire()
            yield lock.acquire()

    model.process(name, process)
    return model


def gambler(*, start: int = 1, goal: int = 4) -> Model:
    """Goes one up or down with the same chance: hangs at 0, goes home at ``goal``. It is ruined with 1 - start/goal."""

    def play():
        at = start
        while 0 < at < goal:
            at += yield choose(-1, 1)
        return at == 0

    return hang_by(Model("gambler"), "gambler", play)


def again() -> Model:
    """Asks until it is told something else: one of two things, so that each has 1/2."""

    def ask():
        while (told := (yield choose("again", "hang", "end"))) == "again":
            pass
        return told == "hang"

    return hang_by(Model("again"), "main", ask)


def race() -> Model:
    """Who has two outcomes is first with 2/3, as each step has the same chance; it hangs where the other one is."""
    model = Model("race")
    first = model.variable("first", "nobody")

    def two(value):
        yield from ((value if value != "nobody" else "two", n) for n in range(2))

    def one(value):
        yield (value if value != "nobody" else "one"), None

    def wait(value):
        if value == "two":
            yield value, None

    def act(*functions):
        for function in functions:
            yield first.transition(function)

    model.process("two", act, two, wait)
    model.process("one", act, one)
    return model


def heartbeat(model: Model, *, daemon: bool = True) -> Model:
    """Add somebody who goes round for ever and has nothing to do with the others."""
    event = model.event("beat")

    def beat():
        while True:
            yield event.set()
            yield event.clear()

    model.process("heartbeat", beat, daemon=daemon)
    return model


def dying(*, also_hangs: bool = False) -> Model:
    """Dies in one of two cases."""
    model = opposed_locks() if also_hangs else Model("dying")

    def main():
        if (yield choose("live", "die")) == "die":
            raise ValueError("dead")

    model.process("main", main)
    return model


def bored() -> Model:
    """Sleeps beside somebody who never stops, so that no time passes."""
    model = heartbeat(Model("bored"))

    def main():
        yield sleep(1.0)

    model.process("main", main)
    return model


# ---- exactly -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", ONE_MEAL)
def test_philosophers_who_eat_once(n):
    found = odds(philosophers(n=n, cyclic=False))
    assert found.probability == Fraction(*ONE_MEAL[n])
    assert found.exact
    assert found.states == {2: 13, 3: 45, 4: 161, 5: 573, 6: 2041, 7: 7269}[n]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (opposed_locks, (1, 2)),
        (gambler, (3, 4)),
        (partial(gambler, start=3, goal=7), (4, 7)),
        (again, (1, 2)),
        (race, (1, 3)),
        (lambda: heartbeat(opposed_locks()), (1, 2)),  # whose steps do not change who of the others is first
        (lambda: heartbeat(Model("alone"), daemon=False), (0, 1)),  # never ends, and never hangs
        (partial(philosophers, n=3), (1, 1)),  # hungry for ever, they all have the left fork some time
    ],
)
def test_the_odds_are_those_found_by_hand(model, expected):
    assert odds(model()).probability == Fraction(*expected)


@pytest.mark.parametrize(
    "model",
    [
        partial(philosophers, n=4, cyclic=False, together=False),
        partial(nested_futures, roots=2, levels=2, workers=2),
        partial(pool_system, requesters=2, workers=2, chunks=1),
        partial(pool_system, requesters=2, workers=1, chunks=1, callback_workers=1),
    ],
)
def test_without_loops_they_are_the_mean_over_the_steps(model):
    assert odds(model()).probability == chance_of_deadlock(Kernel(model()))


def test_a_death_is_no_hang_and_is_told():
    found = odds(dying())
    assert (found.probability, found.dies) == (0, Fraction(1, 2))
    assert "dies of an exception with probability 1/2" in str(found)
    both = odds(dying(also_hangs=True))
    assert (both.probability, both.dies) == (Fraction(1, 2), Fraction(1, 2))
    sampled = odds(dying(), max_states=1, runs=100).sample
    assert (sampled.hung, sampled.ended) == (0, 100)
    assert 30 < sampled.died < 70


def test_where_no_time_passes_the_odds_are_not_known():
    found = odds(bored())
    assert (found.probability, found.interval, found.runs_for_95) == (None, (0.0, 1.0), None)
    assert found.reason == explore(bored()).reason
    assert odds(bored(), timeouts="anytime").probability == 0


# ---- 0 is what holds, and nothing else -------------------------------------------------------------------


def agree(model: Model, timeouts) -> bool:
    """Compare with `explore`; return whether there was something to compare."""
    found, result = odds(model, timeouts=timeouts, max_states=4_000, runs=1), explore(model, timeouts=timeouts)
    if found.probability is None:
        assert result.verdict is not Verdict.HOLDS or not found.reason.startswith("no time")
        return False
    assert result.verdict is not Verdict.UNDETERMINED
    assert (result.verdict is Verdict.HOLDS) == (not found.probability and not found.dies), result
    return True


@pytest.mark.slow
@seed(0)
@settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(descriptions(longest=3, every_kind=True), st.sampled_from(list(RULES)))
def test_the_odds_are_0_where_it_holds(description, timeouts):
    assume(agree_or_refused(description, timeouts))


@pytest.mark.parametrize(
    "model",
    [
        servers.calls,
        servers.expecting,
        servers.parked,
        servers.locking,
        partial(servers.locking, opposed=False),
        servers.ring,
        servers.left_locked,
        servers.twice,
    ],
)
def test_servers_that_wait_for_each_other_hang_and_those_at_rest_do_not(model):
    assert agree(model(), "when_stuck")


@pytest.mark.slow
@seed(1)
@settings(max_examples=1_000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(descriptions(longest=3, every_kind=True), st.sampled_from(list(RULES)))
def test_the_odds_are_0_where_it_holds_in_many_systems(description, timeouts):
    assume(agree_or_refused(description, timeouts))


def agree_or_refused(description, timeouts):
    """Compare; what cannot be explored has no odds either."""
    try:
        return agree(system(description=description), timeouts)
    except ModelError:
        with pytest.raises(ModelError):
            explore(system(description=description), timeouts=timeouts)
        return False


# ---- estimates -----------------------------------------------------------------------------------------


def test_an_estimate_is_marked_and_has_the_odds_in_its_interval():
    for model in (partial(philosophers, n=5, cyclic=False), gambler, race):
        exact, found = odds(model()).probability, odds(model(), max_states=2, runs=1_000)
        low, high = found.interval
        assert low < exact < high
        assert (found.exact, found.probability) == (False, None)
        assert str(found).startswith("estimate: ")
        assert runs_to_see(exact) <= found.runs_for_95


def test_a_walk_of_the_strategy_hangs_as_often():
    hung = sum(walk_hangs(Kernel(gambler()), RandomWalk(number)) for number in range(400))
    assert at_least(hung, 400, 0.025) < odds(gambler()).probability < at_most(hung, 400, 0.025)


def walk_hangs(kernel: Kernel, walk: RandomWalk) -> bool:
    state = kernel.initial
    while choices := kernel.successors(state):
        state = choices[walk.choose([choice.process for choice in choices], kernel.target_of)].state
    return kernel.view(state).deadlocked


def test_clean_runs_are_no_proof():
    found = odds(philosophers(n=4, cyclic=False, ordered=True), max_states=10, runs=100)
    assert found.sample == Sample(100, 0, 100, 0)
    assert found.at_most == pytest.approx(1 - 0.05 ** (1 / 100))
    assert found.interval == (0.0, pytest.approx(1 - 0.025 ** (1 / 100)))
    assert found.runs_for_95 is None
    assert "at most 0.0296, with 95 % confidence, and it may not be 0" in str(found)


def test_runs_that_are_given_up_are_neither():
    found = odds(heartbeat(Model("alone"), daemon=False), max_states=1, runs=3)
    assert found.sample == Sample(3, 0, 0, 0)
    assert (found.interval, found.at_most) == ((0.0, 1.0), 1.0)
    assert "3 were given up" in str(found)


def test_a_hang_beside_others_that_go_on_is_seen_in_a_run():
    found = odds(heartbeat(opposed_locks()), max_states=5, runs=100)
    assert (found.sample.runs, found.sample.ended) == (100, 0)
    assert 30 < found.sample.hung < 70


def test_the_same_seed_gives_the_same_estimate():
    first, second = (odds(gambler(), max_states=1, runs=50, seed=3) for _ in range(2))
    assert first == second
    assert first.sample != odds(gambler(), max_states=1, runs=50, seed=4).sample


@pytest.mark.parametrize(
    ("seen", "runs", "low", "high"),
    [(5, 10, 0.18709, 0.81291), (1, 10, 0.00253, 0.44502), (0, 10, 0.0, 0.30850), (10, 10, 0.69150, 1.0)],
)
def test_the_interval_is_that_of_clopper_and_pearson(seen, runs, low, high):
    assert (at_least(seen, runs, 0.025), at_most(seen, runs, 0.025)) == (
        pytest.approx(low, abs=1e-5),
        pytest.approx(high, abs=1e-5),
    )


@pytest.mark.parametrize(
    ("probability", "runs"), [(1, 1), (Fraction(95, 100), 1), (Fraction(1, 2), 5), (Fraction(11, 48), 12)]
)
def test_so_many_runs_and_no_fewer_see_it(probability, runs):
    assert runs_to_see(probability) == runs
    assert (1 - probability) ** runs <= 0.05 + 1e-12
    assert runs == 1 or (1 - probability) ** (runs - 1) > 0.05


def test_rare_hangs_take_many_runs():
    assert runs_to_see(Fraction(1, 10**400)) > 10**300


def test_what_is_printed_of_an_interval_is_not_narrower():
    found = Odds("m", None, "when_stuck", sample=Sample(2_000, 2, 1_998, 0))
    low, high = found.interval
    printed = [float(word) for word in str(found).split("probability is ")[1].split()[:3:2]]
    assert printed[0] <= low < high <= printed[1]


# ---- the command ---------------------------------------------------------------------------------------


def run(*arguments: str) -> tuple[int, str]:
    ran = CliRunner().invoke(cli.cli, ["odds", *arguments], standalone_mode=False)
    if ran.exception is not None:
        raise ran.exception
    return ran.return_value, ran.output


@pytest.mark.parametrize(
    ("arguments", "status", "first"),
    [
        (("-p", "workers=3"), 0, "no random schedule hangs: the probability is exactly 0\n"),
        ((), 1, "a random schedule hangs with probability 2/3 = 0.667; 3 runs see it with 95 % confidence\n"),
        (("--max-states", "5", "--runs", "20", "--seed", "1"), 3, "estimate: "),
        (("-p", "workers=3", "--max-states", "5", "--runs", "20"), 3, "estimate: 0 of 20 random runs hung; "),
    ],
)
def test_the_exit_status_says_how_much_is_known(arguments, status, first):
    found, printed = run("nested_futures:one_pool", *arguments)
    assert (found, printed[: len(first)]) == (status, first)


def test_a_death_alone_is_a_violation():
    assert run("test_odds:dies_in_half")[0] == 1


def dies_in_half() -> Model:
    """For the command line, by name."""
    return dying()


def test_the_command_prints_fractions_as_text():
    _, printed = run("nested_futures:one_pool", "--json")
    read = json.loads(printed)
    assert (read["probability"], read["dies"], read["exact"], read["runs_for_95"]) == ("2/3", "0", True, 3)
    assert read["parameters"] == {"roots": 2, "depth": 2, "workers": 2}


@pytest.mark.parametrize("arguments", [("nested_futures:nothing",), ("nested_futures:one_pool", "--runs", "0")])
def test_what_cannot_be_asked_is_an_error(arguments):
    with pytest.raises(SimcoreError):
        run(*arguments)


@pytest.mark.parametrize("options", [{"runs": 0}, {"max_states": 0}, {"seed": 0.5}, {"timeouts": "soon"}])
def test_an_option_that_is_none_is_an_error(options):
    with pytest.raises(OptionError):
        odds(opposed_locks(), **options)
