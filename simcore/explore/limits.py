"""A limit is part of a search: the state that would be one too many is not added.

States are counted where one is added (`check`). Time, and the memory of all that is not states, is looked at wherever
a kernel is asked something that no table answers in no time (`look`, which a kernel calls: `kernel/journal.py`), so
before a search and after it, too. Once a violation is known, no limit may take it back: what makes it shorter or says
more of it is left out a little after time is over (`in_time`); the rest, which takes its steps once more, has no limit.
"""

from __future__ import annotations

import mmap
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from simcore.errors import OptionError

T = TypeVar("T")

SHORTEN_STATES = 200_000
BYTES_TO_COMPILE = 300_000_000
SECONDS_TO_COMPILE = 20
STEPS_OF_A_STATE = 4  # as a rule; representatives have more, and each costs time
_BETWEEN = 512  # states, or looks at the clock, between two looks at the memory in use
_LEFT_OVER = 0.05  # of the time, and of a moment, for what makes an answer better
_MOMENT = 5  # seconds


class OutOfBudget(Exception):
    """A limit was reached; the text says which, and ``option`` what raises it, if anything does."""

    def __init__(self, text: str = "", option: str = "") -> None:
        super().__init__(text)
        self.option = option


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
    _looks: int = 0
    _lifted: bool = False
    _more: float = 0.0

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
        self.counted, self._looks = states, 0
        if self._shortening and steps // STEPS_OF_A_STATE >= self._shortening:
            raise OutOfBudget(f"{steps} steps were followed for a shorter schedule")
        if self.states is not None and states >= self.states:
            raise OutOfBudget(f"`max_states={self.states}` was reached", "max_states")
        self._on_time()
        if states % _BETWEEN == 0:
            self.allow(0)

    def look(self) -> None:
        """Raise when another moment would be too much, unless a violation is being told."""
        if self._lifted:
            return
        self._on_time()
        self._looks += 1
        if self._looks % _BETWEEN == 0:
            self.allow(0)

    def _on_time(self) -> None:
        if self.seconds is None:
            return
        if self.elapsed >= self.seconds + self._more * (_MOMENT + self.seconds):
            raise OutOfBudget(f"`max_seconds={self.seconds:g}` was reached", "max_seconds")

    def allow(self, more: int) -> None:
        """Raise when ``more`` bytes of memory would be too much."""
        if self.memory is not None and memory_used() + more >= self.memory:
            raise OutOfMemory(f"`max_memory={self.memory}` was reached", "max_memory")

    def lifted(self) -> AbstractContextManager[None]:
        """Let what must be done be done, however long it takes."""
        return self._having(True)

    def in_force(self) -> AbstractContextManager[None]:
        """Look at them again, in what is done while they are lifted."""
        return self._having(False)

    def in_time(self, improve: Callable[[], T], otherwise: T) -> T:
        """Return what ``improve`` does, for which there is a little time left over, or ``otherwise``."""
        try:
            with self._having(False, _LEFT_OVER):
                return improve()
        except OutOfBudget:
            return otherwise

    @contextmanager
    def _having(self, lifted: bool, more: float = 0.0) -> Iterator[None]:
        before = self._lifted, self._more
        self._lifted, self._more = lifted, more
        try:
            yield
        finally:
            self._lifted, self._more = before

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
        raise OptionError("`max_memory`: this system does not say what a process uses; use `max_states`") from None
