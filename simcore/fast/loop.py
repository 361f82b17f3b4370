"""The breadth-first loop on arrays: a state's steps, who has stopped for good, and numbers for what is new.

Everything here is compiled by numba, is pure (it writes only into the arrays that it is given) and decides
nothing. What a table does not hold yet is asked for, by returning a number that says what is missing;
`search.py` beside this file has it learned and calls again. The states of a level are expanded in two halves.
`expand` takes a share of them: it finds their steps, looks for somebody who can never move again, and looks up
what the steps lead to; it writes only what belongs to its share, so shares can be expanded at the same time. `follow`
then goes through the shares one after the other and gives numbers to the states that are new, in the order of
the plain loop (`simcore/search.py`). So nothing that is found depends on how many shares there were.

The set of states is one table of 64-bit words, open addressing with linear probing: 32 bits of a state's hash, 32
bits of its number. The hash is the exclusive or of a random word for each column and what it holds (Zobrist, 1970;
Patrascu and Thorup, 2012), so a step changes it in a few places, and it does not depend on how a state lies in its row.

With hash compaction (Wolper and Leroy, 1993; Stern and Dill, 1995) the rows and the table hold only the
level that is expanded and the next one. Of the states before them the hashes are left, in a table of their own, and a
state with the hash of another is taken for it.

It is one file because numba, which keeps what it has compiled on disk, compiles a function again only when the
function's own file has changed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

(
    DONE,
    MOVES,
    EXPIRY,
    FUTURES,
    WITHOUT,
    WAITS,
    MAY,
    QUEUED,
    CROWDED,
    ROOM,
    DEAD,
    DEADLOCK,
    LIMIT,
    FAILED,
    PAUSED,
) = range(15)
"""Why a call has returned: nothing left to do, what is missing, or what was met."""

(
    POSITION,
    UNTIL,
    LEVEL,
    LOOK,
    BASE,
    FIRST,
    STEPS,
    BEGUN,
    LOOKED,
    ALIVE,
    ASK_1,
    ASK_2,
    ASK_3,
    WAITING,
    STATES,
    EDGES,
    LEVEL_END,
    LIMIT_STATES,
    PAUSE_STATES,
    PAUSE_EDGES,
    LEVELLED,
    WRONG,
    LOG,
) = range(23)
"""Registers of a search and of its shares: where they are, their limits, and what they ask for."""

REGISTERS = 23

NEVER, WHEN_STUCK, ANYTIME = range(3)

HAS_FAILED, IS_IDLE, IS_TIMED, IS_SLEEP, CREATES, IN_TASK, UNDONE = (1 << bit for bit in range(7))
"""What is known of a process's own part of a state."""

AT, VALUE, VALUE_CODE, LOCAL, LOCAL_CODE, LOST, CREATED = range(7)
"""Columns of the table of moves."""

PENDING = 1
"""Code of a future that is not set, in the columns of futures; 0 is that of a free place."""

MOST_FUTURES = 61
MOST_PROCESSES = 56
EXPIRES = MOST_FUTURES + 2

U = np.uint64
WHO = (1 << MOST_PROCESSES) - 1
"""Those of a mark's bits that say who waits; the others count who has ended."""

ZERO, ONE, LOW = U(0), U(1), U(0xFFFFFFFF)
_M1, _M2, _M3 = U(0xBF58476D1CE4E5B9), U(0x94D049BB133111EB), U(0x9E3779B97F4A7C15)


def _keeps() -> bool:
    """Tell whether numba finds a folder in which to keep what it compiles: beside this file, or the user's cache."""
    try:
        njit(cache=True)(_keeps)
    except RuntimeError:
        return False
    return True


_OPTIONS: Any = {"cache": _keeps(), "nogil": True, "_nrt": False, "no_cfunc_wrapper": True}
"""No function makes an array, so none counts references."""

_njit: Any = njit

called: Any = _njit(**_OPTIONS)
"""For what Python calls."""

both: Any = _njit(**_OPTIONS, forceinline=True)
"""For what Python calls and other functions too."""

compiled: Any = _njit(**_OPTIONS, forceinline=True, no_cpython_wrapper=True)
"""For the rest. A call that is not inlined would copy the addresses of all arrays."""


# ---- words -------------------------------------------------------------------------------------------------


