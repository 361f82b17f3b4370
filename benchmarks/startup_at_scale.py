"""Which part of the jobs fails to start at the reported scale: 144 clients behind 6 relays, ten of which are late.

Run it with ``python -m benchmarks.startup_at_scale [--runs N] [--seed S] [--jobs J]``; it prints the tables of
``docs/startup-at-scale.md``. Every run is `simulate` on the model that is explored, `models.hierarchical_startup`, with
delays drawn instead of chosen, and a seed fixes it. A job that fails for want of clients fails if it needs still more
of them, so where that begins, for one seed, is found by bisection over `min_clients`.
"""

from __future__ import annotations

import argparse
import math
import os
from bisect import bisect_left
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

from simcore import Model
from simcore.models import hierarchical_startup
from simcore.simulate import Delay, exponential, lognormal, simulate

CLIENTS, RELAYS, LATE = 144, 6, 10
SHARES = (90, 93, 95, 97, 99, 100)
"""The rows: `min_clients` in percent of the clients."""

VERSIONS: dict[str, Callable[..., Model]] = {
    "before": hierarchical_startup.buggy,
    "after": hierarchical_startup.fixed,
    "after, strict": partial(hierarchical_startup.fixed, strict=True),
}


class Scenario(NamedTuple):
    """Who is late, with which medians, and which versions differ in it."""

    title: str
    installs_late: bool
    medians: tuple[float, ...]
    versions: tuple[str, ...]


SCENARIOS = {
    "storage": Scenario(
        "slow storage: to install the app, and later to launch it, takes a median of",
        True,
        (3, 5, 7, 10, 20),
        ("before", "after"),
    ),
    "launch": Scenario(
        "late clients: to launch the app takes a median of",
        False,
        (20, 40, 60, 80, 120),
        ("before", "after", "after, strict"),
    ),
}


def delays(scenario: str, median: float) -> dict[str, Delay]:
    """Return what `simulate` draws: of the ten late clients lognormal delays, of everybody else short ones."""
    late = lognormal(median, 0.5)
    return {
        "client[*]": exponential(1.0),
        "slow client[*]": late if SCENARIOS[scenario].installs_late else exponential(1.0),
        "CP of client[*].set": exponential(1.0),
        "CP of slow client[*].set": late,
        "relay[*]": exponential(0.5),
        "round 0.transition": exponential(2.0),
        # a message takes no time, and whoever has more than one fate has chosen it already
        **dict.fromkeys(("job entry.transition", "START replies.update", "process.choose"), 0.0),
    }


def needed(share: int) -> int:
    """Return `min_clients` for a share in percent."""
    return math.ceil(CLIENTS * share / 100)


def outcome(version: str, scenario: str, median: float, share: int, seed: int) -> str:
    """Return how one job ends."""
    sizes = {"clients": CLIENTS, "slow": LATE, "relays": RELAYS, "min_clients": needed(share)}
    model = VERSIONS[version](**sizes, **hierarchical_startup.WELL)
    return str(simulate(model, seed=seed, latency=delays(scenario, median)).results["job"])


def fails_from(version: str, scenario: str, median: float, seed: int) -> int:
    """Return the first row in which the job of this seed fails; the number of rows if it never does."""

    def fails(share: int) -> bool:
        return not outcome(version, scenario, median, share, seed).startswith("finished")

    return bisect_left(SHARES, True, key=fails)


Cell = tuple[str, str, float]
"""Version, scenario and median."""


def measure(runs: int, seed: int, compute: Callable[..., Iterator[int]]) -> dict[Cell, list[int]]:
    """Return for each cell the first failing rows, one for each seed."""
    cells = [(v, name, median) for name, s in SCENARIOS.items() for v in s.versions for median in s.medians]
    asked = [(*cell, seed + run) for cell in cells for run in range(runs)]
    firsts = list(compute(fails_from, *zip(*asked, strict=True)))
    return {cell: firsts[at * runs : (at + 1) * runs] for at, cell in enumerate(cells)}


def table(name: str, firsts: dict[Cell, list[int]]) -> Iterator[str]:
    """Yield the lines of one table: how many percent of the jobs are aborted, with each version."""
    title, _, medians, versions = SCENARIOS[name]
    yield f"Percent of jobs aborted, {' / '.join(versions)}; {title}"
    yield ""
    yield "| min_clients | " + " | ".join(f"{median:g} s" for median in medians) + " |"
    yield "|---|" + "---:|" * len(medians)
    for row, share in enumerate(SHARES):
        cells = [[part(firsts[version, name, median], row) for version in versions] for median in medians]
        yield f"| {share} % ({needed(share)}) | " + " | ".join(map(" / ".join, cells)) + " |"


def part(firsts: list[int], row: int) -> str:
    """Return how many percent of the jobs fail in this row."""
    return f"{100 * sum(first <= row for first in firsts) / len(firsts):.0f}"


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="jobs for each cell (default 10)")
    parser.add_argument("--seed", type=int, default=0, help="of the first job (default 0)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes (default: one for each CPU)")
    given = parser.parse_args()
    with ProcessPoolExecutor(given.jobs) as pool:
        firsts = measure(given.runs, given.seed, partial(pool.map, chunksize=5))
    print(f"{CLIENTS} clients, {RELAYS} relays, {LATE} late; {given.runs} jobs for each cell, seed {given.seed}")
    for name in SCENARIOS:
        print("", *table(name, firsts), sep="\n")


if __name__ == "__main__":
    main()
