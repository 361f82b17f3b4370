"""Names get colours that no permutation of them can change, fine enough to put them in an order.

Colour refinement: a name's new colour is its old one with what the facts that mention it say of the colours of the
others. What has the same colour in the end is exchanged by a permutation that changes nothing in two cases, and then it
does not matter which of them comes first; in others, each may be tried.

* The facts that connect names that tie form a forest (colour refinement identifies forests).
* No two names of a connected part have the same colour. A part with a name of the same colour then is its copy: a fact
  about the one name has its like about the other, which mentions the same colours in the same slots, and so on through
  the part; as each colour stands for one name there, this moves facts to facts. A client with all that is under way for
  it is such a part.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

FIRST = 0x9E3779B97F4A7C15
"""What is added to the colour of one of those that tie, to make it the first."""

_WORD = 0xFFFFFFFFFFFFFFFF  # colours are words, as in the compiled loop (`compiled/colours.py`), which does the same

Colours = list[int]


class Linked(NamedTuple):
    """A fact that mentions several names; with ``rigid`` no two of them are in the same slot."""

    code: int
    names: tuple[int, ...]
    slots: tuple[int, ...]
    rigid: bool


def mixed(number: int) -> int:
    """Return a number that looks random (the finaliser of splitmix64), so that sums of several tell them apart."""
    number = (number * FIRST + FIRST) & _WORD
    number = ((number ^ number >> 30) * 0xBF58476D1CE4E5B9) & _WORD
    number = ((number ^ number >> 27) * 0x94D049BB133111EB) & _WORD
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
    _search(refined(colours, facts, groups), facts, groups, exact, most, found)
    return found


def _search(
    colours: Colours, facts: Sequence[Linked], groups: Sequence[list[int]], exact: bool, most: int, found: list[Colours]
) -> None:
    ties = _ties(colours, groups)
    copies = _copies(colours, facts, {name for tie in ties for name in tie}) if exact and ties else {}
    if copies:
        first = [colour + FIRST * copies.get(name, 0) & _WORD for name, colour in enumerate(colours)]
        return _search(refined(first, facts, groups), facts, groups, exact, most, found)
    merged = _merged(colours, facts, {name for tie in ties for name in tie}) if exact and ties else None
    if merged is not None and merged:
        finer = refined(colours, merged, groups)
        if _count(finer, groups) > _count(colours, groups):
            return _search(finer, facts, groups, exact, most, found)
    if not ties or merged == []:
        found.append(colours)
        return None
    part = None if merged is None else _parts([fact.names for fact in merged])
    if merged is not None and part is not None:
        firsts = {part.get(name, name): name for name in reversed(ties[0])}  # one in each part that they stand in
        choices = [{name: FIRST * rank for rank, name in enumerate(firsts.values(), 1)}]
    else:
        choices = [{name: FIRST} for name in ties[0]]
    for choice in choices:
        if not found or len(found) < most:
            first = [colour + choice.get(name, 0) & _WORD for name, colour in enumerate(colours)]
            _search(refined(first, facts, groups), facts, groups, exact, most, found)
    return None


def _copies(colours: Colours, facts: Sequence[Linked], tied: set[int]) -> dict[int, int]:
    """Return, for the names of parts in which all colours differ, which copy they are in, from 1 on."""
    parts = defaultdict(list)
    for name, part in _connected([[n for n in fact.names if n in tied] for fact in facts], sorted(tied)).items():
        parts[part].append(name)
    seen: Counter[frozenset[int]] = Counter()
    found = {}
    for names in parts.values():
        kind = frozenset(colours[name] for name in names)
        if len(kind) == len(names):
            seen[kind] += 1
            found.update(dict.fromkeys(names, seen[kind]))
    return found


def _connected(links: Iterable[Sequence[int]], names: Iterable[int]) -> dict[int, int]:
    """Return, for each name, which connected part it is in."""
    root = {name: name for name in names}

    def find(name: int) -> int:
        while root[name] != name:
            root[name] = name = root[root[name]]
        return name

    for link in links:
        for name in link[1:]:
            root[find(name)] = find(link[0])
    return {name: find(name) for name in root}


def _merged(colours: Colours, facts: Sequence[Linked], tied: set[int]) -> list[Linked] | None:
    """Return what all facts about the same names that tie say together, where those are several.

    None when that would lose something: two facts that differ in nothing but which name is in which slot.
    """
    about: dict[tuple[int, ...], dict[int, dict[int, int]]] = {}
    for code, names, slots, _ in facts:
        inside = [name for name in names if name in tied]
        if len(inside) > 1:
            rest = sorted((slot, colours[n]) for n, slot in zip(names, slots, strict=True) if n not in tied)
            alike = about.setdefault(tuple(sorted(inside)), {})
            base = hash((code, *rest))
            if base in alike:
                return None
            alike[base] = dict(zip(names, slots, strict=True))
    return [_together(names, alike) for names, alike in about.items()]


def _together(names: tuple[int, ...], facts: dict[int, dict[int, int]]) -> Linked:
    slots = tuple(sum(mixed(base + factor_of(slots[name])) for base, slots in facts.items()) for name in names)
    return Linked(sum(hash((base, len(names))) for base in facts), names, slots, False)


def factor_of(slot: int) -> int:
    """Return what stands for a slot: an odd number that looks random."""
    return mixed(slot) | 1


@cache
def factors_of(slots: tuple[int, ...]) -> tuple[int, ...]:
    """Return what stands for each of several slots."""
    return tuple(map(factor_of, slots))


def refined(colours: Colours, facts: Sequence[Linked], groups: Sequence[list[int]]) -> Colours:
    """Return the coarsest colours that are as fine as these and that the facts do not refine further.

    Of names in one slot a sum of their colours does not tell who they are: two may be more what two others are less. So
    these are mixed first; where no two are in the same slot, each colour is multiplied by what stands for its slot.
    """
    count, names = _count(colours, groups), sum(map(len, groups))
    while count < names:
        finer = colours.copy()
        for code, mentioned, slots, rigid in facts:
            factors, told = factors_of(slots), code
            for name, factor in zip(mentioned, factors, strict=True):
                told += colours[name] * factor if rigid else mixed(colours[name] + factor)
            told = mixed(told)
            for name, factor in zip(mentioned, factors, strict=True):
                finer[name] += mixed(told + factor)
        finer = [colour & _WORD for colour in finer]
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


def _parts(links: Iterable[tuple[int, ...]]) -> dict[int, int] | None:
    """Return, for each name, which connected part it is in; None when something is connected in two ways."""
    root: dict[int, int] = {}

    def find(name: int) -> int:
        while root.setdefault(name, name) != name:
            name = root[name]
        return name

    for link in links:
        one, *others = {find(name) for name in link}
        if 1 + len(others) < len(link):
            return None
        for other in others:
            root[other] = one
    return {name: find(name) for name in list(root)}
