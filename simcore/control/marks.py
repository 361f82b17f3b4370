"""What a run writes down in objects themselves: where each was made, who took how much of it, who ended waits for it.

It lies in their own names, so it goes with them, and a subclass has it as well. What was there before the run has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from simcore.control.thread import ControlledThread


class Made(NamedTuple):
    """Where an object was made: the function and the line of the program."""

    function: str
    file: str
    line: int


def made(thing: Any) -> Made | None:
    """Return where ``thing`` was made, if it was made in a run."""
    noted: Made | None = marks(thing).get("_simcore_made")
    return noted


def taken(thing: Any) -> dict[ControlledThread, int]:
    """Return who has taken how much more out of a queue or a semaphore than he has given."""
    found: dict[ControlledThread, int] = marks(thing).get("_simcore_taken", {})
    return found


def done_to(thing: Any, methods: frozenset[str]) -> dict[tuple[ControlledThread, str], list[int]]:
    """Return who has done one of some operations on ``thing``, and in which task; with the steps, from 1."""
    found: dict[tuple[ControlledThread, str], list[int]] = {}
    for (who, task, method), steps in marks(thing).get("_simcore_done", {}).items():
        if method in methods:
            found.setdefault((who, task), []).extend(steps)
    return found


def notified(condition: Any) -> tuple[int, int]:
    """Return at which step a condition was notified for the last time, 0 for never, and how many waited on it then."""
    found: tuple[int, int] = marks(condition).get("_simcore_notified", (0, 0))
    return found


def task_of(future: Any) -> str:
    """Return which task sets a future, if it is that of a work item."""
    found: str = marks(future).get("_simcore_task", "")
    return found


def name_of(thing: Any) -> tuple[str, int] | None:
    """Return which thread has made ``thing``, and its how manieth that was; None for what was there before the run."""
    found: tuple[str, int] | None = marks(thing).get("_simcore_name")
    return found


def marks(thing: Any) -> dict[str, Any]:
    """Return all of it; of what can have none, an empty dictionary that nobody keeps."""
    notes = getattr(thing, "__dict__", None)
    return notes if isinstance(notes, dict) else {}
