"""A process that is run on takes the steps that it would take, and what is wrong with it is told in the same words."""

import threading
import time

import pytest
from simulated import shown

from simcore import Model, ModelError, choose, sleep
from simcore.kernel import OneRun, Points, one_run
from simcore.models import callback_starvation, head_of_line_stall, pool_starvation, rxtask_self_deadlock
from simcore.simulate import endless, exponential, simulate

SEEN = []


def both(make, monkeypatch, **options):
    """Return what is told of a run in which nobody is run on, after it was told of one where all are that can be."""
    told = []
    for depth in (1, 10**9):
        monkeypatch.setattr(one_run, "DEPTH", depth)
        told.append(shown(make(), **options))
    return told


def of(body, n=60, bodies=2):
    """Build a model in which some processes run ``body``, who put into a queue that is emptied."""

    def make():
        model = Model(body.__name__)
        queue = model.queue("queue", 4)

        def empty():
            while True:
                yield queue.get()

        for number in range(bodies):
            model.process(f"p{number}", body, queue, n)
        model.process("empty", empty, daemon=True)
        return model

    return make


def counts(queue, n):
    for _ in range(n):
        yield queue.put("item")
    return n


def puts_numbers(queue, n):
    total = 0
    for number in range(n):
        total += number
        yield queue.put((number % 3, f"{total}", number / 2, number % 2 == 0))
    return total


def passes_on(queue, n):
    for _ in range(n):
        got = yield queue.get()
        yield queue.put(got)


def gives_up(queue, n):
    for _ in range(n):
        yield sleep(0.5)
        yield queue.put("item", timeout=0.0)


def chooses(queue, n):
    turns = 0
    for _ in range(n):
        if (yield choose(True, False)):
            turns += 1
        yield queue.put(turns)


def fails(queue, n):
    for number in range(2 * n):
        yield queue.put(1 // (n - number))


def yields_none(queue, n):
    for number in range(2 * n):
        yield None if number == n else queue.put("item")


def forgets(queue, n):
    for number in range(2 * n):
        if number == n:
            queue.put("forgotten")
        yield queue.put("item")


def asks_an_operation(queue, n):
    for number in range(2 * n):
        if number == n and queue.put("never"):
            yield queue.put("more")
        yield queue.put("item")


def asks_what_there_is_not(queue, n):
    for number in range(2 * n):
        yield queue.put("item") if number < n else queue.nothing("item")


def might_yield_none(queue, n):
    for number in range(2 * n):
        good = number != n or (yield choose(True, True, False))
        yield queue.put("item") if good else None


def keeps_a_lock(queue, n):
    for number in range(2 * n):
        kept = threading.Lock() if number == n else None
        yield queue.put("item")
        del kept


def asks_a_clock(queue, n):
    for number in range(2 * n):
        at = time.perf_counter() if number >= n else 0
        yield queue.put("item")
        del at


def writes_outside(queue, n):
    for number in range(2 * n):
        if number >= n:
            SEEN.append(number)
        yield queue.put("item")


def nests(queue, n):
    inside = ()
    for number in range(50 * n):
        inside = (inside,)
        yield queue.put("item" if number < 50 * n - 1 else inside)


BODIES = [counts, puts_numbers, passes_on, gives_up, chooses, fails]
MISTAKES = [
    yields_none,
    forgets,
    asks_an_operation,
    asks_what_there_is_not,
    might_yield_none,
    keeps_a_lock,
    asks_a_clock,
    writes_outside,
]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("slow", [False, True])
def test_a_run_is_the_same_whether_anybody_is_run_on(body, slow, monkeypatch):
    latency = {"queue.put": exponential(1.0), "queue.get": exponential(0.9)} if slow else {}
    on, off = both(of(body), monkeypatch, seed=3, latency=latency, max_steps=160)
    assert on == off
    assert not isinstance(on, str)


@pytest.mark.parametrize("body", MISTAKES)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_mistake_is_told_in_the_same_words(body, seed, monkeypatch):
    SEEN.clear()
    on, off = both(of(body), monkeypatch, seed=seed)
    assert on == off
    assert on.startswith(("ModelError: ", "NondeterminismError: "))


@pytest.mark.parametrize("max_steps", [2_500, None])
def test_what_is_nested_too_deeply_is_told_when_it_is_compared(max_steps, monkeypatch):
    monkeypatch.setattr(one_run, "DEPTH", 1)
    with pytest.raises(ModelError, match=r"^p0 \(nests .*nested too deeply to be compared"):
        simulate(of(nests, bodies=1)(), max_steps=max_steps).state


@pytest.mark.parametrize(
    "make",
    [callback_starvation.buggy, head_of_line_stall.buggy, pool_starvation.fixed, rxtask_self_deadlock.fixed],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_models_run_as_they_ran(make, seed, monkeypatch):
    on, off = both(make, monkeypatch, seed=seed, max_steps=500)
    assert on == off


def test_a_schedule_is_replayed_by_who_is_run_on(monkeypatch):
    schedule = simulate(of(counts)(), seed=5, max_steps=120).schedule
    on, off = both(of(counts), monkeypatch, seed=6, schedule=schedule)
    assert on == off
    assert not isinstance(on, str)


def test_a_process_that_counts_learns_no_point_at_each_turn(monkeypatch):
    learned, gone_on = [], []
    both_runs, go_on = Points._both, OneRun._run_on
    monkeypatch.setattr(Points, "_both", lambda *args: learned.append(0) or both_runs(*args))
    monkeypatch.setattr(OneRun, "_run_on", lambda *args: gone_on.append(0) or go_on(*args))
    counted = []
    for turns in (200, 400):
        learned.clear()
        gone_on.clear()
        assert simulate(of(counts, turns)(), seed=2).status == "completed"
        counted.append((len(learned), len(gone_on)))
    assert counted[0][0] == counted[1][0]
    assert counted[1][1] - counted[0][1] == 2 * 200


def test_a_hang_of_the_others_is_found_beside_one_who_counts_for_ever(monkeypatch):
    def make():
        model = Model("hang beside a counter")
        lock, other = model.lock("lock"), model.lock("other")

        def take(first, second):
            yield first.acquire()
            yield sleep(1)
            yield second.acquire()

        def beat():
            turns = 0
            while True:
                turns += 1
                yield sleep(1)

        model.process("left", take, lock, other)
        model.process("right", take, other, lock)
        model.process("beat", beat, daemon=True)
        return model

    monkeypatch.setattr(endless, "_LOOK", 300)
    run = simulate(make(), max_steps=200)
    assert (run.status, run.hangs) == ("limit", True)
    assert run.answer == "others go on, but 2 of 2 processes can never move again"
    assert simulate(make()).status == "stuck"
