"""A cell is in its file as soon as it is known; a sweep that is killed has lost what was under way, and no more.

A sweep has one file in the folder, named by the digest of whatever its cells depend on (`sources`), so a change of
any of it finds no file. A line is a cell, as JSON. A line that is torn, because somebody was killed, is no cell.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from simcore.errors import OptionError
from simcore.model import Parameter, Verdict
from simcore.sizes.cell import Cell, key


class Kept:
    """The cells of a sweep in a folder.

    Parameters
    ----------
    folder : path
        Where the files of all sweeps are.
    digest : str
        Of what its cells depend on.

    Raises
    ------
    OptionError
        When it cannot be read or written.
    """

    def __init__(self, folder: str | os.PathLike[str], digest: str) -> None:
        self.path = Path(folder) / f"{digest}.jsonl"
        with _writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = self.path.open("ab")
            content = self.path.read_bytes()
            if content and not content.endswith(b"\n"):
                self._file.write(b"\n")
        self._cells = {key(cell.parameters): cell for cell in _cells(content.splitlines())}

    def get(self, parameters: Mapping[str, Parameter]) -> Cell | None:
        """Return the cell of this size, where it is kept."""
        return self._cells.get(key(parameters))

    def add(self, cells: Iterable[Cell]) -> None:
        """Keep cells; they are in the file when this returns."""
        lines = [json.dumps(_as_json(cell)) + "\n" for cell in cells]
        with _writing(self.path):
            self._file.write("".join(lines).encode())
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _as_json(cell: Cell) -> dict[str, Any]:
    return {
        "parameters": dict(cell.parameters),
        "verdict": str(cell.verdict),
        "states": cell.states,
        "seconds": cell.seconds,
        "reason": cell.reason,
        "token": cell.token,
        "hangs": cell.hangs,
    }


def _cells(lines: Iterable[bytes]) -> Iterator[Cell]:
    for line in lines:
        try:
            read = json.loads(line)
            cell = Cell(**{**read, "parameters": dict(read["parameters"]), "verdict": Verdict(read["verdict"])})
        except (ValueError, TypeError, KeyError):
            continue
        if read.keys() == _as_json(cell).keys() and _typed(cell):
            yield cell


def _typed(cell: Cell) -> bool:
    """Tell whether all that a file says of a cell is of the kind that it would have written."""
    numbers = type(cell.states) is int and isinstance(cell.seconds, int | float)
    plain = all(value is None or isinstance(value, int | float | str) for value in cell.parameters.values())
    return numbers and plain and isinstance(cell.reason, str) and isinstance(cell.token, str) and cell.hangs in (0, 1)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OptionError(f"{path} cannot be written: {error.strerror}; name another folder with `keep`") from error
