"""The representative of a state, found in tables of components: for compiled functions.

It is the one of `simcore/reduction/symmetry.py`, where names that tie make no difference and no worker is mentioned;
elsewhere that is asked.
"""

from __future__ import annotations

from simcore.explore.compiled.kinds import Word, compiled
from simcore.explore.compiled.registers import (
    ASK_1,
    ASK_2,
    CANONICAL,
    COMPONENT,
    DONE,
    MOVED,
    ONE,
    STEP,
    TESTED,
    UNTESTED,
    ZERO,
    U,
)
from simcore.explore.compiled.rows import copy, find, mixed

OWNER, KIND, SHAPE, FIRST_NAME, NAMES, FIRST_COLOUR, COLOURS = range(7)
"""Columns of what is known about a component."""

NOBODY, FREE = -1, -1


@compiled
def component_key(position: int, number: int) -> Word:
    """Pack what a component is looked up by."""
    return U(position + 1) << U(32) | U(number)


@compiled
def branch_key(node: int, name: int) -> Word:
    """Pack what the next node is looked up by; with name -1 what has all the names on the way."""
    return U(node) << U(32) | U(name + 1)


@compiled
def signature(row):
    """Return the hash of a state, on which places that are free at its end have no influence."""
    hash_ = ZERO
    for position in range(len(row)):
        if row[position]:
            hash_ ^= mixed(component_key(position, row[position]))
    return hash_


@compiled
def _look_up(t, y, w, r, row):
    for position in range(len(row)):
        w.parts[position] = FREE
        if row[position] or position < t.first_future:
            part = find(y.components, component_key(position, row[position]))
            if part < 0:
                r[ASK_1], r[ASK_2] = position, row[position]
                return COMPONENT
            w.parts[position] = part
    return DONE


@compiled
def _colour(y, w, names):
    """Sum up what is said of each name; tell whether a worker is mentioned."""
    for name in range(names):
        w.colours[name] = ZERO
        w.moves[name] = name
    for position in range(len(w.parts)):
        part = w.parts[position]
        if part >= 0:
            first = y.about[part, FIRST_COLOUR]
            for place in range(first, first + y.about[part, COLOURS]):
                w.colours[y.coloured[place]] += y.colours[place]
    for name in range(y.first_worker, y.first_made):  # noqa: SIM110 - compiled
        if w.colours[name]:
            return True
    return False


@compiled
def _bit(y, name):
    """Return the bit of a name in `Orbits.linked`; names may share one, and then it is asked once too often."""
    return ONE << U((name if name < y.first_worker else name - y.first_made + y.first_worker) % 64)


@compiled
def _sort(y, w, first, count):
    """Give places from ``first`` on to so many names, in the order of their colours; return those that tie, as bits."""
    tied = ZERO
    for place in range(1, count):
        name, back = w.order[place], place
        while back and w.colours[w.order[back - 1]] > w.colours[name]:
            w.order[back] = w.order[back - 1]
            back -= 1
        w.order[back] = name
    for place in range(count):
        w.moves[w.order[place]] = first + place
        if place and w.colours[w.order[place]] == w.colours[w.order[place - 1]]:
            tied |= _bit(y, w.order[place]) | _bit(y, w.order[place - 1])
    return tied


@compiled
def _arrange(y, w, names):
    """Say where each name goes; return those that tie, as bits."""
    tied = ZERO
    for block in range(len(y.spans)):
        first, end = y.spans[block, 0], y.spans[block, 1]
        for name in range(first, end):
            w.order[name - first] = name
        tied |= _sort(y, w, first, end - first)
    count = 0
    for name in range(y.first_made, names):
        if w.colours[name]:
            w.order[count] = name
            count += 1
    return tied | _sort(y, w, y.first_made, count)


@compiled
def _move(t, y, w, r, row, new, position):
    """Write what stands at ``position`` where it goes."""
    part, number = w.parts[position], row[position]
    if part < 0:
        return DONE
    owner, first, count = y.about[part, OWNER], y.about[part, FIRST_NAME], y.about[part, NAMES]
    if count:
        node = y.about[part, SHAPE]
        for place in range(first, first + count):
            if node >= 0:
                node = find(y.made, branch_key(node, w.moves[y.names[place]]))
            w.asked[place - first] = w.moves[y.names[place]]
        number = find(y.made, branch_key(node, -1)) if node >= 0 else node
        if number < 0:
            r[ASK_1], r[ASK_2] = position, row[position]
            return MOVED
    if owner == NOBODY:
        new[position] = number
    elif position < t.first_future:
        new[y.targets[y.about[part, KIND], w.moves[owner]]] = number
    else:
        new[t.first_future + w.moves[owner] - y.first_made] = number
    return DONE


@compiled
def _move_processes(t, y, w, r, row, new, way):
    for position in range(t.first_process, t.first_future):
        missing = _move(t, y, w, r, row, new, position)
        if missing:
            return missing
        part = w.parts[position]
        owner = y.about[part, OWNER]
        if owner != NOBODY:
            target = y.targets[y.about[part, KIND], w.moves[owner]]
            way[position - t.first_process] = target - t.first_process
    return DONE


@compiled
def _order_workers(t, y, w, new, way):
    for team in range(len(y.teams)):
        first, end = y.teams[team, 0], y.teams[team, 1]
        for place in range(first, end):
            number, source, back = new[place], place, place
            while back > first and new[back - 1] > number:
                new[back], w.sources[back] = new[back - 1], w.sources[back - 1]
                back -= 1
            new[back], w.sources[back] = number, source
        for place in range(first, end):
            way[w.sources[place] - t.first_process] = place - t.first_process


@compiled
def _moved(w, names):
    for name in range(names):  # noqa: SIM110 - compiled
        if w.moves[name] != name:
            return True
    return False


@compiled
def _build(t, y, w, r, row, new, way, names):
    copy(new, row)
    for process in range(t.processes):
        way[process] = process
    if not _moved(w, names):
        _order_workers(t, y, w, new, way)
        return DONE
    missing = _move_processes(t, y, w, r, row, new, way)
    if missing:
        return missing
    _order_workers(t, y, w, new, way)
    if y.made_too:
        for position in range(t.first_future, len(new)):
            new[position] = 0
    for position in range(len(row)):
        if not t.first_process <= position < t.first_future:
            missing = _move(t, y, w, r, row, new, position)
            if missing:
                return missing
    return DONE


@compiled
def _found(t, y, w, r, row, new, way):
    names = len(w.colours)
    missing = _look_up(t, y, w, r, row)
    if missing:
        return missing
    if _colour(y, w, names):
        return CANONICAL
    tied = _arrange(y, w, names)
    if tied:
        for position in range(len(row)):
            if w.parts[position] >= 0 and y.linked[w.parts[position]] & tied:
                return CANONICAL
    return _build(t, y, w, r, row, new, way, names)


@compiled
def represent(t, y, w, r, f, step):
    """Find the representative of what a step leads to, unless it is known."""
    if not f.known[step]:
        r[STEP] = step
        if y.trivial:
            copy(f.found[step], f.rows[step])
        else:
            missing = UNTESTED if not r[TESTED] else _found(t, y, w, r, f.rows[step], f.found[step], f.ways[step])
            if missing:
                return missing
        f.known[step] = 1
    if f.known[step] == 1:
        f.hashes[step] = signature(f.found[step])
        f.known[step] = 2
    return DONE
