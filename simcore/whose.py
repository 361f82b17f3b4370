"""Whose code a file has: simcore's, the standard library's, that of an installed package, or the user's own.

What is installed may lie below the folder of the standard library: in ``site-packages`` where there is no virtual
environment, and in ``dist-packages`` on Debian, which has a second one beside it that the interpreter does not name. So
an installed package is known by such a folder, wherever it is, and by those that the interpreter names.
"""

from __future__ import annotations

import os
import sysconfig
from functools import cache
from pathlib import Path

_HOME = str(Path(__file__).parent) + os.sep
_LIBRARY = tuple(f"{_HOME}{folder}{os.sep}" for folder in ("models", "properties"))


def _folders(*kinds: str) -> tuple[str, ...]:
    return tuple(sorted({sysconfig.get_path(kind) + os.sep for kind in kinds}))


_STANDARD, _INSTALLED = _folders("stdlib", "platstdlib"), _folders("purelib", "platlib")
_PACKAGES = tuple(f"{os.sep}{folder}{os.sep}" for folder in ("site-packages", "dist-packages"))


def is_ours(file: str) -> bool:
    """Tell whether a file is of the framework; the library of models, which is installed in its folder, is not."""
    return file.startswith(_HOME) and not file.startswith(_LIBRARY)


@cache
def is_installed(file: str) -> bool:
    """Tell whether a file is of an installed package."""
    return file.startswith(_INSTALLED) or any(folder in file for folder in _PACKAGES)


@cache
def is_standard(file: str) -> bool:
    """Tell whether a file is of the standard library, and not of what was installed beside it, or below it."""
    return file.startswith("<frozen ") or (file.startswith(_STANDARD) and not is_installed(file))


@cache
def is_the_users(file: str) -> bool:
    """Tell whether a file is the user's own, and neither simcore's, nor the standard library's, nor installed."""
    return not (file.startswith(_HOME) or is_standard(file) or is_installed(file))
