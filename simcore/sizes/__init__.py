"""Many sizes of one model at once: sweeps, and the law that tells which of them hang."""

from simcore.sizes.cell import Cell, at
from simcore.sizes.driver import Progress, sweep
from simcore.sizes.executors import EXECUTORS
from simcore.sizes.grid import MOST
from simcore.sizes.laws import Law, SafeSize
from simcore.sizes.structure import Proved, prove
from simcore.sizes.sweep import Alarm, Edge, Sweep
from simcore.sizes.written import check_path

__all__ = [
    "EXECUTORS",
    "MOST",
    "Alarm",
    "Cell",
    "Edge",
    "Law",
    "Progress",
    "Proved",
    "SafeSize",
    "Sweep",
    "at",
    "check_path",
    "prove",
    "sweep",
]
