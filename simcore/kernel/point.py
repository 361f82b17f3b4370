"""A point of a program: where it stands, as what it could ever do from there depends on nothing else.

A process is a generator, and a generator cannot be copied; `process.py` says how two of them are known to stand at one
point, and how the next one is found.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from simcore.errors import NondeterminismError
from simcore.kernel.alone import Ended
from simcore.kernel.instances import made_here
from simcore.kernel.running import Program
from simcore.model.operations import Operation, SharedObject


@dataclass(eq=False, repr=False)
class Point:
    """A program point: a distinct state of a program, and the operation it is about to do.

    Attributes
    ----------
    status : {"ready", "returned", "failed"}
        Whether it has an operation to do, has returned ``outcome``, or died of it (a `Raised`).
    key : tuple
        Frozen generator and operation; for one that has ended, status and outcome.
    parent, result : Point and its result
        One history that leads here, the first that was found.
    objects : frozenset of SharedObject
        Everything shared that its state mentions.
    mentions, submits : frozenset of str
        Names of operations that the code it is running may still call, and that what it submits may.
    where : str
        Function, file and line, for reports.
    made : object
        Something in ``outcome`` that is equal to nothing but itself, and was made by the program.
    sets : bool
        Whether a result in its history holds a set that can have several orders.
    """

    program: Program
    parent: Point | None
    result: Any
    key: tuple[Hashable, Hashable] = (None, None)
    status: str = "ready"
    operation: Operation | None = None
    outcome: Any = None
    objects: frozenset[SharedObject] = frozenset()
    mentions: frozenset[str] = frozenset()
    submits: frozenset[str] = frozenset()
    where: str = ""
    made: Any = None
    depth: int = 0
    sets: bool = False
    next: dict[Hashable, Point] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"{self.program.name} at {self.where or self.status}"

    @property
    def second_half(self) -> bool:
        """Whether it waits for the second half of an operation, its generator being where its parent's is."""
        return isinstance(self.result, Operation)

    @property
    def keyed_alone(self) -> bool:
        """Whether its key is all that it is: which program has returned is read by nobody any more."""
        return self.status == "returned" and self.made is None

    @property
    def given(self) -> Any:
        """What whoever waits for the end is given."""
        if self.made is not None:
            raise made_here(f"{self.program.name} returns", self.made)
        return self.outcome

    @property
    def frozen(self) -> Hashable:
        """The frozen generator alone, without the operation it is about to do."""
        point = self
        while point.second_half and point.parent is not None:
            point = point.parent
        return point.key[0]

    def history(self) -> list[Point]:
        """Return the points from the start of the program to this one, both included."""
        points = [self]
        while points[-1].parent is not None:
            points.append(points[-1].parent)
        return points[::-1]


class Learned(NamedTuple):
    """What follows a point for a result; for a start, where ``before`` is None, what starts with (fn, args)."""

    before: Point | None
    result: Any
    after: Point


def differs(expected: Point, reached: Point | Operation | Ended | None) -> NondeterminismError:
    """Return what is wrong with a program that came to ``reached``, or to other values, and before to ``expected``."""
    did = _deed(expected)
    now = did if reached is None else _deed(reached)
    if now == did:
        now = "the same with other values in its variables"
    where = expected.where or (expected.parent.where if expected.parent is not None else "")
    return NondeterminismError(
        f"{expected.program.name}{f' ({where})' * bool(where)}: it {did}, and when it was run again with the same "
        f"results, {now}. Usual causes: an object that another process can change, a clock, a random number. Share "
        f"data through model.variable(...), and take a free choice with choose(...)"
    )


def _deed(what: Point | Operation | Ended) -> str:
    if isinstance(what, Point) and what.operation is not None:
        what = what.operation
    return f"came to {what}" if isinstance(what, Operation) else f"{what.status}: {what.outcome!r}"
