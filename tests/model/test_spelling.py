"""A call is told as its author wrote it."""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import pytest

from simcore import Model, choose, sleep
from simcore.model.spelling import in_one_order, plain, shown, text_of


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


class Pair(NamedTuple):
    left: object
    right: object


@dataclass(frozen=True)
class Held:
    inside: object


@pytest.mark.parametrize(
    "value",
    [
        None,
        ("a", 1),
        (1,),
        frozenset(),
        frozenset({1}),
        {"a"},
        Pair(frozenset({1}), 2),
        Held(("a", frozenset({2}))),
        (Held("a"), Pair((), set())),
    ],
    ids=repr,
)
def test_what_has_one_order_is_told_as_python_tells_it(value):
    assert in_one_order(value) == repr(value)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda items: items, "frozenset({0, 16, 8})"),
        (set, "{0, 16, 8}"),
        (lambda items: (items, 1), "(frozenset({0, 16, 8}), 1)"),
        (lambda items: Pair(items, ()), "Pair(left=frozenset({0, 16, 8}), right=())"),
        (lambda items: Held((items,)), "Held(inside=(frozenset({0, 16, 8}),))"),
        (lambda items: frozenset({items, 2}), "frozenset({2, frozenset({0, 16, 8})})"),
    ],
)
def test_a_set_is_told_in_the_order_of_its_texts_however_it_came_about(make, text):
    """The hashes of 0, 8 and 16 fall on one slot, so who comes first is who was put in first."""
    one, other = frozenset([0, 8, 16]), frozenset([16, 8, 0])
    assert list(one) != list(other)
    assert in_one_order(make(one)) == in_one_order(make(other)) == text
    assert plain(make(one)) == plain(make(other))
    assert text_of(make(one)) == text


class Told(Held):
    def __str__(self):
        return f"it holds {len(self.inside)}"


def test_a_class_that_has_words_of_its_own_is_asked_for_them():
    assert text_of(Told(frozenset({1, 2}))) == plain(Told(frozenset({1, 2}))) == "it holds 2"
