"""What a kernel is taught, in order: whoever teaches another kernel of the same model the same gets the same numbers.

Values and program points are interned: their integers depend on the order in which they were met. What brings a new
one about is a *lesson*, a method that is called when a table has no entry yet. Its arguments are integers that earlier
lessons have given out, and models are deterministic, so the calls, noted in order, are all there is to it. A lesson
that is part of another one is not noted: it comes again by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeVar, cast

Teach = TypeVar("Teach", bound=Callable[..., Any])
Lesson = tuple[str, tuple[Any, ...], tuple[int, ...]]
"""The name of a method, its arguments, and how much is known after it."""


class Journal:
    """The lessons of a kernel.

    Parameters
    ----------
    known : function
        Says how much is known.
    """

    def __init__(self, known: Callable[[], tuple[int, ...]]) -> None:
        self.lessons: list[Lesson] = []
        self._known = known
        self._inside = False

    def note(self, name: str, args: tuple[Any, ...], teach: Callable[[], Any]) -> Any:
        """Return what ``teach`` does, and note it, though it may raise."""
        if self._inside:
            return teach()
        self._inside = True
        try:
            return teach()
        finally:
            self._inside = False
            self.lessons.append((name, args, self._known()))


def lesson(teach: Teach) -> Teach:
    """Have every call of a method noted, where the kernel keeps a journal."""

    @wraps(teach)
    def noted(self: Any, *args: Any) -> Any:
        journal: Journal | None = self.journal
        if journal is None:
            return teach(self, *args)
        return journal.note(teach.__name__, args, partial(teach, self, *args))

    return cast("Teach", noted)
