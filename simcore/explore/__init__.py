"""Driver 1: every interleaving of a model, or a sample of them, and the shortest schedule into a violation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simcore.first_use import load_at_first_use

if TYPE_CHECKING:
    from simcore.explore.driver import Progress, StrategyName, explore, usable_cores
    from simcore.explore.foresight import sampled
    from simcore.explore.hanging import Hanging, hanging
    from simcore.explore.monitor import Monitor, refuse_unwitnessed
    from simcore.explore.result import Counterexample, Result
    from simcore.explore.servers import waiting_servers
    from simcore.explore.shrink import without_laps, without_needless
    from simcore.explore.standstill import new_knots, stands_still
    from simcore.explore.told import Teller

__all__ = [
    "Counterexample",
    "Hanging",
    "Monitor",
    "Progress",
    "Result",
    "StrategyName",
    "Teller",
    "explore",
    "hanging",
    "new_knots",
    "refuse_unwitnessed",
    "sampled",
    "stands_still",
    "usable_cores",
    "waiting_servers",
    "without_laps",
    "without_needless",
]

load_at_first_use(
    __name__,
    {
        "driver": "Progress StrategyName explore usable_cores",
        "foresight": "sampled",
        "hanging": "Hanging hanging",
        "monitor": "Monitor refuse_unwitnessed",
        "result": "Counterexample Result",
        "servers": "waiting_servers",
        "shrink": "without_laps without_needless",
        "standstill": "new_knots stands_still",
        "told": "Teller",
    },
)
