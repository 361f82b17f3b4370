"""How a process runs the callbacks of the blobs that it receives: as NVFlare 2.7.2 does, and otherwise.

A callback may wait for the reply to a request of its own, which is a blob too. What differs from one way to another
is the *wrapper*, which a stream worker runs for each blob that arrives: what it does itself, and what it submits to
which pool. `callback_starvation` asks of each way whether, and at what sizes, all workers come to wait.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

from simcore import sleep
from simcore.models.f3 import BACKOFF

REQUEST, NESTED = "request", "nested request"
REPLY, NESTED_REPLY = "reply", "nested reply"
OK, FAILED, TIMEOUT = "ok", "a nested request failed", "time-out"
"""How a request ends."""


class Callback(NamedTuple):
    """What the callback of a request does, and for how long it waits for a reply."""

    depth: int
    barrier: bool
    counted: bool
    timeout: float | None
    retries: int
    second: float


class Owner(NamedTuple):
    """A process with callbacks: its pools, how it uses them, and what callbacks share. ``added`` is for a repair."""

    stream: Any
    callback: Any
    wrapper: Any
    added: Any
    requests: int
    does: Callback
    arrived: Any
    held: Any

    def __str__(self) -> str:
        return "owner"


class Request(NamedTuple):
    """A site's request, and who waits for which reply.

    What belongs to it goes ``there`` and ``back``: over a connection, or, as a call, to the process itself. ``reply``
    is set to how it ends, and ``nested[n]`` when the reply to the nested request n is dispatched.
    """

    site: Any
    there: Any
    back: Any
    reply: Any
    nested: tuple[Any, ...]

    def __str__(self) -> str:
        return str(self.site)


class Blob(NamedTuple):
    """A message of one chunk that belongs to a request. Its nested requests, and the replies, are numbered from 0."""

    kind: str
    request: Request
    number: int = 0
    status: str = OK

    @property
    def is_reply(self) -> bool:
        """Whether somebody waits for it."""
        return self.kind in (REPLY, NESTED_REPLY)

    def __str__(self) -> str:
        number = f" {self.number}" if self.kind in (NESTED, NESTED_REPLY) else ""
        return f"{self.kind}{number} for {self.request}"


class Repair(NamedTuple):
    """What a stream worker does with a blob (its wrapper), and what else differs from the release.

    ``adds`` makes what is added to the owner. ``unbounded`` pools have a worker for whatever comes. Where a repair is
    not ``timed``, its time-outs are not modelled.
    """

    wrapper: Any
    adds: Any = None
    unbounded: bool = False
    timed: bool = True


def send(blob):
    """Send a blob over its connection, or hand it to a stream worker of the process where its callback runs."""
    to = blob.request.there if blob.kind in (REQUEST, NESTED_REPLY) else blob.request.back
    yield to.stream.submit(to.wrapper, to, blob) if isinstance(to, Owner) else to.send(blob)


def submit(pool, call):
    """Submit a call as CheckedExecutor does: after a shutdown it is dropped, and nobody is told."""
    with suppress(RuntimeError):
        yield pool.submit(*call)


# ---- callbacks -----------------------------------------------------------------------------------------------


def process_reply(owner, blob):
    """Be the reply dispatcher (Cell._process_reply): it never waits."""
    yield blob.request.nested[blob.number].set()


def return_reply(blob):
    """Be the reply dispatcher of whoever made the request."""
    yield blob.request.reply.set_result(blob.status)


def serve(owner, blob, reading):
    """Be the callback of a nested request, as the download service's: it waits for bytes only."""
    yield reading.result()
    yield from send(blob._replace(kind=NESTED_REPLY))


def dispatched(owner, request, number):
    """Wait for the reply to a nested request; false when that was too long."""
    return (yield request.nested[number].wait(timeout=owner.does.timeout))


def meet(owner, request):
    """Wait until every callback has got here."""
    yield owner.arrived.update(_with, request)
    yield owner.arrived.wait_for(_complete, owner.requests)


def answer(owner, blob, reading, dispatched=dispatched, meet=meet):
    """Be the callback of a request (Adapter.call), with all its waiting."""
    yield reading.result()
    status = OK
    for step in range(owner.does.depth):
        if status == OK:
            status = yield from ask(owner, blob.request, step, dispatched)
    if owner.does.barrier:
        yield from meet(owner, blob.request)
    yield from finish(owner, blob.request, status)


def ask(owner, request, step, dispatched):
    """Make a nested request, and make it again on this same worker when that was too long."""
    tries = owner.does.retries + 1
    for attempt in range(tries):
        if attempt:
            yield sleep(BACKOFF[min(attempt, len(BACKOFF)) - 1] * owner.does.second)
        number = step * tries + attempt
        yield from send(Blob(NESTED, request, number))
        if (yield from dispatched(owner, request, number)):
            return OK
    return FAILED


def finish(owner, request, status=OK):
    """End a request: let go of its bytes, and reply."""
    if owner.does.counted:
        yield owner.held.update(_added, -1)
    yield from send(Blob(REPLY, request, status=status))


