"""Chains of tasks in one pool hang if and only if workers <= roots * (depth - 1); with a pool for each level, never."""

from __future__ import annotations

from itertools import product

import pytest

from simcore import Verdict, explore
from simcore.models.nested_futures import one_pool, pool_for_each_level


@pytest.mark.parametrize(("roots", "depth"), [*product((1, 2), (1, 2, 3)), (3, 2)])
def test_a_hang_is_reachable_exactly_up_to_the_law(roots, depth):
    waiting = roots * (depth - 1)
    for workers in range(1, waiting + 3):
        expected = Verdict.VIOLATED if workers <= waiting else Verdict.HOLDS
        assert explore(one_pool(roots=roots, depth=depth, workers=workers)).verdict is expected


def test_all_workers_wait_for_what_is_queued_behind_them():
    counterexample = explore(one_pool(roots=2, depth=2, workers=2)).counterexample
    assert counterexample.hangs
    told = " ".join(counterexample.wait_for.told())
    assert "every worker is in task" in told
    assert "queued in pool behind them" in told


@pytest.mark.parametrize(("roots", "depth", "workers"), [(2, 2, 1), (1, 3, 1), (2, 3, 2)])
def test_a_pool_for_each_level_does_not_hang(roots, depth, workers):
    result = explore(pool_for_each_level(roots=roots, depth=depth, workers=workers))
    assert result.verdict is Verdict.HOLDS
