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
    from simcore.errors import Diverged, ModelError, SimcoreError
    from simcore.explore import explore
    from simcore.model import Model
    from simcore.objects import choose, sleep
    from simcore.result import Counterexample, Result
    from simcore.schedule import Schedule, Step
    from simcore.spec import Property, Verdict, always, eventually, leads_to, sometimes
    from simcore.state import ProcessState, State
    from simcore.strategy import PCT, RandomWalk
    from simcore.waitfor import WaitForGraph

__all__ = [
    "PCT",
    "Counterexample",
    "Diverged",
    "Model",
    "ModelError",
    "ProcessState",
    "Property",
    "RandomWalk",
    "Result",
    "Schedule",
    "SimcoreError",
    "State",
    "Step",
    "Verdict",
    "WaitForGraph",
    "always",
    "choose",
    "eventually",
    "explore",
    "leads_to",
    "sleep",
    "sometimes",
]

_HOMES = {
    "Counterexample": "simcore.result",
    "Diverged": "simcore.errors",
    "Model": "simcore.model",
    "ModelError": "simcore.errors",
    "PCT": "simcore.strategy",
    "ProcessState": "simcore.state",
    "Property": "simcore.spec",
    "RandomWalk": "simcore.strategy",
    "Result": "simcore.result",
    "Schedule": "simcore.schedule",
    "SimcoreError": "simcore.errors",
    "State": "simcore.state",
    "Step": "simcore.schedule",
    "Verdict": "simcore.spec",
    "WaitForGraph": "simcore.waitfor",
    "always": "simcore.spec",
    "choose": "simcore.objects",
    "eventually": "simcore.spec",
    "explore": "simcore.explore",
    "leads_to": "simcore.spec",
    "sleep": "simcore.objects",
    "sometimes": "simcore.spec",
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
