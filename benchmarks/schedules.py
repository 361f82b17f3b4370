"""How many schedules of code are run a second: by `control` in its two lanes, by interleave-test and by frontrun.

The reported scenario is a pool whose tasks submit to it and wait: so many downloads over so many workers, before and
after the repair. Of `control`, schedules that hang are runs of which nothing is made, and their processes are thrown
away; those that come to their end are run in batches; only the runs are timed, and not what is made of a violation.
The others run a pool that is written by hand, as frontrun takes no threads but its own, and interleave-test does not
know all the locks of an executor; each begins anew behind a schedule that hangs. interleave-test switches at lines, the
coarsest that it has.
"""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks.first_deadlock import Pool
from benchmarks.measure import HERE

SECONDS = 5.0
Rate = tuple[int, int, float]
"""How many schedules were run, how many of them hung, and in how many seconds."""


def download(downloads: int, workers: int, repaired: int) -> None:
    """Run so many downloads; their callbacks wait for a reader of the same pool, or of one of its own."""
    with ThreadPoolExecutor(workers) as stream, ThreadPoolExecutor(workers) as readers:

        def call_back(number: int) -> int:
            return (readers if repaired else stream).submit(int, number).result()

        assert sum(each.result() for each in [stream.submit(call_back, n) for n in range(downloads)]) >= 0


def control(*size: int) -> Rate:
    """Run schedules as a `control` does that has found nothing yet."""
    from simcore.control.lanes import Lane
    from simcore.control.running import Options, answer
    from simcore.control.workers import Workers, first_of
    from simcore.schedule import RandomWalk

    body, hung = partial(download, *size), 0
    with Workers(partial(answer, body)) as one, Workers(partial(answer, body), one) as other:
        lanes = [
            Lane(workers, Options(), RandomWalk(seed), (), batches=True, short=False)
            for seed, workers in enumerate((one, other))
        ]
        for lane in lanes:
            lane.ask(1)
        since = time.perf_counter()
        busy = set(lanes)
        while busy:
            first = first_of([lane.workers for lane in busy])
            lane = next(lane for lane in busy if lane.workers is first)
            busy.remove(lane)
            if (outcome := lane.hear()) is not None:
                hung += outcome.how == "deadlock"
            if time.perf_counter() - since < SECONDS:
                lane.ask(1_000)
                busy.add(lane)
        return sum(lane.ran for lane in lanes), hung, time.perf_counter() - since


class Scenario(Pool):
    """The scenario in threads of their own; the repaired one has a second queue for reads, and who takes from it."""

    def __init__(self, downloads: int, repaired: bool) -> None:
        super().__init__(downloads)
        if repaired:
            self.reads = queue.Queue()

    def close(self, workers: int) -> None:
        """End the workers when everybody has been served."""
        super().close(workers)
        if self.reads is not self.tasks:
            for _ in range(workers):
                self.reads.put(None)


def threads(downloads: int, workers: int, repaired: bool) -> list[Callable[[Scenario], None]]:
    """Return what the threads of a scenario do."""
    return [
        *(lambda scenario, number=number: scenario.requester(number) for number in range(downloads)),
        *[lambda scenario: scenario.work(scenario.tasks)] * workers,
        *[lambda scenario: scenario.work(scenario.reads)] * (workers * repaired),
        lambda scenario: scenario.close(workers),
    ]


def interleave(*size: int) -> Rate:
    """Run schedules of interleave-test, in batches of a hundred."""
    import interleave_test

    def body() -> None:
        scenario = Scenario(size[0], bool(size[2]))
        tasks = [interleave_test.spawn(function, scenario) for function in threads(*size)]
        for task in tasks:
            task.join()

    ran = hung = 0
    since = time.perf_counter()
    while time.perf_counter() - since < SECONDS:
        result = interleave_test.explore(body, iterations=100, seed=ran, granularity="line", raise_on_failure=False)
        ran += result.schedules_run
        hung += result.failure is not None and result.failure.kind == "deadlock"
    return ran, hung, time.perf_counter() - since


def frontrun(*size: int) -> Rate:
    """Run executions of frontrun, as its random strategy has them; its own command starts this."""
    import frontrun

    ran = hung = 0
    since = time.perf_counter()
    while (left := SECONDS + since - time.perf_counter()) > 0:
        result = frontrun.explore(
            partial(Scenario, size[0], bool(size[2])),
            threads(*size),
            lambda _: True,
            strategy="random",
            clock="virtual",
            seed=ran,
            max_attempts=100,
            reproduce_on_failure=0,
            total_timeout=left,
        )
        ran += result.num_explored
        hung += result.property_holds is False
    return ran, hung, time.perf_counter() - since


ASKED = {"control": control, "interleave-test": interleave, "frontrun": frontrun}


def rate(who: str, *size: int) -> str:
    """Return what one of them does, in a process of its own, as it stands in the table."""
    launcher = shutil.which("frontrun", path=str(Path(sys.executable).parent)) if who == "frontrun" else None
    if (who == "frontrun" and launcher is None) or (who == "interleave-test" and sys.version_info < (3, 12)):
        return "not here |"
    command = [*([launcher] if launcher else []), sys.executable, "-m", "benchmarks.schedules", who]
    command += map(str, size)
    done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"{done.stderr.strip().splitlines()[-1:]} |"
    ran, hung, seconds = json.loads(done.stdout.splitlines()[-1])
    return f"{ran:,} | {hung:,} | {ran / seconds:,.0f} |"


def table() -> str:
    """Return the table."""
    lines = [
        f"schedules of code, for {SECONDS:g} s each: how many, how many of them hang, and how many a second",
        "",
        f"| downloads over workers | repaired |{'|'.join(f' {who}: schedules | hang | a second ' for who in ASKED)}|",
        f"|-----------------------:|---------:|{'|'.join('---------:|-----:|---------:' for _ in ASKED)}|",
    ]
    for downloads, workers in ((2, 2), (8, 4)):
        for repaired in (False, True):
            row = f"| {downloads} over {workers} | {'yes' if repaired else 'no'} |"
            for who in ASKED:
                row += f" {rate(who, downloads, workers, int(repaired))}"
            lines.append(row)
    return "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(table())
    else:
        print(json.dumps(ASKED[sys.argv[1]](*map(int, sys.argv[2:]))))
