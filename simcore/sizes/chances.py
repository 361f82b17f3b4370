"""The probability that a walk on a graph comes to a goal: the least solution of its equations, exactly.

The probability of a state is the mean of those of the states that its edges lead to; 1 in a goal. Components are taken
each after those that it leads to (`components`), so on a graph without cycles every state is settled by one sum. In a
component the equations are solved by taking out one state after the other, the one with the fewest ways through it
first (Markowitz 1957; the state elimination of Daws 2004, and of PRISM and Storm), in fractions. A component that no
edge leaves has no goal in it, so its probability is 0: that is the least solution, the others are of no walk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from fractions import Fraction

from simcore.explain import components

_ZERO, _ONE = Fraction(0), Fraction(1)

MOST_IN_A_LOOP = 300
"""States of a component for which the equations are solved: fractions grow with each that is taken out."""


class TooLarge(Exception):
    """A component has too many states, as the text says."""


def chances(rows: Sequence[Sequence[int]], goals: Collection[int]) -> list[Fraction]:
    """Return, for each state, the probability that a walk from it comes to a goal.

    Parameters
    ----------
    rows : sequence of sequence of int
        Where the edges of each state lead; each is taken with the same probability.
    goals : collection of int
        States in which a walk has come to its end.

    Raises
    ------
    TooLarge
        When the equations of a component are too many to be solved in fractions.
    """
    found = [_ZERO] * len(rows)
    for goal in goals:
        found[goal] = _ONE
    ends = set(goals)
    for component in components(b"\1" * len(rows), lambda state: () if state in ends else rows[state]):
        if component[0] not in ends:
            _settle(component, rows, found)
    return found


def _settle(component: list[int], rows: Sequence[Sequence[int]], found: list[Fraction]) -> None:
    """Find the probabilities of a component out, those of all that it leads to being known."""
    inside = set(component)
    beyond = {found[target] for state in component for target in rows[state] if target not in inside}
    if len(beyond) <= 1:  # all ways out are alike, and a walk takes one of them in the end
        for state in component:
            found[state] = next(iter(beyond), _ZERO)
    elif len(component) == 1:
        state = component[0]
        ways = [found[target] for target in rows[state] if target != state]
        found[state] = sum(ways, _ZERO) / len(ways)
    elif len(component) > MOST_IN_A_LOOP:
        raise TooLarge(f"{len(component):,} states lead back to each other, and at most {MOST_IN_A_LOOP} are solved")
    else:
        _solve(component, rows, found)


def _solve(component: list[int], rows: Sequence[Sequence[int]], found: list[Fraction]) -> None:
    """Solve the equations of a component: take its states out one by one, then put the values in, the last first."""
    inside = set(component)
    weights: dict[int, dict[int, Fraction]] = {}
    known: dict[int, Fraction] = {}
    before: dict[int, set[int]] = {state: set() for state in component}
    for state in component:
        edge = Fraction(1, len(rows[state]))
        known[state] = sum((found[target] for target in rows[state] if target not in inside), _ZERO) * edge
        counts = Counter(target for target in rows[state] if target in inside)
        weights[state] = {target: edge * number for target, number in counts.items()}
        for target in counts:
            before[target].add(state)
    out = []
    while before:
        state = min(before, key=lambda each: (len(before[each]) * len(weights[each]), each))
        _take_out(state, weights, known, before)
        out.append(state)
    for state in reversed(out):
        found[state] = known[state] + sum((part * found[target] for target, part in weights[state].items()), _ZERO)


def _take_out(
    state: int, weights: dict[int, dict[int, Fraction]], known: dict[int, Fraction], before: dict[int, set[int]]
) -> None:
    """Put what ``state`` is equal to in its place in all other equations, which then are without it."""
    row = weights[state]
    stays = row.pop(state, _ZERO)
    scale = 1 / (1 - stays)
    for target in row:
        row[target] *= scale
        before[target].discard(state)
    known[state] *= scale
    for source in before.pop(state) - {state}:
        other = weights[source]
        part = other.pop(state)
        known[source] += part * known[state]
        for target, weight in row.items():
            other[target] = other.get(target, _ZERO) + part * weight
            before[target].add(source)
