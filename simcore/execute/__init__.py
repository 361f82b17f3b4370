"""Driver 4: a run for real, with processes on OS threads, pools as executors and links as TCP connections."""

from simcore.execute.driver import execute
from simcore.execute.records import Record
from simcore.execute.result import Execution

__all__ = [
    "Execution",
    "Record",
    "execute",
]
