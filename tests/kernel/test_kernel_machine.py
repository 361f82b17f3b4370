"""The kernel and a naive one (`naive.py`) agree on what is enabled, on values and on results, step by step."""

import contextlib
import queue
from collections import deque

import pytest
import toys
from generated import MANY
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from naive import Naive, picture_of

from simcore.kernel import Kernel
from simcore.model import Model
from simcore.model.objects import choose, sleep


def conditions() -> Model:
    """A buffer of one place with two conditions on one lock, time-outs on both."""
    model = Model("conditions")
    lock = model.rlock("lock")
    full, empty = model.condition("full", lock), model.condition("empty", lock)
    place = model.variable("place", None)

    def put(item):
        yield lock.acquire()
        yield lock.acquire()
        while (yield place.get()) is not None:
            if not (yield empty.wait(timeout=1.0)):
                break
        yield place.set(item)
        yield full.notify()
        yield lock.release()
        yield lock.release()

    def get():
        yield lock.acquire()
        while (item := (yield place.get())) is None:
            if not (yield full.wait(timeout=2.0)):
                break
        yield place.set(None)
        yield empty.notify_all()
        yield lock.release()
        return item

    for number in range(2):
        model.process(f"put {number}", put, number)
        model.process(f"get {number}", get)
    return model


def tasks() -> Model:
    """Futures that are kept, dropped, passed on and never asked for; tasks that fail; a shutdown."""
    model = Model("tasks")
    pool, box, event = model.thread_pool("pool", 2), model.queue("box", 1), model.event("event")

    def work(n):
        if n == 1:
            yield event.wait(timeout=1.0)
        if n == 2:
            raise KeyError(n)
        return (yield choose(n, -n))

    def dropper():
        yield pool.submit(work, 0)
        kept = yield pool.submit(work, 1)
        yield event.set()
        kept = yield pool.submit(work, 3)
        return (yield kept.result())

    def asker():
        future = yield pool.submit(work, 2)
        try:
            yield future.result(timeout=1.0)
        except KeyError as error:
            yield box.put(str(error))
        except TimeoutError:
            yield box.put("late")
        del future
        try:
            yield box.put("more", False)
        except queue.Full:
            return "full"

    def closer():
        got = yield box.get(timeout=1.0)
        yield pool.shutdown()
        return got

    for fn in (dropper, asker, closer):
        model.process(fn.__name__, fn)
    return model


def mixture() -> Model:
    """Links that close, semaphores that are tried, sleeps, choices, and misuse that is caught."""
    model = Model("mixture")
    wire, permits, lock = model.link("wire", 2), model.semaphore("permits", 1), model.lock("lock")
    done, count = model.future("done"), model.variable("count", 0)

    def send():
        for frame in "abc":
            if (yield choose(True, False)):
                yield sleep(1.0)
            try:
                yield wire.send(frame, timeout=1.0)
            except OSError as error:
                return type(error).__name__
        yield wire.close()
        try:
            yield wire.send("d")
        except OSError:
            yield done.set_result("closed")

    def receive():
        got = ""
        while True:
            try:
                got += yield wire.recv()
            except EOFError:
                return got

    def tries():
        if (yield permits.acquire(False)):
            yield permits.release(2)
        with contextlib.suppress(RuntimeError):
            yield lock.release()
        if (yield lock.acquire(timeout=1.0)):
            yield count.transition(lambda value: [(value + 1, "up"), (value - 1, "down")])
        try:
            yield done.set_result("tried")
        except Exception as error:
            return type(error).__name__

    model.process("send", send)
    model.process("receive", receive)
    for name in "ab":
        model.process(name, tries)
    return model


BUILDERS = {
    "opposed locks": toys.opposed_locks,
    "one lock": lambda: toys.one_lock(threads=3),
    "bounded buffer": lambda: toys.bounded_buffer(producers=2, consumers=1, capacity=2),
    "mutex first": lambda: toys.bounded_buffer(producers=2, consumers=1, capacity=1, mutex_first=True),
    "philosophers": lambda: toys.philosophers(n=3),
    "two-phase commit": lambda: toys.two_phase_commit(n=2),
    "nested futures": lambda: toys.nested_futures(roots=2, levels=2, workers=2),
    "before": lambda: toys.pool_system(requesters=2, workers=2, chunks=2),
    "after": lambda: toys.pool_system(requesters=2, workers=1, chunks=1, callback_workers=1),
    "conditions": conditions,
    "tasks": tasks,
    "mixture": mixture,
}
RULES = ("never", "when_stuck", "anytime")
KERNELS = {(name, timeouts): Kernel(build(), timeouts) for name, build in BUILDERS.items() for timeouts in RULES}
NEAREST = 2_000


class Agreement(RuleBasedStateMachine):
    """Take any enabled step in both; the naive kernel starts over for every step."""

    @initialize(which=st.sampled_from(sorted(KERNELS)))
    def start(self, which):
        self.kernel, self.path = KERNELS[which], []
        self.state = self.kernel.initial
        self.which = which

    @rule(pick=st.integers(0, 30))
    def step(self, pick):
        choices = self.kernel.successors(self.state)
        if choices:
            choice = choices[pick % len(choices)]
            self.path.append((choice.process, choice.outcome))
            self.state = choice.state

    @invariant()
    def they_agree(self):
        if not hasattr(self, "kernel"):
            return
        naive = Naive(BUILDERS[self.which[0]](), self.which[1], self.path)
        assert picture_of(self.kernel, self.state) == naive.picture()
        assert sorted(self.kernel.enabled(self.state)) == sorted(naive.enabled())


def test_the_kernel_agrees_with_a_naive_one():
    run_state_machine_as_test(Agreement, settings=settings(max_examples=75, stateful_step_count=30, deadline=None))


@pytest.mark.slow
def test_the_kernel_agrees_with_a_naive_one_for_long():
    run_state_machine_as_test(
        Agreement, settings=settings(max_examples=2 * MANY, stateful_step_count=60, deadline=None)
    )


@pytest.mark.parametrize("name", ["conditions", "tasks", "mixture", "nested futures", "after"])
def test_the_states_nearest_to_the_start_all_agree(name):
    kernel = KERNELS[name, "anytime"]
    paths, waiting = {kernel.initial: []}, deque([kernel.initial])
    compared = 0
    while waiting and compared < NEAREST:
        state, compared = waiting.popleft(), compared + 1
        for choice in kernel.successors(state):
            if choice.state not in paths:
                paths[choice.state] = [*paths[state], choice[:2]]
                waiting.append(choice.state)
        naive = Naive(BUILDERS[name](), "anytime", paths[state])
        assert picture_of(kernel, state) == naive.picture(), paths[state]
        assert sorted(kernel.enabled(state)) == sorted(naive.enabled()), paths[state]
    assert compared > 40
