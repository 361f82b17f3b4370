"""The essence of the reported hang after its fix, once for simcore and once, by hand, for minicheck.

A requester submits a task to the stream pool, which submits a read to the same pool and then a callback to
another pool; the callback waits for what was read and replies. A step is one of: take a task, submit, set,
wait, reply. Four requesters, two stream workers and two callback workers have 188,685 states, a number that
Spin, TLC, minicheck and a plain search gave independently.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simcore import Model

Row = tuple[int, ...]
Step = tuple[str, tuple[Any, ...]]
IDLE = -1


def model(*, requesters: int = 4, workers: int = 2, callback_workers: int = 2, chunks: int = 1) -> Model:
    system = Model("pool system")
    stream, callbacks = system.thread_pool("stream", workers), system.thread_pool("callback", callback_workers)
    blob = [system.queue(f"blob {i}") for i in range(requesters)]
    reply = [system.queue(f"reply {i}") for i in range(requesters)]

    def requester(i):
        for _ in range(chunks):
            yield stream.submit(dispatch, i)
            yield reply[i].get()

    def dispatch(i):
        yield stream.submit(read, i)
        yield callbacks.submit(callback, i)

    def read(i):
        yield blob[i].put("bytes")

    def callback(i):
        yield blob[i].get()
        yield reply[i].put("ok")

    for i in range(requesters):
        system.process(f"requester[{i}]", requester, i)
    return system


def replaced(row: Row, place: int, value: int) -> Row:
    """Return ``row`` with another value at ``place``."""
    return (*row[:place], value, *row[place + 1 :])


def transitions(*, requesters: int = 4) -> Callable[[tuple[Any, ...]], list[Step]]:
    """Return the same steps on tuples: for a state, each enabled step with the state it leads to.

    A task of requester ``i`` is a number: on a stream worker ``i`` is its dispatch before it has submitted
    the read, ``n + i`` the read, ``2n + i`` the dispatch after that; on a callback worker ``i`` is the
    callback waiting, ``n + i`` the callback with what was read.
    """
    n = requesters

    def steps(state: tuple[Any, ...]) -> list[Step]:
        asked, stream, workers, callback, callback_workers, blob, reply = state
        out: list[Step] = []
        for i, at in enumerate(asked):
            if at == 0:
                rest = (*stream, i), workers, callback, callback_workers, blob, reply
                out.append(("submit", (replaced(asked, i, 1), *rest)))
            elif at == 1 and reply[i]:
                rest = stream, workers, callback, callback_workers, blob, replaced(reply, i, 0)
                out.append(("reply", (replaced(asked, i, 2), *rest)))
        for w, at in enumerate(workers):
            if at == IDLE:
                if stream:
                    now = stream[1:], replaced(workers, w, stream[0]), callback, callback_workers, blob
                    out.append(("take", (asked, *now, reply)))
            elif at < n:
                now = (*stream, n + at), replaced(workers, w, 2 * n + at), callback, callback_workers, blob
                out.append(("submit read", (asked, *now, reply)))
            elif at < 2 * n:
                now = stream, replaced(workers, w, IDLE), callback, callback_workers, replaced(blob, at - n, 1)
                out.append(("set", (asked, *now, reply)))
            else:
                now = stream, replaced(workers, w, IDLE), (*callback, at - 2 * n), callback_workers, blob
                out.append(("submit callback", (asked, *now, reply)))
        for w, at in enumerate(callback_workers):
            if at == IDLE:
                if callback:
                    now = callback[1:], replaced(callback_workers, w, callback[0]), blob, reply
                    out.append(("take callback", (asked, stream, workers, *now)))
            elif at >= n:
                now = callback, replaced(callback_workers, w, IDLE), blob, replaced(reply, at - n, 1)
                out.append(("send", (asked, stream, workers, *now)))
            elif blob[at]:
                now = callback, replaced(callback_workers, w, n + at), replaced(blob, at, 0), reply
                out.append(("wait", (asked, stream, workers, *now)))
        return out

    return steps


FIELDS = ("asked", "stream", "workers", "callback", "callback_workers", "blob", "reply")


def initial(*, requesters: int = 4, workers: int = 2, callback_workers: int = 2) -> tuple[Row, ...]:
    """Return the first state of `transitions`."""
    nothing = (0,) * requesters
    return nothing, (), (IDLE,) * workers, (), (IDLE,) * callback_workers, nothing, nothing
