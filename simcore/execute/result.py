"""What a real run showed, as values: the run itself is gone, with its threads and sockets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from simcore.errors import ScheduleError
from simcore.execute.records import Record
from simcore.explain import History, WaitForGraph, fit, wait_for_graph
from simcore.kernel import Kernel
from simcore.model import Model, Pictured, State, listed, with_parameters
from simcore.schedule import Schedule

Ending = Literal["completed", "stuck", "failed", "limit"]


@listed(without="facts")
@dataclass(frozen=True)
class Execution(Pictured):
    """The outcome of one real run.

    Attributes
    ----------
    status : str
        "completed" (every process that owes has ended), "stuck" (nobody can move, and somebody owes), "failed"
        (a process died of an exception that nobody caught) or "limit" (the time was up).
    seconds : float
        Wall-clock time, without clean-up and explanation.
    stuck_after : float or None
        Seconds from the last progress until it was seen to be stuck.
    state : State
        The state at the end, read from the live objects.
    records : mapping
        What each process did, by name.
    results : mapping
        What each process that has ended returned, or the `Raised` it died of, by name.
    explained : bool or None
        Whether the model can do the same; None when that was not asked or could not be told within the budget.
    unexplained : str
        What it cannot do, and what it offers there.
    path : tuple of (process, outcome)
        The explaining interleaving.
    frames, bytes : int
        What arrived over all links, each frame with the right checksum.
    held_up : tuple of str
        The links on which, when the run ended, a sender's thread was held up by TCP itself: a send was pending,
        the socket took not another byte, and bytes that the peer had not read lay in its receive buffer.
    """

    model: Model
    status: Ending
    seconds: float
    stuck_after: float | None
    state: State
    records: Mapping[str, tuple[Record, ...]]
    results: Mapping[str, Any]
    frames: int = 0
    bytes: int = 0
    explained: bool | None = None
    unexplained: str = ""
    path: tuple[tuple[int, int], ...] = field(default=(), repr=False)
    held_up: tuple[str, ...] = ()

    @cached_property
    def wait_for(self) -> WaitForGraph:
        """Who waits for whom at the end."""
        history = History()
        for record, name in sorted(((r, name) for name, of in self.records.items() for r in of), key=_when):
            history.note(name, record.operation, record.result)
        return wait_for_graph(self.state, history=history)

    @cached_property
    def schedule(self) -> Schedule | None:
        """The explaining interleaving; None when the run was not explained."""
        return Schedule.of(Kernel(self.model, "anytime"), self.path) if self.explained else None

    @property
    def token(self) -> str:
        """What replays this run in every driver; empty when there is no such token."""
        try:
            return self.schedule.token if self.schedule is not None else ""
        except ScheduleError:
            return ""

    @property
    def answer(self) -> str:
        """What is wrong, in plain words; empty where nothing is known to be."""
        if self.status == "failed":
            return "; ".join(f"{name} died of {result}" for name, result in self.results.items() if _died(result))
        return self.wait_for.headline if self.status == "stuck" else ""

    @property
    def steps(self) -> int:
        """How many operations were performed."""
        return sum(map(len, self.records.values()))

    def __str__(self) -> str:
        answer = f": {self.answer}" if self.answer else ""
        lines = [f"{self.status}{answer}, for real", f"  {with_parameters(self.model.name, self.model.origin)}"]
        lines += [f"  {fact}" for fact in self.facts]
        if self.status in ("stuck", "limit"):
            lines += self.wait_for.told()
        return fit(lines)

    @property
    def facts(self) -> list[str]:
        """Say, line by line, what was counted and seen, and whether the model explains it."""
        facts = [f"{self.steps:,} operations in {self.seconds:.2f} s, {self.frames:,} frames, {self.bytes:,} bytes"]
        if self.stuck_after is not None:
            facts.append(f"seen to be stuck {self.stuck_after:.2f} s after the last progress")
        if self.explained:
            facts.append(f"explained by the model, in {len(self.path):,} steps")
        elif self.unexplained:
            facts.append(f"{'not explained' if self.explained is False else 'undetermined'}: {self.unexplained}")
        if self.status in ("stuck", "limit") and self.held_up:
            facts.append(f"held up by TCP: {', '.join(self.held_up)} (the peer does not read)")
        return facts


def _when(noted: tuple[Record, str]) -> int:
    return noted[0].effect


def _died(result: Any) -> bool:
    return type(result).__name__ == "Raised"
