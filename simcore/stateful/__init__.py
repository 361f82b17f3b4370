"""Driver 3: Hypothesis chooses the next step, or the whole system, so that its shrinker makes small what hangs."""

from simcore.errors import extra

with extra("test", "simcore.stateful"):
    from simcore.stateful.driver import machine, parameters, schedules
    from simcore.stateful.topologies import topologies
    from simcore.stateful.topology import Topology

__all__ = [
    "Topology",
    "machine",
    "parameters",
    "schedules",
    "topologies",
]
