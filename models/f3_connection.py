"""A connection of NVFlare from the lock to the socket, its heartbeat monitor, and everybody who sends over it.

The parts of `head_of_line_stall.py`. What #4206 changes is passed in (`Version`): how a frame is written, how a sender
waits for its window, what the monitor looks for. `build` puts a cell together: a connection to a peer that stops
reading, one to a healthy peer, and one of several kinds of senders (`SENDERS`).
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

from simcore import Model, ModelError, sleep
from simcore.models.f3 import (
    ACK_CHECK_INTERVAL,
    ACK_PROGRESS_TIMEOUT,
    ACK_WAIT,
    HEARTBEAT_IDLE,
    HEARTBEAT_TICK,
    SEND_TIMEOUT,
    STALL_CHECKS,
    STALL_TIMEOUT,
    Ack,
    Chunk,
    Error,
    StreamError,
    acquire,
    release,
    settle,
)

IDLE_TICKS, STALL_TICKS = int(HEARTBEAT_IDLE // HEARTBEAT_TICK), int(STALL_TIMEOUT // HEARTBEAT_TICK)
DESCRIPTORS = 1024
"""What select() can look at: descriptors below that."""

PING, CLOSED, SENT = "ping", "closed", "sent"


class Version(NamedTuple):
    """What #4206 changes: how a frame is written, how a sender waits for its window, what the monitor looks for."""

    write: Any
    within_window: Any
    look: Any = None
    auto_close: bool = False
    descriptor: int = 5
    non_blocking: bool = False
    progress_from: str = "construction"
    error_wakes: bool = False
    second: float = 1.0


class Sizes(NamedTuple):
    """What both variants take, in their words."""

    stalled: int
    workers: int
    frames: int
    frame: int
    buffer: int
    window: int
    silent: int
    fails_after: int
    heartbeats: bool


