"""Every worker of a thread pool waits for a task that is queued in the same pool.

NVFlare 2.7.1, nvflare/fuel/f3/streaming/blob_streamer.py, handle_blob_cb(): the callback of an incoming
blob runs on a stream-pool worker and waits there for the blob's reader, which it has just submitted to the
stream pool. Fixed in 2.7.2 by #4171 (end-to-end test: #4172): callbacks have a pool of their own.

A download asks for one chunk after the other over one TCP connection and gets each over another; a reader
thread at either end hands frames on and never blocks on application work. A round trip of the report is one
chunk here: 200 chunks of data and the end of file are ``chunks=201``.

Look for all stream workers in blob_callback, waiting for read_stream tasks that are queued behind them: a
hang is reachable if and only if downloads >= workers, however few chunks there are.

With ``chunks=None`` a download decides after each chunk whether it asks for another, so the runs of every number of
chunks, a different one for each download and none ever stopping included, are among the runs of one finite
model. Chunks are then numbered modulo 2: nobody branches on a number, and a download has one request open, so a reply
that is not its own could only be the one before. What every run does holds for any number of chunks when it holds
there: `answered`, and that no run stops short. `docs/any-number.md` says what else can be closed this way.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from simcore import Claim, Model, Property, State, Verdict, choose, leads_to
from simcore.properties import completes, deadlock_free, no_stuck_subset

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


def buggy(*, downloads: int = 8, workers: int = 4, chunks: int | None = 1) -> Model:
    """Build the system before #4171.

    Parameters
    ----------
    downloads : int
        Threads that download at once, each with one request open.
    workers : int
        Workers of the owner's stream pool.
    chunks : int, optional
        Round trips of each download; with None, as many as it likes.
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
        model.process(name, download, name, requests, inbox[name], chunks)
    model.process("owner reader", owner_reader, daemon=True)
    model.process("requester reader", requester_reader, replies, inbox, daemon=True)
    return model


def fixed(
    *, downloads: int = 8, workers: int = 4, callback_workers: int = 64, chunks: int | None = 1, fix: bool = True
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
        model.process(name, download, name, requests, inbox[name], chunks)
    model.process("owner reader", owner_reader, daemon=True)
    model.process("requester reader", requester_reader, replies, inbox, daemon=True)
    return model


def download(name, requests, inbox, chunks):
    """Ask for one chunk after the other; return the numbers of the chunks received, each one checked."""
    number, received = 0, ()
    while chunks is None and (yield choose(True, False)):
        if (yield from round_trip(Request(name, number), requests, inbox)) != number:
            raise ValueError(f"{name} has an answer to the request before")
        number = 1 - number
    for number in range(chunks or 0):
        received += ((yield from round_trip(Request(name, number), requests, inbox)),)
    return received


def round_trip(request, requests, inbox):
    """Ask for a chunk; return the number of the one that came."""
    yield requests.send(request)
    chunk = yield inbox.get()
    if chunk.data != content(chunk.number):
        raise ValueError(f"{chunk} has wrong bytes")
    return chunk.number


def requester_reader(replies, inbox):
    """Hand each reply to the download that waits for it."""
    while True:
        chunk = yield replies.recv()
        yield inbox[chunk.download].put(chunk)


def answered(name: str = "download[0]") -> Property:
    """Require that every request of the download ``name`` is answered; it is one of many that are alike."""

    def asks(state: State) -> bool:
        operation = state.process(name).operation
        return operation is not None and operation.name == "get"

    return leads_to(asks, lambda state: not asks(state), f"every request of {name} is answered")


SMALL = {"downloads": 2, "workers": 2}
AFTER = {**SMALL, "callback_workers": 2}
ANY = {"chunks": None}

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
    Claim("S1", "(a) 2.7.1 pools", buggy, deadlock_free(), Verdict.VIOLATED, {"downloads": 3, "workers": 2}),
    Claim("L2", "2.7.1", buggy, no_stuck_subset(), Verdict.VIOLATED, SMALL),
    Claim("L2", "2.7.2", fixed, no_stuck_subset(), Verdict.HOLDS, AFTER),
    Claim("L3", "2.7.1", buggy, completes("download"), Verdict.VIOLATED, SMALL),
    Claim("L3", "2.7.2", fixed, completes("download"), Verdict.HOLDS, AFTER),
    Claim("S1", "2.7.1", buggy, deadlock_free(), Verdict.VIOLATED, {**SMALL, **ANY}, note="any number of chunks"),
    Claim("S1", "2.7.2", fixed, deadlock_free(), Verdict.HOLDS, {**AFTER, **ANY}, note="any number of chunks"),
    Claim("L2", "2.7.2", fixed, no_stuck_subset(), Verdict.HOLDS, {**AFTER, **ANY}, note="any number of chunks"),
    Claim("L3", "2.7.1", buggy, answered(), Verdict.VIOLATED, {**SMALL, **ANY}, note="any number of chunks"),
    Claim("L3", "2.7.2", fixed, answered(), Verdict.HOLDS, {**AFTER, **ANY}, note="any number of chunks"),
    Claim(
        "L3",
        "2.7.1",
        buggy,
        answered(),
        Verdict.HOLDS,
        {"downloads": 2, "workers": 3, **ANY},
        note="with more workers than downloads, for any number of chunks",
    ),
)
