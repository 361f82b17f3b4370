"""Virtual time beside bare SimPy: operations a CPU second on the same system, in one run, and how a run grows.

The system is a bounded queue, four producers and four consumers, each operation after an exponential delay. `simulate`
runs it twice: with producers who go round for ever, whose few program points are learned once, and with producers who
count, who never come to a program point twice and are run on (`simcore/kernel/live.py`). SimPy does not know the
difference. The second table has clients who all submit to one pool at once and wait for the result, over three
doublings.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import simpy

from simcore import Model
from simcore.simulate import exponential, simulate

TURNS, PRODUCERS, CAPACITY = 10_000, 4, 8
CLIENTS, WORKERS = (1_250, 2_500, 5_000, 10_000), 16
Rate = float
"""Operations a CPU second."""


def queue_system(count: bool) -> Model:
    """Build the system; its producers count their turns, or go round for ever."""
    model = Model("four producers, four consumers")
    queue = model.queue("queue", CAPACITY)

    def produce():
        for _ in range(TURNS):
            yield queue.put("item")

    def produce_for_ever():
        while True:
            yield queue.put("item")

    def consume():
        while True:
            yield queue.get()

    for number in range(PRODUCERS):
        model.process(f"producer {number}", produce if count else produce_for_ever)
        model.process(f"consumer {number}", consume, daemon=True)
    return model


def ours(count: bool) -> Rate:
    """Run the system in `simulate`."""
    model = queue_system(count)
    since = time.process_time()
    run = simulate(
        model,
        seed=1,
        latency={"queue.put": exponential(1.0), "queue.get": exponential(1.0)},
        max_steps=2 * TURNS * PRODUCERS - 2 * CAPACITY,
    )
    return run.steps / (time.process_time() - since)


def bare() -> Rate:
    """Run the system in SimPy alone."""
    clock, delays, operations = simpy.Environment(), random.Random(1), 0
    queue = simpy.Store(clock, CAPACITY)

    def produce():
        nonlocal operations
        for _ in range(TURNS):
            yield clock.timeout(delays.expovariate(1.0))
            yield queue.put("item")
            operations += 1

    def consume():
        nonlocal operations
        while True:
            yield clock.timeout(delays.expovariate(1.0))
            yield queue.get()
            operations += 1

    producers = [clock.process(produce()) for _ in range(PRODUCERS)]
    for _ in range(PRODUCERS):
        clock.process(consume())
    since = time.process_time()
    clock.run(clock.all_of(producers))
    return operations / (time.process_time() - since)


def clients(number: int) -> Model:
    """Build so many clients of one pool."""
    model = Model(f"{number} clients of a pool")
    pool = model.thread_pool("pool", WORKERS)

    def serve():
        yield from ()
        return "served"

    def ask():
        return (yield (yield pool.submit(serve)).result())

    for name in model.indices("client", number):
        model.process(name, ask)
    return model


def seconds(act: Callable[[], object]) -> float:
    """Return how many CPU seconds something takes."""
    since = time.process_time()
    act()
    return time.process_time() - since


def tables() -> str:
    """Return both tables."""
    peer = bare()
    lines = [
        "operations on a bounded queue a CPU second; the ratio is SimPy's to ours",
        "",
        "| who                            | operations a second | ratio |",
        "|--------------------------------|--------------------:|------:|",
        f"| bare SimPy                     | {peer:>19,.0f} |       |",
    ]
    for who, count in (("simulate, going round for ever", False), ("simulate, counting turns", True)):
        rate = ours(count)
        lines.append(f"| {who:<30} | {rate:>19,.0f} | {peer / rate:>5.1f} |")
    lines += ["", "clients of one pool", "", "| clients | build, CPU s | simulate, CPU s | a client, ms |"]
    lines.append("|--------:|-------------:|----------------:|-------------:|")
    for number in CLIENTS:
        built = seconds(lambda number=number: clients(number))
        model = clients(number)
        ran = seconds(lambda model=model: simulate(model, seed=1, latency={"serve": exponential(0.01)}))
        lines.append(f"| {number:>7,} | {built:>12.2f} | {ran:>15.1f} | {1000 * ran / number:>12.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(tables())
