"""The streaming layer of NVFlare: cells, the frames between them, and both ends of a stream.

A **cell** is an endpoint with its pools. A **stream** is cut into chunks, one frame each; the sender keeps a
window of unacknowledged chunks (`transmit`), the receiver collects them (`on_chunk`) and a reader takes and
acknowledges them (`read`). What differs between releases is passed in: how an error frame stops a receive task
(``on_error``), what is submitted when a stream opens (``on_open``). The models say which release they show.

Frames travel in one of three ways (`connect`): in one process a send is a call of the receiving cell on the
sender's thread; over TCP a reader thread at the other end hands each frame to the frame pool, whose workers may
overtake each other; a relay does that once more on the way.

Atomic here is what holds a lock and does not block while holding it, one queue operation, one event operation.
"""

from __future__ import annotations

from concurrent.futures import InvalidStateError
from typing import Any, NamedTuple

from simcore import Model, ModelError

TOPOLOGIES = ("one process", "tcp", "relay")

ACK_WAIT = 300.0
"""Seconds, as all time-outs here, of NVFlare's own clock; a model takes ``second=`` to run them all faster."""
ACK_PROGRESS_TIMEOUT, ACK_CHECK_INTERVAL = 60.0, 5.0
READ_TIMEOUT = 300.0
SEND_TIMEOUT = 30.0
STALL_TIMEOUT, STALL_CHECKS = 45.0, 3
HEARTBEAT_TICK, HEARTBEAT_IDLE = 5.0, 60.0
REQUEST_TIMEOUT = 600.0
"""Per request of a download."""
TRANSACTION_TIMEOUT, MONITOR_PERIOD = 300.0, 5.0
RETRIES, BACKOFF = 3, (2.0, 4.0, 8.0)


# ---- frames -------------------------------------------------------------------------------------------------


class Chunk(NamedTuple):
    """Carries chunk ``number`` of a stream, from 0."""

    stream: Any
    number: int
    last: bool

    def __str__(self) -> str:
        return f"{self.stream} chunk {self.number}" + (" (last)" if self.last else "")


class Ack(NamedTuple):
    """Tells the sender how many chunks have been consumed."""

    stream: Any
    consumed: int

    def __str__(self) -> str:
        return f"{self.stream} ack {self.consumed}"


class Error(NamedTuple):
    """Tells the other end that its stream has failed; ``to`` is "receiver" (DATA topic) or "sender" (ACK topic)."""

    stream: Any
    to: str

    def __str__(self) -> str:
        return f"{self.stream} error for the {self.to}"


# ---- both ends of a stream -----------------------------------------------------------------------------------


class StreamError(Exception):
    """A stream has failed: what whoever waits for its bytes, or for it to be sent, is told."""


class RxTask(NamedTuple):
    """A receive task: ``arrived`` chunks are in order, ``parked`` ones came early."""

    arrived: int = 0
    total: int = -1
    parked: frozenset[int] = frozenset()
    ended: bool = False
    """Whether a stop has marked the end of the stream, which the reader sees if ``stop_wakes_reader``."""

    @property
    def whole(self) -> bool:
        """Whether every chunk is there."""
        return self.arrived == self.total

    def __str__(self) -> str:
        of = "?" if self.total < 0 else self.total
        early = f", early {sorted(self.parked)}" if self.parked else ""
        return f"{self.arrived} of {of} chunks{early}"


class Received(NamedTuple):
    """The receive tasks of one stream, and whether the map of receive tasks has the last of them.

    There is more than one when a chunk comes after a stop. Only the task ``opened``, which has been given chunk 0,
    has a future, and a reader.
    """

    tasks: tuple[RxTask, ...] = ()
    in_map: bool = False
    opened: int = -1

    @property
    def last(self) -> int:
        """The task that is in the map, if one is."""
        return len(self.tasks) - 1

    def __str__(self) -> str:
        return "; ".join(map(str, self.tasks)) + (" (in the map)" if self.in_map else " (not in the map)")


