"""Small random systems, as text that a token can carry.

A description is a dictionary of plain lists: how many objects of which kind, and for each process and task a
body of instructions, which one generator function interprets. `system` builds the model of a description, so
that a schedule of a generated system has a token like any other.
"""

from __future__ import annotations

import json
from concurrent.futures import InvalidStateError
from queue import Empty, Full
from typing import Any, NamedTuple

from hypothesis import strategies as st

from simcore import Model, choose, sleep

SECONDS = 0.02
"""Of every time-out and sleep: they must pass in real runs too."""


class Program(NamedTuple):
    """A body of instructions with the objects in their places."""

    name: str
    body: tuple[Any, ...]

    def __str__(self) -> str:
        return self.name


def run(program):
    """What every process and every task does."""
    yield from interpret(program.body)
    return program.name


def interpret(body):
    """Carry out the instructions one after the other; giving up, or coming too late, is no failure."""
    future = None
    for instruction in body:
        try:
            match instruction:
                case "lock", lock, timeout, inner:
                    if (yield lock.acquire(timeout=timeout)):
                        yield from interpret(inner)
                        yield lock.release()
                case "repeat", times, inner:
                    for _ in range(times):
                        yield from interpret(inner)
                case "choose", *bodies:
                    yield from interpret(bodies[(yield choose(*range(len(bodies))))])
                case "submit", pool, program:
                    future = yield pool.submit(run, program)
                case "result", timeout:
                    if future is not None:
                        yield future.result(timeout=timeout)
                case "set by hand":
                    if future is not None:
                        yield future.set_result("by hand")
                case "set_result", promise:
                    yield promise.set_result("set")
                case "await", promise, timeout:
                    yield promise.result(timeout=timeout)
                case "put", queue, item, timeout:
                    yield queue.put(item, timeout=timeout)
                case "get", queue, timeout:
                    yield queue.get(timeout=timeout)
                case "set", event:
                    yield event.set()
                case "clear", event:
                    yield event.clear()
                case "wait", event, timeout:
                    yield event.wait(timeout=timeout)
                case "acquire", semaphore, timeout:
                    yield semaphore.acquire(timeout=timeout)
                case "release", semaphore:
                    yield semaphore.release()
                case "answer", queue, inboxes:
                    while True:
                        item = yield queue.get()
                        if item in inboxes:
                            yield inboxes[item].put("answer")
                case "sleep", seconds:
                    yield sleep(seconds)
                case "count", variable:
                    yield variable.update(_following)
                case "reset", variable:
                    yield variable.set(0)
                case "until", variable, number, timeout:
                    yield variable.wait_for(_is, number, timeout=timeout)
                case "when", variable, inner:
                    if (yield variable.get()):
                        yield from interpret(inner)
                case "await notice", condition, timeout:
                    yield condition.acquire()
                    yield condition.wait(timeout=timeout)
                    yield condition.release()
                case "notify", condition, everybody:
                    yield condition.acquire()
                    yield condition.notify_all() if everybody else condition.notify()
                    yield condition.release()
                case "start", timer:
                    yield timer.start()
                case "cancel", timer:
                    yield timer.cancel()
                case "shutdown", pool, wait:
                    yield pool.shutdown(wait)
                case _:
                    raise NotImplementedError(instruction)
        except (Full, Empty, TimeoutError, InvalidStateError):
            pass
        except RuntimeError:  # the pool is shut down, or the timer was started before
            pass


def _following(number):
    return (number + 1) % 3


def _is(value, number):
    return value == number


def system(description: str) -> Model:
    """Build the model of a description, which is JSON; see `descriptions`."""
    told = json.loads(description)
    model = Model("generated system")
    things = {
        "lock": [model.lock(f"lock{i}") for i in range(told["lock"])],
        "event": [model.event(f"event{i}") for i in range(told["event"])],
        "future": [model.future(f"promise{i}") for i in range(told["future"])],
        "semaphore": [model.semaphore(f"semaphore{i}", n) for i, n in enumerate(told["semaphore"])],
        "queue": [model.queue(f"queue{i}", capacity) for i, capacity in enumerate(told["queue"])],
        "pool": [model.thread_pool(f"pool{i}", workers) for i, workers in enumerate(told["pool"])],
    }
    things["variable"] = [model.variable(f"variable{i}", 0) for i in range(told.get("variable", 0))]
    things["condition"] = [model.condition(f"condition{i}") for i in range(told.get("condition", 0))]
    tasks: list[Program] = []
    for i, body in enumerate(told["tasks"]):
        tasks.append(Program(f"task{i}", _placed(body, things, tasks)))
    timers = range(told.get("timer", 0))
    things["timer"] = [model.timer(f"timer{i}", SECONDS, run, tasks[0]) for i in timers]
    for i, body in enumerate(told["processes"]):
        model.process(f"process{i}", run, Program(f"body{i}", _placed(body, things, tasks)))
    if "clients" in told:
        _add_clients(model, told["clients"], things, tasks)
    return model


