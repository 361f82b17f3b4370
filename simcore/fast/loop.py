"""The breadth-first loop on arrays: a state's steps, who has stopped for good, and numbers for what is new.

A state is expanded in three parts: `_gather` finds its steps, `_judge` looks for somebody who can never move
again, `_follow` gives numbers to the states that are new, in the order of the plain loop (`search.py`). What a
table does not hold yet is asked for, by returning a number that says what is missing; `search.py` beside this
file has it learned and calls again. Only `_follow` changes anything that is kept, and it starts when nothing is
missing, so a call can be taken up again wherever it stopped.
"""

from __future__ import annotations

import numpy as np

from simcore.fast.names import (
    ABOVE,
    ALIVE,
    ANYTIME,
    ASK_1,
    ASK_2,
    ASK_3,
    CREATED,
    CREATES,
    DEAD,
    DEADLOCK,
    DONE,
    EDGES,
    ENDED,
    EXPIRES,
    EXPIRY,
    FAILED,
    FUTURES,
    IN_TASK,
    IS_IDLE,
    IS_SLEEP,
    IS_TIMED,
    JUDGED,
    LEVEL,
    LEVEL_END,
    LEVELLED,
    LIMIT,
    LIMIT_STATES,
    LOG,
    LOOK,
    LOST,
    MAY,
    MOST_STEPS,
    MOVES,
    NEVER,
    PAUSE_STATES,
    PAUSED,
    POSITION,
    QUEUED,
    READY,
    RENAME,
    ROOM,
    STATES,
    STEPS,
    UNDONE,
    UNFIT,
    UNTIL,
    WAITING,
    WAITS,
    WRONG,
)
from simcore.fast.rows import ONE, ZERO, U, compiled, copy, find, hashed, key_of, look_up, unpack
from simcore.fast.steps import full_step, lowest_free, plain_step

# ---- the steps of a state ----------------------------------------------------------------------------------


@compiled
def _add(t, lay, b, r, entry, process, outcome):
    """Take the moves of an entry as steps."""
    first, count = entry >> 16, entry & 0xFFFF
    if r[STEPS] + count > MOST_STEPS:
        return UNFIT
    for move in range(first, first + count):
        step = r[STEPS]
        b.steps[step, 0], b.steps[step, 1] = process, outcome
        if t.moves[move, LOST] == 0 and t.moves[move, CREATED] < 0:
            plain_step(t, lay, b, step, move, process)
        else:
            missing = full_step(t, lay, b, r, step, move, process)
            if missing:
                return missing
        outcome += 1
        r[STEPS] += 1
    return DONE


@compiled
def _of_operations(t, lay, b, r):
    for process in range(t.processes):
        local = b.ids[t.first_process + process]
        target = t.target[local]
        b.offset[process] = 0
        if target < 0:
            continue
        fresh = 0
        if t.flags[local] & CREATES:
            fresh = lowest_free(t, b.ids) + 1
            if t.first_future + fresh > len(b.ids):
                return FUTURES
        entry = find(t.keys, t.entries, key_of(process, local, b.ids[target], fresh))
        if entry < 0:
            r[ASK_1], r[ASK_2] = process, fresh
            return MOVES
        b.offset[process] = entry & 0xFFFF
        missing = _add(t, lay, b, r, entry, process, 0)
        if missing:
            return missing
    return DONE


@compiled
def _expiry(t, b, r, process, local):
    """Return the entry of a time-out, 0 when the process has none, or -1 when it must be learned."""
    if not t.flags[local] & IS_TIMED or (t.timeouts == NEVER and not t.flags[local] & IS_SLEEP):
        return np.int64(0)
    entry = find(t.keys, t.entries, key_of(process, local, b.ids[t.target[local]], EXPIRES))
    r[ASK_1] = process
    return entry


@compiled
def _of_time_outs(t, lay, b, r):
    for process in range(t.processes):
        entry = _expiry(t, b, r, process, b.ids[t.first_process + process])
        if entry < 0:
            return EXPIRY
        missing = _add(t, lay, b, r, entry, process, b.offset[process])
        if missing:
            return missing
    return DONE


@compiled
def gather(t, lay, b, s, r, number):
    """Find all steps of state ``number``."""
    r[STEPS] = 0
    copy(b.row, s.rows[number])
    unpack(lay, b.row, b.codes, b.ids)
    b.hash[0] = hashed(lay, b.ids)
    missing = _of_operations(t, lay, b, r)
    if missing:
        return missing
    if t.timeouts == ANYTIME or r[STEPS] == 0:
        return _of_time_outs(t, lay, b, r)
    return DONE


# ---- who waits ---------------------------------------------------------------------------------------------


@compiled
def _bits(word):
    count = 0
    while word:
        word &= word - ONE
        count += 1
    return count


@compiled
def _owes(t, b, process):
    flags = t.flags[b.ids[t.first_process + process]]
    if t.pooled[process]:
        return flags & IN_TASK != 0
    return not t.daemon[process] and flags & UNDONE != 0


@compiled
def _note_waiting(t, b, r):
    """Find who waits without a limit and who has ended, as `Kernel.waiting`; keep both as bits."""
    waiting = ended = movers = ZERO
    for step in range(r[STEPS]):
        movers |= ONE << U(b.steps[step, 0])
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
def _newly(t, b, before, waiting, ended):
    """Return who must be asked about: those who newly wait, or more when something ended; see `stuck_in`."""
    idle = ZERO
    for column in t.workers:
        if t.flags[b.ids[column]] & IS_IDLE:
            idle |= ONE << U(column - t.first_process)
    new = waiting & ~before[0]
    if new & idle or _bits(ended) > _bits(before[1]):
        new = waiting
    for team in range(len(t.team_bits)):
        workers = t.team_bits[team]
        if _bits(waiting & workers) > _bits(before[0] & workers):
            new |= waiting & workers
    return new & ~idle


