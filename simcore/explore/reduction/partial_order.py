"""Of steps that may be taken in any order, one order is enough.

In a state a set of processes is chosen, and only their steps are followed (an *ample set*: Peled, 1993; the way
in which it is found is that of *stubborn sets*: Valmari, 1990, and of persistent sets: Godefroid, 1996). Nothing
that the others may do before one of the chosen moves may matter to the chosen: it commutes with each of their
enabled steps, and enables none of those among them who wait. What a process may still do is read from the program
points that it may still come to (`footprints.py`); which operations commute, each object says (`commutes`), and
which do with their like, as two puts of the same item (`repeats`).

That gives the same answers because of four things.

1. *Some step is left* where there was one.
2. *Order does not count.* In any run of the full graph, the first step of a chosen process can be moved to the front;
   if there is none, any step of the ample set can be put in front of the run.
3. *Nothing is put off for ever*: a part of the steps is followed only if it leads to a state that has not been
   expanded yet (Bosnacki, Leue and Lluch Lafuente, 2006). The state that is expanded last was therefore expanded
   fully, and from every state such a one is reached by steps that leave what was put off enabled.
   So each run of the full graph can be continued to one that is, up to order, a run of the reduced graph: the same
   local states of processes are met (but for a task that has ended and whose result nobody can ask for any more), the
   same end states, and whoever can move, or end, still can. A process can never move again after some state of the
   full graph if and only if that is so in the reduced one.
4. *What a property looks at* changes in no step of an ample set, for properties of single states. Which objects and
   processes it looks at is seen when it is asked (`Watched`).

What is known of the future grows while the search goes on, and a choice may have relied on too little. When the
search has ended, all choices are looked at again with what is known then (`PartialOrder.justified`); if one does not
stand, the search is made again with that knowledge. That is enough: take the shortest run of the full graph whose
last step had not been learned. Up to there the choices stand, so a run of the reduced graph contains that step, and
it was learned.

Four things are particular to this kernel. Under "when_stuck" and "in_order" time passes only when nobody can move,
which is never before a step that was put off: time-outs count only under "anytime", or when one is due. The futures
of submits take the lowest free place, so submits commute up to the names of futures: where a symmetry renames those
(`symmetry.py`; both reductions together: Emerson, Jha and Peled, 1997); elsewhere their order counts. And whichever
idle worker takes the next task of a pool, the same state results up to the names of workers, as an idle worker is
mentioned nowhere (it owns no lock): where those are renamed, the first worker that can take a task need not wait to
see whether another one will. And the future of a submit is set by the worker of its task alone, a single writer, unless
somebody was seen to set one by hand: then a worker that takes a task looks whether its future is set, so neither of the
two is put before the other. If the last who could ask for it drops it before, the worker goes idle at once, as
it does when it has set it, so that another future may come to stand at its place makes no difference. An exception
makes one: nobody hears of it where the future was dropped before. So once a task was seen to raise, a step that drops a
future and one that sets it to an exception are not put before others.

Two things are not done. *Sleep sets* (Godefroid, 1996) leave out steps, not states: in the reduced graphs of our models
there are 1.2 to 1.7 steps for each state, so at most two in five could go, and a search that keeps states would have to
keep a sleep set with each, under a symmetry one that is renamed with it. *Runs that go round* are asked of the graph
with all orders: weak fairness is a promise to each process, and which runs are fair depends on steps that are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from simcore.explore.reduction.footprints import SETS, Access, Footprints
from simcore.explore.reduction.symmetry import Symmetry
from simcore.kernel import FREE, Choice, Kernel, Packed
from simcore.model import Watched
from simcore.model.objects import Condition, LockValue, ThreadPool
from simcore.model.operations import Operation

Needs = tuple[int, int]
"""Accesses that matter, whoever may come to them, and processes that matter, as bits."""


class Part(NamedTuple):
    """Steps that may be followed in place of all, and the processes that were chosen for it, as bits."""

    choices: list[Choice]
    chosen: int


class PartialOrder:
    """Chooses, in each state, which steps are enough.

    Parameters
    ----------
    kernel : Kernel
        Of the model.
    symmetry : Symmetry
        The reduction that it goes together with.
    watched : Watched
        What the properties look at; it grows while they are asked.

    Attributes
    ----------
    relied_on : list of (state, chosen processes as bits, version of what was known)
        Where a part of the steps was followed in place of all.
    """

    def __init__(self, kernel: Kernel, symmetry: Symmetry, watched: Watched) -> None:
        self.kernel, self.watched = kernel, watched
        self.footprints = Footprints(kernel, symmetry)
        self._names = names = symmetry.names
        self._watched_version, self._places = -1, set[int]()
        self._pools = {pool.index for pool, team in kernel.model.pools() if team[0] in symmetry.interchangeable}
        self._places_renamed = names.futures
        self._needed: dict[tuple[int, int, int], tuple[int, Needs | None]] = {}
        self.relied_on: list[tuple[Packed, int, int]] = []

    def parts(self, state: Packed, choices: list[Choice]) -> Iterator[Part]:
        """Yield parts of ``choices`` that may be followed in place of all of them, those with fewest processes first.

        Whose process was declared last is tried first: workers, whose pool stands before them, are mostly those whose
        order counts, and which can best wait until the others have done what they can.
        """
        enabled = sum({1 << choice.process for choice in choices})
        if enabled.bit_count() < 2 or self.watched.everything or self.kernel.timed_out(state, choices):
            return
        if self.kernel.slow and any(self.kernel.arrives(state, choice) for choice in choices):
            return  # time may pass before it arrives, once the others have moved
        self.take_in(state)
        several = []
        some, more = self._may(state)
        for process in dict.fromkeys(choice.process for choice in reversed(choices)):
            needs = self.needs(state, process, True)
            if needs is None:
                continue
            own = self.footprints.may[state[self.kernel.first_process + process]]
            if needs[1] or needs[0] & (more | some & ~own):
                several.append(process)
            elif part := self._part(state, choices, 1 << process):
                yield part
        who: dict[int, int] = {}
        closures = {self._closure(state, 1 << process, enabled, who) for process in several} - {0}
        for chosen in sorted(closures, key=lambda chosen: ((chosen & enabled).bit_count(), chosen)):
            if part := self._part(state, choices, chosen):
                yield part

    def _may(self, state: Packed) -> tuple[int, int]:
        """Return the accesses that somebody, and that more than one process may still come to."""
        may, some, more = self.footprints.may, 0, 0
        for local in state[self.kernel.first_process : self.kernel.first_future]:
            more |= some & may[local]
            some |= may[local]
        return some, more

    def rely_on(self, state: Packed, part: Part) -> None:
        """Remember that ``part`` is followed in place of all steps of ``state``."""
        self.relied_on.append((state, part.chosen, self.footprints.version + self.watched.version))

    def take_back(self, done: Callable[[Packed], bool]) -> None:
        """Forget what was chosen for the last state, unless it is ``done``."""
        if self.relied_on and not done(self.relied_on[-1][0]):
            self.relied_on.pop()

    @property
    def used(self) -> bool:
        """Whether any step was left out."""
        return bool(self.relied_on)

    def justified(self) -> bool:
        """Tell whether everything that was relied on still stands, with what is known now."""
        self.footprints.update()
        now = self.footprints.version + self.watched.version
        return all(version == now or self._stands(state, chosen) for state, chosen, version in self.relied_on)

    def take_in(self, state: Packed) -> None:
        self.footprints.update()
        self.footprints.meet(state[self.kernel.first_process : self.kernel.first_future])

    def _stands(self, state: Packed, chosen: int) -> bool:
        self.take_in(state)
        choices = self.kernel.successors(state)
        enabled = sum({1 << choice.process for choice in choices})
        if self.watched.everything or self._closure(state, chosen, enabled, {}) != chosen:
            return False
        return self._part(state, choices, chosen) is not None

    def _part(self, state: Packed, choices: list[Choice], chosen: int) -> Part | None:
        """Return the steps of ``chosen``; None when a property may see one of them."""
        part = [choice for choice in choices if chosen >> choice.process & 1]
        return None if any(self._visible(state, choice) for choice in part) else Part(part, chosen)

    def _visible(self, state: Packed, choice: Choice) -> bool:
        """Tell whether a step, here or at another place of a run, may change what a property looks at.

        Of a process it sees whether it is blocked, so what the process may still come to counts. A step that may be the
        last to drop a future changes the task that was to set it, on a worker or in a queue.
        """
        watched, kernel = self.watched, self.kernel
        if not watched.version:
            return False
        first, after = kernel.first_process, choice.state
        changed = [place for place in range(max(len(state), len(after))) if _at(state, place) != _at(after, place)]
        if any(place in self._watched_places() for place in changed):
            return True
        for process in watched.processes:
            may = self.footprints.may[state[first + process.index]]
            if any(may & self.footprints.accesses(place) for place in changed):
                return True
        tasks = any(process.pool is not None for process in watched.processes)
        tasks = tasks or any(isinstance(thing, ThreadPool) for thing in watched.objects)
        futures = any(place >= kernel.first_future for place in changed)
        return (watched.futures or tasks) and (futures or self._drops(state, choice))

    def _watched_places(self) -> set[int]:
        """Return where what is watched stands in a state; with one of a family, where all of them stand."""
        if self._watched_version != self.watched.version:
            self._watched_version = self.watched.version
            alike = {self._names.label(thing).template for thing in self.watched.objects}
            objects = [t for t in self.kernel.model.objects if self._names.label(t).template in alike]
            self._places = {thing.index for thing in objects}
            self._places |= {self.kernel.first_process + process.index for process in self.watched.processes}
        return self._places

    def _drops(self, state: Packed, choice: Choice) -> bool:
        moves = self.kernel.moves(state, choice.process)
        if choice.outcome >= len(moves):
            moves = (*moves, *self.kernel.expiries(state, choice.process))
        return bool(moves[choice.outcome].lost)

    # ---- who belongs together ------------------------------------------------------------------------

    def _closure(self, state: Packed, chosen: int, enabled: int, who: dict[int, int]) -> int:
        """Add to ``chosen`` whose steps may matter to theirs; 0 when those are all that are enabled.

        Parameters
        ----------
        who : dict
            Of this state, who may still come to some accesses: what was found is kept there.
        """
        added = chosen
        while added and enabled & ~chosen:
            process = added.bit_length() - 1
            added ^= 1 << process
            needs = self.needs(state, process, bool(enabled >> process & 1))
            if needs is None:
                return 0
            accesses, others = needs
            if accesses:
                if accesses not in who:
                    who[accesses] = self._who(state, accesses)
                others |= who[accesses]
            others &= ~chosen & ~(1 << process)
            added |= others
            chosen |= others
        return chosen if enabled & ~chosen else 0

    def _who(self, state: Packed, accesses: int) -> int:
        """Return, as bits, who may still come to some of ``accesses``."""
        may = self.footprints.may
        locals_ = state[self.kernel.first_process : self.kernel.first_future]
        return sum(1 << other for other, local in enumerate(locals_) if may[local] & accesses)

    def needs(self, state: Packed, process: int, enabled: bool) -> Needs | None:
        """Return what of the others matters to the next step of ``process``; None when everything may."""
        local = state[self.kernel.first_process + process]
        position = self.kernel.target(local)
        if position < 0:
            return 0, 0
        known = self._needed.get((process, local, state[position]))  # who it is tells whether it owns a lock
        version = self.footprints.version_at(position)
        if known is None or known[0] != version:
            operation = self.kernel.about(local)
            assert operation is not None
            find = self._disturbing if enabled else self._enabling
            known = version, find(state, process, operation, position)
            self._needed[process, local, state[position]] = known
        return known[1]

    def _enabling(self, state: Packed, process: int, operation: Operation, position: int) -> Needs | None:
        footprints, target = self.footprints, operation.target
        value = self.kernel.values[state[position]]
        owner = value.owner if isinstance(value, LockValue) and operation.name == "acquire" else None
        if owner is not None and footprints.own_lock(position):
            return 0, 1 << owner.index
        if isinstance(target, Condition):  # who has been notified waits for the lock, who has not for others
            return footprints.accesses(position), 0
        return footprints.accesses(position, target.enabled_by.get(operation.name)), 0

    def _disturbing(self, state: Packed, process: int, operation: Operation, position: int) -> Needs | None:
        kernel, footprints, target = self.kernel, self.footprints, operation.target
        local = kernel.locals[state[kernel.first_process + process]]
        if footprints.raises(local) or (footprints.task_fails and self._may_drop(state, process)):
            return None  # whoever loses the future before sees to it that nobody hears of the exception
        access, known = footprints.access(operation), footprints.at.get(position, {})
        commute: set[Access] = set()
        if footprints.set_by_hand and self._begins_or_sets(state, process, operation):
            return None
        if access == Access("release") and self._own(state, process, position):
            # who waits for it cannot come before, and nobody else releases it
            commute = {Access("acquire"), Access("release")}
        if isinstance(target, ThreadPool) and access == Access("take") and self._any_worker(state, process, position):
            commute = {access}
        if footprints.sets_own(local, operation) and not footprints.set_by_hand:
            commute = set(map(Access, SETS))  # those of others are of other futures
        matter = (other for other in known if other not in commute and not access.commutes(other, target))
        accesses = sum(known[other] for other in matter)
        if not self._places_renamed:
            if operation.name in target.creates:
                accesses |= footprints.CREATES | footprints.FREES
            if self._may_drop(state, process):
                accesses |= footprints.CREATES
        return accesses, 0

    def _may_drop(self, state: Packed, process: int) -> bool:
        """Tell whether the next step of ``process`` may be the last to drop a future."""
        return any(move.lost for move in (*self.kernel.moves(state, process), *self.kernel.expiries(state, process)))

    def _begins_or_sets(self, state: Packed, process: int, operation: Operation) -> bool:
        """Tell whether ``process`` takes a task, or sets the future of one."""
        made = self.kernel.number_of(operation.target) is not None
        return self.kernel.takes(state, process) or (made and operation.name in SETS)

    def _own(self, state: Packed, process: int, position: int) -> bool:
        """Tell whether ``process`` holds a lock that only its owner ever releases."""
        value = self.kernel.values[state[position]]
        owns = isinstance(value, LockValue) and value.owner is self.kernel.processes[process]
        return owns and self.footprints.own_lock(position)

    def _any_worker(self, state: Packed, process: int, position: int) -> bool:
        """Tell whether it is the same which worker of a pool takes the next task."""
        idle = state[self.kernel.first_process + process]
        return position in self._pools and self.footprints.free_when_idle(idle)


def _at(state: Packed, place: int) -> int:
    return state[place] if place < len(state) else FREE
