"""Which steps of a state are followed in place of all, as `reduction.partial_order` chooses: for compiled functions."""

from __future__ import annotations

import numpy as np

from simcore.explore.compiled.kinds import compiled
from simcore.explore.compiled.orbits import represent
from simcore.explore.compiled.registers import (
    ASK_1,
    ASK_2,
    CHOSEN,
    DONE,
    LAST_TAKEN_IN,
    NEEDS,
    ONE,
    POSITION,
    STEPS,
    TAKE_IN,
    TAKEN_IN,
    TIMED_OUT,
    ZERO,
    U,
)
from simcore.explore.compiled.rows import find, key_of, look_up
from simcore.explore.compiled.waits import bits

NOTHING = 0
"""The row of `Reach.needed` of whoever has ended."""

_ACCEPTED, _REFUSED = -1, -2


@compiled
def _need(t, p, b, r, process, enabled):
    """Return the row of what of the others matters to a process; -1 when it must be asked."""
    local = b.ids[t.first_process + process]
    position = t.target[local]
    if position < 0:
        return np.int64(NOTHING)
    r[ASK_1], r[ASK_2] = process, np.int64(enabled >> U(process) & ONE)
    row = find(p.needs, key_of(process, local, b.ids[position], 0))
    if row >= 0 and p.needed[row, p.needed.shape[1] - 1] != p.versions[position]:
        return np.int64(-1)
    return row


@compiled
def _everything(p, row, process):
    """Tell whether everything may matter to the next step of a process."""
    return p.needed[row, p.needed.shape[1] - 2] >> U(process) & ONE != ZERO


@compiled
def _others(t, p, b, row):
    """Return who may still come to accesses of a row, and who is said to matter besides, as bits."""
    words = p.needed.shape[1] - 2
    others = p.needed[row, words]
    for word in range(words):
        accesses = p.needed[row, word]
        if accesses:
            for other in range(t.processes):
                if p.may[b.ids[t.first_process + other], word] & accesses:
                    others |= ONE << U(other)
    return others


@compiled
def _matter(t, p, b, w, r, process, enabled):
    """Note who matters to the next step of a process, once for each state: itself, too, where everybody may."""
    bit = ONE << U(process)
    if w.matters[t.processes] & bit:
        return DONE
    row = _need(t, p, b, r, process, enabled)
    if row < 0:
        return NEEDS
    w.matters[process] = bit if _everything(p, row, process) else _others(t, p, b, row) & ~bit
    w.matters[t.processes] |= bit
    return DONE


@compiled
def _closure(t, p, b, w, r, process, enabled):
    """Put into ``w.sets[0]`` who belongs together with ``process``; 0 when those are all that are enabled."""
    chosen = added = ONE << U(process)
    w.sets[0] = ZERO
    while added and enabled & ~chosen:
        one = t.processes - 1
        while not added >> U(one) & ONE:
            one -= 1
        added ^= ONE << U(one)
        missing = _matter(t, p, b, w, r, one, enabled)
        if missing:
            return missing
        if w.matters[one] >> U(one) & ONE:
            return DONE
        others = w.matters[one] & ~chosen
        added |= others
        chosen |= others
    if enabled & ~chosen:
        w.sets[0] = chosen
    return DONE


@compiled
def _alone(t, p, b, w, row, process):
    """Tell whether nobody else may come to what matters to the next step of a process."""
    words, local = p.needed.shape[1] - 2, b.ids[t.first_process + process]
    if p.needed[row, words]:
        return False
    for word in range(words):  # noqa: SIM110 - compiled
        if p.needed[row, word] & (w.more[word] | w.some[word] & ~p.may[local, word]):
            return False
    return True


@compiled
def _reaches(t, y, w, s, r, f, chosen):
    """Find the representatives of what steps lead to; accept them when one has not been expanded yet."""
    status = np.int64(_REFUSED)
    for step in range(r[STEPS]):
        if chosen >> U(f.steps[step, 0]) & ONE:
            missing = represent(t, y, w, r, f, step)
            if missing:
                return np.int64(missing)
            known = look_up(s.slots, s.rows, 0, f.found[step], f.hashes[step])
            if known < 0 or known > r[POSITION]:
                status = np.int64(_ACCEPTED)
    return status


@compiled
def _may(t, p, b, w):
    """Note the accesses that somebody, and that more than one process may still come to."""
    for word in range(len(w.some)):
        w.some[word] = w.more[word] = ZERO
        for process in range(t.processes):
            may = p.may[b.ids[t.first_process + process], word]
            w.more[word] |= w.some[word] & may
            w.some[word] |= may


@compiled
def _before(one, other, enabled):
    """Tell which of two sets is tried first: that with fewer steps."""
    few, more = bits(one & enabled), bits(other & enabled)
    return few < more or (few == more and one < other)


@compiled
def _closures(t, p, b, w, r, enabled):
    """Put into ``w.sets``, after how many they are, who belongs together with each of ``w.several``."""
    count, place = 0, 0
    w.matters[t.processes] = ZERO
    while w.several[place] >= 0:
        missing = _closure(t, p, b, w, r, w.several[place], enabled)
        if missing:
            return missing
        found, known = w.sets[0], w.sets[0] == ZERO
        for other in range(1, count + 1):
            known |= w.sets[other] == found
        if not known:
            count += 1
            back = count
            while back > 1 and _before(found, w.sets[back - 1], enabled):
                w.sets[back] = w.sets[back - 1]
                back -= 1
            w.sets[back] = found
        place += 1
    w.sets[0] = U(count)
    return DONE


@compiled
def choose(t, y, p, b, w, s, r, f):
    """Choose whose steps are followed in place of all, nobody's where all are; find the representatives they lead to.

    First whose next step nobody else may come to is tried, then who belongs together, those with fewest steps first.
    """
    enabled = seen = ZERO
    for step in range(r[STEPS]):
        enabled |= ONE << U(f.steps[step, 0])
    everybody = r[TIMED_OUT] != 0 or bits(enabled) < U(2)
    if not everybody:
        for process in range(t.processes):
            known = r[TAKEN_IN] and p.met[b.ids[t.first_process + process]]
            if not known and r[LAST_TAKEN_IN] != r[POSITION]:  # once for each state, as the plain loop does
                return np.int64(TAKE_IN)
        r[LAST_TAKEN_IN] = r[POSITION]
        _may(t, p, b, w)
    waiting, turn, step, closed = 0, 0, r[STEPS], False
    w.several[0] = -1
    while True:
        chosen = ZERO
        while step and chosen == ZERO and not everybody:
            step -= 1
            process = f.steps[step, 0]
            bit = ONE << U(process)
            if not seen & bit:
                seen |= bit
                row = _need(t, p, b, r, process, enabled)
                if row < 0:
                    return np.int64(NEEDS)
                if _alone(t, p, b, w, row, process):
                    chosen = bit
                elif not _everything(p, row, process):
                    w.several[waiting] = process
                    waiting += 1
                    w.several[waiting] = -1
        if chosen == ZERO and not everybody:
            if not closed:
                closed = True
                missing = _closures(t, p, b, w, r, enabled)
                if missing:
                    return np.int64(missing)
            turn += 1
            everybody = U(turn) > w.sets[0]
            chosen = w.sets[min(turn, len(w.sets) - 1)]
        status = _reaches(t, y, w, s, r, f, enabled if everybody else chosen)
        if status > DONE:
            return status
        if everybody or status == _ACCEPTED:
            r[CHOSEN] = np.int64(0) if everybody else np.int64(chosen)
            return np.int64(DONE)
