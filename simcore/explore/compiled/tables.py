"""What a kernel has learned, as arrays: an entry is copied when the compiled loop first needs it.

Nothing is decided here: each `learn_...` asks the kernel.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from simcore.explain import Knots
from simcore.explore.compiled.columns import Columns
from simcore.explore.compiled.kinds import Array
from simcore.explore.compiled.registers import (
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
)
from simcore.explore.compiled.rows import key_of, put, put_all
from simcore.explore.compiled.steps import without_key
from simcore.explore.compiled.structs import Arrays
from simcore.explore.compiled.waits import pair_key, queue_key
from simcore.explore.search import Unfit
from simcore.kernel import FREE, SLEEPS, Kernel, Move, Packed
from simcore.model.objects import PoolValue


def grown(array: Array, size: int) -> Array:
    """Return an array with room for ``size`` rows, at least."""
    if size <= len(array):
        return array
    larger = np.zeros((max(size, 2 * len(array)), *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger


class Table:
    """A hash table of the compiled functions."""

    def __init__(self) -> None:
        self._row, self._used = np.zeros(2, np.uint64), 0
        self._hold(np.zeros((1024, 2), np.uint64))

    def _hold(self, rows: Array) -> None:
        self.rows, self._put = rows, put.given(rows, self._row)

    def put(self, key: Any, entry: int) -> bool:
        """Add an entry, and tell whether the array had to be replaced."""
        grows = self._used * 2 >= len(self.rows)
        if grows:
            rows = np.zeros((2 * len(self.rows), 2), np.uint64)
            put_all(rows, self.rows)
            self._hold(rows)
        self._row[0], self._row[1] = key, entry
        self._put()
        self._used += 1
        return grows


class Growing:
    """Arrays that grow. ``stale`` says that whoever was given them must be given others."""

    stale = True

    def __init__(self, **arrays: Array) -> None:
        self._grows = arrays

    def _make_room(self, names: Sequence[str], size: int) -> None:
        """Make room for ``size`` rows in arrays that are equally long."""
        if size <= len(self._grows[names[0]]):
            return
        for name in names:
            self._grows[name] = grown(self._grows[name], size)
        self.stale = True


class FastTables(Growing):
    """The tables of ``kernel`` as arrays.

    Parameters
    ----------
    kernel : Kernel
        Says what is not in the arrays yet.
    knots : Knots
        Says who may enable whom.
    seed : int
        Of the hashes of states.

    Raises
    ------
    Unfit
        When it has more processes than a word has bits.
    """

    def __init__(self, kernel: Kernel, knots: Knots, seed: int) -> None:
        if len(kernel.processes) > MOST_PROCESSES:
            raise Unfit
        self.kernel, self.knots = kernel, knots
        self.columns = Columns(kernel.initial, seed)
        self._locals = self._values = self._moves = self._waits = 0
        self._moved, self._without, self._wait, self._pair = Table(), Table(), Table(), Table()
        self._known_moves, self._known_pairs = set[int](), set[int]()  # by their keys
        super().__init__(
            moves=np.zeros((1024, 7), np.int64),
            target=np.zeros(64, np.int32),
            flags=np.zeros(64, np.uint8),
            task_future=np.zeros(64, np.int16),
            local_mentions=np.zeros(64, np.uint64),
            value_mentions=np.zeros(64, np.uint64),
            value_tasks=np.zeros(64, np.int32),
        )
        self._fixed = self._unchanging()

    def _unchanging(self) -> dict[str, Any]:
        kernel, first = self.kernel, self.kernel.first_process
        pools = list(kernel.model.pools())
        return {
            "processes": len(kernel.processes),
            "first_process": first,
            "first_future": kernel.first_future,
            "timeouts": ("never", "when_stuck", "anytime").index(kernel.timeouts),
            "pending": kernel.pending,
            "workers": _ints(first + process.index for process in kernel.processes if process.pool is not None),
            "pools": _ints(pool.index for pool, _ in pools),
            "pool_bits": _bits((workers[0].index, workers[-1].index + 1) for _, workers in pools),
            "pooled": np.array([process.pool is not None for process in kernel.processes]),
            "daemon": np.array([process.daemon for process in kernel.processes]),
        }

    def arrays(self) -> Arrays:
        """Return everything, up to date."""
        self.note()
        tables = {"moved": self._moved, "without": self._without, "pairs": self._pair, "waits": self._wait}
        self.stale = False
        found: dict[str, Any] = {name: table.rows for name, table in tables.items()}
        return Arrays(**self._fixed, **self._grows, **found)

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

    # ---- what is new to the kernel ---------------------------------------------------------------------

    def note(self) -> None:
        """Copy what is known of parts of processes and of values that were met since the last call."""
        kernel = self.kernel
        if self._locals == len(kernel.locals) and self._values == len(kernel.values):
            return
        self._make_room(("target", "flags", "task_future", "local_mentions"), len(kernel.locals))
        self._make_room(("value_mentions", "value_tasks"), len(kernel.values))
        for number in range(self._locals, len(kernel.locals)):
            target, flags, future, mentions = self._of_local(number)
            self._grows["target"][number], self._grows["flags"][number] = target, flags
            self._grows["task_future"][number], self._grows["local_mentions"][number] = future, mentions
        for number in range(self._values, len(kernel.values)):
            self._grows["value_mentions"][number] = _set(kernel.futures_in(number))
            if isinstance(kernel.values[number], PoolValue):
                self._grows["value_tasks"][number] = self.knots.tasks_in(number)
        self._locals, self._values = len(kernel.locals), len(kernel.values)

    def _of_local(self, number: int) -> tuple[int, int, int, int]:
        local = self.kernel.known(number)
        timed = local.operation is not None and local.operation.timeout is not None
        sleeps = local.operation is not None and local.operation.name in SLEEPS
        creates = local.operation is not None and local.operation.name in local.operation.target.creates
        about = local.operation
        if (
            about is not None
            and about.name.startswith("set_")
            and self.kernel.number_of(about.target) not in (None, local.future)
        ):
            raise Unfit  # by hand: the future may then have to be kept for its worker's sake
        flags = HAS_FAILED * local.failed | IS_IDLE * (local.status == "idle") | IS_TIMED * timed | IS_SLEEP * sleeps
        flags |= CREATES * creates | IN_TASK * (local.in_task and not local.failed)
        flags |= UNDONE * (local.failed or (local.operation is not None and not local.operation.rests))
        return self.kernel.target(number), flags, local.future, _set(local.futures)

    def _make_room(self, names: Sequence[str], size: int) -> None:
        if size >= 1 << 24:
            raise Unfit
        super()._make_room(names, size)

    # ---- what the loop asks for ------------------------------------------------------------------------

    def learn_moves(self, state: Packed, process: int, fresh: int) -> None:
        """Learn what ``process`` can do in ``state``, and all of those next to it who are where it is.

        They are asked about next, in this order, in which the plain loop learns, too: so numbers are the same.
        """
        first, last = self.kernel.first_process + process, self.kernel.first_future
        for place in range(first, last):
            if state[place] != state[first]:
                break
            other = place - self.kernel.first_process
            if self._move_key(state, other, fresh) not in self._known_moves:
                moves = self.kernel.moves(state, other)
                self._enter(state, other, fresh, moves)
                if any(move.lost for move in moves):  # what is left of others comes first
                    break

    def learn_expiry(self, state: Packed, process: int) -> None:
        """Learn what the time-out of ``process`` does in ``state``."""
        self._enter(state, process, EXPIRES, self.kernel.expiries(state, process))

    def _enter(self, state: Packed, process: int, fresh: int, moves: tuple[Move, ...]) -> None:
        columns, column = self.columns, self.kernel.first_process + process
        self.note()
        first = self._moves
        self._make_room(("moves",), first + len(moves))
        for position, value, point, lost, created in moves:
            codes = columns.code(position, value), columns.code(column, point)
            self._grows["moves"][self._moves] = (position, value, codes[0], point, codes[1], _set(lost), created)
            self._moves += 1
        key = self._move_key(state, process, fresh)
        self._known_moves.add(key)
        self.stale |= self._moved.put(key, first << 16 | len(moves))

    def _move_key(self, state: Packed, process: int, fresh: int) -> int:
        local = state[self.kernel.first_process + process]
        return int(key_of(process, local, state[self.kernel.target(local)], fresh))

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

    def learn_pairs(self, state: Packed, asked: Sequence[int], mark: Sequence[int]) -> None:
        """Learn whether a process may enable another one, and those who will be asked about next.

        Parameters
        ----------
        asked : sequence of int
            The number of what is waited for, who waits, and who may enable that.
        mark : sequence of int
            Who waits, and who has ended, as bits: of those who wait, or of those who do not, all are asked about in
            turn; the first who does not wait and may is enough.
        """
        wait, process, other = asked
        waiting, ended = int(mark[0]), int(mark[1])
        asked_about = (waiting if waiting >> other & 1 else ~waiting) & ~ended
        for each in range(other, len(self.kernel.processes)):
            key = int(pair_key(wait, each, state[self.kernel.first_process + each]))
            if not asked_about >> each & 1 or key in self._known_pairs:
                continue
            may = self.knots.may_enable(state, process, each)
            self._known_pairs.add(key)
            self.stale |= self._pair.put(key, may)
            if may and not waiting >> each & 1:
                return

    def learn_queued(self, state: Packed, wait: int, process: int, pool: int) -> None:
        """Learn whether a task in the queue of ``pool`` may enable ``process``."""
        place = int(self._fixed["pools"][pool])
        may = self.knots.queued_may_enable(state, process, place)
        self.stale |= self._pair.put(queue_key(wait, pool, self.knots.tasks_in(state[place])), may)


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
