"""What waits for the real world, or never comes to an operation, is a mistake of the model, told with its line."""

import itertools
import queue
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import sleep as nap

import pytest

from simcore import Model, ModelError, Verdict, execute, explore, simulate, sleep
from simcore.kernel import endless
from simcore.kernel.endless import may_go_on
from simcore.stateful import machine

DRIVERS = {"explore": explore, "simulate": simulate, "execute": execute, "machine": lambda model: machine(model)()}
LOCK, QUEUE, READY = threading.Lock(), queue.Queue(), threading.Event()


def of(body, *args):
    model = Model("real world")
    event = model.event("event")
    model.process("user", body, event, *args)
    return model


class Server:
    """A user's own class with a real lock in it."""

    def __init__(self, event):
        self.event, self.guard = event, threading.RLock()

    def run(self, event):
        with self.guard:
            yield self.event.set()


def helper():
    time.sleep(0)


def sleeps(event):
    yield event.set()
    time.sleep(0)


def naps(event):
    nap(0)
    yield event.set()


def sleeps_in_a_helper(event):
    helper()
    yield event.set()


def locks(event):
    LOCK.acquire()
    yield event.set()
    LOCK.release()


def gets(event):
    yield event.set()
    if not QUEUE.empty():
        QUEUE.get()


def waits(event):
    while not READY.is_set():
        yield event.set()


def connects(event):
    socket.create_connection(("localhost", 1))
    yield event.set()


def starts(event):
    threading.Thread(target=print).start()
    yield event.set()


def runs(event):
    subprocess.run(["true"], check=False)
    yield event.set()


def pools(event):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(print)
    yield event.set()


OUTSIDE = {
    sleeps: ("time.sleep", "yield sleep(seconds)"),
    naps: ("nap", "yield sleep(seconds)"),
    sleeps_in_a_helper: ("time.sleep", "yield sleep(seconds)"),
    locks: ("LOCK", "model.lock(name)"),
    gets: ("QUEUE", "model.queue(name, capacity)"),
    waits: ("READY", "model.event(name)"),
    connects: ("socket.create_connection", "model.link(name)"),
    starts: ("threading.Thread", "model.process(name, fn, *args)"),
    runs: ("subprocess.run", "model.process(name, fn, *args)"),
    pools: ("ThreadPoolExecutor", "model.thread_pool(name, workers)"),
}


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
@pytest.mark.parametrize(("body", "told"), OUTSIDE.items(), ids=lambda part: getattr(part, "__name__", None))
def test_what_waits_for_the_real_world_is_named_with_what_there_is_instead(body, told, driver):
    with pytest.raises(ModelError, match=r"^user \(test_real_world\.py:\d+\): ") as found:
        driver(of(body))
    assert f"{told[0]} is of the real world" in str(found.value)
    assert f"there is {told[1]}" in str(found.value)


def test_a_real_lock_in_a_closure_an_argument_or_an_object_is_named_too():
    lock = threading.Lock()

    def closed(event):
        with lock:
            yield event.set()

    def given(event, guard):
        guard.acquire()
        yield event.set()

    with pytest.raises(ModelError, match=r"test_real_world\.py:\d+\): lock is .* model\.lock\(name\) instead"):
        explore(of(closed))
    with pytest.raises(ModelError, match=r"test_real_world\.py:\d+\): guard is .* model\.lock\(name\) instead"):
        explore(of(given, lock))
    model = Model("object")
    model.process("user", Server(model.event("event")).run, None)
    with pytest.raises(ModelError, match=r"self\.guard is .* model\.rlock\(name\) instead"):
        explore(model)


def test_a_task_is_read_when_it_is_submitted():
    model = Model("task")
    pool = model.thread_pool("pool", 1)

    def main():
        yield pool.submit(sleeps, model.event("event"))

    model.process("main", main)
    with pytest.raises(ModelError, match=r"time\.sleep is of the real world"):
        explore(model)


