"""Systems that nobody tuned for, each at four sizes: what a proof takes, in states, CPU seconds, and bytes for a state.

``python -m benchmarks.families [NAME ...]`` prints a table for each family. They are written after public reports and
textbooks, in as few lines as each takes; the sizes double, three times where that can be proved in a minute. A search
gives up after `SECONDS`, and then says how far it came.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import run
from simcore import Model, explore

SECONDS = 60


def connections(threads: int) -> Model:
    """Threads take two connections of a pool, one after the other; the pool has one more than there are threads.

    The sizing formula of HikariCP's page on pools: threads * (2 - 1) + 1.
    """
    model = Model("connections")
    pool = model.semaphore("connections", threads + 1)

    def thread():
        yield pool.acquire()
        yield pool.acquire()
        yield pool.release(2)

    for name in model.indices("thread", threads):
        model.process(name, thread)
    return model


def exchange(clients: int) -> Model:
    """For each client a supervisor submits a writer and a reader to its own pool, and waits for both."""
    model = Model("exchange")
    pool = model.thread_pool("pool", clients + 1)

    def writer():
        yield from ()

    def reader(writing):
        yield writing.result()

    def supervisor():
        writing = yield pool.submit(writer)
        reading = yield pool.submit(reader, writing)
        yield writing.result()
        yield reading.result()

    def client():
        done = yield pool.submit(supervisor)
        yield done.result()

    for name in model.indices("client", clients):
        model.process(name, client)
    return model


def exchange_by_events(clients: int) -> Model:
    """The same, where the reader waits for an event of its client in place of the writer's future."""
    model = Model("exchange by events")
    pool = model.thread_pool("pool", clients + 1)
    names = model.indices("client", clients)
    written = {name: model.event(f"written by {name}") for name in names}

    def writer(name):
        yield written[name].set()

    def reader(name):
        yield written[name].wait()

    def supervisor(name):
        writing = yield pool.submit(writer, name)
        reading = yield pool.submit(reader, name)
        yield writing.result()
        yield reading.result()

    def client(name):
        done = yield pool.submit(supervisor, name)
        yield done.result()

    for name in names:
        model.process(name, client, name)
    return model


def philosophers(seats: int) -> Model:
    """Dining philosophers who eat for ever and take the fork with the lower number first (Dijkstra, 1971)."""
    model = Model("philosophers")
    forks = [model.lock(f"fork {number}") for number in range(seats)]

    def philosopher(first, second):
        while True:
            yield forks[first].acquire()
            yield forks[second].acquire()
            yield forks[second].release()
            yield forks[first].release()

    for number in range(seats):
        model.process(f"philosopher {number}", philosopher, *sorted((number, (number + 1) % seats)))
    return model


def one_condition(people: int) -> Model:
    """A bounded buffer whose producers and consumers wait on one condition; places as there are of each."""
    model = Model("one condition")
    monitor = model.condition("monitor")
    buffer = model.variable("buffer", 0)

    def add(number, more):
        return number + more

    def worker(blocked, more):
        while True:
            yield monitor.acquire()
            while (yield buffer.get()) == blocked:
                yield monitor.wait()
            yield buffer.update(add, more)
            yield monitor.notify()
            yield monitor.release()

    for name in model.indices("producer", people):
        model.process(name, worker, people, 1)
    for name in model.indices("consumer", people):
        model.process(name, worker, 0, -1)
    return model


def one_wait_set(people: int, places: int | None = None) -> Model:
    """The same buffer as one step for a put or a get, which also wakes any one who waits; as a specification has it.

    There are as many ``places`` as producers, unless it is said; with fewer it can hang.
    """
    model = Model("one wait set")
    capacity = people if places is None else places
    monitor = model.variable("monitor", (0, frozenset()))

    def step(value, me, blocked, more):
        number, waiting = value
        if me in waiting:
            return ()
        if number == blocked:
            return [((number, waiting | {me}), None)]
        return [((number + more, waiting - {one}), None) for one in waiting] or [((number + more, waiting), None)]

    def worker(me, blocked, more):
        while True:
            yield monitor.transition(step, me, blocked, more)

    for name in model.indices("producer", people):
        model.process(name, worker, name, capacity, 1)
    for name in model.indices("consumer", people):
        model.process(name, worker, name, 0, -1)
    return model


