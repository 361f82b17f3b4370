"""Locks of multiprocessing, at which threads meet: in its thread pools, and wherever somebody uses them so."""

import multiprocessing
import threading
from functools import partial
from multiprocessing.pool import ThreadPool

import pytest

from simcore import Verdict, control
from simcore.control import replay


def half(number):
    return number / 2


def maps_over_a_pool():
    with ThreadPool(2) as pool:
        assert pool.map(half, range(3)) == [0, 0.5, 1]
        assert pool.apply_async(half, (4,)).get(timeout=10) == 2


def waits_in_a_pool():
    with ThreadPool(1) as pool:
        pool.apply(lambda: pool.apply(half, (1,)))


def opposed(make, back=True):
    left, right = make(), make()

    def move(first, second):
        with first, second:
            pass

    threads = [
        threading.Thread(target=move, args=pair, name=name)
        for name, pair in (("there", (left, right)), ("back", (right, left) if back else (left, right)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


FORKED = multiprocessing.get_context("fork")  # elsewhere such a lock has a name, and a process that removes it
LOCKS = [FORKED.Lock, FORKED.RLock, partial(FORKED.Semaphore, 1)]


def test_a_thread_pool_of_multiprocessing_is_run(monkeypatch):
    monkeypatch.setattr(multiprocessing.context._default_context, "_actual_context", FORKED)
    result = control(maps_over_a_pool, schedules=10)
    assert (result.verdict, result.violation) == (Verdict.UNDETERMINED, None), str(result)
    assert control(waits_in_a_pool, schedules=3, max_steps=3_000).violation is not None


@pytest.mark.some(3)
@pytest.mark.parametrize("make", LOCKS)
def test_two_that_are_taken_in_opposed_order_hang(make):
    result = control(partial(opposed, make), schedules=50)
    assert result.violation.kind == "deadlock"
    assert result.violation.wait_for.stuck
    if make is not LOCKS[-1]:
        told = " ".join(" ".join(result.violation.wait_for.explain()).split())
        assert "there waits for the lock of right, held by back" in told
        assert "back waits for the lock of left, held by there" in told
    assert control(partial(opposed, make, back=False), schedules=20).violation is None


def test_one_is_taken_again_by_who_has_it_and_with_a_limit_by_nobody_else():
    def body():
        lock = FORKED.RLock()
        with lock, lock:
            seen = []
            other = threading.Thread(target=lambda: seen.append((lock.acquire(timeout=5), lock.acquire(block=False))))
            other.start()
            other.join()
            assert seen == [(False, False)]
        assert lock.acquire(block=False)

    assert control(body, schedules=5).violation is None


def test_a_permit_may_be_given_by_another_thread_than_took_one():
    def body():
        given = FORKED.Semaphore(0)
        other = threading.Thread(target=given.release)
        other.start()
        assert given.acquire()
        other.join()

    assert control(body, schedules=10).violation is None


def test_whoever_waits_for_one_that_nobody_gives_hangs_and_the_token_says_it_again():
    violation = control(never_given, schedules=2).violation
    assert violation.kind == "deadlock"
    assert replay(violation.token).violation.steps == violation.steps


def never_given():
    FORKED.Semaphore(0).acquire()
