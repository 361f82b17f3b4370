"""What is known of names and of what processes may still come to, as arrays; copied when it is first asked for.

Nothing is decided here: every answer is that of `simcore.explore.reduction`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from simcore.explore.compiled.kinds import Array
from simcore.explore.compiled.orbits import branch_key, component_key
from simcore.explore.compiled.parts import NOTHING
from simcore.explore.compiled.rows import key_of
from simcore.explore.compiled.structs import Orbits, Reach
from simcore.explore.compiled.tables import Growing, Table
from simcore.explore.reduction import SEVERAL, Component, Linked, Needs, PartialOrder, Symmetry, factors_of
from simcore.explore.search import Unfit
from simcore.kernel import Kernel, Packed

_WORD = (1 << 64) - 1


class KnownOrbits(Growing):
    """The components of a symmetry as arrays.

    Raises
    ------
    Unfit
        When positions belong to several names at once, or workers to names.
    """

    def __init__(self, symmetry: Symmetry) -> None:
        self.symmetry, names = symmetry, symmetry.names
        self._components, self._made = Table(), Table()
        self._count = self._names = self._colours = self._facts = self._together = 0
        self._nodes = 0
        self._branches: dict[tuple[int, int], int] = {}
        self._roots: dict[int, int] = {}
        self._kinds: dict[int, int] = {}
        super().__init__(
            about=np.zeros((256, 10), np.int64),
            names=np.zeros(1024, np.int32),
            coloured=np.zeros(1024, np.int32),
            colours=np.zeros(1024, np.uint64),
            facts=np.zeros((256, 3), np.int64),
            codes=np.zeros(256, np.uint64),
            together=np.zeros(1024, np.int32),
            factors=np.zeros(1024, np.uint64),
        )
        targets = np.zeros((symmetry.kernel.first_future + 1, max(names.first_worker, 1)), np.int64)
        self._fixed: dict[str, Any] = {
            "targets": targets,
            "spans": _pairs(symmetry.spans),
            "teams": _pairs(symmetry.teams),
            "first_worker": names.first_worker,
            "first_made": names.first_future,
            "made_too": names.futures,
            "trivial": symmetry.trivial,
        }
        if any(symmetry.owners(position) for team in symmetry.teams for position in range(*team)):
            raise Unfit

    def arrays(self) -> Orbits:
        """Return everything, up to date."""
        self.stale = False
        return Orbits(components=self._components.rows, made=self._made.rows, **self._grows, **self._fixed)

    def learn_component(self, position: int, number: int) -> None:
        """Copy what stands at a position tells of names."""
        component = self.symmetry.component(position, number)
        place, self._count = self._count, self._count + 1
        self._make_room(("about",), self._count)
        names, colours = self._names, self._colours
        self._make_room(("names",), names + len(component.names))
        self._make_room(("coloured", "colours"), colours + len(component.colours))
        for name in component.names:
            self._grows["names"][self._names] = name
            self._names += 1
        for name, colour in component.colours:
            self._grows["coloured"][self._colours], self._grows["colours"][self._colours] = name, colour
            self._colours += 1
        kind, shape = self._kind(position, component), self._root(component)
        told = component.owner, kind, shape, names, len(component.names), colours, len(component.colours)
        self._grows["about"][place] = (*told, self._facts, len(component.linked), component.exact)
        for fact in component.linked:
            self._learn_fact(fact)
        self.stale |= self._components.put(component_key(position, number), place)

    def _learn_fact(self, fact: Linked) -> None:
        first, self._facts, self._together = self._together, self._facts + 1, self._together + len(fact.names)
        self._make_room(("facts", "codes"), self._facts)
        self._make_room(("together", "factors"), self._together)
        self._grows["facts"][self._facts - 1] = first, len(fact.names), fact.rigid
        self._grows["codes"][self._facts - 1] = fact.code
        self._grows["together"][first : self._together] = fact.names
        self._grows["factors"][first : self._together] = factors_of(fact.slots)

    def _kind(self, position: int, component: Component) -> int:
        """Give a row to all positions that this one may be moved to."""
        if component.owner == SEVERAL:
            raise Unfit
        if component.owner < 0 or not isinstance(component.targets, dict):
            return 0
        kind = self._kinds.setdefault(id(component.targets), len(self._kinds) + 1)
        for name, target in component.targets.items():
            self._fixed["targets"][kind, name] = target
        return kind

    def _root(self, component: Component) -> int:
        shape = id(component.made)
        if shape not in self._roots:
            self._roots[shape] = self._node()
        return self._roots[shape]

    def _node(self) -> int:
        self._nodes += 1
        return self._nodes

    def learn_moved(self, position: int, number: int, become: Sequence[int]) -> None:
        """Copy what a component becomes when its names become others."""
        component = self.symmetry.component(position, number)
        moved = tuple(become[: len(component.names)])
        known = component.made.get(moved)
        if known is None:
            known = self.symmetry.components.learn_moved(position, number, component.names, moved)
        node = self._root(component)
        for name in moved:
            if (node, name) not in self._branches:
                self._branches[node, name] = new = self._node()
                self.stale |= self._made.put(branch_key(node, name), new)
            node = self._branches[node, name]
        self.stale |= self._made.put(branch_key(node, -1), known)


class KnownReach(Growing):
    """What a partial order knows, as arrays."""

    def __init__(self, partial_order: PartialOrder) -> None:
        self.partial_order = partial_order
        self._begin()

    @property
    def version(self) -> int:
        """What is relied on, when something is left out now."""
        return self.partial_order.footprints.version + self.partial_order.watched.version

    @property
    def behind(self) -> bool:
        """Whether something is known, or could be, that has not been copied."""
        footprints = self.partial_order.footprints
        return footprints.behind or self._version != footprints.version or self._copied != len(footprints.may)

    @property
    def _words_now(self) -> int:
        return -(-self.partial_order.footprints.width // 64)

    def _begin(self) -> None:
        """Begin again, with as many words as all accesses take now."""
        locals_ = max(64, len(self.partial_order.footprints.may))
        self.words, self._version, self._of_positions, self._copied = self._words_now, -1, -1, 0
        self._needs, self._count = Table(), NOTHING + 1
        self._known: dict[int, int] = {}  # of which version each row of `Reach.needs` is, by its key
        super().__init__(
            may=np.zeros((locals_, self.words), np.uint64),
            met=np.zeros(locals_, np.uint8),
            needed=np.zeros((256, self.words + 2), np.uint64),
            versions=np.zeros(self.partial_order.kernel.first_future, np.uint64),
        )
        self.stale = True

    def arrays(self) -> Reach:
        """Return everything, up to date."""
        self.stale = False
        return Reach(needs=self._needs.rows, **self._grows)

    def take_in(self, state: Packed) -> None:
        """Copy what processes may still come to, as far as that is new."""
        partial_order, footprints = self.partial_order, self.partial_order.footprints
        partial_order.take_in(state)
        if self.words != self._words_now:
            self._begin()
        self._version = footprints.version
        if self._of_positions != footprints.version_of_positions:
            self._of_positions = footprints.version_of_positions
            for position in range(len(self._grows["versions"])):
                self._grows["versions"][position] = footprints.version_at(position)
        self._make_room(("may", "met"), len(footprints.may))
        may, met = self._grows["may"], self._grows["met"]
        for local in footprints.grown if self._copied else range(len(footprints.may)):
            may[local] = self._split(footprints.may[local])
        self._copied = len(footprints.may)
        footprints.grown.clear()
        kernel = partial_order.kernel
        for local in state[kernel.first_process : kernel.first_future]:
            met[local] = footprints.has_met(local)

    def _split(self, accesses: int) -> list[int]:
        return [accesses >> 64 * word & _WORD for word in range(self.words)]

    def learn_needs(self, state: Packed, process: int, enabled: bool) -> None:
        """Copy what matters to the next step of a process, and of all who are where it is."""
        kernel, footprints = self.partial_order.kernel, self.partial_order.footprints
        local = state[kernel.first_process + process]
        position = kernel.target(local)
        self._make_room(("versions",), position + 1)
        version = self._grows["versions"][position] = footprints.version_at(position)
        for each in (process, *_where_it_is(kernel, state, process)):
            if each == process or bool(kernel.moves(state, each)) == enabled:
                key = int(key_of(each, local, state[position], 0))
                if self._known.get(key) != version:
                    self._known[key] = version
                    self._learn(key, self.partial_order.needs(state, each, enabled), each, version)

    def _learn(self, key: int, needs: Needs | None, process: int, version: int) -> None:
        accesses, processes = (0, 1 << process) if needs is None else (needs[0], needs[1] & ~(1 << process))
        row, self._count = self._count, self._count + 1
        self._make_room(("needed",), self._count)
        self._grows["needed"][row] = [*self._split(accesses), processes, version]
        self.stale |= self._needs.put(key, row)


def _where_it_is(kernel: Kernel, state: Packed, process: int) -> Iterator[int]:
    """Yield the other processes whose own part of ``state`` is the same as that of ``process``."""
    locals_ = state[kernel.first_process : kernel.first_future]
    return (other for other, local in enumerate(locals_) if local == locals_[process] and other != process)


def _pairs(spans: Sequence[tuple[int, int]]) -> Array:
    return np.array(spans, np.int64).reshape(-1, 2)
