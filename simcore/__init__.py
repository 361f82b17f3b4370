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
    from simcore.control import Controlled, control
    from simcore.errors import Diverged, ModelError, SimcoreError
    from simcore.execute import Execution, execute
    from simcore.explain import WaitForGraph
    from simcore.explore import Counterexample, Result, explore
    from simcore.model import (
        Claim,
        Model,
        ProcessState,
        Property,
        State,
        Verdict,
        always,
        eventually,
        leads_to,
        sometimes,
    )
    from simcore.model.objects import choose, sleep
    from simcore.model.operations import Operation, ProcessGenerator
    from simcore.schedule import Schedule, Step, replay
    from simcore.simulate import Simulation, simulate
    from simcore.sizes import Proved, Sweep, assert_pool_safe, odds, prove, sweep

__all__ = [
    "Claim",
    "Controlled",
    "Counterexample",
    "Diverged",
    "Execution",
    "Model",
    "ModelError",
    "Operation",
    "ProcessGenerator",
    "ProcessState",
    "Property",
    "Proved",
    "Result",
    "Schedule",
    "SimcoreError",
    "Simulation",
    "State",
    "Step",
    "Sweep",
    "Verdict",
    "WaitForGraph",
    "always",
    "assert_pool_safe",
    "choose",
    "control",
    "eventually",
    "execute",
    "explore",
    "leads_to",
    "odds",
    "prove",
    "replay",
    "simulate",
    "sleep",
    "sometimes",
    "sweep",
]

_HOMES = {
    "simcore.control": ("Controlled", "control"),
    "simcore.errors": ("Diverged", "ModelError", "SimcoreError"),
    "simcore.execute": ("Execution", "execute"),
    "simcore.explain": ("WaitForGraph",),
    "simcore.explore": ("Counterexample", "Result", "explore"),
    "simcore.model": (
        *("Claim", "Model", "ProcessState", "Property", "State", "Verdict"),
        *("always", "eventually", "leads_to", "sometimes"),
    ),
    "simcore.model.objects": ("choose", "sleep"),
    "simcore.model.operations": ("Operation", "ProcessGenerator"),
    "simcore.schedule": ("Schedule", "Step", "replay"),
    "simcore.simulate": ("Simulation", "simulate"),
    "simcore.sizes": ("Proved", "Sweep", "assert_pool_safe", "odds", "prove", "sweep"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


class _Package(ModuleType):
    """Keeps the import system from binding the room `simcore.explore` over the function of that name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME_OF and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package

if not TYPE_CHECKING:  # a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(_HOME_OF[name]), name)  # not kept here: sys.modules is the one truth


def __dir__() -> list[str]:
    return list(__all__)