def pipeline(items: int) -> Model:
    """A task graph in stages: each item goes through three pools, each with a window of two permits before it.

    After the reports of bounded pipelines whose last stage hands back to the first; here it does not.
    """
    model = Model("pipeline")
    pools = [model.thread_pool(f"stage {number}", 2) for number in range(3)]
    windows = [model.semaphore(f"window {number}", 2) for number in range(3)]

    def stage(number):
        yield windows[number].release()
        if number + 1 < len(pools):
            yield windows[number + 1].acquire()
            yield pools[number + 1].submit(stage, number + 1)

    def item():
        yield windows[0].acquire()
        yield pools[0].submit(stage, 0)

    for name in model.indices("item", items):
        model.process(name, item)
    return model


def fan_out(callers: int) -> Model:
    """Callers submit three tasks each and wait for all of them, the last first, as in map-reduce over one pool."""
    model = Model("fan out")
    pool = model.thread_pool("pool", 3)

    def task():
        yield from ()

    def caller():
        first = yield pool.submit(task)
        second = yield pool.submit(task)
        third = yield pool.submit(task)
        yield third.result()
        yield second.result()
        yield first.result()

    for name in model.indices("caller", callers):
        model.process(name, caller)
    return model


class Family(NamedTuple):
    """How its models are built, and at which sizes."""

    build: Callable[[int], Model]
    sizes: tuple[int, ...]


FAMILIES = {
    "connections": Family(connections, (25, 50, 100, 200)),
    "exchange": Family(exchange, (2, 4, 8, 16)),
    "exchange by events": Family(exchange_by_events, (3, 5, 10, 20)),
    "philosophers": Family(philosophers, (7, 9, 12, 14)),
    "one condition": Family(one_condition, (2, 5, 10, 12)),
    "one wait set, coarse": Family(one_wait_set, (3, 5, 7, 12)),
    "pipeline": Family(pipeline, (2, 4, 8, 16)),
    "fan out": Family(fan_out, (1, 2, 4, 8)),
}
"""The last two were chosen, and measured first, when all that they run through was finished."""


def measured(name: str, size: int) -> str:
    """Search one size in a process of its own; return its row."""
    command = [sys.executable, "-m", "benchmarks.families", "--one", name, str(size)]
    ran = run(command, seconds=10 * SECONDS, folder=Path(__file__).parents[1])
    if ran.status:
        raise SystemExit(f"{name}, {size}: status {ran.status}\n{ran.text}")
    verdict, states, seconds, grown = json.loads(ran.text.splitlines()[-1])
    each, bytes_ = 1000 * seconds / states, grown * 1024 / states
    return f"| {size:>4} | {verdict:<12} | {states:>10,} | {seconds:>7.2f} | {each:>8.2f} | {bytes_:>10,.0f} |"


def one(name: str, size: int) -> None:
    """Search, and print verdict, states, CPU seconds, and by how many kilobytes the peak of memory has grown."""
    explore(connections(2))
    empty, model, since = _peak(), FAMILIES[name].build(size), time.process_time()
    result = explore(model, max_seconds=SECONDS)
    print(json.dumps([str(result.verdict), result.states, time.process_time() - since, _peak() - empty]))


def _peak() -> int:
    """Return the peak of resident memory, in kilobytes: its own, where ``getrusage`` counts what its parent had."""
    told = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(told.partition("VmHWM:")[2].split()[0])


def lines(names: Iterable[str]) -> Iterator[str]:
    """Yield a table for each family, line by line as it is measured."""
    for name in names:
        yield from (
            "",
            name,
            "",
            f"| size | {'verdict':<12} | {'states':>10} | {'CPU s':>7} | ms/state | bytes/state |",
        )
        yield "|-----:|--------------|-----------:|--------:|---------:|------------:|"
        yield from (measured(name, size) for size in FAMILIES[name].sizes)


def main() -> None:
    given = sys.argv[1:]
    if given[:1] == ["--one"]:
        one(given[1], int(given[2]))
        return
    for line in lines(given or FAMILIES):
        print(line, flush=True)


if __name__ == "__main__":
    main()
