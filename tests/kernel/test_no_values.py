"""What is no value is never taken for one: an operation, a generator, an object; nor is a function that gives one."""

import gc

import pytest

from simcore import Model, ModelError, Verdict, always, execute, explore, leads_to, simulate, sometimes
from simcore.errors import SimcoreError
from simcore.model.making import in_process

DRIVERS = {
    "explore": explore,
    "simulate": simulate,
    "execute": lambda model: execute(model, max_seconds=5),
}


def of(body):
    """Return a model whose one process is ``body``, called with an object of each kind that it may mistake."""
    model = Model("forgetful")
    things = model.variable("v", 0), model.queue("queue"), model.event("event"), model.thread_pool("pool", 1)
    model.process("user", body, *things)
    return model


def returns(v, queue, event, pool):
    yield event.set()
    return queue.get()


def returns_inside(v, queue, event, pool):
    yield event.set()
    return "got", queue.get()


def task_returns(v, queue, event, pool):
    def task():
        yield event.set()
        return event.wait()

    yield pool.submit(task)


def puts(v, queue, event, pool):
    yield queue.put(v.get())


def puts_inside(v, queue, event, pool):
    yield queue.put(("item", (v.get(),)))


def submits(v, queue, event, pool):
    def task(item):
        yield event.set()

    yield pool.submit(task, queue.get())


def updates(v, queue, event, pool):
    yield v.update(lambda old: v.set(old + 1))


def steps(v, queue, event, pool):
    yield v.transition(lambda old: [(old, event.set())])


OPERATIONS = [returns, returns_inside, task_returns, puts, puts_inside, submits, updates, steps]


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
@pytest.mark.parametrize("body", OPERATIONS)
def test_an_operation_is_no_value(body, driver):
    with pytest.raises(ModelError, match=r"is an operation that was not yielded|returned an operation that was not"):
        driver(of(body))


def helper(event):
    yield event.set()
    return True


def in_if(v, queue, event, pool):
    if helper(event):
        yield event.wait()


def in_while(v, queue, event, pool):
    while not helper(event):
        yield event.wait()


def in_a_comparison(v, queue, event, pool):
    if helper(event) == 1:
        yield event.wait()
    yield event.set()


def in_a_name(v, queue, event, pool):
    ok = helper(event)  # noqa: F841
    yield event.set()


def in_and(v, queue, event, pool):
    yield event.set()
    if pool is not None and helper(event):
        yield event.clear()


def in_return(v, queue, event, pool):
    yield event.set()
    return helper(event)


UNREAD = [in_if, in_while, in_a_comparison, in_a_name, in_and, in_return]


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
@pytest.mark.parametrize("body", UNREAD)
def test_a_call_whose_generator_nobody_runs_is_an_error_with_its_line(body, driver):
    with pytest.raises(
        ModelError, match=r"^user \(test_no_values\.py:\d+\): helper\(\.\.\.\) makes a generator and does"
    ):
        driver(of(body))


def passed_on(v, queue, event, pool):
    yield queue.put(helper(event))


def through_a_name(v, queue, event, pool):
    made = helper(event)
    yield queue.put(made)


def as_an_argument(v, queue, event, pool):
    def task(item):
        yield event.set()

    yield pool.submit(task, helper(event))


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
@pytest.mark.parametrize("body", [passed_on, through_a_name, as_an_argument])
def test_a_generator_is_no_value(body, driver):
    with pytest.raises(ModelError, match="is a generator, of which nothing has run; use what `yield from` gives"):
        driver(of(body))


def kept_and_run(v, queue, event, pool):
    first, second = helper(event), None
    if (yield event.is_set()):
        second = helper(event)
    yield from first
    if second is not None:
        yield from second


def by_a_function(v, queue, event, pool):
    def either():
        return helper(event)

    assert (yield from either())


@pytest.mark.parametrize("body", [kept_and_run, by_a_function])
def test_a_generator_that_is_run_later_is_no_mistake(body):
    assert explore(of(body)).verdict is Verdict.HOLDS


