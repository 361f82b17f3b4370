"""What the parts of a state tell of names, and what they are renamed to, each learned once and then looked up.

A component is what stands at one position of a state. Components with the same shape share one table from names
to components, so renaming one that was met before is a look-up, whichever names it had.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from simcore.explore.reduction.colours import Linked, mixed
from simcore.explore.reduction.exchanges import Checked
from simcore.explore.reduction.names import Moves, Names
from simcore.explore.reduction.renaming import Described, Fact
from simcore.kernel import FREE, Journal, Kernel, Local, Packed, lesson

NOBODY, SEVERAL = -1, -2

Kind = tuple[Hashable, int]


class Component:
    """One component at one position.

    Attributes
    ----------
    owners : tuple of int
        The names that the position belongs to.
    names : tuple of int
        Those that the component mentions, each once.
    colours : tuple of (int, int)
        Names with what this component adds to their colours.
    linked : tuple of Linked
        What it tells of names together.
    exact : bool
        Whether ``linked`` and ``colours`` are all there is to tell.
    made : dict
        Components of this shape by their names.
    owner : int
        The one name that the position belongs to; `NOBODY` when there is none, `SEVERAL` when there are several.
    targets : mapping
        Where it can be moved, by its owner; by the tuple of them when there are several.
    alone : int
        What a worker that is mentioned somewhere has to add to its colour.
    """

    __slots__ = ("alone", "colours", "exact", "linked", "made", "names", "owner", "owners", "targets")

    def __init__(
        self,
        owners: tuple[int, ...],
        described: Described,
        made: dict[tuple[int, ...], int],
        targets: Any,
    ) -> None:
        self.owners, self.names, self.exact = owners, described.names, described.exact
        self.made, self.targets = made, targets
        self.owner = owners[0] if len(owners) == 1 else SEVERAL if owners else NOBODY
        self.colours: tuple[tuple[int, int], ...] = ()
        self.linked: tuple[Linked, ...] = ()
        self.alone = 0


class Components:
    """The components of the states of a kernel.

    Parameters
    ----------
    kernel : Kernel
        Whose states they are parts of.
    names : Names
        What may be exchanged.
    tested : Checked
        What program points are moved to.
    """

    def __init__(self, kernel: Kernel, names: Names, tested: Checked) -> None:
        self.kernel, self.names, self.tested, self.renaming = kernel, names, tested, tested.renaming
        self.tables: list[dict[int, Component]] = [{} for _ in range(kernel.first_future)]
        self._workers = dict(kernel.model.pools())
        self._numbers = {worker: number for team in self._workers.values() for number, worker in enumerate(team)}
        self._kinds = [self._kind_at(position) for position in range(kernel.first_future)]
        self._alike: defaultdict[Hashable, list[int]] = defaultdict(list)
        for position, kind in enumerate(self._kinds):
            self._alike[kind].append(position)
        targets = {kind: self._by_owners(alike) for kind, alike in self._alike.items()}
        self._targets_of: list[Any] = [targets[kind] for kind in self._kinds]
        self._codes: dict[Hashable, int] = {}
        self._made: dict[Hashable, dict[tuple[int, ...], int]] = {}
        self._values: dict[int, Described] = {}
        self._locals: dict[int, Described] = {}

    def of(self, state: Packed) -> list[Component]:
        """Return the components of ``state``."""
        self._reach(len(state))
        found = []
        for position, (table, number) in enumerate(zip(self.tables, state, strict=False)):
            component = table.get(number)
            if component is None:
                component = self.learn_component(position, number)
            found.append(component)
        return found

    def _reach(self, length: int) -> None:
        """Have tables for states of this length."""
        start = self.kernel.first_future - self.names.first_future
        while len(self.tables) < length:  # futures alone: the others are there from the start
            self._targets_of.append(range(start, start + sys.maxsize // 2))
            self.tables.append({})

    def _by_owners(self, alike: Iterable[int]) -> dict[Any, int]:
        """Return positions that differ in names alone, by the name or the names that they belong to."""
        owners = {other: self.owners(other) for other in alike}
        return {own[0] if len(own) == 1 else own: other for other, own in owners.items()}

    def target(self, position: int, moves: Moves) -> int:
        """Return where a position is moved."""
        owners = tuple(moves.get(name, name) for name in self.owners(position))
        targets = self._targets_of[position]
        return int(targets[owners[0] if len(owners) == 1 else owners]) if owners else position

    def _thing(self, position: int) -> Any:
        first = self.kernel.first_process
        return self.kernel.objects[position] if position < first else self.kernel.processes[position - first]

    def kind(self, position: int) -> Kind:
        """Return what a position is but for the names that it belongs to."""
        return self._kinds[position] if position < self.kernel.first_future else ("future", 0)

    def _kind_at(self, position: int) -> Kind:
        """Return what a position is but for names; workers of a pool that belongs to a name have a number, too."""
        thing = self._thing(position)
        template, names = self.names.label(thing)
        return template, self._numbers.get(thing, 0) if names else 0

    def component(self, position: int, number: int) -> Component:
        """Return the component ``number`` at ``position``, a process's own part or an object's value."""
        component = self.tables[position].get(number) if position < len(self.tables) else None
        return self.learn_component(position, number) if component is None else component

    def places_like(self, position: int, names: Sequence[int | None]) -> list[int]:
        """Return the positions that differ from ``position`` in names alone and have ``names``; None is any name."""
        places: Iterable[int] = self._alike[self.kind(position)]
        if position >= self.kernel.first_future:
            places = range(self.kernel.first_future, self.kernel.first_future + self.kernel.futures)
        elif not names:
            return [position]
        return [
            place
            for place in places
            if all(name in (None, own) for name, own in zip(names, self.owners(place), strict=True))
        ]

    def owners(self, position: int) -> tuple[int, ...]:
        """Return the names that a position belongs to."""
        if position >= self.kernel.first_future:
            return (self.names.first_future + position - self.kernel.first_future,) if self.names.futures else ()
        return self.names.owners(self._thing(position))

    # ---- learning one --------------------------------------------------------------------------------

    @property
    def journal(self) -> Journal | None:
        """Who notes what is learned."""
        return self.kernel.journal

    def look(self) -> None:
        """Look at the limits, as the kernel does."""
        self.kernel.look()

    @lesson
    def learn_component(self, position: int, number: int) -> Component:
        """Learn what ``number`` at ``position`` tells of names."""
        self._reach(position + 1)
        component = self.tables[position][number] = self._described_at(position, number)
        return component

    def _described_at(self, position: int, number: int) -> Component:
        if position >= self.kernel.first_future and number == FREE:
            return Component((), Described(None, (), ()), {}, {})
        process = self.kernel.first_process <= position < self.kernel.first_future
        described = self._local(position, number) if process else self._value(position, number)
        shape = self.renaming.shape(described.shape)
        own: Hashable = (process, shape) if described.ordered else (process, shape, number)
        owners = self.owners(position)
        component = Component(owners, described, self._made.setdefault(own, {}), self._targets_of[position])
        kind, _ = self.kind(position)
        facts = described.facts or (Fact(described.shape, (), ()),)
        told = [self._told((kind, self.renaming.shape((described.shape, fact.shape))), owners, fact) for fact in facts]
        component.colours = tuple(pair for fact in told for pair in self._colours(fact))
        component.linked = tuple(fact for fact in told if len(fact.names) > 1)
        component.alone = _colour(told[0].code)
        return component

    def _told(self, shape: Hashable, owners: tuple[int, ...], fact: Fact) -> Linked:
        """Add the names that the position belongs to; which of them the fact mentions too is part of its shape."""
        again = tuple(fact.slots[fact.names.index(name)] if name in fact.names else -1 for name in owners)
        others = [(name, slot) for name, slot in zip(fact.names, fact.slots, strict=True) if name not in owners]
        names = (*owners, *(name for name, _ in others))
        slots = (*range(-len(owners), 0), *(slot for _, slot in others))
        code = self._codes.setdefault((shape, again), len(self._codes))
        return Linked(code, names, slots, len(set(slots)) == len(slots))

    def _colours(self, fact: Linked) -> list[tuple[int, int]]:
        slots = [self._codes.setdefault((fact.code, slot), len(self._codes)) for slot in fact.slots]
        return [(name, _colour(slot)) for name, slot in zip(fact.names, slots, strict=True)]

    def _value(self, position: int, number: int) -> Described:
        if number not in self._values:
            value = self.kernel.values[number]
            clock = position == len(self.kernel.model.objects)  # deadlines are kept in order, and mean a set
            self._values[number] = self.renaming.described(frozenset(value) if clock else value)
        return self._values[number]

    def _local(self, position: int, number: int) -> Described:
        """Describe a process's own part: the label of its point, its task, and for an idle worker its pool."""
        local, pool = self.kernel.locals[number], self._thing(position).pool
        if local.point is None:
            return Described((local.status, self.names.label(pool).template), *self._alone(self.names.owners(pool)))
        if number not in self._locals:
            self._locals[number] = self._described(local)
        return self._locals[number]

    def _alone(self, names: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[Fact, ...]]:
        return names, ((Fact("idle", names, tuple(range(len(names)))),) if names else ())

    def _described(self, local: Local) -> Described:
        slots: dict[int, int] = {}
        orbit = -1
        wide = False
        if local.point is not None:
            orbit, classes = self.tested.label(local.point)
            slots = {name: number for number, alike in enumerate(classes) for name in alike}
            wide = any(len(alike) > 1 for alike in classes)
        task = self.renaming.described(local.task)
        new = len(slots)
        again = []
        for name in task.names:
            again.append(slots.setdefault(name, new))
            new = max(new, slots[name] + 1)
        shape = (orbit, local.status, task.shape, tuple(again))
        inner = tuple(fact for fact in task.facts if fact.names != task.names) if not task.ordered else ()
        facts = (Fact(shape, tuple(slots), tuple(slots.values())), *inner) if slots else ()
        exact = task.exact and task.ordered and not (wide and task.names)
        return Described(shape, tuple(slots), facts, task.ordered, exact)

    # ---- renaming one --------------------------------------------------------------------------------

    @lesson
    def learn_moved(self, position: int, number: int, names: Sequence[int], become: Sequence[int]) -> int:
        """Learn what the component ``number`` becomes when its names, in whatever order, become others."""
        component = self.tables[position][number]
        moves = {old: new for old, new in zip(names, become, strict=True) if old != new}
        new = number
        if moves and self.kernel.first_process <= position < self.kernel.first_future:
            new = self._moved_local(position, self.kernel.locals[number], moves)
        elif moves:
            value = self.renaming.renamed(self.kernel.values[number], moves)
            if position < self.kernel.first_process:
                value = self.kernel.objects[position].normalised(value)
            new = self.kernel.intern_value(value)
        component.made[tuple(moves.get(name, name) for name in component.names)] = new
        return new

    def _moved_local(self, position: int, local: Local, moves: dict[int, int]) -> int:
        pool = self._thing(position).pool
        team = self.kernel.processes if pool is None else self._workers[self.names.moved(pool, moves)]
        point = None if local.point is None else self.tested.point(local.point, moves)
        task = self.renaming.renamed(local.task, moves)
        return self.kernel.intern_local(Local(point, task, local.status), team[0])


def _colour(code: int) -> int:
    """Return a number that looks random, so small that the sum of some thousand fits into a word."""
    return mixed(code) >> 12
