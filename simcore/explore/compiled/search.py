"""Calls the compiled loop, has it learn what is missing, and looks at what it cannot: the plain search's verdict.

A violation is the one that the plain loop would have found: what was met after it is forgotten again.
"""

from __future__ import annotations

from functools import cached_property

from simcore.explore.compiled import loop
from simcore.explore.compiled.registers import (
    ALIVE,
    CROWDED,
    DEAD,
    DEADLOCK,
    DONE,
    EDGES,
    EXPIRY,
    FAILED,
    FIRST,
    FUTURES,
    LEVEL,
    LEVEL_END,
    LEVELLED,
    LIMIT,
    LIMIT_STATES,
    LOOK,
    MAY,
    MOVES,
    PAUSE_EDGES,
    PAUSE_STATES,
    PAUSED,
    POSITION,
    QUEUED,
    ROOM,
    STATES,
    UNTIL,
    WAITING,
    WAITS,
    WITHOUT,
    WRONG,
)
from simcore.explore.compiled.share import Share, expand
from simcore.explore.compiled.space import PackedSpace, graph_of, room_for_edges
from simcore.explore.compiled.tables import FastTables
from simcore.explore.graph import Graph
from simcore.explore.limits import STEPS_OF_A_STATE
from simcore.explore.search import HUNT_AFTER, Found, Search
from simcore.kernel import Packed
from simcore.model import NO_FAILURE

MOST_SHARED = 4_096  # states in a share
WORTH_SHARING = 1_024  # states for which a thread is worth starting
FEW_QUESTIONS = 32  # after more of them the next states are expanded by one core: each costs a start of all others
_LOOK_AHEAD_AFTER = 10 * HUNT_AFTER  # states, which take no longer than so many of the plain loop
_MOST_STATES = (1 << 32) - 2
_MOST_EDGES = (1 << 63) - 1
_ALL = (1 << 64) - 1


