"""A file of claims says what is run of which release, and what must come out; it is refused as a whole when it cannot.

The programs are functions of one module, which imports the package. It is imported only where that is installed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import get_args

from simcore.command.tables import Table, in_library
from simcore.control import POINTS
from simcore.errors import OptionError
from simcore.model import Parameter, Timeouts

ENDS = ("deadlock", "failed", "none")
"""What may be expected of a program: that some schedule hangs, that something is raised in one, or neither."""


@dataclass(frozen=True)
class Claim:
    """What is expected of one program over one release.

    Attributes
    ----------
    text : str
        What is claimed.
    release : str
        Of the package.
    function : str
        The program, ``package.module:function``.
    parameters : mapping
        That it is called with.
    expected : str
        One of `ENDS`.
    schedules : int
        In so many it must be found, or nothing at all.
    says : tuple of str
        What the report of a violation must say.
    timeouts, points : str
        As in `control`.
    """

    text: str
    release: str
    function: str
    parameters: Mapping[str, Parameter]
    expected: str
    schedules: int
    says: tuple[str, ...]
    timeouts: str
    points: str

    def has(self, text: str) -> bool:
        """Tell whether ``text`` is in what is claimed, in the function or the release."""
        return text.casefold() in f"{self.text} {self.function} {self.release}".casefold()


@dataclass(frozen=True)
class Claims:
    """What a file of claims says.

    Attributes
    ----------
    name : str
        By which `find` finds the file.
    title : str
        What it is about.
    requirement : str
        What pip is asked for, with ``{release}`` in the place of the release.
    claims : tuple of Claim
        In the order of the file.
    """

    name: str
    title: str
    requirement: str
    claims: tuple[Claim, ...]

    @property
    def releases(self) -> list[str]:
        """All releases that something is claimed of."""
        return list(dict.fromkeys(claim.release for claim in self.claims))

    def required(self, release: str) -> str:
        """Return what pip is asked for.

        Raises
        ------
        OptionError
            When nothing is claimed of that release.
        """
        if release not in self.releases:
            raise OptionError(f"{self.name} claims nothing of release {release!r}; of {', '.join(self.releases)}")
        return self.requirement.replace("{release}", release)

    def only(self, texts: Sequence[str]) -> tuple[Claim, ...]:
        """Return the claims that have one of ``texts`` in what they claim, in the function or the release.

        Raises
        ------
        OptionError
            When one of them is in none.
        """
        asked = {text: [claim for claim in self.claims if claim.has(text)] for text in texts}
        for text, found in asked.items():
            if not found:
                known = "; ".join(dict.fromkeys(claim.text for claim in self.claims))
                raise OptionError(f"--only {text!r} is in no claim of {self.name}, which are: {known}")
        return tuple(claim for claim in self.claims if any(claim in found for found in asked.values()))


def find(name: str) -> Path:
    """Return the file of claims: one of that path, or else the library's of that name.

    Raises
    ------
    OptionError
        When there is neither.
    """
    path = Path(name)
    if path.is_file():
        return path
    return in_library(name, Path(str(files("simcore.models.released"))), f"{name} is no file of claims")


def load(name: str) -> Claims:
    """Read the file of claims that `find` finds.

    Raises
    ------
    OptionError
        When it cannot be read, is no TOML, or something in it is missing or of the wrong kind; the message names it.
    """
    path = find(name)
    file = Table.of(path, "file of claims", "the library's nvflare is a complete one")
    title, requirement, module = (file.get(key, str) for key in ("title", "requirement", "module"))
    claims = [claim for table in file.tables("claims") for claim in _claims(path, table, module)]
    file.refuse_unread()
    return Claims(name, title, requirement, tuple(claims))


def _claims(path: Path, table: Table, module: str) -> Iterator[Claim]:
    text, expected = table.get("text", str), table.get("expected", str)
    timeouts, points = table.get("timeouts", str, "when_stuck"), table.get("points", str, "operations")
    for key, value, choices in (
        ("expected", expected, ENDS),
        ("timeouts", timeouts, get_args(Timeouts)),
        ("points", points, POINTS),
    ):
        if value not in choices:
            raise OptionError(f"file of claims {path}: {text}: {key} is {value!r}; there are {', '.join(choices)}")
    function, parameters = f"{module}:{table.get('function', str)}", table.parameters(default={})
    schedules, says = table.get("schedules", int), tuple(table.list_of("says", str, []))
    if schedules < 1:
        raise OptionError(f"file of claims {path}: {text}: schedules is {schedules}; at least one is run")
    for release in table.list_of("releases", str):
        yield Claim(text, release, function, parameters, expected, schedules, says, timeouts, points)
