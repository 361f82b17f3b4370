"""What is declared to commute does, in whatever value, and a declaration that is wrong is caught."""

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from simcore import Model
from simcore.model import objects
from simcore.model.objects import Condition, Event, Future, Link, Lock, Queue, RLock, Semaphore, ThreadPool, Variable
from simcore.model.operations import Operation, SharedObject

# ---- what is declared to commute ---------------------------------------------------------------------------


def no_task():
    yield from ()


def calls(thing):
    """Return the operations of an object that two processes perform at random."""
    match thing:
        case Event():
            return [thing.set(), thing.clear(), thing.wait(), thing.is_set()]
        case Future():
            waits = [thing.result(), thing.exception(), thing.done()]
            return [thing.set_result(1), thing.set_result(2), thing.set_exception(ValueError("wrong")), *waits]
        case Link():
            ends = [thing.close("send"), thing.close("recv"), thing.reset()]
            return [thing.send("a"), thing.send("bb"), thing.recv(), *ends]
        case Lock():
            return [thing.acquire(), thing.release(), thing.locked()]
        case Queue():
            return [thing.put(1), thing.put(2), thing.get(), thing.qsize()]
        case Semaphore():
            return [thing.acquire(), thing.release(), thing.release(2)]
        case ThreadPool():
            return [thing.submit(no_task), Operation(thing, "take"), thing.shutdown(), Operation(thing, "join")]
        case Variable():
            steps = [thing.set(1), thing.update(lambda n: n + 1), thing.transition(lambda n: [(n, "a"), (n + 1, "b")])]
            return [thing.get(), thing.wait_for(lambda n: n > 0), thing.wait_for(lambda n: n % 2), *steps]
    raise NotImplementedError(thing)


THINGS = {
    "event": lambda: Event("event"),
    "future": lambda: Future("future"),
    "link in frames": lambda: Link("link", 2),
    "link in bytes": lambda: Link("link", 3, unit="bytes"),
    "lock": lambda: Lock("lock"),
    "rlock": lambda: RLock("rlock"),
    "queue": lambda: Queue("queue"),
    "queue of one": lambda: Queue("queue", 1),
    "queue of two": lambda: Queue("queue", 2),
    "semaphore": lambda: Semaphore("semaphore", 1),
    "pool": lambda: ThreadPool("pool", 2),
    "variable": lambda: Variable("variable", 0),
}


def perform(thing, value, operation, process):
    """Return what may happen, as pairs of the next value and the result."""
    fresh = (Future("made"),) if operation.name in thing.creates else ()
    return [(after, repr(result)) for after, result in thing.outcomes(value, operation, process, *fresh)]


def in_order(thing, value, first, second):
    """Return the ends of two operations in this order, and whether the first one blocked the second."""
    ends, blocked = set(), False
    for between, one in perform(thing, value, *first):
        outcomes = perform(thing, between, *second)
        blocked = blocked or not outcomes
        ends |= {(repr(after), frozenset({(first[1], one), (second[1], other)})) for after, other in outcomes}
    return ends, blocked


def check_diamonds(name, examples=30):
    """Drive an object to random values, and take what is declared to commute there in both orders."""
    model = Model("two processes")
    left, right = (model.process(name, no_task) for name in ("left", "right"))
    thing = THINGS[name]()
    steps = st.lists(st.tuples(st.sampled_from(calls(thing)), st.sampled_from([left, right]), st.integers(0, 1)))

    @given(steps)
    @settings(max_examples=examples, phases=[Phase.generate])
    def check(driven):
        value = thing.initial
        for operation, process, which in driven:
            outcomes = perform(thing, value, operation, process)
            if outcomes:
                value = outcomes[which % len(outcomes)][0]
        for one in calls(thing):
            for other in calls(thing):
                alike = one == other and thing.repeats(one)
                if not alike and frozenset((one.name, other.name)) not in thing.commutes:
                    continue
                if not (perform(thing, value, one, left) and perform(thing, value, other, right)):
                    continue
                there, blocked = in_order(thing, value, (one, left), (other, right))
                back, blocked_back = in_order(thing, value, (other, right), (one, left))
                assert not blocked, f"{one} blocks {other} at {value}"
                assert not blocked_back, f"{other} blocks {one} at {value}"
                assert there == back, f"{one} and {other} at {value}"

    check()


@pytest.mark.parametrize("name", THINGS)
def test_what_is_declared_to_commute_does(name):
    check_diamonds(name)


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("event", ("set", "clear")),
        ("event", ("set", "is_set")),
        ("future", ("set_result", "done")),
        ("link in frames", ("send", "close")),
        ("lock", ("acquire", "acquire")),
        ("queue", ("put", "put")),
        ("queue of two", ("get", "get")),
        ("semaphore", ("acquire", "acquire")),
        ("pool", ("submit", "shutdown")),
        ("pool", ("take", "take")),
        ("variable", ("set", "get")),
    ],
)
def test_a_declaration_that_is_wrong_is_caught(monkeypatch, name, pair):
    kind = type(THINGS[name]())
    monkeypatch.setattr(kind, "commutes", kind.commutes | {frozenset(pair)})
    with pytest.raises(AssertionError):
        check_diamonds(name, examples=500)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("queue of one", "put"), ("queue", "get"), ("lock", "acquire"), ("future", "set_result")],
)
def test_a_repetition_that_is_declared_wrongly_is_caught(monkeypatch, name, wrong):
    monkeypatch.setattr(type(THINGS[name]()), "repeats", lambda self, operation: operation.name == wrong)
    with pytest.raises(AssertionError):
        check_diamonds(name, examples=500)


def test_what_is_not_driven_declares_nothing():
    driven = {type(make()) for make in THINGS.values()}
    kinds = [kind for kind in vars(objects).values() if isinstance(kind, type) and issubclass(kind, SharedObject)]
    assert Condition in kinds
    declares = [kind for kind in kinds if kind.commutes or kind.repeats is not SharedObject.repeats]
    assert [kind for kind in declares if kind not in driven] == []
