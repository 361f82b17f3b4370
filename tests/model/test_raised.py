"""An exception comes through a future as it was raised, whatever its class has made of it."""

from __future__ import annotations

import concurrent.futures
import json

import pytest

from simcore import Model, ModelError, explore
from simcore.kernel.freeze import freeze
from simcore.model.operations import Raised


class Refused(Exception):
    def __init__(self, code):
        super().__init__(f"refused with code {code}")
        self.code = code


class Two(Exception):
    def __init__(self, a, b):
        super().__init__(a)
        self.a, self.b = a, b


class Slotted(Exception):
    __slots__ = ("place",)

    def __init__(self, *, place):
        self.place = place


class Hidden(LookupError):
    def __init__(self, key):
        self.__dict__["key"] = key

    @property
    def key(self):
        return self.__dict__["key"]


class Pickled(Exception):
    def __reduce__(self):
        return Pickled, ()


class Refusal(OSError):
    def __init__(self, code, text, *, retry):
        super().__init__(code, text)
        self.retry = retry


def noted():
    error = ValueError("noted")
    error.add_note("one")
    error.add_note("two")
    return error


def chained(cause):
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            if cause == "none":
                raise Refused(1) from None
            if cause == "from":
                raise Refused(1) from inner
            raise Refused(1)  # noqa: B904
    except Refused as error:
        return error


def undecodable():
    try:
        b"\xff".decode()
    except UnicodeDecodeError as error:
        return error


def unreadable():
    try:
        json.loads("{")
    except json.JSONDecodeError as error:
        return error


MAKERS = {
    "plain": lambda: ValueError("x", 1),
    "empty": lambda: RuntimeError(),
    "an attribute": lambda: Refused(5),
    "two arguments": lambda: Two(1, 2),
    "slots": lambda: Slotted(place="here"),
    "a property": lambda: Hidden("k"),
    "its own way to be pickled": lambda: Pickled(7),
    "errno": lambda: FileNotFoundError(2, "no such file", "a", None, "b"),
    "a subclass of OSError": lambda: Refusal(13, "denied", retry=True),
    "import": lambda: ImportError("no", name="m", path="p"),
    "decoding": undecodable,
    "decoding JSON": unreadable,
    "notes": noted,
    "context": lambda: chained("context"),
    "cause": lambda: chained("from"),
    "from None": lambda: chained("none"),
    "a group": lambda: ExceptionGroup("group", [ValueError(1), Refused(2)]),
    "an exception in it": lambda: Two(Refused(3), None),
    "stop": lambda: StopAsyncIteration(3),
}


def told(error, depth=0):
    """Return all that a process can see of an exception."""
    if not isinstance(error, BaseException):
        return [told(each) for each in error] if isinstance(error, list | tuple) else error
    names = {name for name in dir(error) if not name.startswith("__") and not callable(getattr(error, name, None))} - {
        "args"
    }
    chain = (told(error.__cause__), told(error.__context__), error.__suppress_context__)
    notes = tuple(getattr(error, "__notes__", ()))
    seen = {name: told(getattr(error, name, None)) for name in sorted(names)}
    return (type(error), str(error), told(error.args), seen, notes, chain)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_what_is_built_shows_a_process_what_was_kept(make):
    error = make()
    raised = Raised.of(error)
    assert told(raised.build()) == told(error)
    assert Raised.of(raised.build()) == raised


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_equal_exceptions_are_equal_values(make):
    assert Raised.of(make()) == Raised.of(make())
    assert hash(Raised.of(make())) == hash(Raised.of(make()))
    assert freeze(Raised.of(make())) == freeze(Raised.of(make()))


def test_exceptions_that_differ_in_an_attribute_alone_differ():
    one, other = Two(1, 2), Two(1, 3)
    assert one.args == other.args
    assert Raised.of(one) != Raised.of(other)
    assert freeze(Raised.of(one)) != freeze(Raised.of(other))


def through_a_pool(make) -> Model:
    model = Model("through a pool")
    pool, event = model.thread_pool("pool", 1), model.event("event")
    expected = told(make())

    def task():
        yield event.set()
        raise make()

    def main():
        future = yield pool.submit(task)
        seen = []
        for _ in range(2):
            try:
                yield future.result()
            except BaseException as error:
                seen.append(told(error) == expected)
            yield event.is_set()
        assert seen == [True, True], seen

    model.process("main", main)
    return model


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_it_comes_through_a_future_as_through_an_executor(make):
    with concurrent.futures.ThreadPoolExecutor(1) as executor:

        def task():
            raise make()

        real = executor.submit(task).exception()
    assert told(real) == told(make())
    assert explore(through_a_pool(make)).verdict.value == "holds"


def test_a_mutable_attribute_is_refused_where_it_is_handed_over():
    def task():
        yield event.set()
        raise Refused([1])

    def main():
        yield (yield pool.submit(task)).exception()

    model = Model("mutable")
    pool, event = model.thread_pool("pool", 1), model.event("event")
    model.process("main", main)
    with pytest.raises(ModelError, match="mutable") as caught:
        explore(model)
    assert "\n" not in str(caught.value)