@compiled
def _wait_of(t, b, r, process):
    local = b.ids[t.first_process + process]
    r[ASK_1], r[ASK_2], r[ASK_3] = process, local, b.ids[t.target[local]]
    return find(t.wait_keys, t.waits, key_of(process, local, b.ids[t.target[local]], 0))


@compiled
def pair_key(wait, other, local):
    """Pack what "may ``other`` enable this wait" is looked up by."""
    return U(wait + 1) << U(32) | U(other) << U(25) | U(local)


@compiled
def queue_key(wait, pool, value):
    """Pack what "may a queued task enable this wait" is looked up by."""
    return ONE << U(63) | U(wait + 1) << U(32) | U(pool) << U(25) | U(value)


@compiled
def _helpers(t, b, r, process, wait):
    """Keep, as bits, who may enable ``process``; all bits when one of them has a step."""
    b.helpers[0] = ZERO
    for other in range(t.processes):
        local = b.ids[t.first_process + other]
        if t.target[local] < 0:
            continue
        may = find(t.pair_keys, t.pairs, pair_key(wait, other, local))
        if may < 0:
            r[ASK_1], r[ASK_2], r[ASK_3] = wait, process, other
            return MAY
        if may:
            b.helpers[0] |= ONE << U(other)
            if not b.mark[0] >> U(other) & ONE:
                return DONE
    for pool in range(len(t.pools)):
        value = b.ids[t.pools[pool]]
        may = find(t.pair_keys, t.pairs, queue_key(wait, pool, value))
        if may < 0:
            r[ASK_1], r[ASK_2], r[ASK_3] = wait, process, pool
            return QUEUED
        if may:
            b.helpers[0] |= t.pool_bits[pool] & ~b.mark[1]
    return DONE


@compiled
def _lives(t, b, r, process):
    """Tell whether somebody with a step is among those who may enable ``process``, directly or not, or what is missing."""
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
def _judge(t, b, s, r):
    """Look for somebody who can never move again, as `Search.stuck_in`."""
    number = r[POSITION]
    if r[STEPS] == 0:
        for process in range(t.processes):
            if _owes(t, b, process):
                return DEADLOCK
        s.marks[number - r[LEVEL], 0] = s.marks[number - r[LEVEL], 1] = ZERO
        return DONE
    missing = _note_waiting(t, b, r)
    if missing:
        return missing
    copy(s.marks[number - r[LEVEL]], b.mark)
    if r[LOOK] < 2 or b.mark[0] == ZERO or r[ALIVE] == number:
        return DONE
    b.before[0] = b.before[1] = ZERO
    if number:
        copy(b.before, s.above[np.int64(s.parents[number]) - r[ABOVE]])
    new = _newly(t, b, b.before, b.mark[0], b.mark[1])
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
def _follow(b, s, r):
    """Give numbers to the states that are new."""
    for step in range(r[STEPS]):
        if b.steps[step, 2]:
            return RENAME
    number, states = r[POSITION], r[STATES]
    if states + r[STEPS] > len(s.rows) or (states + r[STEPS]) * 10 > len(s.slots) * 7:
        return ROOM
    for step in range(r[STEPS]):
        known = look_up(s.slots, s.rows, b.after[step], b.hashes[step])
        if known >= 0:
            if known < r[LEVEL_END]:
                r[LEVELLED] = 0
            continue
        if states >= r[LIMIT_STATES]:
            r[STATES], r[EDGES] = states, r[EDGES] + step
            return LIMIT
        s.slots[-1 - known] = b.hashes[step] >> U(32) << U(32) | U(states + 1)
        copy(s.rows[states], b.after[step])
        s.parents[states] = number
        if b.steps[step, 3] and r[WRONG] < 0:
            r[WRONG] = states
        states += 1
    r[STATES], r[EDGES] = states, r[EDGES] + r[STEPS]
    s.log[number - r[LOG]] = r[EDGES]
    r[POSITION] = number + 1
    return FAILED if r[WRONG] >= 0 else DONE


@compiled
def run(t, lay, b, s, r):
    """Expand states in order until a bound is met or something is missing."""
    while r[POSITION] < r[UNTIL] and r[STATES] < r[PAUSE_STATES]:
        if r[READY] != r[POSITION]:
            missing = gather(t, lay, b, s, r, r[POSITION])
            if missing:
                return missing
            if r[LOOK] and r[JUDGED] != r[POSITION]:
                missing = _judge(t, b, s, r)
                if missing:
                    return missing
                r[JUDGED] = r[POSITION]
            r[READY] = r[POSITION]
        missing = _follow(b, s, r)
        if missing:
            return missing
    return PAUSED


@compiled
def edges(t, lay, b, s, r, out, last):
    """Write the steps of expanded states as edges: state ``s`` has those from ``starts[s]`` to ``starts[s + 1]``."""
    while r[POSITION] < last:
        number = r[POSITION]
        if r[READY] != number:
            missing = gather(t, lay, b, s, r, number)
            if missing:
                return missing
            r[READY] = number
        for step in range(r[STEPS]):
            if b.steps[step, 2]:
                return RENAME
        at = out.starts[number]
        for step in range(r[STEPS]):
            out.targets[at + step] = look_up(s.slots, s.rows, b.after[step], b.hashes[step])
            out.processes[at + step], out.outcomes[at + step] = b.steps[step, 0], b.steps[step, 1]
        out.starts[number + 1] = at + r[STEPS]
        r[POSITION] = number + 1
    return PAUSED
