"""The chances satisfy their equations exactly, and are the least that do: as going round for long enough shows."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simcore.sizes import chances as room
from simcore.sizes.chances import TooLarge, chances


@st.composite
def graphs(draw):
    size = draw(st.integers(1, 9))
    states = st.integers(0, size - 1)
    rows = draw(st.lists(st.lists(states, max_size=4), min_size=size, max_size=size))
    return rows, sorted(draw(st.sets(states, max_size=2)))


def after(rows, goals, steps):
    """Return the chances to come to a goal within so many steps, which grow towards what is asked."""
    found = [float(state in goals) for state in range(len(rows))]
    for _ in range(steps):
        found = [
            1.0 if state in goals else sum(found[target] for target in row) / len(row) if row else 0.0
            for state, row in enumerate(rows)
        ]
    return found


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(graphs())
def test_they_are_what_a_long_walk_comes_to(graph):
    rows, goals = graph
    found = chances(rows, goals)
    assert [float(each) for each in found] == pytest.approx(after(rows, goals, 4_000), abs=1e-4)
    for state, row in enumerate(rows):
        if state not in goals and row:
            assert found[state] == sum(found[target] for target in row) / len(row)


def test_a_round_that_nothing_leaves_has_no_chance():
    assert chances([[1], [0], []], [2]) == [0, 0, 1]


def test_a_walk_that_goes_up_and_down_is_ruined_as_gamblers_are():
    goal = 12
    rows = [[], *([at - 1, at + 1] for at in range(1, goal)), []]
    assert chances(rows, [0]) == [1 - Fraction(at, goal) for at in range(goal + 1)]


def test_a_round_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(room, "MOST_IN_A_LOOP", 10)
    rows = [[], *([at - 1, at + 1] for at in range(1, 12)), []]
    with pytest.raises(TooLarge, match="11 states lead back to each other"):
        chances(rows, [0])
