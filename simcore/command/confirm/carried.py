"""simcore, as it is installed here, for the python of another environment: a folder for its path, and what it requires.

Its files need not lie in one folder (an editable installation has the models elsewhere), and beside them may lie much
that must not be carried along. So the folder has links to them, and to nothing else.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, requires
from importlib.util import find_spec
from pathlib import Path

from simcore.errors import OptionError

_PACKAGE = "simcore"
_ELSEWHERE = ("models", "properties")


@contextmanager
def carried() -> Iterator[Path]:
    """Give a folder in which simcore is, and nothing else."""
    with tempfile.TemporaryDirectory(prefix=f"{_PACKAGE}-") as folder:
        package = Path(folder) / _PACKAGE
        package.mkdir()
        within = {path.name: path for path in _folder(_PACKAGE).iterdir() if path.name != "__pycache__"}
        within |= {name: _folder(f"{_PACKAGE}.{name}") for name in _ELSEWHERE}
        for name, path in within.items():
            os.symlink(path.resolve(), package / name)
        yield Path(folder)


def _folder(package: str) -> Path:
    found = find_spec(package)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def required() -> list[str]:
    """Return what simcore requires, without its extras.

    Raises
    ------
    OptionError
        When it is not installed.
    """
    try:
        return [each for each in requires(_PACKAGE) or () if not re.search(r";.*\bextra\b", each)]
    except PackageNotFoundError:
        raise OptionError(f"{_PACKAGE} is not installed here, and only then it says what it requires") from None
