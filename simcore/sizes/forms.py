"""The inequalities that a law may be, each with what it takes to write it down.

A side is a sum of products of parameters, each once: ``x``, ``3 * x``, ``x * y``, ``x * (y - 1)``, ``x * (y + z)``,
``x * y * (z - 1)``, ``x + y``, ``x * y + z`` and the like. An inequality has a side on the left, another one with none
of its parameters on the right, or nothing, and a number: ``workers <= roots * (depth - 1)``, ``depth >= 2``,
``workers <= downloads + 2``. A side is a straight line along each of its parameters, so an inequality changes there
once at most.

Symbols are the names, and the digits of the numbers, in binary: ``workers <= roots * (depth - 1)`` has four, and
``workers <= 9`` five. So no number that happens to fit is cheap (minimum description length, Rissanen 1978).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from math import prod
from operator import itemgetter
from typing import NamedTuple

FACTORS = (2, 3, 4)
OFFSETS = (-1, 1, -2, 2)
WIDEST = 4
"""Symbols of a side, at most; of many parameters one less."""

MANY = 5


class Factor(NamedTuple):
    """A sum of parameters and a number."""

    names: tuple[str, ...]
    offset: int = 0

    def __str__(self) -> str:
        whole = " + ".join(self.names) + _plus(self.offset)
        return f"({whole})" if self.offset or len(self.names) > 1 else whole

    def value(self, at: Mapping[str, int]) -> int:
        """Return it for these parameters."""
        return sum(at[name] for name in self.names) + self.offset


class Product(NamedTuple):
    """A number times factors."""

    factors: tuple[Factor, ...]
    times: int = 1

    def __str__(self) -> str:
        return " * ".join([str(self.times)] * (self.times != 1) + [str(factor) for factor in self.factors])


class Side(NamedTuple):
    """A sum of products; of none, it is 0."""

    products: tuple[Product, ...] = ()

    def __str__(self) -> str:
        return " + ".join(map(str, self.products))

    @property
    def names(self) -> frozenset[str]:
        """The parameters in it."""
        return frozenset(name for each in self.products for factor in each.factors for name in factor.names)

    @property
    def symbols(self) -> int:
        """How many symbols are written."""
        factors = [factor for each in self.products for factor in each.factors]
        times = sum(_digits(each.times) for each in self.products if each.times != 1)
        return times + sum(len(factor.names) + _digits(factor.offset) for factor in factors)

    @property
    def magnitude(self) -> int:
        """The sum of the numbers that are written."""
        factors = [factor for each in self.products for factor in each.factors]
        return sum(each.times for each in self.products if each.times != 1) + sum(abs(each.offset) for each in factors)

    def value(self, at: Mapping[str, int]) -> int:
        """Return it for these parameters."""
        return sum(each.times * prod(factor.value(at) for factor in each.factors) for each in self.products)


class Inequality(NamedTuple):
    """``left <= right - number``: true where ``right - left`` is at least ``number``."""

    left: Side
    right: Side
    number: int

    @property
    def symbols(self) -> int:
        """How many symbols are written."""
        alone = not (self.left.products and self.right.products)
        return self.left.symbols + self.right.symbols + max(_digits(self.number), alone)

    @property
    def magnitude(self) -> int:
        """The sum of the numbers that are written, whatever their signs."""
        return self.left.magnitude + self.right.magnitude + abs(self.number)

    @property
    def names(self) -> frozenset[str]:
        """The parameters in it."""
        return self.left.names | self.right.names

    def holds(self, at: Mapping[str, int]) -> bool:
        """Tell whether it is true for these parameters."""
        return self.right.value(at) - self.left.value(at) >= self.number

    def __str__(self) -> str:
        if not self.left.products:
            return f"{self.right} >= {self.number}"
        if not self.right.products:
            return f"{self.left} <= {-self.number}"
        return f"{self.left} <= {self.right}{_plus(-self.number)}"


def _digits(number: int) -> int:
    """Return how many binary digits a number has; 0 is not written."""
    return abs(number).bit_length()


def _plus(number: int) -> str:
    return "" if number == 0 else f" {'+' if number > 0 else '-'} {abs(number)}"


def sides(names: Sequence[str]) -> list[Side]:
    """Return every side, in the order in which equally long ones are preferred."""
    most = WIDEST if len(names) < MANY else WIDEST - 1
    found = {side: None for side in _sides(names) if side.symbols <= most}
    return sorted(found, key=lambda side: side.symbols)


def _sides(names: Sequence[str]) -> Iterator[Side]:
    products = [*_products(names)]
    yield from (Side((each,)) for each in products)
    held = {each: Side((each,)).names for each in products if not _is_spread(each)}
    for a, b in combinations(held, 2):
        if not held[a] & held[b] and 1 in (a.times, b.times):
            yield Side((a, b))
    alone = [each for each in held if len(held[each]) == 1]
    for three in combinations(alone, 3):
        if len(Side(three).names) == 3 and sum(each.times != 1 for each in three) < 2:
            yield Side(three)


def _is_spread(term: Product) -> bool:
    """Tell whether it is x*(y + z), to which nothing is added."""
    return any(len(factor.names) > 1 for factor in term.factors)


def _products(names: Sequence[str]) -> Iterator[Product]:
    single = {name: Factor((name,)) for name in names}
    for size in (1, 2, 3):
        for chosen in combinations(names, size):
            factors = tuple(single[name] for name in chosen)
            yield Product(factors)
            yield from (Product(factors, times) for times in FACTORS)
            yield from _moved(chosen, single)
    for one, (a, b) in ((one, two) for one in names for two in combinations(names, 2) if one not in two):
        yield Product((single[one], Factor((a, b))))
    for a, b in combinations(names, 2):
        yield Product((Factor((a,), -1), Factor((b,), -1)))


def _moved(chosen: Sequence[str], single: Mapping[str, Factor]) -> Iterator[Product]:
    """Yield products in which a number is added to the last factor: of one factor alone the inequality has it."""
    if len(chosen) == 1:
        return
    for last in chosen:
        others = tuple(single[name] for name in chosen if name != last)
        for offset in OFFSETS if len(chosen) == 2 else (-1,):
            yield Product((*others, Factor((last,), offset)))


def pairs(names: Sequence[str]) -> list[tuple[int, Side, Side]]:
    """Return the sides of every inequality, left and right, with their symbols, those with fewer first."""
    by_names: dict[frozenset[str], list[tuple[int, Side]]] = {frozenset(): [(0, Side())]}
    for side in sides(names):
        by_names.setdefault(side.names, []).append((side.symbols, side))
    apart = [(one, other) for one, other in product(by_names, repeat=2) if not one & other and one | other]
    both = (lists for one, other in apart for lists in product(by_names[one], by_names[other]))
    return sorted(((a + b, left, right) for (a, left), (b, right) in both), key=itemgetter(0))
