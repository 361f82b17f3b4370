"""A global state is a tuple of small integers, and once the tables are warm a step is two look-ups.

The integers stand for object values, for program points (`process.py`), and for the values of futures that
submits have made, in that order: ``(objects..., processes..., futures...)``. What a process can do depends
on its point and on the one value its operation targets, so it is looked up by that pair; a missing entry is
learned by calling the object's pure function and by advancing the one process. No driver looks inside.

A future made by a submit takes the lowest free place. It is dropped, and its place free again, as soon as
no program point and no value mentions it: only steps that lose the last mention somewhere pay for that
check, and which steps those are is part of the learned entry. Its own task mentions it weakly, so a task
whose result nobody can ask for ends together with its last operation.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable
from functools import partial
from typing import Any, Literal, NamedTuple

from simcore.errors import ModelError, OptionError
from simcore.freeze import Freezer, operation_key
from simcore.model import Model, Process
from simcore.objects import LEAVE, Future, PoolValue, Task
from simcore.operations import Operation, Outcomes, Raised, SharedObject, Value
from simcore.process import Point, Points
from simcore.state import ProcessState, State, Status

Packed = tuple[int, ...]
"""A global state."""

Timeouts = Literal["never", "when_stuck", "anytime"]

FREE = 0
"""The value of a future's place that is not in use."""

_NO_VALUE = object()  # the key of FREE, which no value that a model has can be equal to
_SLEEPS = ("sleep", "countdown")  # they end by their time-out alone, so taking time-outs out leaves them in


class Move(NamedTuple):
    """What one outcome of one operation does to a state."""

    position: int
    """Of the target's value in the state."""
    value: int
    point: int
    lost: tuple[int, ...]
    """Places of futures that may have lost their last mention."""
    created: int
    """Place of the future that it made, or -1."""


class Choice(NamedTuple):
    """One enabled step: which process, which outcome of its operation, and the state it leads to."""

    process: int
    outcome: int
    state: Packed


_choice = partial(tuple.__new__, Choice)  # a `Choice` of a tuple, in a third of the time


class _Local(NamedTuple):
    """A process's own part of a state: its point, and for a worker the future of its task (weakly)."""

    point: Point | None
    task: Task | None
    status: str


def _lost(local: _Local) -> bool:
    """Tell whether a worker's task has died of an exception that nobody can ask for."""
    return local.status == "failed" and local.task is not None and local.task.future is None


