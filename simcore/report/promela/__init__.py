"""A model as a program for Spin, with the same states: a second opinion."""

from simcore.report.promela.program import Program, promela

__all__ = [
    "Program",
    "promela",
]
