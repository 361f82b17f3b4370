"""A future is set once, to a result or to an exception, and everybody who waits for it gets that."""

import concurrent.futures

import pytest
import toys

from simcore.errors import ModelError
from simcore.kernel import Kernel
from simcore.model import Model


def model_of(setting, *, timeout=None, read="result"):
    model = Model("future")
    future = model.future("future")

    def wait():
        try:
            return (yield getattr(future, read)(timeout))
        except Exception as error:
            return type(error), str(error)

    def set_it():
        yield setting(future)

    model.process("a", wait)
    model.process("b", wait)
    model.process("setter", set_it)
    return model


def result(future):
    return future.set_result("bytes")


def failure(future):
    return future.set_exception(KeyError("chunk"))


@pytest.mark.parametrize("read", ["result", "exception"])
def test_a_pending_future_blocks(read):
    assert toys.run(model_of(result, read=read)).process("a").blocked


def test_everybody_gets_the_result():
    assert toys.finish(model_of(result)) == {"a": "bytes", "b": "bytes", "setter": None}


def test_everybody_gets_the_exception():
    assert toys.finish(model_of(failure)) == dict.fromkeys("ab", (KeyError, "'chunk'")) | {"setter": None}


@pytest.mark.parametrize(("setting", "expected"), [(result, None), (failure, KeyError)])
def test_exception_tells_the_type(setting, expected):
    assert toys.finish(model_of(setting, read="exception"))["a"] is expected


@pytest.mark.parametrize("first", ["set_result", "set_exception"])
@pytest.mark.parametrize("second", ["set_result", "set_exception"])
def test_a_future_set_twice_raises_what_the_real_one_raises(first, second):
    model = Model("twice")
    argument = {"set_result": 1, "set_exception": KeyError("k")}
    future, real = model.future("future"), concurrent.futures.Future()
    modelled = toys.alone(
        lambda: getattr(future, first)(argument[first]), lambda: getattr(future, second)(argument[second]), model=model
    )
    getattr(real, first)(argument[first])
    with pytest.raises(concurrent.futures.InvalidStateError):
        getattr(real, second)(argument[second])
    assert modelled == [None, (concurrent.futures.InvalidStateError, "future is set already")]


def test_a_future_gives_what_the_real_one_gives():
    model = Model("real")
    calls = [("done",), ("result", 0.001), ("result", 0), ("exception", 0), ("set_result", 7), ("done",), ("result",)]
    results = toys.agree(model, model.future("future"), concurrent.futures.Future(), *calls, ("exception",))
    assert results[1] == (TimeoutError, "")


@pytest.mark.parametrize("read", ["result", "exception"])
@pytest.mark.parametrize(
    ("timeouts", "expected"), [("never", ["setter"]), ("when_stuck", ["setter"]), ("anytime", ["setter", "a", "b"])]
)
def test_the_time_out_follows_the_rule(read, timeouts, expected):
    kernel = Kernel(model_of(result, timeout=1.0, read=read), timeouts)
    assert toys.enabled(kernel, kernel.initial) == expected


def test_a_result_that_timed_out_raises_and_leaves_the_future_pending():
    view = toys.run(model_of(result, timeout=1.0), "a")
    assert (view.process("a").result[0], view["future"].done) == (TimeoutError, False)


def test_an_exception_whose_constructor_takes_other_arguments_is_raised_all_the_same():
    class Odd(Exception):
        def __init__(self, *, code):
            super().__init__(f"code {code}")

    model = model_of(lambda future: future.set_exception(Odd(code=5)))
    assert toys.finish(model)["a"] == (Odd, "code 5")


def test_a_result_that_is_mutable_is_refused():
    with pytest.raises(ModelError, match=r"future\.set_result.*an argument is mutable"):
        Model("m").future("future").set_result([1])


def test_an_operation_that_was_not_yielded_is_no_result():
    model = Model("m")
    lock = model.lock("lock")
    with pytest.raises(ModelError, match="an argument is an operation that was not yielded"):
        model.future("future").set_result(lock.acquire())


def test_a_future_says_what_it_is_set_to():
    model = model_of(failure)
    assert str(toys.run(model)) == "future: pending"
    assert str(toys.run(model, "setter")) == "future: set to KeyError: chunk"
