"""A long queue of tasks is known by the number that it was given when it came about, and not kept when it is gone.

To intern the value of a pool is to read all its tasks, and a search keeps every value that it has met. A run in which
ten thousand tasks wait goes through ten thousand such values, each once. There, a task is looked at when it comes into
the queue, and each value gets a number of its own; what was learned of one is forgotten with it.

A queue that holds what would have to be followed through it, a process or the future of a submit in a task's arguments,
is interned as any other value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from simcore.model.objects import PoolValue, Task

LONG = 64
"""Tasks in a queue that is short enough to be interned."""


class LongQueues:
    """The values of pools that a run does not intern, each with a number.

    Parameters
    ----------
    followed : function
        Tells whether what a task mentions has to be followed through the queue.
    """

    def __init__(self, followed: Callable[[Task], bool]) -> None:
        self._followed = followed
        self._interned = False
        self.numbers: dict[int, PoolValue] = {}
        self._known: dict[int, int] = {}  # the same by identity

    def takes(self, value: object) -> bool:
        """Tell whether ``value`` is a long queue that need not be interned.

        A queue has grown by one task to be long, and so it goes on: of those before the last each was looked at.
        """
        if self._interned or type(value) is not PoolValue or len(value.tasks) <= LONG:
            return False
        come = value.tasks if len(value.tasks) == LONG + 1 else value.tasks[-1:]
        self._interned = any(map(self._followed, come))
        return not self._interned

    def number(self, value: PoolValue) -> int | None:
        """Return the number that ``value`` has; None for one that is new."""
        return self._known.get(id(value))

    def note(self, value: PoolValue, number: int) -> None:
        """Give a new value its number."""
        self.numbers[number], self._known[id(value)] = value, number

    def gone(self, there: Collection[int]) -> list[int]:
        """Forget the values that are not ``there``, and return their numbers."""
        gone = [number for number in self.numbers if number not in there]
        for number in gone:
            del self._known[id(self.numbers.pop(number))]
        return gone
