"""A file in TOML is read whole: what is missing, of the wrong kind, or means nothing is one line that names it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from simcore.errors import OptionError
from simcore.model import Parameter

_T = TypeVar("_T")

_KINDS: dict[type, str] = {str: "text", int: "a whole number", bool: "true or false", dict: "a table", list: "a list"}
_MANY: dict[type, str] = {str: "texts", int: "whole numbers"}


def in_library(name: str, folder: Path, otherwise: str) -> Path:
    """Return the file of the library, in a folder of it, that is called by a name without its ending.

    Raises
    ------
    OptionError
        When there is none; the message begins with what is said ``otherwise``.
    """
    known = {found.stem: found for found in sorted(folder.glob("*.toml"))}
    if name in known:
        return known[name]
    raise OptionError(f"{otherwise}, and none of the library, which has {', '.join(known)}")


class Table:
    """A table of a file, and its place there.

    Parameters
    ----------
    file : str
        What a message calls the file.
    advice : str
        Where to look how it is done.
    place : str
        What stands before each key.
    content : mapping
        As it was read.
    """

    def __init__(self, file: str, advice: str, place: str, content: Mapping[str, Any]) -> None:
        self._file, self._advice, self._place, self._content = file, advice, place, content
        self._read: set[str] = set()
        self._inside: list[Table] = []

    @classmethod
    def of(cls, path: Path, what: str, advice: str) -> Table:
        """Return the table that a file is; ``what`` it is called.

        Raises
        ------
        OptionError
            When it cannot be read, or is no TOML; whatever is asked of the table raises it, too.
        """
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise OptionError(f"{what} {path} cannot be read: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise OptionError(f"{what} {path} is no valid TOML: {error}") from error
        return cls(f"{what} {path}", advice, "", content)

    def get(self, key: str, kind: type[_T], default: _T | None = None) -> _T:
        """Return the value of ``key``, which is of that kind; needed where there is no default."""
        name = f"{self._place}{key}"
        self._read.add(key)
        value = self._content.get(key, default)
        if value is None:
            raise OptionError(f"{self._file} lacks {name!r}; {self._advice}")
        if type(value) is not kind:
            raise OptionError(f"{self._file}: {name} is {value!r}, which is not {_KINDS[kind]}")
        return value

    def table(self, key: str, default: dict[str, Any] | None = None) -> Table:
        """Return the table of that name."""
        return self._table(key, self.get(key, dict, default))

    def tables(self, key: str) -> list[Table]:
        """Return one or more tables."""
        found = self.get(key, list)
        if not found or not all(isinstance(each, dict) for each in found):
            raise OptionError(f"{self._file}: {self._place}{key} is one table or more: [[{self._place}{key}]]")
        return [self._table(key, each) for each in found]

    def _table(self, key: str, content: dict[str, Any]) -> Table:
        self._inside.append(Table(self._file, self._advice, f"{self._place}{key}.", content))
        return self._inside[-1]

    def refuse_unread(self) -> None:
        """Refuse what nobody has asked for: a misspelt key must not drop a claim in silence."""
        for key in self._content:
            if key not in self._read:
                raise OptionError(f"{self._file}: {self._place}{key} means nothing; {self._advice}")
        for table in self._inside:
            table.refuse_unread()

    def plain(self, key: str, kinds: type | tuple[type, ...], default: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return a table whose values are all of some kind."""
        found = self.get(key, dict, default)
        for name, value in found.items():
            if not isinstance(value, kinds):
                raise OptionError(f"{self._file}: {self._place}{key}.{name} is {value!r}, which cannot be")
        return found

    def parameters(self, key: str = "parameters", default: dict[str, Any] | None = None) -> dict[str, Parameter]:
        """Return the parameters of a function."""
        return self.plain(key, (int, float, str, bool), default)

    def list_of(self, key: str, kind: type[_T], default: list[_T] | None = None) -> list[_T]:
        """Return a list of values of one kind; at least one, where there is no default."""
        values = self.get(key, list, default)
        if not all(type(value) is kind for value in values) or not (values or default is not None):
            raise OptionError(f"{self._file}: {self._place}{key} are {_MANY[kind]}, at least one")
        return values
