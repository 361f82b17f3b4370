"""A run in which very many tasks wait is the run that it would be if each of its queues were interned."""

import pytest
from simulated import shown

from simcore import Model
from simcore.kernel import Points, long_queues, tasks
from simcore.simulate import exponential, simulate


def clients(number, ask, workers=2, more=()):
    """Build so many clients of one pool, each of which does ``ask(pool, i)``."""
    model = Model("clients")
    pool = model.thread_pool("pool", workers)
    for i in range(number):
        model.process(f"client[{i}]", ask, pool, i)
    for name, fn in more:
        model.process(name, fn, pool)
    return model


def serve(*what):
    yield from ()
    return len(what)


def waits(pool, i):
    return (yield (yield pool.submit(serve, i)).result())


def leaves(pool, i):
    yield pool.submit(serve, i)


def gives_up(pool, i):
    try:
        return (yield (yield pool.submit(serve, i)).result(timeout=0.05 * i))
    except TimeoutError:
        return "gave up"


def sets_it_by_hand(pool, i):
    future = yield pool.submit(serve, i)
    if i % 3 == 0:
        yield future.set_result("by hand")
    return (yield future.result())


def passes_a_future_on(pool, i):
    first = yield pool.submit(serve, i)
    second = yield pool.submit(asks, first)
    del first  # from here on the queue alone holds it
    return (yield second.result())


def asks(future):
    return (yield future.result())


def shuts_down(pool):
    yield pool.shutdown(wait=False)


def cannot_be_compared(pool, i):
    def inner():
        yield from ()
        return iter_of_what

    iter_of_what = memoryview(b"") if i == 20 else i
    yield pool.submit(inner)


@pytest.mark.some(4)
@pytest.mark.parametrize(
    "ask",
    [waits, leaves, gives_up, sets_it_by_hand, passes_a_future_on, cannot_be_compared],
    ids=lambda fn: fn.__name__,
)
@pytest.mark.parametrize("more", [(), [("end", shuts_down)]], ids=["open", "shut"])
@pytest.mark.parametrize("limit", [None, 60])
def test_a_long_queue_is_as_any_other(ask, more, limit, monkeypatch):
    told = []
    for long in (3, 10**9):
        monkeypatch.setattr(long_queues, "LONG", long)
        latency = {"serve": exponential(0.3), "pool.submit": exponential(0.1)}
        told.append(shown(clients(24, ask, more=more), seed=4, latency=latency, max_steps=limit))
    assert told[0] == told[1]


def test_a_task_is_looked_at_as_often_however_many_wait(monkeypatch):
    monkeypatch.setattr(long_queues, "LONG", 8)
    asked, parts, learned, both = [], tasks.parts, [], Points._both
    monkeypatch.setattr(tasks, "parts", lambda task: asked.append(0) or parts(task))
    monkeypatch.setattr(Points, "_both", lambda *args: learned.append(0) or both(*args))
    counts = []
    for number in (100, 200):
        asked.clear()
        learned.clear()
        assert simulate(clients(number, waits), latency={"serve": 1.0}).status == "completed"
        counts.append((len(asked) / number, len(learned) / number))
    assert counts[1][0] < 1.2 * counts[0][0]
    assert counts[1][1] < 1.2 * counts[0][1]


def test_queues_that_are_gone_are_not_kept(monkeypatch):
    monkeypatch.setattr(long_queues, "LONG", 4)
    run = simulate(clients(60, waits), latency={"serve": 1.0})
    assert max(len(value.tasks) for value in run.kernel.values if hasattr(value, "tasks")) <= 4
