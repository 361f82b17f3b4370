"""Two program points that differ in one thing alone, for each thing that a suspended generator can hold.

A trap is a generator that is given 0 or 1, and stops once more: nothing but what it holds there can tell the two
apart, and later it does something else (`tests/kernel/test_traps.py` sees to that). For a loop it is the same with how
far it has come. Where a trap is not seen through, two points are one and the answer is a false "holds"; `selftest.py`
tries them all. Here are loops and expressions; statements are in `traps_in_statements.py` and `traps_in_blocks.py`.
"""

# ruff: noqa: C400, C408, C416, F841, PIE800, PIE804 - the long way round is what is tried here

from __future__ import annotations

import itertools
import sys
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

# ---- how far a loop has come -------------------------------------------------------------------------

LOOPS: dict[str, Callable[[], Iterable[Any]]] = {
    "list": lambda: [0, 0, 0],
    "tuple": lambda: (0, 0, 0),
    "str": lambda: "000",
    "bytes": lambda: bytes(3),
    "bytearray": lambda: bytearray(3),
    "range": lambda: range(3),
    "large range": lambda: range(10**30, 10**30 + 3),
    "dict": lambda: {1: 0, 2: 0, 3: 0},
    "dict values": lambda: {1: 0, 2: 0, 3: 0}.values(),
    "dict items": lambda: {1: 0, 2: 0, 3: 0}.items(),
    "ordered dict": lambda: OrderedDict({1: 0, 2: 0, 3: 0}),
    "ordered dict items": lambda: OrderedDict({1: 0, 2: 0, 3: 0}).items(),
    "set": lambda: {1, 2, 3},
    "frozenset": lambda: frozenset((1, 2, 3)),
    "deque": lambda: deque([0, 0, 0]),
    "generator expression": lambda: (0 for _ in range(3)),
    "generator expression over a list": lambda: (0 for _ in [0, 0, 0]),
    "inner of two loops": lambda: (0 for _ in [0] for _ in [0, 0, 0]),
    "outer of two loops": lambda: (0 for _ in [0, 0, 0] for _ in [0]),
    "delegation": lambda: _delegating([0, 0, 0]),
    "object": lambda: _Three(),
}
"""What a loop can walk: each gives three items, mostly equal ones, so that the position alone tells them apart."""

ITERATORS: dict[str, Callable[[], Iterator[Any]]] = {
    "iterator of a list": lambda: iter([0, 0, 0]),
    "reversed list": lambda: reversed([0, 0, 0]),
    "reversed range": lambda: reversed(range(3)),
    "enumerate": lambda: enumerate("000"),
    "zip": lambda: zip("000", [0, 0, 0], strict=True),
    "map": lambda: map(abs, [0, 0, 0]),
    "filter": lambda: filter(None, [1, 0, 1, 1]),
    "reversed dict": lambda: reversed({1: 0, 2: 0, 3: 0}),
    "reversed deque": lambda: reversed(deque([0, 0, 0])),
    "callable": lambda: iter(partial(next, iter([0, 0, 0, 1])), 1),
    "chain": lambda: itertools.chain([0], (0, 0)),
    "chain of a list": lambda: itertools.chain.from_iterable([[0], (0, 0)]),
    "repeat": lambda: itertools.repeat(0, 3),
    "count": lambda: itertools.islice(itertools.count(5), 3),
    "islice": lambda: itertools.islice([0] * 5, 0, 5, 2),
    "cycle": lambda: itertools.islice(itertools.cycle([0]), 3),
    "accumulate": lambda: itertools.accumulate([0, 0, 0]),
    "product": lambda: itertools.product([0], [0, 0, 0]),
    "permutations": lambda: itertools.permutations([0, 0, 0], 1),
    "combinations": lambda: itertools.combinations([0, 0, 0], 2),
    "combinations with replacement": lambda: itertools.combinations_with_replacement([0, 0], 2),
    "takewhile": lambda: itertools.takewhile(abs, [1, 1, 1, 0]),
    "dropwhile": lambda: itertools.dropwhile(abs, [1, 0, 0, 0]),
    "filterfalse": lambda: itertools.filterfalse(abs, [0, 0, 0]),
    "starmap": lambda: itertools.starmap(pow, [(0, 1)] * 3),
    "compress": lambda: itertools.compress([0, 0, 0], [1, 1, 1]),
    "zip_longest": lambda: itertools.zip_longest([0, 0, 0], [0]),
    "pairwise": lambda: itertools.pairwise([0, 0, 0, 0]),
    "groupby": lambda: itertools.groupby([0, 1, 0]),
    "group": lambda: next(itertools.groupby([0, 0, 0]))[1],
    "tee": lambda: itertools.tee([0, 0, 0])[0],
}
"""The same for iterators that hold their position themselves, wherever the generator has them."""
if sys.version_info >= (3, 12):
    ITERATORS["batched"] = lambda: itertools.batched([0] * 6, 2)