@compiled
def mixed(word):
    """Mix the bits of a word (the finaliser of splitmix64; Steele, Lea and Flood, 2014)."""
    word = (word ^ (word >> U(30))) * _M1
    word = (word ^ (word >> U(27))) * _M2
    return word ^ (word >> U(31))


@both
def key_of(process, local, value, fresh):
    """Pack what a move is looked up by."""
    return U(process) << U(54) | U(local) << U(30) | U(value) << U(6) | U(fresh)


@compiled
def copy(to, source):
    """Copy all elements."""
    for place in range(len(to)):
        to[place] = source[place]


@compiled
def find(table, key):
    """Return the entry of ``key``, or -1."""
    last = U(len(table) - 1)
    place = (key * _M3 >> U(32)) * U(len(table)) >> U(32)
    while table[place, 0] != key:
        if table[place, 0] == ZERO:
            return np.int64(-1)
        place = (place + ONE) & last
    return np.int64(table[place, 1])


@both
def put(table, key, entry):
    """Add an entry; there must be room."""
    last = len(table) - 1
    place = np.int64((key * _M3 >> U(32)) * U(len(table)) >> U(32))
    while table[place, 0] != ZERO and table[place, 0] != key:
        place = (place + 1) & last
    table[place, 0] = key
    table[place, 1] = U(entry)


@called
def put_all(table, old):
    """Copy a table into a larger one."""
    for place in range(len(old)):
        if old[place, 0] != ZERO:
            put(table, old[place, 0], old[place, 1])


# ---- rows --------------------------------------------------------------------------------------------------


@both
def unpack(lay, row, codes, ids):
    """Read a row into what its columns hold, as codes and as the numbers that the kernel knows; return its hash."""
    hash_ = ZERO
    for column in range(len(lay.word)):
        code = row[lay.word[column]] >> lay.shift[column] & lay.mask[column]
        entry = lay.offset[column] + code
        codes[column], ids[column] = np.int64(code), lay.ident[entry]
        hash_ ^= lay.random[entry]
    return hash_


@both
def pack(lay, row, codes):
    """Write all columns of a row; return its hash."""
    for word in range(len(row)):
        row[word] = ZERO
    hash_ = ZERO
    for column in range(len(lay.word)):
        row[lay.word[column]] |= U(codes[column]) << lay.shift[column]
        hash_ ^= lay.random[lay.offset[column] + U(codes[column])]
    return hash_


@called
def fill(random, column, seed):
    """Write a random word for each code of a column; that of code 0 is 0, so that a new column changes no hash."""
    for code in range(1, len(random)):
        random[code] = mixed(mixed(U(seed) ^ _M3) + (U(column) << U(32) | U(code)) * _M1)
    random[0] = ZERO


@called
def repack(old, new, old_rows, new_rows, states, codes, ids):
    """Write every row in another layout."""
    for state in range(states):
        unpack(old, old_rows[state], codes, ids)
        pack(new, new_rows[state], codes)


@called
def numbers_of(lay, rows, first, last, out, codes):
    """Read the rows from ``first`` to ``last`` as numbers of the kernel."""
    for state in range(first, last):
        unpack(lay, rows[state], codes, out[state - first])


# ---- the set of states -------------------------------------------------------------------------------------


@compiled
def same(left, right):
    """Tell whether two rows are equal."""
    for word in range(len(left)):  # noqa: SIM110 - compiled
        if left[word] != right[word]:
            return False
    return True


@compiled
def look_up(slots, rows, base, row, hash_):
    """Return the number of a state, or ``-1 - place`` where it would go; ``base`` is the number of the first row."""
    last = U(len(slots) - 1)
    tag = hash_ >> U(32)
    place = tag * U(len(slots)) >> U(32)
    while slots[place] != ZERO:
        if slots[place] >> U(32) == tag:
            number = np.int64(slots[place] & LOW) - 1
            if same(rows[number - base], row):
                return number
        place = (place + ONE) & last
    return -1 - np.int64(place)


@compiled
def contains(signatures, hash_):
    """Tell whether a hash is among those of earlier levels."""
    sought = max(hash_, ONE)
    place = np.int64((hash_ >> U(32)) * U(len(signatures)) >> U(32))
    while signatures[place] != ZERO:
        if signatures[place] == sought:
            return True
        place = place + 1 if place + 1 < len(signatures) else 0
    return False


