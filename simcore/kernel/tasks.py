"""A task is frozen once, however many queues it stands in: a queue is one value for each order of its tasks."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from simcore.kernel.freeze import Freezer
from simcore.kernel.instances import made_here, not_too_deep
from simcore.model.objects import PoolValue, Task


def parts(task: Task) -> tuple[int, int, int]:
    """Return the identities of what a task is made of: each submit makes another task of the same."""
    return id(task.fn), id(task.args), id(task.future)


class FrozenTasks:
    """Tasks by what they are made of, and the number of each; equal ones have the same."""

    def __init__(self, outside: Any = None) -> None:
        self._outside = outside
        self._numbers: dict[Hashable, int] = {}
        self._frozen: dict[tuple[int, int, int], tuple[int, tuple[int, ...], Freezer]] = {}
        self._first: list[tuple[int, ...]] = []
        self._kept: list[Task] = []

    def freeze(self, value: Any) -> tuple[Hashable, Iterable[Freezer]]:
        """Return a key for the value of an object, and the freezers that have met what it mentions."""
        if type(value) is not PoolValue:
            freezer = Freezer(ordered=False, outside=self._outside)
            with not_too_deep("a value of an object"):
                key = freezer.freeze(value)
            if freezer.made:
                raise made_here(f"a value, {value!r}, holds", freezer.made[0])
            return key, (freezer,)
        key, alone = self._in_order(value.tasks)
        return (PoolValue, *key, value.shut, value.left), alone

    def _in_order(self, tasks: Sequence[Task]) -> tuple[tuple[Hashable, ...], Iterable[Freezer]]:
        """Return a key for ``tasks``, and what they were frozen with.

        Each alone is its number. What they share, if the first of their kind would not share the same, is added.
        """
        if not tasks:
            return ((), ()), ()
        known = [self._frozen.get(parts(task)) or self._of(task) for task in tasks]
        numbers, inside, alone = zip(*known, strict=True)
        first = tuple([self._first[number] for number in numbers])
        if inside == first or (shared := _shared(inside)) == _shared(first):
            shared = ()
        return (numbers, shared), alone

    def alone(self, task: Task) -> Freezer:
        """Return the freezer that has met what ``task`` mentions."""
        return (self._frozen.get(parts(task)) or self._of(task))[2]

    def _of(self, task: Task) -> tuple[int, tuple[int, ...], Freezer]:
        """Return the number of ``task``, the identities of what is mutable in it, and the freezer that met that."""
        freezer = Freezer(ordered=False, outside=self._outside)
        number = self._numbers.setdefault(freezer.freeze(task), len(self._numbers))
        known = self._frozen[parts(task)] = number, freezer.identities, freezer
        if number == len(self._first):
            self._first.append(freezer.identities)
        self._kept.append(task)
        return known


def _shared(inside: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """Return, for each mention of something mutable in several things, which of all of them it is."""
    seen: dict[int, int] = {}
    return tuple([seen.setdefault(thing, len(seen)) for identities in inside for thing in identities])
