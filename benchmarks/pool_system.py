"""The essence of the reported hang, once for simcore and once, by hand, as tuples for minicheck.

A requester submits a task to the stream pool, which submits a read to the same pool and then waits for what
was read and replies: before the fix on the same worker, after it in a callback on another pool. A step is one
of: take a task, submit, set, wait, reply. `pool_system.pml` is the same system for Spin.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from simcore import Model

Row = tuple[int, ...]
TupleState = tuple[Any, ...]
IDLE = -1


class Size(NamedTuple):
    """How large a pool system is; without callback workers it is the one before the fix."""

    requesters: int
    workers: int
    chunks: int
    callback_workers: int = 0


def model(size: Size) -> Model:
    """Return the system for simcore: one program, which all searches of simcore share."""
    system = Model("pool system")
    stream = system.thread_pool("stream", size.workers)
    callbacks = system.thread_pool("callback", size.callback_workers) if size.callback_workers else stream
    names = system.indices("requester", size.requesters)
    blob = {name: system.queue(f"blob of {name}") for name in names}
    reply = {name: system.queue(f"reply to {name}") for name in names}

    def requester(name):
        for _ in range(size.chunks):
            yield stream.submit(dispatch, name)
            yield reply[name].get()

    def dispatch(name):
        yield stream.submit(read, name)
        if size.callback_workers:
            yield callbacks.submit(callback, name)
        else:
            yield from callback(name)

    def read(name):
        yield blob[name].put("bytes")

    def callback(name):
        yield blob[name].get()
        yield reply[name].put("ok")

    for name in names:
        system.process(name, requester, name)
    return system


FIELDS = ("asked", "stream", "workers", "callback", "callback_workers", "blob", "reply")


def initial(size: Size) -> TupleState:
    """Return the first state of `steps`."""
    nothing = (0,) * size.requesters
    return nothing, (), (IDLE,) * size.workers, (), (IDLE,) * size.callback_workers, nothing, nothing


def ended(size: Size, state: TupleState) -> bool:
    """Whether every requester has had all its replies."""
    return all(at == 2 * size.chunks for at in state[0])


def replaced(row: Row, place: int, value: int) -> Row:
    """Return ``row`` with another value at ``place``."""
    return (*row[:place], value, *row[place + 1 :])


def steps(size: Size, state: TupleState) -> Iterator[tuple[str, TupleState]]:
    """Yield the enabled steps of a state, each with the state it leads to.

    A requester is at an even number before it submits and at an odd one while it waits. A task of requester
    ``i`` is a number: on a stream worker ``i`` is its dispatch before it has submitted the read, ``n + i`` the
    read, ``2n + i`` the dispatch after that; on whom the callback runs, ``2n + i`` waits and ``3n + i`` has
    what was read.
    """
    yield from of_requesters(size, state)
    yield from of_stream(size, state)
    yield from of_callbacks(size, state)


def of_requesters(size: Size, state: TupleState) -> Iterator[tuple[str, TupleState]]:
    asked, stream, workers, callback, callback_workers, blob, reply = state
    for i, at in enumerate(asked):
        if at % 2 == 0 and at < 2 * size.chunks:
            rest = (*stream, i), workers, callback, callback_workers, blob, reply
            yield "submit", (replaced(asked, i, at + 1), *rest)
        elif at % 2 and reply[i]:
            rest = stream, workers, callback, callback_workers, blob, replaced(reply, i, 0)
            yield "reply", (replaced(asked, i, at + 1), *rest)


def of_stream(size: Size, state: TupleState) -> Iterator[tuple[str, TupleState]]:
    asked, stream, workers, callback, callback_workers, blob, reply = state
    n = size.requesters
    for w, at in enumerate(workers):
        if at == IDLE:
            if stream:
                now = stream[1:], replaced(workers, w, stream[0]), callback, callback_workers, blob
                yield "take", (asked, *now, reply)
        elif at < n:
            now = (*stream, n + at), replaced(workers, w, 2 * n + at), callback, callback_workers, blob
            yield "submit read", (asked, *now, reply)
        elif at < 2 * n:
            now = stream, replaced(workers, w, IDLE), callback, callback_workers, replaced(blob, at - n, 1)
            yield "set", (asked, *now, reply)
        elif size.callback_workers:
            now = stream, replaced(workers, w, IDLE), (*callback, at), callback_workers, blob
            yield "submit callback", (asked, *now, reply)
        elif at >= 3 * n:
            now = stream, replaced(workers, w, IDLE), callback, callback_workers, blob
            yield "send", (asked, *now, replaced(reply, at - 3 * n, 1))
        elif blob[at - 2 * n]:
            now = stream, replaced(workers, w, n + at), callback, callback_workers, replaced(blob, at - 2 * n, 0)
            yield "wait", (asked, *now, reply)


def of_callbacks(size: Size, state: TupleState) -> Iterator[tuple[str, TupleState]]:
    asked, stream, workers, callback, callback_workers, blob, reply = state
    n = size.requesters
    for w, at in enumerate(callback_workers):
        if at == IDLE:
            if callback:
                now = callback[1:], replaced(callback_workers, w, callback[0]), blob, reply
                yield "take callback", (asked, stream, workers, *now)
        elif at >= 3 * n:
            now = callback, replaced(callback_workers, w, IDLE), blob, replaced(reply, at - 3 * n, 1)
            yield "send", (asked, stream, workers, *now)
        elif blob[at - 2 * n]:
            now = callback, replaced(callback_workers, w, n + at), replaced(blob, at - 2 * n, 0), reply
            yield "wait", (asked, stream, workers, *now)
