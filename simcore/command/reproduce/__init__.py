"""A report as data, taken through all drivers."""

from simcore.command.reproduce.report import Report, changed, find, in_family, library, load
from simcore.command.reproduce.result import Reproduction
from simcore.command.reproduce.run import reproduce

__all__ = [
    "Report",
    "Reproduction",
    "changed",
    "find",
    "in_family",
    "library",
    "load",
    "reproduce",
]
