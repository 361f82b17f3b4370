"""What a plain function may hold, and what it may not; what it can get at."""

import threading
import time

import pytest

from simcore import Model, choose, sleep
from simcore.kernel import Program
from simcore.kernel.plain import key_of, plain, reached_by, yields_at_once

MODEL = Model("plain")
QUEUE, LOCK = MODEL.queue("queue", 2), MODEL.lock("lock")
LIST = [LOCK]
LIMIT = 3


def counts(queue, n):
    for number in range(n):
        if number % LIMIT and number is not None:
            yield queue.put((number, f"item {number}"), timeout=0.5)
        yield sleep(0.25)


def goes_round():
    turns = 0
    while True:
        turns += len("ab")
        got = yield QUEUE.get()
        yield LOCK.acquire()
        yield QUEUE.put(got)


def asks_a_clock():
    yield sleep(time.perf_counter())


def catches():
    try:
        yield QUEUE.get()
    except ValueError:
        return


def delegates():
    yield from goes_round()


def makes_a_function():
    yield QUEUE.put(lambda: 1)


def makes_a_list():
    yield QUEUE.put(len([1, 2]))


def writes_a_global():
    global LIMIT
    LIMIT = 4
    yield QUEUE.get()


def writes_an_attribute(thing):
    thing.name = "other"
    yield QUEUE.get()


def asks_for_an_attribute():
    get = QUEUE.get
    yield get()


def asks_for_what_is_hidden():
    yield QUEUE.put(str((1).__class__))


def asks_what_is_one_object(thing):
    yield QUEUE.put(thing is LIMIT)


def asks_where_it_is(thing):
    yield QUEUE.put(id(thing))


def asks_for_an_attribute_by_a_text():
    yield QUEUE.put("{0.__init__}".format(1))  # noqa: UP030, UP032


def makes_an_object():
    made = int.mro()[-1]()
    yield QUEUE.put(f"{made}")


def makes_a_generator(timer):
    made = timer.run(sleep, (1,))
    yield QUEUE.put(f"{made}")


def names_a_list():
    yield QUEUE.put(len(LIST))


def may_not_end():
    turns = 0
    while turns < 3:
        turns += 1
    yield QUEUE.get()


def program(fn, *args):
    return Program(fn.__name__, fn, args)


@pytest.mark.parametrize(("fn", "args"), [(counts, (QUEUE, 10)), (counts, (QUEUE, (1, "a"))), (goes_round, ())])
def test_what_counts_and_yields_is_plain(fn, args):
    assert plain(program(fn, *args))


@pytest.mark.parametrize(
    ("fn", "args"),
    [
        (asks_a_clock, ()),
        (catches, ()),
        (delegates, ()),
        (makes_a_function, ()),
        (makes_a_list, ()),
        (writes_a_global, ()),
        (writes_an_attribute, (QUEUE,)),
        (asks_for_an_attribute, ()),
        (asks_for_what_is_hidden, ()),
        (asks_what_is_one_object, (1,)),
        (asks_where_it_is, (1,)),
        (asks_for_an_attribute_by_a_text, ()),
        (makes_an_object, ()),
        (makes_a_generator, (MODEL.timer("timer", 1, goes_round),)),
        (names_a_list, ()),
        (may_not_end, ()),
        (counts, (QUEUE, [3])),
        (counts, (threading.Lock(), 3)),
        (counts, (QUEUE, (1, [2]))),
        (MODEL.process, ()),
    ],
)
def test_what_can_do_more_is_not(fn, args):
    assert not plain(program(fn, *args))


def test_what_a_cell_holds_counts():
    def holding(thing):
        def process():
            for _ in range(3):
                yield thing.get()

        return process

    assert plain(program(holding(QUEUE)))
    assert not plain(program(holding([QUEUE])))


def test_a_plain_process_can_get_at_what_it_is_given_and_names():
    assert reached_by(program(counts, QUEUE, (1, (LOCK,)))) == {QUEUE, LOCK}
    assert reached_by(program(goes_round)) == {QUEUE, LOCK}
    assert reached_by(program(asks_a_clock)) is None


def drops(queue):
    for number in range(3):
        queue.put(number)
        yield queue.get()


def keeps(queue):
    for _ in range(3):
        operation = queue.get()
        yield operation


def test_a_name_that_means_another_function_is_not_taken_for_pythons():
    inside = {"len": choose, "QUEUE": QUEUE, "__builtins__": __builtins__}
    exec("def forgets():\n    len(1, 2)\n    yield QUEUE.get()", inside)
    assert not plain(Program("p", inside["forgets"], ()))


def test_what_is_made_and_not_yielded_at_once_is_found_in_the_code():
    assert yields_at_once(counts.__code__)
    assert yields_at_once(goes_round.__code__)
    assert not yields_at_once(drops.__code__)
    assert not yields_at_once(keeps.__code__)


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, 1.0), (0.0, -0.0), ("1", 1), ((1,), 1), ((1, 2), ((1,), 2))])
def test_keys_tell_apart_what_a_process_can_tell_apart(one, other):
    assert key_of(one) != key_of(other)


def test_the_future_of_a_submit_has_no_key():
    assert key_of(QUEUE) is QUEUE
    assert key_of(Model("another").future("made by hand")) is not None
    assert key_of(type(MODEL.future("promise"))("not in a model")) is None
