"""Every receiver of an object waits behind the one production of an item that holds the cache lock.

NVFlare 2.7.1, nvflare/fuel/f3/streaming/cacheable.py, CacheableObject._get_item(): a missing item is produced inside
the lock, and stored with its count of receivers set back to 0. (The file came between 2.7.1 and the fix, so "before"
is the parent commit of the fix.) Fixed in 2.7.2 by #4174: the lock is held to look and to store, not to produce, and
the count is kept.

A request is served on a callback worker: it acknowledges the item before, gets the next one, and then one more, to
find that it does not fit into the same reply. An item leaves the cache when as many acknowledgements have come as
there are receivers. What the fix costs: receivers that miss an item together make it once each (R6), and a request
that is repeated is still acknowledged twice.

Look for a worker whose item is in the cache, waiting for the cache lock, while its holder is in produce_item; after
the fix, for one item that is made twice at a time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simcore import Claim, Model, ProcessState, State, Verdict, always, sleep
from simcore.models.download_retry import maybe_lost
from simcore.models.f3 import RETRIES
from simcore.properties.completion import completes, family

REPORT = "https://github.com/NVIDIA/NVFlare/pull/4174"


def buggy(
    *,
    receivers: int = 2,
    items: int = 2,
    workers: int = 2,
    cores: int = 8,
    production: float = 1.0,
    apart: bool = False,
    lost: int = 0,
    request_timeout: float | None = None,
    second: float = 1.0,
) -> Model:
    """Build the system before #4174.

    Parameters
    ----------
    receivers : int
        Downloads of the one object.
    items : int
        Items of the object; each of them fills a reply.
    workers : int
        Workers of the owner's callback pool.
    cores : int
        Items that can be in production at a time.
    production : float
        Seconds that the production of an item takes.
    apart : bool
        Whether receiver k begins with item k, as one that resumes, and not with item 0.
    lost : int
        Replies that may be lost; the receiver then asks again, and acknowledges again.
    request_timeout : float, optional
        Seconds after which a receiver asks again while its request may still be served. None: without limit.
    second : float
        Seconds of the model for a second of NVFlare; 0.01 makes a real run quick.
    """
    model = Model("produce item, before #4174")
    owner = Owner(model, receivers, items, workers, cores, production * second)

    def get_item(index):
        yield owner.lock.acquire()
        data = (yield owner.cache.get())[index].data
        if data is None:
            data = yield from produce_item(owner, index)  # and nobody else gets at the cache
            yield owner.cache.update(stored, index, data)
        yield owner.lock.release()
        return data

    add_receivers(model, owner, get_item, apart, lost, request_timeout, second)
    return model


def fixed(
    *,
    receivers: int = 2,
    items: int = 2,
    workers: int = 2,
    cores: int = 8,
    production: float = 1.0,
    apart: bool = False,
    lost: int = 0,
    request_timeout: float | None = None,
    second: float = 1.0,
    fix: bool = True,
) -> Model:
    """Build the system after #4174.

    The parameters of `buggy`, and these.

    Parameters
    ----------
    fix : bool
        False takes the fix out again: the lock is held on, and the count set back.
    """
    model = Model("produce item, after #4174" if fix else "produce item, #4174 taken out again")
    owner = Owner(model, receivers, items, workers, cores, production * second)

    def get_item(index):
        yield owner.lock.acquire()
        data = (yield owner.cache.get())[index].data
        if data is None:
            if fix:
                yield owner.lock.release()
            data = yield from produce_item(owner, index)
            if fix:
                yield owner.lock.acquire()
            data = (yield owner.cache.update(stored_if_missing if fix else stored, index, data))[index].data
        yield owner.lock.release()
        return data

    add_receivers(model, owner, get_item, apart, lost, request_timeout, second)
    return model


# ---- what both variants share --------------------------------------------------------------------------------


class Item(NamedTuple):
    """What the cache has of one item: its bytes, if any, and how many acknowledgements have come.

    ``had_by`` names the receivers that have acknowledged it; the code does not know them.
    """

    data: str | None = None
    received: int = 0
    had_by: frozenset[Any] = frozenset()

    def __str__(self) -> str:
        return f"{self.data or 'no bytes'} ({self.received} acknowledged)"


class Request(NamedTuple):
    """Acknowledges the ``received`` items from ``start`` on, which are one or none, and asks for the next one."""

    receiver: Any
    start: int
    received: int = 0

    @property
    def wanted(self) -> int:
        """The item that is asked for."""
        return self.start + self.received

    def __str__(self) -> str:
        return f"{self.receiver} item {self.wanted}"


class Download(NamedTuple):
    """What a receiver returns: each item with its bytes, in order, and how often it had to ask again."""

    items: tuple[tuple[int, str], ...] = ()
    repeated: int = 0
    failed: bool = False


class Owner:
    """A downloadable object with its cache, on the owner's side, and the pool on which requests are served."""

    def __init__(self, model: Model, receivers: int, items: int, workers: int, cores: int, production: float) -> None:
        self.receivers, self.items, self.cores, self.production = receivers, items, cores, production
        self.callbacks = model.thread_pool("callback", workers)
        self.lock = model.lock("cache lock")
        self.cache = model.variable("cache", (Item(),) * items)
        self.making = model.variable("in production", ())

    def __str__(self) -> str:
        return "owner"


