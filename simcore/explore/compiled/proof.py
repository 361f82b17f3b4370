"""The breadth-first loop with both reductions, for deadlock freedom alone: compiled.

States are representatives, and lie as they are, a number for each position. Like `loop.py` it is pure, and
asks for what no table holds yet; then the state that it was at is begun again.
"""

from __future__ import annotations

from simcore.explore.compiled.kinds import IntRows32, Ints, Words, compiled
from simcore.explore.compiled.native import called
from simcore.explore.compiled.orbits import signature
from simcore.explore.compiled.parts import choose
from simcore.explore.compiled.registers import (
    ANYTIME,
    BEGUN,
    CHOSEN,
    CROWDED,
    DONE,
    EDGES,
    EXPIRY,
    FAILED,
    FUTURES,
    LEVELLED,
    LIMIT,
    LIMIT_STATES,
    MOVES,
    ONE,
    PAUSED,
    POSITION,
    REMEMBERED,
    ROOM,
    STATES,
    STEPS,
    TIMED_OUT,
    UNTIL,
    ZERO,
    U,
)
from simcore.explore.compiled.rows import copy, look_up, slot
from simcore.explore.compiled.steps import after, expiry, fails, operation
from simcore.explore.compiled.structs import Arrays, Buffers, Edges, Orbits, Reach, Reached, Representatives, Room
from simcore.explore.compiled.waits import bits, judge


@compiled
def _add(t, b, r, f, entry, process, outcome):
    first, count = entry >> 16, entry & 0xFFFF
    if r[STEPS] + count > len(f.rows):
        return CROWDED
    for move in range(first, first + count):
        missing = after(t, b, r, move, process)
        if missing:
            return missing
        step = r[STEPS]
        copy(f.rows[step], b.ids_2)
        f.steps[step, 0], f.steps[step, 1], f.steps[step, 2] = process, outcome, fails(t, b.ids_2)
        outcome += 1
        r[STEPS] += 1
    return DONE


@compiled
def _gather(t, b, r, f):
    """Find all steps of a state, in the order of `steps.gather`."""
    r[BEGUN] = r[STEPS] = r[TIMED_OUT] = 0
    for turn in range(2 * t.processes):
        late = turn >= t.processes
        if turn == t.processes and t.timeouts != ANYTIME:
            if r[STEPS]:
                break
            r[TIMED_OUT] = 1
        process = turn - t.processes if late else turn
        local = b.ids[t.first_process + process]
        entry = expiry(t, b, r, process, local) if late else operation(t, b, r, process, local)
        if entry < 0:
            return EXPIRY if late else MOVES if entry == -1 else FUTURES
        missing = _add(t, b, r, f, entry, process, b.offset[process] if late else 0)
        if missing:
            return missing
        if not late:
            b.offset[process] = entry & 0xFFFF
    return DONE


@compiled
def _called(y, waiting, way):
    """Return who waits by the names that a representative gives them."""
    if y.trivial:
        return waiting
    called_ = ZERO
    for process in range(len(way)):
        if waiting >> U(process) & ONE:
            called_ |= ONE << U(way[process])
    return called_


@compiled
def _hand_on(y, s, r, f, step, known):
    """Tell a state who waits, and what has ended, in all states before it; see `Search.follow`."""
    if s.depths[known] > s.depths[r[POSITION]] and s.marks[known]:
        s.marks[known] &= _called(y, s.marks[r[POSITION]], f.ways[step])
        s.ended[known] = min(s.ended[known], s.ended[r[POSITION]])


@compiled
def _follow(y, s, e, r, f):
    """Note the chosen steps, and give numbers to the representatives that are new among what they lead to."""
    chosen, number = U(r[CHOSEN]), r[POSITION]
    most = r[STATES] + r[STEPS]
    if most > len(s.rows) or most * 10 > len(s.slots) * 7 or r[EDGES] + r[STEPS] > len(e.targets):
        return ROOM
    for step in range(r[STEPS]):
        if chosen and not chosen >> U(f.steps[step, 0]) & ONE:
            continue
        known = look_up(s.slots, s.rows, 0, f.found[step], f.hashes[step])
        if known < 0:
            if r[STATES] >= r[LIMIT_STATES]:
                return LIMIT
            new = r[STATES]
            s.slots[-1 - known] = slot(f.hashes[step], new)
            copy(s.rows[new], f.found[step])
            s.depths[new] = s.depths[number] + 1
            s.marks[new] = _called(y, s.marks[number], f.ways[step])
            s.ended[new] = s.ended[number]
            r[STATES] += 1
            known = new
            if f.steps[step, 2]:
                return FAILED
        else:
            if known <= number:
                r[LEVELLED] = 0
            _hand_on(y, s, r, f, step, known)
        edge = r[EDGES]
        e.targets[edge], e.processes[edge], e.outcomes[edge] = known, f.steps[step, 0], f.steps[step, 1]
        r[EDGES] += 1
    s.chosen[number], e.starts[number + 1] = chosen, r[EDGES]
    return DONE


@compiled
def _begin(b, s, r, f):
    """Forget what the steps of another state lead to."""
    copy(b.ids, s.rows[r[POSITION]])
    if r[REMEMBERED] != r[POSITION]:
        r[REMEMBERED] = r[POSITION]
        for step in range(len(f.known)):
            f.known[step] = 0


@called
def prove(
    t: Arrays, y: Orbits, p: Reach, b: Buffers, w: Room, s: Representatives, e: Edges, r: Ints, f: Reached
) -> int:
    """Expand states in order until something is missing, or somebody can never move again."""
    while r[POSITION] < min(r[STATES], r[UNTIL]):
        _begin(b, s, r, f)
        status = _gather(t, b, r, f)
        if status == DONE:
            status = judge(t, b, s, r, f)
        if status == DONE and r[STEPS]:
            s.marks[r[POSITION]], s.ended[r[POSITION]] = b.mark[0], bits(b.mark[1])
        if status == DONE:
            status = choose(t, y, p, b, w, s, r, f)
        if status == DONE:
            status = _follow(y, s, e, r, f)
        if status != DONE:
            return status
        r[POSITION] += 1
    return PAUSED


@called
def index(slots: Words, rows: IntRows32, states: int) -> None:
    """Fill an empty set of states."""
    for number in range(states):
        hash_ = signature(rows[number])
        slots[-1 - look_up(slots, rows, 0, rows[number], hash_)] = slot(hash_, number)
