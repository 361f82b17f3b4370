"""What waits for the real world has no place in a process: there is an object of the model instead, and it is named.

`time.sleep` stops the search and not the process; a real lock, queue, socket or thread is shared behind the kernel's
back, and what waits for it waits for ever or is not seen to wait. Python tells nobody when one is used, and to listen
to everything (audit hooks, traces) would change the user's own program, so the code is read, as for what is dropped
(`dropped.py`): names, and attributes of names, are looked up where they are known before the process runs, in the
process's function and in all of the user's functions that it names. Nothing is called for that, and whether a run comes
to it or not it is a mistake. What a function of a library does is not read, nor what is made while the process runs:
such a thing is refused when the process keeps it over a ``yield``, as everything that has no value (`freeze.py`).
"""

from __future__ import annotations

import dis
import sys
import types
import weakref
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from simcore.errors import ModelError
from simcore.kernel.dropped import ATTRIBUTE, NAME, Codes, found_along
from simcore.whose import is_the_users

_SLEEP, _RUN = "yield sleep(seconds), of simcore", "model.process(name, fn, *args)"
_CALLS = {
    "time:sleep": _SLEEP,
    "asyncio:sleep": _SLEEP,
    "asyncio:run": "yield from, on a generator function",
    "signal:pause": "an event, model.event(name)",
    "select:select": "an operation that waits, with its timeout=",
    "os:system": _RUN,
    "os:fork": _RUN,
    "os:popen": _RUN,
    "os:wait": _RUN,
    "subprocess:run": _RUN,
    "subprocess:call": _RUN,
    "subprocess:check_call": _RUN,
    "subprocess:check_output": _RUN,
    "subprocess:Popen": _RUN,
    "threading:Thread": _RUN,
    "threading:Timer": "model.timer(name, interval, fn, *args)",
    "_thread:start_new_thread": _RUN,
    "multiprocessing:Process": _RUN,
    "concurrent.futures:ThreadPoolExecutor": "model.thread_pool(name, workers)",
    "concurrent.futures:ProcessPoolExecutor": "model.thread_pool(name, workers)",
    "socket:socket": "model.link(name)",
    "socket:create_connection": "model.link(name)",
    "socket:create_server": "model.link(name)",
    "builtins:input": "choose(...), of simcore",
}
"""Functions and classes, and what there is instead."""

_THINGS = {
    "_thread:LockType": "model.lock(name)",
    "_thread:RLock": "model.rlock(name)",
    "threading:_RLock": "model.rlock(name)",
    "threading:Condition": "model.condition(name)",
    "threading:Event": "model.event(name)",
    "threading:Semaphore": "model.semaphore(name, n)",
    "threading:Barrier": "a condition, model.condition(name), and a variable that counts",
    "threading:Timer": "model.timer(name, interval, fn, *args)",
    "threading:Thread": _RUN,
    "queue:Queue": "model.queue(name, capacity)",
    "_queue:SimpleQueue": "model.queue(name)",
    "concurrent.futures._base:Future": "model.future(name)",
    "concurrent.futures._base:Executor": "model.thread_pool(name, workers)",
    "socket:socket": "model.link(name)",
    "subprocess:Popen": _RUN,
    "multiprocessing.synchronize:SemLock": "model.lock(name)",
    "multiprocessing.queues:Queue": "model.queue(name)",
    "multiprocessing.process:BaseProcess": _RUN,
    "multiprocessing.connection:_ConnectionBase": "model.link(name)",
}
"""Types of things that are there already, the narrower one first, and what there is instead."""


def refuse_real_world(name: str, codes: Codes) -> None:
    """Raise ModelError when one of the user's ``codes``, of a process ``name``, uses what waits for the real world."""
    calls = {id(_known(where)): remedy for where, remedy in _CALLS.items()}
    calls.pop(id(_NOTHING), None)
    for code, scope in codes:
        if not is_the_users(code.co_filename):
            continue
        for chain, line in chains(code):
            for length, thing in enumerate(found_along(chain, scope), 1):
                remedy = _instead_of(thing, calls)
                if remedy:
                    place, text = f"{Path(code.co_filename).name}:{line}", ".".join(chain[:length])
                    raise ModelError(
                        f"{name} ({place}): {text} is of the real world, where nothing is simulated or explored; "
                        f"in a process there is {remedy} instead"
                    )


@cache
def chains(code: types.CodeType) -> tuple[tuple[tuple[str, ...], int], ...]:
    """Return each name that ``code`` loads, with the attributes that it asks of it at once, and the line."""
    return tuple(_chains(code))


def _chains(code: types.CodeType) -> Iterator[tuple[tuple[str, ...], int]]:
    chain: tuple[str, ...] = ()
    line = 0
    for instruction in dis.get_instructions(code):
        if chain and instruction.opname in ATTRIBUTE:
            chain += (instruction.argval,)
            continue
        if chain and instruction.opname != "PUSH_NULL":
            yield chain, line
            chain = ()
        if instruction.opname in NAME:
            at = instruction.positions
            chain, line = (instruction.argval,), (at.lineno or 0) if at is not None else 0
    if chain:
        yield chain, line


def _instead_of(thing: Any, calls: dict[int, str]) -> str:
    """Return what there is in place of ``thing``; empty when it may be used."""
    kind = type(thing)
    if kind not in _REMEDIES:
        _REMEDIES[kind] = _instead_of_a(kind)
    return calls.get(id(thing)) or _REMEDIES[kind]


_REMEDIES: weakref.WeakKeyDictionary[type, str] = weakref.WeakKeyDictionary()


def _instead_of_a(kind: type) -> str:
    """Return what there is in place of a thing of this type; its module has been imported, as the type is there."""
    for where, remedy in _THINGS.items():
        known = _known(where)
        if isinstance(known, type) and issubclass(kind, known):
            return remedy
    return ""


def _known(where: str) -> Any:
    """Return what a module that is imported already calls by a name; a module that is not has given nobody anything."""
    module, _, name = where.partition(":")
    return getattr(sys.modules.get(module), name, _NOTHING)


_NOTHING = object()
