"""A single step is natural: exchanging names before it and after it gives the same, or the step is refused.

Values are None, bools, whole numbers, texts in which no name can be, names (`Index`), and tuples, lists, ranges and
sets of such. That is closed under all that is done here, so what a step is given need not be looked through again.
What is done to names is ``==``, which for an `Index` is identity, and what is made of it: ``in``, sets. Order, hash,
text, type, truth and attributes of a name are never asked for. Nothing makes a number of a name, so all that is done
to numbers is natural.

Walking a set gives its elements in an order that is an accident of hashes. So what is made of a walk is a `Bag`: how
often each thing is in it, in no order. It may be counted, asked for something, put into a set, added up, or be the
outcomes of a transition, which have no order; nothing else. A set of one element, and a bag of one, have one order.
"""

from __future__ import annotations

import ast
import builtins
import operator
from collections.abc import Callable, Collection
from typing import Any

from simcore.model import Index

MOST_STEPS = 20_000
"""Expressions and statements of one run, and numbers of a range that is walked, at most; what is longer is given up."""

NUMBERS = (int, bool)
SETS = (frozenset, set)
SEQUENCES = (tuple, list)


class Unknown(Exception):
    """Of a step it is not known that it is natural."""


class Bag:
    """What was made of the elements of a set, in no order.

    Attributes
    ----------
    kind : type
        Whether Python has a tuple in its place, or a list.
    items : list
        At least two.
    """

    __slots__ = ("items", "kind")

    def __init__(self, kind: type, items: list[Any]) -> None:
        self.kind, self.items = kind, items


def nameless(thing: Any) -> bool:
    """Tell whether ``thing`` is a constant that no permutation of names can change."""
    kind = type(thing)
    if kind is str:
        return "[" not in thing and "#" not in thing  # as they are in ``family[0]`` and ``future#0``
    return thing is None or kind in NUMBERS or (kind in (tuple, frozenset) and all(map(nameless, thing)))


def truth(given: Any) -> bool:
    """Return the truth of a value or a `Bag`, which is asked of no name."""
    if type(given) is Index:
        raise Unknown
    return type(given) is Bag or bool(given)


def in_turn(given: Any) -> tuple[Any, bool]:
    """Return what is walked, and whether its order means something."""
    kind = type(given)
    if kind is Bag:
        return given.items, False
    if kind in SETS:
        return given, len(given) < 2
    if kind not in (tuple, list, range) or (kind is range and len(given) > MOST_STEPS):  # Python may stop early
        raise Unknown
    return given, True


def collected(kind: Any, items: Collection[Any], ordered: bool) -> Any:
    """Return a collection of ``items``, which is a `Bag` where they have no order and need one."""
    if ordered or len(items) < 2:
        return kind(items)
    if kind in SEQUENCES:
        return Bag(kind, list(items))
    return kind(_told_apart(items))


def _told_apart(items: Collection[Any]) -> Collection[Any]:
    """Return ``items``: of equal ones, as 1 and True, a set keeps the first that comes."""
    if len(set(items)) != len(set(map(_exactly, items))):
        raise Unknown
    return items


def _exactly(thing: Any) -> Any:
    kind = type(thing)
    if kind is tuple:
        return (kind, *map(_exactly, thing))
    return (kind, frozenset(map(_exactly, thing)) if kind is frozenset else thing)


def for_a_set(given: Any) -> Any:
    """Return what a method of a set is given, if it is walked there in an order that does not matter."""
    items, ordered = in_turn(given)
    return items if ordered or type(given) in SETS else _told_apart(items)


def binary(asked: type[ast.operator], left: Any, right: Any) -> Any:
    """Return what an operator gives for two values, or for a `Bag` and what is added to it."""
    one, other = type(left), type(right)
    if one in NUMBERS and other in NUMBERS and asked in _OF_NUMBERS:
        return _OF_NUMBERS[asked](left, right)
    if one in SETS and other in SETS and asked in _OF_SETS:
        return _OF_SETS[asked](left, right)
    if asked is ast.Add and Bag in (one, other):
        return _added(left, right)
    if asked is ast.Add and one is other and one in SEQUENCES:
        return left + right
    if asked is ast.Mult and {one, other} <= {int, tuple} and one is not other:
        return left * right
    raise Unknown


