"""A report file says all that `simcore reproduce` has to show, and is refused as a whole when it cannot.

Whatever is wrong with it (a missing key, a model that does not exist, a parameter that no model has) is told
before the first exploration begins, and not after minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from simcore.command.tables import Table, in_library
from simcore.errors import OptionError
from simcore.model import Model, Origin, Parameter, build

Parameters = Mapping[str, Parameter]


class Axis(NamedTuple):
    """A parameter, and the values that a law is checked for."""

    parameter: str
    values: tuple[int, ...]


@dataclass(frozen=True)
class Law:
    """When the hang is reachable: if and only if the parameter of the rows is at least that of the columns."""

    text: str
    rows: Axis
    columns: Axis


class Proof(NamedTuple):
    """Sizes to prove the fix for; ``completes`` asks whether everything eventually completes, too."""

    parameters: Parameters
    completes: bool


@dataclass(frozen=True)
class Report:
    """What a report file says.

    Attributes
    ----------
    before, after : Origin
        What builds the models at the reported size.
    family : str
        The processes that are counted: ``family`` or ``family[0]``, ``family[1]``, ...
    expected : (int, int)
        How many of them completed before and after the fix.
    explored, smallest, mutation : mapping
        Parameters that replace some of the reported ones: to explore, to explore exactly, to take the fix out.
    why : str
        Why it is enough to explore ``explored``.
    latency : mapping of str to float
        Mean seconds, for the picture.
    """

    title: str
    link: str
    system: str
    versions: tuple[str, str]
    seen: str
    before: Origin
    after: Origin
    family: str
    expected: tuple[int, int]
    explored: Parameters
    why: str
    smallest: Parameters
    law: Law | None
    proofs: tuple[Proof, ...]
    mutation: Parameters
    latency: Mapping[str, float]

    def check(self) -> None:
        """Build everything that the report names.

        Raises
        ------
        SimcoreError
            When something of it does not exist.
        """
        explored = changed(self.before, self.explored)
        for origin in (explored, changed(explored, self.smallest), *self._cells(explored)):
            build(origin)
        for parameters in (self.mutation, *(proof.parameters for proof in self.proofs)):
            build(changed(self.after, parameters))
        for origin in (self.before, self.after):
            self._check_family(origin, build(origin))

    def _cells(self, explored: Origin) -> Iterator[Origin]:
        if self.law is not None:
            for row in self.law.rows.values:
                for column in self.law.columns.values:
                    yield changed(explored, {self.law.rows.parameter: row, self.law.columns.parameter: column})

    def _check_family(self, origin: Origin, model: Model) -> None:
        names = [process.name for process in model.processes]
        if not any(in_family(self.family, name) for name in names):
            raise OptionError(
                f"the report counts processes called {self.family!r}, and {origin.function} has none; "
                f"it has {', '.join(names[:8])}"
            )


def changed(origin: Origin, parameters: Parameters) -> Origin:
    """Return ``origin`` with some other parameters."""
    return Origin(origin.function, {**origin.parameters, **parameters})


def in_family(family: str, name: str) -> bool:
    """Tell whether ``name`` is the family's, or of one of its members."""
    return name == family or name.startswith(f"{family}[")


def library() -> Path:
    """Return the folder with the reports of the library."""
    return Path(str(files("simcore.models.reports")))


def find(report: str) -> Path:
    """Return the file of a report: one of that path, or else the library's of that name.

    Raises
    ------
    OptionError
        When there is neither.
    """
    path = Path(report)
    if path.exists():
        return path
    return in_library(report, library(), f"report {report} is no file")


def load(path: Path) -> Report:
    """Read a report file.

    Raises
    ------
    OptionError
        When it cannot be read, is no TOML, or something in it is missing or of the wrong kind; the message
        names it.
    """
    file = Table.of(path, "report", "the library's nvflare-4171 is a complete one")
    report = _report(file)
    file.refuse_unread()
    return report


def _report(file: Table) -> Report:
    expected, explored = file.table("expected"), file.table("explore")
    models = file.table("models")
    before, after = models.table("before"), models.table("after")
    return Report(
        file.get("title", str),
        file.get("link", str),
        file.get("system", str),
        (file.get("before", str), file.get("after", str)),
        file.get("seen", str).strip(),
        Origin(before.get("function", str), before.parameters()),
        Origin(after.get("function", str), after.parameters()),
        expected.get("process", str),
        (expected.get("before", int), expected.get("after", int)),
        explored.parameters(),
        explored.get("why", str).strip(),
        explored.parameters("smallest", {}),
        _law(file.table("law")) if file.get("law", dict, {}) else None,
        tuple(Proof(proof.parameters(), proof.get("completes", bool, True)) for proof in file.tables("prove")),
        file.table("mutation").parameters(),
        file.table("simulate", {}).plain("latency", (int, float), {}),
    )


def _law(table: Table) -> Law:
    return Law(table.get("text", str), _axis(table.table("rows")), _axis(table.table("columns")))


def _axis(table: Table) -> Axis:
    return Axis(table.get("parameter", str), tuple(table.list_of("values", int)))
