"""States as rows of bits, tables by hashing, and the set of states: compiled, pure, and without any decision.

The set is one table of 64-bit words, open addressing with linear probing: 32 bits of the state's hash, 32 bits
of its number. A hash is the sum of a mixed word for each column of the state, so a step changes it by what the
tables hold, and exchanging interchangeable workers, whose columns share a key, does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

U = np.uint64
ZERO, ONE, LOW = U(0), U(1), U(0xFFFFFFFF)
_M1, _M2, _M3 = U(0xBF58476D1CE4E5B9), U(0x94D049BB133111EB), U(0x9E3779B97F4A7C15)

compiled: Any = njit(cache=True, nogil=True, _nrt=False, forceinline=True)  # no function makes an array, so none counts references


# ---- words -------------------------------------------------------------------------------------------------


@compiled
def mixed(word):
    """Mix the bits of a word (the finaliser of splitmix64; Steele, Lea and Flood, 2014)."""
    word = (word ^ (word >> U(30))) * _M1
    word = (word ^ (word >> U(27))) * _M2
    return word ^ (word >> U(31))


@compiled
def share(key, number):
    """Return what ``number`` in a column with ``key`` adds to the hash of a state; a free place adds nothing."""
    if number == 0:
        return ZERO
    return mixed((U(key) << U(32) | U(number)) * _M3)


@compiled
def key_of(process, local, value, fresh):
    """Pack what a move is looked up by."""
    return U(process) << U(54) | U(local) << U(30) | U(value) << U(6) | U(fresh)


@compiled
def copy(to, source):
    """Copy all elements."""
    for place in range(len(to)):
        to[place] = source[place]


@compiled
def find(keys, entries, key):
    """Return the entry of ``key``, or -1."""
    last = len(keys) - 1
    place = np.int64(mixed(key) & U(last))
    while keys[place] != key:
        if keys[place] == ZERO:
            return np.int64(-1)
        place = (place + 1) & last
    return entries[place]


@compiled
def put(keys, entries, key, entry):
    """Add an entry; there must be room."""
    last = len(keys) - 1
    place = np.int64(mixed(key) & U(last))
    while keys[place] != ZERO and keys[place] != key:
        place = (place + 1) & last
    keys[place] = key
    entries[place] = entry


@compiled
def put_all(keys, entries, old_keys, old_entries):
    """Copy a table into a larger one."""
    for place in range(len(old_keys)):
        if old_keys[place] != ZERO:
            put(keys, entries, old_keys[place], old_entries[place])


# ---- rows --------------------------------------------------------------------------------------------------


@compiled
def unpack(lay, row, codes, ids):
    """Read a row into what its columns hold: as codes, and as the numbers that the kernel knows."""
    for column in range(len(lay.word)):
        code = row[lay.word[column]] >> lay.shift[column] & lay.mask[column]
        codes[column] = np.int64(code)
        ids[column] = lay.ident[lay.offset[column] + np.int64(code)]


@compiled
def write(lay, row, column, code):
    """Put ``code`` into a column of a row."""
    word, shift = lay.word[column], lay.shift[column]
    row[word] = row[word] & ~(lay.mask[column] << shift) | U(code) << shift


@compiled
def pack(lay, row, codes):
    """Write all columns of a row."""
    for word in range(len(row)):
        row[word] = ZERO
    for column in range(len(lay.word)):
        row[lay.word[column]] |= U(codes[column]) << lay.shift[column]


@compiled
def hashed(lay, ids):
    """Return the hash of a state."""
    total = ZERO
    for column in range(len(ids)):
        total += share(lay.key[column], ids[column])
    return total


@compiled
def repack(old, new, old_rows, new_rows, states, codes, ids):
    """Write every row in another layout."""
    for state in range(states):
        unpack(old, old_rows[state], codes, ids)
        pack(new, new_rows[state], codes)


@compiled
def pack_all(lay, rows, codes):
    """Write a row for each row of codes."""
    for state in range(len(codes)):
        pack(lay, rows[state], codes[state])


@compiled
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
def look_up(slots, rows, row, hash_):
    """Return the number of a state, or ``-1 - place`` where it would go."""
    last = len(slots) - 1
    tag = hash_ >> U(32)
    place = np.int64(tag * U(len(slots)) >> U(32))
    while slots[place] != ZERO:
        if slots[place] >> U(32) == tag:
            number = np.int64(slots[place] & LOW) - 1
            if same(rows[number], row):
                return number
        place = (place + 1) & last
    return -1 - place


@compiled
def rehash(slots, old):
    """Move all entries into a larger table; the hash that is kept suffices."""
    last = len(slots) - 1
    for entry in old:
        if entry != ZERO:
            place = np.int64((entry >> U(32)) * U(len(slots)) >> U(32))
            while slots[place] != ZERO:
                place = (place + 1) & last
            slots[place] = entry


@compiled
def index(lay, slots, rows, first, last, codes, ids):
    """Add the rows from ``first`` to ``last``, which are all different, to the set."""
    for number in range(first, last):
        unpack(lay, rows[number], codes, ids)
        hash_ = hashed(lay, ids)
        place = -1 - look_up(slots, rows, rows[number], hash_)
        slots[place] = hash_ >> U(32) << U(32) | U(number + 1)
