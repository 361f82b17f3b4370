"""What a kernel has learned, as arrays: an entry is copied when the compiled loop first needs it.

Nothing is decided here. Each `learn_...` asks the kernel, in the order in which the plain loop would ask it, so
that values and program points get the same numbers whichever loop runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from simcore.fast.columns import Array, Columns
from simcore.fast.loop import (
    CREATES,
    EXPIRES,
    HAS_FAILED,
    IN_TASK,
    IS_IDLE,
    IS_SLEEP,
    IS_TIMED,
    MOST_FUTURES,
    MOST_PROCESSES,
    UNDONE,
    key_of,
    pair_key,
    put,
    put_all,
    queue_key,
    share,
    without_key,
)
from simcore.kernel import SLEEPS, Kernel, Move, Packed
from simcore.knot import Knots
from simcore.reduction import WorkerSymmetry
from simcore.tables import FREE


class Unfit(Exception):
    """The model has more of something than the arrays have room for: the plain loop must do it."""


class Arrays(NamedTuple):
    """What the compiled functions read; see `Tables` and `Kernel` for the meaning of each."""

    processes: int
    first_process: int
    first_future: int
    timeouts: int
    pending: int
    pending_code: int
    keys: Array
    entries: Array
    moves: Array
    target: Array
    flags: Array
    task_future: Array
    local_mentions: Array
    value_mentions: Array
    names_worker: Array
    naming: Array
    team: Array
    team_start: Array
    team_end: Array
    team_bits: Array
    workers: Array
    pools: Array
    pool_bits: Array
    pooled: Array
    daemon: Array
    without_keys: Array
    without: Array
    wait_keys: Array
    waits: Array
    pair_keys: Array
    pairs: Array


def _grown(array: Array, size: int) -> Array:
    """Return an array with room for ``size`` rows, at least."""
    if size <= len(array):
        return array
    larger = np.zeros((max(size, 2 * len(array)), *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger


class Table:
    """A hash table of the compiled functions."""

    def __init__(self) -> None:
        self.keys, self.entries, self._used = np.zeros(1024, np.uint64), np.zeros(1024, np.int64), 0

    def put(self, key: Any, entry: int) -> bool:
        """Add an entry, and tell whether the arrays had to be replaced."""
        grows = self._used * 2 >= len(self.keys)
        if grows:
            keys, entries = np.zeros(2 * len(self.keys), np.uint64), np.zeros(2 * len(self.keys), np.int64)
            put_all(keys, entries, self.keys, self.entries)
            self.keys, self.entries = keys, entries
        put(self.keys, self.entries, np.uint64(key), np.int64(entry))
        self._used += 1
        return grows


class FastTables:
    """The tables of ``kernel`` as arrays.

    Parameters
    ----------
    kernel : Kernel
        Says what is not in the arrays yet.
    symmetry : WorkerSymmetry
        Which workers are interchangeable.
    knots : Knots
        Says who may enable whom.

    Raises
    ------
    Unfit
        When the model is not one for arrays: exact clocks, or more processes than bits in a word.
    """

    def __init__(self, kernel: Kernel, symmetry: WorkerSymmetry, knots: Knots) -> None:
        if kernel.timeouts == "in_order" or len(kernel.processes) > MOST_PROCESSES:
            raise Unfit
        self.kernel, self.symmetry, self.knots = kernel, symmetry, knots
        self.columns = self._columns()
        self.stale = True
        """Whether `arrays` must be asked again."""
        self._locals = self._values = self._moves = self._waits = 0
        self._moved, self._without, self._wait, self._pair = Table(), Table(), Table(), Table()
        self._grows: dict[str, Array] = {
            "moves": np.zeros((1024, 8), np.int64),
            "target": np.zeros(64, np.int32),
            "flags": np.zeros(64, np.uint8),
            "task_future": np.zeros(64, np.int16),
            "local_mentions": np.zeros(64, np.uint64),
            "value_mentions": np.zeros(64, np.uint64),
            "names_worker": np.zeros(64, np.bool_),
        }
        self._fixed = self._unchanging()

    def _columns(self) -> Columns:
        kernel = self.kernel
        first = kernel.first_process
        groups = [[first + worker.index for worker in workers] for _, workers in kernel.model.pools()]
        taken = {column for group in groups for column in group}
        groups += [[column] for column in range(kernel.first_future) if column not in taken]
        keys = list(range(kernel.first_future))
        for start, end in self.symmetry.ranges:
            keys[start:end] = [start] * (end - start)
        return Columns(groups, keys)

    def _unchanging(self) -> dict[str, Any]:
        kernel, first = self.kernel, self.kernel.first_process
        ranges = self.symmetry.ranges
        team = np.full(len(kernel.processes), -1, np.int64)
        for number, (start, end) in enumerate(ranges):
            team[start - first : end - first] = number
        pools = list(kernel.model.pools())
        return {
            "processes": len(kernel.processes),
            "first_process": first,
            "first_future": kernel.first_future,
            "timeouts": ("never", "when_stuck", "anytime").index(kernel.timeouts),
            "pending": kernel.pending,
            "naming": _ints(thing.index for thing in kernel.objects if ranges and thing.names_processes),
            "team": team,
            "team_start": _ints(start for start, _ in ranges),
            "team_end": _ints(end for _, end in ranges),
            "team_bits": _bits((start - first, end - first) for start, end in ranges),
            "workers": _ints(first + process.index for process in kernel.processes if process.pool is not None),
            "pools": _ints(pool.index for pool, _ in pools),
            "pool_bits": _bits((workers[0].index, workers[-1].index + 1) for _, workers in pools),
            "pooled": np.array([process.pool is not None for process in kernel.processes]),
            "daemon": np.array([process.daemon for process in kernel.processes]),
        }

    def arrays(self) -> Arrays:
        """Return everything, up to date."""
        self.note()
        while len(self.columns) < self.kernel.first_future + 1:
            self.add_future()
        pending = self.columns.code(self.kernel.first_future, self.kernel.pending)
        tables = {"without": self._without, "pair": self._pair, "wait": self._wait}
        found: dict[str, Array] = {f"{name}_keys": table.keys for name, table in tables.items()}
        found |= {"without": self._without.entries, "pairs": self._pair.entries, "waits": self._wait.entries}
        found |= {"keys": self._moved.keys, "entries": self._moved.entries}
        self.stale = False
        return Arrays(**self._fixed, **self._grows, **found, pending_code=pending)

    def add_future(self) -> None:
        """Make room for one more future."""
        if len(self.columns) - self.kernel.first_future >= MOST_FUTURES:
            raise Unfit
        self.columns.add_column(FREE)
        self.columns.code(len(self.columns) - 1, self.kernel.pending)

    def state(self, numbers: list[int]) -> Packed:
        """Return numbers, one for each column, as a state of the kernel, which ends with a future in use."""
        last = len(numbers)
        while last > self.kernel.first_future and numbers[last - 1] == FREE:
            last -= 1
        return tuple(numbers[:last])

    def padded(self, state: Packed) -> list[int]:
        """Return a state with a number for each column."""
        while len(state) > len(self.columns):
            self.add_future()
        return [*state, *[FREE] * (len(self.columns) - len(state))]

    # ---- what is new to the kernel ---------------------------------------------------------------------

    def note(self) -> None:
        """Copy what is known of parts of processes and of values that were met since the last call."""
        kernel = self.kernel
        self._make_room(("target", "flags", "task_future", "local_mentions"), len(kernel.locals))
        self._make_room(("value_mentions", "names_worker"), len(kernel.values))
        for number in range(self._locals, len(kernel.locals)):
            target, flags, future, mentions = self._of_local(number)
            self._grows["target"][number], self._grows["flags"][number] = target, flags
            self._grows["task_future"][number], self._grows["local_mentions"][number] = future, mentions
        for number in range(self._values, len(kernel.values)):
            self._grows["value_mentions"][number] = _set(kernel.futures_in(number))
            named = not self.symmetry.workers.isdisjoint(kernel.value_processes[number])
            self._grows["names_worker"][number] = named
        self._locals, self._values = len(kernel.locals), len(kernel.values)

    def _of_local(self, number: int) -> tuple[int, int, int, int]:
        local = self.kernel.known(number)
        timed = local.operation is not None and local.operation.timeout is not None
        sleeps = local.operation is not None and local.operation.name in SLEEPS
        creates = local.operation is not None and local.operation.name in local.operation.target.creates
        flags = HAS_FAILED * local.failed | IS_IDLE * (local.status == "idle") | IS_TIMED * timed | IS_SLEEP * sleeps
        flags |= CREATES * creates | IN_TASK * (local.in_task and not local.failed)
        flags |= UNDONE * (local.operation is not None or local.failed)
        return self.kernel.target(number), flags, local.future, _set(local.futures)

    def _make_room(self, names: Iterable[str], size: int) -> None:
        if size >= 1 << 24:
            raise Unfit
        for name in names:
            array = _grown(self._grows[name], size)
            self.stale |= array is not self._grows[name]
            self._grows[name] = array

    # ---- what the loop asks for ------------------------------------------------------------------------

    def learn_moves(self, state: Packed, process: int, fresh: int) -> None:
        """Learn what ``process`` can do in ``state``."""
        self._enter(state, process, fresh, self.kernel.moves(state, process))

    def learn_expiry(self, state: Packed, process: int) -> None:
        """Learn what the time-out of ``process`` does in ``state``."""
        self._enter(state, process, EXPIRES, self.kernel.expiries(state, process))

    def _enter(self, state: Packed, process: int, fresh: int, moves: tuple[Move, ...]) -> None:
        column = self.kernel.first_process + process
        at = self.kernel.target(state[column])
        self.note()
        first = self._moves
        self._make_room(("moves",), first + len(moves))
        keys = self.columns.keys
        for position, value, point, lost, created in moves:
            delta = share(keys[position], value) + share(keys[column], point)
            codes = self.columns.code(position, value), self.columns.code(column, point)
            row = (position, value, codes[0], point, codes[1], _set(lost), created, _signed(delta))
            self._grows["moves"][self._moves] = row
            self._moves += 1
        self.stale |= self._moved.put(key_of(process, state[column], state[at], fresh), first << 16 | len(moves))

    def learn_without(self, number: int, column: int, old: int) -> None:
        """Learn what is left of a worker or a pool when future ``number`` is taken from it."""
        new = self.kernel.without(number, column, old)
        self.note()
        entry = new << 32 | self.columns.code(column, new)
        self.stale |= self._without.put(without_key(number, column, old), entry)

    def learn_wait(self, process: int, local: int, value: int) -> None:
        """Give a number to what ``process`` waits for."""
        self.stale |= self._wait.put(key_of(process, local, value, 0), self._waits)
        self._waits += 1

    def learn_pair(self, state: Packed, wait: int, process: int, other: int) -> None:
        """Learn whether ``other`` may enable ``process``."""
        may = self.knots.may_enable(state, process, other)
        self.stale |= self._pair.put(pair_key(wait, other, state[self.kernel.first_process + other]), may)

    def learn_queued(self, state: Packed, wait: int, process: int, pool: int) -> None:
        """Learn whether a task in the queue of ``pool`` may enable ``process``."""
        place = int(self._fixed["pools"][pool])
        may = self.knots.queued_may_enable(state, process, place)
        self.stale |= self._pair.put(queue_key(wait, pool, state[place]), may)


def _ints(numbers: Iterable[int]) -> Array:
    return np.array(list(numbers), np.int64)


def _bits(ranges: Iterable[tuple[int, int]]) -> Array:
    return np.array([(1 << end) - (1 << start) for start, end in ranges], np.uint64)


def _set(numbers: Iterable[int]) -> int:
    """Return numbers of futures as bits."""
    found = 0
    for number in numbers:
        if number >= MOST_FUTURES:
            raise Unfit
        found |= 1 << number
    return found


def _signed(word: int) -> int:
    word = int(word) & ((1 << 64) - 1)
    return word - (1 << 64) if word >> 63 else word
