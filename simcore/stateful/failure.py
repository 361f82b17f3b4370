"""A failing run is told once, when somebody reads it.

To shrink a run Hypothesis makes hundreds that fail as well, and shows one. A report asks what would have ended each
wait, which takes longer than the run, so it is not made before it is read.

Hypothesis lists the steps of the run that it shows below its message. The report has them too, with what each process
gets, in columns, without laps, and with a token; so of the list only what is not a step is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from simcore.explore import Result

STEP = "state.step(step="
"""How Hypothesis begins the line of a step."""


class Violation(AssertionError):
    """A run has met a violation; the text is the report that `explore` would print.

    Parameters
    ----------
    tell : function
        Returns what the run shows.
    """

    def __init__(self, tell: Callable[[], Result]) -> None:
        super().__init__()
        self._tell = tell

    @cached_property
    def result(self) -> Result:
        """What the run shows."""
        return self._tell()

    @cached_property
    def report(self) -> str:
        """The same as `explore` would print it."""
        return str(self.result)

    def __str__(self) -> str:
        return self.report

    def __reduce__(self) -> tuple[type[AssertionError], tuple[str]]:
        return AssertionError, (self.report,)

    def add_note(self, note: str, /) -> None:
        """Add a note, unless it says a step again."""
        if not note.startswith(STEP):
            super().add_note(note)
