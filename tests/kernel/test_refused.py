"""What cannot be compared by value is refused, with its name and with what to do instead."""

import re
import socket
import tempfile
import threading

from points import STEP, Box, keep, raises, reach

from simcore.errors import ModelError
from simcore.kernel.process import Points

HELD = {}


def hold(name):
    suspect = HELD[name]
    yield STEP
    return suspect


def test_what_cannot_be_compared_by_value_is_refused_and_named():
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    with socket.socket() as connection, tempfile.TemporaryFile("w") as file:
        HELD.update(
            {
                "TextIOWrapper": getattr(file, "file", file),
                "socket": connection,
                "lock": threading.Lock(),
                "Thread": thread,
                "memoryview": memoryview(b"a"),
                "Match": re.match("a", "a"),
                "Box with a lock in it": Box(threading.Lock()),
                "list with a lock in it": [threading.Lock()],
            }
        )
        try:
            for what in HELD:
                with raises(ModelError, "hold (", "variable 'suspect' holds a " + what, "model.variable(...)"):
                    Points().start("p", hold, (what,))
        finally:
            HELD.clear()
            done.set()
    thread.join()


def test_what_a_cell_holds_is_named_too():
    def process():
        suspect = threading.Lock()

        def inner():
            return suspect

        del inner
        yield STEP

    with raises(ModelError, "variable 'suspect' holds a lock"):
        Points().start("p", process, ())


def test_what_waits_on_the_stack_is_refused_without_a_name():
    def process():
        with threading.Lock():
            yield STEP

    with raises(ModelError, "a value in use holds a"):
        Points().start("p", process, ())


def test_an_argument_or_a_closure_that_cannot_be_compared_is_refused():
    suspect = memoryview(b"")

    def process():
        yield STEP
        return suspect

    with raises(ModelError, "p: an argument or a closure", "holds a memoryview"):
        Points().start("p", process, ())
    with raises(ModelError, "p: an argument or a closure", "holds a memoryview"):
        Points().start("p", hold, (suspect,))


def test_a_result_that_cannot_be_compared_is_refused():
    def process():
        yield STEP
        return threading.Lock()

    with raises(ModelError, "p returned a lock", "return an immutable value"):
        reach(Points(), process, None)


def test_what_is_yielded_must_be_an_operation():
    def process():
        yield 3

    with raises(ModelError, "p (process (test_refused.py:", "yielded 3, which is no operation", "lock.acquire()"):
        Points().start("p", process, ())


def test_a_generator_that_is_yielded_needs_yield_from():
    def process():
        yield keep()

    with raises(ModelError, "write `yield from` to run another generator"):
        Points().start("p", process, ())


def test_a_function_that_yields_nothing_is_refused():
    with raises(ModelError, "p: ", "returned str, not a generator"):
        Points().start("p", lambda: "x", ())


def test_wrong_arguments_are_refused():
    with raises(ModelError, "p: keep cannot be called with these arguments", "takes 0 positional arguments"):
        Points().start("p", keep, (1,))
