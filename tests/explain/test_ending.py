"""What is said to be certain was proved: who never moves again, what would break a knot, who is behind it."""

from __future__ import annotations

import pytest
import small
from hints import tried

from simcore import Model, Verdict, choose, explore, replay, simulate
from simcore.explain import ending as ending_module
from simcore.explain import graph_after
from simcore.explain import knot as knot_module
from simcore.kernel import Kernel
from simcore.properties import completes
from simcore.schedule import Schedule


def chained_pools(*, a: int = 1, b: int = 1) -> Model:
    """A's task waits for a task of B, which waits for one of A again."""
    model = Model("two pools")
    pool_a, pool_b = model.thread_pool("A", a), model.thread_pool("B", b)

    def last():
        yield from ()

    def middle():
        yield (yield pool_a.submit(last)).result()

    def first():
        yield (yield pool_b.submit(middle)).result()

    def main():
        yield (yield pool_a.submit(first)).result()

    model.process("main", main)
    return model


def a_pool_that_waits_for_more(*, workers: int = 1, depth: int = 1) -> Model:
    """Each task submits the next one and waits for it; the last one takes a lock that is never released."""
    model = Model("deep")
    pool, lock = model.thread_pool("pool", workers), model.lock("lock")

    def task(left):
        if left:
            yield (yield pool.submit(task, left - 1)).result()
        else:
            yield lock.acquire()
            yield lock.acquire()

    def main():
        yield (yield pool.submit(task, depth)).result()

    model.process("main", main)
    return model


def hint_of(model):
    return [line.strip() for line in explore(model).counterexample.wait_for.explain() if "tried: " in line]


def test_one_more_worker_is_advised_in_the_pool_where_it_helps_and_nowhere_else():
    assert hint_of(chained_pools()) == [tried("A", 1)]
    assert explore(chained_pools(a=2)).verdict is Verdict.HOLDS
    assert explore(chained_pools(b=2)).verdict is Verdict.VIOLATED


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_one_more_worker_is_not_advised_where_the_same_hang_goes_on(depth):
    for workers in range(1, depth + 1):
        model = a_pool_that_waits_for_more(workers=workers, depth=depth)
        assert hint_of(model) == [], (workers, depth)


@pytest.mark.parametrize("timeouts", ["when_stuck", "in_order", "anytime", "never"])
def test_one_more_worker_is_advised_whenever_clients_give_up(timeouts):
    def patient(workers):
        model = Model("patient")
        pool, permit = model.thread_pool("pool", workers), model.semaphore("permit", 1)

        def query():
            yield from ()

        def handle():
            yield permit.acquire()
            yield (yield pool.submit(query)).result()
            yield permit.release()

        def client():
            try:
                yield (yield pool.submit(handle)).result(timeout=5)
            except TimeoutError:
                return

        for name in model.indices("client", 2):
            model.process(name, client)
        return model

    lines = explore(patient(2), timeouts=timeouts).counterexample.wait_for.explain()
    assert f"  {tried('pool', 2)}" in lines
    assert explore(patient(3), timeouts=timeouts).verdict is Verdict.HOLDS


def test_what_is_not_known_is_not_counted_as_certain(monkeypatch):
    monkeypatch.setattr(knot_module, "_CONFIRM_STATES", 1)
    monkeypatch.setattr(ending_module, "out_of_reach", lambda *_: frozenset())
    found = explore(small.crossed(beating=True)).counterexample
    assert found.wait_for.headline.startswith("at least 1 of ")


def two_hangs() -> Model:
    """Two pairs of opposed locks: neither pair waits behind the other."""
    model = Model("two hangs")

    def take(first, second):
        yield first.acquire()
        yield second.acquire()

    for pair in "xy":
        a, b = model.lock(f"{pair} a"), model.lock(f"{pair} b")
        model.process(f"{pair} left", take, a, b)
        model.process(f"{pair} right", take, b, a)
    return model


def test_who_waits_for_others_is_not_said_to_wait_behind_the_knot():
    kernel = Kernel(two_hangs())
    order = {process.name: process.index for process in kernel.processes}
    graph = graph_after(kernel, [(order[name], 0) for name in ("x left", "x right", "y left", "y right")])
    assert len(graph.stuck) == 4
    assert graph.behind == []
    assert sum(line.startswith("stuck too: ") for line in graph.explain()) == 2


