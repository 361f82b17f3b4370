"""A law says what no explored cell contradicts, and counts the cells; of any other size it is a guess, and says so."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from simcore.errors import OptionError
from simcore.model import Parameter, listed
from simcore.sizes.cell import Cell, at, counted, in_words, key
from simcore.sizes.forms import WIDEST, Inequality


class SafeSize(NamedTuple):
    """The smallest size that is safe by a law.

    Attributes
    ----------
    parameter : str
        What it is of.
    value : int
        From this value on the law calls every size safe.
    extrapolated : bool
        Whether nobody has explored this very size: it lies beyond the grid, or between its values.
    """

    parameter: str
    value: int
    extrapolated: bool

    def __str__(self) -> str:
        return f"{self.parameter}={self.value}" + " (extrapolated: this size was not explored)" * self.extrapolated


class Counts(NamedTuple):
    """The cells behind a law.

    Attributes
    ----------
    fitted, tested : int
        Explored cells that it was chosen by, and others that it was then held against.
    undetermined, inferred : int
        Cells that were used for neither.
    refuted : int
        Candidates before it in the order of simplicity that fitted the ones, and that one of the others refuted.
    """

    fitted: int
    tested: int
    undetermined: int = 0
    inferred: int = 0
    refuted: int = 0

    @property
    def explored(self) -> int:
        """Cells that it was fitted to or tested with."""
        return self.fitted + self.tested


@listed(without="explored")
@dataclass(frozen=True)
class Law:
    """Where a model hangs, as an inequality over its parameters that no explored cell contradicts.

    `fitting` says which inequalities there are, which is the simplest, and how cells are held out.

    Attributes
    ----------
    formula : str
        "workers <= downloads * (depth - 1)"; "always" or "never"; empty where the law is refused.
    inequalities : tuple of Inequality
        One, or two that are ``joined``; none where it always or never hangs.
    joined : str
        "and" or "or".
    counts : Counts
        How many cells it rests on.
    what : str
        "hangs" where every violation is a hang, else "is violated".
    fixed : mapping of str to int, float, str, bool or None
        Parameters for which it was found: those of one value, and those at their defaults.
    also : tuple of str
        Others that are as short and as true of all cells explored. They differ elsewhere.
    refused : str
        Why there is no law.
    witness : Cell, optional
        The cell with which no candidate agrees that agrees with those before it.
    varying : tuple of str
        The parameters that had several values.
    explored : collection
        Their values in each cell explored.
    """

    formula: str
    counts: Counts
    inequalities: tuple[Inequality, ...] = ()
    joined: str = "and"
    what: str = "hangs"
    fixed: Mapping[str, Parameter] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    refused: str = ""
    witness: Cell | None = None
    varying: tuple[str, ...] = ()
    explored: Collection[tuple[Any, ...]] = field(default=frozenset(), repr=False)

    def violated(self, **parameters: int) -> bool | None:
        """Tell what the law says of a size; None where there is none.

        Raises
        ------
        OptionError
            When a parameter of the law lacks, is no whole number, or is not what it was when the law was found.
        """
        if self.refused:
            return None
        size = self._known(parameters)
        if not self.inequalities:
            return self.formula == ALWAYS
        self._need([name for name in self.names if name not in size], parameters)
        return self._says(size)

    def _says(self, size: Mapping[str, int]) -> bool:
        found = [each.holds(size) for each in self.inequalities]
        return all(found) if self.joined == "and" else any(found)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters in it, in the order of the sweep."""
        return tuple(name for name in self.varying if any(name in each.names for each in self.inequalities))

    def smallest_safe(self, **given: int) -> SafeSize | None:
        """Return the smallest value of the parameter of the law that is not given, from which on the law says safe.

        None where the law is refused, or says that no value is safe however large. At least 1.

        Raises
        ------
        OptionError
            When there is not exactly one parameter of the law that is not given.
        """
        if self.refused or self.formula == ALWAYS:
            return None
        known = self._known(given)
        about = self.names or self.varying
        left = [name for name in about if name not in known]
        if not left:
            raise OptionError(
                f"the law is about {in_words(about)}; leave out the one whose smallest safe value is asked"
            )
        self._need(left[1:] if self.inequalities else [], given)
        name = left[0]
        value = self._safe_from(name, known)
        if value is None:
            return None
        size = {*key({**known, name: value})}
        return SafeSize(name, value, not any(size <= {*cell} for cell in self.explored))

    def _known(self, given: Mapping[str, int]) -> dict[str, int]:
        """Return what is given of the parameters that varied; the others must be what they were."""
        for name, value in given.items():
            if name not in self.varying and name not in self.fixed:
                raise OptionError(f"there is no parameter {name!r}; the law is about {in_words(self.varying)}")
            if name in self.fixed and self.fixed[name] != value:
                raise OptionError(
                    f"the law was found with {name}={self.fixed[name]}, and says nothing of {name}={value}"
                )
            if name in self.varying and type(value) is not int:
                raise OptionError(f"{name}={value!r}: give a whole number; the law is about {in_words(self.varying)}")
        return {name: value for name, value in given.items() if name in self.varying}

    def _need(self, missing: Collection[str], given: Mapping[str, Parameter]) -> None:
        if missing:
            about = f"the law is about {in_words(self.names or self.varying)}"
            raise OptionError(f"{about}; {at(given) or 'nothing'} was given, so say what {in_words(missing)} is")

    def _safe_from(self, name: str, known: Mapping[str, int]) -> int | None:
        """Return from where on the law says safe: between the places where an inequality changes it says one thing."""
        if not self.inequalities:
            return 1
        far = _far(self.inequalities, known)
        if self._says({**known, name: far}):
            return None
        changes = {1, *(_change(each, name, known, far) for each in self.inequalities), far}
        pieces = [*pairwise(sorted(changes))]
        return next((end for start, end in reversed(pieces) if self._says({**known, name: start})), 1)

    def __str__(self) -> str:
        return "\n  ".join([self._first, *self._rest()])

    __repr__ = __str__

    @property
    def _first(self) -> str:
        if self.refused:
            return f"no law: {self.refused}"
        said = {ALWAYS: f"{self.what} always", NEVER: f"{self.what} never"}
        text = said.get(self.formula, f"{self.what} exactly where {self.formula}")
        split = f"({self.counts.fitted:,} fitted, {self.counts.tested:,} tested)"
        return f"{text}: holds in all {self.counts.explored:,} cells explored {split}"

    def _rest(self) -> list[str]:
        counts = self.counts
        lines = [f"with {at(self.fixed)}"] * bool(self.fixed)
        lines += [f"{counted(counts.undetermined, 'cell')} undetermined, of which it says nothing"] * (
            counts.undetermined > 0
        )
        lines += [f"{counted(counts.inferred, 'cell')} inferred, on which it does not rest"] * (counts.inferred > 0)
        if counts.refuted:
            told = (
                f"{counted(counts.refuted, 'candidate')} before it in the order fitted, and a tested cell refuted each"
            )
            lines.append(told)
        lines += [f"as short, and as true of these cells: {other}" for other in self.also]
        return lines


ALWAYS, NEVER = "always", "never"


def _far(inequalities: Collection[Inequality], known: Mapping[str, int]) -> int:
    """Return a value of a parameter at which each inequality has changed, if it ever does.

    Along a parameter a side is a straight line that rises by 1 at least, from a sum of products of the others.
    """
    largest = max(map(abs, (*known.values(), *(each.number for each in inequalities), 16)))
    return int(largest ** (2 * WIDEST))


def _change(inequality: Inequality, name: str, known: Mapping[str, int], high: int) -> int:
    """Return the first value of a parameter, from 1 to ``high``, at which the inequality is not as at 1; or 1."""
    low = 1
    if name not in inequality.names:
        return low
    start = inequality.holds({**known, name: low})
    if inequality.holds({**known, name: high}) is start:
        return low
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if inequality.holds({**known, name: middle}) is start else (low, middle)
    return high
