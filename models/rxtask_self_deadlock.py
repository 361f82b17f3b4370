"""A lock waits for itself after an error frame: RxTask.stop() is called while RxTask.map_lock is held, and takes it.

NVFlare 2.7.1, nvflare/fuel/f3/streaming/byte_receiver.py, RxTask.find_or_create_task(): the lock is class-global, so
from then on no chunk of any stream is handled in this process, and its frame workers are used up one by one.
Fixed in 2.7.2 by #4204: the task to stop is remembered under the lock and stopped after it is released.

A sender reads a source that fails after some chunks (or a receiver's callback fails), other streams pass beside it.
Over TCP the frames of one stream overtake each other in the frame pool, within one process they do not.

What the fix leaves: nobody wakes the reader of a stopped stream, which holds its worker for the read time-out (H11,
H13), nor a sender in its window wait (H21); a chunk that is handled after the stop makes a task without a reader
(H14); an error that overtakes chunk 0 is lost (H15); and too many chunks that overtake one abort a healthy stream
(H17), if that one is chunk 0 without telling anybody (H16).

Look for a process waiting for a lock that it holds itself.
"""

from __future__ import annotations

from simcore import Claim, Model, Property, State, Verdict, always, leads_to, sleep
from simcore.models.f3 import (
    ACK_CHECK_INTERVAL,
    ACK_PROGRESS_TIMEOUT,
    ACK_WAIT,
    READ_TIMEOUT,
    Cell,
    Received,
    Stream,
    StreamError,
    connect,
    read,
    stop,
    transmit,
)
from simcore.properties import completes, deadlock_free
from simcore.properties.completion import family
from simcore.properties.futures import resolved_once
from simcore.properties.locks import lock_order_acyclic, no_self_deadlock

REPORT = "https://github.com/NVIDIA/NVFlare/pull/4204"


def stop_under_the_map_lock(cell, stream):
    """Stop the receive task that an error frame is for, before: `stop` takes the lock that is held here."""
    yield cell.map_lock.acquire()
    received = yield stream.received.get()
    if received.in_map:
        yield from stop(cell, stream, received.last, notify=False)
    yield cell.map_lock.release()


def stop_after_the_map_lock(cell, stream):
    """Stop the receive task that an error frame is for, after."""
    yield cell.map_lock.acquire()
    received = yield stream.received.get()
    yield cell.map_lock.release()
    if received.in_map:
        yield from stop(cell, stream, received.last, notify=False)


def buggy(
    *,
    topology: str = "tcp",
    chunks: int = 2,
    fails_after: int = 1,
    rejected: bool = False,
    bystanders: int = 1,
    workers: int = 1,
    frame_workers: int = 2,
    window: int = 16,
    ack_interval: int = 4,
    most_early: int = 16,
    observed: float = 0.0,
    second: float = 1.0,
) -> Model:
    """Build the streams of two cells before #4204.

    Parameters
    ----------
    topology : str
        "tcp", "relay", or "one process" (both cells share the pools, a send is a call).
    chunks : int
        Chunks of the stream.
    fails_after : int
        Chunks of it that are sent before its source fails; with ``chunks`` or more it does not fail.
    rejected : bool
        Whether the receiver's callbacks fail at once, so that the receiver stops each stream that opens.
    bystanders : int
        Other streams, of one chunk each.
    workers : int
        Workers of each process's stream pool.
    frame_workers : int
        Workers of each process's frame pool; none within one process.
    window : int
        Chunks that may be unacknowledged while the sender goes on.
    ack_interval : int
        The receiver acknowledges once more than so many chunks have been consumed since the last time.
    most_early : int
        Chunks that the receiver parks because one before them is missing; one more stops the stream.
    observed : float
        Seconds after the failure at which an observer looks who is still busy with it; 0 leaves the observer out.
    second : float
        Seconds of the model for one of NVFlare; a small number makes a real run quick.
    """
    model = Model("rxtask self-deadlock, before #4204")
    cells = _cells(model, topology, workers, frame_workers, rejected, stop_under_the_map_lock)
    flow = {"window": window, "ack_interval": ack_interval, "most_early": most_early}
    waits = {"ack_wait": ACK_WAIT * second, "read_timeout": READ_TIMEOUT * second}
    _streams(model, cells, chunks, fails_after, bystanders, observed * second, **flow, **waits)
    return model


