"""The laws of systems of which they are known are read off, and `explore` agrees on both sides of each."""

import pytest
from lawful import locks, nested, permits, reentrant, turns, two_pools

from simcore import Verdict, explore
from simcore.sizes.structure import prove

LAWS = [
    (reentrant, {}, "never"),
    (nested, {"depth": 1}, "never"),
    (nested, {"depth": 2}, "workers <= clients"),
    (nested, {"depth": 3}, "workers <= 2*clients"),
    (nested, {"depth": 4}, "workers <= 3*clients"),
    (nested, {"depth": 5}, "workers <= 4*clients"),
    (two_pools, {"both_ways": True}, "a <= clients and b <= others"),
    (two_pools, {}, "a <= clients"),
    (locks, {}, "always"),
    (locks, {"opposed": False}, "never"),
    (locks, {"gate": True}, "never"),
    (permits, {"each": 1}, "never"),
    (permits, {"each": 2}, "permits <= takers"),
    (permits, {"each": 3}, "permits <= 2*takers"),
    (permits, {"each": 4}, "permits <= 3*takers"),
    (turns, {"roots": 1}, "never"),
    (turns, {}, "roots >= 2 and workers >= 2"),
    (nested, {"depth": 8}, "workers <= 7*clients"),
]


@pytest.mark.some(2)
@pytest.mark.parametrize(("function", "given", "law"), LAWS)
def test_the_law_is_read_off(function, given, law):
    proved = prove(function, **given)
    assert (proved.law, proved.refused) == (law, "")


CELLS = [
    (nested, {"depth": 2, "clients": 2, "workers": 2}, False),
    (nested, {"depth": 2, "clients": 2, "workers": 3}, True),
    (nested, {"depth": 3, "clients": 1, "workers": 2}, False),
    (nested, {"depth": 3, "clients": 1, "workers": 3}, True),
    (two_pools, {"a": 2, "b": 1, "clients": 2, "others": 1}, False),
    (two_pools, {"a": 3, "b": 1, "clients": 2, "others": 1}, True),
    (two_pools, {"a": 1, "b": 1, "clients": 1, "others": 1, "both_ways": True}, False),
    (two_pools, {"a": 2, "b": 1, "clients": 1, "others": 1, "both_ways": True}, True),
    (permits, {"takers": 2, "permits": 4, "each": 3}, False),
    (permits, {"takers": 2, "permits": 5, "each": 3}, True),
    (turns, {"roots": 2, "workers": 2}, False),
    (turns, {"roots": 1, "workers": 2}, True),
    (turns, {"roots": 2, "workers": 1}, True),
    (reentrant, {"clients": 3}, True),
]


@pytest.mark.some(3)
@pytest.mark.parametrize(("function", "at", "safe"), CELLS)
def test_explore_agrees_next_to_the_border(function, at, safe):
    asked = {name: at[name] for name in ("depth", "each", "both_ways") if name in at}
    proved = prove(function, **asked)
    assert proved.safe(**{name: size for name, size in at.items() if name not in asked}) is safe
    assert explore(function(**at)).verdict is (Verdict.HOLDS if safe else Verdict.VIOLATED)


def test_depths_that_change_the_programs_have_a_law_each():
    proved = prove(nested, depth=range(1, 4))
    assert proved.law == "depth=1: never; depth=2: workers <= clients; depth=3: workers <= 2*clients"
    assert proved.safe(clients=50, workers=51, depth=2)
    assert not proved.safe(clients=50, workers=51, depth=3)
    assert not proved.safe(clients=1, workers=100, depth=4), "a depth that was not read is not proved"
    assert "depth is no size here" in str(proved)


def test_a_law_is_meant_from_the_lowest_sizes_on_that_were_compared():
    proved = prove(nested, depth=2, clients=range(2, 6), workers=range(4, 8))
    assert proved.law == "workers <= clients"
    assert proved.safe(clients=2, workers=4)
    assert not proved.safe(clients=1, workers=4)
    assert not proved.safe(clients=2, workers=3)


def test_a_model_without_sizes_has_an_answer_for_itself():
    assert "opposed=False, gate=False: no hang\n" in str(prove(locks, left=1, right=1, opposed=False))
    assert prove(locks, left=1, right=1, opposed=False).safe()
    assert not prove(locks, left=1, right=1).safe()


def test_what_is_printed_says_what_is_proved_and_never_that_a_hang_is_there():
    told = str(prove(nested, depth=4))
    assert told.startswith("nested at depth=4: ")
    assert "no hang for any size where not (workers <= 3*clients)" in told
    assert "a hang may be reachable where workers <= 3*clients" in told
    assert "for clients >= 1 and workers >= 1" in told
    assert "cannot be checked: that the function builds the same programs at every size" in told
    assert "clients=1, workers=1" in told
    assert "no hang for any size\n" in str(prove(nested, depth=1))
    assert "nothing is proved: a hang may be reachable at any size" in str(prove(locks))
