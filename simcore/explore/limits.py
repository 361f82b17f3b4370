"""A limit is part of a search: the state that would be one too many is not added."""

from __future__ import annotations

import mmap
import time
from dataclasses import dataclass, field

from simcore.errors import OptionError

SHORTEN_STATES = 200_000
BYTES_TO_COMPILE = 300_000_000
SECONDS_TO_COMPILE = 20
STEPS_OF_A_STATE = 4  # as a rule; representatives have more, and each costs time
_BETWEEN = 512  # states between two looks at the memory in use


class OutOfBudget(Exception):
    """A limit was reached; the text says which."""


class OutOfMemory(OutOfBudget):
    """There would be too much to keep."""


@dataclass
class Limits:
    """How many states, how many seconds of wall-clock time, and how many bytes of memory, a search may take.

    Attributes
    ----------
    counted : int
        The states that there were at the last look; of sampled runs, the steps.
    """

    states: int | None
    seconds: float | None
    memory: int | None = None
    started: float = field(default_factory=time.monotonic)
    counted: int = 0
    _shortening: int = 0

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started

    @property
    def room_to_compile(self) -> bool:
        """Whether they leave memory for the compiled loop, which may have to be compiled first."""
        return self.memory is None or self.memory - memory_used() >= BYTES_TO_COMPILE

    @property
    def time_to_compile(self) -> bool:
        """Whether they leave time to compile it."""
        return self.seconds is None or self.seconds - self.elapsed >= SECONDS_TO_COMPILE

    def check(self, states: int, steps: int = 0) -> None:
        """Raise when another state, or another moment, would be too much; or, for a shorter witness, another step."""
        self.counted = states
        if self._shortening and steps // STEPS_OF_A_STATE >= self._shortening:
            raise OutOfBudget(f"{steps} steps were followed for a shorter schedule")
        if self.states is not None and states >= self.states:
            raise OutOfBudget(f"max_states={self.states} was reached")
        if self.seconds is not None and self.elapsed >= self.seconds:
            raise OutOfBudget(f"max_seconds={self.seconds:g} was reached")
        if states % _BETWEEN == 0:
            self.allow(0)

    def allow(self, more: int) -> None:
        """Raise when ``more`` bytes of memory would be too much."""
        if self.memory is not None and memory_used() + more >= self.memory:
            raise OutOfMemory(f"max_memory={self.memory} was reached")

    def shorten(self, states: int | None = None) -> None:
        """From here on the search is only about a shorter witness, which is worth so many states."""
        most = SHORTEN_STATES if states is None else states
        self.states = most if self.states is None else min(self.states, most)
        self._shortening = self.states


def memory_used() -> int:
    """Return the bytes of memory that this process has in use."""
    try:
        with open("/proc/self/statm", encoding="ascii") as told:
            return int(told.read().split()[1]) * mmap.PAGESIZE
    except OSError:
        raise OptionError("max_memory: this system does not say what a process uses; use max_states") from None
