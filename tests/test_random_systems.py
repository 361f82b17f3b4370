"""What is said of random systems over all objects is true of them, whoever says it and however it was found out.

Each system is explored by a naive explorer that shares nothing with the kernel (`naive_space.py`) and asked about with
each reduction, each loop and each strategy (`against_naive.py`); where all is well, it is run, too. The slow tests
compare 500 systems; as many as you like, a hundred for each seed, with

    SIMCORE_SYSTEMS=10000 python -m pytest -s -m slow tests/test_random_systems.py tests/test_random_families.py

which prints what it has seen so far after each hundred.
"""

from unittest.mock import patch

import pytest
from against_naive import ANY, FIGURES, HUNDREDS, MOST, check
from generated import descriptions, system
from hypothesis import assume, given, seed, settings
from hypothesis import strategies as st
from naive_space import naive_space
from run_spin import MISSING, run_spin

from simcore.kernel import Kernel
from simcore.model import RULES
from simcore.model.objects import Lock
from simcore.model.operations import Outcome
from simcore.report.promela.program import promela


def test_what_is_said_of_random_systems_is_true():
    check(0, 15)
    assert FIGURES["compared"] >= 15


@pytest.mark.parametrize(
    ("kind", "name", "wrong"),
    [(Lock, "do_release", lambda lock, value, process: (Outcome(value),)), (Kernel, "_timed_out", lambda *_: [])],
)
def test_what_is_not_true_is_found(kind, name, wrong):
    with patch.object(kind, name, wrong), pytest.raises(AssertionError):
        check(0, 25, shrink=False)


@pytest.mark.slow
@seed(0)
@settings(ANY, max_examples=max(20, HUNDREDS * 2))
@given(descriptions(longest=3, every_kind=True), st.sampled_from(list(RULES)))
def test_spin_counts_the_states_of_random_systems(description, timeouts):
    """Spin takes a second for each: the C compiler does."""
    assert not MISSING, MISSING
    space = naive_space(system(description=description), timeouts, MOST)
    assume(space is not None and space.states > 9)
    found = promela(system(description=description), timeouts=timeouts)
    spin = run_spin(found.text)
    assert (spin.states, spin.errors) == (found.states, found.deadlocks) == (space.states, space.deadlocks)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, HUNDREDS + 1))
def test_what_is_said_of_many_random_systems_is_true(number):
    check(number, 100)