class Stream:
    """Both ends of one transfer.

    Parameters
    ----------
    model : Model
        Where its objects go.
    name : str or Index
        Its name.
    chunks : int
        Its length.
    window : int
        Chunks that may be unacknowledged while the sender goes on; NVFlare's is 16.
    ack_interval : int
        The receiver acknowledges once more than so many chunks have been consumed since; NVFlare's is 4.
    most_early : int
        Chunks that may be parked because one before them is missing; one more stops the stream.
    fails_after : int, optional
        Chunks after which the source fails: the sender then sends an error frame. None: it does not.
    tasks : int
        Receive tasks with a lock of their own; those that the stream gets after more stops share the last one's.
    ack_wait : float, optional
        Seconds without an acknowledgement after which the sender gives the stream up. None: it never does.
    recheck : float, optional
        Seconds after which a waiting sender looks at the window again: after #4206. None: it trusts to be woken.
    read_timeout : float, optional
        Seconds that the reader waits for the next chunk before it stops the stream. None: without limit.
    stop_wakes_reader : bool
        Whether a stop ends the wait of the reader too; in no release up to 2.7.2.
    on_blob : function of (cell, stream), optional
        The blob callback: what is run for the whole of it, and waits for `future` if it wants the bytes.
    """

    def __init__(
        self,
        model: Model,
        name: Any,
        *,
        chunks: int = 1,
        window: int = 16,
        ack_interval: int = 4,
        most_early: int = 16,
        fails_after: int | None = None,
        tasks: int = 1,
        ack_wait: float | None = None,
        recheck: float | None = None,
        read_timeout: float | None = None,
        stop_wakes_reader: bool = False,
        on_blob: Any = None,
    ) -> None:
        self.name, self.chunks, self.window, self.ack_interval = name, chunks, window, ack_interval
        self.most_early, self.ack_wait, self.recheck, self.read_timeout = most_early, ack_wait, recheck, read_timeout
        self.stop_wakes_reader, self.fails_after, self.on_blob = stop_wakes_reader, fails_after, on_blob
        self.acked = model.variable(f"{name} acked", 0)
        self.ack_waiter = model.event(f"{name} ack waiter")
        self.sent = model.future(f"{name} sent")
        """TxTask's future: the sender's side of the outcome."""
        self.locks = tuple(model.lock(f"{name} lock" + f" {number}" * bool(number)) for number in range(tasks))
        """RxTask.lock of each task."""
        self.received = model.variable(f"{name} received", Received())
        self.future = model.future(f"{name} future")
        """RxTask's future: what whoever wants the bytes waits for."""

    def lock(self, task: int) -> Any:
        """Return RxTask.lock of one of its receive tasks."""
        return self.locks[min(task, len(self.locks) - 1)]

    def __str__(self) -> str:
        return str(self.name)


class Cell:
    """An endpoint and the pools of its process.

    Parameters
    ----------
    model : Model
        Where its objects go.
    name : str
        Its name.
    stream_workers, callback_workers, frame_workers : int
        Sizes of its pools; 0 leaves a pool out.
    on_open : function of (cell, stream)
        What the first chunk of a stream submits to the stream pool, such as the wrapper of a blob.
    on_error : function of (cell, stream), optional
        How an error frame stops a receive task. Without it there are no error frames, nothing blocks while it
        holds RxTask.map_lock, and each region under that lock is one step.
    """

    def __init__(
        self,
        model: Model,
        name: str,
        *,
        stream_workers: int,
        callback_workers: int = 0,
        frame_workers: int = 0,
        on_open: Any,
        on_error: Any = None,
    ) -> None:
        self.name, self.on_open, self.on_error = name, on_open, on_error
        self.streams: dict[Any, Stream] = {}
        """The streams that pass here, by name."""
        self.out: Any = None
        """The connection to the peer, or the peer itself where it is in the same process; see `connect`."""
        self.stream = model.thread_pool(f"{name} stream", stream_workers)
        self.callback = model.thread_pool(f"{name} callback", callback_workers) if callback_workers else None
        self.frame = model.thread_pool(f"{name} frame", frame_workers) if frame_workers else None
        self.map_lock = model.lock(f"{name} map_lock") if on_error is not None else None
        """RxTask.map_lock is class-global: there is one in each process."""

    def __str__(self) -> str:
        return self.name


