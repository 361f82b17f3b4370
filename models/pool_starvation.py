"""Every worker of a thread pool waits for a task that is queued in the same pool.

NVFlare 2.7.1, nvflare/fuel/f3/streaming/blob_streamer.py, handle_blob_cb(): the callback of an incoming
blob runs on a stream-pool worker and waits there for the blob's reader, which it has just submitted to the
stream pool. Fixed in 2.7.2 by #4171 (end-to-end test: #4172): callbacks have a pool of their own.

A download asks for one chunk after the other over one TCP connection and gets each over another; a reader
thread at either end hands frames on and never blocks on application work. A round trip of the report is one
chunk here: 200 chunks of data and the end of file are ``chunks=201``.

Look for all stream workers in blob_callback, waiting for read_stream tasks that are queued behind them: a
hang is reachable if and only if downloads >= workers, however few chunks there are.

For any number of chunks the proof is that with ``endless=True``, whose states are finitely many. No step
depends on the number of a chunk but the check of its bytes, and whom a callback waits for was submitted for its
own request; so a run with ``chunks`` round trips is one of the endless system up to numbers, in which a
download that has its chunks merely does not ask again, and whoever waits for ever in the one waits for ever in
the other. For any number of downloads and workers the law above is a conjecture that small sizes support.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from properties import completes, deadlock_free, no_stuck_subset
from simcore import Claim, Model, Verdict

REPORT = "https://github.com/NVIDIA/NVFlare/pull/4171"

CONNECTION_CAPACITY = 64
"""Frames in flight on one connection. At most ``downloads`` are, as each download has one request open."""


class Request(NamedTuple):
    """Asks for chunk ``number``."""

    download: Any
    number: int

    def __str__(self) -> str:
        return f"{self.download} chunk {self.number}"


class Chunk(NamedTuple):
    """Carries chunk ``number``."""

    download: Any
    number: int
    data: bytes

    def __str__(self) -> str:
        return f"{self.download} chunk {self.number}"


def content(number: int) -> bytes:
    """Return the 256 bytes of chunk ``number``; the same for every download, which keeps them interchangeable."""
    return hashlib.sha256(number.to_bytes(4)).digest() * 8


def buggy(*, downloads: int = 8, workers: int = 4, chunks: int = 1, endless: bool = False) -> Model:
    """Build the system before #4171.

    Parameters
    ----------
    downloads : int
        Threads that download at once, each with one request open.
    workers : int
        Workers of the owner's stream pool.
    chunks : int
        Round trips of each download.
    endless : bool
        True lets each download ask for ever, always for chunk 0: what is found then holds for any ``chunks``.
    """
    model = Model("pool starvation, before #4171")
    stream = model.thread_pool("stream", workers)
    requests, replies = model.link("requests", CONNECTION_CAPACITY), model.link("replies", CONNECTION_CAPACITY)
    names = model.indices("download", downloads)
    inbox = {name: model.queue(f"inbox of {name}") for name in names}

    def read_stream(request):
        yield from ()
        return content(request.number)

    def blob_callback(request):
        reading = yield stream.submit(read_stream, request)
        data = yield reading.result()  # holds this worker until another one has run read_stream
        yield replies.send(Chunk(*request, data))

    def owner_reader():
        while True:
            request = yield requests.recv()
            yield stream.submit(blob_callback, request)

    for name in names:
        model.process(name, *asking(name, requests, inbox[name], chunks, endless))
    model.process("owner reader", owner_reader, daemon=True)
    model.process("requester reader", requester_reader, replies, inbox, daemon=True)
    return model


def fixed(
    *,
    downloads: int = 8,
    workers: int = 4,
    callback_workers: int = 64,
    chunks: int = 1,
    endless: bool = False,
    fix: bool = True,
) -> Model:
    """Build the system after #4171.

    The parameters of `buggy`, and these.

    Parameters
    ----------
    callback_workers : int
        Workers of the owner's callback pool.
    fix : bool
        False takes the fix out again: the callback runs on the stream worker, and the callback pool idles.
    """
    model = Model("pool starvation, after #4171" if fix else "pool starvation, #4171 taken out again")
    stream, callback = model.thread_pool("stream", workers), model.thread_pool("callback", callback_workers)
    requests, replies = model.link("requests", CONNECTION_CAPACITY), model.link("replies", CONNECTION_CAPACITY)
    names = model.indices("download", downloads)
    inbox = {name: model.queue(f"inbox of {name}") for name in names}

    def read_stream(request):
        yield from ()
        return content(request.number)

    def handle_blob(request):
        reading = yield stream.submit(read_stream, request)
        if fix:
            yield callback.submit(blob_callback, request, reading)  # and this worker is free again
        else:
            yield from blob_callback(request, reading)

    def blob_callback(request, reading):
        data = yield reading.result()
        yield replies.send(Chunk(*request, data))

    def owner_reader():
        while True:
            request = yield requests.recv()
            yield stream.submit(handle_blob, request)

    for name in names:
        model.process(name, *asking(name, requests, inbox[name], chunks, endless))
    model.process("owner reader", owner_reader, daemon=True)
    model.process("requester reader", requester_reader, replies, inbox, daemon=True)
    return model


def asking(name, requests, inbox, chunks, endless):
    """Return the function of a download, and its arguments."""
    return (download_for_ever, name, requests, inbox) if endless else (download, name, requests, inbox, chunks)


def download_for_ever(name, requests, inbox):
    """Ask for chunk 0 again and again, and check it each time."""
    while True:
        yield requests.send(Request(name, 0))
        chunk = yield inbox.get()
        if chunk.data != content(chunk.number):
            raise ValueError(f"{chunk} has wrong bytes")


def download(name, requests, inbox, chunks):
    """Ask for one chunk after the other; return the numbers of the chunks received, each one checked."""
    received = ()
    for number in range(chunks):
        yield requests.send(Request(name, number))
        chunk = yield inbox.get()
        if chunk.data != content(chunk.number):
            raise ValueError(f"{chunk} has wrong bytes")
        received += (chunk.number,)
    return received


def requester_reader(replies, inbox):
    """Hand each reply to the download that waits for it."""
    while True:
        chunk = yield replies.recv()
        yield inbox[chunk.download].put(chunk)


SMALL = {"downloads": 2, "workers": 2}
AFTER = {**SMALL, "callback_workers": 2}

CLAIMS = (
    Claim("S1", "2.7.1", buggy, deadlock_free(), Verdict.VIOLATED, SMALL),
    Claim("S1", "2.7.2", fixed, deadlock_free(), Verdict.HOLDS, AFTER),
    Claim(
        "S1",
        "2.7.1",
        buggy,
        deadlock_free(),
        Verdict.HOLDS,
        {"downloads": 1, "workers": 2},
        note="a hang is reachable if and only if downloads >= workers",
    ),
    Claim(
        "S1",
        "2.7.2",
        fixed,
        deadlock_free(),
        Verdict.HOLDS,
        {"downloads": 3, "workers": 2, "callback_workers": 2},
        slow=True,
        note="more downloads than workers in either pool",
    ),
    Claim(
        "S1",
        "2.7.1, any number of chunks",
        buggy,
        deadlock_free(),
        Verdict.VIOLATED,
        {**SMALL, "endless": True},
    ),
    Claim(
        "S1",
        "2.7.2, any number of chunks",
        fixed,
        deadlock_free(),
        Verdict.HOLDS,
        {**AFTER, "endless": True},
        note="downloads that never stop close to a finite graph",
    ),
    Claim("S1", "(a) 2.7.1 pools", buggy, deadlock_free(), Verdict.VIOLATED, {"downloads": 3, "workers": 2}),
    Claim("L2", "2.7.1", buggy, no_stuck_subset(), Verdict.VIOLATED, SMALL),
    Claim("L2", "2.7.2", fixed, no_stuck_subset(), Verdict.HOLDS, AFTER),
    Claim("L3", "2.7.1", buggy, completes("download"), Verdict.VIOLATED, SMALL),
    Claim("L3", "2.7.2", fixed, completes("download"), Verdict.HOLDS, AFTER),
)
