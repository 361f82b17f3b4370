"""Many sizes of one model at once: sweeps, laws, margins, machines and charts; and how often a size hangs by chance."""

from simcore.sizes.cell import Cell, at
from simcore.sizes.chart import Chart, Point, chart, check_chart
from simcore.sizes.driver import Progress, sweep
from simcore.sizes.executors import EXECUTORS
from simcore.sizes.gate import PoolSafety, Reach, assert_pool_safe
from simcore.sizes.grid import MOST
from simcore.sizes.judge import Finding
from simcore.sizes.laws import Law, SafeSize
from simcore.sizes.machines import FORMULAS, MachineTable, machine_table
from simcore.sizes.odds import Odds, Sample, odds
from simcore.sizes.structure import Proved, prove
from simcore.sizes.sweep import Alarm, Edge, Sweep
from simcore.sizes.written import check_path

__all__ = [
    "EXECUTORS",
    "FORMULAS",
    "MOST",
    "Alarm",
    "Cell",
    "Chart",
    "Edge",
    "Finding",
    "Law",
    "MachineTable",
    "Odds",
    "Point",
    "PoolSafety",
    "Progress",
    "Proved",
    "Reach",
    "SafeSize",
    "Sample",
    "Sweep",
    "assert_pool_safe",
    "at",
    "chart",
    "check_chart",
    "check_path",
    "machine_table",
    "odds",
    "prove",
    "sweep",
]
