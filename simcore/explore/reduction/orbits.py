"""What adjacent exchanges do to things with an identity tells what every permutation does to them.

Program points, functions, objects of a model's own classes are only ever moved by exchanging two neighbouring
names; any permutation is a sequence of such exchanges. From what they do, each thing gets its orbit and a
**label**: the names that it depends on. Two names are alike to a thing when exchanging them leaves it what it
is; that is an equivalence, and the largest class of names that are alike needs no mention. A permutation then
moves a thing by moving its label.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any, NamedTuple

from simcore.explore.reduction.names import Block, Moves, NotSymmetric

Image = Callable[[Any, int], Hashable]
"""What exchanging a name with the next one moves a thing to."""

Classes = tuple[tuple[int, ...], ...]
"""Names, those that are alike together."""


class Label(NamedTuple):
    """The orbit of a thing, and the names that it depends on in it."""

    orbit: int
    classes: Classes


class Orbits:
    """Labels of things, each found when it is first asked for.

    Parameters
    ----------
    image : function
        What exchanging a name with the next one does.
    blocks : list of Block
        The names that may be exchanged.
    hint : function, optional
        Names that a thing seems to mention; of two labels that are as good, those are taken.
    """

    def __init__(
        self,
        image: Image,
        blocks: list[Block],
        hint: Callable[[Any], frozenset[int]] | None = None,
    ) -> None:
        self._image, self._blocks, self._hint = image, blocks, hint
        self._labels: dict[Hashable, Label] = {}
        self._things: dict[Label, Hashable] = {}
        self._orbits = 0

    def label(self, thing: Hashable) -> Label:
        """Return the orbit of ``thing`` and the names that it depends on."""
        if thing not in self._labels:
            self._enlist(thing)
        return self._labels[thing]

    def moved(self, thing: Hashable, moves: Moves) -> Hashable:
        """Return what a permutation moves ``thing`` to."""
        old = self.label(thing)
        new = _moved(old, moves)
        found = self._things.get(new)
        if found is None:
            found = self._things[new] = self._along(thing, old.classes, moves)
        return found

    def _along(self, thing: Hashable, classes: Classes, moves: Moves) -> Hashable:
        names = [name for alike in classes for name in alike]
        wanted = [moves.get(name, name) for name in names]
        for number, target in enumerate(wanted):
            if names[number] != target:
                one, other = names[number], target
                thing = self._exchanged(thing, min(one, other), max(one, other))
                names = [{one: other, other: one}.get(name, name) for name in names]
        return thing

    def _exchanged(self, thing: Hashable, one: int, other: int) -> Hashable:
        """Exchange two names of a block by exchanging neighbours."""
        for name in (*range(one, other), *range(other - 2, one - 1, -1)):
            thing = self._image(thing, name)
        return thing

    def _enlist(self, thing: Hashable) -> None:
        """Label everything in the orbit of ``thing`` that has no label yet."""
        ways: dict[Hashable, dict[int, int]] = {thing: {}}
        queue = [thing]
        known: tuple[Hashable, dict[int, int]] | None = None
        for one in queue:
            for name in self._swaps():
                other = self._image(one, name)
                if other in ways:
                    continue
                way = _after(ways[one], name)
                if other not in self._labels:
                    ways[other] = way
                    queue.append(other)
                elif known is None:
                    known = (other, way)
        if known is None:
            label = Label(self._orbits, self._classes(thing))
            self._orbits += 1
        else:
            label = _moved(self._labels[known[0]], {new: old for old, new in known[1].items()})
        for other, way in ways.items():
            self._labels[other] = _moved(label, way)
            if self._things.setdefault(self._labels[other], other) != other:
                raise NotSymmetric(self._blocks[-1].family, f"{other} depends on more names than it mentions")

    def _swaps(self) -> Iterator[int]:
        for block in self._blocks:
            yield from range(block.first, block.first + block.size - 1)

    def _classes(self, thing: Hashable) -> Classes:
        found: list[tuple[int, ...]] = []
        for block in self._blocks:
            classes = self._alike(thing, list(range(block.first, block.first + block.size)))
            largest = self._unmentioned(thing, classes)
            found += [alike for alike in classes if alike is not largest]
        return tuple(found)

    def _unmentioned(self, thing: Hashable, classes: list[tuple[int, ...]]) -> tuple[int, ...] | None:
        """Return a largest class; of several, the one of which the thing mentions fewest."""
        size = max(map(len, classes), default=0)
        largest = [alike for alike in classes if len(alike) == size]
        if len(largest) < 2 or self._hint is None:
            return largest[-1] if largest else None
        mentioned = self._hint(thing)
        return min(reversed(largest), key=lambda alike: len(mentioned.intersection(alike)))

    def _alike(self, thing: Hashable, names: list[int]) -> list[tuple[int, ...]]:
        classes: list[list[int]] = []
        for name in names:
            for alike in classes:
                if self._exchanged(thing, alike[0], name) == thing:
                    alike.append(name)
                    break
            else:
                classes.append([name])
        return [tuple(alike) for alike in classes]


def _moved(label: Label, moves: Moves) -> Label:
    return Label(label.orbit, tuple(tuple(sorted(moves.get(n, n) for n in alike)) for alike in label.classes))


def _after(way: dict[int, int], name: int) -> dict[int, int]:
    """Return the permutation that first goes ``way`` and then exchanges a name with the next one."""
    swap = {name: name + 1, name + 1: name}
    return {old: swap.get(way.get(old, old), way.get(old, old)) for old in {*way, name, name + 1}}
