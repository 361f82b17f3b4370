"""A model that does something else when an equal set is iterated in another order is refused; all others are not."""

from dataclasses import dataclass

import pytest

from simcore import Model, ModelError, Verdict, explore
from simcore.kernel.orders import have_orders, in_other_orders

TWO = (0, 8)  # one slot for both: who comes first is first


def first(items):
    return next(iter(items))


@dataclass(frozen=True)
class Held:
    """A set inside of something else."""

    items: frozenset


def added(todo, item):
    return todo | {item}


def both(todo):
    return len(todo) == 2


def gathered(take, *, elements=TWO):
    """Two put their element into a set, in either order, and a third does something with it."""
    model = Model("gathered")
    todo, never = model.variable("todo", frozenset()), model.event("never")

    def adder(element):
        yield todo.update(added, element)

    for number, element in enumerate(elements(model) if callable(elements) else elements):
        model.process(f"adder {number}", adder, element)
    model.process("taker", take, model, todo, never)
    return model


# ---- who looks at the order ----------------------------------------------------------------------------------


def at_once(_model, todo, never):
    if first((yield todo.wait_for(both))) == 8:
        yield never.wait()


def later(model, todo, never):
    some = yield todo.wait_for(both)
    yield todo.set(frozenset())
    if first(some) == 8:
        yield never.wait()


def when_only_the_first_is_left(_model, todo, never):
    some = first((yield todo.wait_for(both)))
    yield todo.set(frozenset())
    if some == 8:
        yield never.wait()


def in_the_end(_model, todo, _never):
    return list((yield todo.wait_for(both)))


def one_after_the_other(_model, todo, _never):
    for item in (yield todo.wait_for(both)):
        yield todo.set(frozenset({item}))


def in_an_update(_model, todo, _never):
    yield todo.wait_for(both)
    yield todo.update(lambda items: frozenset({first(items)}))


def in_a_condition(_model, todo, _never):
    yield todo.wait_for(lambda items: len(items) == 2 and first(items) == 8)


@pytest.mark.parametrize(
    "take",
    [at_once, later, when_only_the_first_is_left, in_the_end, one_after_the_other, in_an_update, in_a_condition],
)
def test_whoever_looks_at_the_order_of_a_set_is_refused(take):
    for options in ({}, {"symmetry": False, "partial_order": False}):
        with pytest.raises(ModelError, match=r"something else when a set .* another order.* sorted") as refused:
            explore(gathered(take), **options)
        assert "\n" not in str(refused.value)


def test_so_is_whoever_takes_one_of_the_names_of_a_family():
    def names(model):
        family = model.indices("name", 12)
        return next((a, b) for a in family for b in family if a != b and have_orders(frozenset({a, b})))

    def take(_model, todo, _never):
        name = first((yield todo.wait_for(both)))
        yield todo.set(frozenset({name}))

    with pytest.raises(ModelError, match="another order"):
        explore(gathered(take, elements=names))


def through_a_queue(model, some):
    queue = model.queue("line")
    model.process("sender", lambda: (yield queue.put(some)))
    return lambda: (yield queue.get())


def through_a_future(model, some):
    future = model.future("answer")
    model.process("sender", lambda: (yield future.set_result(some)))
    return lambda: (yield future.result())


def through_a_link(model, some):
    link = model.link("wire", 1)
    model.process("sender", lambda: (yield link.send(some)))
    return lambda: (yield link.recv())


@pytest.mark.parametrize("through", [through_a_queue, through_a_future, through_a_link])
@pytest.mark.parametrize("inside", [lambda s: s, lambda s: (1, s), lambda s: Held(s), lambda s: frozenset({s})])
def test_however_it_came_there_and_whatever_it_is_in(through, inside):
    def innermost(thing):
        while not (isinstance(thing, frozenset) and len(thing) == 2):
            thing = thing.items if isinstance(thing, Held) else list(thing)[-1]
        return thing

    model = Model("handed over")
    receive = through(model, inside(frozenset(TWO)))

    def taker():
        return first(innermost((yield from receive())))

    model.process("taker", taker)
    with pytest.raises(ModelError, match="another order"):
        explore(model)


def test_and_so_is_a_task_that_was_given_one():
    model = Model("a task")
    pool = model.thread_pool("pool", 1)

    def task(some):
        yield from ()
        return first(some)

    def client():
        future = yield pool.submit(task, frozenset(TWO))
        yield future.result()

    model.process("client", client)
    with pytest.raises(ModelError, match=r"task\(.*another order"):
        explore(model)


# ---- who does not ------------------------------------------------------------------------------------------


def sorts(_model, todo, never):
    if sorted((yield todo.wait_for(both)))[0] == 8:
        yield never.wait()


def counts(_model, todo, never):
    some = yield todo.wait_for(both)
    if sum(some) != 8 or 8 not in some or len(set(some)) != 2:
        yield never.wait()


def takes_any(_model, todo, _never):
    yield todo.wait_for(both)
    yield todo.transition(lambda items: tuple((items - {item}, item) for item in items))


@pytest.mark.parametrize("take", [sorts, counts, takes_any])
def test_whoever_does_not_look_at_the_order_is_not_refused(take):
    assert explore(gathered(take)).verdict is Verdict.HOLDS


def test_where_there_is_only_one_order_it_may_be_looked_at():
    found = explore(gathered(at_once, elements=(7, 8))).verdict
    assert found is Verdict.VIOLATED, "8 comes first, always"
    assert not have_orders((frozenset({1, 2, 3}), (1, "text"), None, frozenset()))


@pytest.mark.parametrize("elements", [(0, 8), (0, 8, 16), (1, 9, 2, 17)])
def test_other_orders_are_equal_values_each_once_and_each_element_comes_first_that_can(elements):
    given = ("some", frozenset(elements))
    others = list(in_other_orders(given))
    orders = {tuple(some) for _, some in [given, *others]}
    assert all(other == given for other in others)
    assert len(orders) == len(others) + 1
    colliding = {element for element in elements if element % 8 == min(elements) % 8}
    assert {order[0] for order in orders} >= colliding
