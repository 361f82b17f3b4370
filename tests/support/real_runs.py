"""One process that runs for real, and what a run may have left behind."""

from __future__ import annotations

import os
import threading

from simcore import Model
from simcore.execute import execute


def left_behind():
    return {thread.ident for thread in threading.enumerate()}, sorted(os.listdir("/proc/self/fd"))


def alone(fn, *args, **objects):
    """Run one process for real, and return what it gave; the kernel has to explain it."""
    model = Model("one process")
    made = [getattr(model, kind)(name, *more) for name, (kind, *more) in objects.items()]
    model.process("p", fn, *made, *args)
    run = execute(model, settle=0.05)
    assert run.explained, run
    assert run.status == "completed", run
    return run.results["p"]


def caught(operation):
    """Return the type and the arguments of what an operation raises."""
    try:
        yield operation
    except Exception as error:
        return type(error), error.args
    return None
