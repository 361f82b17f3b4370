"""What compiled functions are given together."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.explore.compiled.kinds import (
    Bits,
    Bytes,
    IntRows,
    IntRows32,
    Ints,
    Ints16,
    Ints32,
    Struct,
    WordRows,
    Words,
    Words16,
    Words32,
)


@dataclass(frozen=True, eq=False)
class Layout(Struct):
    """Where the columns are, and for each of their codes, from ``offset`` on, what it stands for and a random word."""

    word: Words
    shift: Words
    mask: Words
    offset: Words
    ident: Ints32
    random: Words


@dataclass(frozen=True, eq=False)
class Arrays(Struct):
    """What is known of a kernel; see `Tables` and `Kernel` for the meaning of each."""

    processes: int
    first_process: int
    first_future: int
    timeouts: int
    pending: int
    moved: WordRows
    moves: IntRows
    target: Ints32
    flags: Bytes
    task_future: Ints16
    local_mentions: Words
    value_mentions: Words
    value_tasks: Ints32
    workers: Ints
    pools: Ints
    pool_bits: Words
    pooled: Bits
    daemon: Bits
    without: WordRows
    waits: WordRows
    pairs: WordRows


@dataclass(frozen=True, eq=False)
class Met(Struct):
    """The states of a space.

    Who waits, and how many have ended, is kept of the level that is expanded (``marks`` and ``ended``) and of the next
    one (``following`` and ``ended_next``).

    With hash compaction ``rows`` and ``slots`` are of these two levels as well, ``signatures`` holds the hashes of all
    states up to the level that is expanded, and ``ways`` which step of its parent each state was met by.
    """

    rows: WordRows
    parents: Words32
    slots: Words
    marks: Words
    ended: Bytes
    following: Words
    ended_next: Bytes
    log: Ints
    signatures: Words
    ways: Words16


@dataclass(frozen=True, eq=False)
class Buffers(Struct):
    """Where the compiled functions keep what they know of one state."""

    row: Words
    codes: Ints
    ids: Ints
    codes_2: Ints
    ids_2: Ints
    stack: Words
    offset: Ints
    mark: Words
    helpers: Words


@dataclass(frozen=True, eq=False)
class Orbits(Struct):
    """What is known of names; see `reduction.components`.

    ``components`` has the number of a component by its position and what stands there, ``about`` for each of them its
    owner, the kind of its position, its shape, where its names, its colours and its facts are, and whether these are
    all that it tells. For each fact, which mentions several names together, ``facts`` has where these are in
    ``together`` and what stands for their slots in ``factors``, and whether no two are in one; ``codes`` has its code.
    ``made`` is a tree: from a shape by one name after the other to what has them. ``targets`` has the position of each
    kind that belongs to a name. ``trivial`` says that no state stands for another one.
    """

    components: WordRows
    made: WordRows
    about: IntRows
    names: Ints32
    coloured: Ints32
    colours: Words
    facts: IntRows
    codes: Words
    together: Ints32
    factors: Words
    targets: IntRows
    spans: IntRows
    teams: IntRows
    first_worker: int
    first_made: int
    made_too: int
    trivial: int


@dataclass(frozen=True, eq=False)
class Reach(Struct):
    """What processes may still come to, as words of accesses; see `reduction.partial_order`.

    ``needs`` has a row of ``needed`` for what a process is about to do: accesses, processes (with itself, where
    everything may matter), and the version of its position of which that is; ``versions`` has those of now.
    """

    may: WordRows
    met: Bytes
    needs: WordRows
    needed: WordRows
    versions: Words


@dataclass(frozen=True, eq=False)
class Room(Struct):
    """Where the functions of a reduced search keep what they know of one state.

    ``finer``, ``roots`` and ``copies`` are for names that tie. ``several`` lists the processes, up to a -1, whose steps
    may only be chosen together with those of others; ``matters`` has for each process who matters to its next step, and
    at its end for whom that is known.
    """

    parts: Ints
    colours: Words
    finer: Words
    roots: Ints
    copies: Words
    moves: Ints
    order: Ints
    sources: Ints
    asked: Ints
    several: Ints
    some: Words
    more: Words
    sets: Words
    matters: Words


@dataclass(frozen=True, eq=False)
class Representatives(Struct):
    """The representatives that were met; ``chosen`` is who was followed in place of all, as bits."""

    rows: IntRows32
    depths: Words32
    slots: Words
    marks: Words
    ended: Bytes
    chosen: Words


@dataclass(frozen=True, eq=False)
class Edges(Struct):
    """The steps that were followed, as `Graph` has them."""

    starts: Words
    targets: Words32
    processes: Words16
    outcomes: Words16


@dataclass(frozen=True, eq=False)
class Reached(Struct):
    """What the steps of one state lead to, and its representatives, where they are known."""

    rows: IntRows
    steps: IntRows
    known: Ints
    found: IntRows
    ways: IntRows
    hashes: Words


@dataclass(frozen=True, eq=False)
class Steps(Struct):
    """The steps of the states of a share: where each leads to, and for each state where its steps end."""

    rows: WordRows
    hashes: Words
    found: Ints
    steps: IntRows
    ends: Ints
