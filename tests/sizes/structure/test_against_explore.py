"""No random system that is said to be safe hangs; ways to get the reading wrong are seen by the same comparison."""

import pytest
from compared_laws import compared, misread
from generated import SYSTEMS
from structured import some_sizes, system, used

from simcore import Verdict


def systems(seeds, number):
    return [(seed, used(seed), some_sizes(seed, number)) for seed in seeds]


def check(seeds, number):
    seen, wrong = compared(system, systems(seeds, number))
    assert not wrong
    assert seen[True, Verdict.HOLDS] > len(seeds) // 2
    assert seen[False, Verdict.VIOLATED] >= max(1, len(seeds) // 25)


def test_no_system_that_is_said_to_be_safe_hangs():
    check(range(37, 45), number=1)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 1000 + SYSTEMS // 4, 25))
def test_none_of_many_that_is_said_to_be_safe_hangs(first):
    """Two thousand of them: SIMCORE_SYSTEMS=8000."""
    check(range(first, first + 25), number=4)


HANG = (18,)
"""Seeds of systems that hang at some sizes because a child is waited for, and because something is held."""

MUTANTS = {
    "nobody waits for a task": {"child": -1},
    "nothing is held": {"held": ()},
    "nothing is kept": {"kept": ()},
}


@pytest.mark.parametrize("change", MUTANTS.values(), ids=MUTANTS.keys())
def test_a_wrong_reading_is_seen(monkeypatch, change):
    misread(monkeypatch, **change)
    assert compared(system, systems(HANG, 2))[1]


def test_a_right_reading_of_the_same_is_not_wrong():
    assert not compared(system, systems(HANG, 2))[1]
