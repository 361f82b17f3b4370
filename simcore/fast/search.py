"""Calls the compiled loop, has it learn what is missing, and looks at what it cannot: the plain search's verdict.

A violation is the one that the plain loop would have found: what was met after it is forgotten again.
"""

from __future__ import annotations

from array import array
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from simcore.fast import loop
from simcore.fast.columns import Array
from simcore.fast.loop import (
    ALIVE,
    ASK_1,
    ASK_2,
    ASK_3,
    DEAD,
    DEADLOCK,
    EDGES,
    EXPIRY,
    FAILED,
    FUTURES,
    LEVEL,
    LEVEL_END,
    LEVELLED,
    LIMIT,
    LIMIT_STATES,
    LOOK,
    MAY,
    MOVES,
    PAUSE_EDGES,
    PAUSE_STATES,
    PAUSED,
    POSITION,
    QUEUED,
    READY,
    ROOM,
    STATES,
    UNTIL,
    WAITING,
    WAITS,
    WITHOUT,
    WRONG,
)
from simcore.fast.space import PackedSpace
from simcore.fast.tables import FastTables
from simcore.graph import Graph
from simcore.kernel import Packed
from simcore.limits import STEPS_OF_A_STATE
from simcore.search import HUNT_AFTER, Found, Search, Unfit
from simcore.spec import NO_FAILURE

_BATCH = 16_384  # states between two looks at the clock
_MOST_STATES = (1 << 32) - 2
_MOST_EDGES = (1 << 63) - 1
_ALL = (1 << 64) - 1


class Edges(NamedTuple):
    """The arrays of a `Graph`."""

    starts: Array
    targets: Array
    processes: Array
    outcomes: Array


