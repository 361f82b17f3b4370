"""Many sizes of one model: sweeps, laws, margins, machines, charts; how often one hangs, and what cures it."""

from simcore.sizes.advice import Advice, Attempt, Rate
from simcore.sizes.advise import advise
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
from simcore.sizes.repairs import repaired
from simcore.sizes.structure import Proved, prove
from simcore.sizes.sweep import Alarm, Edge, Sweep
from simcore.sizes.written import check_path

__all__ = [
    "EXECUTORS",
    "FORMULAS",
    "MOST",
    "Advice",
    "Alarm",
    "Attempt",
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
    "Rate",
    "Reach",
    "SafeSize",
    "Sample",
    "Sweep",
    "advise",
    "assert_pool_safe",
    "at",
    "chart",
    "check_chart",
    "check_path",
    "machine_table",
    "odds",
    "prove",
    "repaired",
    "sweep",
]
