"""Every claim of a library, explored, and the table of what was found."""

from simcore.command.matrix.matrix import NAMES, Matrix, Row, answer, choose

__all__ = [
    "NAMES",
    "Matrix",
    "Row",
    "answer",
    "choose",
]