@compiled
def keep(signatures, hash_):
    """Add a hash to those of earlier levels; there must be room."""
    place = np.int64((hash_ >> U(32)) * U(len(signatures)) >> U(32))
    while signatures[place] != ZERO:
        place = place + 1 if place + 1 < len(signatures) else 0
    signatures[place] = max(hash_, ONE)


@called
def keep_all(signatures, old):
    """Move all hashes into a larger table."""
    for hash_ in old:
        if hash_ != ZERO:
            keep(signatures, hash_)


@called
def keep_level(lay, signatures, rows, codes, ids):
    """Add the hashes of a whole level."""
    for row in rows:
        keep(signatures, unpack(lay, row, codes, ids))


@called
def rehash(slots, old):
    """Move all entries into a larger table; the hash that is kept suffices."""
    last = len(slots) - 1
    for entry in old:
        if entry != ZERO:
            place = np.int64((entry >> U(32)) * U(len(slots)) >> U(32))
            while slots[place] != ZERO:
                place = (place + 1) & last
            slots[place] = entry


@called
def index(lay, slots, rows, base, first, last, codes, ids):
    """Add the states from ``first`` to ``last``, which are all new, to the set."""
    for number in range(first, last):
        hash_ = unpack(lay, rows[number - base], codes, ids)
        place = -1 - look_up(slots, rows, base, rows[number - base], hash_)
        slots[place] = hash_ >> U(32) << U(32) | U(number + 1)


# ---- the steps of one state --------------------------------------------------------------------------------


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


@both
def without_key(number, column, old):
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
def full_step(t, lay, b, r, o, step, move, process):
    """Do a step that makes a future or may lose one."""
    copy(b.ids_2, b.ids)
    copy(b.codes_2, b.codes)
    at, column = t.moves[move, AT], t.first_process + process
    if t.moves[move, CREATED] >= 0:
        place = t.first_future + t.moves[move, CREATED]
        b.ids_2[place], b.codes_2[place] = t.pending, PENDING
    b.ids_2[at], b.codes_2[at] = t.moves[move, VALUE], t.moves[move, VALUE_CODE]
    b.ids_2[column], b.codes_2[column] = t.moves[move, LOCAL], t.moves[move, LOCAL_CODE]
    missing = _collect(t, b, r, U(t.moves[move, LOST]))
    if missing:
        return missing
    failed = False
    for place in range(t.first_process, t.first_future):
        failed |= t.flags[b.ids_2[place]] & HAS_FAILED != 0
    o.hashes[step] = pack(lay, o.rows[step], b.codes_2)
    o.steps[step, 2] = failed
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
def _expiry(t, b, r, process, local):
    """Return the entry of a time-out, 0 when the process has none, or -1 when it must be learned."""
    if not t.flags[local] & IS_TIMED or (t.timeouts == NEVER and not t.flags[local] & IS_SLEEP):
        return np.int64(0)
    r[ASK_1] = process
    return find(t.moved, key_of(process, local, b.ids[t.target[local]], EXPIRES))


@compiled
def _operation(t, b, r, process, local):
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
        entry = _expiry(t, b, r, process, local) if late else _operation(t, b, r, process, local)
        if entry < 0:
            return EXPIRY if late else MOVES if entry == -1 else FUTURES
        missing = _add(t, lay, b, r, o, entry, process, b.offset[process] if late else 0)
        if missing:
            return missing
        if not late:
            b.offset[process] = entry & 0xFFFF
    return DONE


# ---- who waits ---------------------------------------------------------------------------------------------


@compiled
def _bits(word):
    count = ZERO
    while word:
        word &= word - ONE
        count += ONE
    return count


@compiled
def _owes(t, b, process):
    flags = t.flags[b.ids[t.first_process + process]]
    if t.pooled[process]:
        return flags & IN_TASK != 0
    return not t.daemon[process] and flags & UNDONE != 0


