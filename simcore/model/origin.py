"""Where something that is run came from: the name of a function, and its parameters, by which it is found again."""

from __future__ import annotations

from typing import NamedTuple

Parameter = int | float | str | bool | None


class Origin(NamedTuple):
    """Where a model came from: ``package.module:function`` and its parameters, enough to build it again."""

    function: str
    parameters: dict[str, Parameter]

    @property
    def bound(self) -> str:
        """The parameters, as a report shows them."""
        return ", ".join(f"{name}={value}" for name, value in self.parameters.items())
