"""A queue hands items over in the order in which they were put; a full one blocks put, an empty one get."""

import queue

import pytest
import toys

from simcore.errors import ModelError
from simcore.kernel import Kernel
from simcore.model import Model


def model_of(items, capacity=None, **arguments):
    """One process puts ``items``, another gets as many."""
    model = Model("queue")
    box = model.queue("box", capacity)

    def put():
        for item in items:
            yield box.put(item, **arguments)

    def get():
        got = ()
        for _ in items:
            got += ((yield box.get(**arguments)),)
        return got

    model.process("putter", put)
    model.process("getter", get)
    return model


@pytest.mark.parametrize("capacity", [1, 2, None])
def test_items_come_in_order(capacity):
    assert toys.finish(model_of("abcd", capacity))["getter"] == tuple("abcd")


def test_an_empty_queue_blocks_get():
    assert toys.run(model_of("a")).process("getter").blocked


@pytest.mark.parametrize("capacity", [1, 3])
def test_a_full_queue_blocks_put(capacity):
    view = toys.run(model_of("abcd", capacity), *["putter"] * capacity)
    assert view.process("putter").blocked


def test_an_unbounded_queue_never_blocks_put():
    assert toys.run(model_of("a" * 50), *["putter"] * 50).process("putter").done


def test_a_get_makes_room_for_a_put():
    assert toys.run(model_of("ab", 1), "putter", "getter").process("putter").status == "enabled"


def test_a_queue_gives_what_the_real_one_gives():
    model = Model("real")
    toys.agree(
        model,
        model.queue("box", 2),
        queue.Queue(2),
        ("get", False),
        ("get", True, 0.001),
        ("get", {"timeout": 0}),
        ("put", 1),
        ("put", 2, False),
        ("qsize",),
        ("put", 3, False),
        ("put", 3, True, 0.001),
        ("get",),
        ("get", False),
        ("get", False),
        ("qsize",),
    )


@pytest.mark.parametrize("timeouts", ["never", "when_stuck", "anytime"])
@pytest.mark.parametrize("process", ["putter", "getter"])
def test_the_time_out_follows_the_rule_when_stuck(timeouts, process):
    model = Model("stuck")
    box = model.queue("box", 1)

    def put():
        yield box.put(1)
        yield box.put(2, timeout=1.0)

    def get():
        yield box.get(timeout=1.0)

    model.process(process, put if process == "putter" else get)
    kernel = Kernel(model, timeouts)
    state = toys.walk(kernel, kernel.initial, *["putter"] * (process == "putter"))
    assert toys.enabled(kernel, state) == ([] if timeouts == "never" else [process])


def test_a_get_that_timed_out_raises_empty():
    view = toys.run(model_of("a", timeout=1.0), "getter")
    assert str(view.process("getter").result) == "Empty"


def test_a_put_that_timed_out_raises_full_and_puts_nothing():
    view = toys.run(model_of("ab", 1, timeout=1.0), "putter", "putter")
    assert (str(view.process("putter").result), view["box"]) == ("Full", ("a",))


@pytest.mark.parametrize("capacity", [0, -1])
def test_a_queue_without_a_place_is_refused(capacity):
    with pytest.raises(ModelError, match="None for no bound"):
        Model("m").queue("box", capacity)


def test_a_mutable_item_is_refused():
    with pytest.raises(ModelError, match=r"box\.put.*pass a tuple"):
        Model("m").queue("box").put([])


def test_a_queue_counts_its_items():
    view = toys.run(model_of("ab", 3), "putter")
    box = view.model.objects[1]
    assert (box.occupancy(view["box"]), str(view)) == ((1, 3), "box: [a]")


def test_true_and_1_are_different_items():
    assert repr(toys.finish(model_of((True, 1, 1.0)))["getter"]) == "(True, 1, 1.0)"


@pytest.mark.parametrize("timeout", [None, 0, 1.5])
def test_an_object_is_handed_over_with_a_time_out_as_without(timeout):
    model = Model("hands over")
    queue, other = model.queue("queue"), model.queue("other")

    def put():
        yield queue.put(other, timeout=timeout)
        yield queue.put((other, other.kind), timeout=timeout)

    def get():
        for _ in range(2):
            yield queue.get()

    model.process("put", put)
    model.process("get", get)
    kernel = Kernel(model)
    state = kernel.initial
    for process in (0, 1, 0, 1):
        state = kernel.step(state, process, 0)
    assert kernel.successors(state) == []
    assert [kernel.process_state(state, process).status for process in (0, 1)] == ["done", "done"]


def test_what_is_wrong_with_an_operation_on_an_object_is_told():
    model = Model("wrong")
    queue, other = model.queue("queue"), model.queue("other")

    def put():
        yield queue.put(other, timeout=-1)

    model.process("put", put)
    with pytest.raises(ModelError, match=r"queue\.put\(other\): a time-out is a number of seconds"):
        Kernel(model)
