"""All that is called natural is compared by brute force, with all names exchanged, of functions at random."""

import itertools
from collections import Counter
from random import Random

import functions_at_random
import pytest
from names_exchanged import ABC, MODEL, RENAMING, VARIABLE, A, B, C, D, is_natural

from simcore.errors import ModelError
from simcore.kernel.freeze import value_key


def permutations():
    for order in itertools.permutations(range(4)):
        for swap in ((4, 5), (5, 4)):
            yield {name: to for name, to in enumerate((*order, *swap)) if name != to}


def outcomes_of(by, fn, value, *args):
    """Return what there is how often; or, of what raises, that it does."""
    operation = getattr(VARIABLE, by)(fn, *args)
    try:
        return VARIABLE.outcomes(value, operation, MODEL.processes[0])
    except ModelError:
        return None


def counted(outcomes):
    return outcomes and Counter(value_key((outcome.value, outcome.result)) for outcome in outcomes)


def moves_with_names(by, fn, given):
    """Tell whether a function does the same at all that ``given`` can be moved to, but for the names."""
    outcomes = outcomes_of(by, fn, *given)
    return all(
        counted(RENAMING.renamed(outcomes, moves)) == counted(outcomes_of(by, fn, *RENAMING.renamed(given, moves)))
        for moves in permutations()
    )


GIVEN = [
    ((frozenset(), 0), A, B),
    ((ABC, 1), A, B),
    ((frozenset({B, C, D}), 2), B, B),
    ((frozenset({A, D}), 1), C, D),
    ((frozenset({C}), 1), C, D),
]


def helper(value, me):
    return len([one for one in value if one != me])


def judged(seeds, by, bodies):
    """Return how many functions at random are natural, and are not and tell names apart; check the first."""
    natural = apart = 0
    for seed in seeds:
        source = functions_at_random.source_of(Random(seed), bodies)
        fn = functions_at_random.made(source, seed, {"LEADER": A, "LEADERS": {A: 0, C: 1}, "helper": helper})
        for given in GIVEN:
            if fn is None or outcomes_of(by, fn, *given) is None:
                continue
            if is_natural(fn, *given, by=by):
                natural += 1
                assert moves_with_names(by, fn, given), f"{source}\n{given}"
            elif seed % 10 == 0:
                apart += not moves_with_names(by, fn, given)
    return natural, apart


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("by", "bodies"), [("update", functions_at_random.BODIES), ("transition", functions_at_random.STEPS)]
)
def test_what_is_called_natural_is_the_same_with_all_names_exchanged(by, bodies):
    natural, apart = judged(range(250), by, bodies)
    assert natural > 100, "so few are natural that nothing is tested"
    assert apart > 8, "so few tell names apart that nothing is tested"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("by", "bodies"), [("update", functions_at_random.BODIES), ("transition", functions_at_random.STEPS)]
)
def test_so_it_is_of_many(by, bodies):
    natural, apart = judged(range(1_000, 6_000), by, bodies)
    assert natural > 3_000
    assert apart > 300
