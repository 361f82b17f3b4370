"""A process that only forwards a model holds all of it.

NVFlare 2.7.1, nvflare/fuel/utils/fobs/decomposers/via_downloader.py, process_datum(): the client job process (CJ)
decodes a task, and decoding downloads its tensors. To hand the task to the training subprocess (SUB) it offers them
again, and SUB downloads them from CJ. Fixed in 2.7.2 by #4210: decoding makes a placeholder of each tensor, of less
than 100 bytes, and encoding writes the original reference again, so that SUB downloads from the owner.

Look for what CJ holds: the whole model before, and a second time while SUB fetches it; a placeholder for each tensor
after. What is shared now is the lifetime of the reference: the owner ends its transaction after 300 s without a
request, however long SUB takes to start (``start=310``). And of the batches of one type only the first is written
again: the tensors of a second one are read from the first (``batches=2``).

What is proved, and what is checked for sizes: with sizes given, every interleaving of these sizes is looked at. With
``chunks=0``, ``tensors=0`` or ``receivers=0`` there is *any number* of them. Whether there is one more chunk or tensor
is chosen each time. In place of SUBs somebody asks for the task, somebody asks for chunks, and somebody reads what
comes, each as often and as soon as it likes: whatever any number of SUBs do at once is among that. So the graph has
cycles where it had a length, is finite, and what holds in it holds for all numbers: that is how the bound on what CJ
holds is proved. That every SUB receives the right tensors is proved for any number of chunks, for one and two SUBs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simcore import Claim, Model, Property, State, Verdict, always, choose, eventually, sleep
from simcore.properties import in_order
from simcore.properties.completion import family

REPORT = "https://github.com/NVIDIA/NVFlare/pull/4210"

CHUNK, PLACEHOLDER = 2 * 1024 * 1024, 100
"""Bytes."""
TRANSACTION_TIMEOUT = 300.0
"""Seconds without a request, of NVFlare's own clock; a model takes ``second=`` to run them all faster."""
MANY = 2
"""As far as something is counted of which there may be any number."""
CAPACITY = 64
"""Frames in flight on one connection."""


class Resident(NamedTuple):
    """What a process holds: chunks of tensors, placeholders, and of how many tensors these are."""

    chunks: int = 0
    placeholders: int = 0
    tensors: int = 0

    @property
    def bytes(self) -> int:
        """What it takes, without what the process takes anyway."""
        return self.chunks * CHUNK + self.placeholders * PLACEHOLDER

    def __str__(self) -> str:
        return f"{self.chunks} chunks and {self.placeholders} placeholders, for {self.tensors} tensors"


class Ref(NamedTuple):
    """A batch of tensors that a cell offers. They are numbered from ``first``; in the batch, from 0."""

    cell: str
    batch: int
    first: int

    def __str__(self) -> str:
        return f"batch {self.batch} of {self.cell}"


class Placeholder(NamedTuple):
    """Stands for one tensor of a batch: where it is, and its number there."""

    ref: Ref
    item: int

    def __str__(self) -> str:
        return f"T{self.item} of {self.ref}"


class Task(NamedTuple):
    """A message: what to download, and a placeholder for each of its tensors."""

    refs: tuple[Ref, ...]
    tensors: tuple[Placeholder, ...]

    def __str__(self) -> str:
        return f"a task with {' and '.join(map(str, self.refs))}"


class Request(NamedTuple):
    """Asks for one more chunk of a batch. A download has one request open."""

    ref: Ref
    number: int
    sender: Any

    def __str__(self) -> str:
        return f"chunk {self.number} of {self.ref}, for {self.sender}"


class Transaction(NamedTuple):
    """A batch on offer: until every receiver is done, or nobody has asked for too long.

    ``active`` is set by each request and cleared by the monitor; ``done`` counts receivers, ``cached`` chunks.
    """

    status: str = "alive"
    active: bool = False
    done: int = 0
    cached: int = 0

    def __str__(self) -> str:
        return f"{self.status}, {self.done} done"