@compiled
def _note_waiting(t, b, r, o):
    """Find who waits without a limit and who has ended, as `Kernel.waiting`; keep both as bits."""
    waiting = ended = movers = ZERO
    for step in range(r[BEGUN], r[STEPS]):
        movers |= ONE << U(o.steps[step, 0])
    for process in range(t.processes):
        bit = ONE << U(process)
        local = b.ids[t.first_process + process]
        if t.target[local] < 0:
            ended |= bit
        elif not movers & bit:
            entry = _expiry(t, b, r, process, local)
            if entry < 0:
                return EXPIRY
            if not entry & 0xFFFF:
                waiting |= bit
    b.mark[0], b.mark[1] = waiting, ended
    return DONE


@compiled
def _newly(t, b, before):
    """Return who must be asked about: those who newly wait, or all when something has ended; see `stuck_in`."""
    idle = ZERO
    for column in t.workers:
        if t.flags[b.ids[column]] & IS_IDLE:
            idle |= ONE << U(column - t.first_process)
    waiting, ended = b.mark[0], b.mark[1]
    new = waiting & ~before
    if new & idle or _bits(ended) > before >> U(MOST_PROCESSES):
        new = waiting
    return new & ~idle


@compiled
def _wait_of(t, b, r, process):
    local = b.ids[t.first_process + process]
    r[ASK_1], r[ASK_2], r[ASK_3] = process, local, b.ids[t.target[local]]
    return find(t.waits, key_of(process, local, b.ids[t.target[local]], 0))


@both
def pair_key(wait, other, local):
    """Pack what "may ``other`` enable this wait" is looked up by."""
    return U(wait + 1) << U(32) | U(other) << U(25) | U(local)


@both
def queue_key(wait, pool, tasks):
    """Pack what "may a queued task enable this wait" is looked up by."""
    return ONE << U(63) | U(wait + 1) << U(32) | U(pool) << U(25) | U(tasks)


@compiled
def _among(t, b, r, process, wait, others):
    """Keep, as bits, who of ``others`` may enable ``process``; look no further than the first who has a step."""
    for other in range(t.processes):
        if others >> U(other) & ONE:
            may = find(t.pairs, pair_key(wait, other, b.ids[t.first_process + other]))
            if may < 0:
                r[ASK_1], r[ASK_2], r[ASK_3] = wait, process, other
                return MAY
            if may:
                b.helpers[0] |= ONE << U(other)
                if not b.mark[0] >> U(other) & ONE:
                    return DONE
    return DONE


@compiled
def _helpers(t, b, r, process, wait):
    """Keep, as bits, who may enable ``process``; one of them with a step, if there is any, is enough."""
    b.helpers[0] = ZERO
    going = ((ONE << U(t.processes)) - ONE) & ~b.mark[1]
    missing = _among(t, b, r, process, wait, going & ~b.mark[0])
    if missing or b.helpers[0]:
        return missing
    for pool in range(len(t.pools)):
        tasks = t.value_tasks[b.ids[t.pools[pool]]]
        may = find(t.pairs, queue_key(wait, pool, tasks))
        if may < 0:
            r[ASK_1], r[ASK_2], r[ASK_3] = wait, process, pool
            return QUEUED
        if may:
            b.helpers[0] |= t.pool_bits[pool] & ~b.mark[1]
    return DONE if b.helpers[0] & ~b.mark[0] else _among(t, b, r, process, wait, going & b.mark[0])


@compiled
def _lives(t, b, r, process):
    """Return DONE when somebody with a step may enable ``process``, directly or not; DEAD, or what is missing."""
    seen = todo = ONE << U(process)
    while todo:
        one = 0
        while not todo >> U(one) & ONE:
            one += 1
        todo &= todo - ONE
        wait = _wait_of(t, b, r, one)
        if wait < 0:
            return WAITS
        missing = _helpers(t, b, r, one, wait)
        if missing:
            return missing
        if b.helpers[0] & ~b.mark[0]:
            return DONE
        todo |= b.helpers[0] & ~seen
        seen |= b.helpers[0]
    return DEAD


@compiled
def _judge(t, b, s, r, o):
    """Look for somebody who can never move again, as `Search.stuck_in`."""
    number = r[POSITION]
    if r[STEPS] == r[BEGUN]:
        for process in range(t.processes):
            if _owes(t, b, process):
                return DEADLOCK
        return DONE
    missing = _note_waiting(t, b, r, o)
    if missing:
        return missing
    if r[LOOK] < 2 or b.mark[0] == ZERO or r[ALIVE] == number:
        return DONE
    new = _newly(t, b, s.marks[number - r[LEVEL]])
    process = t.processes - 1
    while new:
        if new >> U(process) & ONE:
            missing = _lives(t, b, r, process)
            if missing:
                r[WAITING] = np.int64(new)
                return missing
            new ^= ONE << U(process)
        process -= 1
    return DONE


