"""Time to a verdict, and memory, beside Spin: the pool system at growing sizes, in one run.

Run it with ``python -m benchmarks.spin [all]``; it needs Spin and a C compiler (Debian: spin, gcc), and with
``all`` some minutes and gigabytes. Spin searches a program written by hand, as who knows Promela would, and the one
that simcore exports. Nothing is left out for anybody but where it says so: all must meet the same number of states
and of deadlocks. Times are CPU seconds of the search alone, printed and never judged.

The systems are those of ``tests.toys.pool_system``: requesters, stream workers, chunks for each requester, and
callback workers where the fix is in.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from simcore import Model, Verdict, explore
from simcore.kernel import Kernel
from simcore.promela import promela
from tests.run_spin import MISSING, run_spin
from tests.toys import pool_system

LOOP = "plain loop over the tables"
EXPLORE = "simcore explore, symmetry off"
REDUCED = "simcore explore"
EXPORT = "simcore export"
BY_HAND = "Spin, written by hand"
EXPORTED = "Spin, exported"


class Size(NamedTuple):
    """How large a pool system is; without callback workers it is the one before the fix."""

    requesters: int
    workers: int
    chunks: int
    callback_workers: int | None

    def model(self) -> Model:
        """Return the model of this size."""
        return pool_system(**self._asdict())

    def by_hand(self) -> str:
        """Return the Promela program of this size."""
        fixed = self.callback_workers is not None
        numbers = {"N": self.requesters, "W": self.workers, "C": self.chunks, "K": self.callback_workers}
        defines = "".join(f"#define {name} {number}\n" for name, number in numbers.items() if number is not None)
        return defines + REQUESTERS + (AFTER if fixed else BEFORE)

    def __str__(self) -> str:
        callbacks = f", callback_workers={self.callback_workers}" if self.callback_workers is not None else ""
        return f"requesters={self.requesters}, workers={self.workers}, chunks={self.chunks}{callbacks}"


SIZES = [Size(4, 2, 2, None), Size(4, 4, 1, None), Size(3, 2, 1, 2), Size(4, 2, 1, 2), Size(4, 2, 1, 4)]
LARGE = [Size(4, 2, 2, 2), Size(4, 4, 1, 4)]

REQUESTERS = """
chan stream = [2 * N] of { byte };  /* i is dispatch of requester i, N + i its read */
bool blob[N], reply[N];

active [N] proctype requester() {
  byte done;
submit: stream ! _pid;
  atomic { reply[_pid] -> reply[_pid] = false; done++; if :: done < C -> goto submit :: else fi };
end: false
}
"""
BEFORE = """
active [W] proctype worker() {
  byte task;
end:
  do
  :: stream ? task;
     if
     :: atomic { task < N -> stream ! N + task };
        atomic { blob[task] -> blob[task] = false };
        atomic { reply[task] = true; task = 0 }
     :: atomic { task >= N -> blob[task - N] = true; task = 0 }
     fi
  od
}
"""
AFTER = """
chan callback = [N] of { byte };

active [W] proctype worker() {
  byte task;
end:
  do
  :: stream ? task;
     if
     :: atomic { task < N -> stream ! N + task };
        atomic { callback ! task; task = 0 }
     :: atomic { task >= N -> blob[task - N] = true; task = 0 }
     fi
  od
}

