"""Stream workers wait for readers, or for acknowledgements of readers, that are queued behind them in the same pool.

NVFlare 2.7.1, nvflare/fuel/f3/streaming/blob_streamer.py, handle_blob_cb(), on the whole path of a download:
request blob, send task, frames, frame pool, receive task, wrapper, reader, callback, and all of that once more for
the reply, with its window and acknowledgements. Fixed in 2.7.2 by #4171 (end-to-end test: #4172): the blob callback
runs on a pool of its own. What the fix leaves is the window knot (H10): send tasks that wait for acknowledgements
hold the workers that the readers need.

Look for all stream workers in a wrapper's blob callback, waiting for the future of a reader that is queued behind
them; and, with replies longer than window + 2 chunks, for stream workers in transmit that wait for an ack waiter
whose reader is queued behind them.
"""

from __future__ import annotations

from simcore import Claim, Model, Verdict
from simcore.models.f3 import ACK_CHECK_INTERVAL, Cell, Stream, StreamError, connect, read, transmit
from simcore.properties import completes, deadlock_free

REPORT = "https://github.com/NVIDIA/NVFlare/pull/4172"


def callback_in_the_wrapper(cell, stream):
    """Be the wrapper of a blob, before: its callback runs here, on the stream worker."""
    yield cell.stream.submit(read, cell, stream)
    yield from stream.on_blob(cell, stream)


def callback_on_its_own_pool(cell, stream):
    """Be the wrapper of a blob, after: it never blocks."""
    yield cell.stream.submit(read, cell, stream)
    yield cell.callback.submit(stream.on_blob, cell, stream)


def buggy(
    *,
    topology: str = "one process",
    downloads: int = 1,
    workers: int = 1,
    frame_workers: int = 1,
    chunks: int = 1,
    request_chunks: int = 1,
    window: int = 1,
    ack_interval: int = 0,
    both_ways: bool = False,
) -> Model:
    """Build the path of a download before #4171.

    Parameters
    ----------
    topology : str
        "one process" (both cells share the pools, a send is a call), "tcp" or "relay".
    downloads : int
        Threads that download at once; with ``both_ways``, on either side.
    workers : int
        Workers of each process's stream pool.
    frame_workers : int
        Workers of each process's frame pool, and of the relay's; none within one process.
    chunks : int
        Chunks of a reply.
    request_chunks : int
        Chunks of a request.
    window : int
        Chunks that may be unacknowledged while the sender goes on; a stream of ``window + 2`` never waits.
    ack_interval : int
        The receiver acknowledges once more than so many chunks have been consumed since the last time.
    both_ways : bool
        Whether each side downloads from the other.
    """
    model = Model("download path, before #4171")
    sizes = {"stream_workers": workers, "frame_workers": 0 if topology == "one process" else frame_workers}
    cells = two_cells(model, topology, on_open=callback_in_the_wrapper, **sizes)
    flow = {"window": window, "ack_interval": ack_interval}
    add_downloads(model, cells, downloads, both_ways, (request_chunks, chunks), **flow)
    return model


def fixed(
    *,
    topology: str = "one process",
    downloads: int = 1,
    workers: int = 1,
    callback_workers: int = 1,
    frame_workers: int = 1,
    chunks: int = 1,
    request_chunks: int = 1,
    window: int = 1,
    ack_interval: int = 0,
    both_ways: bool = False,
    second: float = 1.0,
    fix: bool = True,
) -> Model:
    """Build the path of a download after #4171.

    The parameters of `buggy`, and these.

    Parameters
    ----------
    callback_workers : int
        Workers of each process's callback pool.
    second : float
        Seconds of the model for one of NVFlare; a small number makes a real run quick.
    fix : bool
        False takes the fix out again: the callback runs in the wrapper, and the callback pool idles.
    """
    model = Model("download path, after #4171" if fix else "download path, #4171 taken out again")
    sizes = {"stream_workers": workers, "frame_workers": 0 if topology == "one process" else frame_workers}
    on_open = callback_on_its_own_pool if fix else callback_in_the_wrapper
    cells = two_cells(model, topology, on_open=on_open, callback_workers=callback_workers, **sizes)
    flow = {"window": window, "ack_interval": ack_interval, "recheck": ACK_CHECK_INTERVAL * second}
    add_downloads(model, cells, downloads, both_ways, (request_chunks, chunks), **flow)
    return model


def two_cells(model, topology, **how):
    """Return the requester's cell and the owner's: one and the same within one process."""
    requester = Cell(model, "both" if topology == "one process" else "requester", **how)
    owner = requester if topology == "one process" else Cell(model, "owner", **how)
    connect(model, requester, owner, topology, relay_workers=max(how["frame_workers"], 1))
    return requester, owner