def _add_clients(model: Model, told: dict[str, Any], things: dict[str, list[Any]], tasks: list[Program]) -> None:
    """Add processes that differ in their names alone, an inbox for each, and who answers those that send their name."""
    names = model.indices("client", told["number"])
    inbox = {name: model.queue(f"inbox of {name}") for name in names}
    desk = model.queue("desk", told["capacity"])
    for name in names:
        own = {"inbox": inbox[name], "desk": desk, "name": name}
        own["task"] = Program(f"task of {name}", (("put", inbox[name], name, None), ("put", desk, 0, None)))
        if "helper" in told:
            own["mail"] = model.queue(f"mail of {name}")
            program = Program(f"help for {name}", _owned(told["helper"], own, things, tasks))
            model.process(f"helper of {name}", run, program, daemon=True)
        model.process(name, run, Program(f"body of {name}", _owned(told["body"], own, things, tasks)))
    model.process("server", run, Program("answers", (("answer", desk, inbox),)), daemon=True)


def _owned(body: list[Any], own: dict[str, Any], things: dict[str, list[Any]], tasks: list[Program]) -> tuple[Any, ...]:
    """Put into their places what a client has of its own, and the objects."""
    return _placed([[own.get(p, p) if isinstance(p, str) else p for p in one] for one in body], things, tasks)


_KINDS = {
    "lock": "lock",
    "set_result": "future",
    "await": "future",
    "put": "queue",
    "get": "queue",
    "set": "event",
    "clear": "event",
    "wait": "event",
    "acquire": "semaphore",
    "release": "semaphore",
    "submit": "pool",
    "shutdown": "pool",
    "count": "variable",
    "reset": "variable",
    "until": "variable",
    "when": "variable",
    "await notice": "condition",
    "notify": "condition",
    "start": "timer",
    "cancel": "timer",
}
"""On what kind of object an instruction works, where it works on one."""


def _placed(body: list[Any], things: dict[str, list[Any]], tasks: list[Program]) -> tuple[Any, ...]:
    """Put the objects into the places of their numbers; what a client has of its own is there already."""
    return tuple(_placed_one(name, arguments, things, tasks) for name, *arguments in body)


def _placed_one(name: str, arguments: list[Any], things: dict[str, list[Any]], tasks: list[Program]) -> tuple[Any, ...]:
    placed = [_placed(a, things, tasks) if isinstance(a, list) else a for a in arguments]
    if name in _KINDS and isinstance(placed[0], int):
        placed[0] = things[_KINDS[name]][placed[0]]
    if name == "submit" and isinstance(placed[1], int):
        placed[1] = tasks[placed[1]]
    return (name, *placed)


# ---- drawing descriptions ----------------------------------------------------------------------------------


@st.composite
def descriptions(
    draw: st.DrawFn, *, timed: bool = True, longest: int = 4, clients: bool = False, every_kind: bool = False
) -> str:
    """Draw a system of two to four processes, as the text that `system` takes.

    Parameters
    ----------
    timed : bool
        Whether waits may have time-outs, and processes may sleep.
    longest : int
        Instructions in a body, at most; a loop runs twice.
    clients : bool
        Whether two or three of the processes differ in the index that is their name alone; with ``every_kind`` they may
        have helpers who wait for them.
    every_kind : bool
        Whether there may be variables, conditions and timers, pools may be shut down, and futures of tasks set by hand.
    """
    told: dict[str, Any] = {
        "lock": draw(st.integers(0, 2)),
        "event": draw(st.integers(0, 1)),
        "future": draw(st.integers(0, 1)),
        "semaphore": draw(st.lists(st.integers(0, 2), max_size=1)),
        "queue": draw(st.lists(st.none() | st.integers(1, 2), max_size=2)),
        "pool": draw(st.lists(st.integers(1, 2), max_size=2)),
        "tasks": [],
    }
    seldom = st.sampled_from([0, 0, 1])
    if every_kind:
        told |= {"variable": draw(seldom), "condition": draw(seldom), "shutdown": draw(seldom)}
    for _ in range(draw(st.integers(1, 2)) if told["pool"] else 0):
        told["tasks"].append(draw(_bodies(told, timed, 2)))
    if every_kind and told["tasks"]:
        told |= {"timer": draw(seldom), "by_hand": draw(seldom)}
    most = 1 if clients else 4
    told["processes"] = draw(st.lists(_bodies(told, timed, longest), min_size=0 if clients else 2, max_size=most))
    if clients:
        told["clients"] = {
            "number": draw(st.integers(2, 3)),
            "capacity": draw(st.sampled_from([None, 1])),
            "body": draw(st.lists(st.one_of(_bodies_of_clients(told, timed)), min_size=1, max_size=longest)),
        }
        if every_kind and draw(seldom):
            helper = draw(st.lists(st.one_of(_bodies_of_clients(told, timed)), min_size=1, max_size=2))
            told["clients"]["helper"] = [("get", "mail", None), *helper]
            place = draw(st.integers(0, len(told["clients"]["body"])))
            told["clients"]["body"].insert(place, ("put", "mail", 0, None))
    return json.dumps(told, separators=(",", ":"))


