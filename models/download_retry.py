"""One lost reply fails a whole download.

NVFlare 2.7.1, nvflare/fuel/f3/streaming/download_service.py, download_object(): a request that times out ends the
download, and usually the task with it. (The file came between 2.7.1 and the fix, so "before" is the parent commit of
the fix.) Fixed in 2.7.2 by #4167: the same chunk is asked for again, up to three times, after 2, 4 and 8 s.

The owner serves each request on a callback worker; a requester has one request open, and drops a reply to an earlier
one. A message is one step here, and the fault loses replies, so the owner has done its work by then. What the fix
leaves: an end of file that is asked for again is counted again (H8), a transaction that nobody kept alive expires
before the retry comes (H7), and the service counts, adds and calls back without care (H9). Variant (i) is the repair
of #4708 and #4712: a set of the requesters that are done, kept when the transaction is removed.

Look for a download that fails because of one lost reply; after the fix, for one that has all of its data and is told
that nobody knows the reference.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simcore import Claim, Model, ModelError, Verdict, always, eventually, sleep
from simcore.models.f3 import MONITOR_PERIOD, REQUEST_TIMEOUT, RETRIES, TRANSACTION_TIMEOUT
from simcore.properties.completion import completes, family
from simcore.properties.deadlock import deadlock_free
from simcore.properties.locks import no_self_deadlock

REPORT = "https://github.com/NVIDIA/NVFlare/pull/4167"

OK, EOF, UNKNOWN, TIMEOUT = "ok", "end of file", "unknown reference", "time-out"
"""How a request ends."""

COMPLETED, FAILED = "completed", "failed"
"""How a download ends, for the application."""

FINISHED, EXPIRED = "finished", "expired"
"""Why a transaction is removed."""


def buggy(
    *,
    receivers: int = 1,
    chunks: int = 2,
    workers: int = 2,
    lost: int = 1,
    losing: str = "data",
    cut: bool = False,
    request_timeout: float = 5.0,
    transaction_timeout: float = 20.0,
    monitor_period: float = 1.0,
    preparing: float = 0.0,
    lag: float = 0.0,
    callback: str = "returns",
    second: float = 1.0,
) -> Model:
    """Build the system before #4167.

    Parameters
    ----------
    receivers : int
        Downloads of the one object.
    chunks : int
        Chunks of the object; behind the last one a download asks once more and gets the end of file.
    workers : int
        Workers of the owner's callback pool.
    lost : int
        Replies that may be lost.
    losing : str
        Which replies may be: "data", "end" (of file) or "any".
    cut : bool
        Whether a lost reply is lost behind its first bytes, and not as a whole.
    request_timeout : float
        Seconds that a requester waits for the first bytes of a reply, and then for the rest.
    transaction_timeout : float
        Seconds without a request after which the transaction is removed.
    monitor_period : float
        Seconds between two looks of the owner's monitor.
    preparing : float
        Seconds from the creation of the transaction until its object is added.
    lag : float
        Seconds by which each download begins later than the one before it.
    callback : str
        What the application does when its transaction is done: "returns", "re-enters" the service, "raises".
    second : float
        Seconds of the model for a second of NVFlare; 0.01 makes a real run quick.
    """
    model = Model("download retry, before #4167")
    names = model.indices("download", receivers)
    network = Network(model, lost, losing, cut)
    service = Service(model, names, network, chunks, workers, transaction_timeout, request_timeout * second)
    model.process("owner", share, service, preparing * second)
    model.process("monitor", monitor, service, callback, monitor_period, second, daemon=True)

    def download(name, begin):
        yield from shared(service, begin)
        number = 0
        while True:
            reply = yield from send_request(service, Request(name, number))
            if reply.status == OK:
                yield service.data[name].update(appended, reply.number)
                number += 1
            else:
                return COMPLETED if reply.status == EOF else FAILED

    for place, name in enumerate(names):
        model.process(name, download, name, place * lag * second)
    return model


def fixed(
    *,
    receivers: int = 1,
    chunks: int = 2,
    workers: int = 2,
    lost: int = 1,
    losing: str = "data",
    cut: bool = False,
    retries: int = RETRIES,
    request_timeout: float = 5.0,
    transaction_timeout: float = 20.0,
    monitor_period: float = 1.0,
    preparing: float = 0.0,
    lag: float = 0.0,
    callback: str = "returns",
    idempotent_eof: bool = False,
    second: float = 1.0,
    fix: bool = True,
) -> Model:
    """Build the system after #4167.

    The parameters of `buggy`, and these.

    Parameters
    ----------
    retries : int
        How often the same chunk is asked for again.
    idempotent_eof : bool
        Variant (i): each requester is counted once, and is still told so when the transaction is gone.
    fix : bool
        False takes the fix out again: a time-out ends the download.
    """
    model = Model("download retry, after #4167" if fix else "download retry, #4167 taken out again")
    names = model.indices("download", receivers)
    network = Network(model, lost, losing, cut)
    service = Service(
        model, names, network, chunks, workers, transaction_timeout, request_timeout * second, idempotent_eof
    )
    model.process("owner", share, service, preparing * second)
    model.process("monitor", monitor, service, callback, monitor_period, second, daemon=True)

    def download(name, begin):
        yield from shared(service, begin)
        number = attempt = 0
        while True:
            reply = yield from send_request(service, Request(name, number, attempt))
            if reply.status == OK:
                yield service.data[name].update(appended, reply.number)
                number, attempt = number + 1, 0
            elif reply.status == TIMEOUT and attempt < retries and fix:
                yield sleep(pause_after(attempt) * second)
                attempt += 1
            else:
                return COMPLETED if reply.status == EOF else FAILED

    for place, name in enumerate(names):
        model.process(name, download, name, place * lag * second)
    return model


def pause_after(attempt):
    """Return the seconds between a time-out and the next attempt: 2, 4, 8 and so on, at most 60."""
    return min(2.0 * 2**attempt, 60.0)


# ---- what both variants share --------------------------------------------------------------------------------


class Request(NamedTuple):
    """Asks for chunk ``number``; the reply names the request, so that a late one is told from the one waited for."""

    requester: Any
    number: int
    attempt: int = 0

    def __str__(self) -> str:
        again = f", attempt {self.attempt + 1}" if self.attempt else ""
        return f"{self.requester} chunk {self.number}{again}"


class Reply(NamedTuple):
    """What a requester is told, or tells itself; with data, the ``number`` of the chunk."""

    status: str
    number: int = -1

    def __str__(self) -> str:
        return f"chunk {self.number}" if self.status == OK else self.status


class Waiter(NamedTuple):
    """The request that is waited for, whether first bytes of its reply have come, and the reply once it is whole."""

    request: Request | None = None
    begun: bool = False
    reply: Reply | None = None

    def __str__(self) -> str:
        return f"{self.request}: {self.reply or ('first bytes' if self.begun else 'nothing yet')}"


class Transaction(NamedTuple):
    """What the owner's tables say of a transaction with one object.

    ``status`` is "none", "active", or why it was removed; ``chunks`` is None until the object is added. ``idle`` counts
    the seconds without a request in whole periods of the monitor. ``done`` names who was counted as done; the code
    has a number there.
    """

    receivers: int
    timeout: float
    status: str = "none"
    chunks: int | None = None
    idle: float = 0.0
    done: tuple[Any, ...] = ()

    def __str__(self) -> str:
        what = "no object" if self.chunks is None else f"{self.chunks} chunks"
        done = ", ".join(map(str, self.done)) or "nobody"
        return f"{self.status}, {what}, idle {self.idle:g} s, done: {done}"


def check(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Refuse a word that means nothing here."""
    if value not in allowed:
        raise ModelError(f"{name}={value!r}: use one of {', '.join(map(repr, allowed))}")


