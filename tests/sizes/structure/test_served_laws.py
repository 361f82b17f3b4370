"""Servers that hand messages on: who waits in an inbox waits for who carries the answer, and exactly one does."""

import pytest
from compared_laws import compared, misread
from generated import SYSTEMS
from served import SIZES, served, some_sizes

from simcore import Model, Verdict, explore
from simcore.models import pool_starvation
from simcore.sizes.structure import prove


@pytest.mark.some(2)
@pytest.mark.parametrize(
    ("function", "given", "law"),
    [
        (pool_starvation.buggy, {"chunks": None}, "workers <= downloads"),
        (pool_starvation.buggy, {"chunks": 1}, "workers <= downloads"),
        (pool_starvation.fixed, {"chunks": 1}, "never"),
        (pool_starvation.fixed, {"chunks": None}, "never"),
        (pool_starvation.fixed, {"chunks": 1, "fix": False}, "workers <= downloads"),
    ],
)
def test_pool_starvation_has_its_law_before_and_after_the_fix(function, given, law):
    proved = prove(function, **dict.fromkeys(("downloads", "workers"), (1, 2)), **given)
    assert (proved.law, proved.refused) == (law, "")


def test_it_can_be_named_as_on_the_command_line():
    assert prove("pool_starvation:buggy", downloads=[1, 2], workers=[1, 2]).safe(downloads=128, workers=129)


def clients(
    *,
    n: int = 2,
    readers: int = 1,
    workers: int = 1,
    capacity: int | None = 1,
    inbox_capacity: int | None = None,
    unit: str = "frames",
    how: str = "answer",
) -> Model:
    """Clients send their names to a reader, which answers, or has a task answer, or does something wrong."""
    model = Model("clients and a reader")
    pool, lock = model.thread_pool("pool", workers), model.lock("lock")
    desk = model.link("desk", capacity or 9, unit=unit)
    names = model.indices("client", n)
    inbox = {name: model.queue(f"inbox of {name}", inbox_capacity) for name in names}

    def answer(name):
        yield lock.acquire()
        yield lock.release()
        if how != "never":
            yield inbox[name].put(0)
        if how == "twice":
            yield inbox[name].put(0)

    def read():
        held = None
        while True:
            name = yield desk.recv()
            if how == "task":
                yield pool.submit(answer, name)
            elif how == "keeps a lock":
                yield lock.acquire()
            elif how == "dies":
                raise ValueError(how)
            elif how == "the one before":
                if held is not None:
                    yield from answer(held)
                held = name
            else:
                yield from answer(name)

    def client(name):
        if how == "around":
            yield lock.acquire()
        yield desk.send(b"name" if unit == "bytes" else name)
        yield inbox[name].get()
        if how == "more":
            yield inbox[name].get()
        if how == "around":
            yield lock.release()

    def other():
        yield desk.send(names[0])

    for name in names:
        model.process(name, client, name)
    for number in range(readers):
        model.process(f"reader {number}", read, daemon=True)
    if how == "others":
        model.process("other", other)
    return model


@pytest.mark.parametrize("how", ["answer", "task"])
def test_an_answer_that_comes_is_waited_for(how):
    assert prove(clients, how=how, sizes=["n", "workers", "capacity"]).law == "never"
    assert explore(clients(how=how)).verdict is Verdict.HOLDS


def test_a_lock_around_the_wait_that_the_reader_wants_is_a_hang():
    assert prove(clients, how="around", sizes=["n"]).law == "always"
    assert explore(clients(how="around")).verdict is Verdict.VIOLATED


@pytest.mark.parametrize(
    ("given", "told", "hangs"),
    [
        ({"how": "never"}, "waits for what it has not asked for", True),
        ({"how": "twice"}, "it has answered, or handed that on, before", False),
        ({"how": "more"}, "waits for what it has not asked for", True),
        ({"how": "others"}, "other puts into inbox of client[0], or has it done, and does not wait there", False),
        ({"how": "keeps a lock"}, "reader 0 ends and keeps lock, which nobody gives back", True),
        ({"how": "dies"}, ": ends, or dies, and what is sent to it", True),
        ({"how": "the one before"}, "may put into inbox of client[0], inbox of client[1]", True),
        ({"readers": 2}, "reader 1, read (test_served_laws.py:", False),
        ({"readers": 0}, "may wait for a place in desk, which no server empties", True),
        ({"inbox_capacity": 1}, "may wait for a place in inbox of client[0]", False),
        ({"unit": "bytes", "how": "keeps a lock"}, "capacity is in bytes", None),
    ],
)
def test_a_server_that_is_not_understood_is_refused(given, told, hangs):
    assert told in prove(clients, n=2, workers=1, capacity=9, **{"readers": 1, **given}).refused
    if hangs is not None:
        verdict = explore(clients(**given)).verdict
        assert (verdict is Verdict.VIOLATED) is hangs


def both_ways(*, n: int = 2, there: int = 1, back: int = 1) -> Model:
    """Two readers send to each other over bounded links, so both can wait for a place that only the other one makes."""
    model = Model("readers that send to each other")
    out, home = model.link("out", there), model.link("home", back)
    names = model.indices("client", n)
    inbox = {name: model.queue(f"inbox of {name}") for name in names}

    def near():
        while True:
            again, name = yield out.recv()
            if again:
                yield inbox[name].put(0)
            else:
                yield home.send(name)

    def far():
        while True:
            name = yield home.recv()
            yield out.send((True, name))

    def client(name):
        yield out.send((False, name))
        yield inbox[name].get()

    for name in names:
        model.process(name, client, name)
    model.process("near", near, daemon=True)
    model.process("far", far, daemon=True)
    return model


def test_readers_that_send_to_each_other_hang_when_both_links_and_both_hands_are_full():
    """One message in each hand, and as many as the links hold."""
    proved = prove(both_ways)
    assert proved.law == "back + there <= n - 2"
    for n, there, back in ((2, 1, 1), (3, 1, 1), (4, 1, 1), (4, 2, 1)):
        safe = proved.safe(n=n, there=there, back=back)
        verdict = explore(both_ways(n=n, there=there, back=back)).verdict
        assert verdict is (Verdict.HOLDS if safe else Verdict.VIOLATED)


def systems(seeds, number):
    return [(seed, SIZES, some_sizes(seed, number)) for seed in seeds]


@pytest.mark.some(4)
@pytest.mark.parametrize("first", range(3, 15, 3))
def test_no_system_with_servers_that_is_said_to_be_safe_hangs(first):
    seen, wrong = compared(served, systems(range(first, first + 3), 1))
    assert not wrong
    assert seen[True, Verdict.HOLDS] >= 1
    assert seen[False, Verdict.VIOLATED] >= 1


@pytest.mark.slow
@pytest.mark.parametrize("first", range(3000, 3000 + SYSTEMS // 8, 25))
def test_none_of_many_with_servers_that_is_said_to_be_safe_hangs(first):
    """A thousand of them: SIMCORE_SYSTEMS=8000."""
    seen, wrong = compared(served, systems(range(first, first + 25), 4))
    assert not wrong
    assert seen[False, Verdict.VIOLATED] > 12


HANG = (36,)
"""Seeds of systems in which a client waits for its answer with something in its hands that who carries that needs."""


@pytest.mark.parametrize("change", [{"mail": ""}, {"carries": ""}])
def test_a_wait_for_an_answer_that_is_lost_is_seen(monkeypatch, change):
    misread(monkeypatch, **change)
    assert compared(served, systems(HANG, 2))[1]


def test_a_right_reading_of_the_same_servers_is_not_wrong():
    assert not compared(served, systems(HANG, 2))[1]
