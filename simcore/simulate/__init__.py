"""Driver 2: a run in virtual time, with latencies and load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simcore.first_use import load_at_first_use

if TYPE_CHECKING:
    from simcore.simulate.delays import Delay, exponential, lognormal, uniform
    from simcore.simulate.driver import simulate
    from simcore.simulate.result import Occupancy, Simulation

__all__ = [
    "Delay",
    "Occupancy",
    "Simulation",
    "exponential",
    "lognormal",
    "simulate",
    "uniform",
]

load_at_first_use(
    __name__,
    {
        "delays": "Delay exponential lognormal uniform",
        "driver": "simulate",
        "result": "Occupancy Simulation",
    },
)
