"""Cells of a sweep a CPU second, in one warm process, on small models; and 1,000 trivial cells on two processes.

``python -m benchmarks.sweeps`` prints both tables. Each cell is another size of the same model, so nothing is learned
twice; what is printed is the mean over `CELLS` of them, all of which must have one verdict.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from benchmarks.families import connections, exchange_by_events
from simcore import Model, Sweep, Verdict, sweep
from simcore.models import pool_starvation

CELLS = 50
TRIVIAL = 1_000


def opposed_locks(number: int = 0) -> Model:
    """Build two locks that are taken in two orders; ``number`` makes no difference."""
    model = Model("opposed locks")
    left, right = model.lock("left"), model.lock("right")

    def take(first, second):
        yield first.acquire()
        yield second.acquire()
        yield second.release()
        yield first.release()

    model.process("there", take, left, right)
    model.process("back", take, right, left)
    return model


def five_connections(number: int = 0) -> Model:
    """Build five threads of a pool of connections; ``number`` makes no difference."""
    return connections(5)


def three_exchanges(number: int = 0) -> Model:
    """Build exchanges by events for three clients; ``number`` makes no difference."""
    return exchange_by_events(3)


def downloads(size: int, number: int = 0) -> Model:
    """Build as many downloads as workers: they may hang."""
    return pool_starvation.buggy(downloads=size, workers=size, chunks=1)


def two_downloads(number: int = 0) -> Model:
    """Build two of them."""
    return downloads(2)


def three_downloads(number: int = 0) -> Model:
    """Build three of them."""
    return downloads(3)


def safe_downloads(number: int = 0) -> Model:
    """Build two downloads over two workers, after the fix."""
    return pool_starvation.fixed(downloads=2, workers=2, callback_workers=2, chunks=1)


def swept(function: Callable[..., Model], cells: int, **options: object) -> Sweep:
    """Sweep over numbers that make no difference."""
    return sweep(function, number=range(cells), **options)  # type: ignore[arg-type]


def tables() -> str:
    """Return both tables."""
    lines = ["| model | verdict | states | cells a CPU second |", "|-------|---------|-------:|-------------------:|"]
    for function in (opposed_locks, five_connections, two_downloads, three_downloads, safe_downloads, three_exchanges):
        swept(function, 3, executor="here")  # loads what is needed
        since = time.process_time()
        found = swept(function, CELLS, executor="here")
        rate = CELLS / (time.process_time() - since)
        (verdict,) = {cell.verdict for cell in found}
        lines.append(f"| {function.__name__.replace('_', ' ')} | {verdict} | {found[0].states:,} | {rate:,.0f} |")
    since = time.perf_counter()
    found = swept(opposed_locks, TRIVIAL, jobs=2)
    assert {cell.verdict for cell in found} == {Verdict.VIOLATED}
    took = time.perf_counter() - since
    return "\n".join([*lines, "", f"{TRIVIAL:,} cells of opposed locks on two of {os.cpu_count()} cores: {took:.1f} s"])


if __name__ == "__main__":
    print(tables())
