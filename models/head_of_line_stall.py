"""One write that cannot complete holds the lock of its connection, and whoever wants that lock waits behind it.

NVFlare 2.7.1, nvflare/fuel/f3/sfm/sfm_conn.py, SfmConnection.send_frame(): the lock is held across the whole write to
the socket, which has no limit. A peer that no longer reads (frozen, swapped out, behind a dead path) so holds the
stream workers that send to it, the one heartbeat thread of the cell, readers that acknowledge, frame workers that
forward and, once all workers of a pool are held, every healthy peer. Fixed in 2.7.2 by #4206: a send gives up after
30 s and closes the connection, a sender gives up after 60 s without progress of its acknowledgements, and the
heartbeat monitor notices a write of more than 45 s and, if told so, closes its connection at the third look.

Look for a sender in the socket with the connection's lock, and the heartbeat monitor waiting for that lock. What the
fix leaves: a send that has begun to fill the last of the buffer is without limit (H18), the monitor waits for the very
lock that it watches (H19), a send task that was queued for long fails without having waited (H20), the sender of a
stream whose receiver has failed is kept (H21), closing loses what others were told is sent (H22).

Ask with ``timeouts="in_order"``. Limits of the model: one connection for each peer, never opened again; a peer reads
at once or not at all; what peers send comes without a connection; the monitor counts its ticks, where NVFlare
subtracts times of day, so a time in which the monitor itself is held up is not counted.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from simcore import Claim, Model, Property, State, Verdict, always, eventually, leads_to
from simcore.models.f3 import ACK_CHECK_INTERVAL, ACK_PROGRESS_TIMEOUT, HEARTBEAT_IDLE, HEARTBEAT_TICK, SEND_TIMEOUT
from simcore.models.f3_connection import (
    SENT,
    Sizes,
    Version,
    build,
    look_for_stall,
    send_with_timeout,
    sendall,
    wait_for_ack,
    wait_for_progress,
)
from simcore.properties import backlog_within, completes, deadlock_free, ended_by, idle_by, lock_order_acyclic

REPORT = "https://github.com/NVIDIA/NVFlare/pull/4206"


def buggy(
    *,
    senders: str = "streams",
    stalled: int = 1,
    workers: int = 1,
    frames: int = 2,
    frame: int = 1,
    buffer: int = 1,
    reads: int = 0,
    thaws_after: float = 0,
    fails_after: int = 0,
    window: int = 16,
    silent: int = 60,
    heartbeats: bool = True,
    patience: float = 0,
    second: float = 1.0,
) -> Model:
    """Build a cell with a peer that stops reading and a healthy one, before #4206.

    Parameters
    ----------
    senders : str
        Who sends: "streams" (send tasks on stream workers), "relay" (frame workers that forward), "acks" (readers
        that acknowledge, and frame workers that they hinder), "control" (one thread, to one peer after the other).
    stalled : int
        Streams to, from or through the peer that stops reading; with "control", such peers.
    workers : int
        Workers of the pool: stream workers of a cell, frame workers of a relay and with "acks".
    frames : int
        Frames of each stream, or control messages to each peer.
    frame : int
        Units of a frame with data.
    buffer : int
        Units that a connection holds while its peer does not read.
    reads : int
        Units that the peer reads before it stops.
    thaws_after : float
        Seconds after which the peer reads on; 0: never.
    fails_after : int
        Frames after which the receiver of a stream fails and says so; 0: never.
    window : int
        Frames of a stream that may be unacknowledged while its sender goes on.
    silent : int
        Seconds, in steps of 5, for which nothing had come from either peer when the sending begins.
    heartbeats : bool
        Whether there is a heartbeat monitor, which pings a peer that has been silent for more than 60 s.
    patience : float
        Seconds of a stopwatch that a property may ask for; 0: there is none.
    second : float
        Seconds of the model for a second of NVFlare; 0.01 makes a real run quick.
    """
    model = Model("head-of-line stall, before #4206")
    version = Version(sendall, wait_for_ack, second=second)
    sizes = Sizes(stalled, workers, frames, frame, buffer, window, silent, fails_after, heartbeats)
    build(model, version, sizes, senders, (reads, thaws_after * second), patience * second)
    return model


def fixed(
    *,
    senders: str = "streams",
    stalled: int = 1,
    workers: int = 1,
    frames: int = 2,
    frame: int = 1,
    buffer: int = 1,
    reads: int = 0,
    thaws_after: float = 0,
    fails_after: int = 0,
    window: int = 16,
    silent: int = 60,
    heartbeats: bool = True,
    auto_close: bool = False,
    descriptor: int = 5,
    non_blocking: bool = False,
    progress_from: str = "construction",
    error_wakes: bool = False,
    patience: float = 0,
    second: float = 1.0,
    fix: bool = True,
) -> Model:
    """Build a cell with a peer that stops reading and a healthy one, after #4206.

    The parameters of `buggy`, and these.

    Parameters
    ----------
    auto_close : bool
        Whether the monitor closes a connection at the third look at a stalled write; off by default in 2.7.2.
    descriptor : int
        File descriptor of each connection; select() fails from 1024 on.
    non_blocking : bool
        Whether sockets do not block, so that the send time-out is a limit (variant h).
    progress_from : str
        When the clock of the acknowledgements is started: "construction" of the send task, or "wait" (variant g).
    error_wakes : bool
        Whether the error of a receiver ends its sender's wait.
    fix : bool
        False takes the fix out again: no send deadline, no watchdog, no stall monitor.
    """
    model = Model("head-of-line stall, after #4206" if fix else "head-of-line stall, #4206 taken out again")
    version = Version(sendall, wait_for_ack, second=second)
    if fix:
        knobs = (auto_close, descriptor, non_blocking, progress_from, error_wakes)
        version = Version(send_with_timeout, wait_for_progress, look_for_stall, *knobs, second=second)
    sizes = Sizes(stalled, workers, frames, frame, buffer, window, silent, fails_after, heartbeats)
    build(model, version, sizes, senders, (reads, thaws_after * second), patience * second)
    return model


# ---- what is asked -------------------------------------------------------------------------------------------


def heartbeats_go_on() -> Property:
    """Require that the healthy peer gets a heartbeat in the end."""
    return eventually(lambda state: state["healthy peer pinged"], "the healthy peer gets a heartbeat")


def healthy_stream_is_sent() -> Property:
    """Require that a stream to the healthy peer, whose sender is never hindered by its peer, does not fail."""

    def not_failed(state: State) -> bool:
        sender = state.process("healthy")
        return not sender.done or sender.result == SENT

    return always(not_failed, "no stream to the healthy peer fails")


def whole_frames() -> Property:
    """Require that the frames of different senders are not mixed on a connection."""

    def whole(state: State) -> bool:
        return not any(torn for thing, torn in state.values.items() if thing.name.endswith("has a torn frame"))

    return always(whole, "frames arrive whole")


def streams_in_order() -> Property:
    """Require that the frames of a stream arrive in order, without a gap, none of them twice."""

    def ordered(state: State) -> bool:
        arrived: list[Any] = [state.values[thing] for thing in state.values if thing.name.endswith(" arrived")]
        return all(numbers == tuple(range(len(numbers))) for numbers in arrived)

    return always(ordered, "the frames of each stream arrive in order")


def sent_means_received(stream: str, frames: int) -> Property:
    """Require that a stream whose sender was told that it is sent arrives."""

    def told(state: State) -> bool:
        return bool(state.process(stream).result == SENT)

    def received(state: State) -> bool:
        return len(state[f"{stream} arrived"]) == frames

    return leads_to(told, received, f"what {stream} is told is sent arrives")


def all_arrive(stream: str, frames: int) -> Property:
    """Require that a stream arrives."""
    return eventually(lambda state: len(state[f"{stream} arrived"]) == frames, f"all frames of {stream} arrive")


on_time, answered, served = (ended_by("stopwatch", name) for name in ("heartbeat", "stalled", "healthy"))

ALONE = {"heartbeats": False}
LIMIT = {**ALONE, "patience": SEND_TIMEOUT + 1}
LARGE = {"frame": 2}
RECENT = {"silent": 0}
FLOW = {**ALONE, "frames": 4, "window": 1, "buffer": 8}
LONE_FLOW = {**FLOW, "stalled": 0}
FAILS = {**LONE_FLOW, "fails_after": 1}
LOOK, GIVES_UP = {"patience": ACK_CHECK_INTERVAL + 1}, {"patience": ACK_PROGRESS_TIMEOUT + ACK_CHECK_INTERVAL + 1}
MIXED = {**ALONE, **LARGE, "stalled": 2, "workers": 2, "reads": 99}
RELAY, ACKS, CONTROL = ({**ALONE, "senders": senders} for senders in ("relay", "acks", "control"))
THAWS = {**ALONE, "thaws_after": 40}
CROWD = {**THAWS, "stalled": 3, "workers": 3, "frames": 1}
NON_BLOCKING, FROM_WAIT = {"non_blocking": True}, {"progress_from": "wait"}
H, G = "(h) non-blocking sockets", "(g) clock started on entry to the wait"

claim = partial(Claim, timeouts="in_order")

CLAIMS = (
    claim("L6", "2.7.1", buggy, heartbeats_go_on(), Verdict.VIOLATED),
    claim("L6", "2.7.2", fixed, heartbeats_go_on(), Verdict.HOLDS, note="if frames fit: see H19"),
    claim("L6", "2.7.1", buggy, on_time, Verdict.VIOLATED, LOOK),
    claim("L6", "2.7.2", fixed, on_time, Verdict.VIOLATED, LOOK, note="H19: 25 s late, for each stalled peer"),
    claim("L6", H, fixed, on_time, Verdict.VIOLATED, {**LOOK, **LARGE, **NON_BLOCKING}, note="H19 is not flipped"),
    claim("L6", "2.7.1", buggy, on_time, Verdict.VIOLATED, {**RECENT, "patience": HEARTBEAT_IDLE + HEARTBEAT_TICK + 1}),
    claim("L6", "2.7.2", fixed, on_time, Verdict.HOLDS, {**RECENT, "patience": HEARTBEAT_IDLE + HEARTBEAT_TICK + 1}),
    claim("L9", "2.7.1", buggy, completes("healthy"), Verdict.VIOLATED),
    claim("L9", "2.7.2", fixed, completes("healthy"), Verdict.HOLDS),
    claim(
        "L9",
        "2.7.1",
        buggy,
        completes("healthy"),
        Verdict.HOLDS,
        {"workers": 2},
        note="a healthy peer is lost if and only if as many streams as workers stall",
    ),
    claim("8.6", "2.7.1", buggy, answered, Verdict.VIOLATED, LIMIT, note="a send holds the lock for 30 s at most"),
    claim(
        "8.6", "2.7.2", fixed, answered, Verdict.HOLDS, LIMIT, note="every frame fits the free buffer, or none of it"
    ),
    claim("8.6", "2.7.2", fixed, answered, Verdict.HOLDS, {**LIMIT, "stalled": 2, "workers": 2}),
    claim("H18", "2.7.2", fixed, completes("stalled"), Verdict.VIOLATED, {**ALONE, **LARGE}, note="M16"),
    claim("H18", "2.7.2", fixed, answered, Verdict.VIOLATED, {**LIMIT, **LARGE, "buffer": 3}, note="M17"),
    claim("H18", "2.7.2", fixed, answered, Verdict.HOLDS, {**LIMIT, **LARGE, "buffer": 2}, note="M17"),
    claim("H18", H, fixed, answered, Verdict.HOLDS, {**LIMIT, **LARGE, **NON_BLOCKING}),
    claim("H19", "2.7.2", fixed, heartbeats_go_on(), Verdict.VIOLATED, LARGE),
    claim("H19", "2.7.2", fixed, heartbeats_go_on(), Verdict.HOLDS, {**LARGE, **RECENT}, note="heard of lately"),
    claim(
        "H19",
        H,
        fixed,
        heartbeats_go_on(),
        Verdict.HOLDS,
        {**LARGE, **NON_BLOCKING},
        note="without H18 the monitor is held up for the send limit, not for ever",
    ),
    claim(
        "H19",
        "2.7.2, auto-close",
        fixed,
        completes("stalled"),
        Verdict.VIOLATED,
        {**LARGE, "auto_close": True},
        note="M18, peer silent: the monitor never closes",
    ),
    claim(
        "H19",
        "2.7.2, auto-close",
        fixed,
        answered,
        Verdict.HOLDS,
        {**LARGE, **RECENT, "auto_close": True, "patience": HEARTBEAT_IDLE + 1},
        note="M18, peer recently active: closed at 60 s",
    ),
    claim("8.6", "2.7.1", buggy, answered, Verdict.VIOLATED, {**FLOW, **GIVES_UP}, note="flow control: 300 s"),
    claim("8.6", "2.7.2", fixed, answered, Verdict.HOLDS, {**FLOW, **GIVES_UP}, note="flow control: 60 s and one look"),
    claim("8.6", G, fixed, answered, Verdict.HOLDS, {**FLOW, **GIVES_UP, **FROM_WAIT}, note="flow control"),
    claim("H20", "2.7.2", fixed, healthy_stream_is_sent(), Verdict.VIOLATED, FLOW, note="M19"),
    claim("H20", G, fixed, healthy_stream_is_sent(), Verdict.HOLDS, {**FLOW, **FROM_WAIT}),
    claim("H20", H, fixed, healthy_stream_is_sent(), Verdict.VIOLATED, {**FLOW, **NON_BLOCKING}),
    claim("H21", "2.7.1", buggy, idle_by("stopwatch", "stream"), Verdict.VIOLATED, {**FAILS, **GIVES_UP}, note="300 s"),
    claim("H21", "2.7.2", fixed, idle_by("stopwatch", "stream"), Verdict.VIOLATED, {**FAILS, **LOOK}, note="M20"),
    claim("H21", "2.7.2", fixed, idle_by("stopwatch", "stream"), Verdict.HOLDS, {**FAILS, **GIVES_UP}, note="60 s"),
    claim("H21", G, fixed, idle_by("stopwatch", "stream"), Verdict.VIOLATED, {**FAILS, **LOOK, **FROM_WAIT}),
    claim(
        "H21",
        "2.7.2, errors wake",
        fixed,
        idle_by("stopwatch", "stream"),
        Verdict.HOLDS,
        {**FAILS, **LOOK, "error_wakes": True},
    ),
    claim("H22", "2.7.1", buggy, all_arrive("stalled[0]", 2), Verdict.HOLDS, THAWS, note="nothing is lost in 40 s"),
    claim("H22", "2.7.2", fixed, all_arrive("stalled[0]", 2), Verdict.VIOLATED, THAWS, note="closed after 30 s"),
    claim("H22", "2.7.2", fixed, all_arrive("stalled[0]", 2), Verdict.HOLDS, {**THAWS, "thaws_after": 20}),
    claim("H22", "2.7.1", buggy, sent_means_received("stalled[0]", 1), Verdict.HOLDS, CROWD, slow=True),
    claim(
        "H22",
        "2.7.2",
        fixed,
        sent_means_received("stalled[0]", 1),
        Verdict.VIOLATED,
        CROWD,
        slow=True,
        note="whoever waited for the lock of a connection that is closed is told that its frame is sent",
    ),
    claim("H23", "2.7.1", buggy, healthy_stream_is_sent(), Verdict.HOLDS, {"stalled": 0}),
    claim("H23", "2.7.2", fixed, healthy_stream_is_sent(), Verdict.VIOLATED, {"stalled": 0, "descriptor": 1024}),
    claim("H24", "2.7.1", buggy, healthy_stream_is_sent(), Verdict.VIOLATED, LONE_FLOW, note="300 s, and it fails"),
    claim("H24", "2.7.2", fixed, healthy_stream_is_sent(), Verdict.HOLDS, LONE_FLOW),
    claim("H24", "2.7.1", buggy, served, Verdict.VIOLATED, {**LONE_FLOW, **LOOK}),
    claim("H24", "2.7.2", fixed, served, Verdict.VIOLATED, {**LONE_FLOW, "patience": ACK_CHECK_INTERVAL - 1}),
    claim("H24", "2.7.2", fixed, served, Verdict.HOLDS, {**LONE_FLOW, **LOOK}, note="bounded by one look, of 5 s"),
    Claim(
        "H24",
        "2.7.2",
        fixed,
        deadlock_free(),
        Verdict.VIOLATED,
        LONE_FLOW,
        timeouts="never",
        note="the wake-up is still lost; the look every 5 s hides it",
    ),
    claim("H29", "2.7.1", buggy, completes("healthy"), Verdict.VIOLATED, CONTROL),
    claim("H29", "2.7.2", fixed, served, Verdict.HOLDS, {**CONTROL, **LIMIT}),
    claim("H29", "2.7.2", fixed, served, Verdict.VIOLATED, {**CONTROL, **LIMIT, "stalled": 2}, note="they add up"),
    claim("H31", "2.7.1", buggy, completes("healthy"), Verdict.VIOLATED, ACKS),
    claim("H31", "2.7.2", fixed, completes("healthy"), Verdict.HOLDS, ACKS, note="ends by the send limit"),
    claim("H31", "2.7.2", fixed, served, Verdict.VIOLATED, {**ACKS, **LOOK}),
    claim("H32", "2.7.1", buggy, completes("healthy"), Verdict.VIOLATED, RELAY),
    claim("H32", "2.7.2", fixed, completes("healthy"), Verdict.HOLDS, RELAY, note="ends by the send limit"),
    claim("H32", "2.7.2", fixed, served, Verdict.VIOLATED, {**RELAY, **LOOK}),
    claim(
        "H32",
        "2.7.1",
        buggy,
        completes("healthy"),
        Verdict.VIOLATED,
        {**RELAY, "stalled": 2, "workers": 2},
        slow=True,
        note="facts 8.7: a frame pool of two, two children, two streams to the stalled one",
    ),
    claim(
        "H32",
        "2.7.2",
        fixed,
        completes("healthy"),
        Verdict.HOLDS,
        {**RELAY, "stalled": 2, "workers": 2},
        slow=True,
    ),
    claim("R3", "2.7.1", buggy, backlog_within({"frame": 2}), Verdict.VIOLATED, {**RELAY, "frames": 4}),
    claim("R3", "2.7.2", fixed, backlog_within({"frame": 2}), Verdict.VIOLATED, {**RELAY, "frames": 4}, note="H33"),
    claim("S5", "2.7.1", buggy, lock_order_acyclic(), Verdict.HOLDS, ACKS),
    claim("S5", "2.7.2", fixed, lock_order_acyclic(), Verdict.HOLDS, ACKS),
    claim("S6", "2.7.1", buggy, whole_frames(), Verdict.HOLDS, MIXED),
    claim("S6", "2.7.2", fixed, whole_frames(), Verdict.HOLDS, MIXED, slow=True),
    claim("8.6", "2.7.1", buggy, streams_in_order(), Verdict.HOLDS, MIXED, slow=True),
    claim("8.6", "2.7.2", fixed, streams_in_order(), Verdict.HOLDS, MIXED, slow=True),
)
