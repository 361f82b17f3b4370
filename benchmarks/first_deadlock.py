"""Time to the first deadlock: `explore` on a model, `control` and frontrun on real threads, of small systems.

Two systems: a ring of as many threads as locks, each of which takes two neighbouring ones (two are opposed locks),
and the pool system before its fix with as many requesters as workers. frontrun runs the plain
``threading`` and ``queue`` of this file, under DPOR and its virtual clock, without which it takes threads that wait
for a queue for slow ones; its pool is `worker`, as the threads of an executor are not its own workers. `control` runs
the same functions in threads that it does not know either.
"""

from __future__ import annotations

import json
import queue
import shutil
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.measure import HERE, Ran, run

SIZES = {"ring": (2, 3, 5), "pool": (1, 2, 4)}
SECONDS = 60


class Ring:
    """So many locks in a ring."""

    def __init__(self, size: int) -> None:
        self.locks = [threading.Lock() for _ in range(size)]

    def take(self, left: int) -> None:
        with self.locks[left], self.locks[(left + 1) % len(self.locks)]:
            pass


class Pool:
    """The queues of the pool system: the pool's own, and two of each requester.

    A worker that waits for a task for ever would be a deadlock to frontrun in a good run too, so the pool is
    closed when every requester has had its reply.
    """

    def __init__(self, size: int) -> None:
        self.tasks: queue.Queue[tuple[str, int] | None] = queue.Queue()
        self.served: queue.Queue[int] = queue.Queue()
        self.blob: list[queue.Queue[str]] = [queue.Queue() for _ in range(size)]
        self.reply: list[queue.Queue[str]] = [queue.Queue() for _ in range(size)]

    def requester(self, i: int) -> None:
        self.tasks.put(("dispatch", i))
        self.reply[i].get()
        self.served.put(i)

    def close(self, workers: int) -> None:
        for _ in self.reply:
            self.served.get()
        for _ in range(workers):
            self.tasks.put(None)

    def worker(self) -> None:
        while (task := self.tasks.get()) is not None:
            kind, i = task
            if kind == "dispatch":
                self.tasks.put(("read", i))
                self.blob[i].get()
                self.reply[i].put("ok")
            else:
                self.blob[i].put("bytes")


def frontrun(system: str, size: int) -> None:
    """Print how many runs frontrun needed, and what it said; frontrun's own command starts this."""
    import frontrun

    setup: Callable[[], Ring | Pool]
    if system == "ring":
        setup, workers = lambda: Ring(size), [lambda ring, i=i: ring.take(i) for i in range(size)]
    else:
        setup = lambda: Pool(size)  # noqa: E731
        workers = [lambda pool, i=i: pool.requester(i) for i in range(size)]
        workers += [Pool.worker] * size + [lambda pool: pool.close(size)]
    result = frontrun.explore(
        setup, workers, lambda _: True, clock="virtual", reproduce_on_failure=0, total_timeout=SECONDS
    )
    said = (result.explanation or "").partition("\n")[0]
    print(json.dumps(["violated" if "Deadlock" in said else "undetermined", result.num_explored]))


def code(system: str, size: int) -> None:
    """Print how many schedules `control` needed, of the code that frontrun has, in threads of its own."""
    from simcore import control

    def body() -> None:
        if system == "ring":
            ring = Ring(size)
            functions = [partial(ring.take, i) for i in range(size)]
        else:
            pool = Pool(size)
            functions = [partial(pool.requester, i) for i in range(size)]
            functions += [pool.worker] * size + [partial(pool.close, size)]
        threads = [threading.Thread(target=function) for function in functions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    result = control(body, schedules=10_000)
    print(json.dumps([result.verdict.value, result.schedules]))


def simcore(system: str, size: int) -> None:
    """Print how many states `explore` met before the deadlock."""
    from benchmarks import pool_system
    from simcore import Model, explore

    if system == "pool":
        model = pool_system.model(pool_system.Size(size, size, 1))
    else:
        model = Model("ring")
        locks = [model.lock(f"lock {i}") for i in range(size)]

        def take(left):
            yield locks[left].acquire()
            yield locks[(left + 1) % size].acquire()
            yield locks[(left + 1) % size].release()
            yield locks[left].release()

        for i in range(size):
            model.process(f"thread {i}", take, i)
    result = explore(model)
    print(json.dumps([result.verdict.value, result.states]))


def compared() -> str:
    """Return the table; end with an error when either does not find the deadlock that is there."""
    launcher = shutil.which("frontrun", path=str(Path(sys.executable).parent))
    if launcher is None:
        raise SystemExit("frontrun is missing: pip install -e '.[bench]'")
    lines = [
        "time to the first deadlock, the whole process; `explore` on a model, `control` and frontrun on real threads;",
        "`control` shortens what it has found, and runs it again; the ratios are frontrun's time to ours",
        "",
        f"| {'system':<6} | size | {'explore: states':>15} | {'CPU s':>6} | {'control: schedules':>18} | {'CPU s':>6} "
        f"| {'frontrun: runs':>14} | {'CPU s':>6} | explore | control |",
        f"|{'-' * 8}|-----:|{'-' * 16}:|{'-' * 7}:|{'-' * 19}:|{'-' * 7}:|{'-' * 15}:|{'-' * 7}:|--------:|--------:|",
    ]
    for system, sizes in SIZES.items():
        for size in sizes:
            command = [sys.executable, "-m", "benchmarks.first_deadlock"]
            us, ours, peer = (
                asked([*prefix, *command, who, system, str(size)])
                for prefix, who in (([], "simcore"), ([], "code"), ([launcher], "frontrun"))
            )
            lines.append(
                f"| {system:<6} | {size:>4} | {us[0]:>15,} | {us[1].seconds:>6.2f} | {ours[0]:>18,} "
                f"| {ours[1].seconds:>6.2f} | {peer[0]:>14,} | {peer[1].seconds:>6.2f} "
                f"| {peer[1].seconds / us[1].seconds:>7.2f} | {peer[1].seconds / ours[1].seconds:>7.2f} |"
            )
    return "\n".join(lines)


def asked(command: list[str]) -> tuple[int, Ran]:
    """Run one side; return how much it looked at, and what its process used."""
    ran = run(command, seconds=SECONDS, folder=HERE.parent)
    verdict, looked_at = json.loads(ran.text.splitlines()[-1]) if not ran.status else (ran.text, 0)
    if verdict != "violated":
        raise SystemExit(f"{command}: no deadlock found: {verdict}")
    return looked_at, ran


if __name__ == "__main__":
    {"simcore": simcore, "code": code, "frontrun": frontrun}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
