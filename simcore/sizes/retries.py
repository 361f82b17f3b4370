"""A task that waits for an inner one gives up after a time-out, cancels the inner one, and submits it again.

This is the kindest form of the repair: a task that is running already is not submitted a second time, so it need not be
idempotent, and there are never more tasks than before. What is wrong with it in this form is wrong with it in all.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

from simcore.errors import ModelError
from simcore.kernel.freeze import mentioned_by
from simcore.model.objects import Future
from simcore.model.operations import Operation, ProcessGenerator
from simcore.sizes.pools import CancellingPool

TIMEOUT = 1.0
"""Seconds until a wait is given up; no verdict depends on how many there are."""

_WAITS = ("result", "exception")


class Asked(NamedTuple):
    """An inner task: the future that the process was given, the call, and the future of the last submit of it."""

    given: Future
    fn: Any
    args: tuple[Any, ...]
    last: Future


def waited_for(operation: Operation, asked: tuple[Asked, ...]) -> int | None:
    """Return the number of the inner task whose future ``operation`` is about; None where that is something else.

    Raises
    ------
    ModelError
        When it hands the future on: others would wait for a task that is submitted no more.
    """
    for number, one in enumerate(asked):
        if operation.target is one.given:
            return number
        if one.given in mentioned_by(operation.args):
            raise ModelError(f"{operation} hands the future of an inner task on, so who waits for it cannot retry")
    return None


def retry(_driven: ProcessGenerator, pool: CancellingPool, operation: Operation, one: Asked) -> ProcessGenerator:
    """Do ``operation`` on the future of the last submit, with retries where it is a wait without a limit.

    ``_driven`` is for reports, which look for the process's own code there.

    Returns
    -------
    tuple of (object, Asked)
        What the operation gave, and the inner task with its last future.
    """
    if operation.name not in _WAITS or operation.timeout is not None:
        return (yield Operation(one.last, operation.name, operation.args, operation.timeout)), one
    while True:
        with suppress(TimeoutError):
            return (yield Operation(one.last, operation.name, operation.args, TIMEOUT)), one
        if (yield one.last.done()):  # it is no time-out, but what the task has raised; or it came just now
            return (yield Operation(one.last, operation.name, operation.args)), one
        if (yield pool.cancel(one.last)):
            one = one._replace(last=(yield Operation(pool, "submit", (one.fn, one.args))))