class Sizes(NamedTuple):
    """How many there are of what; 0 is any number."""

    batches: int
    tensors: int
    chunks: int
    receivers: int


def buggy(
    *,
    batches: int = 1,
    tensors: int = 2,
    chunks: int = 2,
    receivers: int = 1,
    start: float = 0.0,
    lifetime: float = 0.0,
    second: float = 1.0,
) -> Model:
    """Build the forwarding of a task before #4210.

    Parameters
    ----------
    batches : int
        Messages of the owner, with a batch of tensors each, from which CJ makes one task.
    tensors : int
        Tensors of a batch; 0 is any number.
    chunks : int
        Chunks of 2 MiB in which a batch is downloaded; 0 is any number.
    receivers : int
        Training subprocesses to which CJ hands the task; 0 is any number.
    start : float
        Seconds until a subprocess has started and asks for the task.
    lifetime : float
        Seconds that the message is meant to live (the task's time-out); 0 is not set, as FedAvg does.
    second : float
        Seconds of the model for a second of NVFlare; 0.001 makes a real run quick.
    """
    model = Model("pass-through, before #4210")
    sizes = Sizes(batches, tensors, chunks, receivers)
    cells = connect(model, sizes)
    held = model.variable("resident at CJ", Resident())

    def decode(task):
        yield from count_tensors(held, task, tensors)
        for ref in task.refs:
            yield from download(ref, "CJ", cells, chunks, held)

    def encode(placeholders):
        offer = Ref("CJ", 0, 0)  # everything again, from here
        return Task((offer,), tuple(Placeholder(offer, item) for item in range(len(placeholders))))

    start_owner(model, cells, sizes, 1, max(lifetime, TRANSACTION_TIMEOUT) * second)
    start_job(model, cells, sizes, decode, encode, held)
    start_subprocesses(model, cells, sizes, start * second)
    return model


def fixed(
    *,
    batches: int = 1,
    tensors: int = 2,
    chunks: int = 2,
    receivers: int = 1,
    start: float = 0.0,
    lifetime: float = 0.0,
    second: float = 1.0,
    every_batch: bool = False,
    fix: bool = True,
) -> Model:
    """Build the forwarding of a task after #4210.

    The parameters of `buggy`, and these.

    Parameters
    ----------
    every_batch : bool
        Whether every batch is written again, not only the first; a repair that 2.7.2 does not have.
    fix : bool
        False takes the fix out again: CJ downloads, and offers again.
    """
    model = Model("pass-through, after #4210" if fix else "pass-through, #4210 taken out again")
    sizes = Sizes(batches, tensors, chunks, receivers)
    cells = connect(model, sizes)
    held = model.variable("resident at CJ", Resident())

    def decode(task):
        yield from count_tensors(held, task, tensors, keep=fix)
        for ref in task.refs if not fix else ():
            yield from download(ref, "CJ", cells, chunks, held)

    def encode(placeholders):
        if fix:
            refs = tuple(dict.fromkeys(placeholder.ref for placeholder in placeholders))
            return Task(refs if every_batch else refs[:1], placeholders)
        offer = Ref("CJ", 0, 0)
        return Task((offer,), tuple(Placeholder(offer, item) for item in range(len(placeholders))))

    start_owner(model, cells, sizes, receivers if fix else 1, max(lifetime, TRANSACTION_TIMEOUT) * second)
    start_job(model, cells, sizes, decode, encode, held)
    start_subprocesses(model, cells, sizes, start * second)
    return model


# ---- cells ---------------------------------------------------------------------------------------------------


class Cells(NamedTuple):
    """Where a cell takes requests for chunks, and where it receives replies, by its name.

    Messages of the owner come to CJ by ``tasks``, the wishes of training subprocesses by ``asked``.
    """

    requests: dict[str, Any]
    inbox: dict[Any, Any]
    tasks: Any
    asked: Any
    names: tuple[Any, ...]