# ---- all states --------------------------------------------------------------------------------------------


@compiled
def _look(s, r, o):
    """Look up what the steps of a share lead to; -1 stands for what was not known when the share was expanded."""
    for step in range(r[LOOKED], r[BEGUN]):
        if len(s.signatures) and contains(s.signatures, o.hashes[step]):
            o.found[step] = 0
        else:
            o.found[step] = look_up(s.slots, s.rows, r[BASE], o.rows[step], o.hashes[step])
    r[LOOKED] = r[BEGUN]


@called
def expand(t, lay, b, s, r, o):
    """Expand the states of a share in order until something is missing, or somebody can never move again."""
    status = PAUSED
    while r[POSITION] < r[UNTIL]:
        status = gather(t, lay, b, s, r, o)
        if status == DONE and r[LOOK]:
            status = _judge(t, b, s, r, o)
        if status != DONE:
            break
        if r[LOOK] and r[STEPS] > r[BEGUN]:
            s.marks[r[POSITION] - r[LEVEL]] = b.mark[0] | _bits(b.mark[1]) << U(MOST_PROCESSES)
        r[BEGUN] = o.ends[r[POSITION] - r[FIRST]] = r[STEPS]
        r[POSITION] += 1
        status = PAUSED
    _look(s, r, o)
    return status


@compiled
def _hand_on(s, r, known, fresh):
    """Tell a state of the next level who waits, and what has ended, in all states before it; see `Search.follow`."""
    place, own = known - r[LEVEL_END], s.marks[r[POSITION] - r[LEVEL]]
    mark = s.following[place]
    if fresh:
        s.following[place] = own
    elif mark & U(WHO) and mark != own:
        s.following[place] = mark & own & U(WHO) | min(mark & ~U(WHO), own & ~U(WHO))


@compiled
def _number(s, r, o, first, last):
    """Give numbers to the states that are new among those that a state's steps lead to."""
    number, states = r[POSITION], r[STATES]
    most = states + last - first
    if most - r[BASE] > len(s.rows) or most > len(s.parents) or most - r[LEVEL_END] > len(s.following):
        return ROOM
    if (most - r[BASE]) * 10 > len(s.slots) * 7:
        return ROOM
    for step in range(first, last):
        known = o.found[step]
        if known < 0:
            known = look_up(s.slots, s.rows, r[BASE], o.rows[step], o.hashes[step])
        if known >= 0:
            if known < r[LEVEL_END]:
                r[LEVELLED] = 0
            elif r[LOOK]:
                _hand_on(s, r, known, False)
            continue
        if states >= r[LIMIT_STATES]:
            r[STATES], r[EDGES] = states, r[EDGES] + step - first
            return LIMIT
        s.slots[-1 - known] = o.hashes[step] >> U(32) << U(32) | U(states + 1)
        copy(s.rows[states - r[BASE]], o.rows[step])
        s.parents[states] = number
        if len(s.ways):
            s.ways[states] = step - first
        if r[LOOK]:
            _hand_on(s, r, states, True)
        if o.steps[step, 2] and r[WRONG] < 0:
            r[WRONG] = states
        states += 1
    r[STATES], r[EDGES] = states, r[EDGES] + last - first
    return DONE


@called
def follow(s, r, o, first, last):
    """Number what the states of a share have led to, up to state ``last``; ``first`` is the first of the share."""
    while r[POSITION] < last:
        if r[STATES] >= r[PAUSE_STATES] or r[EDGES] >= r[PAUSE_EDGES]:
            return PAUSED
        place = r[POSITION] - first
        missing = _number(s, r, o, o.ends[place - 1] if place else 0, o.ends[place])
        if missing:
            return missing
        s.log[r[POSITION] - r[LOG]] = r[EDGES]
        r[POSITION] += 1
        if r[WRONG] >= 0:
            return FAILED
    return DONE
