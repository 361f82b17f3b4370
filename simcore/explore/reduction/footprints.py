"""What each process may still do, as far as that has been learned.

An access is an operation at a position of the state. The accesses that a program point may still come to
are those of the points that learned steps lead to, and so on (a fixpoint over the edges that the kernel has
learned). A worker's tasks follow each other through its idle point, so what its pool was ever seen to run counts.
Knowledge grows: `version` tells when, and who relied on less must look again.

Under a symmetry the steps of a point are learned for some of its names only, as representatives have them. So
points that differ in names alone are linked, and accesses are moved with the names; names that a point does not
mention, and may yet be given, stand for all of their family.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterator, Sequence
from typing import NamedTuple

from simcore.explore.reduction.names import Moves
from simcore.explore.reduction.symmetry import Symmetry
from simcore.kernel import Effect, Kernel, Local
from simcore.kernel.freeze import value_key
from simcore.model.objects import LockValue
from simcore.model.operations import Operation, SharedObject

SETS = ("set_result", "set_exception")
"""What sets a future."""


class Access(NamedTuple):
    """An operation, as far as its order may count.

    Attributes
    ----------
    name : str
        Its name.
    tries : bool
        Whether it gives up where others would wait: order always counts for it.
    args : hashable
        Its arguments, where it may change places with its like; None elsewhere, and where they mention names.
    """

    name: str
    tries: bool = False
    args: Hashable = None

    def commutes(self, other: Access, target: SharedObject) -> bool:
        """Tell whether two processes may do these two to ``target`` in either order."""
        if self.tries or other.tries:
            return False
        alike = self.args is not None and self == other
        return alike or frozenset((self.name, other.name)) in target.commutes


class Footprints:
    """Accesses that each process's own part of a state may still come to, as bits.

    Parameters
    ----------
    kernel : Kernel
        What it has learned, and goes on to learn, is read.
    symmetry : Symmetry
        Which names are exchanged.

    Attributes
    ----------
    may : list of int
        For each local, the accesses; bit 0 stands for a submit, bit 1 for a step that may free the place of a future.
    grown : set of int
        Locals for which there is more in ``may`` since whoever copies that has cleared it.
    version : int
        Grows when something that was asked before may be answered otherwise.
    at : dict
        For each position, its accesses, as bits.
    set_by_hand : bool
        Whether anybody but the worker of a task was seen to set the future of a submit.
    task_fails : bool
        Whether any task was seen to raise: somebody hears of it, or nobody if its future is dropped before.
    """

    CREATES, FREES = 1, 2

    def __init__(self, kernel: Kernel, symmetry: Symmetry) -> None:
        self.kernel, self._symmetry = kernel, symmetry
        self.version = self._everywhere = 0
        self._accesses: list[tuple[int, Access]] = []
        self._start()

    def _start(self) -> None:
        self._everywhere += len(self._accesses) + 1
        self.may: list[int] = []
        self.grown: set[int] = set()
        self.at: dict[int, dict[Access, int]] = {}
        self._accesses = []
        self._plain = self.CREATES | self.FREES
        self._before: list[list[tuple[int, Moves]]] = []
        self._after: list[list[tuple[int, int, bool]]] = []
        self._held: list[int] = []
        self._seen, self._futures = 0, self.kernel.futures
        self._released_by_others: set[int] = set()
        self.set_by_hand = self.task_fails = False
        self._named: dict[int, tuple[int, ...]] = {}
        self._alike: dict[int, int] = {}
        self._images: dict[tuple[int, tuple[int | None, ...]], int] = {}
        self._owned: dict[int, int] = {}
        self._spreads: dict[int, int] = {}

    @property
    def width(self) -> int:
        """The bits that accesses take."""
        return len(self._accesses) + 2

    @property
    def behind(self) -> bool:
        """Whether the kernel has learned something since the last time."""
        return self._seen != len(self.kernel.effects) or len(self.may) != len(self.kernel.locals)

    def update(self) -> None:
        """Take in what the kernel has learned since the last time."""
        kernel = self.kernel
        if not self.behind:
            return
        if self._futures != kernel.futures:  # what may happen to one may happen to the new ones
            self._start()
        for local in range(len(self.may), len(kernel.locals)):
            self.may.append(self._own(local))
            self.grown.add(local)
            self._before.append([])
            self._after.append([])
            self._held.append(0)
        new = kernel.effects[self._seen :]
        self._seen = len(kernel.effects)
        for effect in new:
            self._take_in(effect)

    def meet(self, locals_: Sequence[int]) -> None:
        """Take in which process's own part of a state is which: one that has not moved yet may be like one that has."""
        if not self._named.keys() >= set(locals_):
            for process, local in enumerate(locals_):
                self._note(local, process)

    # ---- names ---------------------------------------------------------------------------------------

    def _note(self, local: int, process: int) -> None:
        """Remember the names that ``local`` mentions, and link it with its like, when it is met for the first time."""
        if local in self._named:
            return
        component = self._symmetry.component(self.kernel.first_process + process, local)
        self._named[local] = component.names
        first = self._alike.setdefault(id(component.made), local)
        if first != local:
            self._link(local, first)
            self._link(first, local)

    def _link(self, local: int, other: int) -> None:
        """Let ``local`` come to what ``other`` may come to, which is the same but for names."""
        moves = dict(zip(self._named[other], self._named[local], strict=True))
        self._before[other].append((local, moves))
        self._may_come_to(local, self._moved(self.may[other], moves))
        edge = local, -1, False
        self._after[other].append(edge)
        self._may_hold(other, edge)

    def _moved(self, accesses: int, moves: Moves) -> int:
        """Return ``accesses`` with names moved; a name that may become any stands for all of them.

        Those of the few names in ``moves`` are moved one by one; of all others any name may be meant.
        """
        rest, named = accesses & ~self._plain, 0
        for name in moves:
            named |= self._owned.get(name, 0)
        named &= rest
        moved = accesses & self._plain | self._spread(rest & ~named)
        for bit in _bits(named):
            moved |= self._image(bit, moves)
        return moved

    def _spread(self, accesses: int) -> int:
        """Return ``accesses``, and all that differ from one of them in names alone."""
        known = self._spreads.get(accesses)
        if known is None:
            rest, known = accesses, 0
            while rest:
                known |= self._image(rest & -rest, {})
                rest &= ~known
            self._spreads[accesses] = known
        return known

    def _image(self, bit: int, moves: Moves) -> int:
        """Return what an access becomes, as bits."""
        position, access = self._accesses[bit.bit_length() - 3]
        wanted = tuple([moves.get(owner) for owner in self._symmetry.owners(position)])
        if (bit, wanted) not in self._images:
            places = self._symmetry.places_like(position, wanted)
            self._images[bit, wanted] = sum({self._bit(place, access) for place in places})
        return self._images[bit, wanted]

    def access(self, operation: Operation) -> Access:
        """Return what ``operation`` is here."""
        late = operation.timeout is not None and self.kernel.timeouts == "anytime"
        if operation.target.tries(operation) or late:
            return Access(operation.name, tries=True)
        if not operation.target.repeats(operation) or self._symmetry.mentions_names(operation.args):
            return Access(operation.name)
        return Access(operation.name, args=value_key(operation.args))

    def _own(self, local: int) -> int:
        operation, position = self.kernel.about(local), self.kernel.target(local)
        if operation is None or not position:  # ended, or on the one object that is not shared
            return 0
        made, known = position >= self.kernel.first_future, self.kernel.locals[local]
        if made and operation.name in SETS and not self.sets_own(known, operation):
            self.set_by_hand = True
            self._changed_everywhere()
        if self.raises(known) and not self.task_fails:
            self.task_fails = True
            self._changed_everywhere()
        creates = self.CREATES if operation.name in operation.target.creates else 0
        return self._bit(position, self.access(operation)) | creates

    def _bit(self, position: int, access: Access) -> int:
        known = self.at.setdefault(position, {})
        if access not in known:
            self.version += 1
            self._accesses.append((position, access))
            known[access] = 1 << len(self._accesses) + 1
            owners = self._symmetry.owners(position)
            for owner in owners:
                self._owned[owner] = self._owned.get(owner, 0) | known[access]
            if not owners:
                self._plain |= known[access]
        return known[access]

    def _take_in(self, effect: Effect) -> None:
        process, local, _, move = effect
        after, position = move.point, move.position
        mentions = position >= 0 and self.kernel.processes[process] in self.kernel.value_processes[move.value]
        self._note(local, process)
        self._note(after, process)
        kept = {name: name for name in self._named[local]}
        self._before[after].append((local, kept))
        edge = after, position, mentions
        self._after[local].append(edge)
        self._may_come_to(local, self._moved(self.may[after], kept) | (self.FREES if move.lost else 0))
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
                self._released_by_others |= self._all_like(move.position)
                self._changed_everywhere()

    def _may_come_to(self, local: int, accesses: int) -> None:
        grown = [(local, accesses)]
        while grown:
            local, accesses = grown.pop()
            if accesses & ~self.may[local]:
                self.version += 1
                self.may[local] |= accesses
                self.grown.add(local)
                grown += [(before, self._moved(self.may[local], moves)) for before, moves in self._before[local]]

    def _may_hold(self, local: int, edge: tuple[int, int, bool]) -> None:
        """Pass on where a process may be mentioned, as a lock's owner is, along a new edge, and further."""
        changed = [(local, [edge])]
        while changed:
            local, edges = changed.pop()
            for after, position, mentions in edges:
                held = self._held[local]
                same = position < 0  # but for names
                held = self._anywhere(held) if same else held & ~(1 << position) | mentions << position
                if held & ~self._held[after]:
                    self._changed_everywhere()
                    self._held[after] |= held
                    changed.append((after, self._after[after]))

    def _anywhere(self, places: int) -> int:
        """Return positions, as bits, and all that they may be moved to."""
        return sum({1 << like for p in range(places.bit_length()) if places >> p & 1 for like in self._all_like(p)})

    def _all_like(self, position: int) -> set[int]:
        """Return the positions that ``position`` may be moved to."""
        return set(self._symmetry.places_like(position, (None,) * len(self._symmetry.owners(position))))

    def but_for_names(self) -> tuple[int, int]:
        """Return how many locals there are that differ in more than names, and how many accesses they may come to."""
        self.update()
        firsts = set(self._alike.values())
        plain = sum((self.may[first] & self._plain).bit_count() for first in firsts)
        named = sum(len({self._spread(bit) for bit in _bits(self.may[first] & ~self._plain)}) for first in firsts)
        return len(firsts), plain + named

    def _changed_everywhere(self) -> None:
        self.version += 1
        self._everywhere += 1

    # ---- questions -----------------------------------------------------------------------------------

    def version_at(self, position: int) -> int:
        """Return what grows when, of a position, anything but what processes may still come to may be another."""
        return self._everywhere + len(self.at.get(position, ()))

    @property
    def version_of_positions(self) -> int:
        """What grows when `version_at` does, of any position."""
        return self._everywhere + len(self._accesses)

    def accesses(self, position: int, names: Container[str] | None = None) -> int:
        """Return, as bits, the accesses at ``position``: all, or those called one of ``names``, given up or not."""
        known = self.at.get(position, {})
        return sum(bit for access, bit in known.items() if names is None or access.name in names)

    def has_met(self, local: int) -> bool:
        """Tell whether it is known which other ones ``local`` is like."""
        return local in self._named

    def own_lock(self, position: int) -> bool:
        """Tell whether nobody was ever seen to free the lock at ``position`` that another one holds."""
        return position not in self._released_by_others

    def sets_own(self, local: Local, operation: Operation) -> bool:
        """Tell whether what a worker is about to do is to set the future of its own task."""
        return operation.name in SETS and local.task is not None and local.task.future is operation.target

    def raises(self, local: Local) -> bool:
        """Tell whether a worker is about to hand the exception of its task to whoever asks for it."""
        return local.task is not None and local.status == "failed"

    def free_when_idle(self, idle: int) -> bool:
        """Tell whether a worker with the local ``idle`` is mentioned nowhere, as the owner of a lock would be."""
        return not self._held[idle]


def _bits(number: int) -> Iterator[int]:
    while number:
        bit = number & -number
        number ^= bit
        yield bit