def add_downloads(model, cells, downloads, both_ways, chunks, timeout=None, **flow):
    """Add processes that download, and the streams of each: a request and a reply of so many ``chunks``."""
    for number, (requester, owner) in enumerate([cells, cells[::-1]][: 1 + both_ways]):
        for name in model.indices("upload" if number else "download", downloads):
            parts = round_trip(model, name, requester, owner, chunks, **flow)
            model.process(name, download, requester, *parts, timeout)


def round_trip(model, name, requester, owner, chunks, **flow):
    """Return the request, the reply, and the event that tells of the reply's first bytes."""
    dispatched = model.event(f"{name} dispatched")

    def answer(cell, request):
        """Be the request adapter (Adapter.call): it waits for the bytes of the request without a limit."""
        try:
            yield request.future.result()
        except StreamError:
            return
        yield cell.stream.submit(transmit, cell, reply)

    def process_reply(cell, reply):
        """Be the reply dispatcher (Cell._process_reply): it never blocks."""
        yield dispatched.set()

    request = Stream(model, f"request of {name}", chunks=chunks[0], on_blob=answer, **flow)
    reply = Stream(model, f"reply of {name}", chunks=chunks[1], on_blob=process_reply, **flow)
    for cell in (requester, owner):
        cell.streams.update({request.name: request, reply.name: reply})
    return request, reply, dispatched


def download(cell, request, reply, dispatched, timeout=None):
    """Make one request and wait for the whole of its reply; return the number of chunks, None after ``timeout``."""
    yield cell.stream.submit(transmit, cell, request)
    if not (yield dispatched.wait(timeout=timeout)):
        return None
    return (yield reply.future.result())


_TWO = {"downloads": 2, "workers": 2}
_LONG = {"chunks": 4, "window": 1, "ack_interval": 0}  # a reply of window + 3 chunks is the shortest that ever waits

CLAIMS = (
    Claim("S1", "2.7.1", buggy, deadlock_free(), Verdict.VIOLATED, _TWO),
    Claim("S1", "2.7.2", fixed, deadlock_free(), Verdict.HOLDS, _TWO),
    Claim("S1", "2.7.1", buggy, deadlock_free(), Verdict.HOLDS, {"workers": 2}, note="fewer downloads than workers"),
    Claim("S1", "2.7.1", buggy, deadlock_free(), Verdict.VIOLATED, {"topology": "tcp", **_TWO}),
    Claim("S1", "2.7.2", fixed, deadlock_free(), Verdict.HOLDS, {"topology": "tcp", "downloads": 2}, slow=True),
    Claim("S1", "2.7.1", buggy, deadlock_free(), Verdict.VIOLATED, {"topology": "relay"}),
    Claim("S1", "2.7.2", fixed, deadlock_free(), Verdict.HOLDS, {"topology": "relay"}),
    Claim("L3", "2.7.1", buggy, completes("download"), Verdict.VIOLATED, _TWO),
    Claim("L3", "2.7.2", fixed, completes("download"), Verdict.HOLDS, {"downloads": 2}),
    Claim("L3", "2.7.2", fixed, completes("download"), Verdict.HOLDS, {**_LONG, "chunks": 3}, note="window + 2 chunks"),
    Claim("L3", "2.7.2", fixed, completes("download"), Verdict.VIOLATED, _LONG, note="above the threshold of S3"),
    Claim(
        "S3",
        "2.7.1",
        buggy,
        deadlock_free(),
        Verdict.VIOLATED,
        {"request_chunks": 4},
        note="the sender holds the worker that its own wrapper needs, before any callback",
    ),
    Claim("S3", "2.7.2", fixed, deadlock_free(), Verdict.VIOLATED, {"request_chunks": 4}),
    Claim("H10", "2.7.2", fixed, deadlock_free(), Verdict.VIOLATED, _LONG, note="one long stream, one worker"),
    Claim("H10", "2.7.2", fixed, deadlock_free(), Verdict.HOLDS, {**_LONG, "chunks": 3}, note="window + 2 never wait"),
    Claim("H10", "2.7.2", fixed, deadlock_free(), Verdict.HOLDS, {**_LONG, "workers": 2}, note="a worker is left"),
    Claim(
        "H10",
        "2.7.2",
        fixed,
        deadlock_free(),
        Verdict.VIOLATED,
        {"topology": "tcp", "request_chunks": 4, "both_ways": True},
        timeouts="never",
        note="two processes, one long stream each way: a distributed knot",
    ),
    Claim(
        "H10",
        "2.7.2",
        fixed,
        deadlock_free(),
        Verdict.HOLDS,
        {"topology": "tcp", **_LONG},
        slow=True,
        note="two processes, one way only: the idle side's pool runs the reader",
    ),
    Claim(
        "H24",
        "2.7.1",
        buggy,
        deadlock_free(),
        Verdict.VIOLATED,
        {**_LONG, "workers": 2},
        note="an acknowledgement between the look at the window and the clearing of the event is lost",
    ),
    Claim("H24", "2.7.2", fixed, deadlock_free(), Verdict.HOLDS, {**_LONG, "workers": 2}, note="looks again after 5 s"),
)
