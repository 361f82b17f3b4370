"""No random system that is said to be safe hangs; two ways to get the reading wrong are seen by the same comparison."""

from dataclasses import replace

import pytest
from structured import some_sizes, system, used

from simcore import Verdict, explore
from simcore.sizes.structure import kinds, prove

SAFE_AND_SOUND = 60


def compared(seeds, number=4):
    """Compare systems of the class without servers at some sizes."""
    return compared_with(system, None, seeds, lambda seed: some_sizes(seed, number))


def compared_with(function, sizes, seeds, some):
    """Return how often each (is said to be safe, verdict) was seen, and the systems said to be safe that hang."""
    seen, wrong = {}, []
    for seed in seeds:
        asked = dict.fromkeys(used(seed), (1, 2)) if sizes is None else sizes
        proved = prove(function, sizes=[*asked], seed=seed, **asked)
        for at in some(seed):
            safe = proved.safe(**at)
            verdict = explore(function(seed=seed, **at), max_states=500).verdict
            seen[safe, verdict] = seen.get((safe, verdict), 0) + 1
            if safe and verdict is Verdict.VIOLATED:
                wrong.append((seed, at, proved.law))
    return seen, wrong


def check(seeds, number=4):
    seen, wrong = compared(seeds, number)
    assert not wrong
    assert seen[True, Verdict.HOLDS] > len(seeds) // 2
    assert seen[False, Verdict.VIOLATED] > len(seeds) // 20


def test_no_system_that_is_said_to_be_safe_hangs():
    check(range(SAFE_AND_SOUND), number=1)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 3000, 100))
def test_none_of_two_thousand_that_is_said_to_be_safe_hangs(first):
    check(range(first, first + 100))


MUTANTS = {
    "nobody waits for a task": {"child": -1},
    "nothing is held": {"held": ()},
    "nothing is kept": {"kept": ()},
}


@pytest.mark.parametrize("change", MUTANTS.values(), ids=MUTANTS.keys())
def test_a_wrong_reading_is_seen(monkeypatch, change):
    right = kinds._stop
    monkeypatch.setattr(kinds, "_stop", lambda *args: replace(right(*args), **change))
    _, wrong = compared(HANG)
    assert wrong


HANG = (3, 18)
"""Seeds of systems that hang at some sizes, as a child is waited for and as something is held."""
