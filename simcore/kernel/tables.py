"""What a kernel has learned, as tables; an entry is filled in when it is first needed and never changes.

Object values, and each process's own part of a state (its program point and, for a worker, its task), are interned: a
small integer for each that was ever met. What an operation does is learned once for each pair of such integers, by
calling the object's pure function and by advancing the one process.

A future made by a submit takes the lowest free place. It is dropped, and its place free again, as soon as no program
point and no value mentions it: only steps that lose the last mention somewhere pay for that check, and which steps
those are is part of the learned entry. Its own task mentions it weakly, so a task whose result nobody can ask for
ends together with its last operation. A submit whose future nobody can ask for from the start makes none.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, NamedTuple

from simcore.errors import ModelError
from simcore.kernel.journal import Journal, lesson
from simcore.kernel.orders import check_outcomes
from simcore.kernel.point import Point
from simcore.kernel.process import Points
from simcore.kernel.tasks import FrozenTasks
from simcore.model import Model, Process
from simcore.model.objects import LEAVE, Future, Task, ThreadPool
from simcore.model.operations import Operation, Outcomes, Raised, SharedObject, Value

Packed = tuple[int, ...]
"""A global state."""

FREE = 0
"""The value of a future's place that is not in use."""

_NO_VALUE = object()  # the key of FREE, which no value that a model has can be equal to


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


class Applied(NamedTuple):
    """What an operation that looks inside values does at one value."""

    process: Process
    operation: Operation
    value: int
    outcomes: Outcomes


class Effect(NamedTuple):
    """What was learned: that ``process``, in ``local``, at ``value`` of its target, can make ``move``.

    Where the move's position is -1 the process does nothing: it only loses the future of its task.
    """

    process: int
    local: int
    value: int
    move: Move


class Local(NamedTuple):
    """A process's own part of a state: its point, and for a worker the future of its task (weakly)."""

    point: Point | None
    task: Task | None
    status: str


def without_future(value: Any, future: Future) -> Any:
    """Return what is left of a pool's value without a future."""
    tasks = value.tasks
    for at in reversed(range(len(tasks))):  # mostly the last, and there is one
        if tasks[at].future is future:
            return value._replace(tasks=(*tasks[:at], tasks[at]._replace(future=None), *tasks[at + 1 :]))
    return value


def lost(local: Local) -> bool:
    """Tell whether a worker's task has died of an exception that nobody can ask for."""
    return local.status == "failed" and local.task is not None and local.task.future is None


def _sets(operation: Operation | None) -> SharedObject | None:
    """Return the future that an operation sets; None for all others."""
    return operation.target if operation is not None and operation.name in ("set_result", "set_exception") else None


class Known(NamedTuple):
    """What is known of a process's own part of a state, for whoever keeps it in other tables."""

    operation: Operation | None
    status: str
    in_task: bool
    failed: bool
    future: int
    """Number of the future that its task sets; -1 for none."""
    futures: frozenset[int]
    """Numbers of the futures made by submits that it mentions."""


def unlimited() -> None:
    """Let everything take as long as it takes."""


