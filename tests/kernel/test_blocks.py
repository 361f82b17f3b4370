"""What a block will do when it is left is part of a program point: with, finally, and exceptions in flight."""

import contextlib
import sys

from points import STEP, differ_later, merged, reach

from simcore.kernel.process import Points
from simcore.model.operations import Raised


class Manager:
    def __init__(self, n):
        self.n = n

    def __enter__(self):
        return None

    def __exit__(self, *_):
        if self.n:
            raise KeyError(self.n)


def test_the_context_manager_of_a_with_block_is_part_of_a_point():
    def process():
        with Manager((yield STEP)):
            yield STEP

    differ_later(process, [0], [1], None)


def test_a_context_manager_made_of_a_generator_is_part_of_a_point():
    @contextlib.contextmanager
    def manager(n):
        yield
        if n:
            raise KeyError(n)

    def process():
        with manager((yield STEP)):
            yield STEP

    differ_later(process, [0], [1], None)


def test_a_finally_block_knows_how_it_was_entered():
    def process():
        try:
            if (yield STEP):
                raise KeyError
        finally:
            yield STEP

    points = Points()
    assert reach(points, process, 0, None).status == "returned"
    assert reach(points, process, 1, None).status == "failed"


def test_an_operation_in_a_finally_block_is_no_complaint_when_a_run_is_given_up():
    unraisable, hook = [], sys.unraisablehook
    sys.unraisablehook = unraisable.append

    def process():
        try:
            yield STEP
            raise KeyError
        finally:
            yield STEP
            yield STEP

    try:
        for length in range(4):
            reach(Points(), process, *[None] * length)
    finally:
        sys.unraisablehook = hook
    assert unraisable == []


def test_a_return_value_waits_under_a_finally_block():
    def process():
        try:
            return (yield STEP)
        finally:
            yield STEP

    assert differ_later(process, [1], [2], None) == [1, 2]


def test_an_exception_in_flight_is_part_of_a_point():
    def process():
        try:
            raise (KeyError if (yield STEP) else ValueError)("x")
        except (LookupError, ValueError):
            yield STEP
            raise

    differ_later(process, [True], [False], None)


def test_the_arguments_of_an_exception_in_flight_are_part_of_a_point():
    def process():
        try:
            raise KeyError((yield STEP))
        except KeyError:
            yield STEP
            raise

    differ_later(process, [1], [2], None)


def test_the_context_of_an_exception_is_part_of_a_point():
    def process():
        try:
            try:
                raise (KeyError if (yield STEP) else ValueError)
            except Exception:
                raise RuntimeError  # noqa: B904 - its context is the point
        except RuntimeError as error:
            yield STEP
            return type(error.__context__)

    assert differ_later(process, [True], [False], None) == [KeyError, ValueError]


def test_the_cause_and_the_notes_of_an_exception_are_part_of_a_point():
    def process():
        error = KeyError("x")
        if (yield STEP):
            error.__cause__ = ValueError("y")
        else:
            error.add_note("z")
        yield STEP
        return type(error.__cause__)

    differ_later(process, [True], [False], None)


def test_an_exception_thrown_into_a_process_is_part_of_a_point():
    def process():
        try:
            yield STEP
        except Exception:
            yield STEP
            raise

    differ_later(process, [Raised(KeyError)], [Raised(ValueError)], None)


def test_an_exception_that_was_handled_in_a_function_is_forgotten():
    def process():
        given = yield STEP
        if given:
            with contextlib.suppress(KeyError):
                raise KeyError
        del given
        yield STEP

    assert merged(process, [True], [False])


def test_an_exception_that_was_handled_is_forgotten():
    def process():
        with contextlib.suppress(KeyError, ValueError):
            yield STEP
        yield STEP

    assert merged(process, [Raised(KeyError)], [Raised(ValueError)])