def fixed(
    *,
    topology: str = "tcp",
    chunks: int = 2,
    fails_after: int = 1,
    rejected: bool = False,
    bystanders: int = 1,
    workers: int = 1,
    frame_workers: int = 2,
    window: int = 16,
    ack_interval: int = 4,
    most_early: int = 16,
    observed: float = 0.0,
    second: float = 1.0,
    stop_wakes_reader: bool = False,
    fix: bool = True,
) -> Model:
    """Build the streams of two cells after #4204.

    The parameters of `buggy`, and these.

    Parameters
    ----------
    stop_wakes_reader : bool
        Variant (f): a stop marks the end of the stream and sets the waiter, which ends the wait of the reader too.
    fix : bool
        False takes #4204 out again, and leaves the other fixes in.
    """
    model = Model("rxtask self-deadlock, after #4204" if fix else "rxtask self-deadlock, #4204 taken out again")
    on_error = stop_after_the_map_lock if fix else stop_under_the_map_lock
    cells = _cells(model, topology, workers, frame_workers, rejected, on_error)
    flow = {"window": window, "ack_interval": ack_interval, "most_early": most_early}
    waits = {"ack_wait": ACK_PROGRESS_TIMEOUT * second, "recheck": ACK_CHECK_INTERVAL * second}
    waits |= {"read_timeout": READ_TIMEOUT * second, "stop_wakes_reader": stop_wakes_reader}
    _streams(model, cells, chunks, fails_after, bystanders, observed * second, **flow, **waits)
    return model


def _cells(model, topology, workers, frame_workers, rejected, on_error):
    """Return the sender's cell and the receiver's; in one process they share all they have."""
    one = topology == "one process"
    how = {"stream_workers": workers, "frame_workers": 0 if one else frame_workers}
    how |= {"on_open": reject if rejected else read, "on_error": on_error}
    sender = Cell(model, "both" if one else "sender", **how)
    receiver = sender if one else Cell(model, "receiver", **how)
    connect(model, sender, receiver, topology)
    return sender, receiver


def _streams(model, cells, chunks, fails_after, bystanders, observed, **how):
    """Add the stream that fails, the others, and the observer."""
    stream = Stream(model, "stream", chunks=chunks, fails_after=fails_after, tasks=chunks, **how)
    others = [Stream(model, name, **how) for name in model.indices("bystander", bystanders)]
    for each in (stream, *others):
        for cell in cells:
            cell.streams[each.name] = each
        model.process(each.name, transfer, cells[0], each)
    if observed:
        model.process("observer", observe, stream, observed)


def reject(cell, stream):
    """Be the wrapper of a callback that fails: it stops the stream (ByteReceiver._callback_wrapper)."""
    yield from stop(cell, stream, (yield stream.received.get()).opened)


def transfer(cell, stream):
    """Send a stream, and be who wants it at the other end: return its chunks, or "failed" when that is told."""
    yield cell.stream.submit(transmit, cell, stream)
    try:
        return (yield stream.future.result())
    except StreamError:
        return "failed"


def observe(stream, seconds):
    """Wait for what the sender says of the stream, and then so long."""
    yield stream.sent.exception()
    yield sleep(seconds)


# ---- claims --------------------------------------------------------------------------------------------------


def released() -> Property:
    """Require that no worker is busy with the failed stream any more when the observer looks."""

    def free(state: State) -> bool:
        if not state.process("observer").done:
            return True
        return not any(str(process.task).endswith(", stream)") for process in state.processes)

    return always(free, "the workers of a failed stream are free when the observer looks")


def others_served() -> Property:
    """Require that every other stream has come through when the observer looks."""

    def served(state: State) -> bool:
        return not state.process("observer").done or all(process.done for process in family(state, "bystander"))

    return always(served, "the other streams are through when the observer looks")


