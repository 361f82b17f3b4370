"""Every object does in a real run of one process what its model says."""

from __future__ import annotations

import queue
from concurrent.futures import InvalidStateError

from real_runs import alone, caught

from simcore import choose, sleep

# ---- objects, one process ------------------------------------------------------------------------------


def test_a_lock_is_taken_tried_and_released():
    def p(lock):
        seen = ((yield lock.acquire()), (yield lock.acquire(False)), (yield lock.acquire(timeout=0.01)))
        locked = yield lock.locked()
        yield lock.release()
        return (*seen, locked, (yield lock.locked()))

    assert alone(p, lock=("lock",)) == (True, False, False, True, False)


def test_releasing_a_free_lock_raises_what_threading_raises():
    def p(lock, rlock):
        return ((yield from caught(lock.release())), (yield from caught(rlock.release())))

    assert alone(p, lock=("lock",), rlock=("rlock",)) == (
        (RuntimeError, ("release unlocked lock",)),
        (RuntimeError, ("cannot release un-acquired lock",)),
    )


def test_a_reentrant_lock_counts():
    def p(lock):
        yield lock.acquire()
        yield lock.acquire()
        yield lock.release()
        held = yield lock.locked()
        yield lock.release()
        return held, (yield lock.locked())

    assert alone(p, lock=("rlock",)) == (True, False)


def test_an_event_is_waited_for_set_and_cleared():
    def p(event):
        late = yield event.wait(0.01)
        yield event.set()
        seen = (yield event.wait()), (yield event.is_set())
        yield event.clear()
        return late, *seen, (yield event.is_set())

    assert alone(p, event=("event",)) == (False, True, True, False)


def test_a_semaphore_gives_its_permits():
    def p(semaphore):
        got = (yield semaphore.acquire()), (yield semaphore.acquire(False)), (yield semaphore.acquire(timeout=0.01))
        yield semaphore.release(2)
        return *got, (yield semaphore.acquire())

    assert alone(p, semaphore=("semaphore", 1)) == (True, False, False, True)


def test_a_queue_is_full_and_empty_as_in_the_standard_library():
    def p(queue):
        empty = yield from caught(queue.get(timeout=0.01))
        yield queue.put("a")
        full = yield from caught(queue.put("b", False))
        late = yield from caught(queue.put("b", timeout=0.01))
        size = yield queue.qsize()
        return empty, full, late, size, (yield queue.get()), (yield from caught(queue.get(False)))

    expected = ((queue.Empty, ()), (queue.Full, ()), (queue.Full, ()), 1, "a", (queue.Empty, ()))
    assert alone(p, queue=("queue", 1)) == expected


def test_a_future_is_set_once():
    def p(future, failed):
        early = (yield future.done()), (yield from caught(future.result(0.01)))
        yield future.set_result(7)
        twice = yield from caught(future.set_result(8))
        yield failed.set_exception(ValueError("no"))
        error = (yield failed.exception()), (yield from caught(failed.result()))
        return early, twice, (yield future.result()), (yield future.exception()), error

    assert alone(p, future=("future",), failed=("future",)) == (
        (False, (TimeoutError, ())),
        (InvalidStateError, ("future is set already",)),
        7,
        None,
        (ValueError, (ValueError, ("no",))),
    )


def test_a_condition_without_its_lock_is_refused():
    def p(condition):
        return (yield from caught(condition.wait())), (yield from caught(condition.notify()))

    assert alone(p, condition=("condition",)) == (
        (RuntimeError, ("cannot wait on un-acquired lock",)),
        (RuntimeError, ("cannot notify on un-acquired lock",)),
    )


def test_a_condition_times_out_and_holds_its_lock_again():
    def p(condition):
        yield condition.acquire()
        yield condition.acquire()
        late = yield condition.wait(0.01)
        yield condition.release()
        yield condition.release()
        return late, (yield from caught(condition.release()))

    assert alone(p, condition=("condition",)) == (False, (RuntimeError, ("cannot release un-acquired lock",)))


def test_a_variable_is_read_changed_and_waited_for():
    def p(variable):
        yield variable.set(1)
        new = yield variable.update(lambda value: value + 1)
        late = yield variable.wait_for(lambda value: value > 5, timeout=0.01)
        first = yield variable.transition(lambda value: [(value + 1, "a"), (value, "b")])
        return new, late, first, (yield variable.get())

    assert alone(p, variable=("variable", 0)) == (2, None, "a", 3)


def test_sleep_takes_its_time_and_choose_takes_its_first_option():
    def p():
        yield sleep(0.02)
        return (yield choose("a", "b"))

    assert alone(p) == "a"


def test_a_pool_runs_tasks_and_hands_over_results_and_exceptions():
    def task(n):
        yield sleep(0.001)
        if n > 1:
            raise ValueError(n)
        return n

    def p(pool):
        good = yield pool.submit(task, 1)
        bad = yield pool.submit(task, 2)
        return (yield good.result()), (yield from caught(bad.result()))

    assert alone(p, pool=("thread_pool", 2)) == (1, (ValueError, (2,)))


def test_a_pool_that_is_shut_down_ends_its_queue_and_refuses_submits():
    def task():
        yield sleep(0.001)
        return "done"

    def p(pool):
        first, second = (yield pool.submit(task)), (yield pool.submit(task))
        yield pool.shutdown()
        refused = yield from caught(pool.submit(task))
        return (yield first.done()), (yield second.result()), refused

    refused = (RuntimeError, ("cannot schedule new futures after shutdown",))
    assert alone(p, pool=("thread_pool", 1)) == (True, "done", refused)


def test_a_worker_cannot_wait_for_its_own_pool_to_shut_down():
    def task(pool):
        return (yield from caught(pool.shutdown()))

    def p(pool):
        future = yield pool.submit(task, pool)
        return (yield future.result())

    assert alone(p, pool=("thread_pool", 2)) == (RuntimeError, ("cannot join current thread",))


def test_a_link_ends_after_what_was_in_flight():
    def p(link):
        yield link.send("a")
        yield link.close()
        closed = yield from caught(link.send("b"))
        return closed, (yield link.recv()), (yield from caught(link.recv()))

    assert alone(p, link=("link", 2)) == ((OSError, ("handle is closed",)), "a", (EOFError, ()))


def test_a_link_whose_receiver_has_gone_is_broken():
    def p(link):
        yield link.send("a")
        yield link.close("recv")
        broken = yield from caught(link.send("b"))
        return broken, (yield from caught(link.recv()))

    assert alone(p, link=("link", 2)) == (
        (BrokenPipeError, ("the receiving end is closed",)),
        (OSError, ("handle is closed",)),
    )


def test_a_reset_loses_what_is_in_flight():
    def p(link):
        yield link.send("a")
        yield link.reset()
        return (yield from caught(link.recv())), (yield from caught(link.send("b")))

    reset = (ConnectionResetError, ("connection reset by peer",))
    assert alone(p, link=("link", 2)) == (reset, reset)


def test_a_link_gives_up_in_time():
    def p(link):
        empty = yield from caught(link.recv(0.01))
        yield link.send("a")
        return empty, (yield from caught(link.send("b", 0.01))), (yield link.recv(0))

    late = (TimeoutError, ("timed out",))
    assert alone(p, link=("link", 1)) == (late, late, "a")


def test_a_link_holds_all_of_a_large_capacity_without_a_receiver():
    def p(link):
        for _ in range(20):
            yield link.send(b"x" * 100_000)
        total = 0
        for _ in range(20):
            total += len((yield link.recv()))
        return total

    assert alone(p, link=("link", 20)) == 2_000_000
