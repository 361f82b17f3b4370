"""Threads may also be interrupted between two operations: after a release, at each line, or at each instruction.

Code without locks that reads and writes the same data goes wrong there. The interpreter itself may switch at any
instruction; here it does so where a schedule says, in the program's own code, and neither in the standard library nor
in what is installed. There are many more schedules then, so that each is less likely: it is asked for.
"""

from __future__ import annotations

import sys
import threading
from types import CodeType, FrameType
from typing import Any

from simcore.control.baton import Run
from simcore.control.primitives import here
from simcore.whose import is_the_users

POINTS = ("operations", "release", "lines", "instructions")
"""Where another thread may go on, each with those before it."""

AT_OPERATIONS = POINTS[:2]
"""Those at which code between two operations is never interrupted."""

GOES_ON = "goes on"
_GENERATED = "<string>"
"""The file of code that was made of a text, as the methods of a dataclass are."""

_TOOL = 4
"""One of the tools of `sys.monitoring` that nobody is known to use."""


def watch(run: Run) -> None:
    """Have the threads of this process stop at each line, or instruction, of the program from now on."""
    if run.points not in ("lines", "instructions"):
        return
    if sys.version_info >= (3, 12):
        _monitor(run.points)
    else:
        _trace(run.points)


def _is_interrupted(code: CodeType) -> bool:
    return code.co_filename != _GENERATED and is_the_users(code.co_filename)


def _stop() -> None:
    found = here()
    if found is not None:
        found[0].point(found[1], GOES_ON, None)


def _monitor(points: str) -> None:
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
    event = monitoring.events.LINE if points == "lines" else monitoring.events.INSTRUCTION

    def at(code: CodeType, where: int) -> Any:
        if not _is_interrupted(code):
            return monitoring.DISABLE
        _stop()
        return None

    monitoring.use_tool_id(_TOOL, "simcore")
    monitoring.register_callback(_TOOL, event, at)
    monitoring.set_events(_TOOL, event)


def _trace(points: str) -> None:
    event = "line" if points == "lines" else "opcode"

    def trace(frame: FrameType, what: str, argument: Any) -> Any:
        if not _is_interrupted(frame.f_code):
            return None
        frame.f_trace_opcodes = points == "instructions"
        if what == event:
            _stop()
        return trace

    threading.settrace(trace)
    sys.settrace(trace)