def content(index):
    """Return the bytes of an item; a word stands for them."""
    return f"bytes of item {index}"


def produce(owner, get_item, request):
    """Serve a request (CacheableObject.produce): the item and its bytes, or None at the end."""
    if request.received:
        yield owner.lock.acquire()
        yield owner.cache.update(acknowledged, request, owner.receivers)
        yield owner.lock.release()
    if request.wanted == owner.items:
        return None
    data = yield from get_item(request.wanted)
    if request.wanted + 1 < owner.items:
        yield from get_item(request.wanted + 1)  # which does not fit
    return request.wanted, data


def acknowledged(cache, request, receivers):
    """Count the item as received once more; its bytes are dropped once the count is that of the receivers."""
    item = cache[request.start]
    received = item.received + 1
    data = None if received >= receivers else item.data
    return _with(cache, request.start, Item(data, received, item.had_by | {request.receiver}))


def stored(cache, index, data):
    """Before: the count begins again."""
    return _with(cache, index, cache[index]._replace(data=data, received=0))


def stored_if_missing(cache, index, data):
    """After: whoever comes second uses what is there, and the count is kept."""
    return cache if cache[index].data is not None else _with(cache, index, cache[index]._replace(data=data))


def _with(cache, index, item):
    return (*cache[:index], item, *cache[index + 1 :])


def produce_item(owner, index):
    """Make an item, on a core of its own."""
    yield owner.making.transition(begun, index, owner.cores)
    yield sleep(owner.production)
    yield owner.making.update(ended, index)
    return content(index)


def begun(making, index, cores):
    return ((tuple(sorted((*making, index))), None),) if len(making) < cores else ()


def ended(making, index):
    place = making.index(index)
    return making[:place] + making[place + 1 :]


def add_receivers(model, owner, get_item, apart, lost, request_timeout, second):
    """Add the receivers, each of which asks for one item after the other."""
    losses = model.variable("losses", lost)
    limit = None if request_timeout is None else request_timeout * second
    for place, name in enumerate(model.indices("download", owner.receivers)):
        first = Request(name, place % owner.items if apart else 0)
        model.process(name, download, owner, get_item, first, losses, limit)


def download(owner, get_item, request, losses, limit):
    """Ask for items until there are no more; the same request again, at once, when no reply has come."""
    got, repeated, attempt = (), 0, 0
    while True:
        serving = yield owner.callbacks.submit(produce, owner, get_item, request)
        try:
            reply = yield serving.result(timeout=limit)
            came = not (yield losses.transition(maybe_lost, True))
        except TimeoutError:
            came = False
        if came and reply is None:
            return Download(got, repeated)
        if came:
            got, request, attempt = (*got, reply), Request(request.receiver, request.wanted, 1), 0
        elif attempt == RETRIES:
            return Download(got, repeated, True)
        else:
            repeated, attempt = repeated + 1, attempt + 1


# ---- what must hold ------------------------------------------------------------------------------------------


def _downloads(state: State) -> list[Download]:
    return [process.result for process in family(state, "download") if process.done]


def _wants_the_lock(process: ProcessState) -> bool:
    operation = process.operation
    return operation is not None and (operation.target.name, operation.name) == ("cache lock", "acquire")


