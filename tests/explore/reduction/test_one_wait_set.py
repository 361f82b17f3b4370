"""A variable that holds a set of names is one value for each subset; functions that cannot tell them apart see one."""

import sys
from math import comb
from random import Random
from unittest.mock import patch

import functions_at_random
import pytest

from benchmarks.families import one_wait_set
from simcore import Model, Verdict, explore, replay
from simcore.explore.reduction.natural import Natural

EXCHANGES = sys.modules["simcore.explore.reduction.exchanges"]


def told_apart_by_numbers(people, places):
    """Return what tells the states of `one_wait_set` apart but for the names: items, and who waits, of both kinds."""
    found = [(0, 0, 0)]
    for items, producers, consumers in found:
        for waiting, blocked, more in ((producers, places, 1), (consumers, 0, -1)):
            if waiting == people:
                continue
            if items == blocked:
                after = [(items, producers + (more > 0), consumers + (more < 0))]
            else:
                after = [(items + more, producers - 1, consumers)] * (producers > 0)
                after += [(items + more, producers, consumers - 1)] * (consumers > 0)
                after = after or [(items + more, producers, consumers)]
            found += [state for state in after if state not in found]
    return found


def test_by_hand_nine_states_are_left_of_two_producers_and_two_consumers():
    """Two places: nobody waits with 0, 1 or 2 items, and at both ends up to two wait; each way back wakes one."""
    found = told_apart_by_numbers(2, 2)
    assert sorted(found) == [
        (0, 0, 0), (0, 0, 1), (0, 0, 2), (1, 0, 0), (1, 0, 1), (1, 1, 0), (2, 0, 0), (2, 1, 0), (2, 2, 0),
    ]  # fmt: skip
    assert explore(one_wait_set(2)).states == 9


@pytest.mark.parametrize(("people", "places"), [(2, 2), (3, 3), (4, 4), (2, 5), (3, 4)])
def test_so_many_states_are_met_as_numbers_can_tell_apart(people, places):
    """Without reductions, each as often as there are such people to wait."""
    found = told_apart_by_numbers(people, places)
    each = sum(comb(people, producers) * comb(people, consumers) for _, producers, consumers in found)
    assert explore(one_wait_set(people, places)).states == len(found)
    assert explore(one_wait_set(people, places), symmetry=False, partial_order=False).states == each


def test_of_twelve_producers_and_twelve_consumers_169_states_are_left():
    """There are 2^24 sets of people who could wait."""
    result = explore(one_wait_set(12))
    assert (result.verdict, result.states, result.notes) == (Verdict.HOLDS, 13**2, ())
    assert result.states == len(told_apart_by_numbers(12, 12))


def test_nothing_is_applied_to_values_that_differ_in_names_alone():
    """The test that is made of what is not known to be natural is not made at all."""
    with patch.object(EXCHANGES.Checked, "_apply", side_effect=AssertionError):
        assert explore(one_wait_set(5)).states == 36


@pytest.mark.parametrize(("people", "places", "steps"), [(3, 1, 10), (3, 2, 18)])
def test_a_schedule_over_outcomes_of_a_set_is_shortest_and_replays(people, places, steps):
    """Whom a step wakes is an outcome, and its number is that of an element in the order of a set."""
    result = explore(one_wait_set(people, places))
    assert result.verdict is Verdict.VIOLATED
    assert len(result.counterexample.schedule.steps) == steps
    assert str(replay(result.counterexample.schedule.token)) == str(result.counterexample.state)
    full = explore(one_wait_set(people, places), symmetry=False, partial_order=False)
    assert len(full.counterexample.schedule.steps) == steps


# ---- with and without, of functions at random ----------------------------------------------------------------


def updated(seed):
    """Three processes update a variable by functions at random, with their names, two by two."""
    model = Model("updated")
    names = model.indices("name", 3)
    value = model.variable("value", (frozenset(), 0))
    scope = {"LEADER": names[0], "LEADERS": {names[0]: 1, names[2]: 1}, "helper": lambda among, me: len(among - {me})}
    random = Random(seed)
    fn = functions_at_random.made(functions_at_random.source_of(random, functions_at_random.BODIES), seed, dict(scope))
    step = functions_at_random.made(
        functions_at_random.source_of(random, functions_at_random.STEPS), -seed, dict(scope)
    )

    def work(name):
        yield value.update(fn, name, name)
        yield value.transition(step, name, name)

    for name in names:
        model.process(name, work, name)
    return None if None in (fn, step) else model


def told(seed):
    result = explore(updated(seed), max_states=2_000)
    return result.verdict, result.states, result.transitions, result.notes


def compared(seeds):
    """Return of how many models something is natural; all is the same where nothing is."""
    found = 0
    for seed in seeds:
        if updated(seed) is None:
            continue
        asked = []

        def noted(natural, applied, asked=asked, ask=Natural.__call__):
            asked.append(ask(natural, applied))
            return asked[-1]

        try:
            with patch.object(Natural, "__call__", noted):
                given = told(seed)
        except Exception as error:
            with patch.object(Natural, "__call__", lambda *_: False), pytest.raises(type(error)):
                told(seed)
            continue
        with patch.object(Natural, "__call__", lambda *_: False):
            assert told(seed) == given, seed
        found += any(asked)
    return found


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_what_is_not_tested_would_have_passed():
    assert compared(range(40)) > 10


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_so_it_would_in_many():
    assert compared(range(1_000, 3_000)) > 500
