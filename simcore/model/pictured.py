"""An answer shows itself in a notebook, as a picture where that can be drawn, and as the report in any case.

The picture is the page's, which is made far above the rooms that find something. It is taken from there by its name,
when a notebook asks: nothing of it is imported before, and no room knows what draws its answers.
"""

from __future__ import annotations

import importlib
from typing import Any

from simcore.errors import SimcoreError

_DRAWN_BY = "simcore.report.page", "picture_of"


class Pictured:
    """What is shown as its report where there is text, and as the page where there is HTML."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        """Give the class a `_repr_pretty_` of its own: IPython takes its `__repr__` before one that is inherited."""
        super().__init_subclass__()
        cls._repr_pretty_ = Pictured._repr_pretty_  # type: ignore[method-assign]

    def _repr_html_(self) -> str | None:
        """Return the picture; None, for the text instead, where there is none."""
        module, name = _DRAWN_BY
        try:
            drawn: str = getattr(importlib.import_module(module), name)(self)
        except SimcoreError:
            return None
        return drawn

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show what `print` shows."""
        printer.text(str(self))
