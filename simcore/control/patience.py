"""On a machine that is busy nobody is impatient: what the system took for others is no time in which nothing moved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def kept_waiting(*processes: int) -> float:
    """Return for how many seconds these processes could have run while others did, as far as the system says."""
    return sum(int(told.split()[1]) for told in _told(processes, "task/*/schedstat")) / 1e9


def wants_a_processor(*processes: int) -> bool:
    """Tell whether one of their threads runs, or would if it could."""
    return any(told.rpartition(")")[2].split()[0] == "R" for told in _told(processes, "task/*/stat"))


def work_of(*processes: int) -> int:
    """Return for how long they have run, in ticks of the clock."""
    return sum(sum(map(int, told.rpartition(")")[2].split()[11:13])) for told in _told(processes, "stat"))


def work_on_files(*processes: int) -> int:
    """Return how often these processes have read or written, as far as the system says."""
    lines = [line.split() for told in _told(processes, "io") for line in told.splitlines()]
    return sum(int(number) for name, number in lines if name in ("syscr:", "syscw:"))


def _told(processes: tuple[int, ...], file: str) -> Iterator[str]:
    for each in (each for process in processes for each in Path(f"/proc/{process}").glob(file)):
        with suppress(OSError):  # it has just ended
            if text := each.read_text():
                yield text
