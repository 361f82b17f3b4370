"""Deadlines as a value: who waits with a limit, and how long each has left until the next of them is due.

For `Kernel(timeouts="in_order")`. The value is relative (seconds left, not a time of day), so a system that
goes round comes back to the same state. It is kept nearest first, which makes it the same for every order of
interchangeable workers. As in the urgent semantics of timed automata (Alur and Dill, 1994, with "as soon as
possible"), steps take no time, and time passes only when nothing but time can.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simcore.model.operations import SharedObject, Value

_DIGITS = 9  # of a second: sums of decimal fractions must come back to the same value


class Deadline(NamedTuple):
    """A process that waits with a limit, and the seconds that it has left."""

    left: float
    process: Any


Pending = tuple[Deadline, ...]


class Clock(SharedObject):
    """The hidden object of a kernel that keeps time. No operation is about it."""

    kind = "clock"
    names_processes = True

    @property
    def initial(self) -> Pending:
        """Nobody waits."""
        return ()

    def normalised(self, value: Value) -> Pending:
        """Nearest first."""
        return in_order(value)  # type: ignore[arg-type]


def in_order(pending: Pending) -> Pending:
    """Return the same deadlines, nearest first."""
    return tuple(sorted(pending, key=lambda deadline: (deadline.left, deadline.process.index)))


def moved(pending: Pending, process: Any, limit: float | None) -> Pending:
    """Return what is pending after a step of ``process``, which then waits with ``limit``."""
    others = tuple(deadline for deadline in pending if deadline.process is not process)
    return others if limit is None else in_order((*others, Deadline(rounded(limit), process)))


def rounded(seconds: float) -> float:
    """Return a limit as clocks count it: as CPython does, a limit that is not 0 is not rounded to 0."""
    return max(round(float(seconds), _DIGITS), 10.0**-_DIGITS) if seconds else 0.0


def passed(pending: Pending, seconds: float) -> Pending:
    """Return what is pending ``seconds`` later."""
    return tuple(deadline._replace(left=round(deadline.left - seconds, _DIGITS)) for deadline in pending)


def left_of(pending: Pending, process: Any) -> float | None:
    """Return the seconds that ``process`` has left; None when it waits without a limit."""
    return next((deadline.left for deadline in pending if deadline.process is process), None)