def read(owner, blob):
    """Be the read task of a request: its one chunk is there already."""
    if owner.does.counted and blob.kind == REQUEST:
        yield owner.held.update(_added, 1)


def _with(arrived, request):
    return (*arrived, request)


def _complete(arrived, count):
    return len(arrived) == count


def _added(count, more):
    return count + more


# ---- wrappers: what a stream worker does with a blob ---------------------------------------------------------


def opened(owner, blob, answer=answer, process_reply=process_reply):
    """Have a blob read, and return the call that is its callback."""
    if blob.kind == REPLY:
        return return_reply, blob
    if blob.kind == NESTED_REPLY:
        return process_reply, owner, blob
    reading = yield owner.stream.submit(read, owner, blob)
    return (serve if blob.kind == NESTED else answer), owner, blob, reading


def run(call):
    """Make a call here and now."""
    fn, *args = call
    yield from fn(*args)


def callbacks_on_their_pool(owner, blob):
    """Be the wrapper of 2.7.2."""
    yield from submit(owner.callback, (yield from opened(owner, blob)))


def replies_on_the_stream_worker(owner, blob):
    """Variant (e): who waits for a reply is told by the stream worker, which never waits."""
    call = yield from opened(owner, blob)
    yield from run(call) if blob.is_reply else submit(owner.callback, call)


def what_never_waits_on_the_stream_worker(owner, blob):
    """Variant (e), and callbacks that wait for bytes only run where these are read."""
    if blob.kind == NESTED:
        yield owner.stream.submit(read_and_serve, owner, blob)
    else:
        yield from replies_on_the_stream_worker(owner, blob)


def read_and_serve(owner, blob):
    """Read a nested request and be its callback."""
    yield from read(owner, blob)
    yield from send(blob._replace(kind=NESTED_REPLY))


def replies_on_a_pool_of_their_own(owner, blob):
    """Run reply dispatchers on another pool; one worker is enough, as none of them waits."""
    yield from submit(owner.added if blob.is_reply else owner.callback, (yield from opened(owner, blob)))


def callbacks_on_the_stream_worker(owner, blob):
    """Variant (a): be the wrapper of 2.7.1."""
    yield from run((yield from opened(owner, blob)))


def wrappers_on_the_callback_pool(owner, blob):
    """Variant (c), #4169: wrapper and callback are one task of the callback pool; this one is the frame worker."""
    yield from submit(owner.callback, (callbacks_on_the_stream_worker, owner, blob))


# ---- admission: at most callback workers - 1 requests at a time ----------------------------------------------


class Admission(NamedTuple):
    """How many more may be admitted, and the callbacks that have to wait until one ends."""

    free: int
    parked: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return f"{self.free} free, {len(self.parked)} parked"


def admission_in_the_callback(owner, blob):
    """Let callbacks take a permit first: they wait for it on a worker of the callback pool."""
    yield from submit(owner.callback, (yield from opened(owner, blob, answer=answer_with_permit)))


def answer_with_permit(owner, blob, reading):
    """Be the callback of a request, under a permit."""
    yield owner.added.acquire()
    yield from answer_and_release(owner, blob, reading)


def answer_and_release(owner, blob, reading):
    """Be the callback of a request, and give its permit back."""
    yield from answer(owner, blob, reading)
    yield owner.added.release()


def admission_in_the_wrapper(owner, blob):
    """Let wrappers take the permit for the callback: they wait for it on a stream worker."""
    call = yield from opened(owner, blob, answer=answer_and_release)
    if blob.kind == REQUEST:
        yield owner.added.acquire()
    yield from submit(owner.callback, call)


def admission_before_the_pool(owner, blob):
    """Park the callback of a request that is one too many: nobody waits on a worker."""
    call = yield from opened(owner, blob, answer=answer_and_admit)
    if blob.kind != REQUEST or (yield owner.added.transition(_admit, call)):
        yield from submit(owner.callback, call)


def answer_and_admit(owner, blob, reading):
    """Be the callback of a request, and then submit one that is parked."""
    yield from answer(owner, blob, reading)
    parked = yield owner.added.transition(_next)
    if parked:
        yield from submit(owner.callback, parked)


def _admit(admission, call):
    if admission.free:
        return ((admission._replace(free=admission.free - 1), True),)
    return ((admission._replace(parked=(*admission.parked, call)), False),)


def _next(admission):
    if admission.parked:
        return ((admission._replace(parked=admission.parked[1:]), admission.parked[0]),)
    return ((admission._replace(free=admission.free + 1), None),)


# ---- a queue of callbacks that can be looked into ------------------------------------------------------------


class Board(NamedTuple):
    """Callbacks to run, oldest first, for each of which a task of the callback pool takes one; and what has come."""

    calls: tuple[Any, ...] = ()
    dispatched: frozenset[Blob] = frozenset()
    arrived: int = 0

    def __str__(self) -> str:
        return f"{len(self.calls)} callbacks"


def replies_first_in_the_queue(owner, blob):
    """Let dispatchers overtake other callbacks in the queue."""
    yield owner.added.update(_queued, (yield from opened(owner, blob)))
    yield from submit(owner.callback, (run_one, owner, _reply_or_oldest))


