"""A call is told as its author wrote it."""

from functools import partial

import pytest

from simcore import Model, choose, sleep
from simcore.model.spelling import plain, shown


def add(*args):
    return sum(args)


def task(*args):
    yield from args


def calls():
    """Return each call as text, with what it is evaluated in."""
    model = Model("calls")
    things = {
        "queue": model.queue("queue"),
        "pool": model.thread_pool("pool", 1),
        "lock": model.lock("lock"),
        "condition": model.condition("condition"),
        "semaphore": model.semaphore("semaphore", 1),
        "event": model.event("event"),
        "future": model.future("future"),
        "link": model.link("link", 1),
        "variable": model.variable("variable", 0),
        "task": task,
        "add": add,
        "choose": choose,
        "sleep": sleep,
    }
    texts = (
        "queue.get()",
        "queue.get(False)",
        "queue.put(1)",
        "queue.put((1, 2))",
        "queue.put(1, False)",
        "queue.qsize()",
        "pool.submit(task)",
        "pool.submit(task, 1, (2, 3))",
        "pool.submit(task, '')",
        "pool.shutdown()",
        "pool.shutdown(False)",
        "lock.acquire()",
        "lock.acquire(False)",
        "condition.wait()",
        "condition.wait(3)",
        "condition.notify()",
        "condition.notify(2)",
        "semaphore.acquire()",
        "semaphore.release()",
        "semaphore.release(2)",
        "event.wait()",
        "future.result()",
        "future.set_result(1)",
        "link.send(())",
        "link.recv()",
        "link.close()",
        "variable.get()",
        "variable.update(add, 1)",
        "variable.wait_for(add)",
        "choose(1, 2)",
        "sleep(2.5)",
    )
    return [(text, things) for text in texts]


@pytest.mark.parametrize(("text", "things"), calls())
def test_an_operation_is_told_as_it_was_written(text, things):
    assert str(eval(text, things)) == text


def test_of_a_long_value_the_beginning_is_told_and_how_much_there_is():
    assert shown(b"ab" * 500) == "b'" + "ab" * 12 + "a'... (1,000 bytes)"
    assert shown("x" * 101) == "x" * 25 + "... (101 characters)"
    assert shown(("x" * 100, 1)) == "x" * 100 + ", 1"


@pytest.mark.parametrize(
    "make",
    [object, lambda: partial(task, lambda: 1), lambda: [task, object()]],
    ids=["object", "partial", "list"],
)
def test_what_has_no_name_is_told_without_its_address(make):
    one, other = make(), make()
    assert one is not other
    assert plain(one) == plain(other) == shown(one)


def test_a_text_is_told_as_it_is():
    assert plain("fails at 0x1f") == "fails at 0x1f"