class Network:
    """What loses replies: so many in all, of some kind, as a whole or behind their first bytes."""

    def __init__(self, model: Model, lost: int, losing: str, cut: bool) -> None:
        check("losing", losing, ("data", "end", "any"))
        self.losses, self.losing, self.cut = model.variable("losses", lost), losing, cut

    def may_lose(self, status: str) -> bool:
        """Whether a reply with this status is of the kind."""
        return self.losing in ("any", "end" if status == EOF else "data")


class Service:
    """The download service of the owner, and what its requesters share with it."""

    def __init__(
        self,
        model: Model,
        names: Any,
        network: Network,
        chunks: int,
        workers: int,
        transaction_timeout: float,
        request_timeout: float,
        idempotent_eof: bool = False,
    ) -> None:
        self.network, self.chunks, self.request_timeout = network, chunks, request_timeout
        self.idempotent_eof = idempotent_eof
        self.callbacks = model.thread_pool("callback", workers)
        self.tx_lock = model.lock("tx_lock")
        self.transaction = model.variable("transaction", Transaction(len(names), transaction_timeout))
        self.reference = model.future("reference")
        self.waiters = {name: model.variable(f"waiter of {name}", Waiter()) for name in names}
        self.data = {name: model.variable(f"data of {name}", ()) for name in names}
        """The numbers of the chunks that each consumer was given."""

    def __str__(self) -> str:
        return "service"


