"""Names get colours that no permutation of them can change, fine enough to put them in an order.

Colour refinement: a name's new colour is its old one with what the facts that mention it say of the colours of the
others. What has the same colour in the end is exchanged by a permutation that changes nothing, if the facts that
connect names of the same colours form a forest (colour refinement identifies forests); then it does not matter
which of them comes first. If they do not, each may be tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_FIRST = 0x9E3779B97F4A7C15  # what makes one of those that tie the first

Colours = list[int]


class Linked(NamedTuple):
    """A fact that mentions several names; with ``rigid`` no two of them are in the same slot."""

    code: int
    names: tuple[int, ...]
    slots: tuple[int, ...]
    rigid: bool


def mixed(number: int) -> int:
    """Return a number that looks random (the finaliser of splitmix64), so that sums of several tell them apart."""
    number = (number * _FIRST + _FIRST) & 0xFFFFFFFFFFFFFFFF
    number = ((number ^ number >> 30) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    number = ((number ^ number >> 27) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return number ^ number >> 31


def told_apart(
    colours: Colours, facts: Sequence[Linked], groups: Sequence[list[int]], exact: bool, most: int
) -> list[Colours]:
    """Return colours in which all that tie may be put in any order; several when each must be tried.

    Parameters
    ----------
    colours : list of int
        Of each name, what the facts say that mention it.
    facts, groups
        The facts that mention several, and the names that may be exchanged with each other.
    exact : bool
        Whether the facts are all there is.
    most : int
        How many to return, at most; then the rest is left out.
    """
    found: list[Colours] = []
    _search(colours, facts, groups, exact, most, found)
    return found


def _search(
    colours: Colours, facts: Sequence[Linked], groups: Sequence[list[int]], exact: bool, most: int, found: list[Colours]
) -> None:
    colours = refined(colours, facts, groups)
    ties = _ties(colours, groups)
    tied = {name for tie in ties for name in tie}
    crossing = [inside for fact in facts if len(inside := tied.intersection(fact.names)) > 1]
    if not tied or (exact and not crossing):
        found.append(colours)
        return
    candidates = ties[0]
    if exact and _forest(crossing):
        candidates = candidates[:1]
    for candidate in candidates:
        if found and len(found) >= most:
            return
        first = colours.copy()
        first[candidate] += _FIRST
        _search(first, facts, groups, exact, most, found)


def refined(colours: Colours, facts: Sequence[Linked], groups: Sequence[list[int]]) -> Colours:
    """Return the coarsest colours that are as fine as these and that the facts do not refine further."""
    count, names = _count(colours, groups), sum(map(len, groups))
    while count < names:
        finer = colours.copy()
        for code, mentioned, slots, rigid in facts:
            seen = [colours[name] for name in mentioned]
            told = hash((code, *(seen if rigid else sorted(zip(slots, seen, strict=True)))))
            for name, slot in zip(mentioned, slots, strict=True):
                finer[name] += hash((told, slot))
        more = _count(finer, groups)
        if more == count:
            break
        colours, count = finer, more
    return colours


def _count(colours: Colours, groups: Sequence[list[int]]) -> int:
    return sum(len({colours[name] for name in group}) for group in groups)


def _ties(colours: Colours, groups: Sequence[list[int]]) -> list[list[int]]:
    """Return the names that have the same colour, in an order that no permutation changes."""
    found: list[list[int]] = []
    for group in groups:
        counted = Counter(colours[name] for name in group)
        for colour in sorted(colour for colour, count in counted.items() if count > 1):
            found.append([name for name in group if colours[name] == colour])
    return found


def _forest(links: Iterable[set[int]]) -> bool:
    """Tell whether nothing is connected in two ways."""
    root: dict[int, int] = {}

    def find(name: int) -> int:
        while root.setdefault(name, name) != name:
            name = root[name]
        return name

    for link in links:
        one, *others = {find(name) for name in link}
        if 1 + len(others) < len(link):
            return False
        for other in others:
            root[other] = one
    return True
