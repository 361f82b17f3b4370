"""An operation that a process makes is yielded, or kept for later; one that is gone did not happen, and is a mistake.

It is the mistake that everybody makes first, and it removes exactly the step that matters, so nothing that is said of
such a model would be true. Python tells of a coroutine that was never awaited when it is deleted; so is an operation
here: CPython deletes an object with the last reference to it, and whether one is gone can be asked as soon as its
process stops. Whoever keeps it in a variable yields it later, or loses it when the process ends.

A mistake that is found inside the process (an operation whose truth value is asked, a method that an object has not)
is raised there, and is kept here as well: a process that catches every exception does not hide it.

What the garbage collector closes while a process runs, such as a generator of another run, is no part of that process.

A generator that is made and never run cannot be seen like that, as Python calls nobody when it makes one: it is found
in the code (`simcore/kernel/dropped.py`).
"""

from __future__ import annotations

import gc
import sys
import weakref
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import local
from types import FrameType
from typing import Any, NamedTuple

from simcore.errors import ModelError


class Made(NamedTuple):
    """An operation that was made while a process ran: whether it is there, what it does, and where it was made."""

    operation: weakref.ref[Any]
    target: Any
    name: str
    args: tuple[Any, ...]
    file: str
    line: int

    @property
    def where(self) -> str:
        """File and line."""
        return f"{Path(self.file).name}:{self.line}"

    def __str__(self) -> str:
        text: str = self.target.call(self.name, self.args)
        return text


class Making:
    """What a process has made and not yielded yet; active while the process runs.

    Parameters
    ----------
    notes : bool
        False where the code yields at once whatever it makes.
    """

    def __init__(self, notes: bool = True) -> None:
        self.notes = notes
        self.made: list[Made] = []
        self.mistake: ModelError | None = None

    def during(self, give: Callable[[Any], Any], result: Any) -> Any:
        """Return ``give(result)``, which lets the process run."""
        before, _THREAD.running = _THREAD.running, self
        try:
            return give(result)
        finally:
            _THREAD.running = before

    def yielded(self, operation: object) -> None:
        """Note that ``operation`` has been yielded; whoever makes it is not asked for it again."""
        if len(self.made) == 1 and self.made[0].operation() is operation:  # as it nearly always is
            self.made.pop()
        elif self.made:
            self.made = [made for made in self.made if made.operation() is not operation]

    @property
    def forgotten(self) -> Made | None:
        """One that is gone without having been yielded, if there is one."""
        return next((made for made in self.made if made.operation() is None), None) if self.made else None


class _Thread(local):
    """What runs in this thread."""

    running: Making | None = None


_THREAD = _Thread()

_PHASES = OrderedDict.fromkeys(("start", "stop"))
"""Of the collector; the last is the one that it is in.

It tells of itself by a call in between of anything, with the phase and what is true. So that no interrupt is lost in
it, and nothing is met half done, that is a method which is written in C and only moves a key.
"""

gc.callbacks.append(_PHASES.move_to_end)  # type: ignore[arg-type]  # what comes with the phase is never empty


def _running() -> Making | None:
    """Return what notes what the process makes that runs; none does while the collector closes what others left."""
    phases = list(_PHASES)  # in one call, in the middle of which the collector does not come
    return None if phases[-1] == "start" else _THREAD.running


def note(operation: Any) -> None:
    """Note that ``operation`` has been made, if it was a process that made it."""
    making = _THREAD.running
    if making is not None and making.notes and _running() is making:
        where = _outside(sys._getframe(3))  # note <- __post_init__ <- the generated __init__ <- a method of the object
        making.made.append(Made(weakref.ref(operation), operation.target, operation.name, operation.args, *where))


def replaced(operation: object) -> None:
    """Note that another operation is yielded in the place of ``operation``, which a process has yielded."""
    making = _running()
    if making is not None:
        making.yielded(operation)


def mistake(error: ModelError) -> ModelError:
    """Return ``error`` to be raised, and see to it that no process hides it."""
    making = _running()
    if making is not None and making.mistake is None:
        making.mistake = error
    return error


def in_process() -> bool:
    """Tell whether it is a process that runs, and neither a property nor a driver."""
    return _running() is not None


def refuse_in_process(why: str) -> None:
    """Raise ModelError when a process asks."""
    if in_process():
        raise mistake(ModelError(why))


_OURS = str(Path(__file__).parent)


def _outside(frame: FrameType | None) -> tuple[str, int]:
    """Return file and line of the innermost frame that is no object's own method."""
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    return ("", 0) if frame is None else (frame.f_code.co_filename, frame.f_lineno)