class Kernel:
    """The meaning of a model as tables of small integers.

    Parameters
    ----------
    model : Model
        Built once; changing it afterwards has no effect on this kernel.
    timeouts : {"never", "when_stuck", "anytime"}
        When the time-out of a waiting operation may fire: never, only when no other step is enabled (a
        machine that is fast beside its time-outs), or at any moment (a slow one). A sleep ends like a
        time-out; under "never", where time-outs are taken out to see what they hide, it ends when no
        other step is enabled.

    Attributes
    ----------
    initial : tuple of int
        The state before the first step.
    """

    def __init__(self, model: Model, timeouts: Timeouts = "when_stuck") -> None:
        if timeouts not in ("never", "when_stuck", "anytime"):
            raise OptionError(f"timeouts={timeouts!r}: use 'never', 'when_stuck' or 'anytime'")
        if not model.processes:
            raise ModelError(f"model {model.name!r} has no process; add one with model.process(name, fn, *args)")
        self.model = model
        self.timeouts = timeouts
        self.objects = list(model.objects)
        self.processes = list(model.processes)
        self.first_process = len(self.objects)
        self.first_future = self.first_process + len(self.processes)
        self._pool_places = [pool.index for pool, _ in model.pools()]
        self._worker_places = [self.first_process + p.index for p in self.processes if p.pool is not None]
        self.points = Points()
        self._futures: list[Future] = []
        self._places: dict[SharedObject, int] = {}
        self.values: list[Any] = [None]
        self._value_ids: dict[Hashable, int] = {_NO_VALUE: FREE}
        self._value_futures: list[frozenset[int]] = [frozenset()]
        self.value_processes: list[frozenset[Process]] = [frozenset()]
        self.locals: list[_Local] = []
        self._local_ids: dict[Hashable, int] = {}
        self._local_futures: list[frozenset[int]] = []
        self._operations: list[Operation | None] = []
        self._targets: list[int] = []
        self._mentioning_locals: list[set[int]] = []
        self._mentioning_values: list[set[int]] = []
        self._task_futures: list[int] = []
        self._without: list[dict[int, int]] = []
        self._alone: dict[int, int] = {}
        self._failed: set[int] = set()
        self._moves: list[dict[tuple[int, int], tuple[Move, ...]]] = [{} for _ in self.processes]
        self._creating: list[dict[tuple[int, int, int], tuple[Move, ...]]] = [{} for _ in self.processes]
        self._expiries: list[dict[tuple[int, int], tuple[Move, ...]]] = [{} for _ in self.processes]
        self.initial = self._initial()

    # ---- the search's side ---------------------------------------------------------------------------

    def successors(self, state: Packed) -> list[Choice]:
        """Return every step that is enabled in ``state``, time-outs by the rule of this kernel."""
        choices: list[Choice] = []
        first, targets = self.first_process, self._targets
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
                if lost or created >= 0:
                    after = self.after(state, process, move)
                else:
                    new = list(state)
                    new[position] = value
                    new[first + process] = point
                    after = tuple(new)
                choices.append(_choice((process, outcome, after)))
        if self.timeouts == "anytime" or not choices:
            choices += self._timed_out(state)
        return choices

    def enabled(self, state: Packed) -> list[tuple[int, int]]:
        """Return (process, outcome) of every enabled step, without the states that they lead to."""
        return [choice[:2] for choice in self.successors(state)]

    def moves(self, state: Packed, process: int) -> tuple[Move, ...]:
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
            moves = self._moves[process][local, value] = self._learn(process, local, value, -1)
        return moves

    def _moves_creating(self, process: int, local: int, value: int, fresh: int) -> tuple[Move, ...]:
        moves = self._creating[process].get((local, value, fresh))
        if moves is None:
            moves = self._creating[process][local, value, fresh] = self._learn(process, local, value, fresh)
        return moves

    def expiries(self, state: Packed, process: int) -> tuple[Move, ...]:
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
            moves = ()
            travelling = operation.target.slow and operation.name in operation.target.arriving
            if travelling or not self.moves(state, process):
                outcomes = operation.target.expired(self.values[value], operation, self.processes[process])
                moves = self._moves_of(process, local, value, outcomes, -1)
            self._expiries[process][local, value] = moves
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
        return tuple(new)

    def step(self, state: Packed, process: int, outcome: int) -> Packed | None:
        """Return the state after one step, or None when it is not possible.

        Outcomes are numbered as in `successors`: those of the operation first, then its time-out's.
        """
        moves = self.moves(state, process)
        if outcome >= len(moves):
            moves, outcome = self.expiries(state, process), outcome - len(moves)
        return self.after(state, process, moves[outcome]) if 0 <= outcome < len(moves) else None

    def _timed_out(self, state: Packed) -> list[Choice]:
        choices = []
        for process in range(len(self.processes)):
            operation = self._operations[state[self.first_process + process]]
            if operation is None or (self.timeouts == "never" and operation.name not in _SLEEPS):
                continue
            offset = len(self.moves(state, process))
            for number, move in enumerate(self.expiries(state, process)):
                choices.append(Choice(process, offset + number, self.after(state, process, move)))
        return choices

    def _lowest_free(self, state: Packed) -> int:
        for place in range(self.first_future, len(state)):
            if state[place] == FREE:
                return place - self.first_future
        return len(state) - self.first_future

    # ---- learning ------------------------------------------------------------------------------------

    def _initial(self) -> Packed:
        values = [self.intern_value(thing.initial) for thing in self.objects]
        self._pending = self.intern_value(Future("pending").initial)
        locals_ = []
        for process in self.processes:
            if process.pool is not None:
                locals_.append(self._intern(_Local(None, None, "idle"), process))
            else:
                assert process.fn is not None
                point = self.points.start(process.name, process.fn, process.args)
                locals_.append(self._intern(_Local(point, None, point.status), process))
        return (*values, *locals_)

    def _learn(self, process: int, local: int, value: int, fresh: int) -> tuple[Move, ...]:
        operation = self._operations[local]
        assert operation is not None
        created = (self._future(fresh),) if fresh >= 0 else ()
        outcomes = operation.target.outcomes(self.values[value], operation, self.processes[process], *created)
        if not outcomes and operation.timeout == 0:  # a try, not a wait: no rule for time-outs may delay it
            outcomes = operation.target.expired(self.values[value], operation, self.processes[process])
        return self._moves_of(process, local, value, outcomes, fresh)

    def _moves_of(self, process: int, local: int, value: int, outcomes: Outcomes, created: int) -> tuple[Move, ...]:
        moves = []
        for outcome in outcomes:
            new_value = self.intern_value(outcome.value)
            new_local = self._advance(self.processes[process], local, outcome.result)
            before = self._local_futures[local] | self._value_futures[value] | ({created} if created >= 0 else set())
            after = self._local_futures[new_local] | self._value_futures[new_value]
            moves.append(Move(self._targets[local], new_value, new_local, tuple(sorted(before - after)), created))
        return tuple(moves)

    def _advance(self, process: Process, local: int, result: Any) -> int:
        point, task, status = self.locals[local]
        if point is None or _lost(self.locals[local]):  # an idle worker
            if result == LEAVE:
                return self._intern(_Local(None, None, "done"), process)
            if isinstance(result, Raised):
                raise ModelError(f"{process}: a pool worker was given {result}")
            assert isinstance(result, Task)
            task = result
            point = self.points.start(str(task), task.fn, task.args)
        elif status == "ready":
            point = self.points.advance(point, result)
        else:  # its result has been handed to its future
            return self._intern(_Local(None, None, "idle"), process)
        return self._intern(self._settled(process, point, task), process)

    def _settled(self, process: Process, point: Point, task: Task | None) -> _Local:
        """A task that has ended leaves its worker idle at once, when nobody can ask for its result."""
        if task is not None and task.future is None and point.status == "returned":
            return _Local(None, None, "idle")
        return _Local(point, task, point.status)

    def _operation(self, local: _Local, process: Process) -> Operation | None:
        point, task, status = local
        if point is None:
            assert process.pool is not None
            return process.pool.take() if status == "idle" else None
        if status == "ready":
            return point.operation
        if task is None:
            return None
        if task.future is None:
            assert process.pool is not None
            return process.pool.take()  # nobody hears of the exception: the worker goes on, as an executor's does
        future: Future = task.future
        return future.set_exception(point.outcome) if status == "failed" else future.set_result(point.outcome)

    def _intern(self, local: _Local, process: Process) -> int:
        task_key = None if local.task is None else (local.task.future, local.task.fn, local.task.args)
        pool = process.pool if local.point is None or _lost(local) else None
        key = (local.point, task_key, local.status, pool)
        number = self._local_ids.get(key)
        if number is None:
            number = self._local_ids[key] = len(self.locals)
            operation = self._operation(local, process)
            if local.status == "failed" and (local.task is None or _lost(local)):
                self._failed.add(number)
            self.locals.append(local)
            self._operations.append(operation)
            self._targets.append(-1 if operation is None else self._place(operation.target))
            self._note_futures(number, local)
        return number

    def _note_futures(self, number: int, local: _Local) -> None:
        task, mentioned = local.task, local.point.objects if local.point is not None else frozenset()
        self._local_futures.append(self._numbers_made(mentioned))
        for future in self._local_futures[number]:
            self._mentioning_locals[future].add(number)
        own = -1 if task is None or task.future is None else self._places[task.future] - self.first_future
        self._task_futures.append(own)

    def intern_value(self, value: Value) -> int:
        """Return the integer that stands for ``value``."""
        freezer = Freezer(ordered=False)
        key = freezer.freeze(value)
        number = self._value_ids.get(key)
        if number is None:
            number = self._value_ids[key] = len(self.values)
            self.values.append(value)
            self._value_futures.append(self._numbers_made(freezer.objects))
            for future in self._value_futures[number]:
                self._mentioning_values[future].add(number)
            self.value_processes.append(frozenset(freezer.processes))
        return number

    def _future(self, place: int) -> Future:
        while len(self._futures) <= place:
            future = Future(f"future#{len(self._futures)}")
            self._places[future] = self.first_future + len(self._futures)
            self._futures.append(future)
            self._mentioning_locals.append(set())
            self._mentioning_values.append(set())
            self._without.append({})
        return self._futures[place]

    def _numbers_made(self, things: Iterable[SharedObject]) -> frozenset[int]:
        """Return the numbers of those of ``things`` that are futures made by submits."""
        made = (self._places[thing] for thing in things if isinstance(thing, Future) and thing in self._places)
        return frozenset(place - self.first_future for place in made)

    def _place(self, thing: SharedObject) -> int:
        place = self._places.get(thing, thing.index)
        valued = getattr(thing, "lock", thing)  # a condition's value is its lock's
        if place < 0 or (thing not in self._places and self.objects[place : place + 1] != [valued]):
            raise ModelError(
                f"{thing} does not belong to model {self.model.name!r}; build every object with this model's methods"
            )
        return place

    # ---- futures that nobody can reach any more --------------------------------------------------------

    def _collect(self, state: list[int], lost: Iterable[int]) -> None:
        for number in lost:
            place = self.first_future + number
            if place >= len(state) or state[place] == FREE or self._mentioned(state, number):
                continue
            inside = self._value_futures[state[place]]
            state[place] = FREE
            self._forget(state, number)
            if inside:
                self._collect(state, inside)
        while state[-1] == FREE and len(state) > self.first_future:
            state.pop()

    def _mentioned(self, state: list[int], number: int) -> bool:
        first, last = self.first_process, self.first_future
        place = last + number  # a future that mentions itself is not kept by that
        return not (
            self._mentioning_locals[number].isdisjoint(state[first:last])
            and self._mentioning_values[number].isdisjoint(state[:first] + state[last:place] + state[place + 1 :])
        )

    def _forget(self, state: list[int], number: int) -> None:
        """Take a future from the one task that mentions it, in a queue or on a worker."""
        for place in self._worker_places:
            if self._task_futures[state[place]] == number:
                state[place] = self._local_without(state[place], place - self.first_process)
                return
        known = self._without[number]
        for place in self._pool_places:
            value = state[place]
            if value not in known:
                known[value] = self._value_without(value, self._futures[number])
            state[place] = known[value]

    def _value_without(self, number: int, future: Future) -> int:
        value: PoolValue = self.values[number]
        if all(task.future is not future for task in value.tasks):
            return number
        tasks = tuple(t._replace(future=None) if t.future is future else t for t in value.tasks)
        return self.intern_value(value._replace(tasks=tasks))

    def _local_without(self, number: int, process: int) -> int:
        if number not in self._alone:
            local = self.locals[number]
            assert local.point is not None
            assert local.task is not None
            worker = self.processes[process]
            self._alone[number] = self._intern(
                self._settled(worker, local.point, local.task._replace(future=None)), worker
            )
        return self._alone[number]

    # ---- for people ------------------------------------------------------------------------------------

    def target(self, local: int) -> int:
        """Return the position in a state of what a process in ``local`` operates on; -1 when it has ended."""
        return self._targets[local]

    def operation(self, state: Packed, process: int) -> Operation | None:
        """Return what ``process`` is about to do."""
        return self._operations[state[self.first_process + process]]

    def result(self, state: Packed, process: int, outcome: int) -> Any:
        """Return what the operation of ``process`` gives it when its ``outcome`` happens."""
        operation = self.operation(state, process)
        assert operation is not None
        value = self.values[state[self._place(operation.target)]]
        made = (self._future(self._lowest_free(state)),) if operation.name in operation.target.creates else ()
        outcomes = operation.target.outcomes(value, operation, self.processes[process], *made)
        if outcome >= len(outcomes):
            expired = operation.target.expired(value, operation, self.processes[process])
            return expired[outcome - len(outcomes)].result
        return outcomes[outcome].result

    def view(self, state: Packed) -> State:
        """Return ``state`` as properties and reports see it."""
        values = {thing: self.values[state[thing.index]] for thing in self.objects}
        for place in range(self.first_future, len(state)):
            if state[place] != FREE:
                values[self._futures[place - self.first_future]] = self.values[state[place]]
        return State(self.model, values, lambda process: self.process_state(state, process))

    def process_state(self, state: Packed, process: int) -> ProcessState:
        """Return one process of ``state``."""
        number = state[self.first_process + process]
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
        return ProcessState(
            self.processes[process],
            status,
            operation,
            task,
            point.where,
            point.outcome,
            point.objects,
            point.mentions,
            point.submits,
        )

    def may_expire(self, state: Packed, process: int) -> bool:
        """Tell whether a time-out of ``process`` may fire, now or once nothing else can move."""
        operation = self.operation(state, process)
        if operation is None or (self.timeouts == "never" and operation.name not in _SLEEPS):
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
        """Tell whether every process that must finish has: a good end."""
        for process, number in zip(self.processes, state[self.first_process : self.first_future], strict=True):
            local = self.locals[number]
            if local.task is not None or (not process.daemon and local.status != "returned"):
                return False
        return True

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

    def idle(self, state: Packed) -> int:
        """Return, as bits, the workers without a task."""
        idle = 0
        for place in self._worker_places:
            if self.locals[state[place]].status == "idle":
                idle |= 1 << place - self.first_process
        return idle

    def same_operation(self, one: Operation, other: Operation) -> bool:
        """Tell whether two operations are the same step."""
        return operation_key(one) == operation_key(other)
