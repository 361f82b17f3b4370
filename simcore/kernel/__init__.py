"""What a step means: each process is learned once, as program points, and a state is a tuple of small integers.

How values are frozen is in `simcore.kernel.freeze`, how a suspended generator is read in `simcore.kernel.generators`,
and whether this interpreter lets it be read is tried by `simcore.kernel.selftest`. What code mentions is in
`simcore.kernel.mentions`, what it names in `simcore.kernel.codes`, and whether it can do nothing but yield operations
in `simcore.kernel.plain`; what instances hold, in `simcore.kernel.instances`.
"""

from simcore.kernel.deadlines import left_of
from simcore.kernel.journal import Journal, lesson
from simcore.kernel.kernel import SLEEPS, Choice, Kernel
from simcore.kernel.one_run import OneRun
from simcore.kernel.point import Learned, Point
from simcore.kernel.process import Points
from simcore.kernel.running import Program, Running
from simcore.kernel.tables import FREE, Applied, Effect, Local, Move, Packed, unlimited
from simcore.kernel.tasks import parts
from simcore.kernel.unread import unread

__all__ = [
    "FREE",
    "SLEEPS",
    "Applied",
    "Choice",
    "Effect",
    "Journal",
    "Kernel",
    "Learned",
    "Local",
    "Move",
    "OneRun",
    "Packed",
    "Point",
    "Points",
    "Program",
    "Running",
    "codes",
    "freeze",
    "instances",
    "left_of",
    "lesson",
    "mentions",
    "parts",
    "plain",
    "unlimited",
    "unread",
]
