"""What a run writes down in objects themselves: where each was made, who took how much of it, who ended waits for it.

It goes with the object, and a subclass has it as well. A weak table beside the objects would lose what it knows of one
in a finalizer, where futures and threads are still hashed by their name. So it lies among the object's own names, where
the program can see it: as one name, there from the object's birth, or from the beginning of all runs, and never
replaced. Whoever compares what an object has before and after he has used it (``dir``, ``vars``) finds it the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from simcore.control.thread import ControlledThread

_OURS = "_simcore"


class Made(NamedTuple):
    """Where an object was made: the function and the line of the program."""

    function: str
    file: str
    line: int


class Marks:
    """What is known of one object.

    Attributes
    ----------
    made : Made, optional
        Where it was made; None for what was there before the run.
    name : (str, int), optional
        Which thread has made it, and its how manieth that was; None for what was there before the run.
    task : str
        Of a future, which task sets it, if it is that of a work item.
    taken : dict
        Who has taken how much more out of a queue or a semaphore than he has given.
    done : dict
        Who has done which operation, and in which task; with the steps, from 1.
    notified : (int, int)
        At which step a condition was notified for the last time, 0 for never, and how many waited on it then.
    """

    __slots__ = ("done", "made", "name", "notified", "taken", "task")

    def __init__(self) -> None:
        self.made: Made | None = None
        self.name: tuple[str, int] | None = None
        self.task = ""
        self.taken: dict[ControlledThread, int] = {}
        self.done: dict[tuple[ControlledThread, str, str], list[int]] = {}
        self.notified = 0, 0


_NONE = Marks()


def marks(thing: Any) -> Marks:
    """Return those of an object, to read or to write, which has them from now on; of what can have none, new ones."""
    own = getattr(thing, "__dict__", None)
    if not isinstance(own, dict):
        return Marks()
    found: Marks | None = own.get(_OURS)
    if found is None:
        found = own[_OURS] = Marks()
    return found


def _seen(thing: Any) -> Marks:
    """Return those of an object, to read; it is not touched."""
    own = getattr(thing, "__dict__", None)
    return own.get(_OURS, _NONE) if isinstance(own, dict) else _NONE


def made(thing: Any) -> Made | None:
    """Return where ``thing`` was made, if it was made in a run."""
    return _seen(thing).made


def taken(thing: Any) -> dict[ControlledThread, int]:
    """Return who has taken how much more out of a queue or a semaphore than he has given."""
    return _seen(thing).taken


def done_to(thing: Any, methods: frozenset[str]) -> dict[tuple[ControlledThread, str], list[int]]:
    """Return who has done one of some operations on ``thing``, and in which task; with the steps, from 1."""
    found: dict[tuple[ControlledThread, str], list[int]] = {}
    for (who, task, method), steps in _seen(thing).done.items():
        if method in methods:
            found.setdefault((who, task), []).extend(steps)
    return found


def notified(condition: Any) -> tuple[int, int]:
    """Return at which step a condition was notified for the last time, 0 for never, and how many waited on it then."""
    return _seen(condition).notified


def task_of(future: Any) -> str:
    """Return which task sets a future, if it is that of a work item."""
    return _seen(future).task


def name_of(thing: Any) -> tuple[str, int] | None:
    """Return which thread has made ``thing``, and its how manieth that was; None for what was there before the run."""
    return _seen(thing).name
