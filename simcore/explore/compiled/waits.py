"""Who waits in a state, and whether somebody can never move again: for compiled functions."""

from __future__ import annotations

import numpy as np

from simcore.explore.compiled.kinds import Word, compiled
from simcore.explore.compiled.registers import (
    ALIVE,
    ASK_1,
    ASK_2,
    ASK_3,
    BEGUN,
    DEAD,
    DEADLOCK,
    DONE,
    EXPIRY,
    IN_TASK,
    IS_IDLE,
    LEVEL,
    LOOK,
    MAY,
    MOST_PROCESSES,
    ONE,
    POSITION,
    QUEUED,
    STEPS,
    UNDONE,
    WAITING,
    WAITS,
    ZERO,
    U,
)
from simcore.explore.compiled.rows import find, key_of
from simcore.explore.compiled.steps import expiry


@compiled
def bits(word):
    """Return how many bits of a word are set."""
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
            entry = expiry(t, b, r, process, local)
            if entry < 0:
                return EXPIRY
            if not entry & 0xFFFF:
                waiting |= bit
    b.mark[0], b.mark[1] = waiting, ended
    return DONE


@compiled
def _newly(t, b, before, ended_before):
    """Return who must be asked about: those who newly wait, or all when something has ended; see `stuck_in`."""
    idle = ZERO
    for column in t.workers:
        if t.flags[b.ids[column]] & IS_IDLE:
            idle |= ONE << U(column - t.first_process)
    waiting, ended = b.mark[0], b.mark[1]
    new = waiting & ~before
    if new & idle or bits(ended) > U(ended_before):
        new = waiting
    return new & ~idle


@compiled
def _wait_of(t, b, r, process):
    local = b.ids[t.first_process + process]
    r[ASK_1], r[ASK_2], r[ASK_3] = process, local, b.ids[t.target[local]]
    return find(t.waits, key_of(process, local, b.ids[t.target[local]], 0))


@compiled
def pair_key(wait: int, other: int, local: int) -> Word:
    """Pack what "may ``other`` enable this wait" is looked up by."""
    return U(wait + 1) << U(32) | U(other) << U(25) | U(local)


@compiled
def queue_key(wait: int, pool: int, tasks: int) -> Word:
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
    going = ~ZERO >> U(MOST_PROCESSES - t.processes) & ~b.mark[1]
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
def judge(t, b, s, r, o):
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
    new = _newly(t, b, s.marks[number - r[LEVEL]], s.ended[number - r[LEVEL]])
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