def not_failed() -> Property:
    """Require that the stream does not fail: for a source that does not."""

    def received(state: State) -> bool:
        return not state.process("stream").done or bool(state.process("stream").result != "failed")

    return always(received, "a stream whose source does not fail is received")


def owned() -> Property:
    """Require that each receive task in the map has a reader, or can still be given chunk 0 and so get one."""

    def each(state: State) -> bool:
        return all(not one.in_map or one.opened in (-1, one.last) for one in _received(state))

    return always(each, "every receive task in the map has a reader or will get one")


def few_early(limit: int) -> Property:
    """Require that no receive task parks more than ``limit`` chunks."""

    def few(state: State) -> bool:
        return all(len(task.parked) <= limit for one in _received(state) for task in one.tasks)

    return always(few, f"a receive task parks at most {limit} chunks")


def freed() -> Property:
    """Require that what is in the map of receive tasks is taken out in the end."""

    def kept(state: State) -> bool:
        return any(one.in_map for one in _received(state))

    return leads_to(kept, lambda state: not kept(state), "what is in the map of receive tasks is freed")


def _received(state: State) -> list[Received]:
    return [value for value in state.values.values() if isinstance(value, Received)]


ALONE = {"bystanders": 0}
NO_OVERTAKING = {"frame_workers": 1}
"""One frame worker: no frame overtakes another."""
LATE = {**ALONE, "observed": 61.0}
WAKES = {"stop_wakes_reader": True}
GHOST = {**ALONE, "chunks": 3, "fails_after": 2}
"""Two chunks and an error frame."""
EARLY = {**ALONE, "chunks": 3, "fails_after": 3, "window": 1, "ack_interval": 1, "most_early": 1}
"""Nothing fails, and with a window of 1 two chunks can overtake one."""
REJECTED = {**ALONE, "rejected": True, "chunks": 4, "fails_after": 4, "window": 1, "ack_interval": 1}
"""The receiver fails while the sender waits for an acknowledgement; a stream of window + 3 is the shortest."""

HOLDS, VIOLATED, F = Verdict.HOLDS, Verdict.VIOLATED, "(f) stop wakes the reader"

