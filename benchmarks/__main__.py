"""simcore beside Spin and minicheck on the same systems in one run, until each gives up; then beside the others.

Those are frontrun, interleave-test (which needs Python 3.12) and bare SimPy; last come the
families that nobody tuned for, sweeps, and a property test that fails.

``python -m benchmarks [all]`` needs ``pip install -e '.[bench]'`` and the Debian packages spin and gcc. All must
agree on verdicts, and with reductions off on the number of states, or the run ends with an error; times are
printed and never judged. With ``all`` two sizes follow that Spin does not complete in 8 GB: some eight minutes.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks import failing_machine, families, first_deadlock, sweeps, virtual_time
from benchmarks.measure import GAVE_UP, MEMORY_LIMIT, Measured, ours, spin

UNREDUCED, REDUCED = "simcore, reductions off", "simcore, both reductions"
SPIN, SPIN_REDUCED, MINICHECK = "Spin, reductions off", "Spin, its default", "minicheck"
Search = Callable[[tuple[int, ...], int, Path], Measured]


def by_us(searcher: str) -> Search:
    return lambda size, seconds, folder: ours(searcher, size, seconds=seconds)


def by_spin(*compiler: str, options: tuple[str, ...] = ()) -> Search:
    return lambda size, seconds, folder: spin(size, compiler, options, seconds=seconds, folder=folder)


class Table(NamedTuple):
    """A question about the system of one size, and who is asked; the ratios are to the peer."""

    question: str
    size: tuple[int, int, int, int]
    searches: dict[str, Search]
    states: int | None = None
    """How many there are, and must be met by everybody in `COUNTING`."""
    counting: tuple[str, ...] = (UNREDUCED, SPIN, MINICHECK)
    peer: str = SPIN


PROOF = {
    UNREDUCED: by_us("unreduced"),
    REDUCED: by_us("reduced"),
    SPIN: by_spin("-DNOREDUCE"),
    SPIN_REDUCED: by_spin(),
    MINICHECK: by_us("minicheck"),
}
COUNT = {
    UNREDUCED: by_us("counted"),
    SPIN: by_spin("-DNOREDUCE", options=("-E",)),  # no invalid end states
    MINICHECK: by_us("counted by minicheck"),
}
SHORTEST = {
    UNREDUCED: by_us("unreduced"),
    REDUCED: by_us("reduced"),
    SPIN: by_spin("-DNOREDUCE", "-DBFS"),
    SPIN_REDUCED: by_spin("-DBFS"),
    MINICHECK: by_us("minicheck"),
}
LARGE = {REDUCED: by_us("reduced"), SPIN_REDUCED: by_spin()}
BEFORE, AFTER = "before the fix", "after the fix, is there no deadlock?"

GRID = [
    Table(AFTER, (4, 2, 1, 2), PROOF, 188_685),
    Table(AFTER, (4, 2, 2, 2), PROOF, 2_699_817),
    Table(AFTER, (4, 4, 1, 4), PROOF, 4_768_065),
    Table(f"{BEFORE}, how many states?", (4, 4, 1, 0), COUNT, 132_873),
    Table(f"{BEFORE}, the shortest way into a deadlock?", (4, 4, 1, 0), SHORTEST),
]
TOO_LARGE_FOR_SPIN = [
    Table(AFTER, (6, 4, 1, 4), LARGE, peer=SPIN_REDUCED),
    Table(AFTER, (8, 4, 1, 4), LARGE, peer=SPIN_REDUCED),
]


def agreed(table: Table, found: dict[str, Measured]) -> None:
    """End with an error when two of those that did not give up differ."""
    complete = {name: one for name, one in found.items() if one.verdict != GAVE_UP}
    verdicts = {one.verdict for one in complete.values()}
    lengths = {one.steps for one in complete.values() if one.steps is not None}
    counts = {complete[name].states for name in table.counting if name in complete} if table.states else set()
    if len(verdicts) > 1 or len(lengths) > 1 or not counts <= {table.states}:
        raise SystemExit(f"{table.question} {table.size}: the searchers do not agree: {found}")


def printed(table: Table, found: dict[str, Measured]) -> str:
    """Return who took how long; the ratios are to the peer."""
    peer = found[table.peer]
    requesters, workers, chunks, callback_workers = table.size
    callbacks = f", callback workers={callback_workers}" if callback_workers else ""
    lines = [
        f"requesters={requesters}, workers={workers}, chunks={chunks}{callbacks}; {table.question}",
        "",
        f"| {'searcher':<24} | {'verdict':<8} | {'states':>11} | {'CPU s':>7} | {'search':>7} | {'MB':>6} "
        f"| {'rate':>5} | {'time':>6} | {'search':>6} | {'whole':>6} | {'memory':>6} |",
        "|".join(["", "-" * 26, "-" * 10, *(f"{'-' * width}:" for width in (12, 8, 8, 7, 6, 7, 7, 7, 7)), ""]),
    ]
    for name, one in found.items():
        rate, beside = one.states / one.search, peer.states / peer.search
        states = f"{one.states:,}" if one.states else "-"  # a process that was stopped tells no number
        ratios = f"{rate / beside:>5.2f}" if beside and name != REDUCED else f"{'-':>5}"
        lines.append(
            f"| {name:<24} | {one.verdict:<8} | {states:>11} | {one.seconds:>7.2f} | {one.search:>7.2f} "
            f"| {one.megabytes:>6,.0f} | {ratios} | {one.seconds / peer.seconds:>6.2f} "
            f"| {one.search / peer.search:>6.2f} | {one.whole / peer.whole:>6.2f} "
            f"| {one.megabytes / peer.megabytes:>6.2f} |"
        )
    lengths = {one.steps for one in found.values() if one.steps is not None}
    if lengths:
        lines += ["", f"shortest schedule: {lengths.pop()} steps"]
    compiled = max(one.compiler for one in found.values())
    return "\n".join([*lines, "", f"only in the column whole: Spin's and gcc's {compiled:.1f} CPU s before a search"])


def answered(table: Table, seconds: int) -> str:
    """Ask everybody, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        found = {name: search(table.size, seconds, Path(folder)) for name, search in table.searches.items()}
    agreed(table, found)
    return printed(table, found)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("grid", nargs="?", choices=["small", "all"], default="small")
    parser.add_argument("--seconds", type=int, default=600, help="CPU seconds after which a searcher gives up")
    given = parser.parse_args()
    missing = [tool for tool in ("spin", "gcc") if shutil.which(tool) is None]
    if missing:
        raise SystemExit(f"{' and '.join(missing)} missing: apt-get install spin gcc")
    ask = partial(answered, seconds=given.seconds)
    ours("unreduced", (4, 2, 1, 2), seconds=given.seconds)  # compiles, where nothing is kept yet
    print(f"Python {platform.python_version()}, {platform.machine()}; every search in a process of its own, one core")
    print("CPU seconds of the whole process, and of the search alone, once Python and everything it needs is loaded;")
    print("of what takes less than a second, the quickest of five runs; our loops are compiled already;")
    print("the last five columns are ratios to Spin")
    print(f"a searcher gives up after {given.seconds} CPU seconds, Spin also at {MEMORY_LIMIT:,} MB")
    for table in GRID:
        print(f"\n{ask(table)}", flush=True)
    for tables in (first_deadlock.compared, virtual_time.tables, sweeps.tables, failing_machine.table):
        print(f"\n{tables()}", flush=True)
    for line in families.lines(families.FAMILIES):
        print(line, flush=True)
    for table in TOO_LARGE_FOR_SPIN if given.grid == "all" else []:
        print(f"\n{ask(table)}", flush=True)


if __name__ == "__main__":
    main()
