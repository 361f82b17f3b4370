"""What each process may still do, as far as that has been learned.

An access is an operation's name at a position of the state. The accesses that a program point may still come to
are those of the points that learned steps lead to, and so on (a fixpoint over the edges that the kernel has
learned). A worker's tasks follow each other through its idle point, so what its pool was ever seen to run counts.
Knowledge grows: `version` tells when, and who relied on less must look again.
"""

from __future__ import annotations

from collections.abc import Iterable

from simcore.kernel import Kernel
from simcore.objects import LockValue
from simcore.operations import Operation
from simcore.tables import Effect

TRIES = "?"  # at the end of an access that gives up where others would wait: order always counts for it


class Footprints:
    """Accesses that each process's own part of a state may still come to, as bits.

    Parameters
    ----------
    kernel : Kernel
        What it has learned, and goes on to learn, is read.

    Attributes
    ----------
    may : list of int
        For each local, the accesses; bit 0 stands for a submit, bit 1 for a step that may free the place of a future.
    version : int
        Grows with every new fact.
    """

    CREATES, FREES = 1, 2

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.may: list[int] = []
        self.version = 0
        self.at: dict[int, dict[str, int]] = {}
        self._bits = 2
        self._before: list[list[int]] = []
        self._after: list[list[tuple[int, int, bool]]] = []
        self._held: list[int] = []
        self._seen = 0
        self._released_by_others: set[int] = set()

    def update(self) -> None:
        """Take in what the kernel has learned since the last time."""
        kernel = self.kernel
        if self._seen == len(kernel.effects) and len(self.may) == len(kernel.locals):
            return
        for local in range(len(self.may), len(kernel.locals)):
            self.may.append(self._own(local))
            self._before.append([])
            self._after.append([])
            self._held.append(0)
        new = kernel.effects[self._seen :]
        self._seen = len(kernel.effects)
        self.version += 1
        for effect in new:
            self._take_in(effect)

    def access(self, operation: Operation) -> str:
        """Return how ``operation`` is called here."""
        tries = operation.target.tries(operation)
        late = operation.timeout is not None and self.kernel.timeouts == "anytime"
        return operation.name + TRIES if tries or late else operation.name

    def _own(self, local: int) -> int:
        operation, position = self.kernel.about(local), self.kernel.target(local)
        if operation is None or not position:  # ended, or on the one object that is not shared
            return 0
        known = self.at.setdefault(position, {})
        access = self.access(operation)
        if access not in known:
            known[access] = 1 << self._bits
            self._bits += 1
        return known[access] | (self.CREATES if operation.name in operation.target.creates else 0)

    def _take_in(self, effect: Effect) -> None:
        process, local, _, move = effect
        after, position = move.point, move.position
        mentions = position >= 0 and self.kernel.processes[process] in self.kernel.value_processes[move.value]
        self._before[after].append(local)
        edge = after, position, mentions
        self._after[local].append(edge)
        self._may_come_to(local, self.may[after] | (self.FREES if move.lost else 0))
        self._may_hold(local, edge)
        if position >= 0:
            self._look_for_owner(effect)

    def _look_for_owner(self, effect: Effect) -> None:
        """Notice when somebody frees a lock that another one holds, by a release or by a wait on its condition."""
        process, local, value, move = effect
        operation, before = self.kernel.about(local), self.kernel.values[value]
        if isinstance(before, LockValue) and operation is not None and operation.name in ("release", "wait"):
            owner = before.owner
            if owner is not None and owner is not self.kernel.processes[process]:
                self._released_by_others.add(move.position)

    def _may_come_to(self, local: int, accesses: int) -> None:
        grown = [(local, accesses)]
        while grown:
            local, accesses = grown.pop()
            if accesses & ~self.may[local]:
                self.may[local] |= accesses
                grown += [(before, self.may[local]) for before in self._before[local]]

    def _may_hold(self, local: int, edge: tuple[int, int, bool]) -> None:
        """Pass on where a process may be mentioned, as a lock's owner is, along a new edge, and further."""
        changed = [(local, [edge])]
        while changed:
            local, edges = changed.pop()
            for after, position, mentions in edges:
                held = self._held[local]
                if position >= 0:
                    held = held & ~(1 << position) | mentions << position
                if held & ~self._held[after]:
                    self._held[after] |= held
                    changed.append((after, self._after[after]))

    # ---- questions -----------------------------------------------------------------------------------

    def accesses(self, position: int, names: Iterable[str]) -> int:
        """Return, as bits, those accesses at ``position`` that are called one of ``names``, given up or not."""
        known = self.at.get(position, {})
        return sum(known.get(name, 0) | known.get(name + TRIES, 0) for name in names)

    def own_lock(self, position: int) -> bool:
        """Tell whether nobody was ever seen to free the lock at ``position`` that another one holds."""
        return position not in self._released_by_others

    def free_when_idle(self, idle: int) -> bool:
        """Tell whether a worker with the local ``idle`` is mentioned nowhere, as the owner of a lock would be."""
        return not self._held[idle]