CLAIMS = (
    Claim("S4", "2.7.1", buggy, no_self_deadlock(), VIOLATED),
    Claim("S4", "2.7.2", fixed, no_self_deadlock(), HOLDS),
    Claim("S4", "2.7.1", buggy, no_self_deadlock(), VIOLATED, {"topology": "one process"}),
    Claim("S4", "2.7.2", fixed, no_self_deadlock(), HOLDS, {"topology": "one process"}),
    Claim("S4", "2.7.1", buggy, no_self_deadlock(), HOLDS, {"fails_after": 2}, note="no error frame"),
    Claim("L2", "2.7.1", buggy, deadlock_free(), VIOLATED),
    Claim("L2", "2.7.2", fixed, deadlock_free(), HOLDS),
    Claim("S5", "2.7.1", buggy, lock_order_acyclic(), HOLDS, note="RxTask.lock, then map_lock; its loop is S4"),
    Claim("S5", "2.7.2", fixed, lock_order_acyclic(), HOLDS),
    Claim("S8", "2.7.1", buggy, resolved_once(), HOLDS),
    Claim("S8", "2.7.2", fixed, resolved_once(), HOLDS),
    Claim("L9", "2.7.1", buggy, completes("bystander"), VIOLATED, timeouts="in_order", note="never again"),
    Claim(
        "L9",
        "2.7.2",
        fixed,
        completes("bystander"),
        HOLDS,
        timeouts="in_order",
        slow=True,
        note="after 300 s at the latest",
    ),
    Claim("L5", "2.7.1", buggy, released(), VIOLATED, {**LATE, **NO_OVERTAKING}, "in_order"),
    Claim("L5", "2.7.2", fixed, released(), VIOLATED, {**LATE, **NO_OVERTAKING}, "in_order", note="H13: the reader"),
    Claim("L5", F, fixed, released(), HOLDS, {**LATE, **NO_OVERTAKING, **WAKES}, "in_order"),
    Claim("L5", F, fixed, released(), VIOLATED, {**LATE, **WAKES}, "in_order", note="not flipped where H15 can be"),
    Claim(
        "H13",
        "2.7.2",
        fixed,
        deadlock_free(),
        VIOLATED,
        {**ALONE, **NO_OVERTAKING},
        "never",
        note="waits for a time-out",
    ),
    Claim("H13", F, fixed, deadlock_free(), HOLDS, {**ALONE, **NO_OVERTAKING, **WAKES}, "never"),
    Claim(
        "H11",
        "2.7.2",
        fixed,
        others_served(),
        VIOLATED,
        {**NO_OVERTAKING, "observed": 299.0},
        "in_order",
        note="one worker, held for the read time-out of 300 s by the reader of a stream that has failed at once",
    ),
    Claim("H11", F, fixed, others_served(), HOLDS, {**NO_OVERTAKING, "observed": 1.0, **WAKES}, "in_order"),
    Claim("S13", "2.7.1", buggy, owned(), VIOLATED, {**EARLY, "chunks": 4, "fails_after": 4, "window": 2}, note="H17"),
    Claim("S13", "2.7.1", buggy, owned(), HOLDS, GHOST, note="an error frame stops nothing, it only locks"),
    Claim("S13", "2.7.2", fixed, owned(), VIOLATED, GHOST, note="H14: a chunk after the error frame"),
    Claim("S13", F, fixed, owned(), VIOLATED, {**GHOST, **WAKES}, note="not flipped"),
    Claim("R4", "2.7.1", buggy, few_early(1), HOLDS, EARLY),
    Claim("R4", "2.7.2", fixed, few_early(1), HOLDS, EARLY),
    Claim("R5", "2.7.1", buggy, freed(), VIOLATED, GHOST, "in_order"),
    Claim("R5", "2.7.2", fixed, freed(), VIOLATED, GHOST, "anytime", note="a chunk after the reader's time-out"),
    Claim(
        "R5",
        "2.7.2",
        fixed,
        freed(),
        HOLDS,
        GHOST,
        "in_order",
        note="a chunk before that: the reader's stop frees what is in the map under the stream's key, its own or not",
    ),
    Claim("R5", F, fixed, freed(), VIOLATED, {**GHOST, **WAKES}, "in_order", note="no reader stays that would free it"),
    Claim("H15", "2.7.2", fixed, completes("stream"), VIOLATED, ALONE, "never", note="who waits for it is not told"),
    Claim("H15", "2.7.2", fixed, completes("stream"), HOLDS, {**ALONE, **NO_OVERTAKING}, "never"),
    Claim("H15", F, fixed, completes("stream"), VIOLATED, {**ALONE, **WAKES}, "never", note="not flipped"),
    Claim("H16", "2.7.1", buggy, completes("stream"), VIOLATED, EARLY, "never"),
    Claim("H16", "2.7.2", fixed, completes("stream"), VIOLATED, EARLY, "never", note="nobody is told of this stop"),
    Claim("H16", F, fixed, completes("stream"), VIOLATED, {**EARLY, **WAKES}, "never", note="not flipped"),
    Claim("H17", "2.7.1", buggy, not_failed(), VIOLATED, EARLY),
    Claim("H17", "2.7.2", fixed, not_failed(), VIOLATED, EARLY),
    Claim("H17", "2.7.2", fixed, not_failed(), HOLDS, {**EARLY, "most_early": 2}, note="limit >= window + 1 is safe"),
    Claim("H17", F, fixed, not_failed(), VIOLATED, {**EARLY, **WAKES}, note="not flipped"),
    Claim("H21", "2.7.1", buggy, released(), VIOLATED, {**REJECTED, "observed": 299.0}, "in_order", note="300 s"),
    Claim("H21", "2.7.2", fixed, released(), VIOLATED, {**REJECTED, "observed": 59.0}, "in_order", note="60 s"),
    Claim("H21", "2.7.2", fixed, released(), HOLDS, {**REJECTED, "observed": 61.0}, "in_order"),
    Claim(
        "H21", F, fixed, released(), VIOLATED, {**REJECTED, "observed": 59.0, **WAKES}, "in_order", note="not flipped"
    ),
)