class FastSearch(PackedSpace):
    """A breadth-first search, and the space that it meets.

    Parameters
    ----------
    search : Search
        Says what is asked, and judges what the compiled loop cannot.
    looked_at : int
        So many states have been met before, and violate nothing by themselves.
    cores : int
        So many shares of a level are expanded at the same time.
    compact : bool
        Whether only the hash of a state is kept, once its level has been expanded.
    seed : int
        Of the hashes of states.

    Raises
    ------
    Unfit
        When the plain loop must search.
    """

    def __init__(self, search: Search, looked_at: int, *, cores: int, compact: bool, seed: int) -> None:
        self.search, self.cores = search, cores
        super().__init__(FastTables(search.kernel, search.knots, seed), compact)
        self.looked_at = self._told = looked_at
        self._pending = bool(search.invariants or search.wanted)
        self._shares: list[Share] = []
        self._asked = 0
        self._answers = {
            MOVES: self._learn_moves,
            EXPIRY: self._learn_expiry,
            WITHOUT: self._learn_without,
            FUTURES: lambda share: self.tables.add_future(),
            WAITS: self._learn_wait,
            MAY: self._learn_pairs,
            QUEUED: self._learn_queued,
            CROWDED: Share.make_room,
        }

    # ---- the loop --------------------------------------------------------------------------------------

    def run(self) -> Found | None:
        """Expand states until one violates something; None when all have been expanded."""
        search, registers = self.search, self.registers
        while True:
            self._set_limits(search.looked_ahead)
            found = self._batch()
            if found is not None:
                return found
            if search.checkpoint is not None:
                search.checkpoint.keep(search)
            if not search.looked_ahead and self._many():
                search.hunt()
            elif registers[POSITION] == registers[LEVEL_END] and not self.next_level():
                return None
            self._tell()

    def _many(self) -> bool:
        """Tell whether it is time to look ahead."""
        states, edges = self.registers[[STATES, EDGES]].tolist()
        return max(states, edges // STEPS_OF_A_STATE) >= _LOOK_AHEAD_AFTER  # type: ignore[no-any-return]

    def _set_limits(self, looked_ahead: bool) -> None:
        registers, limits = self.registers, self.search.limits
        registers[LIMIT_STATES] = _MOST_STATES if limits.states is None else limits.states
        registers[PAUSE_STATES] = _MOST_STATES if looked_ahead else _LOOK_AHEAD_AFTER
        registers[PAUSE_EDGES] = _MOST_EDGES if looked_ahead else _LOOK_AHEAD_AFTER * STEPS_OF_A_STATE
        registers[LOOK] = 0 if self.search.deadlock is None else 1 + self.search.knots.guessing
        self.begin(self._most)
        registers[UNTIL] = min(registers[LEVEL_END], registers[POSITION] + self._most)

    @property
    def _most(self) -> int:
        """States between two looks at the clock."""
        return MOST_SHARED * self.cores

    def _batch(self) -> Found | None:
        """Expand some states; return the first violation."""
        try:
            status = self._go()
        except Exception:  # what comes first is reported first
            found = self._wrong_before(int(self.registers[POSITION]))
            if found is not None:
                return found
            raise
        found = self._wrong_before(int(self.registers[POSITION]))
        if found is not None:
            return found
        if status == FAILED:
            return Found(NO_FAILURE, int(self.registers[WRONG]))
        if status in (DEAD, DEADLOCK):
            assert self.search.deadlock is not None
            return Found(self.search.deadlock.name, int(self.registers[POSITION]))
        self.search.limits.check(int(self.registers[STATES]) if status == LIMIT else 0)
        return None

    def _go(self) -> int:
        """Run the compiled loop, and answer what it asks, until it stops for good or for now."""
        registers = self.registers
        while registers[POSITION] < registers[UNTIL]:
            shares = self._divided(int(registers[POSITION]), int(registers[UNTIL]))
            for share in shares if self._expanded(shares) else []:
                status = self._follow(share)
                if status == DONE and not share.complete:
                    if share.error is not None:
                        raise share.error
                    if share.status == DEAD and not self._dead(share):
                        break
                    status = share.status
                if status != DONE:
                    return status
        return PAUSED

    def _divided(self, first: int, last: int) -> list[Share]:
        """Divide some of the states from ``first`` to ``last`` into shares."""
        cores = self.cores if self._asked < FEW_QUESTIONS else 1
        count = min(last - first, MOST_SHARED * cores)
        size = max(-(-count // cores), min(count, WORTH_SHARING))
        starts = range(first, first + count, size)
        while len(self._shares) < len(starts):
            words, processes = self.met.rows.shape[1], self.arrays.processes
            self._shares.append(Share(len(self.tables.columns), words, processes, MOST_SHARED))
        shares = self._shares[: len(starts)]
        for share, start in zip(shares, starts, strict=True):
            share.take(start, min(start + size, first + count), self.registers)
        return shares

    def _expanded(self, shares: list[Share]) -> bool:
        """Expand shares, and have learned what is missing; false when all rows have to lie otherwise now."""
        asking, self._asked = shares, 0
        while asking:
            self.search.kernel.look()
            expand(asking, self)
            asking = [share for share in asking if self._answered(share)]
            if not self.refresh():
                self._shares.clear()
                return False
        return True

    def _answered(self, share: Share) -> bool:
        """Have learned what is missing; tell whether the share can go on."""
        answer = self._answers.get(share.status)
        if answer is None:
            return False
        self._asked += 1
        try:
            answer(share)
        except Exception as error:  # what comes before it is reported first
            share.error = error
        return share.error is None

    def _follow(self, share: Share) -> int:
        """Give numbers to what the states of a share lead to."""
        first, last = share.registers[[FIRST, POSITION]].tolist()
        while True:
            status = int(loop.follow(self.met, self.registers, share.out, first, last))
            if status != ROOM:
                return status
            self.make_room(share.steps_of(int(self.registers[POSITION])))

    def _dead(self, share: Share) -> bool:
        """Have it proved that somebody can never move again; remember when nobody is."""
        registers, knots = self.registers, self.search.knots
        if knots.dead(self._state(share), int(share.buffers.mark[0]), int(share.registers[WAITING]) & _ALL):
            return True
        registers[ALIVE], registers[LOOK] = registers[POSITION], 1 + knots.guessing
        return False

    def _wrong_before(self, position: int) -> Found | None:
        """Look at the new states, up to the last that a state before ``position`` has led to, for an invariant."""
        if not self._pending:
            return None
        last = int(self.registers[STATES])
        if self.registers[WRONG] >= 0:
            last = int(self.registers[WRONG])
        last = max(last, self.looked_at)
        for number, state in enumerate(self.states.between(self.looked_at, last), self.looked_at):
            if self.parents[number] >= position:
                break
            wrong = self.search.wrong_in(state)
            if wrong is not None:
                self.cut(int(self.parents[number]))
                return Found(wrong, number)
        self.looked_at = last
        return None

    def _tell(self) -> None:
        search, registers = self.search, self.registers
        if registers[STATES] > self._told:  # so many had been met when it began again
            frontier = int(registers[STATES] - registers[POSITION])
            search.tell(int(registers[STATES]), frontier, len(self.levels) - 1)

    # ---- what it asks for ------------------------------------------------------------------------------

    def _state(self, share: Share) -> Packed:
        return self.tables.state(share.state)

    def _learn_moves(self, share: Share) -> None:
        process, fresh, _ = share.asked
        self.tables.learn_moves(self._state(share), process, fresh)

    def _learn_expiry(self, share: Share) -> None:
        self.tables.learn_expiry(self._state(share), share.asked[0])

    def _learn_without(self, share: Share) -> None:
        self.tables.learn_without(*share.asked)

    def _learn_wait(self, share: Share) -> None:
        self.tables.learn_wait(*share.asked)

    def _learn_pairs(self, share: Share) -> None:
        self.tables.learn_pairs(self._state(share), share.asked, share.buffers.mark)

    def _learn_queued(self, share: Share) -> None:
        self.tables.learn_queued(self._state(share), *share.asked)

    def allow(self, more: int) -> None:
        """Raise when ``more`` bytes would be more than the search may take."""
        self.search.limits.allow(more)

    # ---- afterwards ------------------------------------------------------------------------------------

    def deepen(self, search: Search, distance: int) -> None:
        """Expand the states nearer than ``distance``, without looking at them."""
        registers = self.registers
        self._set_limits(looked_ahead=True)
        registers[LOOK] = 0
        registers[UNTIL] = registers[LEVEL_END] if self.depths[int(registers[LEVEL])] < distance else 0
        self.begin(int(registers[UNTIL] - registers[POSITION]) + 1)
        status = FAILED
        while status == FAILED:
            registers[WRONG] = -1
            status = self._go()
            search.limits.check(int(registers[STATES]) if status == LIMIT else 0)

    def forward(self) -> bool:
        """Tell whether each step leads one level further; then no run goes round."""
        return bool(self.registers[LEVELLED])

    @cached_property
    def graph(self) -> Graph:
        """The steps of all states that were expanded, found once more; asked when the search has ended."""
        last = int(self.registers[POSITION])
        edges = room_for_edges(last, self.transitions)
        self.registers[LOOK] = position = 0
        while position < last:
            shares = self._divided(position, last)
            for share in shares if self._expanded(shares) else []:
                first, position = share.registers[[FIRST, POSITION]].tolist()
                begin = int(edges.starts[first])
                edges.starts[first + 1 : position + 1] = begin + share.out.ends[: position - first]
                end = int(edges.starts[position])
                steps = share.out.steps[: end - begin]
                edges.targets[begin:end] = share.out.found[: end - begin]
                edges.processes[begin:end], edges.outcomes[begin:end] = steps[:, 0], steps[:, 1]
        return graph_of(edges)
