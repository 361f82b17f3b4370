"""An order of steps: a value that can be read, printed, pasted and replayed; and the strategies that choose one."""

from simcore.schedule.codec import decode, encode
from simcore.schedule.schedule import Schedule, Step, describe, read_token, replay
from simcore.schedule.strategy import PCT, POS, SAMPLING, URW, EvenProgress, Portfolio, RandomWalk, Strategy
from simcore.schedule.tasks import Tasks

__all__ = [
    "PCT",
    "POS",
    "SAMPLING",
    "URW",
    "EvenProgress",
    "Portfolio",
    "RandomWalk",
    "Schedule",
    "Step",
    "Strategy",
    "Tasks",
    "decode",
    "describe",
    "encode",
    "read_token",
    "replay",
]
