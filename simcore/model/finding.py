"""What the user has named is found as in an import statement, or else in the library.

``pool_starvation`` is `simcore.models.pool_starvation` where the user has no module of that name. A module of the
library is imported under one name only, wherever it was found: two copies of a class are not equal.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from simcore.errors import ModelError, place_of

LIBRARY = ("simcore.models", "simcore.properties")
"""The packages whose modules may be called without the package."""

_NAMED = "name it as in an import statement, from the folder that holds it"


def import_module(name: str) -> ModuleType:
    """Import what the user has named: a module of his, or else one of the library.

    Raises
    ------
    ModelError
        When there is no such module, or it cannot be run.
    """
    name = _of_the_library(name) or name
    if name.startswith("."):
        raise ModelError(f"there is no module {name!r}; {_NAMED}")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(error.name + ".")):
            raise ModelError(f"module {name} cannot be imported: {error}") from error
        short = _by_short_name(name)
        if short is None:
            raise ModelError(f"there is no module {error.name!r}; {_NAMED}") from error
        return importlib.import_module(short)
    except SyntaxError as error:  # which tells its place
        raise ModelError(f"module {name} cannot be imported: {described(error)}") from error
    except (Exception, SystemExit) as error:  # whatever the module does when it is run
        place = place_of(error)
        at = f" (at {place})" if place else ""
        raise ModelError(f"module {name} cannot be imported: {described(error)}{at}") from error


def _of_the_library(name: str) -> str | None:
    """Return the full name of what is found in the library's folders by another name: from inside them, say."""
    top = name.partition(".")[0]
    try:
        spec = find_spec(top) if top else None  # without a dot in the name, this runs nothing
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    place = Path(spec.origin)
    for package in LIBRARY:
        known = find_spec(package)  # nothing of it is run: whoever looks for his own need not load ours
        if known is not None and known.origin is not None and place.parent == Path(known.origin).parent:
            return package + name[len(top) :] if place.name == "__init__.py" else f"{package}.{name}"
    return None


def _by_short_name(name: str) -> str | None:
    """Return the full name of the library's module that is called ``name``, or ``models.name``; None without one."""
    for package in LIBRARY:
        short = package.rpartition(".")[2]
        full = f"simcore.{name}" if f"{name}.".startswith(f"{short}.") else f"{package}.{name}"
        try:
            if find_spec(full) is not None:
                return full
        except ModuleNotFoundError:  # of a package in between
            continue
    return None


def described(error: BaseException) -> str:
    """Return the kind of an error, and what it says, if it says something."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