class Tables:
    """The interned values and processes of one model, and the learned effects of operations on them.

    Parameters
    ----------
    model : Model
        Built once; changing it afterwards has no effect here.
    hidden : SharedObject
        What a kernel keeps beside the model's objects.

    Attributes
    ----------
    look : function
        Called before anything is learned, and when what follows a state is asked (`journal.py`); one that raises ends
        that.
    """

    def __init__(self, model: Model, *hidden: SharedObject) -> None:
        if not model.processes:
            raise ModelError(f"model {model.name!r} has no process; add one with model.process(name, fn, *args)")
        self.model = model
        self.objects = [*model.objects, *hidden]
        self.processes = list(model.processes)
        self.first_process = len(self.objects)
        self.first_future = self.first_process + len(self.processes)
        self.points = Points(*((process.fn, process.args) for process in self.processes), *model.objects)
        self._futures: list[Future] = []
        self._places: dict[SharedObject, int] = {}
        self.values: list[Any] = [None]
        self._value_ids: dict[Hashable, int] = {_NO_VALUE: FREE}
        self._tasks = FrozenTasks(self.points.outside)
        self._value_futures: list[frozenset[int]] = [frozenset()]
        self.value_processes: list[frozenset[Process]] = [frozenset()]
        self.locals: list[Local] = []
        self._local_ids: dict[Hashable, int] = {}
        self._local_futures: list[frozenset[int]] = []
        self._operations: list[Operation | None] = []
        self._targets: list[int] = []
        self._mentioning_locals: list[set[int]] = []
        self._mentioning_values: list[set[int]] = []
        self._task_futures: list[int] = []
        self.by_hand = False
        """Whether anybody but the worker of a task was seen to be about to set the future of a submit."""
        self._failed: set[int] = set()
        self.effects: list[Effect] = []
        self.journal: Journal | None = None
        self.look: Callable[[], None] = unlimited
        self._moves: list[dict[tuple[int, int], tuple[Move, ...]]] = [{} for _ in self.processes]
        self._creating: list[dict[tuple[int, int, int], tuple[Move, ...]]] = [{} for _ in self.processes]
        self._expiries: list[dict[tuple[int, int], tuple[Move, ...]]] = [{} for _ in self.processes]

    def _initial(self) -> Packed:
        values = [self.intern_value(thing.initial) for thing in self.objects]
        self._pending = self.intern_value(Future("pending").initial)
        locals_ = []
        for process in self.processes:
            if process.fn is None:  # a worker
                locals_.append(self.intern_local(Local(None, None, "idle"), process))
            else:
                point = self.points.start(process.name, process.fn, process.args)
                locals_.append(self.intern_local(self._settled(process, point, None), process))
        return (*values, *locals_)

    @lesson
    def learn_moves(self, process: int, local: int, value: int, fresh: int) -> tuple[Move, ...]:
        """Learn what a process in ``local`` does at ``value``; its future, if it makes one, is number ``fresh``."""
        operation = self._operations[local]
        assert operation is not None
        created = (self.future(fresh),) if fresh >= 0 else ()
        outcomes = operation.target.outcomes(self.values[value], operation, self.processes[process], *created)
        if operation.target.looks_inside(operation):
            self.points.learned.append(Applied(self.processes[process], operation, value, outcomes))
            if self.points.orders:
                check_outcomes(self.processes[process], operation, self.values[value], outcomes)
        if not outcomes and operation.timeout == 0:  # a try, not a wait: no rule for time-outs may delay it
            outcomes = operation.target.expired(self.values[value], operation, self.processes[process])
        moves = self._moves_of(process, local, value, outcomes, fresh)
        if any(move.created >= 0 for move in moves):
            self._creating[process][local, value, fresh] = moves
        else:  # whatever the lowest free place is
            self._moves[process][local, value] = moves
        return moves

    @lesson
    def learn_expiry(self, process: int, local: int, value: int, waits: bool) -> tuple[Move, ...]:
        """Learn what the time-out of a process in ``local`` does at ``value``: nothing, unless it waits there."""
        operation = self._operations[local]
        assert operation is not None
        moves: tuple[Move, ...] = ()
        if waits:
            outcomes = operation.target.expired(self.values[value], operation, self.processes[process])
            moves = self._moves_of(process, local, value, outcomes, -1)
        self._expiries[process][local, value] = moves
        return moves

    def _moves_of(self, process: int, local: int, value: int, outcomes: Outcomes, created: int) -> tuple[Move, ...]:
        moves = []
        for outcome in outcomes:
            new, made = outcome.value, created
            new_local = self._advance(self.processes[process], local, outcome.result)
            if made >= 0 and made not in self._local_futures[new_local]:  # nobody can ask for it: no state shows it
                new, made = without_future(new, self._futures[made]), -1
            new_value = self.intern_value(new)
            before = self._local_futures[local] | self._value_futures[value]
            after = self._local_futures[new_local] | self._value_futures[new_value]
            moves.append(Move(self._targets[local], new_value, new_local, tuple(sorted(before - after)), made))
        self.effects += [Effect(process, local, value, move) for move in moves]
        return tuple(moves)

    def _advance(self, process: Process, local: int, result: Any) -> int:
        point, task, status = self.locals[local]
        if point is None or lost(self.locals[local]):  # an idle worker
            if result == LEAVE:
                return self.intern_local(Local(None, None, "done"), process)
            if not isinstance(result, Task):
                raise ModelError(f"{process}: a pool worker was given {result}")
            task, point = result, self.points.begin(result)
        elif status == "ready":
            point = self.points.advance(point, result)
        else:  # its result has been handed to its future
            return self.intern_local(Local(None, None, "dying" if isinstance(result, Raised) else "idle"), process)
        return self.intern_local(self._settled(process, point, task), process)

    def _settled(self, process: Process, point: Point, task: Task | None) -> Local:
        """A task that has ended leaves its worker idle if nobody can ask for its result; SystemExit ends a thread."""
        if task is not None and point.status == "returned":
            if task.future is None:
                return Local(None, None, "idle")
            task = Task(None, (), task.future)
        exits = task is None and point.status == "failed" and issubclass(point.outcome.type, SystemExit)
        return Local(point, task, "returned" if exits else point.status)

    def target_of(self, state: Packed, process: int) -> int:
        """Return the position in ``state`` of what ``process`` is about to act on; -1 when it has ended."""
        return self._targets[state[self.first_process + process]]

    def _operation(self, local: Local, process: Process) -> Operation | None:
        point, task, status = local
        pool: ThreadPool = process.pool  # type: ignore[assignment]  # asked of workers alone
        if point is None:
            return {"idle": pool.taking, "dying": pool.dying}.get(status)
        if status == "ready":
            return point.operation
        if task is None:
            return None
        if task.future is None:
            return pool.taking  # nobody hears of the exception: the worker goes on, as an executor's does
        future: Future = task.future
        return future.set_exception(point.given) if status == "failed" else future.set_result(point.given)

    def intern_local(self, local: Local, process: Process) -> int:
        """Return the integer that stands for a process's own part of a state."""
        task_key = None if local.task is None else (local.task.future, local.task.fn, local.task.args)
        pool = process.pool if local.point is None or lost(local) else None
        key = (local.point, task_key, local.status, pool)
        number = self._local_ids.get(key)
        if number is None:
            number = self._local_ids[key] = len(self.locals)
            operation = self._operation(local, process)
            if local.status == "failed" and (local.task is None or lost(local)):
                self._failed.add(number)
            self.locals.append(local)
            self._operations.append(operation)
            self._targets.append(-1 if operation is None else self._place(operation.target))
            self.by_hand = self.by_hand or (local.status == "ready" and _sets(operation) in self._places)
            self._note_futures(number, local)
        return number

    def _note_futures(self, number: int, local: Local) -> None:
        task, mentioned = local.task, local.point.objects if local.point is not None else frozenset()
        self._local_futures.append(self._numbers_made(mentioned))
        for future in self._local_futures[number]:
            self._mentioning_locals[future].add(number)
        own = -1 if task is None or task.future is None else self._places[task.future] - self.first_future
        self._task_futures.append(own)

    def intern_value(self, value: Value) -> int:
        """Return the integer that stands for ``value``."""
        key, freezers = self._tasks.freeze(value)
        number = self._value_ids.get(key)
        if number is None:
            number = self._value_ids[key] = len(self.values)
            self.values.append(value)
            things: set[SharedObject] = set().union(*(freezer.objects for freezer in freezers))
            self._value_futures.append(self._numbers_made(things))
            for future in self._value_futures[number]:
                self._mentioning_values[future].add(number)
            self.value_processes.append(frozenset[Process]().union(*(freezer.processes for freezer in freezers)))
        return number

    def future(self, place: int) -> Future:
        """Return the future that stands in a place for such, counted from 0."""
        while len(self._futures) <= place:
            future = Future(f"future#{len(self._futures)}")
            self._places[future] = self.first_future + len(self._futures)
            self._futures.append(future)
            self._mentioning_locals.append(set())
            self._mentioning_values.append(set())
        return self._futures[place]

    @property
    def futures(self) -> int:
        """Places for futures that submits have made, so far."""
        return len(self._futures)

    def number_of(self, future: SharedObject) -> int | None:
        """Return the place of a future that a submit has made; None for everything else."""
        place = self._places.get(future)
        return None if place is None else place - self.first_future

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

    # ---- for other tables ------------------------------------------------------------------------------

    @property
    def pending(self) -> int:
        """The value of a future that is not set."""
        return self._pending

    def known(self, local: int) -> Known:
        """Return what is known of a process's own part of a state."""
        _, task, status = self.locals[local]
        failed, futures = local in self._failed, self._local_futures[local]
        return Known(self._operations[local], status, task is not None, failed, self._task_futures[local], futures)

    def futures_in(self, value: int) -> frozenset[int]:
        """Return the numbers of the futures made by submits that a value mentions."""
        return self._value_futures[value]
