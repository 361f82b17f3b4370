"""Every claim of a library is explored, each for itself, and the table shows where another answer was found.

Claims do not depend on each other, so several processes share them. A process is told a module and a
position there and looks the claim up itself; it sends back plain data. So nothing has to be pickled that a
property or a model is made of, and a claim means the same wherever it is explored.
"""

from __future__ import annotations

import json
import re
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import ModuleType
from typing import Any, NamedTuple

from simcore.command.matrix.children import Killed, in_children
from simcore.errors import ModelError, OptionError, SimcoreError, place_of
from simcore.explore import explore
from simcore.model import Claim, Verdict, claims_of, import_module
from simcore.report import as_json, table

NAMES = ("matrix.md", "matrix.json")
"""The files of a matrix."""

COLUMNS = ("property", "version", "model", "expected", "found", "states", "seconds")

_RELEASE = re.compile(r"\d+(\.\d+)+$").match
_KINDS = "SLRH"  # safety, liveness, resource, hazard: as catalogues of properties number them


class Place(NamedTuple):
    """Where a claim stands."""

    module: str
    position: int

    def claim(self) -> Claim:
        """Look it up."""
        return claims_of(import_module(self.module))[self.position]


class Answer(NamedTuple):
    """What became of the claim at a place, as plain data.

    Attributes
    ----------
    result : mapping
        What `simcore explore --json` prints.
    report : str
        What it prints as text.
    mistake : str
        Why there is no result.
    """

    place: Place
    result: Mapping[str, Any]
    report: str
    mistake: str = ""


@dataclass(frozen=True)
class Chosen:
    """Claims to explore, in the order of the table, and how many were left out because they are slow."""

    package: str
    claims: Mapping[Place, Claim]
    left_out: int = 0


