"""What an operation of the code is called in a model, and an object: one table for skeletons and for conformance."""

from __future__ import annotations

import builtins
import keyword
import re
from typing import NamedTuple


class Counterpart(NamedTuple):
    """What stands in a model for an operation of the code.

    Attributes
    ----------
    names : tuple of str
        The operations of models that it may be; a skeleton has the first.
    first : str
        The step before, where a model has two for it.
    waits : bool
        Whether it takes a time-out.
    thing : str
        What the object is called in a model, with ``{}`` for its name in the code.
    """

    names: tuple[str, ...]
    first: str = ""
    waits: bool = False
    thing: str = "{}"


START, END, RESULT = "start of {}", "end of {}", "result of {}"

TOGETHER = ("concurrent.futures.wait", "concurrent.futures.as_completed")
"""Waits for the results of several futures: each is noted as one for one of them."""

COUNTERPARTS = {
    "Lock.acquire": Counterpart(("acquire",), waits=True),
    "Lock.release": Counterpart(("release",)),
    "Lock.locked": Counterpart(("locked",)),
    "RLock.acquire": Counterpart(("acquire",), waits=True),
    "RLock.release": Counterpart(("release",)),
    "Event.set": Counterpart(("set",)),
    "Event.clear": Counterpart(("clear",)),
    "Event.is_set": Counterpart(("is_set",)),
    "Event.wait": Counterpart(("wait",), waits=True),
    "Condition.wait": Counterpart(("reacquire",), "wait", waits=True),
    "Condition.notify": Counterpart(("notify",)),
    "Condition.notify_all": Counterpart(("notify_all",)),
    "Semaphore.acquire": Counterpart(("acquire",), waits=True),
    "Semaphore.release": Counterpart(("release",)),
    "BoundedSemaphore.release": Counterpart(("release",)),
    "Queue.put": Counterpart(("put", "send"), waits=True),
    "Queue.get": Counterpart(("get", "recv"), waits=True),
    "Queue.qsize": Counterpart(("qsize",)),
    "SimpleQueue.put": Counterpart(("put", "send")),
    "SimpleQueue.get": Counterpart(("get", "recv"), waits=True),
    "SimpleQueue.qsize": Counterpart(("qsize",)),
    "Future.result": Counterpart(("result", "exception"), waits=True),
    "Future.exception": Counterpart(("exception",), waits=True),
    "Future.done": Counterpart(("done",)),
    "Future.set_result": Counterpart(("set_result",)),
    "Future.set_exception": Counterpart(("set_exception",)),
    "Future.cancel": Counterpart(("set_exception",)),
    **dict.fromkeys(TOGETHER, Counterpart(("result", "exception"), waits=True)),
    "ThreadPoolExecutor.submit": Counterpart(("submit",)),
    "ThreadPoolExecutor.shutdown": Counterpart(("join",), "shutdown"),
    "Thread.start": Counterpart(("set",), thing=START),
    "Thread.join": Counterpart(("wait",), waits=True, thing=END),
}
"""By the operation as steps have it. What is not here, models do not have."""

FACTORIES = {
    "Lock": "lock",
    "RLock": "rlock",
    "Event": "event",
    "Condition": "condition",
    "Semaphore": "semaphore",
    "Queue": "queue",
    "LifoQueue": "queue",
    "PriorityQueue": "queue",
    "SimpleQueue": "queue",
    "Future": "future",
    "ThreadPoolExecutor": "thread_pool",
}
"""What makes an object in a model, by its type in the code."""


def identifier(name: str) -> str:
    """Return what a variable is called that stands for ``name``."""
    found = re.sub(r"\W+", "_", name).strip("_") or "thing"
    found = f"_{found}" if found[0].isdigit() else found
    return f"{found}_" if keyword.iskeyword(found) or hasattr(builtins, found) else found


def function_name(role: str) -> str:
    """Return what the generator is called that stands for a function of the code, told as ``outer.inner()``."""
    last = role.removesuffix("()").rpartition(".")[2]
    return "task" if last == "<lambda>" else identifier(last)


def is_result_of(name: str, function: str) -> bool:
    """Tell whether an object is called as the result of a function's task: a skeleton numbers several."""
    return (
        name == RESULT.format(function)
        or re.fullmatch(rf"{re.escape(RESULT.format(function))} \(\d+\)", name) is not None
    )


def stands_for(function: str, role: str) -> bool:
    """Tell whether a generator is called as one that stands for a role: a skeleton numbers those that differ."""
    name = function_name(role)
    return function == name or re.fullmatch(rf"{re.escape(name)}_?\d*", function) is not None
