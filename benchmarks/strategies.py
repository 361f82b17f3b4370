"""How many sampled runs each strategy takes until the first violation.

Run it with ``python -m benchmarks.strategies [SEEDS]``: every strategy, with so many seeds (12 by default), on the bug
of each model of the library and on three families that no strategy was made for. It is no race: none is best, and the
table shows where one misses what another finds. What is not met in 200 runs counts as 200.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator

from simcore import Model, explore, models
from simcore.model import claims_of
from simcore.schedule import SAMPLING

RUNS = 200
STATES = 30_000


def ring(size: int) -> Model:
    """So many philosophers, each of whom takes the fork on the left first."""
    model = Model(f"ring of {size}")
    forks = [model.lock(f"fork {number}") for number in range(size)]

    def eat(number: int) -> Iterator[object]:
        yield forks[number].acquire()
        yield forks[(number + 1) % size].acquire()
        yield forks[(number + 1) % size].release()
        yield forks[number].release()

    for number in range(size):
        model.process(f"philosopher {number}", eat, number)
    return model


def late(steps: int) -> Model:
    """One waits without a look at what has been told; the other tells after so many steps, and that may be before."""
    model = Model(f"lost wake-up after {steps} steps")
    lock, busy = model.lock("lock"), model.event("busy")
    told = model.condition("told", lock)

    def tell() -> Iterator[object]:
        for _ in range(steps):
            yield busy.set()
        yield lock.acquire()
        yield told.notify()
        yield lock.release()

    def wait() -> Iterator[object]:
        yield lock.acquire()
        yield told.wait()
        yield lock.release()

    model.process("teller", tell)
    model.process("waiter", wait)
    return model


def crossed(others: int) -> Model:
    """Two locks taken in both orders, beside so many who do something else."""
    model = Model(f"opposed locks beside {others}")
    first, second = model.lock("first"), model.lock("second")

    def take(one: object, other: object) -> Iterator[object]:
        yield one.acquire()  # type: ignore[attr-defined]
        yield other.acquire()  # type: ignore[attr-defined]
        yield other.release()  # type: ignore[attr-defined]
        yield one.release()  # type: ignore[attr-defined]

    def own(event: object) -> Iterator[object]:
        for _ in range(8):
            yield event.set()  # type: ignore[attr-defined]

    for number in range(others):
        model.process(f"other {number}", own, model.event(f"event {number}"))
    model.process("left", take, first, second)
    model.process("right", take, second, first)
    return model


def programs() -> Iterator[tuple[str, Callable[[], Model], dict[str, object]]]:
    """Yield names, models and how they are explored."""
    for found in pkgutil.iter_modules(models.__path__):
        for claim in claims_of(importlib.import_module(f"simcore.models.{found.name}"))[:1]:
            if not claim.property.needs_graph:
                yield found.name, claim.build, {"timeouts": claim.timeouts, "asked": claim.property}
    for size in (3, 5, 8):
        yield f"ring of {size}", lambda size=size: ring(size), {}
    for steps in (5, 20, 60):
        yield f"lost wake-up, {steps} steps", lambda steps=steps: late(steps), {}
    for others in (0, 2, 8):
        yield f"opposed locks, {others} others", lambda others=others: crossed(others), {}


def runs_until(build: Callable[[], Model], strategy: str, seed: int, asked: object = None, **options: object) -> int:
    """Return how many runs it takes, `RUNS` where nothing was found."""
    properties = () if asked is None else (asked,)
    result = explore(build(), *properties, strategy=strategy, seed=seed, max_states=STATES, **options)  # type: ignore[arg-type]
    (runs,) = re.findall(r", (\d+) runs$", result.strategy)
    return min(RUNS, int(runs)) if result.counterexample is not None else RUNS


def main(seeds: int) -> None:
    """Print a table: the mean number of runs, and how many of the seeds found nothing."""
    names = list(SAMPLING)
    print(f"runs until the first violation, mean of {seeds} seeds; in brackets how many found none in {RUNS} runs\n")
    print(f"| {'':30} | " + " | ".join(f"{name:>12}" for name in names) + " |")
    print(f"|{'-' * 32}|" + "|".join("-" * 13 + ":" for _ in names) + "|")
    for name, build, options in programs():
        cells = []
        for strategy in names:
            runs = [runs_until(build, strategy, seed, **options) for seed in range(seeds)]
            missed = sum(count == RUNS for count in runs)
            cells.append(f"{sum(runs) / seeds:.1f}{f' ({missed})' * (missed > 0)}")
        print(f"| {name:30} | " + " | ".join(f"{cell:>12}" for cell in cells) + " |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12)