def waiting_callbacks_run_others(owner, blob):
    """Let a callback that waits run the oldest callback meanwhile."""
    call = yield from opened(owner, blob, answer=answer_and_help, process_reply=process_reply_on_board)
    yield owner.added.update(_queued, call)
    yield from submit(owner.callback, (run_one, owner, _oldest))


def run_one(owner, take):
    """Run a callback of the board; none when whoever waits has run them all."""
    call = yield owner.added.transition(take)
    if call:
        yield from run(call)


def process_reply_on_board(owner, blob):
    """Be the reply dispatcher."""
    yield owner.added.update(_with_dispatched, blob)


def answer_and_help(owner, blob, reading):
    """Be the callback of a request, running others while it waits."""
    yield from answer(owner, blob, reading, dispatched=help_until_dispatched, meet=help_until_complete)


def help_until_dispatched(owner, request, number):
    """Run others until the reply to a nested request is dispatched."""
    yield from help_until(owner, _on_board, Blob(NESTED_REPLY, request, number))
    return True


def help_until_complete(owner, request):
    """Run others until every callback has got here; on top of each other, if it must be."""
    yield owner.added.update(_one_arrived)
    yield from help_until(owner, _all_arrived, owner.requests)


def help_until(owner, ready, awaited):
    """Run one callback after the other until what is awaited has come."""
    while call := (yield owner.added.transition(_nothing_or_oldest, ready, awaited)):
        yield from run(call)


def _queued(board, call):
    return board._replace(calls=(*board.calls, call))


def _oldest(board):
    if board.calls:
        return ((board._replace(calls=board.calls[1:]), board.calls[0]),)
    return ((board, None),)


def _reply_or_oldest(board):
    call = next((call for call in board.calls if call[0] is not answer), board.calls[0])
    return ((board._replace(calls=tuple(other for other in board.calls if other is not call)), call),)


def _nothing_or_oldest(board, ready, awaited):
    if ready(board, awaited):
        return ((board, None),)
    return _oldest(board) if board.calls else ()


def _with_dispatched(board, blob):
    return board._replace(dispatched=board.dispatched | {blob})


def _on_board(board, reply):
    return reply in board.dispatched


def _one_arrived(board):
    return board._replace(arrived=board.arrived + 1)


def _all_arrived(board, count):
    return board.arrived == count


# ---- callbacks without a thread ------------------------------------------------------------------------------


def callbacks_resumed_by_the_reply(owner, blob):
    """Let a callback return when it has made its nested request; whoever dispatches the reply goes on with it."""
    yield from submit(owner.callback, (yield from opened(owner, blob, answer=begin, process_reply=resume)))


def begin(owner, blob, reading):
    """Be the first part of the callback of a request."""
    yield reading.result()
    yield from go_on(owner, blob.request, 0)


def resume(owner, blob):
    """Be the reply dispatcher, and what comes after the reply."""
    yield from go_on(owner, blob.request, blob.number + 1)


def go_on(owner, request, replies):
    """Make the next nested request, or finish; at a barrier the last one to come finishes for all."""
    if replies < owner.does.depth:
        yield from send(Blob(NESTED, request, replies))
        return
    together = (request,)
    if owner.does.barrier:
        together = yield owner.arrived.update(_with, request)
    if not owner.does.barrier or len(together) == owner.requests:
        for each in together:
            yield from finish(owner, each)


# ---- repairs -------------------------------------------------------------------------------------------------


def _one_worker(model, which, callback_workers):
    return model.thread_pool(f"{which}replies", 1)


def _permits(model, which, callback_workers):
    return model.semaphore(f"{which}admission", max(callback_workers - 1, 1))


def _admission(model, which, callback_workers):
    return model.variable(f"{which}admission", Admission(max(callback_workers - 1, 1)))


def _board(model, which, callback_workers):
    return model.variable(f"{which}board", Board())


AS_RELEASED = Repair(callbacks_on_their_pool)
REPAIRS = {
    "replies on the stream worker": Repair(replies_on_the_stream_worker),
    "what never waits on the stream worker": Repair(what_never_waits_on_the_stream_worker),
    "replies on a pool of their own": Repair(replies_on_a_pool_of_their_own, _one_worker),
    "admission before the pool": Repair(admission_before_the_pool, _admission),
    "callbacks resumed by the reply": Repair(callbacks_resumed_by_the_reply, timed=False),
    "a thread for each callback": Repair(callbacks_on_their_pool, unbounded=True),
    "waiting callbacks run others": Repair(waiting_callbacks_run_others, _board, timed=False),
    "admission in the wrapper": Repair(admission_in_the_wrapper, _permits),
    "admission in the callback": Repair(admission_in_the_callback, _permits),
    "replies first in the queue": Repair(replies_first_in_the_queue, _board),
    "wrappers on the callback pool": Repair(wrappers_on_the_callback_pool),
    "callbacks on the stream worker": Repair(callbacks_on_the_stream_worker),
}
"""Best first. The last five do not cure it."""
