"""A property test that fails, beside a search of the same model: CPU seconds until each has told the hang.

Hypothesis chooses sizes and steps, and shrinks what has failed; `explore` searches one size. ``python -m
benchmarks.failing_machine`` prints both, for the reported hang and two systems of other people, in processes of their
own, without what it takes to load Python; and what Hypothesis takes by itself, for a machine without a model that fails
at its first step.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.measure import run
from simcore import Model
from simcore.models import nested_futures, pool_starvation

SECONDS = 600
TIMES = 5
"""Processes for each figure: the smallest is of a hundredth of a second, and clocks tick in thousandths."""
HANG = "can never move again"


def opposed_locks(*, others: int = 1) -> Model:
    """Build two who take two locks in two orders, and others who take one."""
    model = Model("opposed locks")
    left, right = model.lock("left"), model.lock("right")

    def take(*locks):
        for lock in locks:
            yield lock.acquire()
        for lock in reversed(locks):
            yield lock.release()

    model.process("there", take, left, right)
    model.process("back", take, right, left)
    for name in model.indices("other", others):
        model.process(name, take, left)
    return model


class System(NamedTuple):
    """A model, its sizes for Hypothesis, and the size that is searched."""

    function: Callable[..., Model]
    ranges: dict[str, range]
    size: dict[str, int]


SYSTEMS = {
    "pool starvation": System(
        pool_starvation.buggy, {"downloads": range(1, 4), "workers": range(1, 4)}, {"downloads": 2, "workers": 2}
    ),
    "nested futures": System(
        nested_futures.one_pool,
        {"workers": range(1, 5), "depth": range(1, 4), "roots": range(1, 3)},
        {"workers": 3, "depth": 3, "roots": 2},
    ),
    "opposed locks": System(opposed_locks, {"others": range(1, 5)}, {"others": 2}),
}


def searched(system: System) -> str:
    """Search one size."""
    from simcore import explore

    return str(explore(system.function(**system.size)))


def machine(system: System) -> str:
    """Run a machine, which fails."""
    from simcore.stateful import machine as made

    return failed(made(system.function, **system.ranges))


def alone(_: System) -> str:
    """Run a machine of Hypothesis that fails at its first step."""
    from hypothesis.stateful import RuleBasedStateMachine, rule

    class Nothing(RuleBasedStateMachine):
        @rule()
        def step(self) -> None:
            raise AssertionError(HANG)

    return failed(Nothing)


def failed(test: Any) -> str:
    """Run a machine with settings that say nothing of phases."""
    from hypothesis import settings
    from hypothesis.stateful import run_state_machine_as_test

    try:
        run_state_machine_as_test(test, settings=settings(database=None, derandomize=True, deadline=None))
    except AssertionError as error:
        return str(error)
    return "nothing was found"


WAYS = {"explore": searched, "machine": machine, "hypothesis": alone}


def one(way: str, name: str) -> None:
    """Find a hang, and print how long that took, and how often it is told."""
    WAYS[way](SYSTEMS["opposed locks"])  # loads what is needed
    since = time.process_time()
    told = WAYS[way](SYSTEMS[name])
    took = time.process_time() - since
    if HANG not in told:
        raise SystemExit(f"{way}, {name}: {told}")
    print(json.dumps([took, told.count(HANG)]))


def measured(way: str, name: str) -> tuple[float, int]:
    """Return the mean time of finding it, each time in a process of its own, and how often it is told."""
    command = [sys.executable, "-m", "benchmarks.failing_machine", way, name]
    total, times = 0.0, 0
    for _ in range(TIMES):
        ran = run(command, seconds=SECONDS, folder=Path(__file__).parents[1])
        if ran.status:
            raise SystemExit(f"{way}, {name}: status {ran.status}\n{ran.text}")
        took, times = json.loads(ran.text.splitlines()[-1])
        total += took
    return total / TIMES, times


def table() -> str:
    """Return the table."""
    lines = [
        "| system | explore, CPU s | machine, CPU s | ratio | Hypothesis alone, CPU s | told |",
        "|--------|------:|------:|----:|------:|----:|",
    ]
    for name in SYSTEMS:
        (explored, _), (took, times), (least, _) = (measured(way, name) for way in WAYS)
        lines.append(f"| {name} | {explored:.3f} | {took:.3f} | {took / explored:.1f} | {least:.3f} | {times} |")
    return "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        one(*sys.argv[1:])
    else:
        print(table())
