"""A global state is a tuple of small integers, and once the tables are warm a step is two look-ups.

The integers stand for object values, for program points (`process.py`), and for the values of futures that
submits have made, in that order: ``(objects..., processes..., futures...)``. What a process can do depends
on its point and on the one value its operation targets, so it is looked up by that pair; a missing entry is
learned (`tables.py`). No driver looks inside.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from functools import partial
from typing import Any, NamedTuple

from simcore.kernel.deadlines import Clock, Pending, left_of, moved, passed
from simcore.kernel.futures import TablesOfFutures
from simcore.kernel.journal import lesson
from simcore.kernel.tables import FREE
from simcore.kernel.tables import Move as Move
from simcore.kernel.tables import Packed as Packed
from simcore.model import LATE, RULES, Model, ProcessState, State, Status, Timeouts, Watched, check_timeouts
from simcore.model.operations import Operation

SLEEPS = ("sleep", "countdown")  # they end by their time-out alone, so taking time-outs out leaves them in


class Choice(NamedTuple):
    """One enabled step: which process, which outcome of its operation, and the state it leads to."""

    process: int
    outcome: int
    state: Packed


_choice = partial(tuple.__new__, Choice)  # a `Choice` of a tuple, in a third of the time


def _with(state: Packed, place: int, value: int) -> Packed:
    return (*state[:place], value, *state[place + 1 :])


class Kernel(TablesOfFutures):
    """The meaning of a model as tables of small integers.

    Parameters
    ----------
    model : Model
        Built once; changing it afterwards has no effect on this kernel.
    timeouts : {"never", "when_stuck", "in_order", "anytime"}
        When the time-out of a waiting operation may fire: never, only when no other step is enabled (a
        machine that is fast beside its time-outs), or at any moment (a slow one). "in_order" is a fast
        machine with exact clocks: when no other step is enabled time passes, and the nearest deadline is
        met first. What travels over a link with a latency takes time, and how much is not counted: where nothing
        but arrivals is enabled, time-outs may fire before them or after. A sleep ends like a time-out; under "never",
        where time-outs are taken out to see what they hide, it ends when no other step is enabled.
    one_run : bool
        One run is made and nothing is proved, so the order in which a set is met is the one that it has there.

    Attributes
    ----------
    initial : tuple of int
        The state before the first step.
    """

    def __init__(self, model: Model, timeouts: Timeouts = "when_stuck", *, one_run: bool = False) -> None:
        check_timeouts(timeouts)
        self._clock = Clock("clock") if timeouts == "in_order" else None
        super().__init__(model, *([self._clock] if self._clock is not None else []))
        self.points.orders = not one_run
        self.timeouts = timeouts
        self.slow = any(thing.slow for thing in model.objects)
        self._shown: list[dict[tuple[int, int], ProcessState]] = [{} for _ in self.processes]
        self.initial = self._initial()
        if self._clock is not None:
            self._clock.index = len(model.objects)
            self._still: dict[tuple[int, tuple[int, ...]], int] = {}
            self._moved: dict[tuple[int, float, int, int], int] = {}
            for process in range(len(self.processes)):
                self.initial = self._timed(self.initial, 0.0, process)

    # ---- the search's side ---------------------------------------------------------------------------

    def successors(self, state: Packed) -> list[Choice]:
        """Return every step that is enabled in ``state``, time-outs by the rule of this kernel."""
        self.look()
        choices: list[Choice] = []
        first, targets, by_hand = self.first_process, self._targets, self.by_hand
        # This loop is most of a search's time, so what `moves` and `after` do in the usual case stands here too.
        for process, local in enumerate(state[first : self.first_future]):
            target = targets[local]
            if target < 0:
                continue
            moves = self._moves[process].get((local, state[target]))
            if moves is None:
                moves = self.moves(state, process)
            for outcome, move in enumerate(moves):
                position, value, point, lost, created = move
                if lost or created >= 0 or by_hand:
                    after = self.after(state, process, move)
                else:
                    new = list(state)
                    new[position] = value
                    new[first + process] = point
                    after = tuple(new)
                choices.append(_choice((process, outcome, after)))
        if self._clock is not None:
            return self._by_the_clock(state, choices)
        if self.timeouts == "anytime" or not choices or (self.slow and self.only_arrive(state, choices)):
            choices += self._timed_out(state)
        return choices

    def enabled(self, state: Packed) -> list[tuple[int, int]]:
        """Return (process, outcome) of every enabled step, without the states that they lead to."""
        return [choice[:2] for choice in self.successors(state)]

    def moves(self, state: Sequence[int], process: int) -> tuple[Move, ...]:
        """Return what ``process`` can do in ``state``; nothing when it is blocked or done."""
        local = state[self.first_process + process]
        target = self._targets[local]
        if target < 0:
            return ()
        value = state[target]
        moves = self._moves[process].get((local, value))
        if moves is None:
            operation = self._operations[local]
            assert operation is not None
            if operation.name in operation.target.creates:
                return self._moves_creating(process, local, value, self._lowest_free(state))
            moves = self.learn_moves(process, local, value, -1)
        return moves

    def _moves_creating(self, process: int, local: int, value: int, fresh: int) -> tuple[Move, ...]:
        moves = self._creating[process].get((local, value, fresh))
        return self.learn_moves(process, local, value, fresh) if moves is None else moves

    def expiries(self, state: Sequence[int], process: int) -> tuple[Move, ...]:
        """Return what the time-out of ``process`` does, when it waits with one; nothing otherwise.

        It waits where its operation is blocked, and where what would enable it may still be under way.
        """
        local = state[self.first_process + process]
        operation = self._operations[local]
        if operation is None or operation.timeout is None:
            return ()
        value = state[self._targets[local]]
        moves = self._expiries[process].get((local, value))
        if moves is None:
            travelling = operation.target.slow and operation.name in operation.target.arriving
            moves = self.learn_expiry(process, local, value, travelling or not self.moves(state, process))
        return moves

    def after(self, state: Packed, process: int, move: Move) -> Packed:
        """Return the state that ``move`` of ``process`` leads to."""
        new = list(state)
        position, value, point, lost, created = move
        if created >= 0:
            place = self.first_future + created
            if place == len(new):
                new.append(FREE)
            new[place] = self._pending
        new[position] = value
        new[self.first_process + process] = point
        if lost:
            self._collect(new, lost)
        if self.by_hand and self.takes(state, process):
            self._begin(new, process)
        return tuple(new)

    def step(self, state: Packed, process: int, outcome: int) -> Packed | None:
        """Return the state after one step, or None when it is not possible.

        Outcomes are numbered as in `successors`: those of the operation first, then its time-out's.
        """
        moves = self.moves(state, process)
        if outcome >= len(moves):
            if self._clock is not None and outcome >= 0:
                nearest = self._due(state)
                return next((c.state for c in nearest if (c.process, c.outcome) == (process, outcome)), None)
            moves, outcome = self.expiries(state, process), outcome - len(moves)
        after = self.after(state, process, moves[outcome]) if 0 <= outcome < len(moves) else None
        return after if after is None or self._clock is None else self._timed(after, 0.0, process)

    def _timed_out(self, state: Packed) -> list[Choice]:
        choices = []
        for process in range(len(self.processes)):
            operation = self._operations[state[self.first_process + process]]
            if operation is None or not self.ends_by_time(operation):
                continue
            offset = len(self.moves(state, process))
            for number, move in enumerate(self.expiries(state, process)):
                choices.append(Choice(process, offset + number, self.after(state, process, move)))
        return choices

    def arrives(self, state: Packed, choice: Choice) -> bool:
        """Tell whether a step takes what may still be on its way: that takes time, so others may time out meanwhile."""
        operation = self.operation(state, choice.process)
        return operation is not None and operation.target.slow and operation.name in operation.target.arriving

    def only_arrive(self, state: Packed, choices: list[Choice]) -> bool:
        """Tell whether all ``choices`` wait for something to arrive, so that time passes as where there are none."""
        return all(self.arrives(state, choice) for choice in choices)

    # ---- with exact clocks ---------------------------------------------------------------------------

    def _by_the_clock(self, state: Packed, choices: list[Choice]) -> list[Choice]:
        """Return ``choices`` with what is due now; if there are none, what is due when time has passed."""
        timed = [choice._replace(state=self._timed(choice.state, 0.0, choice.process)) for choice in choices]
        if not timed or (self.slow and self.only_arrive(state, timed)):
            return timed + self._due(state)
        return timed + self._due(state, within=0.0)

    def _due(self, state: Packed, within: float | None = None) -> list[Choice]:
        """Return the time-outs with the nearest deadline, if that is at most ``within`` seconds away."""
        assert self._clock is not None
        pending = self.values[state[self._clock.index]]
        waiting = [(choice, left_of(pending, self.processes[choice.process])) for choice in self._timed_out(state)]
        nearest = min((left for _, left in waiting if left is not None), default=None)
        if nearest is None or (within is not None and nearest > within):
            return []
        place, running = self._clock.index, self._running(state, pending)
        return [
            choice._replace(state=self._timed(_with(choice.state, place, running), nearest, choice.process))
            for choice, left in waiting
            if left == nearest
        ]

    def _running(self, state: Packed, pending: Pending) -> int:
        """Return the deadlines that are left when time passes: who was notified and waits on for the lock has none."""
        limited = [deadline.process.index for deadline in pending]
        running = tuple(p for p in limited if self.moves(state, p) or self.expiries(state, p))
        clock = state[self._clock.index]  # type: ignore[union-attr]
        if len(running) == len(limited):
            return clock
        known = self._still.get((clock, running))
        return self.learn_running(clock, *running) if known is None else known

    @lesson
    def learn_running(self, clock: int, *running: int) -> int:
        """Learn the deadlines of some processes alone."""
        processes = {self.processes[process] for process in running}
        left = tuple(deadline for deadline in self.values[clock] if deadline.process in processes)
        return self._still.setdefault((clock, running), self.intern_value(left))

    def _timed(self, state: Packed, seconds: float, process: int) -> Packed:
        """Return ``state`` with deadlines for a step of ``process`` that came ``seconds`` after the one before."""
        assert self._clock is not None
        place, local = self._clock.index, state[self.first_process + process]
        after = self._moved.get((state[place], seconds, process, local))
        if after is None:
            after = self.learn_time(state[place], seconds, process, local)
        return _with(state, place, after)

    @lesson
    def learn_time(self, clock: int, seconds: float, process: int, local: int) -> int:
        """Learn what becomes of the deadlines when ``process`` comes to ``local`` after ``seconds``."""
        operation = self._operations[local]
        limit = None if operation is None else operation.timeout
        after = self.intern_value(moved(passed(self.values[clock], seconds), self.processes[process], limit))
        self._moved[clock, seconds, process, local] = after
        return after

    # ---- for people ------------------------------------------------------------------------------------

    def target(self, local: int) -> int:
        """Return the position in a state of what a process in ``local`` operates on; -1 when it has ended."""
        return self._targets[local]

    def about(self, local: int) -> Operation | None:
        """Return what a process in ``local`` is about to do; None when it has ended."""
        return self._operations[local]

    def timed_out(self, state: Packed, choices: list[Choice]) -> bool:
        """Tell whether ``choices``, all steps of ``state``, are there because time has run out for somebody.

        Under "anytime" time-outs are steps like all others.
        """
        return self.timeouts != "anytime" and bool(choices) and self.takes_time(state, *choices[-1][:2])

    def takes_time(self, state: Packed, process: int, outcome: int) -> bool:
        """Tell whether a step of ``state`` happens because time has passed."""
        operation = self.operation(state, process)
        return operation is not None and bool(operation.timeout) and outcome >= len(self.moves(state, process))

    @property
    def notes(self) -> tuple[str, ...]:
        """What is taken for granted of time-outs and sleeps; nothing where none has been met."""
        timed = any(operation is not None and operation.timeout is not None for operation in self._operations)
        late = (LATE,) if self.slow and self.timeouts in ("when_stuck", "in_order") else ()
        return (RULES[self.timeouts], *late) if timed else ()

    def operation(self, state: Sequence[int], process: int) -> Operation | None:
        """Return what ``process`` is about to do."""
        return self._operations[state[self.first_process + process]]

    def result(self, state: Sequence[int], process: int, outcome: int) -> Any:
        """Return what the operation of ``process`` gives it when its ``outcome`` happens."""
        operation = self.operation(state, process)
        assert operation is not None
        value = self.values[state[self._place(operation.target)]]
        made = (self.future(self._lowest_free(state)),) if operation.name in operation.target.creates else ()
        outcomes = operation.target.outcomes(value, operation, self.processes[process], *made)
        if outcome >= len(outcomes):
            expired = operation.target.expired(value, operation, self.processes[process])
            return expired[outcome - len(outcomes)].result
        return outcomes[outcome].result

    def view(self, state: Packed, watched: Watched | None = None) -> State:
        """Return ``state`` as properties and reports see it; what they look at is added to ``watched``."""
        values = {thing: self.values[state[thing.index]] for thing in self.model.objects}
        for place in range(self.first_future, len(state)):
            if state[place] != FREE:
                values[self._futures[place - self.first_future]] = self.values[state[place]]
        return State(self.model, values, lambda process: self.process_state(state, process), watched)

    def process_state(self, state: Sequence[int], process: int) -> ProcessState:
        """Return one process of ``state``: the same for each where it is at the same point and finds the same value."""
        number = state[self.first_process + process]
        key = number, state[self._targets[number]]  # the last of ``state``, whatever it is, for one that has ended
        shown = self._shown[process].get(key)
        if shown is None:
            shown = self._shown[process][key] = self._process_state(state, process, number)
        return shown

    def _process_state(self, state: Sequence[int], process: int, number: int) -> ProcessState:
        point, task, _ = self.locals[number]
        operation = self._operations[number]
        status: Status
        if number in self._failed:
            status = "failed"
        elif operation is None:
            status = "done"
        elif self.moves(state, process) or self.may_expire(state, process):
            status = "enabled"
        else:
            status = "idle" if point is None else "blocked"
        if point is None:
            return ProcessState(self.processes[process], status, operation)
        told = point.where, point.outcome, point.objects, point.mentions, point.submits
        return ProcessState(self.processes[process], status, operation, task, *told)

    def ends_by_time(self, operation: Operation) -> bool:
        """Tell whether a time-out of ``operation``, if it has one, ever fires: "never" leaves only sleeps an end."""
        return self.timeouts != "never" or operation.name in SLEEPS

    def may_expire(self, state: Sequence[int], process: int) -> bool:
        """Tell whether a time-out of ``process`` may fire, now or once nothing else can move."""
        operation = self.operation(state, process)
        if operation is None or not self.ends_by_time(operation):
            return False
        return bool(self.expiries(state, process))

    def failed(self, state: Packed) -> int | None:
        """Return the first process that died of an exception nobody caught, or None."""
        if self._failed:
            for process in range(len(self.processes)):
                if state[self.first_process + process] in self._failed:
                    return process
        return None

    def finished(self, state: Packed) -> bool:
        """Tell whether every process that must finish has, and no task is left for a worker: a good end."""
        if any(self.values[state[place]].tasks for place in self._pool_places):
            return False
        idle = (self.locals[state[place]].task is None for place in self._worker_places)
        return self.all_returned(state) and all(idle)

    def all_returned(self, state: Packed) -> bool:
        """Tell whether every process that must finish has, whatever tasks are left."""
        return all(
            process.daemon or self.locals[number].status == "returned" or self.rests(state, process.index)
            for process, number in zip(self.processes, state[self.first_process : self.first_future], strict=True)
        )

    def rests(self, state: Sequence[int], process: int) -> bool:
        """Tell whether ``process`` owes nothing, as it has not been started."""
        operation = self.operation(state, process)
        return operation is not None and operation.rests and not self.moves(state, process)

    def waiting(self, state: Packed, movers: Container[int]) -> tuple[int, int]:
        """Return two sets of processes as bits: who waits without a limit in ``state``, and who has ended.

        Parameters
        ----------
        movers : container of int
            The processes that have a step; an idle worker without one counts as waiting.
        """
        waiting = ended = 0
        bit = 1
        for process, number in enumerate(state[self.first_process : self.first_future]):
            operation = self._operations[number]
            if operation is None:
                ended |= bit
            elif process not in movers and (operation.timeout is None or not self.may_expire(state, process)):
                waiting |= bit
            bit <<= 1
        return waiting, ended