active [K] proctype callback_worker() {
  byte task;
end:
  do
  :: callback ? task;
     atomic { blob[task] -> blob[task] = false };
     atomic { reply[task] = true; task = 0 }
  od
}
"""


class Measured(NamedTuple):
    """What one searcher found, and what it took."""

    states: int
    deadlocks: int
    seconds: float
    megabytes: float


# ---- our side: each searcher in a process of its own, so that the memory is its own too ----------------------


def loop(model: Model) -> tuple[int, int]:
    """Return the number of states and of deadlocks: nothing but breadth first, a set and the tables."""
    kernel = Kernel(model)
    seen, front, deadlocks = {kernel.initial}, [kernel.initial], 0
    while front:
        following = []
        for state in front:
            choices = kernel.successors(state)
            if not choices:
                deadlocks += kernel.view(state).deadlocked
            for choice in choices:
                if choice.state not in seen:
                    seen.add(choice.state)
                    following.append(choice.state)
        front = following
    return len(seen), deadlocks


def proved(model: Model, *, symmetry: bool) -> tuple[int, int]:
    result = explore(model, symmetry=symmetry)
    if result.verdict is not Verdict.HOLDS:
        raise SystemExit(f"{model.name}: {result.verdict}, expected a proof")
    return result.states, 0


def exported(model: Model) -> tuple[int, int]:
    program = promela(model)
    Path("model.pml").write_text(program.text)
    return program.states, program.deadlocks


OURS: dict[str, Callable[[Model], tuple[int, int]]] = {
    LOOP: loop,
    EXPLORE: lambda model: proved(model, symmetry=False),
    REDUCED: lambda model: proved(model, symmetry=True),
    EXPORT: exported,
}


def child(name: str, size: str) -> None:
    """Run one of our searchers here, and print what it found."""
    model = Size(*json.loads(size)).model()
    gc.disable()
    start = time.process_time()
    states, deadlocks = OURS[name](model)
    print(json.dumps([states, deadlocks, time.process_time() - start]))


def ours(name: str, size: Size, folder: str) -> Measured:
    """Run one of our searchers in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.spin", "child", name, json.dumps(size)]
    paths = os.pathsep.join([os.getcwd(), *filter(None, [os.environ.get("PYTHONPATH")])])
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=folder, env={**os.environ, "PYTHONPATH": paths}
    ) as process:
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{name}, {size}: ended with status {process.returncode}")
    return Measured(*json.loads(printed), used.ru_maxrss / 1024)


# ---- both sides --------------------------------------------------------------------------------------------


def searched(size: Size) -> dict[str, Measured]:
    """Run everybody on the system of one size."""
    names = [LOOP] + [EXPLORE, REDUCED] * (size.callback_workers is not None) + [EXPORT]
    with tempfile.TemporaryDirectory() as folder:
        found = {name: ours(name, size, folder) for name in names}
        programs = {BY_HAND: size.by_hand(), EXPORTED: (Path(folder) / "model.pml").read_text()}
        for name, text in programs.items():
            found[name] = Measured(*run_spin(text, compiler=("-O2",), search=("-A",)))
    return found


def table(size: Size, found: dict[str, Measured]) -> str:
    """Return who took how long; the ratios are to Spin on the program written by hand."""
    same = {(one.states, one.deadlocks) for name, one in found.items() if name != REDUCED}
    if len(same) != 1:
        raise SystemExit(f"{size}: the searchers do not agree: {found}")
    states, deadlocks = same.pop()
    peer = found[BY_HAND]
    lines = [
        f"{'after' if size.callback_workers is not None else 'before'} the fix, {size}",
        f"all agree: {states:,} states, {deadlocks:,} deadlocks",
        "",
        f"| {'searcher':<30} | {'states':>9} | {'CPU s':>6} | {'time':>6} | {'MB':>6} | {'memory':>6} |",
        f"|{'-' * 32}|{'-' * 10}:|{'-' * 7}:|{'-' * 7}:|{'-' * 7}:|{'-' * 7}:|",
    ]
    for name, one in found.items():
        time_ratio, memory_ratio = one.seconds / peer.seconds, one.megabytes / peer.megabytes
        lines.append(
            f"| {name:<30} | {one.states:>9,} | {one.seconds:>6.2f} | {time_ratio:>6.2f} "
            f"| {one.megabytes:>6,.0f} | {memory_ratio:>6.2f} |"
        )
    return "\n".join(lines)


def main(*arguments: str) -> None:
    if arguments[:1] == ("child",):
        return child(*arguments[1:])
    if MISSING:
        raise SystemExit(MISSING)
    print("CPU seconds of the search alone; time and memory are ratios to Spin on the program written by hand.")
    for size in SIZES + LARGE * (arguments == ("all",)):
        print(f"\n{table(size, searched(size))}", flush=True)
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
