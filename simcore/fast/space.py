"""What the compiled loop has met: a row, a parent and a place in the hash table for each state, and no more.

Depths follow from where levels begin. Edges are not kept: whoever asks for the graph has it made in a second
pass over the rows. What was read of a state (`Space.marks`) is kept for the level that is expanded and for the
next one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from simcore.fast.columns import Array, Layout
from simcore.fast.loop import (
    ALIVE,
    EDGES,
    JUDGED,
    LEVEL,
    LEVEL_END,
    LEVELLED,
    LOG,
    MOST_PROCESSES,
    MOST_STEPS,
    POSITION,
    READY,
    REGISTERS,
    STATES,
    STEPS,
    WHO,
    WRONG,
    index,
    numbers_of,
    rehash,
    repack,
)
from simcore.fast.tables import FastTables
from simcore.kernel import Packed

_FIRST = 4096  # states for which there is room at first
_CHUNK = 4096


class Met(NamedTuple):
    """The arrays of a space; ``marks`` and ``following`` are of the level that is expanded and of the next one."""

    rows: Array
    parents: Array
    slots: Array
    marks: Array
    following: Array
    log: Array


class Buffers(NamedTuple):
    """Where the compiled functions keep what they know of one state and its steps."""

    row: Array
    codes: Array
    ids: Array
    codes_2: Array
    ids_2: Array
    after: Array
    steps: Array
    stack: Array
    offset: Array
    mark: Array
    helpers: Array


def _buffers(columns: int, words: int, processes: int) -> Buffers:
    codes = [np.zeros(columns, np.int64) for _ in range(4)]
    return Buffers(
        np.zeros(words, np.uint64),
        codes[0],
        codes[1],
        codes[2],
        codes[3],
        np.zeros((MOST_STEPS, words), np.uint64),
        np.zeros((MOST_STEPS, 3), np.int64),
        np.zeros(64, np.uint64),
        np.zeros(processes, np.int64),
        np.zeros(2, np.uint64),
        np.zeros(1, np.uint64),
    )


class PackedSpace:
    """What `search.Space` is, in arrays; it begins with the initial state.

    Parameters
    ----------
    tables : FastTables
        Of the kernel whose states are met.

    Attributes
    ----------
    registers : array
        Where the search is; see `loop.py`.
    levels : list of int
        The first state of each level, up to the one that is expanded.
    """

    def __init__(self, tables: FastTables) -> None:
        self.tables = tables
        self.registers = np.zeros(REGISTERS, np.int64)
        self.registers[[ALIVE, JUDGED, READY, WRONG]] = -1
        self.registers[[STATES, LEVEL_END, LEVELLED]] = 1
        self.levels = [0]
        tables.columns.arrange()
        self._layout: Layout | None = None
        self.met = Met(
            np.empty((_FIRST, tables.columns.words), np.uint64),
            np.zeros(_FIRST, np.uint32),
            np.zeros(2 * _FIRST, np.uint64),
            np.zeros(1, np.uint64),
            np.zeros(_FIRST, np.uint64),
            np.zeros(1, np.int64),
        )
        self.met.rows[0] = tables.columns.packed(tables.kernel.initial)
        self.refresh()

    # ---- arrays ----------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Bring the arrays up to date with the tables, in another layout where a code does not fit any more."""
        tables, columns = self.tables, self.tables.columns
        if tables.stale:
            self.arrays = tables.arrays()
        if columns.tight or self._layout is not columns.layout:
            old, rows = self._layout or columns.layout, self.met.rows
            if columns.tight:
                columns.arrange()
            self.buffers = _buffers(len(columns), columns.words, self.arrays.processes)
            self._layout, size = columns.layout, int(self.registers[STATES])
            if old is not self._layout:
                self.met = self.met._replace(rows=np.empty((len(rows), columns.words), np.uint64))
                repack(old, self._layout, rows, self.met.rows, size, self.buffers.codes, self.buffers.ids)
            self._index()

    def _index(self) -> None:
        """Fill the set of states."""
        self.met.slots[:] = 0
        index(self.met.slots, self.met.rows, self.registers[STATES])
        self.registers[READY] = -1

    @property
    def layout(self) -> Layout:
        """How a state lies in a row."""
        assert self._layout is not None
        return self._layout

    def make_room(self) -> None:
        """Make room for the steps of one more state."""
        met, needed = self.met, int(self.registers[STATES] + self.registers[STEPS])
        if needed > len(met.rows):
            size, words = max(needed, len(met.rows) * 5 // 4), met.rows.shape[1]
            self.allow((size - len(met.rows)) * (8 * words + 4))
            met.rows.resize((size, words), refcheck=False)
            met.parents.resize(size, refcheck=False)
        if needed * 10 > len(met.slots) * 7:
            self.allow(16 * len(met.slots))
            slots = np.zeros(2 * len(met.slots), np.uint64)
            rehash(slots, met.slots)
            self.met = met = met._replace(slots=slots)
        if needed - self.registers[LEVEL_END] > len(met.following):
            following = np.empty(max(needed, 2 * len(met.following)), np.uint64)
            following[: len(met.following)] = met.following
            self.met = met._replace(following=following)

    def allow(self, more: int) -> None:
        """Raise when ``more`` bytes would be too much."""

    def next_level(self) -> bool:
        """Go on to the states that the last level has led to; tell whether there are any."""
        registers = self.registers
        if registers[LEVEL_END] == registers[STATES]:
            return False
        registers[LEVEL], registers[LEVEL_END] = registers[LEVEL_END], registers[STATES]
        self.levels.append(int(registers[LEVEL]))
        self.met = self.met._replace(marks=self.met.following, following=np.empty_like(self.met.following))
        return True

    def begin(self, most: int) -> None:
        """Begin to count the edges of the next ``most`` states one by one."""
        self.registers[LOG] = self.registers[POSITION]
        if len(self.met.log) < most:
            self.met = self.met._replace(log=np.zeros(most, np.int64))

    def cut(self, parent: int) -> None:
        """Forget what was met after ``parent`` was expanded, in the states counted since `begin`."""
        registers = self.registers
        states = 1 + int(np.searchsorted(self.met.parents[1 : registers[STATES]], parent, side="right"))
        registers[STATES], registers[POSITION] = states, parent + 1
        registers[EDGES] = self.met.log[parent - registers[LOG]]
        registers[[ALIVE, JUDGED, WRONG]] = -1
        self._index()

    # ---- as the plain space ----------------------------------------------------------------------------

    @property
    def states(self) -> States:
        """All states, by number."""
        return States(self)

    @property
    def parents(self) -> Array:
        """For each state the one from which it was met first."""
        return self.met.parents

    @property
    def depths(self) -> Depths:
        """The steps from the initial state to each."""
        return Depths(self)

    @property
    def marks(self) -> Marks:
        """Who waits and who has ended."""
        return Marks(self)

    @property
    def depth(self) -> int:
        """The steps from the initial state to the farthest."""
        return int(self.depths[int(self.registers[STATES]) - 1])

    @property
    def transitions(self) -> int:
        """The number of edges."""
        return int(self.registers[EDGES])

    @property
    def covered(self) -> int:
        """All states that are at most so many steps from the initial one have been expanded."""
        whole = self.registers[POSITION] == self.registers[LEVEL_END]
        return len(self.levels) - 1 if whole else len(self.levels) - 2

    @property
    def notes(self) -> tuple[str, ...]:
        """What a report should say about how the states are kept."""
        return (f"compiled loop: {round(self.bytes / int(self.registers[STATES]))} bytes per state",)

    @property
    def bytes(self) -> int:
        """The size of everything that grows with the number of states."""
        states = int(self.registers[STATES])
        return int(states * (8 * self.met.rows.shape[1] + 4) + int(self.met.slots.nbytes))


class States(Sequence[Packed]):
    """The states of a packed space as the kernel knows them."""

    def __init__(self, space: PackedSpace) -> None:
        self._space = space

    def __len__(self) -> int:
        return int(self._space.registers[STATES])

    def __getitem__(self, number: Any) -> Any:
        tables = self._space.tables
        if not 0 <= number < len(self):
            raise IndexError(number)
        return tables.state(tables.columns.numbers(self._space.met.rows[number]))

    def __iter__(self) -> Iterator[Packed]:
        for first in range(0, len(self), _CHUNK):
            yield from self.between(first, min(first + _CHUNK, len(self)))

    def between(self, first: int, last: int) -> list[Packed]:
        """Return the states from ``first`` to ``last``, which is left out."""
        space = self._space
        numbers = np.empty((last - first, len(space.tables.columns)), np.int64)
        numbers_of(space.layout, space.met.rows, first, last, numbers, np.empty_like(space.buffers.codes))
        return [space.tables.state(row) for row in numbers.tolist()]


class Depths(Sequence[int]):
    """The depth of each state, from where the levels begin."""

    def __init__(self, space: PackedSpace) -> None:
        self._space = space

    def __len__(self) -> int:
        return int(self._space.registers[STATES])

    def __getitem__(self, number: Any) -> Any:
        if not 0 <= number < len(self):
            raise IndexError(number)
        if number >= self._space.registers[LEVEL_END]:
            return len(self._space.levels)
        return bisect_right(self._space.levels, number) - 1


class Marks:
    """Who waits and how many have ended, in the states of the level that is expanded: see `Space.marks`."""

    def __init__(self, space: PackedSpace) -> None:
        self._space = space

    def __getitem__(self, number: int) -> tuple[int, int]:
        mark = int(self._space.met.marks[number - self._space.registers[LEVEL]])
        return mark & WHO, (1 << (mark >> MOST_PROCESSES)) - 1
