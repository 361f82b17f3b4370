"""Driver 2: a run in virtual time, with latencies and load."""

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
