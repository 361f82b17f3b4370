"""One model of processes, pools, locks and links; explored, simulated, shrunk and run for real.

A name is loaded when it is first used: pytest imports this package in every run that has the plugin, and
most of those want none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simcore.first_use import load_at_first_use

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

load_at_first_use(
    __name__,
    {
        "control": "Controlled control",
        "errors": "Diverged ModelError SimcoreError",
        "execute": "Execution execute",
        "explain": "WaitForGraph",
        "explore": "Counterexample Result explore",
        "model": "Claim Model ProcessState Property State Verdict always eventually leads_to sometimes",
        "model.objects": "choose sleep",
        "model.operations": "Operation ProcessGenerator",
        "schedule": "Schedule Step replay",
        "simulate": "Simulation simulate",
        "sizes": "Proved Sweep assert_pool_safe odds prove sweep",
    },
)