def locked(service, operation):
    """Do one thing under the lock of the service's tables."""
    yield service.tx_lock.acquire()
    result = yield operation
    yield service.tx_lock.release()
    return result


def share(service, preparing):
    """Create a transaction, add the object to it, and tell the requesters its reference; None when that failed."""
    yield from locked(service, service.transaction.update(created))
    if preparing:
        yield sleep(preparing)
    transaction = yield from locked(service, service.transaction.update(added, service.chunks))
    yield service.reference.set_result(transaction.chunks)


def created(transaction):
    return transaction._replace(status="active")


def added(transaction, chunks):
    return transaction._replace(chunks=chunks) if transaction.status == "active" else transaction


def shared(service, begin):
    """Wait for the reference, and then until it is time to begin."""
    yield service.reference.result()
    if begin:
        yield sleep(begin)


def send_request(service, request):
    """Be Cell.send_request(): wait for the first bytes of the reply, then for the rest; return how it ended."""
    waiter = service.waiters[request.requester]
    yield waiter.set(Waiter(request))
    yield service.callbacks.submit(handle_download, service, request)
    if (yield waiter.wait_for(begun, timeout=service.request_timeout)) is None:
        return Reply(TIMEOUT)
    answered = yield waiter.wait_for(whole, timeout=service.request_timeout)
    return Reply(TIMEOUT) if answered is None else answered.reply


def begun(waiter):
    return waiter.begun


def whole(waiter):
    return waiter.reply is not None


def appended(data, number):
    return (*data, number)


def handle_download(service, request):
    """Serve a request, on a callback worker of the owner."""
    transaction = yield from locked(service, service.transaction.update(refreshed))
    if transaction.status != "active" or transaction.chunks is None:
        known = service.idempotent_eof and request.requester in transaction.done
        reply = Reply(EOF if known else UNKNOWN)
    elif request.number < transaction.chunks:
        reply = Reply(OK, request.number)
    else:
        yield from count(service, request.requester)
        reply = Reply(EOF)
    yield from send_reply(service, request, reply)


def refreshed(transaction):
    return transaction._replace(idle=0.0)


def count(service, requester):
    """Count a requester as done, without a lock: a number is read and written; a set takes what it has not got."""
    if service.idempotent_eof:
        yield service.transaction.update(counted_once, requester)
    else:
        transaction = yield service.transaction.get()
        yield service.transaction.update(counted, (*transaction.done, requester))


def counted(transaction, done):
    return transaction._replace(done=done)


def counted_once(transaction, requester):
    return transaction if requester in transaction.done else counted(transaction, (*transaction.done, requester))


def send_reply(service, request, reply):
    """Send a reply, unless it is lost."""
    network, waiter = service.network, service.waiters[request.requester]
    lost = yield network.losses.transition(maybe_lost, network.may_lose(reply.status))
    if not lost or network.cut:
        yield waiter.update(first_bytes, request)
    if not lost:
        yield waiter.update(rest, request, reply)


def maybe_lost(left, losable):
    delivered = (left, False)
    return ((left - 1, True), delivered) if left and losable else (delivered,)


def first_bytes(waiter, request):
    return waiter._replace(begun=True) if waiter.request == request else waiter


def rest(waiter, request, reply):
    return waiter._replace(reply=reply) if waiter.request == request else waiter


def monitor(service, callback, period, second):
    """Be the monitor of the service: look at the transaction time and again, until it has removed it."""
    check("callback", callback, ("returns", "re-enters", "raises"))
    reason = ""
    while not reason:
        yield sleep(period * second)
        yield service.tx_lock.acquire()
        reason = yield service.transaction.transition(looked_at, period)
        if reason and callback == "re-enters":
            yield from locked(service, service.transaction.update(removed, reason))
        if reason and callback != "raises":  # an exception of the callback ends this thread
            yield service.transaction.update(removed, reason)
        yield service.tx_lock.release()


