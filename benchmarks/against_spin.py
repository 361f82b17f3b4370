"""`explore` beside Spin on the pool system, reductions off, in one run: CPU seconds, memory, and the same counts.

``python -m benchmarks.against_spin [ROUNDS]`` needs the Debian packages ``spin`` and ``gcc``. Spin's program is
`pool_system.pml`, the same steps written by hand, compiled with -O2; it is asked for nothing but the states.
`explore` proves deadlock freedom besides. Every search runs in a process of its own; its CPU seconds include
starting Python, loading what numba has compiled (compiled once, before the first round) and learning the
tables. "Spin" is the search alone; "+ gcc" is with generating and compiling it, which every size needs. "All"
is a process's peak of resident memory, "state" what `explore` keeps for each state.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

SIZES = [(4, 2, 1, 2, 188_685), (4, 2, 2, 2, 2_699_817), (4, 4, 1, 4, 4_768_065)]
HERE = Path(__file__).parent
OURS = """
import sys
from benchmarks.pool_system import model
from simcore import explore
n, w, c, k = map(int, sys.argv[1:])
result = explore(model(requesters=n, workers=w, chunks=c, callback_workers=k), symmetry=False)
print(result.verdict, result.states, result.transitions, *result.notes)
"""


class Measured(NamedTuple):
    """What a search printed, and what its process used: CPU seconds, and MB at its peak."""

    text: str
    seconds: float
    megabytes: float


def measured(command: list[str], cwd: Path | None = None) -> Measured:
    """Run ``command`` and wait for it."""
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    text = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = status
    if status:
        raise SystemExit(f"{command}: status {status}")
    return Measured(text, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def spin(folder: Path, size: tuple[int, ...]) -> tuple[Measured, float]:
    """Compile the program for one size and run it; return the search, and the CPU seconds before it."""
    before = os.times()
    sizes = [f"-D{name}={value}" for name, value in zip("NWCK", size, strict=True)]
    quiet = {"cwd": folder, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run(["spin", "-a", *sizes, HERE / "pool_system.pml"], **quiet)
    subprocess.run(["gcc", "-O2", "-w", "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c"], **quiet)
    now = os.times()
    compiled = now.children_user + now.children_system - before.children_user - before.children_system
    return measured(["./pan", "-m10000"], folder), compiled


def explored(size: tuple[int, ...]) -> Measured:
    """Run `explore` on one size."""
    return measured([sys.executable, "-c", OURS, *map(str, size)], HERE.parent)


def one_size(size: tuple[int, ...], states: int, rounds: int, folder: Path) -> str:
    """Compare the two; end with an error when they disagree."""
    peers, compiled, ours = [], [], []
    for _ in range(rounds):
        peer, before = spin(folder, size)
        peers.append(peer)
        compiled.append(before)
        ours.append(explored(size))
        counts = re.findall(r"(\d+) (?:states, stored|transitions)", peers[-1].text)
        found = ours[-1].text.split()
        if [int(counts[0]), int(counts[1]) - 1] != [int(found[1]), int(found[2])] or int(found[1]) != states:
            raise SystemExit(f"{size}: Spin {counts}, explore {found}, expected {states}")
    cpu = [median(run.seconds for run in runs) for runs in (peers, ours)]
    whole = cpu[0] + median(compiled)
    memory = [median(run.megabytes for run in runs) for runs in (peers, ours)]
    found_bytes = re.search(r"([\d,]+) bytes per state", ours[-1].text)
    kept = found_bytes.group(1) if found_bytes else "-"
    return (
        f"| {','.join(map(str, size)):<8} | {states:>9,} | {cpu[0]:>6.2f} | {whole:>6.2f} | {cpu[1]:>6.2f} "
        f"| {cpu[0] / cpu[1]:>5.2f} | {whole / cpu[1]:>5.2f} "
        f"| {memory[0]:>5.0f} | {memory[1]:>5.0f} | {memory[0] / memory[1]:>5.2f} | {kept:>5} |"
    )


def main(rounds: int = 3) -> None:
    explored(SIZES[0][:4])  # numba compiles
    print(f"medians of {rounds} rounds; N,W,C,K: requesters, stream workers, chunks, callback workers")
    print("|          |           |        CPU seconds       |     ratios    |       MB, all         | bytes |")
    print("| N,W,C,K  |    states |   Spin |  + gcc |   ours |  Spin | + gcc |  Spin |  ours | ratio | state |")
    print("|----------|----------:|-------:|-------:|-------:|------:|------:|------:|------:|------:|------:|")
    with tempfile.TemporaryDirectory() as folder:
        for *size, states in SIZES:
            print(one_size(tuple(size), states, rounds, Path(folder)), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
