"""A kernel as one would write it in an hour: live generators, mutable objects, every schedule run from its start.

It shares nothing with `simcore.kernel` but the models and the operations' names. Objects are dicts and lists; a
future that nobody but its own task refers to is noticed by a weak reference.
"""

from __future__ import annotations

import queue
import weakref
from typing import Any

from naive_objects import Again, Objects, Way, throw

from simcore.model import Model, Process
from simcore.model.operations import Operation, Raised


class Naive(Objects):
    """A run of a model along one schedule."""

    def __init__(self, model: Model, timeouts: str, schedule: list[tuple[int, int]]) -> None:
        self.model, self.timeouts = model, timeouts
        self.state: dict[Any, Any] = weakref.WeakKeyDictionary()
        for thing in model.objects:
            self.state[thing] = self.fresh(thing)
        self.live: dict[int, Any] = {}
        self.pending: dict[int, Operation | None] = {}
        self.ended: dict[int, Any] = {}
        self.task: dict[int, Any] = {}
        self.left: dict[int, float] = {}
        for process in model.processes:
            if process.pool is not None:
                self.pending[process.index] = Operation(process.pool, "take")
            else:
                self.begin(process.index, process.fn(*process.args))  # type: ignore[misc]
            self.set_clock(process.index)
        for step in schedule:
            self.take(*step)

    # ---- processes

    def begin(self, p: int, generator: Any) -> None:
        self.live[p] = generator
        self.advance(p, lambda: next(generator))

    def advance(self, p: int, go: Way) -> None:
        try:
            self.pending[p] = go()
        except StopIteration as stop:
            self.end(p, "done", stop.value)
        except Exception as error:
            self.end(p, "failed", without_tracebacks(error))

    def end(self, p: int, status: str, outcome: Any) -> None:
        self.live.pop(p)
        self.pending[p] = None
        self.ended[p] = (status, outcome)

    def settle(self) -> None:
        """Let a worker whose task has returned go on: idle when nobody can ask, else with the result to hand over."""
        for p in [p for p in self.ended if p in self.task]:
            status, outcome = self.ended[p]
            self.pending[p] = None  # an operation found earlier must not keep the future alive
            future = self.task[p][1]()
            if future is not None:
                self.pending[p] = future.set_result(outcome) if status == "done" else future.set_exception(outcome)
            elif status == "done":
                self.idle(p)
            else:  # nobody hears of the exception, and the worker goes on
                self.pending[p] = Operation(self.model.processes[p].pool, "take")

    def lost(self, p: int) -> bool:
        return p in self.ended and p in self.task and self.task[p][1]() is None

    def idle(self, p: int) -> None:
        self.ended.pop(p), self.task.pop(p)
        self.pending[p] = Operation(self.model.processes[p].pool, "take")

    def take(self, p: int, outcome: int) -> None:
        self.settle()
        process, operation = self.model.processes[p], self.pending[p]
        ways = self.ways(process, operation)
        way = (ways + self.expiries(process, operation, ways))[outcome]
        if outcome >= len(ways):
            self.pass_time(self.left[p])
        del ways, operation
        lost = self.lost(p)
        idle = process.pool is not None and (p not in self.task or lost)
        try:
            result = way()
        except Again as again:
            self.pending[p] = again.args[0]
        except Exception as error:
            self.pending[p] = None
            raised = without_tracebacks(error)
            self.advance(p, lambda: self.live[p].throw(raised))
        else:
            self.pending[p] = None
            if lost:
                self.ended.pop(p), self.task.pop(p)
            if idle:
                self.start_task(p, result)
            elif p in self.ended:
                self.idle(p)
            else:
                self.advance(p, lambda: self.live[p].send(result))
        self.set_clock(p)

    # ---- time

    def set_clock(self, p: int) -> None:
        """Note how many seconds ``p`` has left, which has just begun to wait."""
        self.left.pop(p, None)
        operation = self.pending[p]
        if operation is not None and operation.timeout is not None:
            self.left[p] = round(operation.timeout, 9)

    def pass_time(self, seconds: float) -> None:
        self.left = {p: round(left - seconds, 9) for p, left in self.left.items()}

    def start_task(self, p: int, task: Any) -> None:
        if task == "leave":
            self.ended[p] = ("done", None)
            return
        fn, args, future = task
        self.task[p] = (fn, future, args)
        self.begin(p, fn(*args))

    # ---- what may happen

    def enabled(self) -> list[tuple[int, int]]:
        self.settle()
        moves, timed = [], []
        for process in self.model.processes:
            ways = self.ways(process, self.pending[process.index])
            moves += [(process.index, n) for n in range(len(ways))]
            timed += [(process.index, n) for n in range(len(ways), len(ways) + len(self.late(process)))]
        if self.timeouts == "in_order":
            nearest = 0 if moves else min((self.left[p] for p, _ in timed), default=0)
            return moves + [(p, n) for p, n in timed if self.left[p] <= nearest]
        return moves + (timed if self.timeouts == "anytime" or not moves else [])

    def late(self, process: Process) -> list[Way]:
        """Return what happens when time has run out for ``process``, if the rule lets that happen."""
        operation = self.pending[process.index]
        sleeps = operation is not None and operation.name in ("sleep", "countdown")
        if self.timeouts == "never" and not sleeps:
            return []
        return self.expiries(process, operation, self.ways(process, operation))

    def ways(self, process: Process, operation: Operation | None) -> list[Way]:
        if operation is None:
            return []
        thing = operation.target
        kind = "lock" if thing.kind == "rlock" else thing.kind
        ways = list(getattr(self, f"{kind}_{operation.name}")(process, thing, *operation.args))
        return ways or (self.gives_up(process, operation) if operation.timeout == 0 else [])

    def expiries(self, process: Process, operation: Operation | None, ways: list[Way]) -> list[Way]:
        return [] if operation is None or operation.timeout is None or ways else self.gives_up(process, operation)

    def gives_up(self, process: Process, operation: Operation) -> list[Way]:
        thing, name = operation.target, operation.name
        if name == "reacquire":
            return self.condition_expire(process, thing, *operation.args)
        if name == "countdown":
            return self.timer_fire(process, thing)
        if name in ("acquire", "wait"):
            return [lambda: False]
        if name in ("sleep", "wait_for"):
            return [lambda: None]
        return [lambda: throw({"get": queue.Empty, "put": queue.Full}.get(name, TimeoutError)())]

    # ---- what there is to compare

    def picture(self) -> dict[str, Any]:
        """Return values and processes by name, as `picture_of` does for a kernel's state."""
        self.settle()
        shown: dict[str, Any] = {}
        for thing in self.model.objects:
            value = self.state[thing]
            shown[thing.name] = {
                "lock": lambda v=value: (v["owner"], v["depth"], tuple(v["waiters"])),
                "rlock": lambda v=value: (v["owner"], v["depth"], tuple(v["waiters"])),
                "event": lambda v=value: v["flag"],
                "semaphore": lambda v=value: v["n"],
                "queue": lambda v=value: tuple(v["items"]),
                "link": lambda v=value: (tuple(v["items"]), v["status"]),
                "variable": lambda v=value: v["value"],
                "timer": lambda v=value: v["stage"],
                "future": lambda v=value: v["done"],
                "pool": lambda v=value: (
                    tuple((fn.__name__, args) for fn, args, _ in v["items"]),
                    v["flag"],
                    v["left"],
                ),
                "local": lambda: None,
            }[thing.kind]()
        for process in self.model.processes:
            p = process.index
            name = self.pending[p].name if self.pending[p] is not None else "ended"  # type: ignore[union-attr]
            outcome = self.ended.get(p, ("", None))[1]
            outcome = type(outcome).__name__ if isinstance(outcome, Exception) else outcome
            returned = p in self.ended and not isinstance(self.ended[p][1], Exception)  # nobody reads what it was
            task = self.task[p][0].__name__ if p in self.task and not returned else None
            shown[process.name] = (name, outcome if p in self.ended and p not in self.task else None, task)
        return shown


