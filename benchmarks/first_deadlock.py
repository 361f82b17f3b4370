"""Time to the first deadlock: `explore` on a model, `control`, frontrun and interleave-test on code, of small systems.

Two systems: a ring of as many threads as locks, each of which takes two neighbouring ones (two are opposed locks),
and the pool system before its fix with as many requesters as workers. frontrun runs the plain
``threading`` and ``queue`` of this file, under DPOR and its virtual clock, without which it takes threads that wait
for a queue for slow ones; its pool is `worker`, as the threads of an executor are not its own workers. `control` and
interleave-test run the same functions in threads that a body starts. All tell the run as they found it: `control` is
asked for any witness, frontrun is not asked to run it again, and interleave-test never does anything else.
"""

from __future__ import annotations

import json
import queue
import resource
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.measure import GAVE_UP, HERE, quickest

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
        self.reads = self.tasks
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
        self.work(self.tasks)

    def work(self, tasks: queue.Queue[tuple[str, int] | None]) -> None:
        """Take tasks until there are no more."""
        while (task := tasks.get()) is not None:
            kind, i = task
            if kind == "dispatch":
                self.reads.put(("read", i))
                self.blob[i].get()
                self.reply[i].put("ok")
            else:
                self.blob[i].put("bytes")


@contextmanager
def told(answer: list[object]) -> Iterator[None]:
    """Print an answer when it is there, and the CPU seconds that finding it took, of this process and its children."""

    def spent() -> float:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(each.ru_utime + each.ru_stime for each in used)

    since = spent()
    yield
    print(json.dumps([*answer, spent() - since]))


def frontrun(system: str, size: int) -> None:
    """Tell how many runs frontrun needed, and what it said; frontrun's own command starts this."""
    import frontrun

    setup: Callable[[], Ring | Pool]
    if system == "ring":
        setup, workers = lambda: Ring(size), [lambda ring, i=i: ring.take(i) for i in range(size)]
    else:
        setup = lambda: Pool(size)  # noqa: E731
        workers = [lambda pool, i=i: pool.requester(i) for i in range(size)]
        workers += [Pool.worker] * size + [lambda pool: pool.close(size)]
    options = {"clock": "virtual", "reproduce_on_failure": 0, "total_timeout": SECONDS}
    with told(answer := []):
        result = frontrun.explore(setup, workers, lambda _: True, **options)
        said = (result.explanation or "").partition("\n")[0]
        answer += ["violated" if "Deadlock" in said else "undetermined", result.num_explored]


def body(system: str, size: int) -> None:
    """Run the functions that frontrun has, in threads of our own."""
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


def code(system: str, size: int) -> None:
    """Tell how many schedules `control` needed."""
    from simcore import control

    with told(answer := []):
        result = control(partial(body, system, size), schedules=10_000, witness="any")
        answer += [result.verdict.value, result.schedules]


def interleave(system: str, size: int) -> None:
    """Tell how many schedules interleave-test needed, which switches at lines, the coarsest that it has."""
    import interleave_test

    options = {"iterations": 10_000, "seed": 0, "granularity": "line", "raise_on_failure": False}
    with told(answer := []):
        result = interleave_test.explore(partial(body, system, size), **options)
        kind = result.failure and result.failure.kind
        answer += ["violated" if kind == "deadlock" else "undetermined", result.schedules_run]


def simcore(system: str, size: int) -> None:
    """Tell how many states `explore` met before the deadlock."""
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
    with told(answer := []):
        result = explore(model)
        answer += [result.verdict.value, result.states]


ASKED = {"explore": simcore, "control": code, "frontrun": frontrun, "interleave-test": interleave}


def compared() -> str:
    """Return the table; end with an error when we do not find the deadlock that is there."""
    launcher = shutil.which("frontrun", path=str(Path(sys.executable).parent))
    if launcher is None:
        raise SystemExit("frontrun is missing: pip install -e '.[bench]'")
    there = [who for who in ASKED if who != "interleave-test" or sys.version_info >= (3, 12)]
    lines = [
        "CPU seconds to the first deadlock, of the whole process, starting Python included, and of the search alone;",
        "`explore` on a model, the others on code, run as it was found: looked at are states, schedules and runs",
        *([] if len(there) == len(ASKED) else ["interleave-test is left out: it needs Python 3.12"]),
        "",
        f"| system | size | {' | '.join(f'{who}: looked at | whole | search' for who in there)} |",
        f"|--------|-----:|{'|'.join(f'{chr(45) * (len(who) + 12)}:|------:|-------:' for who in there)}|",
    ]
    for system, sizes in SIZES.items():
        for size in sizes:
            row = f"| {system:<6} | {size:>4} |"
            for who in there:
                verdict, looked_at, search, whole = asked([launcher] * (who == "frontrun"), who, system, size)
                seen = f"{looked_at:,}" if verdict == "violated" else GAVE_UP
                row += f" {seen:>{len(who) + 11}} | {whole:>5.2f} | {search:>6.2f} |"
            lines.append(row)
    return "\n".join(lines)


def asked(launcher: list[str], who: str, system: str, size: int) -> tuple[str, int, float, float]:
    """Ask one side; return what it says, how much it looked at, and CPU seconds of its search and of its process."""
    command = [*launcher, sys.executable, "-m", "benchmarks.first_deadlock", who, system, str(size)]
    ran = quickest(command, seconds=SECONDS, folder=HERE.parent)
    verdict, looked_at, search = json.loads(ran.text.splitlines()[-1]) if not ran.status else (ran.text, 0, 0.0)
    if verdict != "violated" and who in ("explore", "control"):
        raise SystemExit(f"{command}: no deadlock found: {verdict}")
    return verdict, looked_at, search, ran.seconds


if __name__ == "__main__":
    ASKED[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