def connect(model, sizes):
    """Add the connections."""
    names = model.indices("SUB", max(sizes.receivers, 1))
    room = CAPACITY if sizes.receivers else 1  # who finds it full waits, and is one of any number
    requests = {cell: model.link(f"requests to {cell}", room) for cell in ("owner", "CJ")}
    inbox = {cell: model.link(f"to {cell}", room) for cell in ("CJ", *names)}
    return Cells(requests, inbox, model.link("tasks"), model.link("asked of CJ", room), names)


def download(ref, me, cells, chunks, held=None):
    """Ask for one chunk after the other; return what the last reply was, "end", or "gone"."""
    number = 0
    while True:
        yield cells.requests[ref.cell].send(Request(ref, number, me))
        reply = yield cells.inbox[me].recv()
        if reply != "chunk":
            return reply
        if held is not None:
            yield held.update(keep_chunk, chunks)
        number += 1 if chunks else 0


def serve(cells, cell, transactions, chunks, receivers, held=None):
    """Answer a request for a chunk; ``held`` keeps a chunk from the first request until all receivers are done."""
    request = yield cells.requests[cell].recv()
    reply = yield transactions[request.ref.batch].transition(answer, request.number, chunks, receivers)
    if held is not None and reply in ("new chunk", "last end"):
        yield held.update(keep_chunk if reply == "new chunk" else let_go, chunks)
    yield cells.inbox[request.sender].send(reply.split()[-1])


def answer(known, number, chunks, receivers):
    """Say which replies there may be to a request; the one for the end is what counts a receiver as done."""
    if known.status != "alive":
        return ((known, "gone"),)
    asked = known._replace(active=True)
    more = asked._replace(cached=max(known.cached, number + 1)), "chunk" if number < known.cached else "new chunk"
    ended = asked._replace(done=known.done + (receivers > 0))
    end = (ended._replace(status="done"), "last end") if ended.done == receivers > 0 else (ended, "end")
    if not chunks:
        return more, end
    return (more if number < chunks else end,)


def monitor(transaction, seconds):
    """End a transaction when nobody has asked for so many seconds."""
    while (yield from watched(transaction, seconds)) == "alive":
        pass


def watched(transaction, seconds):
    seen = yield transaction.wait_for(active_or_over, timeout=seconds)
    return (yield transaction.update(rest if seen else expire)).status


def active_or_over(known):
    return known.active or known.status != "alive"


def rest(known):
    return known._replace(active=False)


def expire(known):
    return known if active_or_over(known) else known._replace(status="expired")


# ---- what CJ holds -------------------------------------------------------------------------------------------


def count_tensors(held, task, tensors, keep=False):
    """Count the tensors of a task; ``keep`` a placeholder of each."""
    if tensors:
        for _ in task.tensors:
            yield held.update(count_tensor, keep, tensors)
    else:
        while (yield choose("one more tensor", "")):
            yield held.update(count_tensor, keep, tensors)


def count_tensor(held, keep, tensors):
    counted = held._replace(tensors=held.tensors + 1, placeholders=held.placeholders + keep)
    return counted if tensors or counted.tensors <= MANY else held


def keep_chunk(held, chunks):
    counted = held._replace(chunks=held.chunks + 1)
    return counted if chunks or counted.chunks <= MANY else held


def let_go(held, chunks):
    return held._replace(chunks=0) if chunks else held


# ---- processes -----------------------------------------------------------------------------------------------


def for_ever(lap, *args):
    """Do one lap after the other; nothing is remembered from one to the next, so that a state comes back."""
    while True:
        yield from lap(*args)