AS_VALUES = {
    "truth of an event": (lambda v, event: not event, "event 'event' is neither true nor false"),
    "truth of a variable": (lambda v, event: bool(v), "variable 'v' is neither true nor false"),
    "equality": (lambda v, event: v == 0, r"variable 'v' is equal to nothing; write `\(yield v.get\(\)\) == ...`"),
    "value": (lambda v, event: v.value == 0, "variable 'v' has no operation 'value'; it has get, set, transition"),
    "setting": (
        lambda v, event: setattr(v, "value", 3),
        "v.value = ...: it changes by what is yielded alone: get, set",
    ),
    "making": (
        lambda v, event: Model("inner").lock("lock"),
        "a local is made in a process|a lock is made in a process",
    ),
}


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
@pytest.mark.parametrize(("use", "told"), AS_VALUES.values(), ids=AS_VALUES)
def test_an_object_is_no_value(use, told, driver):
    def user(v, queue, event, pool):
        yield event.set()
        use(v, event)
        yield event.clear()

    with pytest.raises(ModelError, match=told):
        driver(of(user))


def test_objects_may_be_compared_with_each_other_and_passed_on():
    def user(v, queue, event, pool):
        yield queue.put(event)
        found = yield queue.get()
        assert found == event
        assert found != v
        assert found is not None
        yield found.set()

    assert explore(of(user)).verdict is Verdict.HOLDS


WRONG = {
    "timout": (
        lambda event, pool: event.wait(timout=5),
        r"unexpected keyword argument 'timout'; it is wait\(timeout=None\)",
    ),
    "missing": (lambda event, pool: pool.submit(), r"missing 1 required .*'fn'; it is submit\(fn, \*args\)"),
    "too many": (lambda event, pool: event.set(1), r"takes 1 positional argument but 2 were given; it is set\(\)"),
}


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
@pytest.mark.parametrize(("call", "told"), WRONG.values(), ids=WRONG)
def test_an_operation_that_is_called_wrongly_is_an_error_and_no_verdict(call, told, driver):
    def user(v, queue, event, pool):
        yield call(event, pool)

    with pytest.raises(ModelError, match=rf"^user \(test_no_values\.py:\d+\): \w+\.\w+\(\) .*{told}"):
        driver(of(user))


def test_a_wrong_call_of_ones_own_is_a_failure_of_the_process():
    def own(one):
        return one

    def user(v, queue, event, pool):
        yield event.set()
        own()

    assert "died of TypeError" in explore(of(user)).answer


# ---- functions that are handed over -------------------------------------------------------------------------------


def broken(value):
    return value.missing


def gives_a_number(value):
    return 5


def gives_numbers(value):
    return [1, 2]


def generates(value):
    yield value


HANDED = {
    "update": (lambda v: v.update(broken), r"v\.update\(broken\): broken raised AttributeError: .* \(test_no_values"),
    "wait_for": (lambda v: v.wait_for(broken), r"v\.wait_for\(broken\): broken raised AttributeError"),
    "transition": (lambda v: v.transition(broken), r"v\.transition\(broken\): broken raised AttributeError"),
    "a number": (lambda v: v.transition(gives_a_number), r"gives_a_number returned 5; it must return what may happen"),
    "numbers": (lambda v: v.transition(gives_numbers), r"gives_numbers returned \(1, 2\); it must return what may"),
    "a generator": (lambda v: v.update(generates), "generates is a generator function; it must return a value"),
    "a predicate": (lambda v: v.wait_for(generates), "generates is a generator function; it must return a value"),
}


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
@pytest.mark.parametrize(("use", "told"), HANDED.values(), ids=HANDED)
def test_a_function_that_is_handed_over_and_is_wrong_is_named(use, told, driver):
    def user(v, queue, event, pool):
        yield use(v)

    with pytest.raises(ModelError, match=told):
        driver(of(user))


def test_what_may_happen_may_be_generated():
    def either(value):
        yield value + 1, "one"
        yield value + 2, "two"

    def user(v, queue, event, pool):
        assert (yield v.transition(either)) in ("one", "two")

    assert explore(of(user)).verdict is Verdict.HOLDS


@pytest.mark.parametrize("ask", [always, sometimes, lambda predicate: leads_to(bool, predicate)])
def test_a_predicate_is_no_generator_function(ask):
    with pytest.raises(SimcoreError, match="generates is a generator function; it must return a value"):
        ask(generates)


def test_the_collector_may_come_at_any_moment():
    """It tells of itself in the middle of whatever asks whether it is there."""
    often = gc.get_threshold()
    gc.set_threshold(1)
    try:
        assert not any(in_process() for _ in range(20_000) if [[]])
    finally:
        gc.set_threshold(*often)
