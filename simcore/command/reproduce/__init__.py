"""A report as data, taken through all drivers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simcore.first_use import load_at_first_use

if TYPE_CHECKING:
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

load_at_first_use(
    __name__,
    {
        "report": "Report changed find in_family library load",
        "result": "Reproduction",
        "run": "reproduce",
    },
)
