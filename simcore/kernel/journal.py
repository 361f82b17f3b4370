"""What a kernel is taught, in order: whoever teaches another kernel of the same model the same gets the same numbers.

Values and program points are interned: their integers depend on the order in which they were met. What brings a new
one about is a *lesson*, a method that is called when a table has no entry yet. Its arguments are integers that earlier
lessons have given out, and models are deterministic, so the calls, noted in order, are all there is to it. A lesson
that is part of another one is not noted: it comes again by itself.

A lesson runs what the user has written, so it is the one thing that no table makes quick; and whatever is asked, of a
search, of what comes before it and of what comes after, takes long only through lessons, and through states that are
followed. So a limit of time is looked at where a lesson begins, and where a kernel is asked what follows a state
(`Tables.look`), and nobody else needs a clock. A lesson that is noted is not interrupted, or what it gives would
depend on the clock: what may be long, as `Checked.learn_images`, is a row of short ones.
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

    @property
    def inside(self) -> bool:
        """Whether a lesson is being taught."""
        return self._inside

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
    """Have limits looked at before every call of a method, and the call noted where the kernel keeps a journal."""

    @wraps(teach)
    def noted(self: Any, *args: Any) -> Any:
        journal: Journal | None = self.journal
        if journal is None or not journal.inside:
            self.look()
        if journal is None:
            return teach(self, *args)
        return journal.note(teach.__name__, args, partial(teach, self, *args))

    return cast("Teach", noted)
