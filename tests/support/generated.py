"""Small random systems, as text that a token can carry.

A description is a dictionary of plain lists: how many objects of which kind, and for each process and task a
body of instructions, which one generator function interprets. `system` builds the model of a description, so
that a schedule of a generated system has a token like any other.
"""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

from hypothesis import strategies as st
from interpreted import SECONDS, Program, count, run

from simcore import Model

SYSTEMS = int(os.environ.get("SIMCORE_SYSTEMS", "300"))
"""How many random systems the slow tests compare with a naive explorer."""

MANY = SYSTEMS // 10
"""Examples in a slow test that compares two of our own ways with each other."""


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
    things["rlock"] = [model.rlock(f"rlock{i}") for i in range(told.get("rlock", 0))]
    things["link"] = [model.link(f"link{i}", capacity) for i, capacity in enumerate(told.get("link", []))]
    things["variable"] = [model.variable(f"variable{i}", 0) for i in range(told.get("variable", 0))]
    on = (things["lock"] + things["rlock"])[0] if told.get("on_a_lock") else None
    things["condition"] = [model.condition(f"condition{i}", on) for i in range(told.get("condition", 0))]
    tasks: list[Program] = []
    for i, body in enumerate(told["tasks"]):
        tasks.append(Program(f"task{i}", _placed(body, things, tasks)))
    timers = range(told.get("timer", 0))
    things["timer"] = [model.timer(f"timer{i}", SECONDS, run, tasks[0]) for i in timers]
    for i, body in enumerate(told["processes"]):
        model.process(f"process{i}", run, Program(f"body{i}", _placed(body, things, tasks)))
    for i, body in enumerate(told.get("daemons", [])):
        program = Program(f"service{i}", (("forever", _placed(body, things, tasks)),))
        model.process(f"daemon{i}", run, program, daemon=True)
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
        does = count if told.get("counts") else run
        model.process(name, does, Program(f"body of {name}", _owned(told["body"], own, things, tasks)))
    if told.get("counts"):
        model.process("clock", run, Program("sleeps", (("sleep", SECONDS),)))
    model.process("server", run, Program("answers", (("answer", desk, inbox),)), daemon=True)


def _owned(body: list[Any], own: dict[str, Any], things: dict[str, list[Any]], tasks: list[Program]) -> tuple[Any, ...]:
    """Put into their places what a client has of its own, and the objects."""
    return _placed([[own.get(p, p) if isinstance(p, str) else p for p in one] for one in body], things, tasks)