def _bodies_of_clients(told: dict[str, Any], timed: bool) -> list[st.SearchStrategy[Any]]:
    """Return the instructions for clients: those of others, and some about what is theirs alone."""
    limit = st.sampled_from([None, None, SECONDS, 0]) if timed else st.none()
    own = [
        st.tuples(st.just("put"), st.just("desk"), st.just("name"), limit),
        st.tuples(st.just("get"), st.just("inbox"), limit),
        st.tuples(st.just("put"), st.just("inbox"), st.integers(0, 1), st.none()),
    ]
    if told["pool"]:
        pool = st.integers(0, len(told["pool"]) - 1)
        own += [st.tuples(st.just("submit"), pool, st.just("task")), st.tuples(st.just("result"), limit)]
    if told["queue"]:
        own.append(st.tuples(st.just("put"), st.integers(0, len(told["queue"]) - 1), st.just("name"), limit))
    return own + _simple(told, limit)


def systems(
    *, timed: bool = True, longest: int = 4, clients: bool = False, every_kind: bool = False
) -> st.SearchStrategy[Model]:
    """Draw the model of a description."""
    return descriptions(timed=timed, longest=longest, clients=clients, every_kind=every_kind).map(
        lambda description: system(description=description)
    )


def _bodies(told: dict[str, Any], timed: bool, longest: int) -> st.SearchStrategy[list[Any]]:
    """Draw bodies that may submit the tasks which ``told`` has so far, so that no task submits itself."""
    limit = st.sampled_from([None, None, SECONDS, 0]) if timed else st.none()
    simple = _simple(told, limit)
    if timed:
        simple.append(st.tuples(st.just("sleep"), st.just(SECONDS)))
    if not simple:
        simple.append(st.just(["choose", [], []]))
    short = st.lists(st.one_of(simple), min_size=1, max_size=2)
    nested = [
        st.tuples(st.just("repeat"), st.just(2), short),
        st.tuples(st.just("choose"), short, st.lists(st.one_of(simple), max_size=1)),
    ]
    if told.get("variable"):
        nested.append(st.tuples(st.just("when"), st.just(0), short))
    if told["lock"]:
        held = st.tuples(st.just("lock"), st.integers(0, told["lock"] - 1), limit, short)
        nested += [held, st.tuples(st.just("lock"), st.integers(0, told["lock"] - 1), limit, st.tuples(held).map(list))]
    return st.lists(st.one_of(*simple, *nested), min_size=2, max_size=longest)


def _simple(told: dict[str, Any], limit: st.SearchStrategy[Any]) -> list[st.SearchStrategy[Any]]:
    """Return the instructions without a body that the objects of ``told`` allow."""
    which = {kind: st.integers(0, (n if isinstance(n, int) else len(n)) - 1) for kind, n in told.items() if n}
    shapes = {
        "future": [("set_result",), ("await", limit)],
        "queue": [("put", st.integers(0, 3), limit)] * 2 + [("get", limit)],  # two items show their order
        "event": [("set",), ("clear",), ("wait", limit)],
        "semaphore": [("acquire", limit), ("release",)],
        "variable": [("count",), ("reset",), ("until", st.integers(0, 2), limit)],
        "condition": [("await notice", limit), ("notify", st.booleans())],
        "timer": [("start",), ("cancel",)],
    }
    if "tasks" in which:
        shapes["pool"] = [("submit", which["tasks"])]
        if "shutdown" in which:
            shapes["pool"] += [("submit", which["tasks"]), ("shutdown", st.booleans())]
    found = [
        st.tuples(st.just(name), which[kind], *rest)
        for kind, instructions in shapes.items()
        if kind in which
        for name, *rest in instructions
    ]
    if "tasks" in which:
        found.append(st.tuples(st.just("result"), limit))
        if told.get("by_hand"):
            found.append(st.tuples(st.just("set by hand")))
    return found
