"""Exploring a cell gives plain data, whatever becomes of it, because errors do not all travel between processes."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from simcore.errors import SimcoreError, place_of
from simcore.explore import Result, explore
from simcore.model import Parameter, Property, Verdict
from simcore.sizes.cell import Cell
from simcore.sizes.grid import Subject

Asked = Property | Callable[[], Property]


class Task(NamedTuple):
    """What is the same for every cell.

    Attributes
    ----------
    asked : tuple of Property or function
        What must hold; a function is called for its property where it is needed, as not every property can be sent.
    options : mapping
        Of `explore`.
    """

    subject: Subject
    asked: tuple[Asked, ...]
    options: Mapping[str, Any]

    def properties(self) -> list[Property]:
        """Return what is asked."""
        return [each if isinstance(each, Property) else each() for each in self.asked]


class Place(NamedTuple):
    """A cell that is to be explored: its number in the sweep, and its parameters."""

    number: int
    parameters: dict[str, Parameter]


class Found(NamedTuple):
    """What became of a cell.

    Attributes
    ----------
    repeatable : bool
        Whether the same would be found again: not so of a process that was killed, or had no memory left.
    """

    number: int
    cell: Cell
    repeatable: bool = True


def explored(task: Task, places: Sequence[Place]) -> list[Found]:
    """Explore cells, one after the other."""
    return [_explored(task, place) for place in places]


def _explored(task: Task, place: Place) -> Found:
    try:
        result = explore(task.subject.build(place.parameters), *task.properties(), **task.options)
    except MemoryError:
        why = "out of memory; bound it with `max_states` or `max_memory`, or choose smaller parameters"
        return Found(place.number, undetermined(place, why), False)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # what is cancelled, or exits, raises no Exception; to who asks it is one
        return Found(place.number, Cell(place.parameters, Verdict.UNDETERMINED, error=_mistake(error)), False)
    return Found(place.number, _cell(place, result))


def _cell(place: Place, result: Result) -> Cell:
    found = result.counterexample
    reason = result.answer if found is not None else result.reason
    token, hangs = ("", False) if found is None else (found.token, found.hangs)
    return Cell(place.parameters, result.verdict, result.states, result.seconds, _line(reason), token, hangs=hangs)


def undetermined(place: Place, reason: str) -> Cell:
    """Return the cell of which nothing is known, and why."""
    return Cell(place.parameters, Verdict.UNDETERMINED, reason=reason)


def _mistake(error: BaseException) -> str:
    """Tell an error in a line, with its place where that is the user's; show where ours came from."""
    if isinstance(error, SimcoreError):
        return _line(str(error))
    at = place_of(error)
    if not at:
        traceback.print_exception(error)
    return _line(f"{type(error).__name__}: {error}" + (f" (at {at})" if at else ""))


def _line(text: str) -> str:
    return " ".join(text.split())
