"""What operations do to mutable objects, each as a list of the ways in which it may go on."""

from __future__ import annotations

import queue
import weakref
from collections.abc import Callable
from concurrent.futures import InvalidStateError
from functools import partial
from typing import Any

from simcore.model import Process
from simcore.model.objects import Future
from simcore.model.operations import Operation, Raised
from simcore.model.spelling import has_a_set, in_one_order

Way = Callable[[], Any]


class Again(Exception):
    """The process goes on to wait for another operation before it is given anything."""


def throw(error: BaseException) -> Any:
    """Raise, where only an expression fits."""
    raise error


class Objects:
    """Dicts and lists by object; the operation ``name`` of a ``kind`` is the method ``kind_name``."""

    state: dict[Any, Any]

    @staticmethod
    def fresh(thing: Any) -> Any:
        kinds = {
            "semaphore": lambda: {"n": thing.n},
            "variable": lambda: {"value": thing.start},
            "timer": lambda: {"stage": "idle"},
        }
        make = kinds.get(thing.kind, lambda: {"owner": None, "depth": 0, "waiters": [], "items": [], "flag": False})
        return {**make(), "status": "open", "left": 0, "done": False}

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

    def lock_locked(self, process: Process, lock: Any) -> list[Way]:
        return [lambda: self.state[lock]["owner"] is not None]

    def not_owned(self, process: Process, lock: Any) -> list[Way]:
        """Return what a condition does for whoever has not got its lock, as far as a lock can tell."""
        owner = self.state[lock]["owner"]
        mine = owner == process.name or (lock.kind == "lock" and owner is not None)
        return [] if mine else [lambda: throw(RuntimeError("un-acquired lock"))]

    def condition_wait(self, process: Process, condition: Any, timeout: float | None) -> list[Way]:
        value = self.state[condition.lock]

        def wait() -> None:
            depth, value["owner"], value["depth"] = value["depth"], None, 0
            value["waiters"].append((condition.name, process.name))
            raise Again(Operation(condition, "reacquire", (depth, True), timeout))

        return self.not_owned(process, condition.lock) or [wait]

    def condition_reacquire(self, process: Process, condition: Any, depth: int, notified: bool) -> list[Way]:
        value = self.state[condition.lock]

        def own() -> bool:
            value["owner"], value["depth"] = process.name, depth
            value["waiters"][:] = [waiter for waiter in value["waiters"] if waiter != me]
            return notified

        me = (condition.name, process.name)
        waits = notified and me in value["waiters"]
        return [] if waits or value["owner"] is not None else [own]

    def condition_expire(self, process: Process, condition: Any, depth: int, notified: bool) -> list[Way]:
        waiters = self.state[condition.lock]["waiters"]

        def leave() -> None:
            raise Again(Operation(condition, "reacquire", (depth, False)))

        return [leave] if (condition.name, process.name) in waiters else []

    def condition_notify(self, process: Process, condition: Any, n: int) -> list[Way]:
        waiters = self.state[condition.lock]["waiters"]

        def wake() -> None:
            for waiter in [waiter for waiter in waiters if waiter[0] == condition.name][:n]:
                waiters.remove(waiter)

        return self.not_owned(process, condition.lock) or [wake]

    def condition_notify_all(self, process: Process, condition: Any) -> list[Way]:
        return self.condition_notify(process, condition, 99)

    def event_set(self, process: Process, event: Any) -> list[Way]:
        return [lambda: self.state[event].update(flag=True)]

    def event_clear(self, process: Process, event: Any) -> list[Way]:
        return [lambda: self.state[event].update(flag=False)]

    def event_wait(self, process: Process, event: Any) -> list[Way]:
        return [lambda: True] if self.state[event]["flag"] else []

    def event_is_set(self, process: Process, event: Any) -> list[Way]:
        return [lambda: self.state[event]["flag"]]

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

    def queue_qsize(self, process: Process, box: Any) -> list[Way]:
        return [lambda: len(self.state[box]["items"])]

    def link_send(self, process: Process, link: Any, frame: Any) -> list[Way]:
        value = self.state[link]
        if value["status"] != "open":
            why = {"recv": BrokenPipeError, "reset": ConnectionResetError}.get(value["status"], OSError)
            return [lambda: throw(why())]
        return [lambda: value["items"].append(frame)] if len(value["items"]) < link.capacity else []

    def link_recv(self, process: Process, link: Any) -> list[Way]:
        value = self.state[link]
        if value["items"]:
            return [lambda: value["items"].pop(0)]
        why = {"send": EOFError, "reset": ConnectionResetError}.get(value["status"], OSError)
        return [] if value["status"] == "open" else [lambda: throw(why())]

    def link_close(self, process: Process, link: Any, end: str) -> list[Way]:
        value = self.state[link]

        def close() -> None:
            if value["status"] in ("open", {"send": "recv", "recv": "send"}[end]):
                value["status"] = end if value["status"] == "open" else "both"
                if end == "recv":
                    value["items"].clear()

        return [close]

    def link_reset(self, process: Process, link: Any) -> list[Way]:
        return [lambda: self.state[link].update(items=[], status="reset")]

    def variable_get(self, process: Process, variable: Any) -> list[Way]:
        return [lambda: self.state[variable]["value"]]

    def variable_set(self, process: Process, variable: Any, value: Any) -> list[Way]:
        return [lambda: self.state[variable].update(value=value)]

    def variable_update(self, process: Process, variable: Any, fn: Any, args: tuple[Any, ...]) -> list[Way]:
        return self.variable_transition(process, variable, lambda value: [(fn(value, *args),) * 2], ())

    def variable_wait_for(self, process: Process, variable: Any, fn: Any, args: tuple[Any, ...]) -> list[Way]:
        return self.variable_get(process, variable) if fn(self.state[variable]["value"], *args) else []

    def variable_transition(self, process: Process, variable: Any, fn: Any, args: tuple[Any, ...]) -> list[Way]:
        """List the ways in the order of the function, or of texts where it is given a set, which has none."""
        state = self.state[variable]

        def way(new: Any, result: Any) -> Way:
            return lambda: state.update(value=new) or result

        given = [tuple(each) for each in fn(state["value"], *args)]
        if has_a_set((state["value"], args)):
            given.sort(key=in_one_order)
        return [way(new, result) for new, result in given]

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
        def shut(*before: int) -> None:
            self.state[pool].update(flag=True)
            if wait:
                raise Again(Operation(pool, "join", before))

        if process.pool is pool and wait:  # it joins so many others, and then itself
            return [partial(shut, before) for before in range(pool.workers)]
        return [shut]

    def pool_join(self, process: Process, pool: Any, *before: int) -> list[Way]:
        if self.state[pool]["left"] < (before[0] if before else pool.workers):
            return []
        return [lambda: throw(RuntimeError("cannot join current thread")) if before else None]

    def future_set_result(self, process: Process, future: Any, result: Any) -> list[Way]:
        value = self.state[future]

        def set_it() -> None:
            if value["done"]:
                raise InvalidStateError
            value.update(done=True, result=result)

        return [set_it]

    future_set_exception = future_set_result

    def future_done(self, process: Process, future: Any) -> list[Way]:
        return [lambda: self.state[future]["done"]]

    def future_exception(self, process: Process, future: Any) -> list[Way]:
        value = self.state[future]
        return [lambda: getattr(value["result"], "type", None)] if value["done"] else []

    def future_result(self, process: Process, future: Any) -> list[Way]:
        value = self.state[future]
        if not value["done"]:
            return []
        result = value["result"]
        return [lambda: throw(result.build()) if isinstance(result, Raised) else result]

    def timer_start(self, process: Process, timer: Any) -> list[Way]:
        value = self.state[timer]

        def start() -> None:
            if value["stage"] not in ("idle", "cancelled"):
                raise RuntimeError("started before")
            value["stage"] = "armed" if value["stage"] == "idle" else "stopped"

        return [start]

    def timer_cancel(self, process: Process, timer: Any) -> list[Way]:
        value = self.state[timer]
        after = {"idle": "cancelled", "armed": "stopped"}.get(value["stage"], value["stage"])
        return [lambda: value.update(stage=after)]

    def timer_armed(self, process: Process, timer: Any) -> list[Way]:
        return [lambda: None] if self.state[timer]["stage"] in ("armed", "stopped", "fired") else []

    def timer_countdown(self, process: Process, timer: Any) -> list[Way]:
        return [lambda: False] if self.state[timer]["stage"] == "stopped" else []

    def timer_fire(self, process: Process, timer: Any) -> list[Way]:
        return [lambda: self.state[timer].update(stage="fired") or True]
