"""Calls the compiled loop with both reductions, and has it learn what is missing.

It proves, or stops at a limit. Where something is violated the plain loop searches once more, with everything that has
been learned: it keeps what a counterexample needs. The steps that were followed are kept: they are few, and questions
about whole runs are asked of them where one leads back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from simcore.explore.compiled import proof
from simcore.explore.compiled.kinds import Array
from simcore.explore.compiled.known import KnownOrbits, KnownReach
from simcore.explore.compiled.registers import (
    ALIVE,
    ASK_1,
    ASK_3,
    CANONICAL,
    COMPONENT,
    CROWDED,
    DEAD,
    DEADLOCK,
    EDGES,
    EXPIRY,
    FAILED,
    FUTURES,
    LAST_TAKEN_IN,
    LEVELLED,
    LIMIT,
    LIMIT_STATES,
    LOOK,
    MAY,
    MOVED,
    MOVES,
    NEEDS,
    PAUSED,
    POSITION,
    QUEUED,
    REGISTERS,
    REMEMBERED,
    ROOM,
    STATES,
    STEP,
    STEPS,
    TAKE_IN,
    TAKEN_IN,
    TESTED,
    UNTESTED,
    UNTIL,
    WAITING,
    WAITS,
    WITHOUT,
)
from simcore.explore.compiled.rows import rehash
from simcore.explore.compiled.space import OfStates, graph_of, room_for_edges
from simcore.explore.compiled.structs import Buffers, Edges, Reached, Representatives, Room
from simcore.explore.compiled.tables import FastTables
from simcore.explore.foresight import FORESEE_AFTER
from simcore.explore.graph import Graph
from simcore.explore.limits import STEPS_OF_A_STATE
from simcore.explore.search import HUNT_AFTER, Found, Search, Unfit
from simcore.kernel import Packed

_FIRST = 4096  # states for which there is room at first
_STEPS = 64  # of one state
_BETWEEN = 4096  # states between two looks at the clock
_MORE = 8  # futures for which there is room before they are made
_MOST_STATES = (1 << 32) - 2
_ALL = (1 << 64) - 1


class ReducedSearch:
    """A breadth-first proof of deadlock freedom, and the representatives that it meets.

    Parameters
    ----------
    search : Search
        Says what is asked, and answers what no table holds yet.

    Raises
    ------
    Unfit
        When the plain loop must search.
    """

    omission = 0.0
    met: Any = None
    _call: Any = None

    def __init__(self, search: Search) -> None:
        assert search.partial_order is not None
        if search.watched is None or search.watched.version or search.watched.everything:
            raise Unfit
        self.search, self.partial_order = search, search.partial_order
        self.kernel = search.kernel
        self.tables = FastTables(search.kernel, search.knots, 0)
        self.orbits = KnownOrbits(search.symmetry)
        self.reach = KnownReach(search.partial_order)
        self._versions = [(0, self.reach.version)]
        self.registers = np.zeros(REGISTERS, np.int64)
        self.registers[[ALIVE, REMEMBERED, LAST_TAKEN_IN]] = -1
        self.registers[[STATES, LEVELLED]] = 1
        self._places, self.edges = 0, room_for_edges(_FIRST, _FIRST)
        self._widen()
        self._answers: dict[int, Callable[[Packed], Any]] = {
            MOVES: lambda state: self.tables.learn_moves(state, *self._asked[:2]),
            EXPIRY: lambda state: self.tables.learn_expiry(state, self._asked[0]),
            WITHOUT: lambda state: self.tables.learn_without(*self._asked),
            FUTURES: lambda state: self._widen(),
            WAITS: lambda state: self.tables.learn_wait(*self._asked),
            MAY: lambda state: self.tables.learn_pairs(state, self._asked, self.buffers.mark),
            QUEUED: lambda state: self.tables.learn_queued(state, *self._asked),
            COMPONENT: lambda state: self.orbits.learn_component(*self._asked[:2]),
            MOVED: lambda state: self._learn_moved(*self._asked[:2]),
            CANONICAL: lambda state: self._represent(),
            UNTESTED: lambda state: search.symmetry.tested.test(),
            NEEDS: lambda state: self.reach.learn_needs(state, self._asked[0], bool(self._asked[1])),
            TAKE_IN: self._take_in,
            CROWDED: lambda state: self._take_steps(2 * len(self.reached.rows)),
            ROOM: lambda state: self._more_room(),
        }

    # ---- room --------------------------------------------------------------------------------------------

    @property
    def _width(self) -> int:
        return self.kernel.first_future + self._places

    @property
    def _names(self) -> int:
        return self.search.symmetry.names.first_future + self._places

    def _widen(self) -> None:
        """Make room for more futures."""
        more = _MORE if list(self.kernel.model.pools()) else 0
        self._places = max(self._places, self.kernel.futures) + more
        width, processes = self._width, len(self.kernel.processes)
        codes, ids, codes_2, ids_2 = (np.zeros(width, np.int64) for _ in range(4))
        row, stack, mark, helpers = (np.zeros(size, np.uint64) for size in (1, 64, 3, 1))
        offset = np.zeros(processes, np.int64)
        self.buffers = Buffers(row, codes, ids, codes_2, ids_2, stack, offset, mark, helpers)
        self._make_room()
        self._take_steps(_STEPS if self.met is None else len(self.reached.rows))
        before = self.met or self._nothing_met()
        rows = np.zeros((len(before.rows), width), np.int32)
        rows[:, : before.rows.shape[1]] = before.rows
        self.met = replace(before, rows=rows)

    def _nothing_met(self) -> Representatives:
        """Return room for the first states, in which the initial one stands."""
        size, initial = _FIRST, self.search.canonical(self.kernel.initial)
        rows, depths = np.zeros((size, len(initial)), np.int32), np.zeros(size, np.uint32)
        slots, marks, chosen = (np.zeros(many, np.uint64) for many in (2 * size, size, size))
        met = Representatives(rows, depths, slots, marks, np.zeros(size, np.uint8), chosen)
        rows[0] = initial
        proof.index(slots, rows, 1)
        return met

    def _make_room(self) -> None:
        """Make room for what is known of one state."""
        width, names, processes = self._width, self._names, len(self.kernel.processes)
        sizes = width, names, names, names, width, names, processes + 1
        parts, roots, moves, order, sources, asked, several = (np.zeros(size, np.int64) for size in sizes)
        colours, finer, copies = (np.zeros(names, np.uint64) for _ in range(3))
        sets, matters = (np.zeros(processes + 1, np.uint64) for _ in range(2))
        some, more = (np.zeros(self.reach.words, np.uint64) for _ in range(2))
        ties = finer, roots, copies
        self.room = Room(parts, colours, *ties, moves, order, sources, asked, several, some, more, sets, matters)
        self._call = None

    def _take_steps(self, most: int) -> None:
        """Make room for the steps of one state."""
        rows, found = (np.zeros((most, self._width), np.int64) for _ in range(2))
        steps, ways = np.zeros((most, 3), np.int64), np.zeros((most, len(self.kernel.processes)), np.int64)
        self.reached = Reached(rows, steps, np.zeros(most, np.int64), found, ways, np.zeros(most, np.uint64))
        self.registers[REMEMBERED] = -1
        self._call = None

    def _more_room(self) -> None:
        """Make room for more states, or for more steps between them."""
        met, edges, registers = self.met, self.edges, self.registers
        states, steps = registers[[STATES, EDGES]] + registers[STEPS]
        if states > len(met.rows):
            self._grow(states, met.rows, met.depths, met.marks, met.ended, met.chosen)
            self._grow(states + 1, edges.starts)
        if states * 10 > len(met.slots) * 7:
            self.search.limits.allow(16 * len(met.slots))
            slots = np.zeros(2 * len(met.slots), np.uint64)
            rehash(slots, met.slots)
            met = replace(met, slots=slots)
        if steps > len(edges.targets):
            self._grow(steps, edges.targets, edges.processes, edges.outcomes)
        self.met, self.edges, self._call = replace(met), replace(edges), None

    def _grow(self, needed: int, *arrays: Array) -> None:
        """Make arrays half as long again, or as long as is needed."""
        size = max(needed, 3 * len(arrays[0]) // 2)
        self.search.limits.allow(sum((size - len(array)) * array.nbytes // len(array) for array in arrays))
        for array in arrays:
            array.resize((size, *array.shape[1:]), refcheck=False)

    # ---- the loop ----------------------------------------------------------------------------------------

    def run(self) -> Found | None:
        """Expand states until all have been; what is violated is for the plain loop to find."""
        search, registers = self.search, self.registers
        self._note()
        try:
            while registers[POSITION] < registers[STATES]:
                self._set_limits()
                while self._step():
                    pass
        finally:
            self._rely()
        search.tell(len(self.states), 0, self.depth)
        return None

    def _step(self) -> bool:
        """Expand some states, or answer one question; tell whether to go on at once."""
        status = self._prove()
        if status in self._answers:
            self._answer(status)
            return True
        if status in (DEADLOCK, FAILED) or (status == DEAD and self._dead()):
            raise Unfit
        if status == LIMIT:
            self.search.limits.check(int(self.registers[STATES]))
        if status == PAUSED:
            self._pause()
        return False

    def _answer(self, status: int) -> None:
        """Have learned what is missing."""
        self.kernel.look()
        self._answers[status](self._state())
        self._note()

    def _set_limits(self) -> None:
        registers, limits = self.registers, self.search.limits
        position = int(registers[POSITION])
        ahead = [after for after in FORESEE_AFTER if after > position]
        registers[UNTIL] = min([position + _BETWEEN, *ahead])
        registers[LIMIT_STATES] = _MOST_STATES if limits.states is None else limits.states
        registers[LOOK] = 1 + self.search.knots.guessing

    def _prove(self) -> int:
        """Call the compiled loop."""
        if self.tables.stale or self.orbits.stale or self.reach.stale or self._call is None:
            arrays = self.tables.arrays(), self.orbits.arrays(), self.reach.arrays()
            if len(self.room.some) != self.reach.words:
                self._make_room()
            given = *arrays, self.buffers, self.room, self.met, self.edges, self.registers, self.reached
            self._call = proof.prove.given(*given)
        return int(self._call())

    def _pause(self) -> None:
        """Look at the clock, and now and then ahead."""
        search, registers = self.search, self.registers
        search.limits.check(0)
        search.tell(int(registers[STATES]), int(registers[STATES] - registers[POSITION]), self.covered + 1)
        looked_at = max(registers[STATES], registers[EDGES] // STEPS_OF_A_STATE)
        if not search.looked_ahead and looked_at >= HUNT_AFTER:
            search.hunt()
        if registers[POSITION] in FORESEE_AFTER:
            search.foresee(int(registers[POSITION]), self._rely)
            self.partial_order.relied_on.clear()
        self._note()

    def _note(self) -> None:
        """Notice what has been learned meanwhile."""
        registers, kernel = self.registers, self.kernel
        self.tables.note()
        while len(self.tables.columns) < kernel.first_future + kernel.futures:
            self.tables.add_future()
        registers[TESTED] = not self.search.symmetry.tested.behind
        registers[TAKEN_IN] = not self.reach.behind
        if self.reach.version != self._versions[-1][1]:
            self._versions.append((int(registers[POSITION]), self.reach.version))

    @property
    def _asked(self) -> list[int]:
        return self.registers[ASK_1 : ASK_3 + 1].tolist()  # type: ignore[no-any-return]

    def _state(self) -> Packed:
        return self.tables.state(self.buffers.ids.tolist())

    def _dead(self) -> bool:
        """Have it proved that somebody can never move again; remember when nobody is."""
        registers, knots = self.registers, self.search.knots
        if knots.dead(self._state(), int(self.buffers.mark[0]), int(registers[WAITING]) & _ALL):
            return True
        registers[ALIVE] = registers[POSITION]
        return False

    def _take_in(self, state: Packed) -> None:
        self.reach.take_in(state)
        self.registers[LAST_TAKEN_IN] = self.registers[POSITION]

    def _learn_moved(self, position: int, number: int) -> None:
        self.orbits.learn_moved(position, number, self.room.asked.tolist())

    def _represent(self) -> None:
        """Have a representative found where names tie, or a worker is mentioned."""
        step = int(self.registers[STEP])
        state = self.tables.state(self.reached.rows[step].tolist())
        found, way = self.search.symmetry.chosen(state)
        self.reached.found[step] = 0
        self.reached.found[step, : len(found)] = found
        self.reached.ways[step], self.reached.known[step] = way, 1

    def _rely(self) -> None:
        """Say what was relied on that may not stand any more; and, when anything was, at least one thing."""
        last, relied_on = int(self.registers[POSITION]), self.partial_order.relied_on
        self.partial_order.footprints.update()
        relied_on.clear()
        starts = [*self._versions, (last, -1)]
        for (first, version), (end, _) in pairwise(starts):
            some = first + np.flatnonzero(self.met.chosen[first:end])
            if version == self.reach.version:
                some = some[: not relied_on]
            relied_on += [(self.states[number], int(self.met.chosen[number]), version) for number in some.tolist()]

    # ---- what has been met -------------------------------------------------------------------------------

    @property
    def states(self) -> States:
        """The representatives, as the kernel knows them."""
        return States(self)

    @property
    def expanded(self) -> range:
        """The numbers of the states that were expanded."""
        return range(int(self.registers[POSITION]))

    @property
    def depth(self) -> int:
        """The steps from the initial state to the farthest."""
        return int(self.met.depths[: self.registers[STATES]].max())

    @property
    def covered(self) -> int:
        """All states that are at most so many steps from the initial one have been expanded; -1 when not even that."""
        last = int(self.registers[POSITION])
        return int(self.met.depths[last]) - 1 if last < self.registers[STATES] else self.depth

    @property
    def transitions(self) -> int:
        """The number of edges."""
        return int(self.registers[EDGES])

    def forward(self) -> bool:
        """Tell whether every step leads to a state with a higher number."""
        return bool(self.registers[LEVELLED])

    @cached_property
    def graph(self) -> Graph:
        """The steps that were followed from the states that were expanded; asked when the search has ended."""
        edges, last = self.edges, int(self.registers[POSITION])
        steps = int(edges.starts[last])
        columns = edges.targets, edges.processes, edges.outcomes
        return graph_of(Edges(edges.starts[: last + 1], *(column[:steps] for column in columns)))

    @property
    def bytes(self) -> int:
        """The size of everything that grows with the number of states."""
        kept = self.met, self.edges
        return int(sum(getattr(each, field.name).nbytes for each in kept for field in fields(each)))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a report should say about how the states are kept."""
        return (f"compiled loop: {round(self.bytes / len(self.states))} bytes per state",)


class States(OfStates[Packed]):
    """The representatives of a search, as the kernel knows them."""

    def __getitem__(self, number: Any) -> Any:
        if not 0 <= number < len(self):
            raise IndexError(number)
        return self._space.tables.state(self._space.met.rows[number].tolist())

    def column(self, place: int) -> Array:
        """Return what stands at a place of each."""
        return self._space.met.rows[: len(self), place]
