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
    from simcore.claim import Claim
    from simcore.errors import Diverged, ModelError, SimcoreError
    from simcore.execute import Execution, execute
    from simcore.explore import explore
    from simcore.model import Model
    from simcore.objects import choose, sleep
    from simcore.result import Counterexample, Result
    from simcore.schedule import Schedule, Step, replay
    from simcore.simulate import simulate
    from simcore.simulation import Simulation
    from simcore.spec import Property, Verdict, always, eventually, leads_to, sometimes
    from simcore.state import ProcessState, State
    from simcore.strategy import PCT, RandomWalk
    from simcore.waitfor import WaitForGraph

__all__ = [
    "PCT",
    "Claim",
    "Counterexample",
    "Diverged",
    "Execution",
    "Model",
    "ModelError",
    "ProcessState",
    "Property",
    "RandomWalk",
    "Result",
    "Schedule",
    "SimcoreError",
    "Simulation",
    "State",
    "Step",
    "Verdict",
    "WaitForGraph",
    "always",
    "choose",
    "eventually",
    "execute",
    "explore",
    "leads_to",
    "replay",
    "simulate",
    "sleep",
    "sometimes",
]

_HOMES = {
    "Claim": "simcore.claim",
    "Counterexample": "simcore.result",
    "Diverged": "simcore.errors",
    "Execution": "simcore.execute",
    "Model": "simcore.model",
    "ModelError": "simcore.errors",
    "PCT": "simcore.strategy",
    "ProcessState": "simcore.state",
    "Property": "simcore.spec",
    "RandomWalk": "simcore.strategy",
    "Result": "simcore.result",
    "Schedule": "simcore.schedule",
    "SimcoreError": "simcore.errors",
    "Simulation": "simcore.simulation",
    "State": "simcore.state",
    "Step": "simcore.schedule",
    "Verdict": "simcore.spec",
    "WaitForGraph": "simcore.waitfor",
    "always": "simcore.spec",
    "choose": "simcore.objects",
    "eventually": "simcore.spec",
    "execute": "simcore.execute",
    "explore": "simcore.explore",
    "leads_to": "simcore.spec",
    "replay": "simcore.schedule",
    "simulate": "simcore.simulate",
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
    return getattr(importlib.import_module(_HOMES[name]), name)  # not kept here: sys.modules is the one truth


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
