"""A row of the table: what is claimed of a release, and what was seen of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simcore.command.confirm.claims import Claim


@dataclass(frozen=True)
class Row:
    """A claim, and what was seen.

    Attributes
    ----------
    result : mapping
        What ``simcore control --json`` prints of it.
    report : str
        What it prints as text.
    replays : bool
        Whether the schedule that was found was the same in another process; True where none was.
    again : str
        The command that follows a schedule of it.
    mistake : str
        Why there is no result.
    seconds : float
        Of all that.
    """

    claim: Claim
    result: Mapping[str, Any]
    report: str
    replays: bool
    again: str
    mistake: str
    seconds: float

    @property
    def seen(self) -> str:
        """What was seen, and what speaks against the claim beside that."""
        if self.mistake:
            return self.mistake
        kind = self.result["kind"] or "none"
        told = {"failed": f"failed: {self.result['answer']}"}.get(kind, kind)
        return "; ".join([told, *self._objections])

    @property
    def _objections(self) -> list[str]:
        if not self.result["kind"]:
            return list(self.result["notes"])
        missing = [f"does not say {text!r}" for text in self.claim.says if _plain(text) not in _plain(self._said)]
        return missing + ["its token does not replay"] * (not self.replays)

    @property
    def _said(self) -> str:
        return " ".join([self.result["answer"], *self.result["blame"]])

    @property
    def as_expected(self) -> bool:
        """Whether that is what was claimed: the end, and what the report says."""
        return not self.mistake and (self.result["kind"] or "none") == self.claim.expected and not self._objections

    @property
    def cells(self) -> tuple[str, ...]:
        """What stands in the table."""
        schedules = f"{self.result['schedules']:,}" if self.result else ""
        claim = self.claim
        return claim.text, claim.release, claim.expected, self.seen, schedules, f"{self.seconds:.1f}"

    def as_json(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        claim = self.claim
        return {
            "claim": claim.text,
            "release": claim.release,
            "function": claim.function,
            "parameters": dict(claim.parameters),
            "timeouts": claim.timeouts,
            "points": claim.points,
            "expected": claim.expected,
            "seen": self.seen,
            "as_expected": self.as_expected,
            "seconds": round(self.seconds, 3),
            "result": dict(self.result),
        }


def _plain(text: str) -> str:
    return " ".join(text.split())


@dataclass(frozen=True)
class Confirmed:
    """The table.

    Attributes
    ----------
    title : str
        What the claims are about.
    rows : sequence of Row
        In the order of the file.
    seconds : float
        For all, without the making of environments.
    """

    title: str
    rows: Sequence[Row]
    seconds: float

    @property
    def otherwise(self) -> list[Row]:
        """The rows in which something else was seen."""
        return [row for row in self.rows if not row.as_expected]

    @property
    def summary(self) -> str:
        """All of it in a line."""
        many, otherwise = len(self.rows), len(self.otherwise)
        counted = f"{many} claim{'s' * (many != 1)}, {many - otherwise} as expected, {otherwise} otherwise"
        return f"{counted}, {self.seconds:.0f} s"

    def as_json(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        return {
            "title": self.title,
            "claims": [row.as_json() for row in self.rows],
            "as_expected": len(self.rows) - len(self.otherwise),
            "otherwise": len(self.otherwise),
            "seconds": round(self.seconds, 3),
        }
