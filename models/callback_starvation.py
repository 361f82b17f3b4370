"""A callback that makes a request waits for a reply whose dispatcher is queued behind it in the callback pool.

NVFlare 2.7.2, nvflare/fuel/f3/streaming/blob_streamer.py, handle_blob_cb(): every blob callback runs on the callback
pool, of 64 workers. So do those that make a request of their own and wait for the reply, as decoding a message does
that refers to tensors, and so does the one that hands such a reply to whoever waits for it (Cell._process_reply). The
hang was moved here when pool starvation was fixed in 2.7.2 by #4171; it is unreported, and still open in 2.9.0.

Sites send one request each, over a connection of their own; the owner's callback makes ``depth`` requests back, one
after the other, and replies. What matters is who waits on which pool: so blobs have one chunk, no window ever closes,
and a send is one step. The read task of a reply is left out, as it waits for nobody; so are the pools of a site, whose
callbacks do not wait. Within one process the sites' blobs run on the owner's pools.

Look for all callback workers in answer, waiting for nested replies whose process_reply is queued in callback behind
them: a hang is reachable if and only if requests >= callback workers. ``repair`` chooses between the ways out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simcore import Claim, Model, ModelError, Property, Verdict, always, sleep
from simcore.models.callback_repairs import (
    AS_RELEASED,
    NESTED,
    NESTED_REPLY,
    OK,
    REPAIRS,
    REQUEST,
    TIMEOUT,
    Blob,
    Callback,
    Owner,
    Request,
    return_reply,
    send,
)
from simcore.models.f3 import REQUEST_TIMEOUT, RETRIES, read_frames
from simcore.properties import completes, deadlock_free, ended_by, idle_by, no_stuck_subset
from simcore.properties.completion import family

REPORT = "https://github.com/NVIDIA/NVFlare/pull/4171"

TOPOLOGIES = ("tcp", "one process", "both ways")


def buggy(
    *,
    topology: str = "tcp",
    requests: int = 2,
    depth: int = 1,
    workers: int = 2,
    callback_workers: int = 2,
    barrier: bool = False,
    shutdown: bool = False,
    counted: bool = False,
    request_timeout: float = 0.0,
    nested_timeout: float = 0.0,
    retries: int = 0,
    clock: float = 0.0,
    second: float = 1.0,
) -> Model:
    """Build 2.7.2 and 2.9.0.

    Parameters
    ----------
    topology : str
        "tcp": each site is a process with a connection to the owner; "one process": all share the owner's pools;
        "both ways": two processes with such pools, and requests of each to the other.
    requests : int
        Requests that are made of the owner, all at once.
    depth : int
        Requests that the owner's callback makes before it replies; 0 is a callback that does not nest.
    workers : int
        Workers of the owner's stream pool; NVFlare's are 128.
    callback_workers : int
        Workers of the owner's callback pool; NVFlare's are 64.
    barrier : bool
        Whether each callback then waits until all of them have got there.
    shutdown : bool
        Whether the callback pool is shut down at some time.
    counted : bool
        Whether the owner counts the requests whose bytes it holds.
    request_timeout : float
        Seconds for which a site waits for the reply to its request; 0 is without limit.
    nested_timeout : float
        Seconds for which a callback waits for the reply to a nested request; 0 is without limit, NVFlare's are 600.
    retries : int
        How often the callback makes a nested request again when that was too long; NVFlare's are 3.
    clock : float
        Seconds after which a process called clock returns, for properties that ask by when; 0 leaves it out.
    second : float
        Seconds of the model for a second of NVFlare; 0.001 makes a real run quick.
    """
    model = Model("callback starvation, 2.7.2 and 2.9.0")
    callback = Callback(depth, barrier, counted, nested_timeout * second or None, retries, second)
    sizes = Sizes(requests, workers, callback_workers)
    owner, home = add_owners(model, topology, AS_RELEASED, sizes, callback)
    add_requests(model, owner, home, request_timeout * second or None)
    add_others(model, owner, shutdown, clock * second)
    return model


def fixed(
    *,
    topology: str = "tcp",
    requests: int = 2,
    depth: int = 1,
    workers: int = 2,
    callback_workers: int = 2,
    barrier: bool = False,
    shutdown: bool = False,
    counted: bool = False,
    request_timeout: float = 0.0,
    nested_timeout: float = 0.0,
    retries: int = 0,
    clock: float = 0.0,
    second: float = 1.0,
    repair: str = "replies on the stream worker",
    fix: bool = True,
) -> Model:
    """Build the same with a repair: by default variant (e), where a reply is dispatched on the stream worker.

    The parameters of `buggy`, and these.

    Parameters
    ----------
    repair : str
        One of `REPAIRS`; some of them are none.
    fix : bool
        False takes the repair out again.
    """
    if repair not in REPAIRS:
        raise ModelError(f"repair={repair!r}: use one of {', '.join(map(repr, REPAIRS))}")
    if nested_timeout and not REPAIRS[repair].timed:
        raise ModelError(f"repair={repair!r} is modelled without time-outs of callbacks: leave nested_timeout out")
    model = Model(f"callback starvation, {repair if fix else 'the repair taken out again'}")
    callback = Callback(depth, barrier, counted, nested_timeout * second or None, retries, second)
    sizes = Sizes(requests, workers, callback_workers)
    owner, home = add_owners(model, topology, REPAIRS[repair] if fix else AS_RELEASED, sizes, callback)
    add_requests(model, owner, home, request_timeout * second or None)
    add_others(model, owner, shutdown, clock * second)
    return model


class Sizes(NamedTuple):
    """Requests to a process at a time, and the workers of its pools."""

    requests: int
    workers: int
    callback_workers: int


def add_owners(model, topology, repair, sizes, callback):
    """Add the owner, and what runs the callbacks of the sites; None where each site is a process that never waits."""
    if topology not in TOPOLOGIES:
        raise ModelError(f"topology={topology!r}: use one of {', '.join(map(repr, TOPOLOGIES))}")
    owner = add_owner(model, "", repair, sizes, callback)
    homes = {"tcp": None, "one process": owner}
    return owner, homes[topology] if topology in homes else add_owner(model, "other ", repair, sizes, callback)


def add_owner(model, which, repair, sizes, callback):
    """Add the pools of one process, and what its callbacks share."""
    threads = 2 * sizes.requests  # a request has a callback, and one blob at a time that belongs to it
    return Owner(
        stream=model.thread_pool(f"{which}stream", sizes.workers),
        callback=model.thread_pool(f"{which}callback", threads if repair.unbounded else sizes.callback_workers),
        wrapper=repair.wrapper,
        added=repair.adds(model, which, sizes.callback_workers) if repair.adds else None,
        requests=sizes.requests,
        does=callback,
        arrived=model.variable(f"{which}barrier", ()) if callback.barrier else None,
        held=model.variable(f"{which}requests held", 0) if callback.counted else None,
    )


def add_requests(model, owner, home, timeout):
    """Add the sites with their requests of the owner; where these have a home with callbacks, also its requests."""
    for name in model.indices("site", owner.requests):
        there, back = (owner, home) if home else add_connection(model, owner, name)
        add_request(model, name, owner, there, back, timeout)
    if home not in (None, owner):
        for name in model.indices("other site", home.requests):
            add_request(model, name, home, home, owner, timeout)


def add_connection(model, owner, site):
    """Add a connection, its reader thread, and the process at the other end of it."""
    there, back = model.link(f"connection of {site}", 4), model.link(f"connection to {site}", 4)
    model.process(f"reader of {site}", read_frames, there, owner.stream, owner.wrapper, owner, daemon=True)
    model.process(f"service of {site}", serve_site, back, daemon=True)
    return there, back


def add_request(model, site, owner, there, back, timeout):
    """Add a request, and who makes it."""
    replies = range(owner.does.depth * (owner.does.retries + 1))
    nested = tuple(model.event(f"nested reply {number} for {site}") for number in replies)
    request = Request(site, there, back, model.future(f"reply for {site}"), nested)
    model.process(site, make_request, request, timeout)


def add_others(model, owner, shutdown, clock):
    """Add what is not always there."""
    if shutdown:
        model.process("shutdown", shut_down, owner)
    if clock:
        model.process("clock", ring, clock)


def make_request(request, timeout):
    """Make a request; return how it ends."""
    yield from send(Blob(REQUEST, request))
    try:
        return (yield request.reply.result(timeout=timeout))
    except TimeoutError:
        return TIMEOUT


def serve_site(back):
    """Be the other end of a connection: serve nested requests, even when the site waits for the reply no more."""
    while True:
        blob = yield back.recv()
        if blob.kind == NESTED:
            yield from send(blob._replace(kind=NESTED_REPLY))
        else:
            yield from return_reply(blob)


def shut_down(owner):
    """Be stream_shutdown, which first waits for the callback pool."""
    yield owner.callback.shutdown()


def ring(seconds):
    """Return when it is so late."""
    yield sleep(seconds)


# ---- what must hold ------------------------------------------------------------------------------------------


def none_fails() -> Property:
    """Require that whoever has made a request, and has returned, was told that all is well."""
    return always(lambda state: all(site.result in (None, OK) for site in family(state, "site")), "no request fails")


def at_most_held(count: int) -> Property:
    """Require that the owner never holds the bytes of more than so many requests."""
    return always(lambda state: state["requests held"] <= count, f"at most {count} requests held")


PLAIN = {"depth": 0, "workers": 1, "callback_workers": 1}
EQUAL = {"requests": 2, "workers": 1, "callback_workers": 2}

ASKED: dict[str, tuple[Property, dict[str, Any]]] = {
    "S1": (deadlock_free(), PLAIN),
    "S2": (deadlock_free(), EQUAL),
    "H34": (deadlock_free(), {**EQUAL, "topology": "one process"}),
    "H2": (deadlock_free(), {**PLAIN, "barrier": True}),
    "H5": (completes("shutdown"), {"requests": 1, "workers": 1, "shutdown": True}),
    "R2": (at_most_held(2), {**PLAIN, "requests": 3, "counted": True}),
}
"""What is asked of every repair: without nesting, with it, that in one process; barrier, shutdown, memory."""

VERDICTS = {
    "replies on the stream worker": "T T F F T F",
    "what never waits on the stream worker": "T T T F T F",
    "replies on a pool of their own": "T T F F T F",
    "admission before the pool": "T T T F F F",
    "callbacks resumed by the reply": "T T T T T F",
    "a thread for each callback": "T T T T F F",
    "waiting callbacks run others": "T T T T T F",
    "admission in the wrapper": "F F F F F T",
    "admission in the callback": "T F F F F F",
    "replies first in the queue": "T F F F F F",
    "wrappers on the callback pool": "T F F F F T",
    "callbacks on the stream worker": "F F F F - T",
}
"""True or false, in the order of `ASKED`. Of 2.7.1, which has no callback pool, its shutdown is not asked."""

LETTERS = {
    "replies on the stream worker": "(e) ",
    "a thread for each callback": "(d) ",
    "wrappers on the callback pool": "(c) ",
    "callbacks on the stream worker": "(a) ",
}


def claims_about(repair: str) -> list[Claim]:
    """Return what is claimed of a repair."""
    small = {"requests": 1, "callback_workers": 1} if repair == "waiting callbacks run others" else {}
    return [
        Claim(
            asked,
            LETTERS.get(repair, "") + repair,
            fixed,
            property,
            Verdict.HOLDS if verdict == "T" else Verdict.VIOLATED,
            {**parameters, **(small if asked == "H34" else {}), "repair": repair},
        )
        for (asked, (property, parameters)), verdict in zip(ASKED.items(), VERDICTS[repair].split(), strict=True)
        if verdict != "-"
    ]


E, POOLS_OF_271 = "(e) replies on the stream worker", {"repair": "callbacks on the stream worker"}
ONE, BELOW = {"requests": 1, "workers": 1, "callback_workers": 1}, {"requests": 1, "callback_workers": 2}
SLOW = {"requests": 3, "depth": 0, "workers": 2, "callback_workers": 1, "counted": True}
TIMED = {**EQUAL, "nested_timeout": REQUEST_TIMEOUT}
LATE = {**TIMED, "clock": 300.0}
IN_TIME = {"request_timeout": REQUEST_TIMEOUT, "clock": REQUEST_TIMEOUT + 1}
HOLDS, VIOLATED = Verdict.HOLDS, Verdict.VIOLATED

CLAIMS = (
    Claim("S2", "2.7.2", buggy, deadlock_free(), VIOLATED, note="unreported, and still open in 2.9.0"),
    Claim("S2", E, fixed, deadlock_free(), HOLDS),
    Claim("S2", "2.7.2", buggy, deadlock_free(), HOLDS, BELOW, note="fewer requests than callback workers"),
    Claim("S2", "2.7.2, a bigger pool", buggy, deadlock_free(), HOLDS, {"callback_workers": 3}),
    Claim("S2", "2.7.1", fixed, deadlock_free(), VIOLATED, POOLS_OF_271),
    Claim(
        "S2", "2.7.1", fixed, deadlock_free(), HOLDS, {**POOLS_OF_271, "requests": 1}, note="fewer than stream workers"
    ),
    Claim(
        "S2",
        E,
        fixed,
        deadlock_free(),
        VIOLATED,
        {**ONE, "topology": "both ways"},
        note="each waits for a callback of the other process, and not for a reply",
    ),
    Claim(
        "S2",
        "what never waits on the stream worker",
        fixed,
        deadlock_free(),
        HOLDS,
        {**ONE, "topology": "both ways", "repair": "what never waits on the stream worker"},
    ),
    Claim("S1", "2.7.1", fixed, deadlock_free(), VIOLATED, {**POOLS_OF_271, "depth": 0}),
    Claim("S1", "2.7.2", buggy, deadlock_free(), HOLDS, PLAIN),
    Claim("H1", "2.7.2", buggy, deadlock_free(), VIOLATED, TIMED, timeouts="never", note="what the time-out hides"),
    Claim("H1", "2.7.2", buggy, deadlock_free(), HOLDS, TIMED, note="ended by nothing but the time-out"),
    Claim("H1", "2.7.2", buggy, none_fails(), VIOLATED, TIMED, "in_order"),
    Claim("H1", E, fixed, none_fails(), HOLDS, TIMED, "in_order"),
    Claim(
        "H1",
        "2.7.2",
        buggy,
        idle_by("clock", "callback"),
        VIOLATED,
        {**ONE, "nested_timeout": REQUEST_TIMEOUT, "retries": RETRIES, "clock": 2400.0},
        "in_order",
        note="for 40 minutes: 4 times 600 s, and 14 s between them",
    ),
    Claim(
        "H1",
        "2.7.2",
        buggy,
        idle_by("clock", "callback"),
        HOLDS,
        {**ONE, "nested_timeout": REQUEST_TIMEOUT, "retries": RETRIES, "clock": 2415.0},
        "in_order",
    ),
    Claim("H2", "2.7.2", buggy, deadlock_free(), VIOLATED, {**PLAIN, "barrier": True}, note="n > callback workers"),
    Claim("H2", "2.7.2", buggy, deadlock_free(), HOLDS, {**EQUAL, "depth": 0, "barrier": True}, note="n = them"),
    Claim("H2", "2.7.2", buggy, deadlock_free(), VIOLATED, {**EQUAL, "barrier": True}, note="n = them, with nesting"),
    Claim("H2", E, fixed, deadlock_free(), HOLDS, {**EQUAL, "barrier": True}, note="n = them, with nesting"),
    Claim("H5", "2.7.2", buggy, ASKED["H5"][0], VIOLATED, ASKED["H5"][1], note="one nested request is on its way"),
    Claim("H34", "2.7.2", buggy, deadlock_free(), VIOLATED, {**ONE, "topology": "one process"}),
    Claim(
        "H34",
        "2.7.2",
        buggy,
        deadlock_free(),
        HOLDS,
        {**ONE, "topology": "one process", "callback_workers": 2},
        note="a nested request needs two callback workers at once",
    ),
    Claim(
        "H34", "2.7.2", buggy, deadlock_free(), HOLDS, {**PLAIN, "topology": "one process"}, note="one of each will do"
    ),
    Claim("R2", "2.7.1", fixed, at_most_held(2), HOLDS, {**SLOW, **POOLS_OF_271}, note="as many as stream workers"),
    Claim("R2", "2.7.2", buggy, at_most_held(2), VIOLATED, SLOW),
    Claim("H3", E, fixed, at_most_held(2), VIOLATED, SLOW, note="is not cured"),
    *(
        Claim("L1", version, model, ended_by("clock", "site"), HOLDS, {**TIMED, **more, **IN_TIME}, "in_order")
        for version, model, more in (("2.7.1", fixed, POOLS_OF_271), ("2.7.2", buggy, {}), (E, fixed, {}))
    ),
    Claim("L2", "2.7.1", fixed, idle_by("clock", "stream"), VIOLATED, {**LATE, **POOLS_OF_271}, "in_order"),
    Claim("L2", "2.7.2", buggy, idle_by("clock", "callback"), VIOLATED, LATE, "in_order", note="H1, as 600 s > 300 s"),
    Claim("L2", "2.7.2", buggy, idle_by("clock", "callback"), HOLDS, {**LATE, "nested_timeout": 200.0}, "in_order"),
    Claim("L2", E, fixed, idle_by("clock", "callback"), HOLDS, LATE, "in_order"),
    Claim("L2", E, fixed, no_stuck_subset(), HOLDS),
    Claim("L3", "2.7.1", fixed, completes("site"), VIOLATED, POOLS_OF_271),
    Claim("L3", "2.7.2", buggy, completes("site"), VIOLATED, EQUAL),
    Claim("L3", "2.7.2", buggy, completes("site"), HOLDS, BELOW, note="below the threshold of S2"),
    Claim("L3", E, fixed, completes("site"), HOLDS, EQUAL),
    *(claim for repair in REPAIRS for claim in claims_about(repair)),
)
