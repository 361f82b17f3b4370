"""Who is out of reach of all who can move is lost; who is within reach, in whatever way, is not said to be."""

from dataclasses import dataclass
from random import Random

import pytest

from simcore import Model, simulate, sleep
from simcore.explain import never_enabled, out_of_reach
from simcore.kernel import Kernel


def waiting(other, more=()):
    """Build a model in which "waits" waits for an item of a queue, and ``other(model)`` adds what goes on."""
    model = Model("waits")
    queue = model.queue("queue")

    def take():
        yield queue.get()

    model.process("waits", take)
    other(model, queue)
    return model


def lost(model):
    """Return who is said to be lost before the first step."""
    kernel = Kernel(model, "anytime")
    return {kernel.processes[index].name for index in out_of_reach(kernel, kernel.initial)}


def beats(model, queue):
    def beat():
        turns = 0
        while True:
            turns += 1
            yield sleep(turns)

    model.process("beat", beat)


def holds(model, queue):
    def beat(thing):
        turns = 0
        while True:
            turns += 1
            yield sleep(turns)

    model.process("beat", beat, ("in a tuple", queue))


def may_be_given(model, queue):
    mail = model.queue("mail")
    other = model.queue("other")

    def send(thing):
        yield other.put(thing)

    def beat():
        while True:
            yield mail.get(timeout=1)

    model.process("send", send, queue)
    model.process("beat", beat)


def finds_in_a_value(model, queue):
    box = model.variable("box", (1, queue))

    def beat():
        while True:
            yield box.get()

    model.process("beat", beat)


def is_given_by_who_can_be_woken(model, queue):
    bell = model.event("bell")

    def woken():
        yield bell.wait()
        yield queue.put("item")

    def ring():
        yield bell.set()

    model.process("woken", woken)
    model.process("ring", ring)


def is_not_plain(model, queue):
    seen = [1]

    def beat():
        while True:
            yield sleep(len(seen))

    model.process("beat", beat)


@pytest.mark.parametrize("other", [holds, may_be_given, finds_in_a_value, is_given_by_who_can_be_woken, is_not_plain])
def test_who_may_be_reached_is_not_lost(other):
    assert lost(waiting(other)) == set()


@dataclass(frozen=True)
class Box:
    """Who is given it can get at a queue that it does not hold."""

    number: int

    def put(self):
        return BOXED[self.number].put("item")

    @staticmethod
    def anywhere():
        return BOXED[0].put("item")


class Boxed(Exception):
    """The same, where its type is given."""

    anywhere = Box.anywhere


BOXED = {}


def was_given_it(model, queue):
    mail = model.queue("mail")

    def send():
        yield mail.put(("in a tuple", queue))

    def beat():
        thing = yield mail.get()
        for turns in range(100):
            yield sleep(turns)
        _, inside = thing
        yield inside.put("item")

    model.process("send", send)
    model.process("beat", beat)


def was_given_a_method(model, queue):
    mail = model.queue("mail")
    BOXED[0] = queue

    def send():
        yield mail.put(Box(0))

    def beat():
        thing = yield mail.get()
        for turns in range(100):
            yield sleep(turns)
        yield thing.put()

    model.process("send", send)
    model.process("beat", beat)


def was_given_a_type(model, queue):
    future = model.future("future")
    BOXED[0] = queue

    def send():
        yield future.set_exception(Boxed())

    def beat():
        thing = yield future.exception()
        for turns in range(100):
            yield sleep(turns)
        yield thing.anywhere()

    model.process("send", send)
    model.process("beat", beat)


def can_call_what_it_began_with(model, queue):
    box = model.variable("box", lambda: queue.put("item"))

    def beat():
        yield box.set(None)
        for turns in range(100):
            yield sleep(turns)
        yield box.start()

    def send():
        yield sleep(1)

    model.process("send", send)
    model.process("beat", beat)


@pytest.mark.parametrize("other", [was_given_it, was_given_a_method, was_given_a_type, can_call_what_it_began_with])
def test_who_may_be_reached_by_what_was_given_is_not_lost(other):
    kernel = Kernel(waiting(other), "anytime")
    state = kernel.initial
    for process in (1, 2, 2, 2):  # sends, gets, sleeps
        assert out_of_reach(kernel, state) == frozenset()
        state = kernel.step(state, process, 0) or state
    assert out_of_reach(kernel, state) == frozenset()


def test_a_run_does_not_say_that_somebody_is_lost_who_is_woken_later():
    run = simulate(waiting(was_given_it), max_steps=50)
    assert (run.status, run.hangs) == ("limit", False)
    assert simulate(waiting(was_given_it)).status == "completed"


def test_who_is_out_of_reach_is_lost():
    assert lost(waiting(beats)) == {"waits"}


def test_who_waits_for_a_condition_is_within_reach_of_its_lock():
    def model(with_lock):
        model = Model("condition")
        lock = model.lock("lock")
        condition = model.condition("condition", lock)

        def wait():
            yield condition.acquire()
            yield condition.wait()

        def beat(thing):
            for _ in range(3):
                yield sleep(1)

        model.process("wait", wait)
        model.process("beat", beat, lock if with_lock else 1)
        return model

    for with_lock in (True, False):
        kernel = Kernel(model(with_lock), "anytime")
        state = kernel.initial
        for _ in range(2):  # acquires, waits
            state = kernel.step(state, 0, 0)
        assert out_of_reach(kernel, state) == (frozenset() if with_lock else {0})


def test_who_waits_with_a_limit_is_not_lost():
    model = Model("limit")
    queue = model.queue("queue")

    def take():
        yield queue.get(timeout=1)

    model.process("waits", take)
    beats(model, queue)
    assert lost(model) == set()


OPERATIONS = ["lock0.acquire()", "lock0.release()", "lock1.acquire()", "lock1.release()"]
OPERATIONS += [f"queue{i}.{does}" for i in range(3) for does in ("put(1)", "get()", "get(timeout=1)")]


def at_random(random):
    """Build a model whose processes are written out, so that they are plain."""
    model = Model("at random")
    things = {f"lock{i}": model.lock(f"lock{i}") for i in range(2)}
    things |= {f"queue{i}": model.queue(f"queue{i}", 1) for i in range(3)}
    for number in range(3):
        lines = [f"    yield {random.choice(OPERATIONS)}" for _ in range(random.randint(1, 4))]
        exec("\n".join(["def body():", *lines]), things)
        model.process(f"p{number}", things["body"])
    return model


def test_who_is_lost_is_never_enabled():
    random, found = Random(1), 0
    for _ in range(150):
        kernel = Kernel(at_random(random), "anytime")
        state = kernel.initial
        while choices := kernel.successors(state):
            lost = sorted(out_of_reach(kernel, state))
            assert never_enabled(kernel, state, lost) == lost
            found += len(lost)
            state = random.choice(choices).state
    assert found > 20
