"""Two program points that differ in one thing alone, for what a statement holds while it is under way.

The form is that of `traps.py`: a generator that is given 0 or 1, and stops once more.
"""

from __future__ import annotations

import contextlib
import sys
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any

from simcore.kernel.traps import plus

STATEMENTS: dict[str, Callable[[], Any]] = {}
"""Statements that are in the middle of something; by name, as the refusal of an interpreter gives it."""


def _statement(trap: Callable[[], Any]) -> Callable[[], Any]:
    STATEMENTS[trap.__name__.strip("_").replace("_", " ")] = trap
    return trap


# ---- assignments and definitions ---------------------------------------------------------------------


def _emptied(items: list[int]) -> Any:
    items[0] = 0
    return (yield)


@_statement
def _assignment_to_an_item() -> Any:
    items = [5, 5]
    items[(yield)] = yield
    return items


@_statement
def _unpacking() -> Any:
    items = [5, 5]
    items[(yield)], last = (yield), 6
    return items, last


@_statement
def _augmented_assignment() -> Any:
    items = [(yield)]
    items[0] += yield from _emptied(items)
    return items


@_statement
def _the_defaults_of_a_function() -> Any:
    def function(one: Any = (yield), other: Any = (yield)) -> Any:
        return one, other

    return function()


@_statement
def _the_bases_of_a_class() -> Any:
    class Made((int, float)[(yield)], metaclass=(type, type)[(yield)]):  # type: ignore[misc, metaclass]
        pass

    return Made.__mro__[1]


@_statement
def _a_match() -> Any:
    match (yield):
        case given if (yield) > 5:
            return given
        case 0:
            return "none"
    return "some"


# ---- which container, and whether it has changed -----------------------------------------------------


@_statement
def _which_list_is_walked() -> Any:
    one, other, count = [0], [0], 0
    for _ in one if (yield) else other:
        yield
        count += 1
        if count < 2:
            one.append(0)
    return count


@_statement
def _which_dict_is_walked() -> Any:
    one, other = {0: 0}, {0: 0}
    for _ in one if (yield) else other:
        yield
        one[1] = 1  # whoever walks it gets a RuntimeError


@_statement
def _which_ordered_dict_is_walked() -> Any:
    one, other = OrderedDict({0: 0, 1: 1}), OrderedDict({0: 0, 1: 1})
    for _ in one if (yield) else other:
        yield
        one[2] = 2


@_statement
def _keys_or_values_of_an_ordered_dict() -> Any:
    items = OrderedDict({0: 0, 1: 1})
    met = []
    for item in items if (yield) else items.values():
        yield
        met.append(item)
        items[1] = 2
    return met


@_statement
def _a_dict_that_changed() -> Any:
    items = {0: 0, 1: 1}
    left = iter(items)
    next(left)
    if (yield):
        del items[0]
        yield
    else:
        del items[0]
        left = iter(items)
    yield
    return next(left)


@_statement
def _an_ordered_dict_that_changed() -> Any:
    items = OrderedDict({0: 0, 1: 1})
    left = iter(items)
    if (yield):
        items.move_to_end(0)
    yield
    return next(left)


@_statement
def _a_deque_that_changed() -> Any:
    items = deque([0, 0])
    left = iter(items)
    if (yield):
        items.append(items.pop())
    yield
    return next(left)


@_statement
def _the_table_of_a_set() -> Any:
    items = {0, 8} if (yield) else {8}  # 0 and 8 want the same place
    items.discard(0)
    items.add(2)
    yield
    items.add(1)
    return tuple(items)


# ---- variables ---------------------------------------------------------------------------------------


@_statement
def _a_variable_that_is_unbound() -> Any:
    if (yield):
        bound = None
    yield
    return bound


@_statement
def _which_variable_is_bound() -> Any:
    if (yield):
        one = 5
    else:
        other = 5
    yield
    with contextlib.suppress(UnboundLocalError):
        return one
    return [other]


@_statement
def _a_cell() -> Any:
    given = yield

    def read() -> Any:
        return given

    yield
    return read()


_SHARED = [0]


@_statement
def _a_global() -> Any:
    _SHARED[0] = yield
    yield
    return list(_SHARED)


@_statement
def _a_list_with_two_names() -> Any:
    one: list[int] = []
    other = one if (yield) else []
    yield
    one.append(1)
    return other


@_statement
def _a_generator_in_a_variable() -> Any:
    later = plus((yield))
    yield
    return (yield from later)


if sys.version_info < (3, 13):  # from then on each call gives a new dictionary

    @_statement
    def _what_is_written_to_locals() -> Any:
        if (yield):
            locals()["hidden"] = 5
        yield
        return locals().get("hidden")
