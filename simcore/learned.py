"""The tables of a model, complete: every state has been met once, so nothing is left to be learned.

A kernel learns what an operation does when a search needs it. Whoever wants all of it as data, to hand it to
another checker, walks the whole space first, without a reduction, and then reads the tables: steps of the same
process at the same point that differ in nothing but the value that they find and leave are one `Step`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from simcore.deadlines import left_of
from simcore.errors import OptionError
from simcore.kernel import Kernel, Move, Packed, Timeouts
from simcore.model import Model
from simcore.tables import FREE


class Step(NamedTuple):
    """What a process does at one of its points, for every value that its operation may find there.

    Attributes
    ----------
    process, local, point : int
        Who, its own part of the state before, and after.
    position : int
        Of the target's value in the state.
    created : int
        The number of the future that it makes, or -1; it is made where that one is the lowest free place.
    lost : tuple of int
        Futures that may have lost their last mention, in the order in which they are looked at.
    expired : bool
        Whether this is a time-out.
    values : dict of int to int
        The value before, and after.
    """

    process: int
    local: int
    point: int
    position: int
    created: int
    lost: tuple[int, ...]
    expired: bool
    values: dict[int, int]


class Ticks(NamedTuple):
    """What a step does to the clock: the clock's value before, and after.

    ``now`` is for a deadline that is met without a wait, ``later`` for one that time has to pass for. What is no
    time-out has ``now`` alone.
    """

    now: dict[int, int]
    later: dict[int, int]


class Learned(Kernel):
    """A kernel that has met all states of its model.

    Parameters
    ----------
    model : Model
        Built once.
    timeouts : {"never", "when_stuck", "in_order", "anytime"}
        When time-outs may fire; see `Kernel`.
    max_states : int, optional
        How many states there may be.

    Attributes
    ----------
    states, deadlocks : int
        How many there are, and in how many of them no step is enabled and somebody must still finish.
    steps : list of Step
        Everything that can happen, by process and point.
    met : list of set of int
        For each position of a state the values that it can have; those between the parts of one step included.
        A future's place has `FREE` too.

    Raises
    ------
    OptionError
        When there are more states than ``max_states``.
    """

    def __init__(self, model: Model, timeouts: Timeouts = "when_stuck", max_states: int | None = None) -> None:
        if max_states is not None and max_states < 1:
            raise OptionError(f"max_states={max_states}: use at least 1, or None for no limit")
        super().__init__(model, timeouts)
        self.states, self.deadlocks = self._meet_all(max_states)
        self.steps = self._all_steps()
        self.met = self._all_values()

    def _meet_all(self, most: int | None) -> tuple[int, int]:
        seen: set[Packed] = {self.initial}
        ahead = [self.initial]
        deadlocks = 0
        while ahead:
            state = ahead.pop()
            choices = self.successors(state)
            if not choices:
                deadlocks += self.view(state).deadlocked
            for choice in choices:
                if choice.state not in seen:
                    if most is not None and len(seen) >= most:
                        raise OptionError(
                            f"model {self.model.name!r} has more than {most:,} states, and what its processes do is "
                            f"known only when each was met; raise max_states, or choose smaller parameters"
                        )
                    seen.add(choice.state)
                    ahead.append(choice.state)
        return len(seen), deadlocks

    # ---- steps -----------------------------------------------------------------------------------------

    def _all_steps(self) -> list[Step]:
        """Put the entries together whose effects differ in the value alone, and the outcomes of one entry apart."""
        found: dict[tuple[int, int, Move, bool], list[Step]] = {}
        for process, local, value, move, expired in self._entries():
            alike = found.setdefault((process, local, move._replace(value=FREE), expired), [])
            for step in alike:
                if step.values.setdefault(value, move.value) == move.value:
                    break
            else:
                _, _, point, lost, created = move
                values = {value: move.value}
                alike.append(Step(process, local, point, move.position, created, lost, expired, values))
        return sorted((step for alike in found.values() for step in alike), key=lambda step: (step.process, step.local))

    def _entries(self) -> Iterator[tuple[int, int, int, Move, bool]]:
        for process in range(len(self.processes)):
            for expired, tables in ((False, (self._moves, self._creating)), (True, (self._expiries,))):
                for table in tables:
                    for (local, value, *_), moves in table[process].items():  # type: ignore[attr-defined]
                        for move in moves:
                            yield process, local, value, self._settled_move(move), expired

    def _settled_move(self, move: Move) -> Move:
        """Return ``move`` without the future that nobody can ask for from the start: only its task mentions it."""
        if move.created not in move.lost:
            return move
        value = self._without[move.created].get(move.value, move.value)
        lost = tuple(number for number in move.lost if number != move.created)
        return move._replace(value=value, lost=lost, created=-1)

    def ticks(self, step: Step) -> Ticks:
        """Return what ``step`` does to the clock of ``timeouts="in_order"``."""
        ticks = Ticks({}, {})
        limit = self._limit(step.point)
        for (clock, seconds, process, local), after in self._moved.items():
            if process != step.process or self._limit(local) != limit:
                continue
            left = left_of(self.values[clock], self.processes[process]) if step.expired else 0.0
            if seconds == left:
                (ticks.later if seconds else ticks.now)[clock] = after
        return ticks

    def _limit(self, local: int) -> float | None:
        operation = self._operations[local]
        return None if operation is None else operation.timeout

    # ---- values ----------------------------------------------------------------------------------------

    def _all_values(self) -> list[set[int]]:
        places = max((step.created for step in self.steps), default=-1) + 1
        met = [{number} for number in self.initial] + [{FREE, self._pending} for _ in range(places)]
        for step in self.steps:
            met[step.position] |= {*step.values, *step.values.values()}
            met[self.first_process + step.process].add(step.point)
        if self._clock is not None:
            met[self._clock.index] |= {self.initial[self._clock.index], *self._moved.values()}
        self._add_forgetful(met)
        return met

    def _add_forgetful(self, met: list[set[int]]) -> None:
        """Add what values and workers become when the future of a task is dropped."""
        growing = True
        while growing:
            before = sum(map(len, met))
            for number in range(len(self._without)):
                for place, becomes in self.forgetting(number, met):
                    met[place] |= set(becomes.values())
            growing = sum(map(len, met)) > before

    def forgetting(self, number: int, met: list[set[int]]) -> Iterator[tuple[int, dict[int, int]]]:
        """Yield each position with what its values become when future ``number`` is dropped: workers, then pools.

        Only one worker, or else the pools, can have a task with that future.
        """
        for place in self._worker_places:
            yield place, {n: self._alone[n] for n in sorted(met[place] & set(self._alone)) if self.owns(n, number)}
        known = self._without[number]
        for place in self._pool_places:
            yield place, {n: known[n] for n in sorted(met[place] & set(known)) if known[n] != n}

    def owns(self, local: int, number: int) -> bool:
        """Tell whether ``local`` is a worker whose task will set future ``number``."""
        return self._task_futures[local] == number

    def mentioning(self, number: int, position: int) -> set[int]:
        """Return those of ``position``'s values that keep future ``number``; it does not keep itself."""
        if position == self.first_future + number:
            return set()
        local = self.first_process <= position < self.first_future
        return self.met[position] & (self._mentioning_locals if local else self._mentioning_values)[number]

    def inside(self, value: int) -> tuple[int, ...]:
        """Return the futures that ``value`` keeps, in the order in which they are looked at when it is dropped."""
        return tuple(self._value_futures[value])

    # ---- a process's own part of a state ---------------------------------------------------------------------

    def rests(self, process: int, local: int) -> bool:
        """Tell whether ``process`` need not go on from ``local``; see `ProcessState.owes`."""
        about = self.processes[process]
        if about.pool is not None:
            return self.locals[local].task is None or self.dead(local)
        return about.daemon or (self._operations[local] is None and not self.dead(local))

    def dead(self, local: int) -> bool:
        """Tell whether ``local`` is a process that died of an exception nobody can catch."""
        return local in self._failed

    def told(self, local: int) -> str:
        """Say what a process in ``local`` is at."""
        point, task, status = self.locals[local]
        if point is None:
            return "idle" if status == "idle" else "has left"
        operation = self._operations[local]
        parts = [] if task is None else [str(task)]
        if status != "ready":
            parts.append(f"{'died of' if status == 'failed' else 'returned'} {point.outcome}")
        if operation is not None:
            parts.append(operation.target.phrase(operation))
        if operation is not None and operation.timeout is not None:
            parts.append(f"for {operation.timeout:g} s at most")
        return ", ".join(parts) + f" -- {point.where}" * bool(point.where)