def start_owner(model, cells, sizes, receivers, timeout):
    """Add the owner: it sends the messages, answers requests, and ends transactions that nobody asks for."""
    transactions = tuple(model.variable(f"transaction {batch}", Transaction()) for batch in range(sizes.batches))
    model.process("owner", owner, cells, sizes)
    model.process(
        "owner's service", for_ever, serve, cells, "owner", transactions, sizes.chunks, receivers, daemon=True
    )
    for batch, transaction in enumerate(transactions):
        model.process(f"monitor of transaction {batch}", monitor, transaction, timeout, daemon=True)


def owner(cells, sizes):
    items = sizes.tensors or 1  # one stands for any number
    for batch in range(sizes.batches):
        ref = Ref("owner", batch, batch * items)
        yield cells.tasks.send(Task((ref,), tuple(Placeholder(ref, item) for item in range(items))))


def start_job(model, cells, sizes, decode, encode, held):
    """Add CJ: it decodes what the owner sends, and hands one task to each subprocess that asks."""
    offer = (model.variable("CJ's transaction", Transaction()),)
    chunks = sizes.batches * sizes.chunks  # should it offer again what it has downloaded
    model.process("CJ", job, cells, sizes.batches, decode, encode, daemon=True)
    model.process("CJ's service", for_ever, serve, cells, "CJ", offer, chunks, sizes.receivers, held, daemon=True)


def job(cells, batches, decode, encode):
    tensors = ()
    for _ in range(batches):
        task = yield cells.tasks.recv()
        yield from decode(task)
        tensors += task.tensors
    yield from for_ever(hand_over, cells, encode(tensors))


def hand_over(cells, task):
    name = yield cells.asked.recv()
    yield cells.inbox[name].send(task)


def start_subprocesses(model, cells, sizes, start):
    """Add the training subprocesses, or what any number of them may do."""
    if sizes.receivers:
        for name in cells.names:
            model.process(name, subprocess, name, cells, sizes.chunks, start)
    else:
        refs = model.variable("references known to SUBs", ())
        (name,) = cells.names
        model.process("SUBs that start", for_ever, any_asks, name, cells, daemon=True)
        model.process("SUBs that read", for_ever, any_reads, name, cells, refs, daemon=True)
        model.process("SUBs that download", for_ever, any_requests, name, cells, refs, sizes.chunks, daemon=True)


def any_asks(name, cells):
    yield cells.asked.send(name)


def any_reads(name, cells, refs):
    message = yield cells.inbox[name].recv()
    if isinstance(message, Task):
        yield refs.set(message.refs)


def any_requests(name, cells, refs, chunks):
    request = yield refs.transition(any_request, name, chunks)
    yield cells.requests[request.ref.cell].send(request)


def any_request(refs, name, chunks):
    return tuple((refs, Request(ref, number, name)) for ref in refs for number in range(chunks + 1))


def subprocess(name, cells, chunks, start):
    """Start, get the task, download; return the numbers of the tensors received, none when a reference is gone."""
    if start:
        yield sleep(start)
    yield cells.asked.send(name)
    task = yield cells.inbox[name].recv()
    for ref in task.refs:
        if (yield from download(ref, name, cells, chunks)) == "gone":
            return ()
    return tuple(read(tensor, task.refs) for tensor in task.tensors)


def read(tensor, refs):
    """Return the number of the tensor found: where its own batch was not downloaded, it is read from the first."""
    return (tensor.ref if tensor.ref in refs else refs[0]).first + tensor.item


# ---- claims --------------------------------------------------------------------------------------------------


def small_at_the_job() -> Property:
    """Require that CJ never holds more than 100 bytes for each tensor, however large tensors are."""

    def small(state: State) -> bool:
        held = state["resident at CJ"]
        return bool(held.bytes <= held.tensors * PLACEHOLDER)

    return always(small, "CJ holds at most 100 bytes for each tensor")


def references_live() -> Property:
    """Require that whoever resolves a reference finds its transaction alive."""
    return always(
        lambda state: all(sub.result != () for sub in family(state, "SUB")), "every reference resolved is alive"
    )