@dataclass(frozen=True)
class Row:
    """A claim, and what was found.

    Attributes
    ----------
    model : str
        The function, named from inside the package, its parameters, and what else the verdict depends on.
    """

    claim: Claim
    model: str
    result: Mapping[str, Any]
    report: str

    @property
    def about(self) -> str:
        """What is asked, with the id of the catalogue."""
        return f"{self.claim.id} {self.claim.property}"

    @property
    def verdict(self) -> str:
        """The verdict found."""
        return str(self.result["verdict"])

    @property
    def found(self) -> str:
        """The verdict; with its bound when there is none, with the property when another one was violated."""
        more = self.result["reason"] or (self.result["property"] if self._another else "")
        return f"{self.verdict}: {more}" if more else self.verdict

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the expected one, and where it is *violated*, of the property that was asked."""
        return self.verdict == str(self.claim.expected) and not self._another

    @property
    def undetermined(self) -> bool:
        """Whether something was expected, and nothing was found."""
        return not self.as_expected and self.verdict == str(Verdict.UNDETERMINED)

    @property
    def _another(self) -> bool:
        violated = self.verdict == str(Verdict.VIOLATED)
        return violated and bool(self.result["property"] != self.claim.property.name)

    @property
    def cells(self) -> tuple[str, ...]:
        """What stands in `COLUMNS`."""
        states, seconds = f"{self.result['states']:,}", f"{self.result['seconds']:.1f}"
        return self.about, self.claim.version, self.model, str(self.claim.expected), self.found, states, seconds

    def as_json(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        claim = self.claim
        return {
            "id": claim.id,
            "version": claim.version,
            "model": claim.function,
            "parameters": dict(claim.parameters),
            "property": claim.property.name,
            "timeouts": claim.timeouts,
            "max_states": claim.max_states,
            "slow": claim.slow,
            "note": claim.note,
            "expected": str(claim.expected),
            "found": self.verdict,
            "as_expected": self.as_expected,
            "result": dict(self.result),
        }


@dataclass(frozen=True)
class Matrix:
    """The table.

    Attributes
    ----------
    rows : tuple of Row
        By id, then in the order of the modules.
    left_out : int
        Claims that are slow, and were not asked.
    seconds : float
        Wall-clock time for all.
    """

    rows: tuple[Row, ...]
    left_out: int
    seconds: float

    @property
    def otherwise(self) -> tuple[Row, ...]:
        """The rows in which something else was found, the undetermined ones included."""
        return tuple(row for row in self.rows if not row.as_expected)

    @property
    def groups(self) -> list[list[Row]]:
        """The rows of each id."""
        return [list(rows) for _, rows in groupby(self.rows, key=lambda row: row.claim.id)]

    @property
    def overview(self) -> tuple[list[str], list[tuple[str, ...]]]:
        """A header, and a row for each id: what was found of each release, and of variants; counted if it varies."""
        versions = {row.claim.version for row in self.rows}
        columns = {version: {version} for version in sorted(filter(_RELEASE, versions), key=_natural)}
        columns |= {"variants": versions - {*columns}} if versions - {*columns} else {}
        return ["id", *columns], [
            (same[0].claim.id, *(_verdicts([r for r in same if r.claim.version in own]) for own in columns.values()))
            for same in self.groups
        ]

    @property
    def disagreements(self) -> list[str]:
        """Each claim that was not found as expected, in a line."""
        return [f"{row.claim}, found {row.found}" for row in self.otherwise]

    @property
    def slow(self) -> str:
        """What --quick has left out, in a line; empty when nothing."""
        return f"{_counted(self.left_out)} left out because {'they are' if self.left_out > 1 else 'it is'} slow"

    @property
    def summary(self) -> str:
        """All of it in a line."""
        otherwise = len(self.otherwise)
        counted = f"{_counted(len(self.rows))}, {len(self.rows) - otherwise} as expected, {otherwise} otherwise"
        return f"{counted}, {self.seconds:.1f} s"

    def as_json(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        return {
            "claims": [row.as_json() for row in self.rows],
            "as_expected": len(self.rows) - len(self.otherwise),
            "otherwise": len(self.otherwise),
            "left_out": self.left_out,
            "seconds": round(self.seconds, 3),
        }

    @property
    def markdown(self) -> str:
        """The table with notes and tokens; behind it the report of each disagreement."""
        rows = [
            [*row.cells, row.claim.note, f"`{row.result['token']}`" if row.result["token"] else ""] for row in self.rows
        ]
        parts = ["# Claims", self.summary + ".", *[f"{self.slow}."] * bool(self.left_out)]
        parts.append(table(*self.overview))
        parts.append(table([*COLUMNS, "note", "token"], rows))
        for row, line in zip(self.otherwise, self.disagreements, strict=True):
            parts += [f"## Otherwise: {line}", f"```text\n{row.report}\n```"]
        return "\n\n".join(parts) + "\n"

    def files(self) -> dict[str, str]:
        """Return everything that the folder holds, by file name."""
        return {"matrix.md": self.markdown, "matrix.json": json.dumps(self.as_json(), indent=2) + "\n"}


def choose(package: str, modules: Iterable[ModuleType], quick: bool = False, only: Sequence[str] = ()) -> Chosen:
    """Return the claims of ``modules``, by id.

    Parameters
    ----------
    package : str
        What the modules are of; models are named from there.
    quick : bool
        Leave the slow claims out.
    only : sequence of str
        Ids, modules and model functions; a claim is taken when one of them is its own.

    Raises
    ------
    OptionError
        When one of ``only`` is nobody's, or no claim is left.
    ModelError
        When the ``CLAIMS`` of a module are none.
    """
    claims = {Place(module.__name__, n): claim for module in modules for n, claim in enumerate(claims_of(module))}
    if not claims:
        raise OptionError(f"{package} makes no claims; a module makes them with CLAIMS = (Claim(...), ...)")
    if only:
        claims = _only(package, claims, only)
    asked = {place: claim for place, claim in claims.items() if not (quick and claim.slow)}
    if not asked:
        raise OptionError(f"every claim that is asked for is slow ({len(claims)} of them), and --quick leaves it out")
    return Chosen(package, _by_id(asked), len(claims) - len(asked))


def _by_id(claims: Mapping[Place, Claim]) -> dict[Place, Claim]:
    """Order claims by id; what asks the same stays together."""
    asks = {place: (claim.id, claim.property.name) for place, claim in claims.items()}
    first = {asked: number for number, asked in reversed([*enumerate(asks.values())])}
    return {place: claims[place] for place in sorted(claims, key=lambda p: (_natural(asks[p][0]), first[asks[p]]))}


def answer(chosen: Chosen, jobs: int, tell: Callable[[str], None]) -> Matrix:
    """Explore the chosen claims.

    Parameters
    ----------
    jobs : int
        Processes that explore at the same time; 1 means this one.
    tell : function
        Called with how far it has come, for a progress line.

    Raises
    ------
    ModelError
        When a claim cannot be explored; it is named.
    """
    started = time.monotonic()
    slow_first = sorted(chosen.claims, key=lambda place: not chosen.claims[place].slow)
    jobs = min(jobs, len(slow_first))
    answers: dict[Place, Answer] = {}
    for found in map(_explored, slow_first) if jobs == 1 else _in_children(slow_first, jobs):
        if found is not None:
            if found.mistake:
                raise ModelError(f"{chosen.claims[found.place]}: {found.mistake}")
            answers[found.place] = found
        tell(f"explored {len(answers)} of {_counted(len(slow_first))}, {time.monotonic() - started:.0f} s")
    rows = (_row(chosen.package, claim, answers[place]) for place, claim in chosen.claims.items())
    return Matrix(tuple(rows), chosen.left_out, time.monotonic() - started)


def _explored(place: Place) -> Answer:
    """Explore the claim at ``place``; whatever goes wrong is an answer, too, because errors do not all pickle."""
    try:
        claim = place.claim()
        result = explore(claim.build(), claim.property, timeouts=claim.timeouts, max_states=claim.max_states)
        return Answer(place, as_json(result), str(result))
    except (Exception, SystemExit) as error:
        return Answer(place, {}, "", _mistake(error))


def _mistake(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "out of memory; bound it with max_states, or choose smaller parameters"
    if isinstance(error, SimcoreError):
        return str(error)
    at = place_of(error)
    if not at:  # ours, so show where it came from
        traceback.print_exception(error)
    return f"{type(error).__name__}: {error}" + (f" (at {at})" if at else "")


def _in_children(places: Sequence[Place], jobs: int) -> Iterator[Answer | None]:
    """Yield the answers as they come, and None once a second while there is none."""
    try:
        yield from in_children(_explored, places, jobs)
    except Killed as killed:
        raise ModelError(
            f"{killed.item.claim()}: the process that explored it has been killed, for want of memory perhaps; use "
            f"fewer --jobs, or bound the claim with max_states"
        ) from None


def _only(package: str, claims: Mapping[Place, Claim], names: Sequence[str]) -> dict[Place, Claim]:
    own = {place: _names(package, place, claim) for place, claim in claims.items()}
    for name in names:
        if not any(name.casefold() in known for known in own.values()):
            ids = ", ".join(sorted({claim.id for claim in claims.values()}, key=_natural))
            modules = ", ".join(dict.fromkeys(_inside(package, place.module) for place in claims))
            raise OptionError(f"--only {name!r} is no claim's; there are the ids {ids} and the models {modules}")
    wanted = {name.casefold() for name in names}
    return {place: claim for place, claim in claims.items() if wanted & own[place]}


def _names(package: str, place: Place, claim: Claim) -> set[str]:
    known = {place.module, claim.model.__module__, claim.function}
    return {name.casefold() for name in (claim.id, *known, *(_inside(package, name) for name in known))}


def _inside(package: str, name: str) -> str:
    return name.removeprefix(f"{package}.")


def _natural(name: str) -> tuple[int, list[str | int]]:
    """Order ids as a reader does: S1, S2, S10, L1, R1, H1, then whatever is called otherwise."""
    parts = [int(part) if n % 2 else part for n, part in enumerate(re.split(r"(\d+)", name))]
    known = parts[0] in list(_KINDS)
    return _KINDS.index(str(parts[0])) if known else len(_KINDS), parts


def _row(package: str, claim: Claim, found: Answer) -> Row:
    given = ", ".join(f"{name}={value}" for name, value in claim.parameters.items())
    model = [_inside(package, claim.function) + f" ({given})" * bool(given)]
    model += [f"timeouts={claim.timeouts}"] * (claim.timeouts != "when_stuck")
    model += [f"max_states={claim.max_states}"] * (claim.max_states is not None)
    return Row(claim, ", ".join(model), found.result, found.report)


def _verdicts(rows: Sequence[Row]) -> str:
    """Say what was found: one verdict, or how often which."""
    found = Counter(row.verdict for row in rows)
    return ", ".join(f"{verdict} {times}" if len(found) > 1 else verdict for verdict, times in found.most_common())


def _counted(number: int) -> str:
    return f"{number} claim" if number == 1 else f"{number} claims"