def _lock_held_in_production(state: State) -> bool:
    holders = [process.operation for process in state.processes if process.process is state["cache lock"].owner]
    return any(operation is not None and operation.name == "sleep" for operation in holders)


def _cached_go_on(state: State) -> bool:
    cached = [index for index, item in enumerate(state["cache"]) if item.data is not None]
    waiting = [process.task.args[-1].wanted for process in state.processes if process.task and _wants_the_lock(process)]
    return not (_lock_held_in_production(state) and set(waiting) & set(cached))


def _one_at_a_time(state: State) -> bool:
    return len(state["in production"]) <= 1


def _made_once(state: State) -> bool:
    return len(set(state["in production"])) == len(state["in production"])


def _right(download: Download) -> bool:
    first = download.items[0][0] if download.items else 0
    return download.items == tuple((index, content(index)) for index in range(first, first + len(download.items)))


def _right_bytes(state: State) -> bool:
    return all(map(_right, _downloads(state)))


def _needed(state: State) -> bool:
    everybody = len(family(state, "download"))
    return all(item.data is None or len(item.had_by) < everybody for item in state["cache"])


def _kept(state: State) -> bool:
    everybody = len(family(state, "download"))
    return all(item.received < everybody or len(item.had_by) == everybody for item in state["cache"])


CACHED_GO_ON = always(_cached_go_on, "a request for a cached item never waits for a production")
ONE_AT_A_TIME = always(_one_at_a_time, "at most one item is in production")
MADE_ONCE = always(_made_once, "no item is made twice at a time")
RIGHT_BYTES = always(_right_bytes, "a receiver gets each item once, in order, with the bytes of this item")
NEEDED = always(_needed, "what is cached is still needed by a receiver")
KEPT = always(_kept, "an item leaves the cache only when every receiver has had it")

Sizes = dict[str, Any]

USUAL: Sizes = {}
LOST: Sizes = {"lost": 1}
LATE: Sizes = {"receivers": 1, "items": 1, "request_timeout": 1.5}

HOLDS, VIOLATED = Verdict.HOLDS, Verdict.VIOLATED

CLAIMS = tuple(
    Claim(
        id_,
        version,
        buggy if version == "2.7.1" else fixed,
        asked,
        expected,
        sizes,
        "anytime",
        slow=sizes is LOST and expected is HOLDS,
        note=note,
    )
    for id_, version, asked, expected, sizes, note in (
        ("convoy", "2.7.1", CACHED_GO_ON, VIOLATED, USUAL, "the parent of the fix, as for every 2.7.1 here"),
        ("convoy", "2.7.2", CACHED_GO_ON, HOLDS, USUAL, "however long a production takes"),
        ("convoy", "2.7.1", ONE_AT_A_TIME, HOLDS, USUAL, "by design"),
        ("convoy", "2.7.2", ONE_AT_A_TIME, VIOLATED, USUAL, "dropped by design"),
        ("R6", "2.7.1", MADE_ONCE, HOLDS, USUAL, ""),
        ("R6", "2.7.2", MADE_ONCE, VIOLATED, USUAL, "the price: a stampede"),
        ("S9", "2.7.1", RIGHT_BYTES, HOLDS, LOST, ""),
        ("S9", "2.7.2", RIGHT_BYTES, HOLDS, LOST, ""),
        ("cache", "2.7.1", NEEDED, HOLDS, USUAL, "nothing is made again, so no count is set back"),
        ("cache", "2.7.1", NEEDED, VIOLATED, LOST, "made again after it left too early, and never full again"),
        ("cache", "2.7.2", NEEDED, HOLDS, USUAL, ""),
        ("cache", "2.7.2", NEEDED, HOLDS, LOST, "the count is kept"),
        ("cache", "2.7.2", NEEDED, VIOLATED, LATE, "a request that was given up stores what has been dropped"),
        ("cache", "2.7.1", KEPT, HOLDS, USUAL, ""),
        ("cache", "2.7.2", KEPT, HOLDS, USUAL, ""),
        ("cache", "2.7.1", KEPT, VIOLATED, LOST, "the repeated request is counted for another receiver"),
        ("cache", "2.7.2", KEPT, VIOLATED, LOST, "not touched by the fix"),
        ("L1", "2.7.1", completes("download"), HOLDS, USUAL, "there is no deadlock in a convoy"),
        ("L1", "2.7.2", completes("download"), HOLDS, USUAL, ""),
    )
)
