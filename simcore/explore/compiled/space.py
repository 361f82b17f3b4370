"""What the compiled loop has met: a row, a parent and a place in the hash table for each state, and no more.

Depths follow from where levels begin. Edges are not kept: whoever asks for the graph has it made in a second
pass over the rows. What was read of a state (`Space.marks`) is kept for the level that is expanded and for the
next one; with hash compaction, so are the rows.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from simcore.explore.compiled.kinds import Array, kinds
from simcore.explore.compiled.registers import (
    ALIVE,
    BASE,
    EDGES,
    LEVEL,
    LEVEL_END,
    LEVELLED,
    LOG,
    POSITION,
    REGISTERS,
    STATES,
    WRONG,
)
from simcore.explore.compiled.rows import index, keep_all, keep_level, numbers_of, rehash, repack
from simcore.explore.compiled.structs import Edges, Layout, Met
from simcore.explore.compiled.tables import FastTables, grown
from simcore.explore.graph import Graph
from simcore.kernel import Packed

T = TypeVar("T")

_FIRST = 4096  # states for which there is room at first
_CHUNK = 4096
_SIGNATURE = 64  # bits


class PackedSpace:
    """What `search.Space` is, in arrays; it begins with the initial state.

    Parameters
    ----------
    tables : FastTables
        Of the kernel whose states are met.
    compact : bool
        Whether only the hash of a state is kept, once its level has been expanded.

    Attributes
    ----------
    registers : array
        Where the search is; see `loop.py`.
    levels : list of int
        The first state of each level, up to the one that is expanded.
    """

    def __init__(self, tables: FastTables, compact: bool) -> None:
        self.tables, self.compact = tables, compact
        self.registers = np.zeros(REGISTERS, np.int64)
        self.registers[[ALIVE, WRONG]] = -1
        self.registers[[STATES, LEVEL_END, LEVELLED]] = 1
        self.levels = [0]
        tables.columns.arrange()
        self.layout: Layout = tables.columns.layout
        self.arrays = tables.arrays()
        few = _FIRST if compact else 0
        self.met = Met(
            np.empty((_FIRST, tables.columns.words), np.uint64),
            np.zeros(_FIRST, np.uint32),
            np.zeros(2 * _FIRST, np.uint64),
            np.zeros(1, np.uint64),
            np.zeros(1, np.uint8),
            np.zeros(_FIRST, np.uint64),
            np.zeros(_FIRST, np.uint8),
            np.zeros(1, np.int64),
            np.zeros(2 * few, np.uint64),
            np.zeros(few, np.uint16),
        )
        self.met.rows[0] = tables.columns.packed(tables.kernel.initial)
        if compact:
            self._keep_level()
        else:
            self._index()

    # ---- arrays ----------------------------------------------------------------------------------------

    def refresh(self) -> bool:
        """Bring the arrays up to date with the tables; tell whether rows lie as before.

        They do not where a code did not fit any more.
        """
        tables, columns = self.tables, self.tables.columns
        if tables.stale:
            self.arrays = tables.arrays()
        if not columns.tight:
            return True
        columns.arrange()
        old, rows = self.layout, self.met.rows
        self.layout = columns.layout
        self.met = replace(self.met, rows=np.empty((len(rows), columns.words), np.uint64))
        kept = int(self.registers[STATES] - self.registers[BASE])
        repack(old, self.layout, rows, self.met.rows, kept, *self._scratch())
        return False

    def _scratch(self) -> tuple[Array, Array]:
        """Return room for the codes of a state, and for the numbers that the kernel knows."""
        return np.zeros(len(self.tables.columns), np.int64), np.zeros(len(self.tables.columns), np.int64)

    def _index(self) -> None:
        """Fill the set of states."""
        registers, met = self.registers, self.met
        met.slots[:] = 0
        first = registers[LEVEL_END] if self.compact else 0
        index(self.layout, met.slots, met.rows, registers[BASE], first, registers[STATES], *self._scratch())

    def make_room(self, steps: int) -> None:
        """Make room for ``steps`` more states."""
        met, needed = self.met, int(self.registers[STATES]) + steps
        rows = needed - int(self.registers[BASE])
        if rows > len(met.rows):
            size, words = max(rows, len(met.rows) * 5 // 4), met.rows.shape[1]
            self.allow((size - len(met.rows)) * 8 * words)
            met.rows.resize((size, words), refcheck=False)
            self.met = met = replace(met)
        if needed > len(met.parents):
            size = max(needed, len(met.parents) * 5 // 4)
            self.allow((size - len(met.parents)) * 4)
            met.parents.resize(size, refcheck=False)
            if self.compact:
                met.ways.resize(size, refcheck=False)
            self.met = met = replace(met)
        if rows * 10 > len(met.slots) * 7:
            self.allow(16 * len(met.slots))
            slots = np.zeros(2 * len(met.slots), np.uint64)
            rehash(slots, met.slots)
            self.met = met = replace(met, slots=slots)
        size = needed - int(self.registers[LEVEL_END])
        if size > len(met.following):
            self.met = replace(met, following=grown(met.following, size), ended_next=grown(met.ended_next, size))

    def allow(self, more: int) -> None:
        """Raise when ``more`` bytes would be too much."""

    def next_level(self) -> bool:
        """Go on to the states that the last level has led to; tell whether there are any."""
        registers = self.registers
        if registers[LEVEL_END] == registers[STATES]:
            return False
        registers[LEVEL], registers[LEVEL_END] = registers[LEVEL_END], registers[STATES]
        self.levels.append(int(registers[LEVEL]))
        marks, ended = self.met.following, self.met.ended_next
        new = {"following": np.empty_like(marks), "ended_next": np.empty_like(ended)}
        self.met = replace(self.met, marks=marks, ended=ended, **new)
        if self.compact:
            first, last = registers[[LEVEL, LEVEL_END]] - registers[BASE]
            self.met.rows[: last - first] = self.met.rows[first:last]
            self.met.slots[:] = 0
            registers[BASE] = registers[LEVEL]
            self._keep_level()
        return True

    def _keep_level(self) -> None:
        """Keep the hashes of the level that is expanded next."""
        met, (level, end) = self.met, self.registers[[LEVEL, LEVEL_END]].tolist()
        if end * 5 > len(met.signatures) * 4:
            size = max(end * 5 // 4 + 1, len(met.signatures) * 3 // 2)
            self.allow(8 * size)
            signatures = np.zeros(size, np.uint64)
            keep_all(signatures, met.signatures)
            self.met = met = replace(met, signatures=signatures)
        keep_level(self.layout, met.signatures, met.rows[: end - level], *self._scratch())

    def begin(self, most: int) -> None:
        """Begin to count the edges of the next ``most`` states one by one."""
        self.registers[LOG], self._edges = self.registers[[POSITION, EDGES]]
        if len(self.met.log) < most:
            self.met = replace(self.met, log=np.zeros(most, np.int64))

    def cut(self, parent: int) -> None:
        """Forget what was met after ``parent`` was expanded, in the states counted since `begin`."""
        registers = self.registers
        states = 1 + int(np.searchsorted(self.met.parents[1 : registers[STATES]], parent, side="right"))
        registers[STATES], registers[POSITION] = states, parent + 1
        registers[EDGES] = self.met.log[parent - registers[LOG]] if parent >= registers[LOG] else self._edges
        registers[[ALIVE, WRONG]] = -1
        self._index()

    def take_back(self) -> None:
        """Forget the steps of a state that a limit came in between of; it is the next one to expand."""
        self.cut(int(self.registers[POSITION]) - 1)

    # ---- on disk ---------------------------------------------------------------------------------------

    def saved(self) -> dict[str, Array]:
        """Return everything that the search goes on from, each in one row."""
        registers, met, codes = self.registers, self.met, self.tables.columns.codes
        states = int(registers[STATES])
        trimmed = replace(
            met,
            rows=met.rows[: states - registers[BASE]],
            parents=met.parents[:states],
            following=met.following[: states - registers[LEVEL_END]],
            ended_next=met.ended_next[: states - registers[LEVEL_END]],
            ways=met.ways[:states],
        )
        return {
            **{name: getattr(trimmed, name) for name in kinds(Met)},
            "rows": trimmed.rows.ravel(),
            "registers": registers,
            "levels": np.array(self.levels),
            "codes": np.concatenate([np.array(column) for column in codes]),
            "code_ends": np.cumsum([len(column) for column in codes]),
            **{f"lay_{name}": getattr(self.layout, name) for name in ("word", "shift", "mask")},
        }

    def restore(self, kept: dict[str, array[int]]) -> None:
        """Go on from what was saved."""
        saved = {name: np.array(numbers) for name, numbers in kept.items()}
        columns = self.tables.columns
        columns.codes = [part.tolist() for part in np.split(saved["codes"], saved["code_ends"][:-1])]
        self.registers, self.levels = saved["registers"], saved["levels"].tolist()
        self.layout = columns.layout
        saved["rows"] = saved["rows"].reshape(int(self.registers[STATES] - self.registers[BASE]), -1)
        before = replace(self.layout, **{name: saved[f"lay_{name}"] for name in ("word", "shift", "mask")})
        rows = np.empty((len(saved["rows"]), columns.words), np.uint64)
        repack(before, self.layout, saved["rows"], rows, len(rows), *self._scratch())
        self.met = Met(**{**{name: saved[name] for name in kinds(Met)}, "rows": rows})
        self.arrays = self.tables.arrays()

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
        count = int(self.registers[STATES])
        told = f"compiled loop: {round(self.bytes / count)} bytes per state"
        if not self.compact:
            return (told,)
        return (f"{told}, of which all but the last levels are kept as {_SIGNATURE}-bit hashes",)

    def way_to(self, number: int) -> list[int]:
        """Return, with hash compaction, the numbers of the steps that a state was first met by."""
        way: list[int] = []
        while number:
            way.append(int(self.met.ways[number]))
            number = int(self.met.parents[number])
        return way[::-1]

    @property
    def omission(self) -> float:
        """A bound on the probability that a state was taken for another and omitted: that two hashes are equal."""
        count = int(self.registers[STATES]) if self.compact else 0
        return float(count * (count + 1) / 2 ** (_SIGNATURE + 1))  # 0 stands for a free place, so 0 and 1 are equal

    @property
    def bytes(self) -> int:
        """The size of everything that grows with the number of states."""
        met, kept = self.met, int(self.registers[STATES] - self.registers[BASE])
        each = met.parents.itemsize + (met.ways.itemsize if self.compact else 0)
        tables = met.slots.nbytes + met.signatures.nbytes
        return int(self.registers[STATES] * each + kept * 8 * met.rows.shape[1] + tables)


def room_for_edges(states: int, edges: int) -> Edges:
    """Return room for so many edges of so many states."""
    targets, processes, outcomes = (np.zeros(edges, kind) for kind in (np.uint32, np.uint16, np.uint16))
    return Edges(np.zeros(states + 1, np.uint64), targets, processes, outcomes)


def graph_of(edges: Edges) -> Graph:
    """Return the graph that these are the edges of."""
    found = []
    for kind, column in zip("QIHH", (edges.starts, edges.targets, edges.processes, edges.outcomes), strict=True):
        found.append(array(kind))
        found[-1].frombytes(column.tobytes())
    return Graph(*found)


class OfStates(Sequence[T]):
    """One thing for each state of a search."""

    def __init__(self, space: Any) -> None:
        self._space = space

    def __len__(self) -> int:
        return int(self._space.registers[STATES])


class States(OfStates[Packed]):
    """The states of a packed space as the kernel knows them."""

    def __getitem__(self, number: Any) -> Any:
        space, first = self._space, int(self._space.registers[BASE])
        if not first <= number < len(self):
            raise IndexError(number)
        return space.tables.state(space.tables.columns.numbers(space.met.rows[number - first]))

    def __iter__(self) -> Iterator[Packed]:
        for first in range(int(self._space.registers[BASE]), len(self), _CHUNK):
            yield from self.between(first, min(first + _CHUNK, len(self)))

    def between(self, first: int, last: int) -> list[Packed]:
        """Return the states from ``first`` to ``last``, which is left out."""
        return [self._space.tables.state(row) for row in self._numbers(first, last).tolist()]

    def column(self, place: int) -> Array:
        """Return what stands at a place of each; all states are there."""
        chunks = range(0, len(self), _CHUNK)
        return np.concatenate([self._numbers(first, min(first + _CHUNK, len(self)))[:, place] for first in chunks])

    def _numbers(self, first: int, last: int) -> Array:
        space, base = self._space, int(self._space.registers[BASE])
        numbers = np.empty((last - first, len(space.tables.columns)), np.int64)
        codes = np.empty(len(space.tables.columns), np.int64)
        numbers_of(space.layout, space.met.rows, first - base, last - base, numbers, codes)
        return numbers


class Depths(OfStates[int]):
    """The depth of each state, from where the levels begin."""

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
        place = number - self._space.registers[LEVEL]
        return int(self._space.met.marks[place]), (1 << int(self._space.met.ended[place])) - 1
