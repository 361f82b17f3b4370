"""What cannot be meant is refused by every public function, in one line that says what to write."""

import inspect
from contextlib import suppress

import pytest
import toys

from simcore import (
    Model,
    Schedule,
    SimcoreError,
    always,
    eventually,
    execute,
    explore,
    leads_to,
    replay,
    simulate,
    sometimes,
)
from simcore.properties import completes, deadlock_free, ended_by
from simcore.stateful import machine, schedules

DRIVERS = {"explore": explore, "simulate": simulate, "execute": execute, "machine": machine, "schedules": schedules}


def at_rest(state):
    return True


def refused(call):
    with pytest.raises(SimcoreError) as found:
        call()
    text = str(found.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("driver", ["explore", "simulate", "execute"])
def test_a_model_function_that_was_not_called(driver):
    text = refused(lambda: DRIVERS[driver](toys.opposed_locks))
    assert text == f"opposed_locks is a function: call it: {driver}(opposed_locks())"


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("model", [None, "toys:opposed_locks", 7, [], deadlock_free()])
def test_what_is_no_model_at_all(driver, model):
    assert "model" in refused(lambda: DRIVERS[driver](model))


MAKES = "{0} is a function that makes a property: call it: DRIVER(model, {0}({1}))"
ASKS = "{0} is a predicate, and no property: say when it is to be true: DRIVER(model, always({1}))"
PROPERTIES = {
    "not called": (deadlock_free, MAKES.format("deadlock_free", "")),
    "not called, any number of arguments": (completes, MAKES.format("completes", "...")),
    "not called, two arguments": (ended_by, MAKES.format("ended_by", "...")),
    "a predicate": (at_rest, ASKS.format("at_rest", "at_rest")),
    "a lambda": (lambda state: True, ASKS.format("<lambda>", "lambda state: ...")),
    "a list": ([deadlock_free()], "DRIVER(model, [...]): pass properties one by one, DRIVER(model, *properties)"),
    "a text": ("deadlock_free", "DRIVER(model, 'deadlock_free'): a str is no property; `always(predicate)` makes one"),
}


@pytest.mark.parametrize("driver", ["explore", "machine"])
@pytest.mark.parametrize(("prop", "told"), PROPERTIES.values(), ids=PROPERTIES)
def test_what_is_no_property(driver, prop, told):
    assert refused(lambda: DRIVERS[driver](toys.opposed_locks(), prop)) == told.replace("DRIVER", driver)


@pytest.mark.parametrize("make", [always, sometimes, eventually, lambda what: leads_to(at_rest, what)])
@pytest.mark.parametrize("what", [True, None, "state"])
def test_what_is_no_predicate(make, what):
    assert "pass a function of a state" in refused(lambda: make(what))


NONE_IS_NO_LIMIT = {"max_states", "max_seconds", "max_memory", "cores", "checkpoint", "progress", "until", "schedule"}
NONE_IS_NO_LIMIT |= {"latency", "load", "max_steps"}
WRONG = {"str": "10", "list": [1], "object": object(), "None": None}
OPTIONS = [
    (driver, name, kind)
    for driver, function in DRIVERS.items()
    for name, parameter in inspect.signature(function).parameters.items()
    if parameter.kind is parameter.KEYWORD_ONLY
    for kind in WRONG
    if not (kind == "None" and ((name in NONE_IS_NO_LIMIT and driver != "execute") or name == "schedule"))
    if not (kind == "str" and name == "checkpoint")
]


@pytest.mark.parametrize(("driver", "name", "kind"), OPTIONS)
def test_an_option_of_the_wrong_type_is_named(driver, name, kind):
    text = refused(lambda: DRIVERS[driver](toys.opposed_locks(), **{name: WRONG[kind]}))
    assert name in text
    assert "use" in text or ":" in text


def test_a_number_in_quotes_is_written_without_them():
    text = refused(lambda: explore(toys.opposed_locks(), max_states="10"))
    assert text == "`max_states='10'`: use a whole number, at least 1; write `max_states=10`"
    assert refused(lambda: explore(toys.opposed_locks(), max_states=True)).endswith("use a whole number, at least 1")
    assert refused(lambda: explore(toys.opposed_locks(), max_states=0)) == "`max_states=0`: use at least 1"


def test_a_replay_takes_a_token():
    schedule = Schedule((), None)
    for token in (None, 7, schedule):
        assert "token" in refused(lambda token=token: replay(token))
    token = explore(toys.opposed_locks()).counterexample.token
    assert "opposed_locks is a function: call it" in refused(lambda: replay(token, toys.opposed_locks))


@pytest.mark.parametrize("timeout", ["5", [1], -1, float("nan")])
def test_a_time_out_that_is_no_number_of_seconds_is_an_error_of_the_model(timeout):
    def wait(event):
        with suppress(Exception):  # which hides no mistake
            yield event.wait(timeout=timeout)

    model = Model("waits")
    model.process("waiter", wait, model.event("event"))
    text = refused(lambda: explore(model))
    assert "waiter (test_mistaken_options.py:" in text
    assert "a time-out is a number of seconds" in text
