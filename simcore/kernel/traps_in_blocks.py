"""Two program points that differ in one thing alone, for what a block will do when it is left.

The form is that of `traps.py`: a generator that is given 0 or 1, and stops once more.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from simcore.kernel.traps import one

BLOCKS: dict[str, Callable[[], Any]] = {}
"""Blocks that something is in the middle of, by name, as the refusal of an interpreter gives it."""


def _block(trap: Callable[[], Any]) -> Callable[[], Any]:
    BLOCKS[trap.__name__.strip("_").replace("_", " ")] = trap
    return trap


class _Manager:
    def __init__(self, number: int) -> None:
        self.number = number

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        if self.number:
            raise KeyError(self.number)


@contextlib.contextmanager
def _manager(number: int) -> Any:
    yield
    if number:
        raise KeyError(number)


@_block
def _a_with_block() -> Any:
    with _Manager((yield)):
        yield


@_block
def _the_first_of_two_managers() -> Any:
    with _Manager((yield)), _Manager((yield from one()) - 1):
        yield


@_block
def _a_manager_made_of_a_generator() -> Any:
    with _manager((yield)):
        yield


@_block
def _a_finally_that_an_exception_entered() -> Any:
    try:
        if (yield):
            raise KeyError
    finally:
        yield


@_block
def _a_return_under_a_finally() -> Any:
    try:
        return (yield)
    finally:
        yield


@_block
def _a_return_under_two() -> Any:
    try:
        try:
            return (yield)
        finally:
            yield
    finally:
        yield


@_block
def _a_return_or_a_break_under_a_finally() -> Any:
    for _ in [0, 0]:
        try:
            if (yield):
                break
            return 5
        finally:
            yield
    return None


@_block
def _an_else() -> Any:
    for _ in [0, 0]:
        try:
            if (yield):
                raise KeyError
        except KeyError:
            yield
        else:
            yield
            return 5
    return None


@_block
def _an_exception() -> Any:
    try:
        raise (KeyError if (yield) else ValueError)
    except (KeyError, ValueError):
        yield
        raise


@_block
def _the_arguments_of_an_exception() -> Any:
    try:
        raise KeyError((yield))
    except KeyError:
        yield
        raise


@_block
def _an_exception_in_an_exception() -> Any:
    try:
        raise KeyError((yield))
    except KeyError:
        try:
            raise ValueError
        except ValueError:
            yield
        raise


@_block
def _the_context_of_an_exception() -> Any:
    try:
        try:
            raise KeyError((yield))
        except KeyError:
            raise ValueError  # noqa: B904
    except ValueError as error:
        yield
        return str(error.__context__)


@_block
def _the_cause_of_an_exception() -> Any:
    raise KeyError((yield)) from ValueError((yield))


@_block
def _an_exception_that_is_being_matched() -> Any:
    try:
        raise KeyError((yield))
    except ((yield from one()), KeyError)[1] as error:
        return error.args


@_block
def _a_group_of_exceptions() -> Any:
    try:
        raise ExceptionGroup("", [KeyError((yield)), ValueError()])
    except* ValueError:
        yield


@_block
def _what_is_left_of_a_group() -> Any:
    try:
        raise ExceptionGroup("", [KeyError((yield)), ValueError()])
    except* ValueError as error:
        del error
        yield
    except* KeyError as error:
        return_value = error.exceptions[0].args
    return return_value
