"""The chances satisfy their equations exactly, and are 0 where no goal can be reached: only one solution does both."""

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


def leads(rows, goals):
    """Return the states from which a goal can be reached."""
    found = set(goals)
    while new := {state for state, row in enumerate(rows) if state not in found and found & {*row}}:
        found |= new
    return found


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(graphs())
def test_they_are_the_least_solution(graph):
    rows, goals = graph
    found = chances(rows, goals)
    assert {state for state, chance in enumerate(found) if chance} == leads(rows, goals)
    for state, row in enumerate(rows):
        if state in goals:
            assert found[state] == 1
        elif row:
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
