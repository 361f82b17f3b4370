"""A plain process of a run goes on by itself, and what it has come to is worked out when somebody asks.

A run never goes back, so it needs no program points but to learn a step once for all who take it. A process that counts
never comes to a point twice, and to freeze each of its points, run it twice and look at all that it can reach costs a
hundred times what it does. Where the code shows that nothing can come of all that (`plain.py`), the process is run on,
and of where it is only the operation is kept that it is about to do.

It is run on as long as it is given plain values and comes to operations with plain arguments. Everything else is left
to the points: the one that it has come to is found from the results that it was given, in two runs as ever, and the
step is learned as any other. So what is wrong is found where it was, and said in the same words.
"""

from __future__ import annotations

from operator import is_
from typing import Any

from simcore.kernel.alone import Ended
from simcore.kernel.plain import key_of, operation_key, plain, yields_at_once
from simcore.kernel.point import Point
from simcore.kernel.process import Points
from simcore.kernel.running import Program, Running
from simcore.model.operations import Operation, SharedObject

DEPTH = 64
"""Results after which a process that still comes to new points is run on, if it is plain."""


class Live:
    """A process that is run on.

    Parameters
    ----------
    points : Points
        What is learned of all others.
    point : Point
        Where it is.
    """

    def __init__(self, points: Points, point: Point) -> None:
        self._points, self._point = points, point
        self._results: list[Any] = []
        self._running = Running(point.program, notes=not yields_at_once(point.program.fn.__code__))
        for passed in point.history():
            self._running.resume(passed.result)
        self._known: dict[tuple[SharedObject, str], tuple[Operation, int]] = {}

    @property
    def program(self) -> Program:
        """What it runs."""
        return self._point.program

    def go_on(self, result: Any) -> int | Operation | Ended | None:
        """Give it ``result``; return what it comes to, or what stands for that; None where it is left to the points."""
        try:
            return self._go_on(result)
        except RecursionError:  # in the key of what is nested too deeply; the points say so
            return None

    def _go_on(self, result: Any) -> int | Operation | Ended | None:
        if result is not None and key_of(result) is None:
            return None
        try:
            reached = self._running.resume(result)
        except StopIteration as end:
            return None if key_of(end.value) is None else Ended("returned", end.value)
        except KeyboardInterrupt:  # of the user: plain code raises none
            raise
        except BaseException:
            return None
        known = self._known.get((reached.target, reached.name))
        if known is not None and _same(reached, known[0]):
            self._results.append(result)
            return known[1]
        if operation_key(reached) is None:  # as that of a submit, which holds a function
            return None
        self._results.append(result)
        return reached

    def stands(self, operation: Operation, number: int) -> None:
        """Note what stands for the process when it is about to do ``operation``."""
        self._known[operation.target, operation.name] = operation, number

    def point(self) -> Point:
        """Return the point that it has come to."""
        if self._results:
            self._point = self._points.follow(self._point, self._results)
            self._results = []
        return self._point


def _same(one: Operation, other: Operation) -> bool:
    """Tell whether two operations of one name are the same, as their arguments are the same objects."""
    args, before = one.args, other.args
    if one.timeout is not other.timeout or len(args) != len(before):
        return False
    if 0 < len(args) < 3:
        return args[0] is before[0] and args[-1] is before[-1]
    return all(map(is_, args, before))


def can_run_on(point: Point) -> bool:
    """Tell whether the process that is at ``point`` can be run on from there."""
    if point.operation is None or operation_key(point.operation) is None:
        return False
    return plain(point.program) and not any(passed.second_half for passed in point.history())
