"""A notification that comes after time-outs and before the lock is free: the model, `execute` and `threading` agree."""

from __future__ import annotations

import threading
import time

import pytest

from simcore import Model, execute, sleep
from simcore.kernel import Kernel

SHORT, BUSY = 0.05, 0.2


def busy_notifier(limited, n) -> Model:
    """Waiters come in order, some with a limit; whoever notifies ``n`` of them has held the lock for longer than that.

    At the end the lock is free, and who is still waiting is notified.
    """
    model = Model("busy notifier")
    condition = model.condition("condition", model.lock("lock"))
    came = [model.event(f"{number} waits") for number in range(len(limited))]

    def wait(number, limit):
        if number:
            yield came[number - 1].wait()
        yield condition.acquire()
        yield came[number].set()
        result = yield condition.wait(limit)
        yield condition.release()
        return result

    def notify():
        yield came[-1].wait()
        yield condition.acquire()
        yield sleep(BUSY)
        yield condition.notify(n)
        yield condition.release()

    for number, limit in enumerate(limited):
        model.process(f"w{number}", wait, number, SHORT if limit else None, daemon=True)
    model.process("notifier", notify)
    return model


def in_the_model(limited, n):
    """Return what each waiter has got when nothing moves any more, in all ways to get there with exact clocks."""
    kernel = Kernel(busy_notifier(limited, n), "in_order")
    seen, stack, ends = {kernel.initial}, [kernel.initial], set()
    while stack:
        state = stack.pop()
        choices = kernel.successors(state)
        if not choices:
            view = kernel.view(state)
            ends.add(tuple(view.process(f"w{number}").result for number in range(len(limited))))
        for choice in choices:
            if choice.state not in seen:
                seen.add(choice.state)
                stack.append(choice.state)
    return ends


def by_threading(limited, n):
    """Return what each waiter gets of `threading.Condition`."""
    condition, results = threading.Condition(threading.Lock()), [None] * len(limited)
    came = [threading.Event() for _ in limited]

    def wait(number, limit):
        if number:
            came[number - 1].wait()
        with condition:
            came[number].set()
            results[number] = condition.wait(limit)

    threads = [threading.Thread(target=wait, args=(i, SHORT if limit else None)) for i, limit in enumerate(limited)]
    for thread in threads:
        thread.start()
    came[-1].wait()
    with condition:
        time.sleep(BUSY)
        condition.notify(n)
    there = None
    while there is None:  # who has come back from his wait has a result, and is not among those who wait any more
        time.sleep(SHORT)
        with condition:
            if results.count(None) == len(condition._waiters):
                there = tuple(results)
                condition.notify_all()
    for thread in threads:
        thread.join()
    return there


SCRIPTS = [((True, False), 1), ((False, True), 1), ((True, False, False), 2), ((True, True, False), 1), ((False,), 1)]


@pytest.mark.parametrize(("limited", "n"), SCRIPTS)
def test_a_notification_is_spent_on_who_came_first_in_time_or_not(limited, n):
    assert in_the_model(limited, n) == {by_threading(limited, n)}


@pytest.mark.some(2)
@pytest.mark.parametrize(("limited", "n"), SCRIPTS)
def test_execute_does_what_threading_does_and_the_model_explains_it(limited, n):
    run = execute(busy_notifier(limited, n), max_seconds=5)
    assert run.explained, run.unexplained
    got = tuple(run.results.get(f"w{number}") for number in range(len(limited)))
    expected = by_threading(limited, n)
    assert all(one == other for one, other in zip(got, expected, strict=True) if one is not None)


def test_who_was_notified_in_time_and_never_gets_the_lock_is_stuck_and_not_timed():
    model = Model("kept")
    condition, waits = model.condition("condition", model.lock("lock")), model.event("waits")

    def wait():
        yield condition.acquire()
        yield waits.set()
        yield condition.wait(30)

    def keep():
        yield waits.wait()
        yield condition.acquire()
        yield condition.notify()

    model.process("waiter", wait)
    model.process("keeper", keep)
    run = execute(model, max_seconds=5)
    assert (run.status, run.explained) == ("stuck", True)
