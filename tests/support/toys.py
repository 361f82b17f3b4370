"""Small models with known spaces, and the plainest tools to walk them: no reduction, no shortcut.

One space drawn by hand, `opposed_locks`. Rows are the steps that left has done (acquire a, acquire b, release
b, release a), columns those of right (acquire b, acquire a, release a, release b); a dot is a state, every step
goes one to the right or one down, X is the deadlock, and where both would hold the same lock there is nothing:

              0  1  2  3  4
          0   .  .  .  .  .
          1   .  X     .  .
          2   .           .
          3   .  .        .
          4   .  .  .  .  .

Nineteen states, eight steps from corner to corner, and the deadlock two steps from the start.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import cache, partial
from typing import Any, NamedTuple

from simcore.kernel import Kernel, Packed
from simcore.model import Model, State


def run(model: Model, *order: str | tuple[str, int], timeouts: str = "when_stuck") -> State:
    """Let processes take one step each in the given order, and return the state that is reached.

    A name takes the first outcome; (name, outcome) takes that one, time-outs after the operation's own.
    """
    kernel = Kernel(model, timeouts)  # type: ignore[arg-type]
    return kernel.view(walk(kernel, kernel.initial, *order))


def walk(kernel: Kernel, state: Packed, *order: str | tuple[str, int]) -> Packed:
    """Do what `run` does, from ``state`` of ``kernel``."""
    index = {process.name: process.index for process in kernel.processes}
    for step in order:
        name, outcome = step if isinstance(step, tuple) else (step, 0)
        following = kernel.step(state, index[name], outcome)
        assert following is not None, f"{name} cannot take outcome {outcome} in {kernel.view(state)}"
        state = following
    return state


def finish(model: Model, *order: str | tuple[str, int], timeouts: str = "when_stuck") -> dict[str, Any]:
    """Run ``order``, then whatever is enabled first until nothing is; return results by process."""
    kernel = Kernel(model, timeouts)  # type: ignore[arg-type]
    state = walk(kernel, kernel.initial, *order)
    while choices := kernel.successors(state):
        state = choices[0].state
    return {process.name: process.result for process in kernel.view(state).processes if process.process.pool is None}


def enabled(kernel: Kernel, state: Packed) -> list[str]:
    """Name the processes that have a step, each once, by the kernel's rule for time-outs."""
    return [kernel.processes[i].name for i in dict.fromkeys(choice.process for choice in kernel.successors(state))]


def alone(*calls: Callable[[], Any], model: Model | None = None, timeouts: str = "when_stuck") -> list[Any]:
    """Run one process that yields what each call returns; return what it was given, exceptions with their text."""

    def process() -> Iterator[Any]:
        given = ()
        for number in range(len(calls)):
            try:
                result = yield calls[number]()
            except Exception as error:
                result = (type(error), str(error))
            given += (result,)
        return given

    model = model or Model("alone")
    model.process("alone", process)
    results: tuple[Any, ...] = finish(model, timeouts=timeouts)["alone"]
    return list(results)


def agree(model: Model, thing: Any, real: Any, *calls: tuple[Any, ...]) -> list[Any]:
    """Make the same calls (name, arguments...) of an object of the model and of the real one; compare; return results.

    A trailing dict holds keyword arguments.
    """

    def call(target: Any, name: str, *args: Any) -> Any:
        keywords = args[-1] if args and isinstance(args[-1], dict) else {}
        return getattr(target, name)(*(args[:-1] if keywords else args), **keywords)

    modelled = alone(*(partial(call, thing, *one) for one in calls), model=model)
    actual = []
    for one in calls:
        try:
            actual.append(call(real, *one))
        except Exception as error:
            actual.append((type(error), str(error)))
    assert modelled == actual
    return actual


class Space(NamedTuple):
    """Everything reachable: distance of each state, number of transitions, and the states that deadlock."""

    distance: dict[Packed, int]
    transitions: int
    deadlocks: list[Packed]

    @property
    def states(self) -> int:
        return len(self.distance)

    @property
    def depth(self) -> int:
        return max(self.distance.values())

    @property
    def nearest(self) -> int | None:
        return min((self.distance[state] for state in self.deadlocks), default=None)


