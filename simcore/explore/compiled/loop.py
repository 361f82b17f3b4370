"""The breadth-first loop on arrays: a state's steps, who has stopped for good, and numbers for what is new.

Everything that is compiled is pure (it writes only into the arrays that it is given) and decides
nothing. What a table does not hold yet is asked for, by returning a number that says what is missing;
`search.py` beside this file has it learned and calls again. The states of a level are expanded in two halves.
`expand` takes a share of them: it finds their steps, looks for somebody who can never move again, and looks up
what the steps lead to; it writes only what belongs to its share, so shares can be expanded at the same time. `follow`
then goes through the shares one after the other and gives numbers to the states that are new, in the order of
the plain loop (`simcore/search.py`). So nothing that is found depends on how many shares there were.
"""

from __future__ import annotations

from simcore.explore.compiled.kinds import Ints, compiled
from simcore.explore.compiled.native import called
from simcore.explore.compiled.registers import (
    BASE,
    BEGUN,
    DONE,
    EDGES,
    FAILED,
    FIRST,
    LEVEL,
    LEVEL_END,
    LEVELLED,
    LIMIT,
    LIMIT_STATES,
    LOG,
    LOOK,
    LOOKED,
    PAUSE_EDGES,
    PAUSE_STATES,
    PAUSED,
    POSITION,
    ROOM,
    STATES,
    STEPS,
    UNTIL,
    WRONG,
)
from simcore.explore.compiled.rows import contains, copy, look_up, slot
from simcore.explore.compiled.steps import gather
from simcore.explore.compiled.structs import Arrays, Buffers, Layout, Met, Steps
from simcore.explore.compiled.waits import bits, judge


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
def expand(t: Arrays, lay: Layout, b: Buffers, s: Met, r: Ints, o: Steps) -> int:
    """Expand the states of a share in order until something is missing, or somebody can never move again."""
    status = PAUSED
    while r[POSITION] < r[UNTIL]:
        status = gather(t, lay, b, s, r, o)
        if status == DONE and r[LOOK]:
            status = judge(t, b, s, r, o)
        if status != DONE:
            break
        if r[LOOK] and r[STEPS] > r[BEGUN]:
            s.marks[r[POSITION] - r[LEVEL]] = b.mark[0]
            s.ended[r[POSITION] - r[LEVEL]] = bits(b.mark[1])
        r[BEGUN] = o.ends[r[POSITION] - r[FIRST]] = r[STEPS]
        r[POSITION] += 1
        status = PAUSED
    _look(s, r, o)
    return status


@compiled
def _hand_on(s, r, known, fresh):
    """Tell a state of the next level who waits, and what has ended, in all states before it; see `Search.follow`."""
    place, own = known - r[LEVEL_END], r[POSITION] - r[LEVEL]
    if fresh:
        s.following[place], s.ended_next[place] = s.marks[own], s.ended[own]
    elif s.following[place]:
        s.following[place] &= s.marks[own]
        s.ended_next[place] = min(s.ended_next[place], s.ended[own])


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
        s.slots[-1 - known] = slot(o.hashes[step], states)
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
def follow(s: Met, r: Ints, o: Steps, first: int, last: int) -> int:
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
