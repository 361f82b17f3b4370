"""Which function is run, by a work item and by a thread, and what it is called."""

from __future__ import annotations

import threading
from types import FunctionType, MethodType, MethodWrapperType
from typing import Any


def called(function: Any) -> str:
    """Return what a function is called, with brackets behind it."""
    while not isinstance(function, FunctionType | MethodType) and hasattr(function, "func"):
        function = function.func  # functools.partial
    if isinstance(function, MethodWrapperType):
        function = function.__self__  # which is in the place of one of C
    name = getattr(function, "__qualname__", None) or type(function).__name__
    return f"{name.replace('<locals>.', '')}()"


def function_of(work: Any) -> Any:
    """Return the function of a work item."""
    return work.task[0] if hasattr(work, "task") else work.fn  # from 3.14 on (function, args, kwargs)


def run_by(thread: threading.Thread | None, start: Any) -> Any:
    """Return the function that a thread is there for, which begins in ``start``: its target, or its class's ``run``.

    Once it runs it does not tell its target any more.
    """
    if thread is None:
        return start
    if isinstance(thread, threading.Timer):
        return thread.function
    target = getattr(thread, "_target", None)
    return target if target is not None and type(thread).run is threading.Thread.run else type(thread).run
