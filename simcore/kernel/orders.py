"""What a model does must not depend on the order of a set, where that order is an accident of how the set came about.

Two equal sets are iterated in different orders where hashes of their elements fall on the same slot, or where one
of them has grown more. The values of objects are equal whatever the order, and whoever gets one gets the copy that was
met first. So a process that takes "any" element of a set, or a function that an object applies to it, would be judged
by one of its orders, and a search would say *holds* of the others. To follow every order would multiply the states of
models that never look at it; to follow one and say nothing is a false answer. Hence what is learned from a set is
**learned again from equal sets in other orders**, and a model for which that makes a difference is refused, in one line
that says what to write instead.

Tried are all rotations of the order, forwards and backwards, so that each element comes first once, in small tables and
in those that copying leaves: every order of two or three elements. Of more than eight elements some rotations are
tried. Where no two orders of a set exist, as for a few small integers, nothing is run again. (Order-independence by
trying permutations is what `exchanges.py` does for names; Ip and Dill's scalarsets forbid iteration for the same
reason.)
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from dataclasses import fields
from functools import partial
from typing import Any

from simcore.errors import ModelError
from simcore.kernel.freeze import Everything, Freezer, freeze, is_frozen_dataclass
from simcore.model import Process
from simcore.model.operations import Operation, Outcomes

_ROTATED = 64  # elements that are put in again for a set: of a larger one fewer rotations are tried
_MOST_KNOWN = 10_000
_PLAIN = frozenset({str, int, bool, float, bytes, type(None)})
_ORDERS: dict[Hashable, tuple[frozenset[Any], ...]] = {}
_ADVICE = (
    "another order, which is an accident of how the set came about; go through sorted(...), or keep a tuple where "
    "the order counts"
)

Rebuild = Callable[[frozenset[Any]], frozenset[Any]]


class Unordered(Freezer):
    """A freezer for which sets are equal in whatever order they are iterated."""

    def __init__(self, outside: Any = None, frame: bool = False) -> None:
        super().__init__(ordered=False, outside=outside or Everything(), frame=frame)

    def _mutable(self, thing: Any) -> Hashable:
        return (set, frozenset(map(self.freeze, thing))) if type(thing) is set else super()._mutable(thing)


def have_orders(given: Any) -> bool:
    """Tell whether there is a frozenset in ``given`` that can have several orders."""
    return next(in_other_orders(given), None) is not None


def in_other_orders(given: Any) -> Iterator[Any]:
    """Yield ``given`` with the frozensets in it in each other order that they can have; most often there is none."""
    orders = [_other_orders(items) for items in _sets(given) if len(items) > 1]
    for number in range(max(map(len, orders), default=0)):
        yield _with(given, partial(_another, number))


def _another(number: int, items: frozenset[Any]) -> frozenset[Any]:
    orders = _other_orders(items) if len(items) > 1 else ()
    return orders[number % len(orders)] if orders else items


def _other_orders(items: frozenset[Any]) -> tuple[frozenset[Any], ...]:
    """Return equal sets in each other order that is tried: the same few sets are asked about again and again."""
    key = freeze(items)
    known = _ORDERS.get(key)
    if known is None:
        found = {key: items}
        for rebuild in _rebuilds(max(1, min(len(items), _ROTATED // len(items)))):
            other = rebuild(items)
            found.setdefault(freeze(other), other)
        if len(_ORDERS) >= _MOST_KNOWN:
            _ORDERS.clear()
        known = _ORDERS[key] = tuple(found.values())[1:]
    return known


def check_outcomes(process: Process, operation: Operation, value: Any, outcomes: Outcomes) -> None:
    """Check that ``operation`` does the same to ``value`` in whatever order the sets in both are iterated.

    Raises
    ------
    ModelError
        When it does not.
    """
    expected: Counter[Hashable] | None = None
    for other, args in in_other_orders((value, operation.args)):
        again = Operation(operation.target, operation.name, args, operation.timeout)
        expected = expected or _counted(outcomes)
        if _counted(operation.target.outcomes(other, again, process)) != expected:
            raise ModelError(f"{operation}, by {process}: it does something else when a set is iterated in {_ADVICE}")


def check_process(name: str, where: str, given: tuple[Any, ...], run: Callable[[tuple[Any, ...]], Hashable]) -> None:
    """Check that a process that is given ``given``, one after the other, does the same in whatever order sets are.

    Parameters
    ----------
    name, where : str
        The process, and where it is.
    run : function
        Returns what it does and comes to, frozen by `Unordered`.

    Raises
    ------
    ModelError
        When it does not.
    """
    expected = None
    for other in in_other_orders(given):
        expected = run(given) if expected is None else expected
        if run(other) != expected:
            told = f"{name}{f' ({where})' * bool(where)}"
            raise ModelError(f"{told}: it does something else when a set that it was given is iterated in {_ADVICE}")


def _counted(outcomes: Outcomes) -> Counter[Hashable]:
    return Counter(Unordered().freeze((outcome.value, _plain(outcome.result))) for outcome in outcomes)


def _plain(result: Any) -> Any:
    """Return the parts of an operation, which is no value."""
    if not isinstance(result, Operation):
        return result
    return (result.target, result.name, result.args, result.timeout)


def _rebuilds(longest: int) -> Iterator[Rebuild]:
    """Yield functions that make a frozenset again, its elements put in in another order."""
    for first in range(longest):
        for step in (1, -1):
            for copied in (False, True):
                yield lambda items, first=first, step=step, copied=copied: _again(items, first, step, copied)  # type: ignore[misc]


def _again(items: frozenset[Any], first: int, step: int, copied: bool) -> frozenset[Any]:
    order = list(items)
    first %= max(len(order), 1)
    order = (order[first:] + order[:first])[::step]
    return frozenset(set(order) if copied else order)


def _parts(thing: Any) -> tuple[Any, ...]:
    """Return what an immutable value is made of, as far as sets can be in it."""
    if isinstance(thing, tuple | frozenset):
        return tuple(thing)
    kind: Any = type(thing)
    return tuple(getattr(thing, field.name, None) for field in fields(thing)) if is_frozen_dataclass(kind) else ()


def _sets(thing: Any) -> Iterator[frozenset[Any]]:
    """Yield the frozensets in a value."""
    if isinstance(thing, frozenset):
        yield thing
    for part in _parts(thing):
        if type(part) not in _PLAIN:
            yield from _sets(part)


def _with(thing: Any, rebuild: Rebuild) -> Any:
    """Return a value with its frozensets rebuilt; what has none is the same thing."""
    if type(thing) in _PLAIN:
        return thing
    parts = _parts(thing)
    made = [part if type(part) in _PLAIN else _with(part, rebuild) for part in parts]
    same = all(map(operator.is_, made, parts))
    if isinstance(thing, frozenset):
        return rebuild(thing if same else frozenset(made))
    if same:
        return thing
    if isinstance(thing, tuple):
        kind: Any = type(thing)
        return kind._make(made) if hasattr(kind, "_fields") else tuple(made)
    copy = object.__new__(type(thing))
    for field, part in zip(fields(thing), made, strict=True):
        object.__setattr__(copy, field.name, part)
    return copy
