"""States as rows of words, and tables of words: for compiled functions.

The set of states is one table of 64-bit words, open addressing with linear probing: 32 bits of a state's hash, 32
bits of its number. The hash is the exclusive or of a random word for each column and what it holds (Zobrist, 1970;
Patrascu and Thorup, 2012), so a step changes it in a few places, and it does not depend on how a state lies in its row.

With hash compaction (Wolper and Leroy, 1993; Stern and Dill, 1995) the rows and the table hold only the
level that is expanded and the next one. Of the states before them the hashes are left, in a table of their own, and a
state with the hash of another is taken for it.
"""

from __future__ import annotations

import numpy as np

from simcore.explore.compiled.kinds import IntRows, Ints, Word, WordRows, Words, compiled
from simcore.explore.compiled.native import called
from simcore.explore.compiled.registers import LOW, ONE, ZERO, U
from simcore.explore.compiled.structs import Layout

_M1, _M2, _M3 = U(0xBF58476D1CE4E5B9), U(0x94D049BB133111EB), U(0x9E3779B97F4A7C15)


@compiled
def mixed(word):
    """Mix the bits of a word (the finaliser of splitmix64; Steele, Lea and Flood, 2014)."""
    word = (word ^ (word >> U(30))) * _M1
    word = (word ^ (word >> U(27))) * _M2
    return word ^ (word >> U(31))


@compiled
def key_of(process: int, local: int, value: int, fresh: int) -> Word:
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


@compiled
def _put(table, key, entry):
    last = len(table) - 1
    place = np.int64((key * _M3 >> U(32)) * U(len(table)) >> U(32))
    while table[place, 0] != ZERO and table[place, 0] != key:
        place = (place + 1) & last
    table[place, 0] = key
    table[place, 1] = entry


@called
def put(table: WordRows, row: Words) -> None:
    """Add a key and its entry; there must be room."""
    _put(table, row[0], row[1])


@called
def put_all(table: WordRows, old: WordRows) -> None:
    """Copy a table into a larger one."""
    for place in range(len(old)):
        if old[place, 0] != ZERO:
            _put(table, old[place, 0], old[place, 1])


# ---- rows --------------------------------------------------------------------------------------------------


@called
def unpack(lay: Layout, row: Words, codes: Ints, ids: Ints) -> Word:
    """Read a row into what its columns hold, as codes and as the numbers that the kernel knows; return its hash."""
    hash_ = ZERO
    for column in range(len(lay.word)):
        code = row[lay.word[column]] >> lay.shift[column] & lay.mask[column]
        entry = lay.offset[column] + code
        codes[column], ids[column] = np.int64(code), lay.ident[entry]
        hash_ ^= lay.random[entry]
    return hash_


@called
def pack(lay: Layout, row: Words, codes: Ints) -> Word:
    """Write all columns of a row; return its hash."""
    for word in range(len(row)):
        row[word] = ZERO
    hash_ = ZERO
    for column in range(len(lay.word)):
        row[lay.word[column]] |= U(codes[column]) << lay.shift[column]
        hash_ ^= lay.random[lay.offset[column] + U(codes[column])]
    return hash_


@called
def fill(random: Words, column: int, seed: Word) -> None:
    """Write a random word for each code of a column; that of code 0 is 0, so that a new column changes no hash."""
    for code in range(1, len(random)):
        random[code] = mixed(mixed(U(seed) ^ _M3) + (U(column) << U(32) | U(code)) * _M1)
    random[0] = ZERO


@called
def repack(
    old: Layout, new: Layout, old_rows: WordRows, new_rows: WordRows, states: int, codes: Ints, ids: Ints
) -> None:
    """Write every row in another layout."""
    for state in range(states):
        unpack(old, old_rows[state], codes, ids)
        pack(new, new_rows[state], codes)


@called
def numbers_of(lay: Layout, rows: WordRows, first: int, last: int, out: IntRows, codes: Ints) -> None:
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
def slot(hash_, number):
    """Return the entry of a state in the set."""
    return hash_ >> U(32) << U(32) | U(number + 1)


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
def keep_all(signatures: Words, old: Words) -> None:
    """Move all hashes into a larger table."""
    for hash_ in old:
        if hash_ != ZERO:
            keep(signatures, hash_)


@called
def keep_level(lay: Layout, signatures: Words, rows: WordRows, codes: Ints, ids: Ints) -> None:
    """Add the hashes of a whole level."""
    for row in rows:
        keep(signatures, unpack(lay, row, codes, ids))


@called
def rehash(slots: Words, old: Words) -> None:
    """Move all entries into a larger table; the hash that is kept suffices."""
    last = len(slots) - 1
    for entry in old:
        if entry != ZERO:
            place = np.int64((entry >> U(32)) * U(len(slots)) >> U(32))
            while slots[place] != ZERO:
                place = (place + 1) & last
            slots[place] = entry


@called
def index(lay: Layout, slots: Words, rows: WordRows, base: int, first: int, last: int, codes: Ints, ids: Ints) -> None:
    """Add the states from ``first`` to ``last``, which are all new, to the set."""
    for number in range(first, last):
        hash_ = unpack(lay, rows[number - base], codes, ids)
        place = -1 - look_up(slots, rows, base, rows[number - base], hash_)
        slots[place] = slot(hash_, number)
