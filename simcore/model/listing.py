"""`dir` of what a user holds shows what a user may call, and this is the one place that sees to it.

The rooms share more of an object than its users need: the kernel behind a simulation, the objects that a process can
still reach. A leading underscore would say that no other file may look, so such names are public, and only not shown.
What is shown is on `docs/reference.md`, and a test holds the two equal. A `SharedObject`, of which most is for the
kernel, says what it shows instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

_Class = TypeVar("_Class", bound=type)


def listed(*, without: str) -> Callable[[_Class], _Class]:
    """Return a decorator for classes: ``dir`` of an instance leaves out the names in ``without``, divided by spaces."""
    left_out = frozenset(without.split())

    def shown(self: object) -> list[str]:
        return sorted(set(object.__dir__(self)) - left_out)

    def decorate(cls: _Class) -> _Class:
        cls.__dir__ = shown  # type: ignore[assignment, method-assign]  # of its instances, where mypy means the class's
        return cls

    return decorate
