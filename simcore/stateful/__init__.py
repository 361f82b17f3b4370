"""Driver 3: Hypothesis chooses the next step, so that its shrinker makes the schedule small."""

from simcore.errors import extra

with extra("test", "simcore.stateful"):
    from simcore.stateful.driver import machine, parameters, schedules

__all__ = [
    "machine",
    "parameters",
    "schedules",
]
