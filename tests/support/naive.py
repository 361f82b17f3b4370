"""A kernel as one would write it in an hour: live generators, mutable objects, every schedule run from its start.

It shares nothing with `simcore.kernel` but the models and the operations' names. Objects are dicts and lists; a
future that nobody but its own task refers to is noticed by a weak reference.
"""

from __future__ import annotations

import queue
import weakref
from collections.abc import Callable
from concurrent.futures import InvalidStateError
from typing import Any

from simcore.model import Model, Process
from simcore.model.objects import Future
from simcore.model.operations import Operation, Raised

Way = Callable[[], Any]


class Again(Exception):
    """The process goes on to wait for another operation before it is given anything."""


class Naive:
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
        for process in model.processes:
            if process.pool is not None:
                self.pending[process.index] = process.pool.take()
            else:
                self.begin(process.index, process.fn(*process.args))  # type: ignore[misc]
        for step in schedule:
            self.take(*step)

    @staticmethod
    def fresh(thing: Any) -> Any:
        kinds = {"semaphore": lambda: {"n": thing.n}, "variable": lambda: {"value": thing.value}}
        make = kinds.get(thing.kind, lambda: {"owner": None, "depth": 0, "waiters": [], "items": [], "flag": False})
        return {**make(), "status": "open", "left": 0, "done": False}

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
                self.pending[p] = self.model.processes[p].pool.take()  # type: ignore[union-attr]

    def lost(self, p: int) -> bool:
        return p in self.ended and p in self.task and self.task[p][1]() is None

    def idle(self, p: int) -> None:
        self.ended.pop(p), self.task.pop(p)
        self.pending[p] = self.model.processes[p].pool.take()  # type: ignore[union-attr]

    def take(self, p: int, outcome: int) -> None:
        self.settle()
        process, operation = self.model.processes[p], self.pending[p]
        ways = self.ways(process, operation)
        way = (ways + self.expiries(process, operation, ways))[outcome]
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

    def start_task(self, p: int, task: Any) -> None:
        if task == "leave":
            self.ended[p] = ("done", None)
            return
        fn, args, future = task
        self.task[p] = (fn, future)
        self.begin(p, fn(*args))

    # ---- what may happen

    def enabled(self) -> list[tuple[int, int]]:
        self.settle()
        moves, timed = [], []
        for process in self.model.processes:
            operation = self.pending[process.index]
            ways = self.ways(process, operation)
            moves += [(process.index, n) for n in range(len(ways))]
            if self.timeouts != "never" or (operation is not None and operation.name == "sleep"):
                expiries = self.expiries(process, operation, ways)
                timed += [(process.index, len(ways) + n) for n in range(len(expiries))]
        return moves + (timed if self.timeouts == "anytime" or not moves else [])

    def ways(self, process: Process, operation: Operation | None) -> list[Way]:
        if operation is None:
            return []
        thing = operation.target
        kind = "lock" if thing.kind == "rlock" else thing.kind
        return list(getattr(self, f"{kind}_{operation.name}")(process, thing, *operation.args))

    def expiries(self, process: Process, operation: Operation | None, ways: list[Way]) -> list[Way]:
        if operation is None or operation.timeout is None or ways:
            return []
        thing, name = operation.target, operation.name
        if name == "reacquire":
            return self.condition_expire(process, thing, *operation.args)
        if name in ("acquire", "wait"):
            return [lambda: False]
        if name == "sleep":
            return [lambda: None]
        return [lambda: throw({"get": queue.Empty, "put": queue.Full}.get(name, TimeoutError)())]

    # ---- objects

    def process_sleep(self, *_: Any) -> list[Way]:
        return []

    def local_sleep(self, *_: Any) -> list[Way]:
        return []

    def local_choose(self, process: Process, thing: Any, *options: Any) -> list[Way]:
        return [lambda option=option: option for option in options]

    def lock_acquire(self, process: Process, lock: Any, blocking: bool) -> list[Way]:
        value = self.state[lock]

        def own() -> bool:
            value["owner"] = process.name
            value["depth"] += 1
            return True

        if value["owner"] is None or (lock.kind == "rlock" and value["owner"] == process.name):
            return [own]
        return [] if blocking else [lambda: False]

    def lock_release(self, process: Process, lock: Any) -> list[Way]:
        value = self.state[lock]

        def free() -> None:
            if value["owner"] is None or (lock.kind == "rlock" and value["owner"] != process.name):
                raise RuntimeError("release")
            value["depth"] -= 1
            if value["depth"] == 0:
                value["owner"] = None

        return [free]

    def condition_wait(self, process: Process, condition: Any, timeout: float | None) -> list[Way]:
        value = self.state[condition.lock]

        def wait() -> None:
            depth, value["owner"], value["depth"] = value["depth"], None, 0
            value["waiters"].append((condition.name, process.name))
            raise Again(Operation(condition, "reacquire", (depth, True), timeout))

        return [wait]

    def condition_reacquire(self, process: Process, condition: Any, depth: int, notified: bool) -> list[Way]:
        value = self.state[condition.lock]

        def own() -> bool:
            value["owner"], value["depth"] = process.name, depth
            return notified

        waits = (condition.name, process.name) in value["waiters"]
        return [] if waits or value["owner"] is not None else [own]

    def condition_expire(self, process: Process, condition: Any, depth: int, notified: bool) -> list[Way]:
        waiters = self.state[condition.lock]["waiters"]

        def leave() -> None:
            waiters.remove((condition.name, process.name))
            raise Again(Operation(condition, "reacquire", (depth, False)))

        return [leave] if (condition.name, process.name) in waiters else []

    def condition_notify(self, process: Process, condition: Any, n: int) -> list[Way]:
        waiters = self.state[condition.lock]["waiters"]

        def wake() -> None:
            for waiter in [waiter for waiter in waiters if waiter[0] == condition.name][:n]:
                waiters.remove(waiter)

        return [wake]

    def condition_notify_all(self, process: Process, condition: Any) -> list[Way]:
        return self.condition_notify(process, condition, 99)

    def event_set(self, process: Process, event: Any) -> list[Way]:
        return [lambda: self.state[event].update(flag=True)]

    def event_clear(self, process: Process, event: Any) -> list[Way]:
        return [lambda: self.state[event].update(flag=False)]

    def event_wait(self, process: Process, event: Any) -> list[Way]:
        return [lambda: True] if self.state[event]["flag"] else []

    def semaphore_acquire(self, process: Process, semaphore: Any, blocking: bool) -> list[Way]:
        value = self.state[semaphore]
        if value["n"]:
            return [lambda: value.update(n=value["n"] - 1) or True]
        return [] if blocking else [lambda: False]

    def semaphore_release(self, process: Process, semaphore: Any, n: int) -> list[Way]:
        value = self.state[semaphore]
        return [lambda: value.update(n=value["n"] + n)]

    def queue_put(self, process: Process, box: Any, item: Any, block: bool) -> list[Way]:
        items = self.state[box]["items"]
        if box.capacity is None or len(items) < box.capacity:
            return [lambda: items.append(item)]
        return [] if block else [lambda: throw(queue.Full())]

    def queue_get(self, process: Process, box: Any, block: bool) -> list[Way]:
        items = self.state[box]["items"]
        if items:
            return [lambda: items.pop(0)]
        return [] if block else [lambda: throw(queue.Empty())]

    def link_send(self, process: Process, link: Any, frame: Any) -> list[Way]:
        value = self.state[link]
        if value["status"] != "open":
            return [lambda: throw(OSError())]
        return [lambda: value["items"].append(frame)] if len(value["items"]) < link.capacity else []

    def link_recv(self, process: Process, link: Any) -> list[Way]:
        value = self.state[link]
        if value["items"]:
            return [lambda: value["items"].pop(0)]
        return [] if value["status"] == "open" else [lambda: throw(EOFError())]

    def link_close(self, process: Process, link: Any, end: str) -> list[Way]:
        return [lambda: self.state[link].update(status=end)]

    def variable_get(self, process: Process, variable: Any) -> list[Way]:
        return [lambda: self.state[variable]["value"]]

    def variable_set(self, process: Process, variable: Any, value: Any) -> list[Way]:
        return [lambda: self.state[variable].update(value=value)]

    def variable_transition(self, process: Process, variable: Any, fn: Any, args: tuple[Any, ...]) -> list[Way]:
        state = self.state[variable]

        def way(new: Any, result: Any) -> Way:
            return lambda: state.update(value=new) or result

        return [way(new, result) for new, result in fn(state["value"], *args)]

    def pool_submit(self, process: Process, pool: Any, fn: Any, args: tuple[Any, ...]) -> list[Way]:
        value = self.state[pool]

        def submit() -> Future:
            if value["flag"]:
                raise RuntimeError("shut down")
            future = Future("made")
            self.state[future] = self.fresh(future)
            value["items"].append((fn, args, weakref.ref(future)))
            return future

        return [submit]

    def pool_take(self, process: Process, pool: Any) -> list[Way]:
        value = self.state[pool]
        if value["items"]:
            return [lambda: value["items"].pop(0)]
        return [lambda: value.update(left=value["left"] + 1) or "leave"] if value["flag"] else []

    def pool_shutdown(self, process: Process, pool: Any, wait: bool) -> list[Way]:
        def shut() -> None:
            self.state[pool].update(flag=True)
            if wait:
                raise Again(Operation(pool, "join"))

        return [shut]

    def pool_join(self, process: Process, pool: Any) -> list[Way]:
        return [lambda: None] if self.state[pool]["left"] == pool.workers else []

    def future_set_result(self, process: Process, future: Any, result: Any) -> list[Way]:
        value = self.state[future]

        def set_it() -> None:
            if value["done"]:
                raise InvalidStateError
            value.update(done=True, result=result)

        return [set_it]

    future_set_exception = future_set_result

    def future_result(self, process: Process, future: Any) -> list[Way]:
        value = self.state[future]
        if not value["done"]:
            return []
        result = value["result"]
        return [lambda: throw(result.build()) if isinstance(result, Raised) else result]

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
            task = self.task[p][0].__name__ if p in self.task else None
            shown[process.name] = (name, outcome if p in self.ended and p not in self.task else None, task)
        return shown


def without_tracebacks(error: Exception) -> Exception:
    """Cut an exception loose from frames, whose locals would keep futures alive that nobody can ask for."""
    inner: BaseException | None = error
    while inner is not None:
        inner.__traceback__, inner = None, inner.__context__
    return error


def throw(error: BaseException) -> Any:
    """Raise, where only an expression fits."""
    raise error


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
        task = process.task.fn.__name__ if process.task is not None else None
        shown[process.name] = (name, outcome if ended and task is None else None, task)
    return shown