class Connection:
    """What a cell has of one peer."""

    def __init__(self, model: Model, name: str, version: Version, sizes: Sizes) -> None:
        self.name, self.version, self.frame, self.watched = name, version, sizes.frame, sizes.heartbeats
        self.lock = model.lock(f"{name} connection lock")
        """SfmConnection.lock: the exclusive right to write. Whoever sends takes it once, for number and write."""
        self.link = model.link(f"{name} socket", sizes.buffer)
        self.silence = model.variable(f"{name} silence", min(sizes.silent // int(HEARTBEAT_TICK), IDLE_TICKS + 1))
        """Ticks of the monitor since something came from the peer."""
        self.status = model.variable(f"{name} write") if version.look is not None else None
        """Ticks for which the current write has lasted; None without one; or "closed"."""
        self.pinged, self.torn = model.event(f"{name} pinged"), model.event(f"{name} has a torn frame")
        self.streams: dict[Any, Stream] = {}

    def __str__(self) -> str:
        return self.name


class Stream:
    """A stream to a peer, at both ends."""

    def __init__(self, model: Model, name: Any, connection: Connection, sizes: Sizes) -> None:
        self.name, self.connection = name, connection
        self.frames, self.window, self.fails_after = sizes.frames, sizes.window, sizes.fails_after
        self.acknowledged = sizes.frames > sizes.window + 2
        """Whether its sender may have to wait, so that acknowledgements matter."""
        self.progress = model.variable(f"{name} progress", Progress())
        self.ack_waiter = model.event(f"{name} ack waiter")
        self.sent = model.future(f"{name} sent")
        self.arrived = model.variable(f"{name} arrived", ())
        """The numbers of its frames that have arrived."""
        connection.streams[name] = self

    def __str__(self) -> str:
        return str(self.name)


class Part(NamedTuple):
    """A unit of a frame on the wire."""

    frame: Any
    number: int
    parts: int

    def __str__(self) -> str:
        return str(self.frame) if self.parts == 1 else f"{self.frame}, part {self.number + 1} of {self.parts}"


class Progress(NamedTuple):
    """How many frames are acknowledged, and whether that has not grown for 60 s."""

    acked: int = 0
    overdue: bool = False


# ---- a connection --------------------------------------------------------------------------------------------


def send_frame(connection, frame):
    """Send a frame (SfmConnection.send_frame): from any thread, with the lock held across the whole write."""
    if connection.status is not None and (yield connection.status.get()) == CLOSED:
        raise StreamError("the peer is not connected")
    yield from acquire(connection.lock)
    try:
        yield from connection.version.write(connection, parts_of(frame, connection.frame))
    finally:
        yield from release(connection.lock)


def parts_of(frame, units):
    """Return the units that a frame takes on the wire: more than one if it carries data."""
    units = units if isinstance(frame, Chunk) else 1
    return tuple(Part(frame, number, units) for number in range(units))


def sendall(connection, parts):
    """Write, before: without a limit."""
    for part in parts:
        yield connection.link.send(part)


def send_with_timeout(connection, parts):
    """Write, after: select() until there is room, for 30 s at most, and then send() what is left of the frame.

    The lock is held, so the room that select() has seen is still there, and the first unit goes into it. For the
    others send() waits, without a limit where the socket blocks. Since a peer reads at once or not at all, a limit
    for each unit is one for the frame.
    """
    limit = SEND_TIMEOUT * connection.version.second
    if connection.version.descriptor >= DESCRIPTORS:
        raise StreamError("filedescriptor out of range in select()")
    yield from note(connection, begun)
    try:
        yield connection.link.send(parts[0], timeout=limit)
        for part in parts[1:]:
            yield connection.link.send(part, timeout=limit if connection.version.non_blocking else None)
    except TimeoutError:
        yield from close(connection)
        raise StreamError("the send has timed out") from None
    except OSError:
        pass  # an error of a connection that is being closed is swallowed, and the frame counts as sent
    finally:
        yield from note(connection, over)


def note(connection, change):
    """Note when a write begins, and that it is over, for the monitor if there is one."""
    if connection.watched:
        yield connection.status.update(change)


def close(connection):
    """Close a connection: a part of a frame may be on the wire."""
    yield connection.status.set(CLOSED)
    yield connection.link.close("send")


def begun(status):
    """Return the status of a connection when a write begins."""
    return CLOSED if status == CLOSED else 0


def over(status):
    """Return the status of a connection when a write has ended."""
    return CLOSED if status == CLOSED else None


# ---- the heartbeat monitor -----------------------------------------------------------------------------------


def monitor(connections, version):
    """Be the heartbeat thread of the cell (hb_mon), one for all connections."""
    while True:
        yield sleep(HEARTBEAT_TICK * version.second)
        for connection in connections:
            silence = yield connection.silence.update(one_more, IDLE_TICKS + 1)
            if version.look is not None and (yield from version.look(connection)):
                continue
            if silence > IDLE_TICKS:
                with suppress(StreamError):
                    yield from send_frame(connection, PING)


def look_for_stall(connection):
    """Tell whether the current write has lasted for too long; at the third look, close if that is wanted."""
    lasted = yield connection.status.update(one_tick_more)
    if lasted in (None, CLOSED) or lasted <= STALL_TICKS:
        return lasted == CLOSED
    if connection.version.auto_close and lasted - STALL_TICKS == STALL_CHECKS:
        yield from close(connection)
    return True


def one_more(ticks, most):
    """Count one more, up to ``most``."""
    return min(ticks + 1, most)


def one_tick_more(status):
    """Return the status of a connection a tick later."""
    return status if status in (None, CLOSED) else one_more(status, STALL_TICKS + STALL_CHECKS)


# ---- the sender of a stream ----------------------------------------------------------------------------------


def call(pool, stream):
    """Send a stream and wait for its outcome."""
    yield pool.submit(transmit, stream)
    try:
        return (yield stream.sent.result())
    except StreamError as error:
        return str(error)


def transmit(stream):
    """Be a send task (TxTask). One frame is read ahead, and the last one goes without a look at the window."""
    try:
        for number in range(stream.frames):
            if stream.fails_after and (yield stream.sent.done()):
                return  # the receiver has failed
            last = number == stream.frames - 1
            if not last and number > stream.window:
                yield from stream.connection.version.within_window(stream, number)
            yield from send_frame(stream.connection, Chunk(stream.name, number, last))
        yield from settle(stream.sent, SENT)
    except NoProgress:
        yield from fail(stream, "no progress of the acknowledgements", notify=True)
    except StreamError as error:
        yield from fail(stream, str(error), notify=False)


class NoProgress(Exception):
    """A sender has given up waiting for its window."""


def fail(stream, why, notify):
    """Stop a send task with an error (TxTask.stop)."""
    if (yield from settle(stream.sent, StreamError(why))) and notify:
        with suppress(StreamError):
            yield from send_frame(stream.connection, Error(stream.name, "receiver"))


def wait_for_ack(stream, sent):
    """Wait for the window, before: for an acknowledgement at least every 300 s."""
    limit = ACK_WAIT * stream.connection.version.second
    while sent - (yield stream.progress.get()).acked > stream.window:
        yield stream.ack_waiter.clear()
        if not (yield stream.ack_waiter.wait(timeout=limit)):
            raise NoProgress


def wait_for_progress(stream, sent):
    """Wait for the window, after: with a look every 5 s whether the acknowledgements made progress within 60 s.

    Nobody is woken by what ends a stream otherwise (H21). That one wait may last 300 s at most is left out.
    """
    version, waited, acked = stream.connection.version, 0.0, 0
    while sent - (progress := (yield stream.progress.get())).acked > stream.window:
        waited, acked = waited if progress.acked == acked else 0.0, progress.acked
        if progress.overdue or (version.progress_from == "wait" and waited >= ACK_PROGRESS_TIMEOUT):
            raise NoProgress
        yield stream.ack_waiter.clear()
        if not (yield stream.ack_waiter.wait(timeout=ACK_CHECK_INTERVAL * version.second)):
            waited += ACK_CHECK_INTERVAL
        if version.error_wakes and (yield stream.sent.done()):
            raise StreamError("the receiver has failed")


def progress_clock(stream):
    """Be the time since the last progress, which runs from when the send task is made: when the model begins."""
    limit, acked = ACK_PROGRESS_TIMEOUT * stream.connection.version.second, 0
    while True:
        progress = yield stream.progress.wait_for(beyond, acked, timeout=limit)
        if progress is None:
            yield stream.progress.update(overdue, acked)
            progress = yield stream.progress.wait_for(beyond, acked)
        acked = progress.acked


def beyond(progress, acked):
    """Tell whether more than ``acked`` frames are acknowledged."""
    return progress.acked > acked


def overdue(progress, acked):
    """Return the progress of a sender that has made none."""
    return progress if beyond(progress, acked) else progress._replace(overdue=True)


def grown(progress, consumed):
    """Return the progress of a sender after an acknowledgement."""
    return Progress(consumed) if beyond(Progress(consumed), progress.acked) else progress


# ---- a peer --------------------------------------------------------------------------------------------------


def peer(connection, units, thaws_after):
    """Be a peer, which reads frame by frame; after so many units it stops, and reads on after a while if it does.

    What it sends back comes at once: its way is not in question.
    """
    before = None
    while units != 0 or thaws_after:
        if units == 0:
            yield sleep(thaws_after)
            units = None
        try:
            part = yield connection.link.recv()
        except EOFError:
            return
        units = None if units is None else units - 1
        if not follows(part, before):
            yield connection.torn.set()
        before = part if part.number + 1 < part.parts else None
        if before is None:
            yield from process_frame(connection, part.frame)


def follows(part, before):
    """Tell whether a part is the one that must follow; ``before`` is None between frames."""
    if before is None:
        return part.number == 0
    return (part.frame, part.number) == (before.frame, before.number + 1)


def process_frame(connection, frame):
    """Handle a whole frame at the peer, and what it sends back at the cell."""
    if frame == PING:
        yield connection.silence.set(0)
        yield connection.pinged.set()
    if not isinstance(frame, Chunk):
        return
    stream = connection.streams[frame.stream]
    arrived = len((yield stream.arrived.update(appended, frame.number)))
    if stream.fails_after and arrived >= stream.fails_after:
        yield from settle(stream.sent, StreamError("the receiver has failed"))
        if connection.version.error_wakes:
            yield stream.ack_waiter.set()
    elif stream.acknowledged and not frame.last:
        yield stream.progress.update(grown, arrived)
        yield stream.ack_waiter.set()


def appended(numbers, number):
    """Return ``numbers`` and one more."""
    return (*numbers, number)


# ---- who sends -----------------------------------------------------------------------------------------------


def build(model, version, sizes, senders, stop, patience):
    """Add the connections, the peers and whoever sends; ``stop`` tells when peers stop reading, and for how long."""
    if senders not in SENDERS:
        raise ModelError(f"senders={senders!r}: use one of {', '.join(map(repr, SENDERS))}")
    names = ["stalled peer", *(f"stalled peer {number}" for number in range(1, sizes.stalled))]
    stalled = [Connection(model, name, version, sizes) for name in (names if senders == "control" else names[:1])]
    healthy = Connection(model, "healthy peer", version, sizes)
    for connection in (*stalled, healthy):  # in this order the monitor and the control thread come to them
        read = (None, 0) if connection is healthy else stop
        model.process(f"{connection} reader", peer, connection, *read, daemon=True)
    SENDERS[senders](model, sizes, stalled, healthy)
    if sizes.heartbeats:
        model.process("hb_mon", monitor, (*stalled, healthy), version, daemon=True)
        model.process("heartbeat", wait_for_ping, healthy)
    if patience:
        model.process("stopwatch", run_out, patience, daemon=True)


def wait_for_ping(connection):
    """Be a peer that wants to hear from the cell."""
    yield connection.pinged.wait()


def run_out(seconds):
    """Be the stopwatch."""
    yield sleep(seconds)


def by_streams(model, sizes, stalled, healthy):
    """Let stream workers send, a stream each."""
    pool = model.thread_pool("stream", sizes.workers)
    for stream in all_streams(model, sizes, stalled[0], healthy):
        model.process(stream.name, call, pool, stream)
        version = stream.connection.version
        if stream.acknowledged and version.look is not None and version.progress_from == "construction":
            model.process(f"clock of {stream}", progress_clock, stream, daemon=True)


def by_relay(model, sizes, stalled, healthy):
    """Let frame workers forward the frames of each stream, which come over connections of their own."""
    pool = model.thread_pool("frame", sizes.workers)
    for stream in all_streams(model, sizes, stalled[0], healthy):
        model.process(stream.name, hand_on, pool, stream, stream.connection is healthy)


def by_acks(model, sizes, stalled, healthy):
    """Let readers of streams from the stalled peer acknowledge, each with the lock of its receive task held.

    Frame workers add the frames of these streams under that lock, and answer the healthy peer's requests.
    """
    pool = model.thread_pool("frame", sizes.workers)
    for stream in all_streams(model, sizes, stalled[0], healthy):
        if stream.connection is healthy:
            model.process(stream.name, hand_on, pool, stream, True)
        else:
            lock = model.lock(f"{stream} receive lock")
            model.process(stream.name, hand_over, pool, lock, sizes.frames)
            model.process(f"acks of {stream}", acknowledge, stream, lock)


def by_control(model, sizes, stalled, healthy):
    """Let one thread send the control messages, each to one peer after the other."""
    streams = [Stream(model, str(connection), connection, sizes) for connection in (*stalled, healthy)]
    model.process("control", send_to_all, streams)
    model.process("healthy", wait_for_arrival, streams[-1])


SENDERS = {"streams": by_streams, "relay": by_relay, "acks": by_acks, "control": by_control}


def all_streams(model, sizes, stalled, healthy):
    """Return the streams to the peer that stalls, and the one to the healthy peer."""
    names = model.indices("stalled", sizes.stalled)
    return [*(Stream(model, name, stalled, sizes) for name in names), Stream(model, "healthy", healthy, sizes)]


def hand_on(pool, stream, wait):
    """Be a reader thread: give each frame of a stream to a frame worker that sends; wait for its arrival or not."""
    for number in range(stream.frames):
        yield pool.submit(forward, stream.connection, Chunk(stream.name, number, number == stream.frames - 1))
    if wait:
        yield from wait_for_arrival(stream)


def forward(connection, frame):
    """Send a frame from a frame worker: forward it, or reply."""
    with suppress(StreamError):
        yield from send_frame(connection, frame)


def wait_for_arrival(stream):
    """Wait until all frames of a stream have arrived."""
    yield stream.arrived.wait_for(complete, stream.frames)


def complete(arrived, frames):
    """Tell whether so many frames have arrived."""
    return len(arrived) == frames


def hand_over(pool, lock, frames):
    """Be a reader thread: give each frame of an incoming stream to a frame worker."""
    for _ in range(frames):
        yield pool.submit(add_chunk, lock)


def add_chunk(lock):
    """Add a frame to its receive task, on a frame worker."""
    yield lock.acquire()
    yield lock.release()


def acknowledge(stream, lock):
    """Be the reader of an incoming stream, on a stream worker: acknowledge what was there when the peer stopped."""
    for number in range(stream.frames):
        yield lock.acquire()
        yield from forward(stream.connection, Ack(stream.name, number + 1))
        yield lock.release()


def send_to_all(streams):
    """Be the thread that runs a job: each message goes to one peer after the other."""
    for number in range(streams[0].frames):
        for stream in streams:
            yield from forward(stream.connection, Chunk(stream.name, number, number == stream.frames - 1))
