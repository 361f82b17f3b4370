"""A reduction may leave out states only where what is left out repeats what is kept.

**Workers of a pool** are interchangeable: exchanging two of them, in their own parts of the state and
wherever a value mentions them (a lock's owner), gives a state from which exactly the exchanged things can
happen. So one representative of each orbit is enough for every property that treats workers alike: sort the
workers of each pool by their part of the state and by where values mention them. Two workers that tie are
mentioned nowhere and are in the same place, so the sorted state is the same for the whole orbit: the
representative is exact (Ip and Dill, 1996; Emerson and Sistla, 1996).

Two more reductions belong here: renaming the names that ``model.indices`` gives, which is the same argument
with a larger group, and partial order (ample sets), which leaves out orders of independent steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simcore.kernel import Kernel, Packed
from simcore.model import Process


class WorkerSymmetry:
    """Representatives of states under exchanging the workers of each pool.

    Parameters
    ----------
    kernel : Kernel
        Whose states are reduced.
    on : bool
        False leaves every state as it is.
    """

    def __init__(self, kernel: Kernel, on: bool = True) -> None:
        self.kernel = kernel
        first = kernel.first_process
        teams = [workers for _, workers in kernel.model.pools() if on and len(workers) > 1]
        self.ranges = [(first + team[0].index, first + team[-1].index + 1) for team in teams]
        self.workers = frozenset(worker for team in teams for worker in team)
        self._naming = [thing.index for thing in kernel.objects if thing.names_processes]
        self._renamed: dict[tuple[int, tuple[int, ...]], int] = {}
        self.identity = tuple(range(len(kernel.processes)))

    @property
    def trivial(self) -> bool:
        """Whether every state is its own representative."""
        return not self.ranges

    def representative(self, state: Packed) -> Packed:
        """Return the representative of the orbit of ``state``."""
        if self._naming and self._mentions(state):
            return self._rename(state, self.permutation(state))
        for start, end in self.ranges:
            part = state[start:end]
            ordered = tuple(sorted(part))
            if ordered != part:
                state = state[:start] + ordered + state[end:]
        return state

    def permutation(self, state: Packed) -> tuple[int, ...]:
        """Return, for each process of ``state``, which process of the representative plays its part."""
        places = self._places(state) if self._mentions(state) else {}
        new = list(self.identity)
        for start, end in self.ranges:
            workers = range(start - self.kernel.first_process, end - self.kernel.first_process)
            ordered = sorted(workers, key=lambda w: (state[self.kernel.first_process + w], places.get(w, ())))
            for position, worker in zip(workers, ordered, strict=True):
                new[worker] = position
        return tuple(new)

    def _mentions(self, state: Packed) -> bool:
        mentioned = self.kernel.value_processes
        return any(not self.workers.isdisjoint(mentioned[state[place]]) for place in self._naming)

    def _places(self, state: Packed) -> dict[int, tuple[tuple[int, ...], ...]]:
        """Return where the values mention each worker, as paths into them."""
        places: dict[int, tuple[tuple[int, ...], ...]] = {}
        for place in self._naming:
            for path, process in _mentioned(self.kernel.values[state[place]], (place,)):
                places[process.index] = (*places.get(process.index, ()), path)
        return places

    def _rename(self, state: Packed, permutation: tuple[int, ...]) -> Packed:
        new = list(state)
        first = self.kernel.first_process
        for process, part in enumerate(permutation):
            new[first + part] = state[first + process]
        for place in self._naming:
            key = (state[place], permutation)
            if key not in self._renamed:
                renamed = _replaced(self.kernel.values[state[place]], self.kernel.processes, permutation)
                self._renamed[key] = self.kernel.intern_value(self.kernel.objects[place].normalised(renamed))
            new[place] = self._renamed[key]
        return tuple(new)


def _mentioned(value: Any, path: tuple[int, ...]) -> list[tuple[tuple[int, ...], Process]]:
    if isinstance(value, Process):
        return [(path, value)]
    if isinstance(value, tuple):
        return [found for number, part in enumerate(value) for found in _mentioned(part, (*path, number))]
    return []


def _replaced(value: Any, processes: Sequence[Process], permutation: tuple[int, ...]) -> Any:
    if isinstance(value, Process):
        return processes[permutation[value.index]]
    if isinstance(value, tuple):
        parts = [_replaced(part, processes, permutation) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value
