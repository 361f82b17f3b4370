"""A law says where a hang may be reachable, as inequalities; outside of it, none is. It is never too narrow.

A law is a number of cases, each a number of rows that all hold there. A case that lies inside another one goes without
saying; two that differ in one row only, and leave no whole numbers between them, are one without that row. Both make
the law shorter, and neither changes what it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from simcore.sizes.structure.linear import ONE, Row, implied, plus, possible, value

Case = list[Row]


def simplest(cases: list[Case]) -> list[Case]:
    """Return the same law in fewer words."""
    left: list[Case] = []
    for case in sorted((_thin(case) for case in cases if possible(case)), key=len):
        if not any(_inside(case, other) for other in left):
            left = [other for other in left if not _inside(other, case)]
            left.append(case)
    joined = _joined(left)
    return left if joined is None else simplest(joined)


def _thin(case: Case) -> Case:
    """Leave out each row that the others imply."""
    left = list(case)
    for each in sorted(case, key=len, reverse=True):
        others = [other for other in left if other is not each]
        if implied(each, others):
            left = others
    return left


def _inside(case: Case, other: Case) -> bool:
    return all(implied(each, case) for each in other)


def _joined(cases: list[Case]) -> list[Case] | None:
    """Join two cases that differ in a row here and one there of which one must hold; None where there are none."""
    for number, case in enumerate(cases):
        for other in cases[:number]:
            for a in case:
                rest = [each for each in case if each is not a]
                for b in other:
                    if _rest(other, b) == _rest(case, a) and _one_holds(a, b):
                        return [each for each in cases if each is not case and each is not other] + [rest]
    return None


def _rest(case: Case, each: Row) -> set[frozenset[tuple[object, int]]]:
    """Return all rows of a case but one, as they can be compared."""
    return {frozenset(other.items()) for other in case if other is not each}


def _one_holds(a: Row, b: Row) -> bool:
    """Tell whether one of two rows holds wherever the parameters are: their sum is at least -1, always."""
    total = plus(a, b)
    return not total.keys() - {ONE} and total.get(ONE, 0) >= -1


@dataclass(frozen=True)
class OpenSizes:
    """The sizes that a law leaves open: a hang may be reachable there, as far as the structure of the programs tells.

    Attributes
    ----------
    cases : list of list of dict
        A hang may be reachable where all rows of one of them are at least 0. The unknown of a parameter is how far it
        is above its lowest value.
    lowest : dict of str to int
        The parameters, and the lowest value of each for which the law is meant.
    at : dict of str to int or others
        The values of the parameters that change the programs.
    refused : str
        Why there is no law; then a hang may be reachable anywhere.
    """

    cases: list[Case]
    lowest: Mapping[str, int]
    at: Mapping[str, object] = field(default_factory=dict)
    refused: str = ""

    def safe(self, sizes: Mapping[str, int]) -> bool:
        """Tell whether it is proved that no hang is reachable at ``sizes``, which name all that `about` does."""
        above = {name: sizes[name] - low for name, low in self.lowest.items() if name in sizes}
        if self.refused or any(number < 0 for number in above.values()):
            return False
        return not any(all(value(each, above) >= 0 for each in case) for case in self.cases)

    @property
    def about(self) -> list[str]:
        """The parameters on which it depends."""
        return [name for name in self.lowest if any(name in each for case in self.cases for each in case)]

    @property
    def text(self) -> str:
        """Where a hang may be reachable: "never", "always", or inequalities."""
        if self.refused:
            return f"refused: {self.refused}"
        cases = sorted(" and ".join(sorted(self._shown(each) for each in case)) for case in self.cases)
        if not cases:
            return "never"
        return " or ".join(cases) or "always"

    def _shown(self, each: Row) -> str:
        constant = each.get(ONE, 0) - sum(each.get(name, 0) * low for name, low in self.lowest.items())
        less, more = _side(each, -1), _side(each, 1)
        if not less:
            return f"{more} >= {-constant}"
        if not more:
            return f"{less} <= {constant}"
        return f"{less} <= {more}" + (f" {'+' if constant > 0 else '-'} {abs(constant)}" if constant else "")


def _side(each: Row, sign: int) -> str:
    """Return the parameters that stand on one side of an inequality."""
    there = sorted((str(name), abs(factor)) for name, factor in each.items() if name != ONE and factor * sign > 0)
    return " + ".join(name if factor == 1 else f"{factor}*{name}" for name, factor in there)
