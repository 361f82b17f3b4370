"""A client's memory grows with every round, by as much as a model.

NVFlare 2.7.1, nvflare/client/ex_process/api.py, send(): what a round has used is dropped, but not collected (models
are in reference cycles), and what is freed is not given back to the system (the allocator keeps its pages).
Fixed in 2.7.2 by #4211: after every N-th send() the client collects garbage and trims the heap. N is
``memory_gc_rounds``; 0 is never, and the default for clients of FedAvg. An aggregator of swarm learning did collect
after each result before, which gives nothing back (``collect=True``).

Look for the most that the client holds: it grows with the number of rounds before, and is N models after, or N + 1
as long as a sender keeps its model until it receives the next one (before #4231).

What is proved, and what is checked for sizes: ``rounds=0`` goes on for ever. With the rule nothing grows, the graph
is finite and has a cycle, and "holds" is a proof for any number of rounds. Without it memory is counted up to
``MOST`` models, which stands for as many or more, and is within no bound.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from simcore import Claim, Model, Property, Verdict, always, choose

REPORT = "https://github.com/NVIDIA/NVFlare/pull/4211"

MOST = 8
"""As far as models are counted in each place; it means so many or more."""


class Memory(NamedTuple):
    """What the client holds, in models: in use, in reference cycles that nobody uses, in pages of the allocator."""

    live: int = 0
    garbage: int = 0
    pages: int = 0

    @property
    def resident(self) -> float:
        """What the system sees."""
        return inf if MOST in self else sum(self)

    def __str__(self) -> str:
        return f"{self.live} live, {self.garbage} garbage, {self.pages} in pages"


def buggy(*, rounds: int = 3, collect: bool = False, drop_at_send: bool = True) -> Model:
    """Build a client before #4211.

    Parameters
    ----------
    rounds : int
        Rounds of training; 0 goes on for ever.
    collect : bool
        Whether garbage is collected after every send, as by an aggregator of swarm learning.
    drop_at_send : bool
        Whether the model is dropped when it has been sent (#4231), or when the next one has been received.
    """
    model = Model("client memory, before #4211")
    memory = model.variable("memory", Memory())

    def after_send(count):
        if collect:
            yield memory.update(collect_garbage)
        return count

    start(model, rounds, memory, after_send, drop_at_send)
    return model


def fixed(
    *,
    rounds: int = 3,
    collect: bool = False,
    drop_at_send: bool = True,
    memory_gc_rounds: int = 1,
    glibc: bool = True,
    fix: bool = True,
) -> Model:
    """Build a client after #4211.

    The parameters of `buggy`, and these.

    Parameters
    ----------
    collect : bool
        Whether garbage is collected after every send, besides.
    memory_gc_rounds : int
        N, less than `MOST`: the client cleans up after every N-th send; 0 is never.
    glibc : bool
        Whether the heap can be trimmed. False: by another allocator, which has not been told to give pages back.
    fix : bool
        False takes the fix out again.
    """
    model = Model("client memory, after #4211" if fix else "client memory, #4211 taken out again")
    memory = model.variable("memory", Memory())

    def after_send(count):
        if collect:
            yield memory.update(collect_garbage)
        count = (count + 1) % memory_gc_rounds if memory_gc_rounds else 1
        if fix and count == 0:
            yield memory.update(clean_up if glibc else collect_garbage)
        return count

    start(model, rounds, memory, after_send, drop_at_send)
    return model


def start(model, rounds, memory, after_send, drop_at_send):
    """Add the server and the client."""
    tasks, results = model.link("tasks"), model.link("results")
    model.process("server", server, tasks, results, rounds)
    model.process("client", client, tasks, results, memory, after_send, drop_at_send)


def server(tasks, results, rounds):
    """Send a model and wait for what becomes of it, round by round."""
    done = 0
    while not rounds or done < rounds:
        yield tasks.send("model")
        yield results.recv()
        done += 1 if rounds else 0
    yield tasks.send("end")


def client(tasks, results, memory, after_send, drop_at_send):
    """Receive, train, send, and clean up as ``after_send`` says."""
    count = 0
    while (yield tasks.recv()) != "end":
        if (yield memory.update(receive)).live > 1:
            yield from drop(memory)
        yield results.send("model")
        if drop_at_send:
            yield from drop(memory)
        count = yield from after_send(count)


def drop(memory):
    """Let go of a model; where it goes depends on what else refers to it, and on what lies beside it."""
    where = yield choose("garbage", "pages", "the system")
    yield memory.update(let_go, where)


# ---- memory, each function one step of the client --------------------------------------------------------------


def receive(memory):
    return memory._replace(live=memory.live + 1)


def let_go(memory, where):
    memory = memory._replace(live=memory.live - 1)
    if where == "garbage":
        return memory._replace(garbage=min(memory.garbage + 1, MOST))
    return memory._replace(pages=min(memory.pages + 1, MOST)) if where == "pages" else memory


def collect_garbage(memory):
    return memory._replace(garbage=0, pages=min(memory.pages + memory.garbage, MOST))


def clean_up(memory):
    return memory._replace(garbage=0, pages=0)


# ---- claims --------------------------------------------------------------------------------------------------


def holds_at_most(models: int) -> Property:
    """Require that the client never holds more than so many models, whatever the round.

    Parameters
    ----------
    models : int
        The bound, below `MOST`.
    """
    says = f"the client holds at most {models} model" + "s" * (models != 1)
    return always(lambda state: bool(state["memory"].resident <= models), says)


FOR_EVER = {"rounds": 0}

CLAIMS = (
    Claim("10.3 R4", "2.7.1", buggy, holds_at_most(2), Verdict.VIOLATED),
    Claim("10.3 R4", "2.7.2", fixed, holds_at_most(2), Verdict.HOLDS),
    Claim("10.3 R4", "2.7.1", buggy, holds_at_most(MOST - 1), Verdict.VIOLATED, FOR_EVER, note="and any other bound"),
    Claim(
        "10.3 R4",
        "2.7.1",
        buggy,
        holds_at_most(MOST - 1),
        Verdict.VIOLATED,
        {**FOR_EVER, "collect": True},
        note="swarm: to collect gives nothing back",
    ),
    Claim(
        "10.3 R4",
        "2.7.2, N=1",
        fixed,
        holds_at_most(1),
        Verdict.HOLDS,
        FOR_EVER,
        note="a proof for any number of rounds: the graph is finite and has a cycle",
    ),
    Claim("10.3 R4", "2.7.2, N=3", fixed, holds_at_most(3), Verdict.HOLDS, {**FOR_EVER, "memory_gc_rounds": 3}),
    Claim(
        "10.3 R4",
        "2.7.2, N=0",
        fixed,
        holds_at_most(MOST - 1),
        Verdict.VIOLATED,
        {**FOR_EVER, "memory_gc_rounds": 0},
        note="the default for clients of FedAvg",
    ),
    Claim(
        "10.3 R4",
        "2.7.2, jemalloc",
        fixed,
        holds_at_most(MOST - 1),
        Verdict.VIOLATED,
        {**FOR_EVER, "glibc": False},
        note="what is collected stays with an allocator that does not decay",
    ),
    Claim(
        "10.3 R4",
        "2.7.2, before #4231",
        fixed,
        holds_at_most(2),
        Verdict.HOLDS,
        {**FOR_EVER, "drop_at_send": False},
        note="a bound as well, one model higher",
    ),
    Claim("10.3 R4", "2.7.2, before #4231", fixed, holds_at_most(1), Verdict.VIOLATED, {"drop_at_send": False}),
)