def owner_lets_go() -> Property:
    """Require that in the end the owner holds nothing for a transaction."""

    def over(state: State) -> bool:
        batches = [thing.name for thing in state.values if thing.name.startswith("transaction ")]
        return all(state[batch].status != "alive" for batch in batches)

    return eventually(over, "the owner lets go of every batch")


ANY = {"chunks": 0, "tensors": 0, "receivers": 0}
LATE = {"start": 310.0}
TWO_BATCHES = {"batches": 2, "tensors": 1}
whole = in_order("SUB", 2)

CLAIMS = (
    Claim("R1", "2.7.1", buggy, small_at_the_job(), Verdict.VIOLATED),
    Claim("R1", "2.7.2", fixed, small_at_the_job(), Verdict.HOLDS),
    Claim("R1", "2.7.1", buggy, small_at_the_job(), Verdict.VIOLATED, ANY, note="from the first chunk on"),
    Claim(
        "R1",
        "2.7.2",
        fixed,
        small_at_the_job(),
        Verdict.HOLDS,
        ANY,
        timeouts="anytime",
        slow=True,
        note="a proof for any number of chunks, tensors and receivers, whenever a time-out fires",
    ),
    Claim(
        "R1",
        "2.7.2",
        fixed,
        small_at_the_job(),
        Verdict.HOLDS,
        {**ANY, "batches": 2},
        timeouts="anytime",
        slow=True,
        note="of two batches, too",
    ),
    Claim("R1", "2.7.2", fixed, small_at_the_job(), Verdict.HOLDS, {"chunks": 0, "tensors": 1, "receivers": 2}),
    Claim(
        "10.3 R2",
        "2.7.1",
        buggy,
        references_live(),
        Verdict.HOLDS,
        LATE,
        timeouts="in_order",
        note="CJ resolves at once, and offers again when asked",
    ),
    Claim("10.3 R2", "2.7.2", fixed, references_live(), Verdict.HOLDS, {"start": 10.0}, timeouts="in_order"),
    Claim(
        "10.3 R2",
        "2.7.2",
        fixed,
        references_live(),
        Verdict.VIOLATED,
        LATE,
        timeouts="in_order",
        note="SUB starts later than the transaction of 300 s lives without a request",
    ),
    Claim(
        "10.3 R2",
        "2.7.2, task time-out 600",
        fixed,
        references_live(),
        Verdict.HOLDS,
        {**LATE, "lifetime": 600.0},
        timeouts="in_order",
    ),
    Claim("10.1", "2.7.1", buggy, whole, Verdict.HOLDS, TWO_BATCHES, timeouts="in_order"),
    Claim(
        "10.1", "2.7.2", fixed, whole, Verdict.HOLDS, {"chunks": 0}, timeouts="in_order", note="one batch, any length"
    ),
    Claim(
        "10.1",
        "2.7.2",
        fixed,
        whole,
        Verdict.VIOLATED,
        TWO_BATCHES,
        timeouts="in_order",
        note="the second batch of a type is read from the first, and nobody is told",
    ),
    Claim(
        "10.1",
        "every batch written again",
        fixed,
        whole,
        Verdict.HOLDS,
        {**TWO_BATCHES, "every_batch": True},
        timeouts="in_order",
    ),
    Claim("10.3 R3", "2.7.1", buggy, owner_lets_go(), Verdict.HOLDS, timeouts="in_order"),
    Claim(
        "10.3 R3", "2.7.2", fixed, owner_lets_go(), Verdict.HOLDS, {"receivers": 2, "chunks": 1}, timeouts="in_order"
    ),
    Claim(
        "10.3 R3",
        "2.7.2",
        fixed,
        owner_lets_go(),
        Verdict.HOLDS,
        TWO_BATCHES,
        timeouts="in_order",
        note="the batch that nobody asks for is kept for 300 s",
    ),
)
