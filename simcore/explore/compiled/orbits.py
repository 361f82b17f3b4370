"""The representative of a state, found in tables of components: for compiled functions.

It is the one of `reduction/symmetry.py`, where names that tie make no difference or are copies (`ties.py`), and no
worker is mentioned; elsewhere that is asked.
"""

from __future__ import annotations

from simcore.explore.compiled.kinds import Word, compiled
from simcore.explore.compiled.registers import (
    ASK_1,
    ASK_2,
    CANONICAL,
    COLOURS,
    COMPONENT,
    DONE,
    EXACT,
    FIRST_COLOUR,
    FIRST_NAME,
    KIND,
    MOVED,
    NAMES,
    OWNER,
    SHAPE,
    STEP,
    TESTED,
    UNTESTED,
    ZERO,
    U,
)
from simcore.explore.compiled.rows import copy, find, mixed
from simcore.explore.compiled.ties import gather, mentions_tied, sort, told_apart

LINKED, UNTOLD = 1, 2
"""Names that tie are mentioned with others; or something is there that does not say all that it means."""

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
def _arrange(y, w, names):
    """Say where each name goes, by their colours; mark in ``w.roots`` those that tie, and tell whether any do."""
    tied = False
    for name in range(names):
        w.roots[name] = -1
    for group in range(len(y.spans) + 1):
        count = gather(y, w, group, names)
        first = y.spans[group, 0] if group < len(y.spans) else y.first_made
        sort(w, w.colours, count)
        for place in range(count):
            w.moves[w.order[place]] = first + place
            if place and w.colours[w.order[place]] == w.colours[w.order[place - 1]]:
                tied = True
                for name in (w.order[place - 1], w.order[place]):
                    w.roots[name] = name
    return tied


@compiled
def _linked(y, w):
    """Tell whether something mentions names that tie together with others, and then whether that is all of it."""
    linked, exact = False, True
    for part in w.parts:
        if part >= 0:
            linked = linked or mentions_tied(y, w, part)
            exact = exact and y.about[part, EXACT] != 0
    return UNTOLD if not exact else LINKED if linked else 0


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
    linked = _linked(y, w) if _arrange(y, w, names) else 0
    if linked:
        if linked == UNTOLD or not told_apart(y, w, names):
            return CANONICAL
        _arrange(y, w, names)
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
