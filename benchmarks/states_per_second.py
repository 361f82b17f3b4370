"""States per second of `explore`, of a plain loop over the same tables, and of minicheck, in one run.

Run it with ``python -m benchmarks.states_per_second [ROUNDS]``; minicheck comes with the extra ``bench``.
Every round runs every searcher on both systems, one after the other, so that they share the machine's mood;
the table gives medians. All must meet the same number of states; times are printed and never judged.
"""

from __future__ import annotations

import gc
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple

import minicheck

from benchmarks import pool_system, starvation
from models import pool_starvation
from simcore import Model, explore
from simcore.kernel import Kernel

EXPLORE = "simcore explore, symmetry off"
WORKERS = "simcore explore, workers interchangeable"
COLD, WARM = "plain loop, tables cold", "plain loop, tables warm"
MINICHECK = f"minicheck {minicheck.__version__}"


class System(NamedTuple):
    """One system, written twice."""

    name: str
    model: Callable[[], Model]
    protocol: minicheck.Protocol


class Measured(NamedTuple):
    """What one searcher did: states met, CPU seconds of its one thread."""

    states: int
    seconds: float


def systems() -> list[System]:
    small = {"downloads": 3, "workers": 2, "callback_workers": 2}
    return [
        System(
            "models.pool_starvation:fixed (downloads=3, workers=2, callback_workers=2)",
            lambda: pool_starvation.fixed(**small),
            protocol(starvation.FIELDS, starvation.initial(**small), starvation.transitions),
        ),
        System(
            "benchmarks.pool_system (requesters=4, workers=2, callback_workers=2)",
            pool_system.model,
            protocol(pool_system.FIELDS, pool_system.initial(), pool_system.transitions()),
        ),
    ]


def protocol(fields, initial, transitions) -> minicheck.Protocol:
    return minicheck.Protocol("system", False, fields, initial, transitions, invariants={})


def plain_loop(kernel: Kernel) -> int:
    """Return the number of reachable states: nothing but breadth first, a set and the tables."""
    seen = {kernel.initial}
    frontier = [kernel.initial]
    while frontier:
        following = []
        for state in frontier:
            for choice in kernel.successors(state):
                if choice.state not in seen:
                    seen.add(choice.state)
                    following.append(choice.state)
        frontier = following
    return len(seen)


def proved(model: Model, *, symmetry: bool) -> int:
    """Return the states that `explore` needs to prove deadlock freedom."""
    result = explore(model, symmetry=symmetry)
    if result.verdict.value != "holds":
        raise SystemExit(f"{model.name}: {result.verdict.value}, expected a proof")
    return result.states


def checked(system: minicheck.Protocol) -> int:
    """Return the states that minicheck meets."""
    report = minicheck.check_safety(system, max_states=10_000_000)
    if not report["exhaustive"]:
        raise SystemExit(f"minicheck stopped early: {report['incomplete_reason']}")
    return report["reachable_states"]


@contextmanager
def no_cyclic_collection() -> Iterator[None]:
    """Switch the cyclic collector off for everybody, as `explore` does for itself."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def measured(search: Callable[[], int]) -> Measured:
    with no_cyclic_collection():
        start = time.process_time()
        states = search()
        return Measured(states, time.process_time() - start)


def one_round(system: System) -> dict[str, Measured]:
    """Run every searcher once; building the model and learning its tables counts, except where it says warm."""
    kernel: list[Kernel] = []

    def cold() -> int:
        kernel.append(Kernel(system.model()))
        return plain_loop(kernel[0])

    return {
        EXPLORE: measured(lambda: proved(system.model(), symmetry=False)),
        COLD: measured(cold),
        WARM: measured(lambda: plain_loop(kernel[0])),
        MINICHECK: measured(lambda: checked(system.protocol)),
        WORKERS: measured(lambda: proved(system.model(), symmetry=True)),
    }


def table(system: System, rounds: list[dict[str, Measured]]) -> str:
    """Return the medians of all rounds; the ratio is of states per second to minicheck's."""
    states = {name: {r[name].states for r in rounds} for name in rounds[0]}
    seconds = {name: median(r[name].seconds for r in rounds) for name in rounds[0]}
    same = set().union(*(states[name] for name in states if name != WORKERS))
    if len(same) != 1:
        raise SystemExit(f"{system.name}: the searchers do not agree on the number of states: {states}")
    count = same.pop()
    peer = count / seconds[MINICHECK]
    lines = [
        f"{system.name}",
        f"all agree: {count:,} states",
        "",
        f"| {'searcher':<40} | {'states':>9} | {'CPU s':>6} | {'states/s':>9} | {'ratio':>5} | {'time':>5} |",
        f"|{'-' * 42}|{'-' * 10}:|{'-' * 7}:|{'-' * 10}:|{'-' * 6}:|{'-' * 6}:|",
    ]
    for name, found in states.items():
        met, took = max(found), seconds[name]
        rate = met / took
        lines.append(
            f"| {name:<40} | {met:>9,} | {took:>6.2f} | {rate:>9,.0f} | {rate / peer:>5.2f} "
            f"| {took / seconds[MINICHECK]:>5.2f} |"
        )
    return "\n".join(lines)


def main(rounds: int = 3) -> None:
    cores = os.cpu_count()
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}, one of {cores} cores")
    print(f"medians of {rounds} rounds; ratio and time are of states/s and CPU seconds to minicheck's")
    for system in systems():
        print()
        print(table(system, [one_round(system) for _ in range(rounds)]), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
