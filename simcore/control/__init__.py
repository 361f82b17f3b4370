"""The user's own code under the scheduler: its threads, as they are, run one at a time, in virtual time."""

from simcore.control.driver import control, replay
from simcore.control.result import CodeStep, Controlled, Violation
from simcore.control.token import PREFIX, find

__all__ = ["PREFIX", "CodeStep", "Controlled", "Violation", "control", "find", "replay"]
