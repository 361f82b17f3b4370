"""A law is chosen by one half of the cells and must be true of the other; a cell that it was fitted to tests nothing.

Every candidate is an inequality, or two of them with *and* or *or*. Simpler comes first, in this order: fewer symbols
(names, and the binary digits of numbers; the word between two inequalities is one), then smaller numbers, then one
inequality before two with *and* before two with *or*, then the order of the parameters. Of the numbers that the cells
leave open, it is the one nearest to 0; in an inequality with one side alone, the one that calls most sizes hanging.
The first candidate that agrees with all cells is the law, unless half of it is there for fitted cells alone: then
there is none.

The halves are drawn by a checksum of the parameters, among the cells that hang and among those that do not. A pattern
such as every other cell would be blind: along ``workers - downloads`` one of two cells is enough to be off by one.
Looking for what is true of all examples among forms that are written down beforehand is after Daikon (Ernst,
Cockrell, Griswold and Notkin 2001); that some of the examples are held out is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any
from zlib import crc32

from simcore.model import Parameter, Verdict
from simcore.sizes.cell import Cell, at, counted, key
from simcore.sizes.evidence import Candidate, Evidence
from simcore.sizes.laws import ALWAYS, NEVER, Counts, Law

FEWEST = 8
"""Cells that a law needs at least: half of them are held out."""

LONGEST = 12
"""Symbols of a law at most; nor has it more than there are tested cells: a long one fits whatever few cells say."""

_SHOWN = 3


def fitted(cells: Sequence[Cell], values: Mapping[str, Sequence[Parameter]], fixed: Mapping[str, Parameter]) -> Law:
    """Return the law of the cells of a sweep, or one that is refused."""
    varying = [name for name, each in values.items() if len(each) > 1]
    told = [cell for cell in cells if cell.determined]
    first, held_out = _halves(told)
    others: dict[str, Any] = {
        "fixed": {**{name: each[0] for name, each in values.items() if len(each) == 1}, **fixed},
        "what": "hangs" if all(cell.hangs for cell in told if cell.verdict is Verdict.VIOLATED) else "is violated",
        "varying": tuple(varying),
        "explored": frozenset(key({name: cell.parameters[name] for name in varying}) for cell in told),
    }
    undetermined = sum(cell.verdict is Verdict.UNDETERMINED for cell in cells)
    counts = Counts(len(first), len(held_out), undetermined, sum(cell.inferred for cell in cells))
    odd = [name for name in varying if not all(type(value) is int for value in values[name])]
    if odd:
        return Law("", counts, refused=f"{odd[0]} is no whole number; sweep one value of it at a time", **others)
    if len(told) < FEWEST:
        few = f"{counted(len(told), 'cell')} explored, and it takes {FEWEST} to fit to one half and test on the other"
        return Law("", counts, refused=few, **others)
    kinds = Counter(cell.verdict for cell in told)
    if len(kinds) == 1:
        return Law(ALWAYS if Verdict.VIOLATED in kinds else NEVER, counts, **others)
    rare, times = kinds.most_common()[-1]
    if times < 2:
        return Law("", counts, refused=f"only one cell is found as {rare}, so none is left to test with", **others)
    most = min(LONGEST, len(held_out))
    return _chosen(Evidence(varying, [*_both_kinds_first(first), *held_out], most), counts, others)


def _halves(cells: Sequence[Cell]) -> tuple[list[Cell], list[Cell]]:
    """Return the cells to fit, and those to test, in an order that is the same everywhere."""
    first: list[Cell] = []
    held_out: list[Cell] = []
    for verdict in (Verdict.VIOLATED, Verdict.HOLDS):
        same = sorted((cell for cell in cells if cell.verdict is verdict), key=_drawn)
        half = (len(same) + (verdict is Verdict.VIOLATED)) // 2
        first += same[:half]
        held_out += same[half:]
    return sorted(first, key=_drawn), sorted(held_out, key=_drawn)


def _both_kinds_first(cells: Sequence[Cell]) -> list[Cell]:
    """Return cells with one that is violated and one that holds before the others: some inequality tells two apart."""
    of_each = [next(cell for cell in cells if cell.verdict is kind) for kind in (Verdict.VIOLATED, Verdict.HOLDS)]
    return [*of_each, *(cell for cell in cells if cell not in of_each)]


def _drawn(cell: Cell) -> tuple[int, str]:
    text = at(cell.parameters)
    return crc32(text.encode()), text


def _told(cell: Cell) -> str:
    return f"{at(cell.parameters)} ({cell.verdict})"


def _chosen(evidence: Evidence, counts: Counts, others: dict[str, Any]) -> Law:
    """Return the first candidate of one half that the other does not refute, with another number if need be."""
    refuted = 0
    for candidate in evidence.candidates(counts.fitted):
        found: Candidate | None = candidate
        if not evidence.agrees(candidate):
            refuted += 1
            found = evidence.fit(candidate.forms, candidate.joined, len(evidence.cells))
        if found is not None:
            return _tested(evidence, found, counts._replace(refuted=refuted), others)
    if not evidence.any(2):
        few = (
            f"{counted(counts.tested, 'tested cell')} cannot speak for a number that tells those that hang from others"
        )
        return Law("", counts, refused=few, **others)
    witness, last, before = evidence.witness()
    tried = f"no inequality of up to {evidence.most} symbols that was tried agrees with"
    why = f"{tried} {_told(witness)} and with {before:,} other cells; {last} agrees with these"
    return Law("", counts, refused=why, witness=witness, **others)


def _tested(evidence: Evidence, found: Candidate, counts: Counts, others: dict[str, Any]) -> Law:
    """Return the law that was found, refused where of its two inequalities one was needed by no tested cell."""
    alone = evidence.untested(found, counts.fitted)
    if alone is not None:
        why = f"{found} agrees with all cells, but of the two inequalities one is there for cells that it was fitted to"
        return Law("", counts, refused=f"{why}: {_told(alone)}", witness=alone, **others)
    also = tuple(map(str, islice(evidence.as_short(found), _SHOWN)))
    return Law(str(found), counts, found.inequalities, found.joined, also=also, **others)
