"""An order of steps: a value that can be read, printed, pasted and replayed; and the strategies that choose one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simcore.first_use import load_at_first_use

if TYPE_CHECKING:
    from simcore.schedule.codec import OF_A_MODEL, OF_CODE, decode, encode
    from simcore.schedule.schedule import Schedule, Step, describe, read_token, replay
    from simcore.schedule.strategy import PCT, POS, SAMPLING, URW, EvenProgress, Portfolio, RandomWalk, Strategy
    from simcore.schedule.tasks import Tasks

__all__ = [
    "OF_A_MODEL",
    "OF_CODE",
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

load_at_first_use(
    __name__,
    {
        "codec": "OF_A_MODEL OF_CODE decode encode",
        "schedule": "Schedule Step describe read_token replay",
        "strategy": "PCT POS SAMPLING URW EvenProgress Portfolio RandomWalk Strategy",
        "tasks": "Tasks",
    },
)
