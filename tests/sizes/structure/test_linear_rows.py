"""What is projected holds for every whole solution, and "no solution" is only said where there is none."""

import random
from itertools import product

import pytest

from simcore.sizes.structure import linear
from simcore.sizes.structure.linear import ONE, against, implied, plus, possible, project, row, value

UNKNOWNS = ("x", "y", "z")


def drawn(rng):
    factors = {name: rng.randint(-3, 3) for name in UNKNOWNS}
    return row((ONE, rng.randint(-4, 4)), *factors.items())


def solutions(rows, equal, most=6):
    for values in product(range(most), repeat=len(UNKNOWNS)):
        at = dict(zip(UNKNOWNS, values, strict=True))
        if all(value(each, at) >= 0 for each in rows) and all(value(each, at) == 0 for each in equal):
            yield at


@pytest.mark.parametrize("seed", range(60))
def test_what_is_left_holds_for_every_solution(seed):
    rng = random.Random(seed)
    rows, equal = [drawn(rng) for _ in range(rng.randint(1, 4))], [drawn(rng) for _ in range(rng.randint(0, 1))]
    left = project(rows, equal, ("x", "y"))
    for at in solutions(rows, equal):
        assert left is not None
        assert all(value(each, at) >= 0 for each in left)
        assert not any(name in each for each in left for name in ("x", "y"))


@pytest.mark.parametrize("seed", range(60))
def test_what_is_left_has_a_solution_that_is_one_of_the_system_over_the_rationals(seed):
    """Without whole numbers and equalities nothing is lost: a point of the shadow has something above it."""
    rng = random.Random(seed)
    rows = [row((ONE, rng.randint(-4, 4)), *((name, rng.choice((-1, 0, 1))) for name in UNKNOWNS)) for _ in range(3)]
    left = project(rows, [], ("x",))
    for y, z in product(range(4), repeat=2):
        there = left is not None and all(value(each, {"y": y, "z": z}) >= 0 for each in left)
        assert there == any(all(value(each, {"x": x, "y": y, "z": z}) >= 0 for each in rows) for x in range(20))


def test_a_row_without_unknowns_is_true_or_nothing_is_possible():
    assert possible([row((ONE, 0))])
    assert not possible([row((ONE, -1))])
    assert not possible([row((ONE, -1), ("x", -2))])


def test_constants_are_rounded_down_as_all_unknowns_are_whole():
    assert project([row((ONE, 3), ("x", -2), ("y", -2))], [], ()) == [{"x": -1, "y": -1, ONE: 1}]
    assert not possible([row((ONE, -1), ("x", 2)), row((ONE, 1), ("x", -2))])  # 2x is not 1


def test_implication_is_decided_by_the_row_that_holds_where_the_other_does_not():
    assert against(row((ONE, 2), ("x", 1))) == {ONE: -3, "x": -1}
    assert implied(row(("x", 2), ("y", 1)), [])
    assert implied(row((ONE, 5), ("x", -1)), [row((ONE, 3), ("x", -1))])
    assert not implied(row((ONE, 3), ("x", -1)), [row((ONE, 5), ("x", -1))])


def test_an_equality_is_put_into_the_other_rows():
    """2x = y + 1, so y <= 2 leaves x <= 1, and y is odd, which is not seen."""
    left = project([row((ONE, 2), ("y", -1))], [row(("x", 2), ("y", -1), (ONE, -1))], ("y",))
    assert left is not None
    assert [each for each in left if each.get("x", 0) < 0] == [{"x": -1, ONE: 1}]


def test_rows_are_sums():
    assert row(("x", 1), ("x", 2), ("y", 0)) == {"x": 3}
    assert plus({"x": 1}, {"x": 1, ONE: 2}, 2, -2) == {ONE: -4}


def test_too_many_rows_are_given_up(monkeypatch):
    monkeypatch.setattr(linear, "MOST_ROWS", 3)
    rows = [row(("x", sign), (name, 1)) for sign in (-1, 1) for name in "abc"] + [row(("x", -1), ("d", 5), (ONE, -1))]
    with pytest.raises(linear.TooManyRows):
        project(rows, [], ("x",))
