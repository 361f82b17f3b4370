"""What a run asks grows with the number of its processes, and not with its square."""

import pytest

from simcore import Model
from simcore.kernel import OneRun
from simcore.model.objects import Lock, Queue
from simcore.simulate import exponential, simulate


def waiting_for_a_lock(number):
    model = Model("many wait for a lock")
    lock = model.lock("lock")

    def client():
        yield lock.acquire()
        yield lock.release()

    for name in model.indices("client", number):
        model.process(name, client)
    return model


def waiting_for_a_place(number):
    model = Model("many wait for a place")
    desk = model.queue("desk", 1)

    def client(name):
        yield desk.put(name)

    def server():
        while True:
            yield desk.get()

    for name in model.indices("client", number):
        model.process(name, client, name)
    model.process("server", server, daemon=True)
    return model


@pytest.mark.parametrize(
    ("make", "kind", "does", "slow"),
    [(waiting_for_a_lock, Lock, "do_acquire", "lock.release"), (waiting_for_a_place, Queue, "do_put", "desk.get")],
)
def test_of_those_who_wait_for_the_same_one_is_asked(make, kind, does, slow, monkeypatch):
    asked, do = [], getattr(kind, does)
    monkeypatch.setattr(kind, does, lambda self, *args: asked.append(0) or do(self, *args))
    counts = []
    for number in (50, 100):
        asked.clear()
        assert simulate(make(number), latency={slow: 1.0}).status == "completed"
        counts.append(len(asked))
    assert counts[1] < 2.5 * counts[0]


def test_a_worker_is_asked_about_its_own_task_alone(monkeypatch):
    asked, own = [], OneRun.process_state
    monkeypatch.setattr(OneRun, "rests", lambda *_: asked.append(0) or False)
    monkeypatch.setattr(OneRun, "process_state", lambda *args: asked.append(0) or own(*args))

    def clients(workers):
        model = Model("a large pool")
        pool = model.thread_pool("pool", workers)

        def serve():
            yield from ()

        def client():
            for _ in range(10):
                yield (yield pool.submit(serve)).result()

        model.process("client", client)
        return model

    counts = []
    for workers in (20, 40):
        asked.clear()
        assert simulate(clients(workers), latency={"serve": exponential(1.0)}).status == "completed"
        counts.append(len(asked))
    assert counts[1] - counts[0] <= 2 * 20  # each once more, when the run begins


def test_who_began_to_wait_first_is_served_first_whatever_he_waits_with():
    model = Model("one desk")
    desk, order = model.queue("desk", 1), model.queue("order")

    def client(number):
        yield desk.put(number, timeout=1000.0 + number % 2)  # two groups of waiters, in turn

    def server():
        for _ in range(8):
            yield order.put((yield desk.get()))

    for number in range(8):
        model.process(f"client[{number}]", client, number)
    model.process("server", server)
    load = {f"client[{number}]": 0.01 * (number + 1) for number in range(8)}
    run = simulate(model, load=load, latency={"desk.get": 5.0})
    assert run.state["order"] == tuple(range(8))