def connect(model: Model, one: Cell, other: Cell, topology: str, *, capacity: int = 64, relay_workers: int = 1) -> None:
    """Let two cells send each other frames: "one process" (where both may be the same cell), "tcp" or "relay"."""
    if topology not in TOPOLOGIES:
        raise ModelError(f"topology={topology!r}: use one of {', '.join(map(repr, TOPOLOGIES))}")
    if topology == "one process":
        one.out, other.out = other, one
        return
    relay = model.thread_pool("relay frame", relay_workers) if topology == "relay" else None
    for sender, receiver in ((one, other), (other, one)):
        last = model.link(f"{sender.name} to {receiver.name}", capacity)
        model.process(f"{last} reader", read_frames, last, receiver.frame, process_frame, receiver, daemon=True)
        sender.out = last
        if relay is not None:
            sender.out = model.link(f"{sender.name} to relay", capacity)
            model.process(f"{sender.out} reader", read_frames, sender.out, relay, forward, last, daemon=True)


def send(cell, frame):
    """Send a frame to the peer of ``cell``: over a connection, or by a call of its handler on this thread."""
    if isinstance(cell.out, Cell):
        yield from process_frame(cell.out, frame)
    else:
        yield cell.out.send(frame)


def read_frames(link, pool, handle, where):
    """Be the reader thread of a connection: it runs no handler and never blocks on application work."""
    while True:
        frame = yield link.recv()
        yield pool.submit(handle, where, frame)


def forward(link, frame):
    """Pass a frame on, as a frame worker of a relay does."""
    yield link.send(frame)


def process_frame(cell, frame):
    """Handle one frame, on a frame worker or, within one process, on the sender's thread."""
    stream = cell.streams[frame.stream]
    if isinstance(frame, Chunk):
        yield from on_chunk(cell, stream, frame)
    elif isinstance(frame, Ack):
        yield stream.acked.update(max, frame.consumed)
        yield stream.ack_waiter.set()
    elif frame.to == "receiver":
        yield from cell.on_error(cell, stream)
    else:
        yield from settle(stream.sent, StreamError("the receiver has failed"))  # and ack_waiter is not set


def settle(future, outcome):
    """Set a future to a result or an exception, and tell whether that was done: one that is set stays as it is."""
    try:
        yield future.set_exception(outcome) if isinstance(outcome, Exception) else future.set_result(outcome)
    except InvalidStateError:
        return False
    return True


def acquire(lock):
    """Acquire a lock that may have been left out of the model."""
    if lock is not None:
        yield lock.acquire()


def release(lock):
    """Release it."""
    if lock is not None:
        yield lock.release()


# ---- the sender ----------------------------------------------------------------------------------------------


def transmit(cell, stream):
    """Be a send task (TxTask) on a stream worker.

    One chunk is read ahead, and the last one is sent without a look at the window, so a stream of up to
    ``window + 2`` chunks never waits.
    """
    for number in range(stream.chunks):
        last = number == stream.chunks - 1
        if cell.on_error is not None and (yield stream.sent.done()):
            return  # the receiver has failed
        if number == stream.fails_after or not (last or (yield from within_window(stream, number))):
            yield from fail(cell, stream)
            return
        yield from send(cell, Chunk(stream.name, number, last))
    yield from settle(stream.sent, stream.chunks)


def fail(cell, stream):
    """Stop a send task with an error (TxTask.stop); the receiver is told, unless it was stopped before."""
    if (yield from settle(stream.sent, StreamError("the sender has failed"))):
        yield from send(cell, Error(stream.name, "receiver"))