def space(kernel: Kernel, representative: Callable[[Packed], Packed] = lambda state: state) -> Space:
    """Walk all of it, breadth first; with ``representative`` only one state of each orbit."""
    distance, queue, transitions, deadlocks = {kernel.initial: 0}, deque([kernel.initial]), 0, []
    while queue:
        state = queue.popleft()
        choices = kernel.successors(state)
        transitions += len(choices)
        if not choices and kernel.view(state).deadlocked:
            deadlocks.append(state)
        for choice in choices:
            following = representative(choice.state)
            if following not in distance:
                distance[following] = distance[state] + 1
                queue.append(following)
    return Space(distance, transitions, deadlocks)


def schedules(kernel: Kernel) -> tuple[int, int]:
    """Count the maximal schedules of a model whose space has no cycle, and those that deadlock."""

    @cache
    def count(state: Packed) -> tuple[int, int]:
        choices = kernel.successors(state)
        if not choices:
            return 1, int(kernel.view(state).deadlocked)
        counts = [count(choice.state) for choice in choices]
        return sum(one for one, _ in counts), sum(other for _, other in counts)

    return count(kernel.initial)


def chance_of_deadlock(kernel: Kernel) -> Fraction:
    """Return how likely a scheduler that picks any enabled step with equal chances ends in a deadlock."""

    @cache
    def chance(state: Packed) -> Fraction:
        choices = kernel.successors(state)
        if not choices:
            return Fraction(kernel.view(state).deadlocked)
        return sum((chance(choice.state) for choice in choices), Fraction(0)) / len(choices)

    return chance(kernel.initial)


# ---- models ------------------------------------------------------------------------------------------


def crossing(model: Model) -> Model:
    """Add two processes that take the same two locks in opposite orders."""
    a, b = model.lock("a"), model.lock("b")

    def take(first, second):
        yield first.acquire()
        yield second.acquire()
        yield second.release()
        yield first.release()

    model.process("left", take, a, b)
    model.process("right", take, b, a)
    return model


def opposed_locks() -> Model:
    """Two processes take the same two locks in opposite orders."""
    return crossing(Model("opposed locks"))


def one_lock(*, threads: int) -> Model:
    """Each thread enters one critical section once."""
    model = Model("one lock")
    lock = model.lock("lock")

    def enter():
        yield lock.acquire()
        yield lock.release()

    for i in range(threads):
        model.process(f"thread[{i}]", enter)
    return model


class Protocol(NamedTuple):
    """Two-phase commit: state of the manager, whom it has heard of, states of the others, messages sent."""

    manager: str
    heard: frozenset[int]
    states: tuple[str, ...]
    messages: frozenset[Any]


def two_phase_commit(*, n: int) -> Model:
    """Gray and Lamport's TwoPhase with ``n`` resource managers; messages are never removed."""
    model = Model("two-phase commit")
    protocol = model.variable("protocol", Protocol("init", frozenset(), ("working",) * n, frozenset()))

    def becomes(p: Protocol, i: int, state: str) -> tuple[str, ...]:
        return (*p.states[:i], state, *p.states[i + 1 :])

    def manage(p: Protocol) -> Iterable[tuple[Protocol, None]]:
        if p.manager == "init":
            for i in p.messages - {"commit", "abort"}:
                yield p._replace(heard=p.heard | {i}), None
            if len(p.heard) == n:
                yield p._replace(manager="committed", messages=p.messages | {"commit"}), None
            yield p._replace(manager="aborted", messages=p.messages | {"abort"}), None

    def resource(p: Protocol, i: int) -> Iterable[tuple[Protocol, None]]:
        if p.states[i] == "working":
            yield p._replace(states=becomes(p, i, "prepared"), messages=p.messages | {i}), None
            yield p._replace(states=becomes(p, i, "aborted")), None
        for message, state in (("commit", "committed"), ("abort", "aborted")):
            if message in p.messages:
                yield p._replace(states=becomes(p, i, state)), None

    def cycle(fn, *args):
        while True:
            yield protocol.transition(fn, *args)

    model.process("manager", cycle, manage)
    for i in range(n):
        model.process(f"resource[{i}]", cycle, resource, i)
    return model