def without_tracebacks(error: Exception) -> Exception:
    """Cut an exception loose from frames, whose locals would keep futures alive that nobody can ask for."""
    inner: BaseException | None = error
    while inner is not None:
        inner.__traceback__, inner = None, inner.__context__
    return error


def picture_of(kernel: Any, state: Any) -> dict[str, Any]:
    """Return values and processes by name."""
    view = kernel.view(state)
    shown: dict[str, Any] = {}
    for thing in kernel.model.objects:
        value = view.values[thing]
        shown[thing.name] = {
            "lock": lambda v=value: (v.owner and v.owner.name, v.depth, tuple((n, p.name) for n, p in v.waiters)),
            "rlock": lambda v=value: (v.owner and v.owner.name, v.depth, tuple((n, p.name) for n, p in v.waiters)),
            "link": lambda v=value: tuple(v),
            "future": lambda v=value: v.done,
            "pool": lambda v=value: (tuple((task.fn.__name__, task.args) for task in v.tasks), v.shut, v.left),
        }.get(thing.kind, lambda v=value: v)()
    for process in view.processes:
        name = process.operation.name if process.operation is not None else "ended"
        outcome = process.result
        if isinstance(outcome, Raised):
            outcome = outcome.type.__name__
        ended = process.operation is None
        task = process.task.fn.__name__ if process.task is not None and process.task.fn is not None else None
        shown[process.name] = (name, outcome if ended and task is None else None, task)
    return shown