_KINDS = {
    "lock": "lock",
    "free": "lock",
    "rlock": "rlock",
    "if locked": "lock",
    "if set": "event",
    "if any": "queue",
    "if done": "future",
    "send": "link",
    "recv": "link",
    "close": "link",
    "cut": "link",
    "set_exception": "future",
    "try": "semaphore",
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
    draw: st.DrawFn,
    *,
    timed: bool = True,
    longest: int = 4,
    clients: bool = False,
    every_kind: bool = False,
    counts: bool = False,
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
        Whether there may be all other objects and operations, too: re-entrant locks, links that are closed and cut,
        variables, conditions and timers, daemons, pools that are shut down, futures of tasks that are set by hand or
        looked at, and processes and tasks that die of an exception, or catch it.
    counts : bool
        Whether clients return the numbers of the answers that they have had, and a process called "clock" sleeps and
        ends: what there are properties about.
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
    timers = draw(seldom) if every_kind else 0
    if every_kind:
        told |= {kind: draw(seldom) for kind in ("variable", "condition", "shutdown", "rlock", "looks")}
        told |= {"link": draw(st.sampled_from([[], [], [1], [2]])), "raises": draw(st.sampled_from([0, 0, 0, 1]))}
        told["on_a_lock"] = int(bool(told["condition"] and told["lock"] + told["rlock"])) and draw(seldom)
    for _ in range(draw(st.integers(1, 2)) if told["pool"] or timers else 0):
        told["tasks"].append(draw(_bodies(_numbers(told), timed, 2)))
    told |= {"timer": timers} if timers else {}  # no task has a timer that runs it
    if every_kind and told["pool"]:
        told["by_hand"] = draw(seldom)
    most = 1 if clients else 4
    told["processes"] = draw(
        st.lists(_bodies(_numbers(told), timed, longest), min_size=0 if clients else 2, max_size=most)
    )
    if every_kind and (takes := _takes(_numbers(told))) and draw(seldom):
        body = st.lists(st.one_of(_simple(_numbers(told), False)), max_size=1)
        told["daemons"] = [[draw(st.sampled_from(takes)), *draw(body)]]
    if clients:
        own = _bodies_of_clients(_numbers(told), timed)
        told["clients"] = {
            "number": draw(st.integers(2, 3)),
            "capacity": draw(st.sampled_from([None, 1])),
            "body": draw(st.lists(own, min_size=1, max_size=longest)),
        }
        if every_kind and draw(seldom):
            helper = draw(st.lists(own, min_size=1, max_size=2))
            told["clients"]["helper"] = [("get", "mail", None), *helper]
            place = draw(st.integers(0, len(told["clients"]["body"])))
            told["clients"]["body"].insert(place, ("put", "mail", 0, None))
        if counts:
            told["clients"]["counts"] = 1
    return json.dumps(told, separators=(",", ":"))


Numbers = tuple[tuple[str, int], ...]
_ALWAYS, _TIMED = st.none(), st.sampled_from([None, None, SECONDS, 0])


def _numbers(told: dict[str, Any]) -> Numbers:
    """Return how many there are of each kind; strategies are made once for each of these."""
    return tuple((kind, n if isinstance(n, int) else len(n)) for kind, n in told.items())


@cache
def _bodies_of_clients(numbers: Numbers, timed: bool) -> st.SearchStrategy[Any]:
    """Return the instructions for clients: those of others, and some about what is theirs alone."""
    told, limit = dict(numbers), _TIMED if timed else _ALWAYS
    own = [
        st.tuples(st.just("put"), st.just("desk"), st.just("name"), limit),
        st.tuples(st.just("get"), st.just("inbox"), limit),
        st.tuples(st.just("put"), st.just("inbox"), st.integers(0, 1), st.none()),
    ]
    if told["pool"]:
        pool = st.integers(0, told["pool"] - 1)
        own += [st.tuples(st.just("submit"), pool, st.just("task")), st.tuples(st.just("result"), limit)]
    if told["queue"]:
        own.append(st.tuples(st.just("put"), st.integers(0, told["queue"] - 1), st.just("name"), limit))
    return st.one_of(own + _simple(numbers, timed))


def systems(
    *, timed: bool = True, longest: int = 4, clients: bool = False, every_kind: bool = False
) -> st.SearchStrategy[Model]:
    """Draw the model of a description."""
    return descriptions(timed=timed, longest=longest, clients=clients, every_kind=every_kind).map(
        lambda description: system(description=description)
    )


@cache
def _bodies(numbers: Numbers, timed: bool, longest: int) -> st.SearchStrategy[list[Any]]:
    """Draw bodies that may submit the tasks there are so far, so that no task submits itself."""
    told, limit = dict(numbers), _TIMED if timed else _ALWAYS
    simple = _simple(numbers, timed)
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
    if told.get("raises"):
        nested.append(st.tuples(st.just("caught"), short))
    if told.get("looks"):
        looks = {"if locked": "lock", "if set": "event", "if any": "queue", "if done": "future"}
        nested += [st.tuples(st.just(name), st.just(0), short) for name, kind in looks.items() if told[kind]]
    for kind in ("lock", "rlock"):
        if told.get(kind):
            which = st.integers(0, told[kind] - 1)
            held = st.tuples(st.just(kind), which, limit, short)
            nested += [held, st.tuples(st.just(kind), which, limit, st.tuples(held).map(list))]
    return st.lists(st.one_of(*simple, *nested), min_size=2, max_size=longest)


def _takes(numbers: Numbers) -> list[list[Any]]:
    """Return the instructions that take something away, or wait for it: who repeats them for ever does not spin."""
    names = {"queue": "get", "semaphore": "acquire"}
    return [[name, which, None] for kind, name in names.items() for which in range(dict(numbers)[kind])]


def _simple(numbers: Numbers, timed: bool) -> list[st.SearchStrategy[Any]]:
    """Return the instructions without a body that so many objects allow."""
    told, limit = dict(numbers), _TIMED if timed else _ALWAYS
    which = {kind: st.integers(0, n - 1) for kind, n in numbers if n}
    shapes = {
        "future": [("set_result",), ("await", limit)],
        "queue": [("put", st.integers(0, 3), limit)] * 2 + [("get", limit)],  # two items show their order
        "event": [("set",), ("clear",), ("wait", limit)],
        "semaphore": [("acquire", limit), ("release",)],
        "variable": [("count",), ("reset",), ("until", st.integers(0, 2), limit)],
        "condition": [("await notice", limit), ("notify", st.booleans())],
        "timer": [("start",), ("cancel",)],
        "link": [("send", st.integers(0, 1), limit), ("recv", limit)] * 2
        + [("close", st.sampled_from(["send", "recv"])), ("cut",)],
    }
    if told.get("raises"):
        shapes["future"].append(("set_exception",))
        shapes["raises"] = [("raise",)]
    if told.get("looks"):
        shapes["semaphore"].append(("try",))
        shapes["lock"] = [("free",)]
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
    if "tasks" in which and "pool" in which:
        found.append(st.tuples(st.just("result"), limit))
        if told.get("looks"):
            found.append(st.tuples(st.just("exception"), limit))
        if told.get("by_hand"):
            found.append(st.tuples(st.just("set by hand")))
    return found
