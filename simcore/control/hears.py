"""What a run hears of what its threads do, for those kinds of it that remember that."""

from __future__ import annotations

from typing import Any

from simcore.control.thread import ControlledThread

READS, WRITES, ADDS = "r", "w", "a"
"""What is done to a thing that threads share: two who read, or two who add, may do so in either order."""

Enabled = list[tuple[ControlledThread, int]]
"""Who could go on, and how."""


class Hears:
    """Hears of all, and keeps nothing of it."""

    def stepped(self, thread: ControlledThread, outcome: int, candidates: Enabled) -> None:
        """Is called before a step is taken, by whoever is on its way into it."""

    def learned(self, thread: ControlledThread, target: Any, method: str) -> None:
        """Is called when ``thread`` does what may end somebody's wait for ``target``."""

    def submitted(self, thread: ControlledThread, task: str, future: Any) -> None:
        """Is called when ``thread`` submits a task to a pool, which will set ``future``."""

    def released(self, thread: ControlledThread, lock: Any) -> None:
        """Is called before ``thread`` releases a lock, which is no step."""

    def refused(self, thread: ControlledThread, label: str, thing: Any) -> None:
        """Is called when an operation that ``thread`` has begun has raised, and so has done nothing to ``thing``."""

    def touched(self, thing: Any, mode: str = WRITES) -> None:
        """Is called before something is done to a thing that threads may share."""

    def created(self, thread: ControlledThread, thing: Any) -> None:
        """Is called when ``thread`` has made a lock."""