def within_window(stream, sent):
    """Wait until at most ``window`` of the chunks sent are unacknowledged; false when there was no progress for long.

    The look at the window, the clearing and the wait are three steps, so an acknowledgement between the first two
    is lost (H24). Before #4206 the sender then waits out ``ack_wait``; after it, it looks again every ``recheck``.
    """
    rounds = 0
    while sent - (yield stream.acked.get()) > stream.window:
        yield stream.ack_waiter.clear()
        limit = stream.ack_wait if stream.recheck is None else stream.recheck
        woken = yield stream.ack_waiter.wait(timeout=limit)
        if stream.ack_wait is not None:
            rounds = 0 if woken else rounds + 1
            if rounds * limit >= stream.ack_wait:
                return False
    return True


# ---- the receiver --------------------------------------------------------------------------------------------


def on_chunk(cell, stream, chunk):
    """Find or create the receive task of a chunk, and add the chunk to it, whatever has become of it meanwhile."""
    yield from acquire(cell.map_lock)
    task = (yield stream.received.update(_found_or_created)).last
    yield from release(cell.map_lock)
    yield stream.lock(task).acquire()
    after, fits = yield stream.received.transition(_with_chunk, task, chunk, stream.most_early)
    if not fits:
        yield from stop(cell, stream, task)
    if after.whole:
        yield from remove(cell, stream, task)
    yield stream.lock(task).release()
    if fits and chunk.number == 0:
        yield cell.stream.submit(cell.on_open, cell, stream)


def _found_or_created(received):
    return received if received.in_map else received._replace(tasks=(*received.tasks, RxTask()), in_map=True)


def _with_chunk(received, number, chunk, most_early):
    """Return what is received now, and (the task now, whether the chunk found a place), as the one thing to happen."""
    task = received.tasks[number]
    task = task._replace(total=chunk.number + 1) if chunk.last else task
    fits = chunk.number == task.arrived or len(task.parked) < most_early
    if fits:
        early, arrived = task.parked | {chunk.number}, task.arrived
        while arrived in early:
            early, arrived = early - {arrived}, arrived + 1
        task = task._replace(arrived=arrived, parked=early)
    after = _changed(received, number, task)._replace(opened=received.opened if chunk.number else number)
    return ((after, (task, fits)),)


def _changed(received, number, task):
    return received._replace(tasks=(*received.tasks[:number], task, *received.tasks[number + 1 :]))


def remove(cell, stream, task, ended=False):
    """Take what the map has of a stream out of it: by the stream's key, so it may be another task than this one."""
    yield from acquire(cell.map_lock)
    after = yield stream.received.update(_removed, task, ended)
    yield from release(cell.map_lock)
    return after


def _removed(received, number, ended):
    task = received.tasks[number]
    return _changed(received, number, task._replace(ended=task.ended or ended))._replace(in_map=False)


def stop(cell, stream, task, notify=True):
    """Stop a receive task (RxTask.stop): out of the map, its future fails, and the sender is told.

    Before chunk 0 there is no future that could fail: an AttributeError then ends it (H16), and nobody is told.
    """
    after = yield from remove(cell, stream, task, ended=True)
    if after.opened == task:
        yield from settle(stream.future, StreamError("the stream has failed"))
        if notify:
            yield from send(cell, Error(stream.name, "sender"))


def read(cell, stream):
    """Be the reader of a stream on a stream worker: take the chunks, acknowledge, and set the future."""
    consumed = acknowledged = 0
    task = (yield stream.received.get()).opened
    lock = stream.lock(task)
    while True:
        received = yield stream.received.wait_for(
            _readable, task, consumed, stream.stop_wakes_reader, timeout=stream.read_timeout
        )
        if received is None:
            yield from stop(cell, stream, task)
            return
        if stream.stop_wakes_reader and received.tasks[task].ended:
            return
        consumed += 1
        total = received.tasks[task].total
        due = consumed - acknowledged > stream.ack_interval and total < 0
        if due or cell.map_lock is not None:  # without that one nobody is blocked while holding this one
            yield lock.acquire()
            if due:
                acknowledged = consumed
                yield from send(cell, Ack(stream.name, consumed))
            yield lock.release()
        if consumed == total:
            yield from settle(stream.future, consumed)
            return


def _readable(received, number, consumed, wakes):
    task = received.tasks[number]
    return task.arrived > consumed or (wakes and task.ended)
