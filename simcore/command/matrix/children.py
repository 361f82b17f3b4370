"""Several processes share some work, and none of them outlives the block that began them.

There is a pipe to each child and no thread, so an interrupt finds nothing that it could leave half done: whatever
happens here, the children are killed and buried. (`multiprocessing.Pool` has three threads with locks, and an
interrupt at the wrong moment made its end wait for ever.)
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

_MOMENT = 0.2
"""Seconds in which a signal that ended a child, and was sent to all, arrives here too."""


class Killed(Exception):
    """The child that worked on ``item`` has been killed."""

    def __init__(self, item: Any) -> None:
        super().__init__(item)
        self.item = item


def in_children(fn: Callable[[Any], Any], items: Sequence[Any], jobs: int) -> Iterator[Any]:
    """Yield ``fn(item)`` of every item as it comes, and None once a second while there is none.

    Parameters
    ----------
    fn : function
        Of a module, as a child finds it by name; it must not raise.
    items : sequence
        What can be pickled.
    jobs : int
        Processes, at most as many as there are items.

    Raises
    ------
    Killed
        When a child ends in the middle of an item.
    """
    ahead = [*reversed(items)]
    busy: dict[Connection, Any] = {}
    with _children(fn, min(jobs, len(items))) as pipes:
        for pipe in pipes:
            busy[pipe] = ahead.pop()
            pipe.send(busy[pipe])
        while busy:
            ready = [pipe for pipe in wait([*busy], timeout=1) if isinstance(pipe, Connection)]
            for pipe in ready:
                yield _received(pipe, busy.pop(pipe))
                if ahead:
                    busy[pipe] = ahead.pop()
                    pipe.send(busy[pipe])
            if not ready:
                yield None


def _received(pipe: Connection, item: Any) -> Any:
    try:
        return pipe.recv()
    except (EOFError, ConnectionResetError):
        time.sleep(_MOMENT)
        raise Killed(item) from None


def _work(fn: Callable[[Any], Any], pipe: Connection) -> None:
    """Be a child: do what comes, until the other end is closed."""
    with suppress(EOFError):
        while True:
            pipe.send(fn(pipe.recv()))


@contextmanager
def _children(fn: Callable[[Any], Any], jobs: int) -> Iterator[list[Connection]]:
    """Give pipes to processes that end with this block, and whom Ctrl-C, which a terminal sends to all, spares."""
    context = get_context("spawn")
    children: list[tuple[SpawnProcess, Connection]] = []
    resource_tracker.ensure_running()  # or the first child would start it, and it unblocks what is blocked
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # the children inherit this
    try:
        for _ in range(jobs):
            ours, theirs = context.Pipe()
            child = context.Process(target=_work, args=(fn, theirs), daemon=True)
            child.start()
            theirs.close()
            children.append((child, ours))
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        yield [pipe for _, pipe in children]
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for child, _ in children:
            child.kill()
        for child, pipe in children:
            child.join()
            pipe.close()
