"""One model of processes, pools, locks and links; explored, simulated, shrunk and run for real.

A name is loaded when it is first used: pytest imports this package in every run that has the plugin, and
most of those want none of it.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simcore.explore import explore
    from simcore.model import Model
    from simcore.objects import choose, sleep

__all__ = ["Model", "choose", "explore", "sleep"]

_HOMES = {
    "Model": "simcore.model",
    "choose": "simcore.objects",
    "explore": "simcore.explore",
    "sleep": "simcore.objects",
}


class _Package(ModuleType):
    """Keeps the import system from binding the module `simcore.explore` over the function of that name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value = getattr(importlib.import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
