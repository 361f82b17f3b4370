"""Greed runs into hangs at sizes that no search reaches; the kernel has taken each step, and a token replays them."""

import pytest
from lawful import locks, nested, permits, turns, two_pools

from simcore import Model, Verdict, explore, replay, sleep
from simcore.errors import OptionError
from simcore.models import pool_starvation
from simcore.sizes.structure import greed, witness

HANG = [
    (nested, {"clients": 3, "workers": 6, "depth": 3}),
    (nested, {"clients": 20, "workers": 60, "depth": 4}),
    (two_pools, {"a": 3, "b": 2, "clients": 3}),
    (locks, {}),
    (pool_starvation.buggy, {"downloads": 20, "workers": 20}),
    (permits, {"takers": 30, "permits": 120, "each": 5}),
]


@pytest.mark.some(2)
@pytest.mark.parametrize(("function", "at"), HANG)
def test_greed_finds_the_hang_and_its_token_replays(function, at):
    found = witness(function(**at))
    assert found
    assert replay(found.token).deadlocked
    assert f"hangs after {len(found.schedule):,} steps" in str(found)
    assert found.token in str(found)


@pytest.mark.parametrize("at", [{"clients": 3, "workers": 7, "depth": 3}, {"clients": 1, "workers": 9, "depth": 8}])
def test_no_hang_is_told_where_none_is(at):
    found = witness(nested(**at))
    assert not found
    assert (found.token, found.schedule) == ("", None)
    assert "which means nothing" in str(found)


def test_there_are_hangs_that_greed_does_not_find():
    at = {"roots": 2, "workers": 2}
    assert explore(turns(**at)).verdict is Verdict.VIOLATED
    assert not witness(turns(**at))


def test_a_run_has_a_limit():
    assert witness(nested(), most=3).steps == 3 * len(greed._ORDERS)


def test_what_is_no_model_is_one_line():
    with pytest.raises(OptionError, match="call it: witness"):
        witness(nested)
    with pytest.raises(OptionError, match="most=0"):
        witness(nested(), most=0)


def test_a_process_that_dies_is_no_hang():
    model = Model("dies")

    def main():
        yield sleep(0)
        raise ValueError("no")

    model.process("main", main)
    assert not witness(model)