def looked_at(transaction, period):
    """Say why the transaction is to be removed; if there is no reason, it was idle for one more period."""
    if transaction.status != "active":
        return ((transaction, ""),)
    if transaction.chunks is None or len(transaction.done) >= transaction.receivers:  # all of no objects are done
        return ((transaction, FINISHED),)
    if transaction.idle >= transaction.timeout:
        return ((transaction, EXPIRED),)
    return ((transaction._replace(idle=transaction.idle + period), ""),)


def removed(transaction, reason):
    return transaction._replace(status=reason)


# ---- what must hold ------------------------------------------------------------------------------------------


def _ended(state):
    return [process for process in family(state, "download") if process.done]


def _data(state, process):
    return state.of(process, "data of {}")


def _none_failed(state):
    return all(process.result == COMPLETED for process in _ended(state))


def _success_reported(state):
    everything = tuple(range(state["transaction"].chunks or 0))
    return all(process.result == COMPLETED or _data(state, process) != everything for process in _ended(state))


def _in_order(state):
    given = [_data(state, process) for process in family(state, "download")]
    return all(numbers == tuple(range(len(numbers))) for numbers in given)


def _removed_rightly(state):
    transaction = state["transaction"]
    if transaction.status == FINISHED:
        return all(len(_data(state, process)) == transaction.chunks for process in family(state, "download"))
    return transaction.status != EXPIRED or transaction.idle >= transaction.timeout


def _counted_once(state):
    done = state["transaction"].done
    return len(set(done)) == len(done)


def _not_left_to_expire(state):
    completed = [process for process in _ended(state) if process.result == COMPLETED]
    return state["transaction"].status != EXPIRED or len(completed) < state["transaction"].receivers


def _removed(state):
    return state["transaction"].status in (FINISHED, EXPIRED)


SURVIVED = always(_none_failed, "no download fails")
REPORTED = always(_success_reported, "who has all data reports success")
ONCE = always(_in_order, "a consumer is given each chunk once, in order")
REMOVED_RIGHTLY = always(
    _removed_rightly, "a transaction is removed only when every receiver has all data, or it was idle for its time-out"
)
COUNTED_ONCE = always(_counted_once, "no receiver is counted as done twice")
NOT_LEFT = always(_not_left_to_expire, "a transaction is not left to its time-out when every download has completed")
REMOVED = eventually(_removed, "every transaction is removed")

Sizes = dict[str, Any]

ANY: Sizes = {"losing": "any"}
END: Sizes = {"chunks": 1, "losing": "end"}
TWO: Sizes = {"receivers": 2, "chunks": 1}
RACE: Sizes = {**TWO, "lost": 0}
LATE: Sizes = {**TWO, **ANY, "lag": 10.0}
"""The second download begins after the first one has asked for the end of file again."""
SHORT: Sizes = {"transaction_timeout": 4.0}
DEFAULTS: Sizes = {
    "request_timeout": REQUEST_TIMEOUT,
    "transaction_timeout": TRANSACTION_TIMEOUT,
    "monitor_period": MONITOR_PERIOD,
}
"""NVFlare's own."""
GAP: Sizes = {"preparing": 2.0}
RAISES: Sizes = {"callback": "raises"}
RE_ENTERS: Sizes = {"callback": "re-enters"}
SLOW: Sizes = {"lost": 0, "workers": 1, "transaction_timeout": 3.0}
REPAIR: Sizes = {"idempotent_eof": True}

HOLDS, VIOLATED, VARIANT = Verdict.HOLDS, Verdict.VIOLATED, "(i) idempotent EOF"