class FastSearch(PackedSpace):
    """A breadth-first search, and the space that it meets.

    Parameters
    ----------
    search : Search
        Says what is asked, and judges what the compiled loop cannot.
    looked_at : int
        So many states have been met before, and violate nothing by themselves.

    Raises
    ------
    Unfit
        When the plain loop must search.
    """

    def __init__(self, search: Search, looked_at: int) -> None:
        self.search = search
        super().__init__(FastTables(search.kernel, search.knots))
        self._looked_at = self._told = looked_at
        self._pending = bool(search.invariants or search.wanted)
        self._answers = {
            MOVES: self._learn_moves,
            EXPIRY: self._learn_expiry,
            WITHOUT: self._learn_without,
            FUTURES: self.tables.add_future,
            WAITS: self._learn_wait,
            MAY: self._learn_pair,
            QUEUED: self._learn_queued,
            ROOM: self.make_room,
        }

    # ---- the loop --------------------------------------------------------------------------------------

    def run(self) -> Found | None:
        """Expand states until one violates something; None when all have been expanded."""
        search, registers = self.search, self.registers
        while True:
            self._set_limits(search.looked_ahead)
            found = self._batch()
            if found is not None:
                return found
            if not search.looked_ahead and self._many():
                search.hunt()
            elif registers[POSITION] == registers[LEVEL_END] and not self.next_level():
                return None
            self._tell()

    def _many(self) -> bool:
        """Tell whether it is time to look ahead."""
        return bool(self.registers[STATES] >= HUNT_AFTER or self.registers[EDGES] >= HUNT_AFTER * STEPS_OF_A_STATE)

    def _set_limits(self, looked_ahead: bool) -> None:
        registers, limits = self.registers, self.search.limits
        registers[LIMIT_STATES] = _MOST_STATES if limits.states is None else limits.states
        registers[PAUSE_STATES] = _MOST_STATES if looked_ahead else HUNT_AFTER
        registers[PAUSE_EDGES] = _MOST_EDGES if looked_ahead else HUNT_AFTER * STEPS_OF_A_STATE
        registers[LOOK] = 0 if self.search.deadlock is None else 1 + self.search.knots.guessing
        self.begin(_BATCH)
        registers[UNTIL] = min(registers[LEVEL_END], registers[POSITION] + _BATCH)

    def _batch(self) -> Found | None:
        """Expand some states; return the first violation."""
        try:
            status = self._go()
        except Exception:  # what comes first is reported first
            found = self._wrong_before(int(self.registers[POSITION]))
            if found is not None:
                return found
            raise
        found = self._wrong_before(int(self.registers[POSITION]))
        if found is not None:
            return found
        if status == FAILED:
            return Found(NO_FAILURE, int(self.registers[WRONG]))
        if status in (DEAD, DEADLOCK):
            assert self.search.deadlock is not None
            return Found(self.search.deadlock.name, int(self.registers[POSITION]))
        self.search.limits.check(int(self.registers[STATES]) if status == LIMIT else 0)
        return None

    def _go(self) -> int:
        """Run the compiled loop, and answer what it asks, until it stops for good or for now."""
        while True:
            self.refresh()
            status = int(loop.run(self.arrays, self.layout, self.buffers, self.met, self.registers))
            if status == DEAD and not self._dead():
                continue
            if status not in self._answers:
                if status not in (PAUSED, LIMIT, FAILED, DEAD, DEADLOCK):
                    raise Unfit
                return status
            self._answers[status]()

    def _dead(self) -> bool:
        """Have it proved that somebody can never move again; remember when nobody is."""
        registers, knots = self.registers, self.search.knots
        state = self._state()
        if knots.dead(state, int(self.buffers.mark[0]), int(registers[WAITING]) & _ALL):
            return True
        registers[ALIVE], registers[LOOK] = registers[POSITION], 1 + knots.guessing
        return False

    def _wrong_before(self, position: int) -> Found | None:
        """Look at the new states, up to the last that a state before ``position`` has led to, for an invariant."""
        if not self._pending:
            return None
        last = int(self.registers[STATES])
        if self.registers[WRONG] >= 0:
            last = int(self.registers[WRONG])
        last = max(last, self._looked_at)
        for number, state in enumerate(self.states.between(self._looked_at, last), self._looked_at):
            if self.parents[number] >= position:
                break
            wrong = self.search.wrong_in(state)
            if wrong is not None:
                self.cut(int(self.parents[number]))
                return Found(wrong, number)
        self._looked_at = last
        return None

    def _tell(self) -> None:
        search, registers = self.search, self.registers
        if registers[STATES] > self._told:  # so many had been met when it began again
            frontier = int(registers[STATES] - registers[POSITION])
            search.tell(int(registers[STATES]), frontier, len(self.levels) - 1)

    # ---- what it asks for ------------------------------------------------------------------------------

    def _state(self) -> Packed:
        return self.states[int(self.registers[POSITION])]  # type: ignore[no-any-return]

    def _asked(self) -> list[int]:
        return self.registers[[ASK_1, ASK_2, ASK_3]].tolist()  # type: ignore[no-any-return]

    def _learn_moves(self) -> None:
        process, fresh, _ = self._asked()
        self.tables.learn_moves(self._state(), process, fresh)

    def _learn_expiry(self) -> None:
        self.tables.learn_expiry(self._state(), self._asked()[0])

    def _learn_without(self) -> None:
        self.tables.learn_without(*self._asked())

    def _learn_wait(self) -> None:
        self.tables.learn_wait(*self._asked())

    def _learn_pair(self) -> None:
        self.tables.learn_pair(self._state(), *self._asked())

    def _learn_queued(self) -> None:
        self.tables.learn_queued(self._state(), *self._asked())

    def allow(self, more: int) -> None:
        """Raise when ``more`` bytes would be more than the search may take."""
        self.search.limits.allow(more)

    # ---- afterwards ------------------------------------------------------------------------------------

    def deepen(self, search: Search, distance: int) -> None:
        """Expand the states nearer than ``distance``, without looking at them."""
        registers = self.registers
        self._set_limits(looked_ahead=True)
        registers[LOOK] = 0
        registers[UNTIL] = registers[LEVEL_END] if self.depths[int(registers[LEVEL])] < distance else 0
        self.begin(int(registers[UNTIL] - registers[POSITION]) + 1)
        status = FAILED
        while status == FAILED:
            registers[WRONG] = -1
            status = self._go()
            search.limits.check(int(registers[STATES]) if status == LIMIT else 0)

    def forward(self) -> bool:
        """Tell whether each step leads one level further; then no run goes round."""
        return bool(self.registers[LEVELLED])

    @cached_property
    def graph(self) -> Graph:
        """The steps of all states that were expanded, found once more; asked when the search has ended."""
        last, size = int(self.registers[POSITION]), int(self.registers[EDGES])
        edges = Edges(
            np.zeros(last + 1, np.uint64), *(np.zeros(size, kind) for kind in (np.uint32, np.uint16, np.uint16))
        )
        self.registers[POSITION], self.registers[READY] = 0, -1
        while self.registers[POSITION] < last:
            self.refresh()
            args = self.arrays, self.layout, self.buffers, self.met, self.registers
            status = int(loop.edges(*args, edges, last))
            if status != PAUSED:
                self._answers[status]()
        return Graph(*(_as_array(kind, column) for kind, column in zip("QIHH", edges, strict=True)))


def _as_array(kind: str, column: Array) -> Any:
    found: array[int] = array(kind)
    found.frombytes(column.tobytes())
    return found
