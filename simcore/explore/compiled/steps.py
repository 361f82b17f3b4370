"""The steps of one state, found in the tables: for compiled functions."""

from __future__ import annotations

import numpy as np

from simcore.explore.compiled.kinds import Word, compiled
from simcore.explore.compiled.registers import (
    ANYTIME,
    ASK_1,
    ASK_2,
    ASK_3,
    AT,
    BASE,
    BEGUN,
    CREATED,
    CREATES,
    CROWDED,
    DONE,
    EXPIRES,
    EXPIRY,
    FUTURES,
    HAS_FAILED,
    IS_SLEEP,
    IS_TIMED,
    LOCAL,
    LOCAL_CODE,
    LOST,
    MOVES,
    NEVER,
    ONE,
    PENDING,
    POSITION,
    STEPS,
    VALUE,
    VALUE_CODE,
    WITHOUT,
    ZERO,
    U,
)
from simcore.explore.compiled.rows import copy, find, key_of, pack, unpack


@compiled
def _lowest_free(t, ids):
    for column in range(t.first_future, len(ids)):
        if ids[column] == 0:
            return column - t.first_future
    return len(ids) - t.first_future


@compiled
def _changed(lay, row, column, old, new):
    """Put another code into a column of a row; return what that does to the hash."""
    row[lay.word[column]] ^= U(old ^ new) << lay.shift[column]
    return lay.random[lay.offset[column] + U(old)] ^ lay.random[lay.offset[column] + U(new)]


@compiled
def plain_step(t, lay, b, o, step, move, process):
    """Do a step that makes and loses no future: two columns change."""
    row, at, column = o.rows[step], t.moves[move, AT], t.first_process + process
    copy(row, b.row)
    hash_ = b.mark[2] ^ _changed(lay, row, at, b.codes[at], t.moves[move, VALUE_CODE])
    o.hashes[step] = hash_ ^ _changed(lay, row, column, b.codes[column], t.moves[move, LOCAL_CODE])
    o.steps[step, 2] = t.flags[t.moves[move, LOCAL]] & HAS_FAILED


@compiled
def _mentioned(t, ids, number):
    """Tell whether a part of the state other than the future itself mentions future ``number``."""
    bit = ONE << U(number)
    own = t.first_future + number
    for column in range(len(ids)):
        if t.first_process <= column < t.first_future:
            if t.local_mentions[ids[column]] & bit:
                return True
        elif column != own and t.value_mentions[ids[column]] & bit:
            return True
    return False


@compiled
def without_key(number: int, column: int, old: int) -> Word:
    """Pack what a value or worker without a future is looked up by."""
    return ONE << U(63) | U(number) << U(48) | U(column) << U(32) | U(old)


@compiled
def _put_without(t, b, r, number, column):
    entry = find(t.without, without_key(number, column, b.ids_2[column]))
    if entry < 0:
        r[ASK_1], r[ASK_2], r[ASK_3] = number, column, b.ids_2[column]
        return WITHOUT
    b.ids_2[column], b.codes_2[column] = entry >> 32, entry & 0xFFFFFFFF
    return DONE


@compiled
def _forget(t, b, r, number):
    """Take a future from the one task that mentions it, on a worker or in a queue, as `Tables` does."""
    workers = len(t.workers)
    for turn in range(workers + len(t.pools)):
        on_worker = turn < workers
        column = t.workers[turn] if on_worker else t.pools[turn - workers]
        if on_worker and t.task_future[b.ids_2[column]] != number:
            continue
        missing = _put_without(t, b, r, number, column)
        if missing or on_worker:
            return missing
    return DONE


@compiled
def _collect(t, b, r, lost):
    """Free the places of futures that nobody mentions any more, as `Tables` does, and in the same order."""
    depth = 0
    b.stack[0] = lost
    while depth >= 0:
        left = b.stack[depth]
        if left == ZERO:
            depth -= 1
            continue
        number = 0
        while not left >> U(number) & ONE:
            number += 1
        b.stack[depth] = left & (left - ONE)
        column = t.first_future + number
        if column >= len(b.ids_2) or b.ids_2[column] == 0 or _mentioned(t, b.ids_2, number):
            continue
        inside = t.value_mentions[b.ids_2[column]]
        b.ids_2[column] = b.codes_2[column] = 0
        missing = _forget(t, b, r, number)
        if missing:
            return missing
        depth += 1
        b.stack[depth] = inside
    return DONE