CLAIMS = (
    *(
        Claim(id_, version, buggy if version == "2.7.1" else fixed, asked, expected, parameters, "in_order", note=note)
        for id_, version, asked, expected, parameters, note in (
            ("L4", "2.7.1", SURVIVED, VIOLATED, {}, "the parent of the fix, as for every 2.7.1 here"),
            ("L4", "2.7.2", SURVIVED, HOLDS, {}, "the reply had data, and T + 2 s <= transaction time-out"),
            ("L4", "2.7.2", SURVIVED, VIOLATED, ANY, "the reply may be the end of file"),
            ("L4", VARIANT, SURVIVED, HOLDS, {**ANY, **REPAIR}, ""),
            ("L4", VARIANT, SURVIVED, HOLDS, {**LATE, **REPAIR}, ""),
            ("H7", "2.7.2", SURVIVED, VIOLATED, SHORT, "the retry comes after 5 + 2 s"),
            ("H7", "2.7.2", SURVIVED, VIOLATED, DEFAULTS, "600 + 2 s > 300 s: by default it is always too late"),
            ("H7", VARIANT, SURVIVED, VIOLATED, {**SHORT, **REPAIR}, "not flipped"),
            ("H8a", "2.7.1", REPORTED, VIOLATED, END, "the time-out itself is the failure"),
            ("H8a", "2.7.2", REPORTED, VIOLATED, END, "the retry asks for what is gone"),
            ("H8a", VARIANT, REPORTED, HOLDS, {**END, **REPAIR}, ""),
            ("H8b", "2.7.1", COUNTED_ONCE, HOLDS, LATE, "nothing is asked for twice"),
            ("H8b", "2.7.2", COUNTED_ONCE, VIOLATED, LATE, ""),
            ("H8b", VARIANT, COUNTED_ONCE, HOLDS, {**LATE, **REPAIR}, ""),
            ("S10", "2.7.1", REMOVED_RIGHTLY, HOLDS, LATE, "while objects are added at once, see H9b"),
            ("S10", "2.7.2", REMOVED_RIGHTLY, VIOLATED, LATE, "H8b: one receiver is counted for two"),
            ("S10", VARIANT, REMOVED_RIGHTLY, HOLDS, {**LATE, **REPAIR}, ""),
            ("H9a", "2.7.1", NOT_LEFT, VIOLATED, RACE, "a lost update of the number of receivers that are done"),
            ("H9a", "2.7.2", NOT_LEFT, VIOLATED, RACE, ""),
            ("H9a", "2.7.2", NOT_LEFT, HOLDS, {**RACE, "workers": 1}, "a single callback worker cannot race"),
            ("H9a", VARIANT, NOT_LEFT, HOLDS, {**RACE, **REPAIR}, "flipped too: adding to a set is one step"),
            ("H9b", "2.7.1", REMOVED_RIGHTLY, VIOLATED, GAP, "the monitor looks before the object is added"),
            ("H9b", "2.7.2", REMOVED_RIGHTLY, VIOLATED, GAP, ""),
            ("H9b", VARIANT, REMOVED_RIGHTLY, VIOLATED, {**GAP, **REPAIR}, "not flipped"),
            ("H9c", "2.7.2", REMOVED, VIOLATED, RAISES, "the monitor's thread has ended"),
            ("H9c", "2.7.2", REMOVED, HOLDS, {}, "a callback that returns"),
            ("S4", "2.7.1", no_self_deadlock(), VIOLATED, RE_ENTERS, "H9c"),
            ("S4", "2.7.2", no_self_deadlock(), VIOLATED, RE_ENTERS, "H9c"),
            ("S4", "2.7.2", no_self_deadlock(), HOLDS, LATE, "a callback that returns"),
            ("S4", VARIANT, no_self_deadlock(), VIOLATED, {**RE_ENTERS, **REPAIR}, "not flipped"),
            ("L2", "2.7.2", deadlock_free(), VIOLATED, {**END, **RE_ENTERS}, "H9c: a worker waits for ever"),
            ("L2", "2.7.2", deadlock_free(), HOLDS, LATE, "a callback that returns"),
            ("S9", "2.7.1", ONCE, HOLDS, LATE, ""),
            ("S9", "2.7.2", ONCE, HOLDS, LATE, ""),
            ("S9", "2.7.2", ONCE, HOLDS, {**ANY, "lost": 4}, "up to the last retry and beyond it"),
            ("S9", VARIANT, ONCE, HOLDS, {**LATE, **REPAIR}, ""),
            ("L1", "2.7.1", completes("download"), HOLDS, LATE, "with success or without"),
            ("L1", "2.7.2", completes("download"), HOLDS, LATE, ""),
        )
    ),
    Claim("S9", "2.7.1", buggy, ONCE, HOLDS, SLOW, "anytime", note="a slow machine: replies come late"),
    Claim("S9", "2.7.2", fixed, ONCE, HOLDS, {**SLOW, "retries": 1}, "anytime", note="late replies are dropped"),
)
