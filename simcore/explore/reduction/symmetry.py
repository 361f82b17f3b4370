"""The representative of a state is the same for every state that differs from it by a permutation of names.

What a component of a state (the value of an object, a process's own part) tells of the names that it mentions
is a fact: a shape, and the names in their slots. A name is coloured by the facts that mention it, then again by
the colours of the names that it is mentioned with, until nothing changes (colour refinement); sorted by their
colours the names get their new places. Names that tie then are exchanged by a permutation that changes nothing,
where the facts that connect them form a forest; where they do not, each of them is tried as the first of its tie, and
the smallest state is the representative. After `MOST_TRIED` of those the rest is broken arbitrarily, which is sound:
an orbit then may have more than one representative.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simcore.explore.reduction.colours import Colours, Linked, told_apart
from simcore.explore.reduction.components import NOBODY, SEVERAL, Component, Components
from simcore.explore.reduction.exchanges import Checked
from simcore.explore.reduction.names import FUTURES, Names, NotSymmetric
from simcore.kernel import FREE, Kernel, Packed
from simcore.model import Process
from simcore.model.operations import SharedObject

MOST_TRIED = 24


class Symmetry:
    """Representatives of states under every permutation of names.

    Parameters
    ----------
    kernel : Kernel
        Whose states are reduced.
    on : bool
        False leaves every state as it is.
    apart : mapping of str to str
        Families that are to be told apart, with the reasons.

    Attributes
    ----------
    apart : dict
        Families that are told apart, with the reasons, those that were found out included.
    interchangeable : frozenset
        Processes and objects that stand for each other.
    """

    def __init__(self, kernel: Kernel, on: bool = True, apart: Mapping[str, str] | None = None) -> None:
        self.kernel = kernel
        self.apart = dict(apart or {})
        self.identity = tuple(range(len(kernel.processes)))
        self._pools = [team for _, team in kernel.model.pools()] if on else []
        while not self._set_up(on):
            pass
        self.components = Components(kernel, self.names, self.tested)
        self._tables = self.components.tables
        self._first_worker, self._first_future = self.names.first_worker, self.names.first_future
        self._last_state: Packed | None = None
        self._last: tuple[list[Component], Colours, list[int] | None]
        self.spans = [(block.first, block.first + block.size) for block in self.names.blocks]
        self._place_workers(kernel.first_process)
        families = [block.family for block in self.names.blocks]
        owned = [thing for thing in self.names.things if self.names.owners(thing)] if families else []
        workers = [w for team in self._pools for w in team if self.names.of_worker(w) is not None]
        self.interchangeable: frozenset[Process | SharedObject] = frozenset([*owned, *workers])
        self.trivial = not (workers or families or (self._pools and self.names.futures))
        self.told = " and ".join(["workers"] * bool(self.teams) + [f"{family}[*]" for family in families])

    def _set_up(self, on: bool) -> bool:
        families = [f for f, names in self.kernel.model.families.items() if on and len(names) > 1]
        there = [family for family in families if family not in self.apart]
        try:
            self.names = Names(self.kernel, there, futures=bool(self._pools) and FUTURES not in self.apart)
            self.tested = Checked(self.kernel, self.names)
        except NotSymmetric as found:
            self.apart[found.family] = found.reason
            return False
        return True

    def _place_workers(self, first: int) -> None:
        pools = [team for team in self._pools if self.names.of_worker(team[0]) is not None]
        names = {first + worker.index: self.names.of_worker(worker) for team in pools for worker in team}
        self._worker_at = {place: name for place, name in names.items() if name is not None}
        self._place_of = {name: place for place, name in self._worker_at.items()}
        self._spans_of_pools = [(first + team[0].index, first + team[-1].index + 1) for team in pools]
        self.teams = [(start, end) for start, end in self._spans_of_pools if end - start > 1]
        last = self.kernel.first_future
        self._owned = [place for place in range(first, last) if self.components.owners(place)]

    @property
    def notes(self) -> tuple[str, ...]:
        """For each family that is told apart, why."""
        told = [(family if family == FUTURES else f"{family}[*]", reason) for family, reason in self.apart.items()]
        return tuple(f"{family} told apart: {reason}" for family, reason in told)

    def learn(self, lesson: str, *args: Any) -> None:
        """Repeat a lesson of a journal: `Components.learn_...` or `Checked.learn_images`."""
        getattr(self.components if hasattr(self.components, lesson) else self.tested, lesson)(*args)

    # ---- what belongs to names -----------------------------------------------------------------------

    def component(self, position: int, number: int) -> Component:
        """Return what ``number`` at ``position`` tells of names."""
        self.tested.test()
        return self.components.component(position, number)

    def mentions_names(self, thing: Any) -> bool:
        """Tell whether ``thing`` mentions names, which a permutation would change."""
        return bool(self.components.renaming.described(thing).names)

    def owners(self, position: int) -> tuple[int, ...]:
        """Return the names that a position of the state belongs to."""
        return self.components.owners(position)

    def places_like(self, position: int, names: Sequence[int | None]) -> list[int]:
        """Return the positions that differ from ``position`` in names alone and have ``names``; None is any name."""
        return self.components.places_like(position, names)

    # ---- one state -----------------------------------------------------------------------------------

    def representative(self, state: Packed) -> Packed:
        """Return the representative of the orbit of ``state``.

        Raises
        ------
        NotSymmetric
            When what has been learned since the last time tells names of a family apart.
        """
        components, colours, moves = self._coloured(state)
        if moves is not None:
            return self._built(state, components, colours, moves.copy())
        return min(
            self._built(state, components, finer, self._sorted(finer)) for finer in self._finer(components, colours)
        )

    def permutation(self, state: Packed) -> tuple[int, ...]:
        """Return, for each process of ``state``, which process of the representative plays its part."""
        return self.chosen(state)[1]

    def in_order(self, processes: Sequence[int]) -> tuple[int, ...]:
        """Return what each process is moved to so that ``processes`` come in the order of their names."""
        came = [name for p in processes for name in self.names.owners(self.kernel.processes[p])]
        moves: dict[int, int] = {}
        for first, end in self.spans:
            names = dict.fromkeys([*(name for name in came if first <= name < end), *range(first, end)])
            moves.update(zip(names, range(first, end), strict=True))
        place = self.kernel.first_process
        return tuple(self.components.target(place + p, moves) - place for p in self.identity)

    def chosen(self, state: Packed) -> tuple[Packed, tuple[int, ...]]:
        """Return the representative of ``state``, and for each process which process of it plays its part."""
        components, colours, moves = self._coloured(state)
        found = []
        for finer in [colours] if moves is not None else self._finer(components, colours):
            way = list(self.identity)
            found.append((self._built(state, components, finer, list(moves or self._sorted(finer)), way), tuple(way)))
        return min(found, key=lambda built: built[0])

    def alike(self, state: Packed) -> dict[int, int]:
        """Return, for processes whom an exchange that changes nothing in ``state`` moves to others, who is the first.

        Names that tie, where that does not matter, are exchanged so, with all processes that belong to them; and
        workers of a pool that are at the same, where nothing mentions them.
        """
        components, colours, moves = self._coloured(state)
        if moves is None:
            return {}
        place, firsts, found = self.kernel.first_process, dict[Any, int](), dict[int, int]()
        for position in self._owned:
            owner = components[position].owner
            if owner >= 0:
                found[position - place] = firsts.setdefault(
                    (self.components.kind(position), colours[owner]), position - place
                )
        for start, end in self.teams:
            for position in range(start, end):
                if not colours[self._worker_at[position]]:
                    found[position - place] = firsts.setdefault((start, state[position]), position - place)
        return found

    def exchanged(self, state: Packed) -> Iterator[tuple[str, int, Packed]]:
        """Yield ``state`` with a name and the next one of its family exchanged, for each, with the family and the name.

        Left out are workers and futures of which the state says the same, so that it stays what it is.
        Products of these exchanges are all permutations, so what can be reached by them is the whole orbit.
        """
        futures = self.kernel.futures if self.names.futures else 0
        teams = [(self._worker_at[start], self._worker_at[end - 1] + 1) for start, end in self.teams]
        mentioned = {name for component in self._looked_up(state) if component.names for name in component.names}
        for first, end in [*self.spans, *teams, (self._first_future, self._first_future + futures)]:
            for name in range(first, end - 1):
                if name in mentioned or name + 1 in mentioned or not self._the_same(state, name):
                    yield self.names.family(name), name, self._exchanged(state, name, self._first_future + futures)

    def _the_same(self, state: Packed, name: int) -> bool:
        """Tell whether ``name`` and the next one, of workers or futures, stand for the same; an index owns places."""
        if name < self._first_worker:
            return False
        if name < self._first_future:
            return state[self._place_of[name]] == state[self._place_of[name + 1]]
        place = self.kernel.first_future + name - self._first_future
        return all(number == FREE for number in state[place : place + 2])

    def _exchanged(self, state: Packed, name: int, count: int) -> Packed:
        components, last = self._looked_up(state), self.kernel.first_future
        moves = list(range(count))
        moves[name : name + 2] = name + 1, name
        if name < self._first_worker:  # the workers of a pool that is moved go with it
            swap = {name: name + 1, name + 1: name}
            for place, worker in self._worker_at.items():
                moves[worker] = self._worker_at[self.components.target(place, swap)]
        made = [FREE] * self.kernel.futures if self.names.futures else list(state[last:])
        new = [*state[:last], *made]
        self._move(state, components, moves, range(len(state)), new)
        if self._first_worker <= name < self._first_future:
            one, other = self._place_of[name], self._place_of[name + 1]
            new[one], new[other] = new[other], new[one]
        while len(new) > last and new[-1] == FREE:
            new.pop()
        return tuple(new)

    def _coloured(self, state: Packed) -> tuple[list[Component], Colours, list[int] | None]:
        """Return the components of ``state``, their colours, and where its names go; the last answer is kept."""
        if state is not self._last_state:
            components = self._looked_up(state)
            colours = self._colours(components, len(state))
            self._last, self._last_state = (components, colours, self._moves(components, colours)), state
        return self._last

    def _looked_up(self, state: Packed) -> list[Component]:
        self.tested.test()
        if len(self._tables) < len(state):  # the first state with so many futures
            return self.components.of(state)
        try:
            return [table[number] for table, number in zip(self._tables, state, strict=False)]
        except KeyError:
            return self.components.of(state)

    # ---- the order of names --------------------------------------------------------------------------

    def _colours(self, components: Sequence[Component], length: int) -> Colours:
        """Return what the components of a state say of each name, summed up."""
        names = self.names
        colours = [0] * (names.first_future + length - self.kernel.first_future)
        for component in components:
            for name, mix in component.colours:
                colours[name] += mix
        if any(colours[names.first_worker : names.first_future]):  # a lock has an owner, or somebody waits with a limit
            for place, name in self._worker_at.items():
                if colours[name]:
                    colours[name] += components[place].alone
        return colours

    def _moves(self, components: Sequence[Component], colours: Colours) -> list[int] | None:
        """Return where each name goes, in the order of their colours; None when that depends on how ties are broken."""
        moves = list(range(len(colours)))
        tied: list[int] = []
        for first, names in self._groups(colours):
            previous, before = 0, -1
            for place, name in enumerate(sorted(names, key=colours.__getitem__), first):
                moves[name] = place
                if colours[name] == previous:
                    tied += (before, name)
                previous, before = colours[name], name
        mentioned = [colour for colour in colours[self._first_worker : self._first_future] if colour]
        if mentioned and (tied or len(set(mentioned)) < len(mentioned)):
            return None
        return None if tied and self._matter(components, tied) else moves

    def _matter(self, components: Sequence[Component], tied: list[int]) -> bool:
        """Tell whether something connects names that tie with others."""
        some = set(tied)
        for component in components:
            if not component.exact:
                return True
            for fact in component.linked:
                if not some.isdisjoint(fact.names):
                    return True
        return False

    def _sorted(self, colours: Colours) -> list[int]:
        """Return where each name goes, in the order of their colours; those that tie as they come."""
        moves = list(range(len(colours)))
        for first, names in self._groups(colours):
            for place, name in enumerate(sorted(names, key=colours.__getitem__), first):
                moves[name] = place
        return moves

    def _groups(self, colours: Colours) -> list[tuple[int, list[int]]]:
        """Return names that may be exchanged, and where the first of them goes."""
        start = self.names.first_future
        alive = [name for name in range(start, len(colours)) if colours[name]]
        return [*((first, list(range(first, end))) for first, end in self.spans), (start, alive)]

    def _finer(self, components: Sequence[Component], colours: Colours) -> list[Colours]:
        """Return colours with which no tie matters; several, when each is to be tried."""
        facts = [fact for component in components for fact in component.linked]
        exact = all(component.exact for component in components)
        groups = [names for _, names in self._groups(colours)]
        mentioned = [name for name in self._worker_at.values() if colours[name]]
        if mentioned:
            groups.append(mentioned)
            facts += [
                self._at_work(name, components[place]) for place, name in self._worker_at.items() if colours[name]
            ]
        return told_apart(colours, facts, groups, exact, MOST_TRIED)

    def _at_work(self, worker: int, component: Component) -> Linked:
        """Return the fact that a worker, which is mentioned somewhere, does what it does."""
        slots = tuple(slot for fact in component.linked[:1] for slot in fact.slots)
        names = (*component.owners, *(name for name in component.names if name not in component.owners))
        return Linked(
            component.alone,
            (worker, *names),
            (-100, *(slots if len(slots) == len(names) else range(len(names)))),
            False,
        )

    # ---- the representative --------------------------------------------------------------------------

    def _built(
        self,
        state: Packed,
        components: Sequence[Component],
        colours: Colours,
        moves: list[int],
        way: list[int] | None = None,
    ) -> Packed:
        """Return ``state`` with its names moved, and write into ``way`` where its processes go."""
        first, last = self.kernel.first_process, self.kernel.first_future
        new = list(state[:last])
        moved = moves != list(range(len(moves)))
        if moved:
            self._move(state, components, moves, range(first, last), new)
        mentioned = any(colours[self._first_worker : self._first_future])
        if way is None and not mentioned:
            for start, end in self.teams:
                new[start:end] = sorted(new[start:end])
        else:
            sources = self._sources(components, moves) if moved else list(range(last))
            self._order_workers(new, sources, colours, moves, mentioned)
            if way is not None:
                for target in range(first, last):
                    way[sources[target] - first] = target - first
        if moved or mentioned:
            self._move(state, components, moves, range(first), new)
        if len(state) == last:
            return tuple(new)
        alive = [FREE for component in components[last:] if component.colours]
        new += alive if self.names.futures else state[last:]
        self._move(state, components, moves, range(last, len(state)), new)
        return tuple(new)

    def _move(
        self, state: Packed, components: Sequence[Component], moves: list[int], positions: range, new: list[int]
    ) -> None:
        """Write what stands at ``positions`` where it goes."""
        for position in positions:
            component = components[position]
            names, owner, number = component.names, component.owner, state[position]
            if names:
                moved = tuple([moves[name] for name in names])
                known = component.made.get(moved)
                number = self.components.learn_moved(position, number, names, moved) if known is None else known
            elif owner == NOBODY:
                continue
            if owner >= 0:
                position = component.targets[moves[owner]]
            elif owner == SEVERAL:
                position = component.targets[tuple([moves[name] for name in component.owners])]
            new[position] = number

    def _sources(self, components: Sequence[Component], moves: list[int]) -> list[int]:
        """Return, for each position, which one goes there."""
        sources = list(range(self.kernel.first_future))
        for position in self._owned:
            component = components[position]
            owner = component.owner
            to = moves[owner] if owner >= 0 else tuple([moves[name] for name in component.owners])
            sources[component.targets[to]] = position
        return sources

    def _order_workers(
        self, new: list[int], sources: list[int], colours: Colours, moves: list[int], mentioned: bool
    ) -> None:
        """Sort the workers of each pool by what they do, then by where they are mentioned."""
        names = self._worker_at
        for start, end in self._spans_of_pools:
            team = new[start:end]
            if not mentioned and team == sorted(team):
                continue
            order = sorted(range(start, end), key=lambda place: (new[place], colours[names[sources[place]]]))
            new[start:end] = [new[place] for place in order]
            sources[start:end] = [sources[place] for place in order]
            for place in range(start, end):
                moves[names[sources[place]]] = names[place]
