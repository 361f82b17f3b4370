"""Servers that wait for each other for ever are a hang, although none of them had to finish; one at rest is not.

A daemon may wait for ever, and most do: what a server loop waits for is the next request, and that nobody sends one
any more is how a system ends. So the question is not who waits, but *for whom*. In a state let S be the largest set of
daemons such that each waits without a limit, and nobody outside of S could end its wait. Those of S can never move
again, as the first of them to move would have to be helped from outside. A *knot of servers* is a group of S in which
everybody waits for others of the group alone, and which is in the middle of something.

**Who could end a wait** is not read from code, which says too much: a client and a server that share a table of all
queues may both use any of it. It is asked when the whole space is known, of everything that was done in it: whoever
puts into a queue in *some* run could end the wait of one who gets from it. Who has ended counts: a second client would
come by the same door, so a mailbox that ended clients have fed is idle. Of another server that waits code is asked,
too, as two that wait for each other to speak first have never spoken in any run. Three things do not come twice: an
owner that has ended releases no lock, who has given its permits back gives no more of them, and nobody comes again to
close or reset a connection.

**In the middle of something** is what tells two servers that have called each other from two that have nothing to do,
as both look the same from outside. A group is, if

* one of it waits for a lock that another holds, or for a permit where there were some;
* one of it waits to hand something over, or something lies in a queue or link that only they take from;
* one of it takes what outsiders give (requests), and waits now at another place than where it waits when nobody has
  given it anything. That place is found by running it alone.

A ring of daemons without a token, or one that has handed on all that it had, is at rest by this, and so is a stage of a
pipeline, whose wait could be ended by a stage that is idle itself. What it cannot see: events that one of a group has
set for another are not things that lie somewhere, so that without requests from outside such a group is at rest; and
a server that waits for an answer which another one, idle by now, has forgotten, waits for one that could still move.

That the members wait *for ever* is proved: from what everybody does in the whole space, or, where an owner counts, by
following everything that the others can still do. The words are those of Holt's knot (`simcore/explain/waitfor.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

from simcore.errors import InternalError
from simcore.explain import reach, summary
from simcore.explore.deeds import Deeds
from simcore.explore.reduction import Symmetry
from simcore.explore.standstill import new_knots
from simcore.kernel import Kernel, Packed
from simcore.model import Process
from simcore.model.objects import Link, Queue, Semaphore
from simcore.model.operations import Operation, SharedObject

SERVERS = "servers"
"""What a search says that no single process has lost: its servers wait for each other."""

CONFIRM_STATES = 20_000
_NOT_KNOWN = "whether servers wait for each other for ever is not known"
_ONCE = frozenset({"close", "reset", "shutdown"})
"""What nobody comes again for."""

_HANDING_OVER = frozenset({"put", "send"})
_TAKING = frozenset({"get", "recv"})

_MOST_ALONE = 1_000
"""Steps for which a server is run alone, to see where it waits."""


class Waiting(NamedTuple):
    """A server that waits in a state, for what, and the servers that could end that."""

    operation: Operation
    owners: tuple[Process, ...]
    helpers: frozenset[int]


class ServersHang(NamedTuple):
    """Servers that wait for each other for ever: who, in words, and by name who alone ever ends such waits."""

    told: str
    ends: dict[str, tuple[str, ...]]


class Servers:
    """The knots of servers in states of a space that is known.

    Parameters
    ----------
    kernel : Kernel
        Has met the whole space.
    symmetry : Symmetry
        Which names stand for each other in it.

    Attributes
    ----------
    unsure : bool
        Whether there may have been a knot that could not be proved within a budget.
    """

    def __init__(self, kernel: Kernel, symmetry: Symmetry) -> None:
        self.kernel = kernel
        self.unsure = False
        self._knots = new_knots(kernel)
        self._daemons = [process.index for process in kernel.processes if process.daemon and process.pool is None]
        self._others = [process.index for process in kernel.processes if process.index not in self._daemons]
        self._suspect: dict[tuple[int, int], bool] = {}
        self._homes: dict[int, frozenset[tuple[object, ...]]] = {}
        self._deeds = Deeds(kernel, symmetry)

    def first(self, states: Iterable[Packed]) -> int | None:
        """Return the number of the first of ``states`` with a knot of servers; None without one."""
        if not self._daemons:
            return None
        return next((number for number, state in enumerate(states) if self.knot(state)), None)

    @cached_property
    def possible(self) -> bool:
        """Whether some server may wait for what nobody else ends."""
        programs = [None if local.point is None else local.point.program for local in self.kernel.locals]
        own = {daemon: programs[self.kernel.initial[self.kernel.first_process + daemon]] for daemon in self._daemons}
        return any(
            program is not None and program is own[daemon] and self._suspected(daemon, number)
            for daemon in self._daemons
            for number, program in enumerate(programs)
        )

    def knot(self, state: Packed) -> dict[int, Waiting]:
        """Return the first knot of servers in ``state``, by process; empty without one."""
        first = self.kernel.first_process
        if not any(self._suspected(d, state[first + d]) and self._waits(state, d) for d in self._daemons):
            return {}
        closed = self._closed(state)
        for group in _groups({daemon: waiting.helpers for daemon, waiting in closed.items()}):
            knot = {daemon: closed[daemon] for daemon in sorted(group)}
            if self._busy(state, knot) and self._proved(state, knot):
                return knot
        return {}

    def told(self, state: Packed) -> ServersHang:
        """Say who waits for whom in the knot of ``state``: in the middle of it are those who are waited for in turn."""
        knot, names = self.knot(state), [process.name for process in self.kernel.processes]
        if not knot:
            raise InternalError("servers were said to wait for each other, and do not; please report the model")
        ends = {daemon: self._known_to_end(daemon, waits) for daemon, waits in knot.items()}
        guessed = {daemon: ends[daemon] or waits.helpers for daemon, waits in knot.items()}
        core = min(next(iter(_groups(guessed)), knot), list(knot), key=len)
        middle, others = (_and(names[d] for d in knot if (d in core) is inside) for inside in (True, False))
        if len(core) == 1:
            told = f"server {middle} waits for itself for ever"
        elif all(ends[d] for d in core):
            told = f"servers {middle} wait for each other for ever"
        else:  # in no run does anybody, and only their code says who might
            told = f"servers {middle} wait for ever for what only they might give, and in no run do"
        if others:
            told += f", and {others} for {'them' if len(core) > 1 else 'it'}"
        return ServersHang(told, {names[d]: tuple(names[other] for other in sorted(ends[d])) for d in knot})

    def _known_to_end(self, daemon: int, waits: Waiting) -> frozenset[int]:
        """Return those who hold what ``daemon`` waits for, or have ever done, in any run, what ends its wait."""
        if waits.owners:
            return waits.helpers
        return frozenset(h for h in waits.helpers if self._could_end(waits.operation, h, ended=False))

    # ---- who could end a wait ------------------------------------------------------------------------------

    def _ever_does(self, process: int, target: SharedObject, names: Iterable[str]) -> bool:
        return self._deeds.include(self.kernel.processes[process], target, names)

    def _could_end(self, operation: Operation, process: int, ended: bool) -> bool:
        """Tell whether ``process``, or somebody like it who comes by the same door, could do what ends a wait.

        The owner of a lock is not asked about.
        """
        target = operation.target
        names = target.enabled_by.get(operation.name, frozenset())
        if ended:
            names -= _ONCE
            if isinstance(target, Semaphore) and self._ever_does(process, target, ("acquire",)):
                return False
        return self._ever_does(process, target, names)

    def _suspected(self, daemon: int, local: int) -> bool:
        """Tell whether a server waits in ``local`` for what nobody who must finish has ever given."""
        known = self._suspect.get((daemon, local))
        if known is None:
            operation = self.kernel.about(local)
            known = self._suspect[daemon, local] = (
                operation is not None
                and operation.name in operation.target.enabled_by
                and (operation.target.names_processes or not self._given(operation))
            )
        return known

    def _given(self, operation: Operation) -> bool:
        """Tell whether somebody who must finish has ever done what ends a wait."""
        return any(self._could_end(operation, other, ended=True) for other in self._others)

    def _waits(self, state: Packed, process: int) -> bool:
        """Tell whether ``process`` waits without a limit."""
        operation = self.kernel.operation(state, process)
        return operation is not None and not (
            self.kernel.moves(state, process) or self.kernel.may_expire(state, process)
        )

    def _closed(self, state: Packed) -> dict[int, Waiting]:
        """Return the largest set of servers that wait, each for what nobody else could end."""
        kernel, view = self.kernel, self.kernel.view(state)
        waiting = {daemon for daemon in self._daemons if self._waits(state, daemon)}
        found = {}
        for daemon in waiting:
            operation = kernel.operation(state, daemon)
            assert operation is not None
            value = view.value_of(operation.target)
            owners = operation.target.blocked_on(value, operation, kernel.processes[daemon]).processes
            helpers = {process.index for process in owners} or {
                other
                for other in range(len(kernel.processes))
                if self._could_end(operation, other, ended=kernel.operation(state, other) is None)
                or (other in waiting and self._knots.may_enable(state, daemon, other))
            }
            if owners:  # whoever has ended releases nothing
                helpers = {helper for helper in helpers if kernel.operation(state, helper) is not None}
            found[daemon] = Waiting(operation, owners, frozenset(helpers))
        while any(not waits.helpers <= found.keys() for waits in found.values()):
            found = {daemon: waits for daemon, waits in found.items() if waits.helpers <= found.keys()}
        return found

    # ---- in the middle of something -------------------------------------------------------------------------

    def _busy(self, state: Packed, knot: Mapping[int, Waiting]) -> bool:
        """Tell whether the members of ``knot`` are in the middle of something."""
        return (
            any(waits.owners or self._gone(waits.operation) for waits in knot.values())
            or any(self._left(state, thing, knot) for thing in self.kernel.objects)
            or any(self._serves(daemon, knot) and not self._at_home(state, daemon) for daemon in knot)
        )

    def _gone(self, operation: Operation) -> bool:
        """Tell whether it waits to hand something over, or for a permit where there were some."""
        target = operation.target
        return operation.name in _HANDING_OVER or (isinstance(target, Semaphore) and target.n > 0)

    def _left(self, state: Packed, thing: SharedObject, knot: Iterable[int]) -> bool:
        """Tell whether something lies in ``thing`` that only members of ``knot`` take, or would come to take."""
        if (
            not isinstance(thing, Queue | Link)
            or not (thing.occupancy(self.kernel.values[state[thing.index]]) or (0,))[0]
        ):
            return False
        takers = {p.index for p in self.kernel.processes if self._ever_does(p.index, thing, _TAKING)}
        states = [self.kernel.process_state(state, daemon) for daemon in knot]
        takers |= {one.process.index for one in states if thing in one.objects and one.mentions & _TAKING}
        return bool(takers) and takers <= set(knot)

    def _serves(self, daemon: int, knot: Iterable[int]) -> bool:
        """Tell whether ``daemon`` takes, in some run, what somebody outside of ``knot`` gives."""
        outside = [process.index for process in self.kernel.processes if process.index not in knot]
        things = (*self.kernel.objects, *self.kernel.model.conditions)
        return any(
            name not in _HANDING_OVER
            and self._ever_does(daemon, thing, (name,))
            and any(self._ever_does(other, thing, enabling - _ONCE) for other in outside)
            for thing in things
            if not (thing.names_processes or isinstance(thing, Semaphore))
            for name, enabling in thing.enabled_by.items()
        )

    def _at_home(self, state: Packed, daemon: int) -> bool:
        """Tell whether ``daemon`` waits where it waits when nobody has given it anything."""
        if daemon not in self._homes:
            self._homes[daemon] = frozenset(self._alone(daemon))
        return self._place(state, daemon) in self._homes[daemon]

    def _alone(self, daemon: int) -> set[tuple[object, ...]]:
        """Return where ``daemon`` comes to wait when it is run alone."""
        kernel = self.kernel
        seen, left, homes = {kernel.initial}, [kernel.initial], set()
        while left and len(seen) < _MOST_ALONE:
            state = left.pop()
            moves = kernel.moves(state, daemon)
            if not moves:
                homes.add(self._place(state, daemon))
            new = {kernel.after(state, daemon, move) for move in moves} - seen
            seen |= new
            left += new
        return homes

    def _place(self, state: Packed, process: int) -> tuple[object, ...]:
        operation = self.kernel.operation(state, process)
        if operation is None:
            return ()
        return operation.target, operation.name, self.kernel.process_state(state, process).where

    def _proved(self, state: Packed, knot: Mapping[int, Waiting]) -> bool:
        """Tell whether the members of ``knot`` can never move again.

        That is known of what anybody could do; of what an owner alone is asked to do, it is looked at.
        """
        if not any(waits.owners for waits in knot.values()):
            return True
        moves, may_expire = self.kernel.moves, self.kernel.may_expire
        found = reach(
            self.kernel,
            state,
            lambda reached: any(moves(reached, daemon) or may_expire(reached, daemon) for daemon in knot),
            budget=CONFIRM_STATES,
        )
        self.unsure = self.unsure or found is None
        return found is False


def waiting_servers(kernel: Kernel, state: Packed) -> ServersHang | None:
    """Return which servers wait for each other for ever in ``state``; None when none do.

    For a state that was come to by itself: the whole space is looked at first. Where that is too large it is not known,
    which is what is told then, of no servers.
    """
    servers = [process for process in kernel.processes if process.daemon and process.pool is None]
    if not any(kernel.process_state(state, server.index).blocked for server in servers):
        return None
    if reach(kernel, kernel.initial, lambda reached: False, CONFIRM_STATES) is None:
        return ServersHang(f"{_NOT_KNOWN} (there are more than {CONFIRM_STATES:,} states to look at)", {})
    found = Servers(kernel, Symmetry(kernel, on=False))
    if found.knot(state):
        return found.told(state)
    return ServersHang(_NOT_KNOWN, {}) if found.unsure else None


def _and(names: Iterable[str]) -> str:
    *most, last = summary(names).split(", ")
    return f"{', '.join(most)} and {last}" if most else last


def _groups(helpers: Mapping[int, frozenset[int]]) -> list[set[int]]:
    """Return the groups in which everybody waits for everybody, directly or not, and for nobody else."""
    reached = {one: set(others) for one, others in helpers.items()}
    growing = True
    while growing:
        wider = {one: others.union(*(reached[other] for other in others)) for one, others in reached.items()}
        growing, reached = wider != reached, wider
    return [
        set(others)
        for one, others in reached.items()
        if one in others and one == min(others) and all(reached[other] == others for other in others)
    ]
