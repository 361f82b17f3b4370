"""A reader of Storm's DRN files that knows nothing of simcore, and solves a chain in fractions by plain elimination.

Of the format (https://www.stormchecker.org/documentation/usage/drn-format.html) it takes what a chain needs, and is as
strict as Storm's parser: sections it does not know, states out of order, targets out of order are errors.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple


class Chain(NamedTuple):
    """A chain: for each state its labels, and the probability of each state that follows."""

    labels: list[set[str]]
    rows: list[dict[int, Fraction]]


def read(text: str) -> Chain:
    """Return the chain of a file."""
    assert text.endswith("\n")
    lines = [line for line in text.split("\n") if not line.startswith("//")]
    at = lines.index("@model")
    sizes = _header(lines[:at])
    chain = Chain([], [])
    for line in lines[at + 1 : -1]:
        if line.startswith("state "):
            number, *labels = line.removeprefix("state ").split(" ")
            assert int(number) == len(chain.rows)
            chain.labels.append(set(labels))
            chain.rows.append({})
        elif line.startswith("\taction "):
            assert line == "\taction 0"
            assert not chain.rows[-1]
        else:
            target, colon, probability = line.removeprefix("\t\t").split(" ")
            assert colon == ":"
            assert int(target) > max(chain.rows[-1], default=-1)
            chain.rows[-1][int(target)] = Fraction(probability)
    assert sizes == {"@nr_states": len(chain.rows), "@nr_choices": len(chain.rows)}
    assert all(sum(row.values()) == 1 and min(row.values()) > 0 for row in chain.rows)
    assert all(target < len(chain.rows) for row in chain.rows for target in row)
    assert [state for state, labels in enumerate(chain.labels) if "init" in labels] == [0]
    return chain


def _header(lines: list[str]) -> dict[str, int]:
    """Return the sizes; each section is there once, and what follows it is its own."""
    assert lines.pop(0) == "@type: DTMC"
    sections = dict(zip(lines[::2], lines[1::2], strict=True))
    assert len(sections) == len(lines) // 2
    assert sections.pop("@parameters") == ""
    assert sections.pop("@reward_models") == ""
    return {name: int(number) for name, number in sections.items()}


def reaches(chain: Chain, label: str) -> Fraction:
    """Return the probability that a run from the first state comes to one with the label: P=? [F "label"]."""
    goals = {state for state, labels in enumerate(chain.labels) if label in labels}
    may = _may_come_to(chain, goals)
    rows = {
        state: {target: p for target, p in chain.rows[state].items() if target in may}
        for state in may
        if state not in goals
    }
    for state in sorted(rows, reverse=True):
        if state != 0:
            _substitute(rows, state)
    first = rows.get(0, {})
    assert first.keys() <= {0, *goals}
    return (
        Fraction(int(0 in goals))
        if 0 not in rows
        else sum((p for s, p in first.items() if s), Fraction(0)) / (1 - first.get(0, Fraction(0)))
    )


def _substitute(rows: dict[int, dict[int, Fraction]], state: int) -> None:
    """Take a state out: who goes there goes where it leads, and what leads back to itself counts until it does not."""
    row = rows.pop(state)
    leaves = 1 - row.pop(state, Fraction(0))
    for other in rows.values():
        share = other.pop(state, None)
        if share is not None:
            for target, p in row.items():
                other[target] = other.get(target, Fraction(0)) + share * p / leaves


def _may_come_to(chain: Chain, goals: set[int]) -> set[int]:
    found, before = set(goals), -1
    while len(found) != before:
        before = len(found)
        found |= {state for state, row in enumerate(chain.rows) if not found.isdisjoint(row)}
    return found
