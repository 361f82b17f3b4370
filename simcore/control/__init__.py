"""The user's own code under the scheduler: its threads, as they are, run one at a time, in virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simcore.first_use import load_at_first_use

if TYPE_CHECKING:
    from simcore.control.conforms import Conformance, conforms
    from simcore.control.driver import STRATEGIES, control, replay
    from simcore.control.finding import find
    from simcore.control.finer import POINTS
    from simcore.control.primitives import without_steps
    from simcore.control.result import CodeStep, Controlled, Violation
    from simcore.control.token import Named, followed_with, read

__all__ = [
    "POINTS",
    "STRATEGIES",
    "CodeStep",
    "Conformance",
    "Controlled",
    "Named",
    "Violation",
    "conforms",
    "control",
    "find",
    "followed_with",
    "read",
    "replay",
    "without_steps",
]

load_at_first_use(
    __name__,
    {
        "conforms": "Conformance conforms",
        "driver": "STRATEGIES control replay",
        "finding": "find",
        "finer": "POINTS",
        "primitives": "without_steps",
        "result": "CodeStep Controlled Violation",
        "token": "Named followed_with read",
    },
)
