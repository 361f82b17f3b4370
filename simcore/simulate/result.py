"""What a run in virtual time showed: how it ended, when, and what was in use at every moment.

The figures are plain lists and dictionaries, for whoever draws them. A run shows one interleaving, so
"completed" is never a proof; "stuck" is one, as the schedule replays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from math import inf
from typing import Any, Literal, NamedTuple

from simcore.errors import OptionError, ScheduleError
from simcore.explain import WaitForGraph, fit, graph_after
from simcore.kernel import Kernel, OneRun, Packed
from simcore.model import Pictured, ProcessState, State, listed, with_parameters
from simcore.model.objects import ThreadPool
from simcore.model.operations import Raised, Value
from simcore.schedule import Schedule
from simcore.simulate.delays import matches

Status = Literal["completed", "stuck", "failed", "limit"]


class Occupancy(NamedTuple):
    """How much of something was in use over time.

    Attributes
    ----------
    series : list of (float, int)
        From each of these virtual times on, so much was in use; the first is at 0. Changes at one instant
        are all there, in order.
    capacity : int or None
        How much there is; None where there is no limit.
    """

    series: list[tuple[float, int]]
    capacity: int | None

    @property
    def peak(self) -> int:
        """The most that was in use at any moment."""
        return max(used for _, used in self.series)

    def mean(self, end: float) -> float:
        """Return how much was in use on average from 0 to ``end`` seconds; at 0, what was in use last."""
        if end <= 0:
            return float(self.series[-1][1])
        closed = [*self.series, (end, 0)]
        return sum(used * (after - at) for (at, used), (after, _) in pairwise(closed)) / end


class Failure(NamedTuple):
    """A process that died of an exception nobody caught: when, of what, and where in its code."""

    time: float
    error: Raised
    where: str


@listed(without="kernel packed path times")
@dataclass(frozen=True)
class Simulation(Pictured):
    """One run in virtual time.

    Attributes
    ----------
    status : {"completed", "stuck", "failed", "limit"}
        Everybody who had to finish has; or somebody who has not can never move again, while nothing else can
        happen, or others go on for ever; or a process died of an exception (whatever came then); or ``until`` or
        ``max_steps`` came first.
    time : float
        Virtual seconds at the end: of the last step, or ``until``.
    completion : dict of str to float
        At what virtual second each process returned.
    results : dict of str to object
        What it returned.
    failures : dict of str to Failure
        The processes that died.
    occupancy : dict of str to Occupancy
        For a pool its busy workers, and under ``"<pool> queue"`` the tasks that wait; by name for every
        lock, semaphore, queue and link.
    takes : dict of str to int
        How many tasks the workers of each pool have begun.
    notes : tuple of str
        Which limit was reached, and what the clock could not do.
    times : tuple of float
        At what virtual second each step was taken.
    """

    status: Status
    time: float
    seed: int
    completion: dict[str, float]
    results: dict[str, Any]
    failures: dict[str, Failure]
    occupancy: dict[str, Occupancy]
    takes: dict[str, int]
    notes: tuple[str, ...]
    kernel: OneRun = field(repr=False)
    path: tuple[tuple[int, int], ...] = field(repr=False)
    times: tuple[float, ...] = field(default=(), repr=False)

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.path)

    @cached_property
    def packed(self) -> Packed:
        """The last state, as the kernel has it."""
        return self.kernel.settled()

    @cached_property
    def schedule(self) -> Schedule:
        """The steps in their order; every driver replays it."""
        return Schedule.of(self.kernel, self.path)

    @property
    def token(self) -> str:
        """What `simcore replay` takes; empty when the model cannot be built again from a name."""
        try:
            return self.schedule.token
        except ScheduleError:
            return ""

    @cached_property
    def state(self) -> State:
        """The last state."""
        return self.kernel.view(self.packed)

    @cached_property
    def wait_for(self) -> WaitForGraph:
        """Who waits for whom in the last state."""
        return graph_after(self.kernel, self.path)

    @property
    def hangs(self) -> bool:
        """Whether somebody is known never to move again: proved, also where a limit has ended the run."""
        return self.status in ("stuck", "limit") and bool(self.wait_for.headline)

    @property
    def answer(self) -> str:
        """What is wrong, in plain words; empty where nothing is known to be."""
        if self.failures:
            return "; ".join(f"{name} died of {failure.error}" for name, failure in self.failures.items())
        others = "others go on, but " if self.status == "limit" else ""
        return others + self.wait_for.headline if self.hangs else ""

    def throughput(self, name: str | None = None) -> float:
        """Return how many processes have returned per virtual second, or how many tasks a pool has begun.

        Parameters
        ----------
        name : str, optional
            A pool, or a process or a pattern of processes such as ``"download[*]"``; all processes without it.

        Raises
        ------
        OptionError
            When the model has neither pool nor process of that name.
        """
        names = [process.name for process in self.kernel.processes if process.fn is not None]
        if name in self.takes:
            count = self.takes[name]
        elif name is None or any(matches(name, each) for each in names):
            count = sum(name is None or matches(name, each) for each in self.completion)
        else:
            raise OptionError(f"throughput({name!r}): no pool or process; there are {', '.join((*self.takes, *names))}")
        if not count:
            return 0.0
        return count / self.time if self.time > 0 else inf

    def mean(self, name: str) -> float:
        """Return how much of ``name`` was in use on average over the run."""
        return self._occupancy(name).mean(self.time)

    def utilisation(self, name: str) -> float:
        """Return which part of ``name`` was in use on average over the run, from 0 to 1.

        Raises
        ------
        OptionError
            When nothing of that name is measured, or when it has no limit that it could be a part of.
        """
        capacity = self._occupancy(name).capacity
        if not capacity:
            raise OptionError(f"utilisation({name!r}): it has no capacity to be a part of; use mean({name!r})")
        return self.mean(name) / capacity

    def _occupancy(self, name: str) -> Occupancy:
        if name not in self.occupancy:
            raise OptionError(f"nothing called {name!r} was measured; there are {', '.join(self.occupancy) or 'none'}")
        return self.occupancy[name]

    def __str__(self) -> str:
        return fit(self.lines())

    def lines(self) -> list[str]:
        """Tell it, line by line."""
        at = f"at {self.time:g} s of virtual time, after {self.steps:,} steps (seed {self.seed})"
        lines = [f"{self.status}{f': {self.answer},' if self.answer else ''} {at}"]
        lines.append(f"  {with_parameters(self.kernel.model.name, self.kernel.model.origin)}")
        for name, failure in self.failures.items():
            lines.append(f"  {name} died at {failure.time:g} s of {failure.error} ({failure.where})")
        lines += [f"  note: {note}" for note in self.notes]
        lines += self._explained()
        lines.append(f"  {len(self.completion)} of {self._wanted()} processes completed")
        lines += [f"  {line}" for line in self._in_use()]
        if self.status in ("stuck", "failed") and self.token:
            lines.append(f"replay: simcore replay {self.token}")
        return lines

    def _wanted(self) -> int:
        """How many processes must complete, or have: whoever was never started must not."""
        kernel = self.kernel
        there = (kernel.process_state(kernel.state, process.index) for process in kernel.processes)
        return sum(p.process.fn is not None and not p.process.daemon and (p.owes or p.done) for p in there)

    def _explained(self) -> list[str]:
        """Say who waits for whom, where somebody can never move again, or somebody has died and others wait."""
        told = self.status in ("stuck", "failed") or self.hangs
        return self.wait_for.told() if told else []

    def _in_use(self) -> list[str]:
        lines = []
        for name, occupancy in self.occupancy.items():
            if occupancy.peak and (occupancy.capacity is not None or name.removesuffix(" queue") in self.takes):
                of = f" of {occupancy.capacity}" if occupancy.capacity is not None else ""
                lines.append(f"{name}: {self.mean(name):.3g}{of} in use on average, {occupancy.peak} at most")
        return lines


class Recorder:
    """Writes the figures of a run down while it runs.

    Attributes
    ----------
    now : float
        Virtual time of the last thing that happened.
    queued : int
        Tasks that wait in pools.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.now = 0.0
        self.queued = 0
        self.completion: dict[str, float] = {}
        self.results: dict[str, Any] = {}
        self.failures: dict[str, Failure] = {}
        self.takes = {pool.name: 0 for pool, _ in kernel.model.pools()}
        self._kernel = kernel
        self._series: dict[str, list[tuple[float, int]]] = {}
        self._capacity: dict[str, int | None] = {}
        for pool, _ in kernel.model.pools():
            self._series[pool.name], self._capacity[pool.name] = [(0.0, 0)], pool.workers
        self._objects = kernel.objects
        for position, thing in enumerate(self._objects):
            self.value(position, thing.initial)

    def value(self, position: int, value: Value) -> None:
        """Note the new value at a position of the state."""
        if position >= len(self._objects):
            return
        thing = self._objects[position]
        if isinstance(thing, ThreadPool):  # what a pool has in use is workers, which are processes
            name, used, capacity = f"{thing.name} queue", len(value.tasks), None  # type: ignore[attr-defined]
            self.queued += used - self._last(name)
        else:
            slots = thing.occupancy(value)
            if slots is None:
                return
            name, (used, capacity) = thing.name, slots
        self._capacity[name] = capacity
        self._note(name, used)

    def busy(self, process: int, busy: bool) -> None:
        """Note that a worker has begun a task, or has ended one; of other processes there is nothing to note."""
        pool = self._kernel.processes[process].pool
        if pool is not None:
            self._note(pool.name, self._last(pool.name) + (1 if busy else -1))

    def take(self, pool: ThreadPool) -> None:
        """Note that a worker of ``pool`` begins a task."""
        self.takes[pool.name] += 1

    def end(self, process: ProcessState) -> None:
        """Note that a process has ended."""
        if process.status == "failed":
            self.failures[process.name] = Failure(self.now, process.result, process.where)
        elif process.process.pool is None:
            self.completion[process.name], self.results[process.name] = self.now, process.result

    def occupancy(self) -> dict[str, Occupancy]:
        """Return all series."""
        return {name: Occupancy(series, self._capacity[name]) for name, series in self._series.items()}

    def _last(self, name: str) -> int:
        return self._series[name][-1][1] if name in self._series else 0

    def _note(self, name: str, used: int) -> None:
        series = self._series.get(name)
        if series is None:
            self._series[name] = [(self.now, used)]
        elif series[-1][1] != used:
            series.append((self.now, used))
