"""How many schedules of code a second `control` runs, in its two lanes, and how many of them hang.

The reported scenario is a pool whose tasks submit to it and wait: so many downloads over so many workers, before and
after the repair. Schedules that hang are runs of which nothing is made, and their processes are thrown away; those that
come to their end are run in batches. Only the runs are timed, and not what is made of a violation.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

SECONDS = 5.0


def download(downloads: int, workers: int, repaired: bool) -> None:
    """Run so many downloads; their callbacks wait for a reader of the same pool, or of one of its own."""
    with ThreadPoolExecutor(workers) as stream, ThreadPoolExecutor(workers) as readers:

        def call_back(number: int) -> int:
            return (readers if repaired else stream).submit(int, number).result()

        assert sum(each.result() for each in [stream.submit(call_back, n) for n in range(downloads)]) >= 0


def measured(body: Callable[[], Any]) -> tuple[int, int, float]:
    """Return how many schedules were run, how many hung, and in how many seconds."""
    from simcore.control.lanes import Lane
    from simcore.control.running import Options, answer
    from simcore.control.workers import Workers, first_of
    from simcore.schedule import RandomWalk

    hung = 0
    with Workers(partial(answer, body)) as one, Workers(partial(answer, body), one) as other:
        lanes = [
            Lane(workers, Options(), RandomWalk(seed), (), batches=True) for seed, workers in enumerate((one, other))
        ]
        for lane in lanes:
            lane.ask(1)
        since = time.perf_counter()
        busy = set(lanes)
        while busy:
            workers = first_of([lane.workers for lane in busy])
            lane = next(lane for lane in busy if lane.workers is workers)
            busy.remove(lane)
            if (outcome := lane.hear()) is not None:
                hung += outcome.how == "deadlock"
            if time.perf_counter() - since < SECONDS:
                lane.ask(1_000)
                busy.add(lane)
        return sum(lane.ran for lane in lanes), hung, time.perf_counter() - since


def table() -> str:
    """Return the table."""
    lines = [
        "schedules of code a second, a random walk, two lanes",
        "",
        "| downloads over workers | repaired | schedules | of them hang | a second |",
        "|-----------------------:|---------:|----------:|-------------:|---------:|",
    ]
    for sizes in ((2, 2), (8, 4)):
        for repaired in (False, True):
            ran, hung, seconds = measured(partial(download, *sizes, repaired))
            over = " over ".join(map(str, sizes))
            lines.append(
                f"| {over:>22} | {'yes' if repaired else 'no':>8} | {ran:>9,} | {hung:>12,} | {ran / seconds:>8,.0f} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
