"""Driver 3: Hypothesis chooses the next step, so that its shrinker makes the schedule small."""

from simcore.stateful.machine import machine, parameters, schedules

__all__ = [
    "machine",
    "parameters",
    "schedules",
]