def test_what_only_looks_like_it_is_no_mistake():
    real = type("Clock", (), {"sleep": staticmethod(lambda seconds: seconds)})()

    def user(event):
        if event is None:
            time.sleep(0)
        yield sleep(real.sleep(0.1))
        yield event.set()

    with pytest.raises(ModelError, match="of the real world"):  # it is read, not run
        explore(of(user))

    def other(event):
        yield sleep(real.sleep(0.1))
        yield event.set()

    assert explore(of(other)).verdict is Verdict.HOLDS


# ---- a loop that yields nothing ------------------------------------------------------------------------------


def spins(event):
    yield event.set()
    while True:
        pass


def spins_at_once(event):
    while event is not None:
        pass
    yield event.set()


def spins_on_a_flag(event):
    yield event.set()
    ready = False
    count = 0
    while not ready:
        count += 1


def spins_in_a_helper(event):
    def until(limit):
        number = 0
        while number != limit:
            number += 2
        return number

    yield event.set()
    until(3)


def spins_over_numbers(event):
    yield event.set()
    for number in itertools.count():
        if number < 0:
            break


def catches_everything(event):
    yield event.set()
    while True:
        with suppress(Exception):
            event.name.upper()


def no_generator(event):
    while True:
        pass


ENDLESS = [spins, spins_at_once, spins_on_a_flag, spins_in_a_helper, spins_over_numbers, catches_everything]


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(endless, "MOST_LINES", 3_000)


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
@pytest.mark.parametrize("body", [*ENDLESS, no_generator])
def test_a_loop_without_a_yield_is_named_with_its_line(soon, body, driver):
    if driver is DRIVERS["machine"] and body not in (spins_at_once, no_generator):
        driver = explore  # a machine that was only made takes no step
    with pytest.raises(ModelError, match=r"^user \(test_real_world\.py:\d+ in \w+\): it has run 3,000 lines without"):
        driver(of(body))


def long_work(event):
    total = 0
    while total < 500:
        total += 1
    yield event.set()
    yield event.clear()
    return added(total)


def added(total):
    for number in range(5_000):
        total += number
    return total


def test_work_that_ends_is_no_mistake_however_long(soon):
    assert explore(of(long_work)).verdict is Verdict.HOLDS
    assert execute(of(long_work)).status == "completed"


def waits_in_turn(event):
    while True:
        yield event.set()
        yield from (event.clear() for _ in range(2))


def returns_in_time(event):
    while (yield event.is_set()):
        for _ in range(3):
            yield event.clear()


def test_only_what_may_go_on_by_itself_is_counted():
    assert [may_go_on(body.__code__) for body in ENDLESS if body is not spins_in_a_helper] == [True] * 5
    assert not any(may_go_on(body.__code__) for body in (waits_in_turn, returns_in_time, sleeps, Server.run))


def test_whoever_traces_goes_on_to_trace(soon):
    seen = []

    def trace(frame, event, arg):
        seen.append(event)

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with pytest.raises(ModelError):
            explore(of(spins))
        assert sys.gettrace() is trace
    finally:
        sys.settrace(before)


def test_what_waits_is_named_where_it_is_the_default_of_an_argument_too():
    def one(event, pause=time.sleep):
        pause(0)
        yield event.set()

    def two(event, *, guard=threading.Lock()):  # noqa: B008
        guard.acquire()
        yield event.set()

    def three(pause=time.sleep):
        yield pause.set()

    for body, told in ((one, "pause"), (two, "guard")):
        with pytest.raises(ModelError, match=rf"{told} is of the real world"):
            explore(of(body))
    model = Model("given")
    model.process("user", three, model.event("event"))
    assert explore(model).verdict is Verdict.HOLDS


def test_a_real_lock_that_an_object_of_the_model_holds_is_named_too():
    model = Model("held")
    event = model.event("event")
    event.guard = threading.Lock()

    def user():
        event.guard.acquire()
        yield event.set()

    model.process("user", user)
    with pytest.raises(ModelError, match=r"event\.guard is of the real world.* model\.lock\(name\) instead"):
        explore(model)
