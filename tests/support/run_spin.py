"""Spin, run on a Promela program: what it stored, and how many errors it counted."""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

MISSING = "" if shutil.which("spin") and shutil.which("cc") else "spin or cc is missing: apt-get install spin gcc"
NOTHING_LEFT_OUT = ("-w", "-DNOREDUCE", "-DSAFETY")


class Found(NamedTuple):
    """What Spin says of a program.

    Attributes
    ----------
    states, errors : int
        Different states, and errors, all of which were counted.
    seconds : float
        CPU time of the search alone, without Spin's own and the compiler's.
    megabytes : float
        Of memory, as Spin counts it: its hash table and its stack are there from the start.
    """

    states: int
    errors: int
    seconds: float
    megabytes: float


def run_spin(
    text: str,
    *,
    compiler: tuple[str, ...] = ("-O0",),
    search: tuple[str, ...] = ("-A", "-w18"),
    depth: int = 300_000,
) -> Found:
    """Search the whole space of a Promela program, without any reduction.

    Parameters
    ----------
    text : str
        The program.
    compiler : tuple of str
        Options for the C compiler; optimising takes more seconds than it saves for a small program.
    search : tuple of str
        Options for the search. "-A" leaves failed assertions out of the errors, so that invalid end states are
        left; "-w18" is a small hash table, which changes nothing but the time.
    depth : int
        Of the search, at most.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.pml").write_text(text)
        said = _run(folder, "spin", "-a", "model.pml")
        assert not said.strip(), f"spin complains: {said}"
        _run(folder, "cc", *NOTHING_LEFT_OUT, *compiler, "-o", "pan", "pan.c")
        before = _cpu_seconds()
        said = _run(folder, "./pan", "-c0", f"-m{depth}", *search)
        seconds = _cpu_seconds() - before
    assert "max search depth too small" not in said, said
    assert "Search not completed" not in said, said
    states, errors = (int(_number(pattern, said)) for pattern in (r"(\S+) states, stored", r"errors: (\d+)"))
    return Found(states, errors, seconds, _number(r"(\S+)\s+total actual memory usage", said))


def _number(pattern: str, said: str) -> float:
    found = re.search(pattern, said)
    assert found is not None, said
    return float(found[1])


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
