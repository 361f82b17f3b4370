"""`models.pool_starvation:fixed` with one chunk, transcribed by hand for minicheck, step by step.

Both links, both reader threads and the inboxes are here, and so is everything that distinguishes states of
the model: a reader remembers the last frame that it handed on (a local variable), and a submitted read has
a future in the lowest free place, which is kept until the callback that holds it has replied.
"""

from __future__ import annotations

from typing import Any

from benchmarks.pool_system import IDLE, Row, Step, replaced

FIELDS = (
    "downloads",
    "requests",
    "owner",
    "stream",
    "workers",
    "callback",
    "callback_workers",
    "futures",
    "replies",
    "requester",
    "inboxes",
)
FREE, PENDING, DONE = 0, 1, 2
SEND, WAIT, ENDED = 0, 1, 2  # where a download is
HANDLE, READ, HANDED = "handle", "read", "handed"  # what a stream worker is at


def initial(*, downloads: int = 3, workers: int = 2, callback_workers: int = 2) -> tuple[Any, ...]:
    """Return the first state: nothing sent, every worker idle, no reader with a frame."""
    reader = (False, IDLE)  # whether it holds a frame that it has to hand on, and the last frame that it took
    pools = (), (IDLE,) * workers, (), (IDLE,) * callback_workers
    return ((SEND,) * downloads, (), reader, *pools, (), (), reader, (0,) * downloads)


def transitions(state: tuple[Any, ...]) -> list[Step]:
    """Return each enabled step of ``state`` with the state that it leads to."""
    return [*_download(state), *_readers(state), *_stream(state), *_callbacks(state)]


def _download(state: tuple[Any, ...]) -> list[Step]:
    downloads, requests, *middle, inboxes = state
    out: list[Step] = []
    for i, at in enumerate(downloads):
        if at == SEND:
            out.append(("send request", (replaced(downloads, i, WAIT), (*requests, i), *middle, inboxes)))
        elif at == WAIT and inboxes[i]:
            left = replaced(inboxes, i, 0)
            out.append(("get", (replaced(downloads, i, ENDED), requests, *middle, left)))
    return out


def _readers(state: tuple[Any, ...]) -> list[Step]:
    downloads, requests, owner, stream, *pools, replies, requester, inboxes = state
    out: list[Step] = []
    holds, i = owner
    if holds:
        after = downloads, requests, (False, i), (*stream, (HANDLE, i, IDLE)), *pools, replies, requester, inboxes
        out.append(("submit handle", after))
    elif requests:
        after = downloads, requests[1:], (True, requests[0]), stream, *pools, replies, requester, inboxes
        out.append(("recv request", after))
    holds, i = requester
    if holds:
        after = downloads, requests, owner, stream, *pools, replies, (False, i), replaced(inboxes, i, 1)
        out.append(("put", after))
    elif replies:
        after = downloads, requests, owner, stream, *pools, replies[1:], (True, replies[0]), inboxes
        out.append(("recv reply", after))
    return out


def _stream(state: tuple[Any, ...]) -> list[Step]:
    downloads, requests, owner, stream, workers, callback, callback_workers, futures, *rest = state
    start = downloads, requests, owner
    out: list[Step] = []
    for w, at in enumerate(workers):
        if at == IDLE:
            if stream:
                after = stream[1:], replaced(workers, w, stream[0]), callback, callback_workers, futures
                out.append(("take", (*start, *after, *rest)))
            continue
        doing, i, future = at
        idle = replaced(workers, w, IDLE)
        if doing == HANDLE:
            future = futures.index(FREE) if FREE in futures else len(futures)
            held = replaced(futures, future, PENDING)
            after = (*stream, (READ, i, future)), replaced(workers, w, (HANDED, i, future)), callback
            out.append(("submit read", (*start, *after, callback_workers, held, *rest)))
        elif doing == READ:
            after = stream, idle, callback, callback_workers, replaced(futures, future, DONE)
            out.append(("set_result", (*start, *after, *rest)))
        else:
            after = stream, idle, (*callback, (False, i, future)), callback_workers, futures
            out.append(("submit callback", (*start, *after, *rest)))
    return out


def _callbacks(state: tuple[Any, ...]) -> list[Step]:
    *start, callback, workers, futures, replies, requester, inboxes = state
    out: list[Step] = []
    for w, at in enumerate(workers):
        if at == IDLE:
            if callback:
                after = callback[1:], replaced(workers, w, callback[0]), futures, replies, requester, inboxes
                out.append(("take callback", (*start, *after)))
            continue
        has_data, i, future = at
        if has_data:
            after = replaced(workers, w, IDLE), _freed(futures, future), (*replies, i), requester, inboxes
            out.append(("send reply", (*start, callback, *after)))
        elif futures[future] == DONE:
            after = replaced(workers, w, (True, i, future)), futures, replies, requester, inboxes
            out.append(("result", (*start, callback, *after)))
    return out


def _freed(futures: Row, place: int) -> Row:
    left = replaced(futures, place, FREE)
    while left and left[-1] == FREE:
        left = left[:-1]
    return left
