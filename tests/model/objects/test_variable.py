"""A variable is one immutable value that processes read and replace, each time in one atomic step."""

import pytest
import toys

from simcore.errors import ModelError
from simcore.kernel import Kernel
from simcore.model import Model


def test_it_gives_back_what_was_set():
    model = Model("m")
    x = model.variable("x", 1)
    assert toys.alone(x.get, lambda: x.set(2), x.get, model=model) == [1, None, 2]


@pytest.mark.parametrize("value", ["free", None, 0, False, 1.0, (), "pending", frozenset({1})])
def test_any_immutable_value_is_kept_with_its_type(value):
    model = Model("m")
    x = model.variable("x", value)
    (got,) = toys.alone(x.get, model=model)
    assert (got, type(got)) == (value, type(value))


def test_update_gives_the_new_value():
    model = Model("m")
    x = model.variable("x", 1)
    assert toys.alone(lambda: x.update(lambda old, more: old + more, 4), x.get, model=model) == [5, 5]


def increments(atomic):
    model = Model("counter")
    x = model.variable("x", 0)

    def by_update():
        yield x.update(lambda old: old + 1)

    def by_get_and_set():
        old = yield x.get()
        yield x.set(old + 1)

    for name in "ab":
        model.process(name, by_update if atomic else by_get_and_set)
    return model


def finals(model):
    kernel = Kernel(model)
    space = toys.space(kernel)
    return {kernel.view(state)["x"] for state in space.distance if not kernel.successors(state)}


def test_a_read_and_a_write_may_lose_an_update():
    assert finals(increments(atomic=False)) == {1, 2}


def test_an_update_is_one_step():
    assert finals(increments(atomic=True)) == {2}


def waits(**arguments):
    model = Model("waits")
    x = model.variable("x", 0)

    def wait():
        return (yield x.wait_for(lambda value, least: value >= least, 2, **arguments))

    def count():
        for number in range(1, 4):
            yield x.set(number)

    model.process("waiter", wait)
    model.process("counter", count)
    return model


def test_wait_for_blocks_until_the_predicate_holds_and_gives_the_value():
    model = waits()
    assert toys.run(model, "counter").process("waiter").blocked
    assert toys.run(model, "counter", "counter", "waiter").process("waiter").result == 2
    assert toys.run(model, *["counter"] * 3, "waiter").process("waiter").result == 3


def test_wait_for_that_timed_out_gives_none():
    view = toys.run(waits(timeout=1.0), "waiter")
    assert (view.process("waiter").status, view.process("waiter").result) == ("done", None)


@pytest.mark.parametrize(
    ("timeouts", "expected"),
    [("never", ["counter"]), ("when_stuck", ["counter"]), ("anytime", ["counter", "waiter"])],
)
def test_the_time_out_of_wait_for_follows_the_rule(timeouts, expected):
    kernel = Kernel(waits(timeout=1.0), timeouts)
    assert toys.enabled(kernel, kernel.initial) == expected


def transitions(*outcomes):
    model = Model("transition")
    x = model.variable("x", "start")

    def step():
        return (yield x.transition(lambda value: outcomes))

    model.process("p", step)
    return model


def test_a_transition_with_several_outcomes_may_take_any():
    model = transitions(("left", 1), ("right", 2))
    views = [toys.run(model, ("p", outcome)) for outcome in (0, 1)]
    assert [(view["x"], view.process("p").result) for view in views] == [("left", 1), ("right", 2)]


def test_a_transition_with_equal_outcomes_leads_to_one_state():
    kernel = Kernel(transitions(("left", 1), ("left", 1)))
    assert toys.space(kernel).states == 2


def test_a_transition_without_an_outcome_waits():
    assert toys.run(transitions()).deadlocked


def test_a_mutable_value_is_refused_at_the_start():
    with pytest.raises(ModelError, match=r"variable 'x': a list is mutable.*use a tuple"):
        Model("m").variable("x", [])


@pytest.mark.parametrize(
    "change", [lambda x: x.update(lambda _: [1]), lambda x: x.transition(lambda _: [([1], None)]), lambda x: x.set([1])]
)
def test_a_mutable_value_is_refused_later(change):
    model = Model("m")
    x = model.variable("x")
    model.process("p", lambda: (yield change(x)))
    with pytest.raises(ModelError, match="mutable"):
        toys.run(model, "p")


def test_equal_frozensets_are_one_value_however_they_were_built():
    model = Model("m")
    x = model.variable("x", frozenset())

    def add(item):
        yield x.update(lambda old: old | {item})

    for item in (0, 8):  # both belong into the first slot of a small table
        model.process(f"add {item}", add, item)
    assert toys.space(Kernel(model)).states == 4