def _take(forks: frozenset[int], fork: int) -> Iterable[tuple[frozenset[int], None]]:
    if fork in forks:
        yield forks - {fork}, None


def _put(forks: frozenset[int], *used: int) -> Iterable[tuple[frozenset[int], None]]:
    yield forks | set(used), None


def philosophers(*, n: int, ordered: bool = False, together: bool = True, cyclic: bool = True) -> Model:
    """``n`` philosophers on a ring with a fork between any two; a free fork is in the variable.

    Parameters
    ----------
    ordered : bool
        Take the fork with the lower number first, instead of the left one.
    together : bool
        Release both in one step, instead of the first and then the second.
    cyclic : bool
        Eat for ever, instead of once.
    """
    model = Model("dining philosophers")
    forks = model.variable("forks", frozenset(range(n)))

    def philosopher(first, second):
        while True:
            yield forks.transition(_take, first)
            yield forks.transition(_take, second)
            if together:
                yield forks.transition(_put, first, second)
            else:
                yield forks.transition(_put, first)
                yield forks.transition(_put, second)
            if not cyclic:
                break

    for i in range(n):
        left, right = i, (i + 1) % n
        model.process(f"philosopher[{i}]", philosopher, *(sorted((left, right)) if ordered else (left, right)))
    return model


def bounded_buffer(*, producers: int, consumers: int, capacity: int, mutex_first: bool = False) -> Model:
    """Two counting semaphores and a mutex around a buffer; with ``mutex_first`` it deadlocks."""
    model = Model("bounded buffer")
    free, filled, mutex = model.semaphore("free", capacity), model.semaphore("filled", 0), model.lock("mutex")

    def move(taken, given):
        while True:
            for needed in (mutex, taken) if mutex_first else (taken, mutex):
                yield needed.acquire()
            yield mutex.release()
            yield given.release()

    for i in range(producers):
        model.process(f"producer[{i}]", move, free, filled)
    for i in range(consumers):
        model.process(f"consumer[{i}]", move, filled, free)
    return model


def nested_futures(*, roots: int, levels: int, workers: int) -> Model:
    """Every task but those of the last level submits one to its own pool and waits for it."""
    model = Model("nested futures")
    pool = model.thread_pool("pool", workers)

    def task(level):
        yield from ()
        if level < levels:
            inner = yield pool.submit(task, level + 1)
            yield inner.result()

    def main():
        for _ in range(roots):
            yield pool.submit(task, 1)

    model.process("main", main)
    return model


def pool_system(
    *, requesters: int, workers: int, chunks: int, callback_workers: int | None = None, alike: bool = False
) -> Model:
    """The essence of the reported hang; with ``callback_workers`` after its fix, without before.

    With ``alike`` the requesters are called by interchangeable names.
    """
    model = Model("pool system")
    stream = model.thread_pool("stream", workers)
    callbacks = stream if callback_workers is None else model.thread_pool("callback", callback_workers)
    names = model.indices("requester", requesters) if alike else range(requesters)
    blob = {name: model.queue(f"blob of {name}") for name in names}
    reply = {name: model.queue(f"reply to {name}") for name in names}

    def read(name):
        yield blob[name].put("bytes")

    def callback(name):
        yield blob[name].get()
        yield reply[name].put("ok")

    def dispatch(name):
        yield stream.submit(read, name)
        if callback_workers is None:
            yield from callback(name)
        else:
            yield callbacks.submit(callback, name)

    def requester(name):
        for _ in range(chunks):
            yield stream.submit(dispatch, name)
            yield reply[name].get()

    for name in names:
        model.process(name if alike else f"requester[{name}]", requester, name)
    return model
