"""Faults compose: a knot of long streams, its time-out, an error frame, and a lock that then waits for itself.

NVFlare 2.7.1, nvflare/fuel/f3/streaming/byte_streamer.py, byte_receiver.py and blob_streamer.py together: send
tasks wait for acknowledgements whose readers are queued behind them (download_path.py), until the wait for an
acknowledgement expires; the error frame that tells the receiver stops its task under RxTask.map_lock
(rxtask_self_deadlock.py), and from then on no frame of any stream in the process is handled. Each fault alone is
bounded or local; together they are permanent. Fixed in 2.7.2 by #4204, which ends the chain after the error
frame: what is left is a process that is out of service until its readers give up (H11).

Look for a transmit that waits for its ack waiter until the time-out, its error frame, map_lock waiting for its own
holder, and the probe that comes long afterwards and never returns.
"""

from __future__ import annotations

from simcore import Claim, Model, Property, Verdict, always, sleep
from simcore.models.download_path import (
    add_downloads,
    callback_in_the_wrapper,
    callback_on_its_own_pool,
    download,
    round_trip,
    two_cells,
)
from simcore.models.f3 import ACK_CHECK_INTERVAL, ACK_PROGRESS_TIMEOUT, ACK_WAIT, READ_TIMEOUT, REQUEST_TIMEOUT
from simcore.models.rxtask_self_deadlock import stop_after_the_map_lock, stop_under_the_map_lock
from simcore.properties import deadlock_free
from simcore.properties.locks import no_self_deadlock

REPORT = ("https://github.com/NVIDIA/NVFlare/pull/4204", "https://github.com/NVIDIA/NVFlare/pull/4206")

PROBE_TIMEOUT = 10.0
"""Seconds: of a request on a stream channel whose caller gives no time-out."""


def buggy(
    *,
    topology: str = "one process",
    workers: int = 1,
    frame_workers: int = 1,
    chunks: int = 4,
    window: int = 1,
    probe_after: float = 400.0,
    second: float = 1.0,
) -> Model:
    """Build the streaming layer of 2.7.1: long requests, and a short one long afterwards.

    Parameters
    ----------
    topology : str
        "one process", or "tcp" or "relay" with a long request each way.
    workers : int
        Workers of each process's stream pool, and long requests towards it.
    frame_workers : int
        Workers of each process's frame pool; none within one process.
    chunks : int
        Chunks of a long request; up to ``window + 2`` never wait.
    window : int
        Chunks that may be unacknowledged while the sender goes on.
    probe_after : float
        Seconds after which one short request asks whether the system is back in service.
    second : float
        Seconds of the model for one of NVFlare; a small number makes a real run quick.
    """
    model = Model("escalation, 2.7.1")
    flow = {"ack_wait": ACK_WAIT * second, "read_timeout": READ_TIMEOUT * second, "window": window, "ack_interval": 0}
    on = {"on_open": callback_in_the_wrapper, "on_error": stop_under_the_map_lock}
    _system(model, topology, workers, frame_workers, chunks, on, flow, probe_after * second, second)
    return model


def fixed(
    *,
    topology: str = "one process",
    workers: int = 1,
    frame_workers: int = 1,
    chunks: int = 4,
    window: int = 1,
    probe_after: float = 400.0,
    second: float = 1.0,
    stop_wakes_reader: bool = False,
    fix: bool = True,
) -> Model:
    """Build the streaming layer of 2.7.2: long requests, and a short one long afterwards.

    The parameters of `buggy`, and these.

    Parameters
    ----------
    stop_wakes_reader : bool
        Variant (f): a stop ends the wait of the reader too.
    fix : bool
        False takes #4204 out again, and leaves the other fixes in.
    """
    model = Model("escalation, 2.7.2" if fix else "escalation, 2.7.2 with #4204 taken out again")
    flow = {
        "ack_wait": ACK_PROGRESS_TIMEOUT * second,
        "recheck": ACK_CHECK_INTERVAL * second,
        "read_timeout": READ_TIMEOUT * second,
        "window": window,
        "ack_interval": 0,
        "stop_wakes_reader": stop_wakes_reader,
    }
    on = {
        "on_open": callback_on_its_own_pool,
        "on_error": stop_after_the_map_lock if fix else stop_under_the_map_lock,
        "callback_workers": 1,
    }
    _system(model, topology, workers, frame_workers, chunks, on, flow, probe_after * second, second)
    return model


def _system(model, topology, workers, frame_workers, chunks, on, flow, probe_after, second):
    """Compose the parts: two cells, the long requests, and the probe."""
    frame_workers = 0 if topology == "one process" else frame_workers
    cells = two_cells(model, topology, stream_workers=workers, frame_workers=frame_workers, **on)
    limit = REQUEST_TIMEOUT * second
    add_downloads(model, cells, workers, topology != "one process", (chunks, 1), timeout=limit, **flow)
    parts = round_trip(model, "probe", *cells, (1, 1), **flow)
    model.process("probe", probe, probe_after, cells[0], *parts, PROBE_TIMEOUT * second)


def probe(after, *request):
    """Make one short request when the faults are over; return None when no reply came in time."""
    yield sleep(after)
    return (yield from download(*request))


def in_service() -> Property:
    """Require that the short request that comes after the faults is served in time."""
    return always(
        lambda state: not state.process("probe").done or state.process("probe").result is not None,
        "the system is back in service",
    )


_TCP, _WAKES = {"topology": "tcp"}, {"stop_wakes_reader": True}

CLAIMS = (
    Claim("L9", "2.7.1", buggy, in_service(), Verdict.VIOLATED, timeouts="in_order"),
    Claim("L9", "2.7.2", fixed, in_service(), Verdict.HOLDS, timeouts="in_order", note="after 60 + 300 s, not before"),
    Claim(
        "L9",
        "2.7.2",
        fixed,
        in_service(),
        Verdict.VIOLATED,
        {"probe_after": 100.0},
        timeouts="in_order",
        note="the watchdog fires at 60 s, and then the readers hold the workers for another 300 s (H11)",
    ),
    Claim(
        "L9",
        "(f) stop wakes the reader",
        fixed,
        in_service(),
        Verdict.HOLDS,
        {"probe_after": 100.0, **_WAKES},
        timeouts="in_order",
    ),
    Claim("S4", "2.7.1", buggy, no_self_deadlock(), Verdict.VIOLATED, timeouts="in_order", note="the whole chain"),
    Claim("S4", "2.7.2", fixed, no_self_deadlock(), Verdict.HOLDS, timeouts="in_order"),
    Claim("S4", "2.7.1", buggy, no_self_deadlock(), Verdict.VIOLATED, _TCP, timeouts="in_order", slow=True),
    Claim("L2", "2.7.1", buggy, deadlock_free(), Verdict.VIOLATED, timeouts="in_order"),
    Claim("L2", "2.7.2", fixed, deadlock_free(), Verdict.HOLDS, timeouts="in_order"),
)
