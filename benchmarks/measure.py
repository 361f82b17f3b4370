"""A search runs in a process of its own, so that its CPU seconds and its peak of memory are its own.

This module and `benchmarks.__main__` import the standard library only: a child's peak of resident memory is
at least what its parent had when it started it.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
GAVE_UP = "gave up"
MEMORY_LIMIT = 7500
"""For Spin, in MB; what is left of 8 GB is for its program and the machine."""


class Ran(NamedTuple):
    """A process that has ended: what it printed, how, its CPU seconds, and MB at its peak."""

    text: str
    status: int
    seconds: float
    megabytes: float


class Measured(NamedTuple):
    """What one searcher found, and what it took; without a verdict it gave up."""

    verdict: str
    states: int
    steps: int | None
    seconds: float
    megabytes: float
    compiler: float = 0.0
    """CPU seconds that Spin and the C compiler took before the search."""
    around: float = 0.0
    """CPU seconds that starting Python, importing and ending took, before the search and after it."""

    @property
    def search(self) -> float:
        """CPU seconds of the search alone."""
        return self.seconds - self.around

    @property
    def whole(self) -> float:
        """CPU seconds from the model to the verdict."""
        return self.seconds + self.compiler


def _alone(seconds: int) -> None:
    """Stay on one core, for at most so many CPU seconds; with more of them numpy starts threads, which spin."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])


def run(command: list[str], *, seconds: int, folder: Path) -> Ran:
    """Run ``command`` on one core, for at most so many CPU seconds.

    What is imported is compiled once and kept, as it is where a package is installed, even where the environment says
    otherwise: others are installed, and we run from a folder.
    """
    with subprocess.Popen(
        command,
        cwd=folder,
        env={name: told for name, told in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=partial(_alone, seconds),
    ) as process:
        assert process.stdout is not None
        text = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Ran(text, process.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def quickest(command: list[str], *, seconds: int, folder: Path) -> Ran:
    """Run ``command``, five times when that takes less than a second: the quickest run was disturbed least."""
    ran = run(command, seconds=seconds, folder=folder)
    again = 4 if ran.seconds < 1 else 0
    return min(
        [ran, *(run(command, seconds=seconds, folder=folder) for _ in range(again))], key=lambda one: one.seconds
    )


def ours(searcher: str, size: tuple[int, ...], *, seconds: int, ready: bool = False) -> Measured:
    """Run one of `benchmarks.search`; starting Python, and importing, is part of its CPU seconds.

    What it imports on its way it is given before its search begins, in another run.
    """
    command = [sys.executable, "-m", "benchmarks.search", searcher, *map(str, size), *(["ready"] if ready else [])]
    ran = quickest(command, seconds=seconds, folder=HERE.parent)
    if ran.status == -signal.SIGXCPU:
        return Measured(GAVE_UP, 0, None, ran.seconds, ran.megabytes)
    if ran.status:
        raise SystemExit(f"{searcher}, {size}: status {ran.status}\n{ran.text}")
    verdict, states, steps, search, imported = json.loads(ran.text.splitlines()[-1])
    if imported and not ready:
        return ours(searcher, size, seconds=seconds, ready=True)
    return Measured(verdict, states, steps, ran.seconds, ran.megabytes, around=ran.seconds - search)


def spin(
    size: tuple[int, ...], compiler: tuple[str, ...], options: tuple[str, ...], *, seconds: int, folder: Path
) -> Measured:
    """Compile `pool_system.pml` for one size and search it."""
    sizes = [f"-D{name}={value}" for name, value in zip("NWCK", size, strict=True) if value]
    before = [
        ["spin", "-a", *sizes, str(HERE / "pool_system.pml")],
        ["gcc", "-O2", "-w", "-DSAFETY", f"-DMEMLIM={MEMORY_LIMIT}", *compiler, "-o", "pan", "pan.c"],
    ]
    made = [run(command, seconds=seconds, folder=folder) for command in before]
    for one, command in zip(made, before, strict=True):
        if one.status:
            raise SystemExit(f"{' '.join(command)}: status {one.status}\n{one.text}")
    ran = quickest(["./pan", *options], seconds=seconds, folder=folder)
    compiled = sum(one.seconds for one in made)
    stored = re.search(r"(\S+) states, stored", ran.text)
    states = int(float(stored[1])) if stored else 0
    errors = re.search(r"errors: (\d+)", ran.text)
    if "max search depth too small" in ran.text:
        raise SystemExit(f"Spin, {size}: not deep enough\n{ran.text}")
    if (
        errors is None
        or "reached -DMEMLIM bound" in ran.text
        or (errors[1] == "0" and "Search not completed" in ran.text)
    ):
        return Measured(GAVE_UP, states, None, ran.seconds, ran.megabytes, compiled)
    verdict = "holds" if errors[1] == "0" else "violated"
    return Measured(verdict, states, None, ran.seconds, ran.megabytes, compiled)
