"""One step of one state, on a row: the two columns that it changes, or with futures that come and go.

Compiled, and pure: it writes only into buffers, so it can be repeated until nothing is missing.
"""

from __future__ import annotations

from simcore.fast.names import (
    AT,
    CREATED,
    DELTA,
    DONE,
    HAS_FAILED,
    LOCAL,
    LOCAL_CODE,
    LOST,
    VALUE,
    VALUE_CODE,
    WITHOUT,
    ASK_1,
    ASK_2,
    ASK_3,
)
from simcore.fast.rows import ONE, U, ZERO, compiled, copy, find, hashed, pack, share, write


@compiled
def lowest_free(t, ids):
    for column in range(t.first_future, len(ids)):
        if ids[column] == 0:
            return column - t.first_future
    return len(ids) - t.first_future


@compiled
def _resort(t, lay, b, row, column, move, start, end):
    """Write the part of a worker whose number has changed at its place among the sorted workers of its pool."""
    ids, codes, number = b.ids, b.codes, t.moves[move, LOCAL]
    while column + 1 < end and ids[column + 1] < number:
        write(lay, row, column, codes[column + 1])
        column += 1
    while column > start and ids[column - 1] > number:
        write(lay, row, column, codes[column - 1])
        column -= 1
    write(lay, row, column, t.moves[move, LOCAL_CODE])


@compiled
def plain_step(t, lay, b, step, move, process):
    """Do a step that makes and loses no future: two columns change."""
    row, at, column = b.after[step], t.moves[move, AT], t.first_process + process
    copy(row, b.row)
    row[lay.word[at]] ^= U(b.codes[at] ^ t.moves[move, VALUE_CODE]) << lay.shift[at]
    team = t.team[process]
    if team < 0:
        code = U(b.codes[column] ^ t.moves[move, LOCAL_CODE])
        row[lay.word[column]] ^= code << lay.shift[column]
    else:
        _resort(t, lay, b, row, column, move, t.team_start[team], t.team_end[team])
    taken = share(lay.key[at], b.ids[at]) + share(lay.key[column], b.ids[column])
    b.hashes[step] = b.hash[0] - taken + U(t.moves[move, DELTA])
    named = False
    for place in t.naming:
        named |= t.names_worker[t.moves[move, VALUE] if place == at else b.ids[place]]
    b.steps[step, 2] = named
    b.steps[step, 3] = t.flags[t.moves[move, LOCAL]] & HAS_FAILED


@compiled
def _sort_teams(t, b):
    for team in range(len(t.team_start)):
        for column in range(t.team_start[team] + 1, t.team_end[team]):
            number, code, to = b.ids_2[column], b.codes_2[column], column
            while to > t.team_start[team] and b.ids_2[to - 1] > number:
                b.ids_2[to], b.codes_2[to] = b.ids_2[to - 1], b.codes_2[to - 1]
                to -= 1
            b.ids_2[to], b.codes_2[to] = number, code


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
def without_key(number, column, old):
    """Pack what a value or worker without a future is looked up by."""
    return ONE << U(63) | U(number) << U(48) | U(column) << U(32) | U(old)


@compiled
def _put_without(t, b, r, number, column):
    entry = find(t.without_keys, t.without, without_key(number, column, b.ids_2[column]))
    if entry < 0:
        r[ASK_1], r[ASK_2], r[ASK_3] = number, column, b.ids_2[column]
        return WITHOUT
    b.ids_2[column], b.codes_2[column] = entry >> 32, entry & 0xFFFFFFFF
    return DONE


@compiled
def _forget(t, b, r, number):
    """Take a future from the one task that mentions it, as `Tables` does."""
    for column in t.workers:
        if t.task_future[b.ids_2[column]] == number:
            return _put_without(t, b, r, number, column)
    for column in t.pools:
        missing = _put_without(t, b, r, number, column)
        if missing:
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
def full_step(t, lay, b, r, step, move, process):
    """Do a step that makes a future or may lose one."""
    copy(b.ids_2, b.ids)
    copy(b.codes_2, b.codes)
    at, column = t.moves[move, AT], t.first_process + process
    if t.moves[move, CREATED] >= 0:
        place = t.first_future + t.moves[move, CREATED]
        b.ids_2[place], b.codes_2[place] = t.pending, t.pending_code
    b.ids_2[at], b.codes_2[at] = t.moves[move, VALUE], t.moves[move, VALUE_CODE]
    b.ids_2[column], b.codes_2[column] = t.moves[move, LOCAL], t.moves[move, LOCAL_CODE]
    missing = _collect(t, b, r, U(t.moves[move, LOST]))
    if missing:
        return missing
    named = failed = False
    for place in t.naming:
        named |= t.names_worker[b.ids_2[place]]
    for place in range(t.first_process, t.first_future):
        failed |= t.flags[b.ids_2[place]] & HAS_FAILED != 0
    if not named:
        _sort_teams(t, b)
    pack(lay, b.after[step], b.codes_2)
    b.hashes[step] = hashed(lay, b.ids_2)
    b.steps[step, 2], b.steps[step, 3] = named, failed
    return DONE
