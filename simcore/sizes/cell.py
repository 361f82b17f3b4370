"""A cell is one size of a model and what is known of it; a verdict that nobody has explored is marked as inferred."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from simcore.model import Parameter, Verdict


@dataclass(frozen=True)
class Cell:
    """One cell of a sweep. Two are equal when they say the same, however long it took.

    Attributes
    ----------
    parameters : mapping of str to int, float, str, bool or None
        The size: what was asked of the grid, in its order.
    verdict : Verdict
        What was found; undetermined where the model could not be built, too.
    states : int
        Distinct states met; 0 where nothing was explored.
    seconds : float
        Wall-clock time of the exploration.
    reason : str
        What of it is violated, or why it is undetermined, in a line.
    token : str
        Replays the counterexample with ``simcore replay``; empty where there is none.
    inferred : bool
        Whether the verdict is that of two explored cells between which this one lies, and was not explored.
    error : str
        Why the model cannot be explored at this size; empty where it can.
    hangs : bool
        Whether what is violated is that nobody waits for ever.
    """

    parameters: Mapping[str, Parameter]
    verdict: Verdict
    states: int = 0
    seconds: float = field(default=0.0, compare=False)
    reason: str = ""
    token: str = ""
    inferred: bool = False
    error: str = ""
    hangs: bool = False

    @property
    def determined(self) -> bool:
        """Whether its verdict is holds or violated, and was explored: what a law may rest on."""
        return self.verdict is not Verdict.UNDETERMINED and not self.inferred

    @property
    def told(self) -> str:
        """The verdict as a table shows it."""
        return "error" if self.error else f"{self.verdict}{' (inferred)' if self.inferred else ''}"

    def row(self) -> dict[str, Any]:
        """Return it as plain data, the parameters first."""
        return {
            **self.parameters,
            "verdict": str(self.verdict),
            "states": self.states,
            "seconds": round(self.seconds, 3),
            "reason": self.reason,
            "token": self.token,
            "inferred": self.inferred,
            "error": self.error,
            "hangs": self.hangs,
        }

    def __str__(self) -> str:
        why = self.error or self.reason
        return f"{at(self.parameters)}: {self.told}" + (f", {why}" if why else "")

    __repr__ = __str__


def at(parameters: Mapping[str, Parameter]) -> str:
    """Return the parameters as a report shows them."""
    return ", ".join(f"{name}={value}" for name, value in parameters.items())


def key(parameters: Mapping[str, Parameter]) -> tuple[Any, ...]:
    """Return what tells one size from another: 1 and True are two."""
    return tuple((name, type(value).__name__, value) for name, value in parameters.items())


def counted(number: int, noun: str) -> str:
    """Return how many there are, in words: "1 cell", "3 cells"."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def in_words(names: Collection[str], word: str = "and") -> str:
    """Return names as a sentence has them: "a, b and c"; "none" of no name."""
    *most, last = names if names else ["none"]
    return f"{', '.join(most)} {word} {last}" if most else last


def is_whole(value: object) -> TypeGuard[int]:
    """Tell whether a value is a whole number, which True is not."""
    return isinstance(value, int) and not isinstance(value, bool)
