"""What is said of random systems whose processes have interchangeable names is true; see `test_random_systems.py`."""

import pytest
from against_naive import HUNDREDS, check


def test_what_is_said_of_random_families_is_true():
    check(0, 8, clients=True)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, HUNDREDS + 1))
def test_what_is_said_of_many_random_families_is_true(number):
    check(number, 100, clients=True)