@compiled
def after(t, b, r, move, process):
    """Put what comes after a step into the second half of ``b``."""
    copy(b.ids_2, b.ids)
    copy(b.codes_2, b.codes)
    at, column = t.moves[move, AT], t.first_process + process
    if t.moves[move, CREATED] >= 0:
        place = t.first_future + t.moves[move, CREATED]
        b.ids_2[place], b.codes_2[place] = t.pending, PENDING
    b.ids_2[at], b.codes_2[at] = t.moves[move, VALUE], t.moves[move, VALUE_CODE]
    b.ids_2[column], b.codes_2[column] = t.moves[move, LOCAL], t.moves[move, LOCAL_CODE]
    return _collect(t, b, r, U(t.moves[move, LOST]))


@compiled
def fails(t, ids):
    """Tell whether a process has failed."""
    failed = False
    for place in range(t.first_process, t.first_future):
        failed |= t.flags[ids[place]] & HAS_FAILED != 0
    return failed


@compiled
def full_step(t, lay, b, r, o, step, move, process):
    """Do a step that makes a future or may lose one."""
    missing = after(t, b, r, move, process)
    if missing:
        return missing
    o.hashes[step] = pack(lay, o.rows[step], b.codes_2)
    o.steps[step, 2] = fails(t, b.ids_2)
    return DONE


@compiled
def _add(t, lay, b, r, o, entry, process, outcome):
    """Take the moves of an entry as steps."""
    first, count = entry >> 16, entry & 0xFFFF
    if r[STEPS] + count > len(o.rows):
        return CROWDED
    for move in range(first, first + count):
        step = r[STEPS]
        o.steps[step, 0], o.steps[step, 1] = process, outcome
        if t.moves[move, LOST] == 0 and t.moves[move, CREATED] < 0:
            plain_step(t, lay, b, o, step, move, process)
        else:
            missing = full_step(t, lay, b, r, o, step, move, process)
            if missing:
                return missing
        outcome += 1
        r[STEPS] += 1
    return DONE


@compiled
def expiry(t, b, r, process, local):
    """Return the entry of a time-out, 0 when the process has none, or -1 when it must be learned."""
    if not t.flags[local] & IS_TIMED or (t.timeouts == NEVER and not t.flags[local] & IS_SLEEP):
        return np.int64(0)
    r[ASK_1] = process
    return find(t.moved, key_of(process, local, b.ids[t.target[local]], EXPIRES))


@compiled
def operation(t, b, r, process, local):
    """Return the entry of what a process is about to do, 0 when it has ended, or -1 when it must be learned."""
    target, fresh = t.target[local], 0
    if target < 0:
        return np.int64(0)
    if t.flags[local] & CREATES:
        fresh = _lowest_free(t, b.ids) + 1
    r[ASK_1], r[ASK_2] = process, fresh
    if t.first_future + fresh > len(b.ids):
        return np.int64(-2)
    return find(t.moved, key_of(process, local, b.ids[target], fresh))


@compiled
def gather(t, lay, b, s, r, o):
    """Find all steps of the next state: of each process those of its operation, then those of its time-out."""
    r[STEPS] = r[BEGUN]
    copy(b.row, s.rows[r[POSITION] - r[BASE]])
    b.mark[2] = unpack(lay, b.row, b.codes, b.ids)
    for turn in range(2 * t.processes):
        if turn == t.processes and r[STEPS] > r[BEGUN] and t.timeouts != ANYTIME:
            break
        late = turn >= t.processes
        process = turn - t.processes if late else turn
        local = b.ids[t.first_process + process]
        entry = expiry(t, b, r, process, local) if late else operation(t, b, r, process, local)
        if entry < 0:
            return EXPIRY if late else MOVES if entry == -1 else FUTURES
        missing = _add(t, lay, b, r, o, entry, process, b.offset[process] if late else 0)
        if missing:
            return missing
        if not late:
            b.offset[process] = entry & 0xFFFF
    return DONE
