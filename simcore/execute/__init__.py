"""Driver 4: a run for real, with processes on OS threads, pools as executors and links as TCP connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simcore.first_use import load_at_first_use

if TYPE_CHECKING:
    from simcore.execute.driver import execute
    from simcore.execute.records import Record
    from simcore.execute.result import Execution

__all__ = [
    "Execution",
    "Record",
    "execute",
]

load_at_first_use(
    __name__,
    {
        "driver": "execute",
        "records": "Record",
        "result": "Execution",
    },
)