def test_who_waits_for_somebody_in_the_knot_waits_behind_it():
    model = small.crossed()
    lock = model.objects[1]

    def third():
        yield lock.acquire()
        yield lock.release()

    model.process("third", third)
    lines = explore(model).counterexample.wait_for.explain()
    assert lines[-1] == f"waiting behind it: third waits for {lock}, held by left"


def spinner_keeps_a_lock(timeout: float | None = None) -> Model:
    model = Model("a spinner keeps a lock")
    lock, flag = model.lock("lock"), model.event("flag")

    def spinner():
        yield lock.acquire()
        while not (yield flag.is_set() if timeout is None else flag.wait(timeout=timeout)):
            pass
        yield lock.release()

    def blocked():
        yield lock.acquire()
        yield flag.set()
        yield lock.release()

    model.process("spinner", spinner)
    model.process("blocked", blocked)
    return model


@pytest.mark.parametrize("timeout", [None, 0.1])
def test_a_hang_beside_one_who_goes_on_for_ever_is_told_alike_by_every_driver(timeout):
    model = spinner_keeps_a_lock(timeout=timeout)
    found = explore(model).counterexample
    line = "blocked waits for lock, held by spinner, which goes on and never releases it"
    assert found.wait_for.explain() == [line]
    run = simulate(spinner_keeps_a_lock(timeout=timeout), schedule=found.schedule)
    assert run.status == "stuck"
    assert run.wait_for.explain() == [line]
    assert str(replay(found.token, spinner_keeps_a_lock(timeout=timeout))) == str(found.state)


def test_a_notify_says_whom_it_wakes():
    model = Model("notify")
    ready = model.condition("ready")

    def wait():
        yield ready.acquire()
        yield ready.wait()
        yield ready.release()

    def notify():
        yield ready.acquire()
        yield ready.notify()
        yield ready.release()

    model.process("waiter", wait)
    model.process("notifier", notify)
    kernel = Kernel(model)

    def told(*order):
        names = [p.name for p in kernel.processes]
        schedule = Schedule.of(kernel, [(names.index(name), 0) for name in order])
        return [step.result for step in schedule.steps if step.text == "notifies ready"]

    assert told("waiter", "waiter", "notifier", "notifier") == ["wakes waiter"]
    assert told("notifier", "notifier") == ["wakes nobody"]


def one_busy() -> Model:
    model = Model("busy")
    lock = model.lock("lock")

    def busy():
        while True:
            yield lock.acquire()
            yield lock.release()

    def other():
        yield lock.acquire()
        yield lock.release()

    model.process("busy", busy, daemon=True)
    model.process("other", other)
    return model


def test_a_run_for_ever_names_who_takes_no_step_in_it():
    lines = explore(one_busy(), completes("other")).counterexample.lines()
    could = "other waits for lock: it could go on in 1 of the 2 states of that round, and another one is quicker"
    assert lines[:2] == [
        "left out for ever:",
        f"  {could}; a turn is promised only to who could in all of them (weak fairness)",
    ]


def test_the_point_of_no_return_tells_what_was_chosen():
    model = Model("chosen")
    never = model.event("never")

    def user():
        if (yield choose("lost", "found")) == "lost":
            yield never.wait()

    model.process("user", user)
    found = explore(model).counterexample
    assert found.no_return.describe(found.schedule).startswith("point of no return: step 1, user chooses -> lost; ")


@pytest.mark.parametrize("locks_first", [True, False])
def test_of_two_knots_of_one_size_that_is_told_in_which_all_is_held(locks_first):
    model = Model("two knots")
    pool, lock = model.thread_pool("pool", 1), model.lock("lock")

    def outer():
        inner = yield pool.submit(outer)
        yield inner.result()

    def twice():
        yield lock.acquire()
        yield lock.acquire()

    def submits():
        yield pool.submit(outer)

    for name, fn in sorted([("twice", twice), ("submits", submits)], reverse=locks_first):
        model.process(name, fn)
    run = simulate(model)
    assert run.status == "stuck"
    assert [edge.process.what for edge in run.wait_for.knot] == ["twice"]
