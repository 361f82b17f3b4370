"""What is passed on, kept or returned is a value; what a process forgot to yield, or to run, is none.

An operation does nothing until it is yielded, a generator nothing until ``yield from`` runs it. So neither is ever what
its author meant where a value is expected: as an argument, an item, what a function gives, what a process returns.
Whoever takes it for one goes on with something that is never None, never False and equal to nothing, and a step is
missing.

Functions that a user hands over (what updates a variable, a predicate) are called in one place, too: what they raise,
or give in place of a value, is told with their name and line.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import GeneratorType
from typing import Any

from simcore.errors import ModelError, SimcoreError, place_of

NO_VALUES: dict[type, str] = {GeneratorType: "a generator, of which nothing has run; use what `yield from` gives"}
"""What is no value, and what to do."""

SIMPLE = frozenset({str, int, float, bool, bytes, type(None)})
"""Types of which everything is a value, and cannot change."""


def no_value(thing: Any) -> str:
    """Say why ``thing``, or something in it, is no value, and what to do; nothing where it is one."""
    if isinstance(thing, tuple | frozenset):
        return next(filter(None, map(no_value, thing)), "")
    return NO_VALUES.get(type(thing), "")


def refuse_generator(whose: str, fn: Any) -> None:
    """Raise ModelError where ``fn``, which is to give a value, is a generator function."""
    if inspect.isgeneratorfunction(fn):
        raise ModelError(f"{whose}: {fn.__name__} is a generator function; it must return a value, so no `yield` in it")


def called(whose: Callable[[], str], fn: Callable[..., Any], *args: Any) -> Any:
    """Return what a user's function gives.

    Raises
    ------
    ModelError
        When it raises, or gives what is no value.
    """
    try:
        given = fn(*args)
    except SimcoreError:
        raise
    except Exception as error:
        at = place_of(error)
        raise ModelError(f"{whose()} raised {type(error).__name__}: {error}{f' ({at})' * bool(at)}") from error
    wrong = no_value(given)
    if wrong:
        raise ModelError(f"{whose()} returned {wrong}")
    return given