def _added(left: Any, right: Any) -> Bag:
    kinds = {part.kind if type(part) is Bag else type(part) for part in (left, right)}
    if len(kinds) != 1 or not kinds <= {tuple, list}:
        raise Unknown
    return Bag(kinds.pop(), [item for part in (left, right) for item in in_turn(part)[0]])


def compared(asked: type[ast.cmpop], left: Any, right: Any) -> bool:
    """Return what a comparison gives; in a `Bag` things may be looked for."""
    one, other = type(left), type(right)
    if asked in (ast.In, ast.NotIn):
        if one is Bag or not (other in (*SEQUENCES, *SETS, Bag) or (other is range and one in NUMBERS)):
            raise Unknown
        return (left in (right.items if other is Bag else right)) is (asked is ast.In)
    if asked in (ast.Is, ast.IsNot):
        if not any(thing is None or type(thing) is bool for thing in (left, right)):
            raise Unknown
        return (left is right) is (asked is ast.Is)
    if asked in (ast.Eq, ast.NotEq):
        if Bag in (one, other):
            raise Unknown
        return bool(left == right) is (asked is ast.Eq)
    if not ((one in NUMBERS and other in NUMBERS) or (one in SETS and other in SETS)):
        raise Unknown
    return bool(_IN_ORDER[asked](left, right))


def _truths(items: Collection[Any]) -> list[bool]:
    """Return all of them: where Python stops is a matter of the order."""
    return [truth(item) for item in items]


def _length(given: Any) -> int:
    return len(in_turn(given)[0])


def _numbers(given: Collection[Any]) -> Collection[int]:
    if any(type(each) not in NUMBERS for each in given):
        raise Unknown
    return given


def _whole(*given: Any) -> tuple[int, ...]:
    if any(type(each) is not int for each in given):
        raise Unknown
    return given


KINDS: dict[type[ast.AST], type] = {
    ast.Tuple: tuple,
    ast.List: list,
    ast.Set: set,
    ast.ListComp: list,
    ast.SetComp: set,
}
OF_ONE: dict[type[ast.unaryop], Callable[[int], int]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}
_OF_SETS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
    ast.Sub: operator.sub,
}
_OF_NUMBERS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    **_OF_SETS,
    ast.Add: operator.add,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.RShift: operator.rshift,
}
_IN_ORDER: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
METHODS_OF_SETS = frozenset(
    ["union", "intersection", "difference", "symmetric_difference", "issubset", "issuperset", "isdisjoint"]
)
CONSUMING: tuple[tuple[Any, Callable[[Collection[Any], bool], Any]], ...] = (
    (builtins.tuple, lambda items, ordered: collected(tuple, items, ordered)),
    (builtins.list, lambda items, ordered: collected(list, items, ordered)),
    (builtins.set, lambda items, ordered: collected(set, items, ordered)),
    (builtins.frozenset, lambda items, ordered: collected(frozenset, items, ordered)),
    (builtins.any, lambda items, _: any(_truths(items))),
    (builtins.all, lambda items, _: all(_truths(items))),
    (builtins.sum, lambda items, _: sum(_numbers(items))),
    (builtins.min, lambda items, _: min(_whole(*items))),
    (builtins.max, lambda items, _: max(_whole(*items))),
)
"""Functions of what is walked at once; of numbers, it does not matter in which order."""
CALLED: tuple[tuple[Any, Callable[..., Any]], ...] = (
    (builtins.tuple, lambda: ()),
    (builtins.list, list),
    (builtins.set, lambda: set()),
    (builtins.frozenset, lambda: frozenset()),
    (builtins.len, _length),
    (builtins.bool, truth),
    (builtins.abs, lambda number: abs(*_whole(number))),
    (builtins.min, lambda first, second, *more: min(_whole(first, second, *more))),
    (builtins.max, lambda first, second, *more: max(_whole(first, second, *more))),
    (builtins.range, lambda *ends: range(*_whole(*ends))),
)
