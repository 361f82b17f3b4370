"""One model of processes, pools, locks and links; explored, simulated, shrunk and run for real."""

from simcore.explore import explore
from simcore.model import Model
from simcore.objects import choose, sleep

__all__ = ["Model", "choose", "explore", "sleep"]