class _Three:
    """An iterator that is written in Python."""

    def __init__(self) -> None:
        self.left = 3

    def __iter__(self) -> _Three:
        return self

    def __next__(self) -> int:
        if self.left == 0:
            raise StopIteration
        self.left -= 1
        return 0


def _delegating(items: Any) -> Any:
    return (yield from items)


def walk(make: Callable[[], Iterable[Any]]) -> Any:
    """Stop once at each item, with nothing but the loop to tell where."""
    for item in [make(), make := None][0]:  # type: ignore[assignment, union-attr]
        del item
        yield


# ---- what was given, and is not in a variable --------------------------------------------------------


def one() -> Any:
    """Return what it is given."""
    return (yield)


def plus(number: int) -> Any:
    """Add what it is given."""
    return number + (yield)


EXPRESSIONS: dict[str, Callable[[], Any]] = {
    "sum": lambda: (yield) + (yield),
    "product of sums": lambda: ((yield) + 1) * ((yield) + 1),
    "comparison": lambda: (yield) < (yield),
    "chained comparison": lambda: 0 <= (yield) < (yield),
    "membership": lambda: (yield) in ((yield), 5),
    "identity": lambda: (yield) is (yield),
    "tuple": lambda: ((yield), (yield)),
    "list": lambda: [(yield), (yield)],
    "set": lambda: {(yield), (yield) + 5},
    "dict value": lambda: {0: (yield), 1: (yield)},
    "dict key": lambda: {(yield): (yield)},
    "list in a list": lambda: [*[(yield)], (yield)],
    "dict in a dict": lambda: {**{0: (yield)}, 1: (yield)},
    "argument": lambda: max((yield) * 3, (yield)),
    "keyword argument": lambda: dict(a=(yield), b=(yield)),
    "spread arguments": lambda: max(*[(yield) * 3], *[(yield)]),
    "spread keyword arguments": lambda: dict(**{"a": (yield)}, b=(yield)),
    "called function": lambda: (min, max)[(yield)]((yield), 0),
    "object of a method": lambda: ("b", "bb")[(yield)].replace("b", str((yield))),
    "text": lambda: f"{(yield)}{(yield)}",
    "format": lambda: f"{(yield)!r:>{(yield) + 1}}",
    "container": lambda: [[5, 6], [7, 8]][(yield)][(yield)],
    "slice": lambda: "abc"[(yield) : (yield) + 1],
    "around a condition": lambda: [(yield), 3 if (yield) else 4],
    "around an alternative": lambda: [(yield), (yield) or 4],
    "named and forgotten": lambda: [given := (yield), given := 5, (yield)],
    "default": lambda: (lambda a=(yield), b=(yield): (a, b))(),
    "comprehension": lambda: [item for item in [(yield), (yield)]],
    "generator expression": lambda: list(item for item in [(yield), (yield)]),
    "before a delegation": lambda: [(yield), (yield from one())],
    "in a delegation": lambda: (yield from plus((yield))),
    "in a delegation to a delegation": lambda: (yield from _delegating(plus((yield)))),
}
"""Expressions of which the first half has a value when the second one stops."""
