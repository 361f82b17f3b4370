"""A name of a package is loaded when it is first used, with the module that it is from, and no other.

Whoever wants one name of a room then does not load whatever else the room can do: the words for a hang of code need no
kernel of models, and pytest imports `simcore` in every run that has the plugin. A type checker takes no notice of this,
so each such package says twice where its names are from: to the checker, in import statements that are never run, and
here. A test holds the two equal.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any


class _Package(ModuleType):
    """A package that has others' names.

    Attributes
    ----------
    homes : mapping of str to str
        The module of each name.
    """

    homes: Mapping[str, str]

    def __getattr__(self, name: str) -> Any:
        """Return a name that has not been bound here: none of those, as `sys.modules` is the one truth."""
        if name in self.homes:
            return getattr(import_module(self.homes[name]), name)
        if name in self.__all__:
            return import_module(f"{self.__name__}.{name}")
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        """Keep the import system from binding the module `explore` over the function of that name."""
        if not (name in self.homes and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        """Return the names that others may use."""
        return list(self.__all__)


def load_at_first_use(package: str, names: Mapping[str, str]) -> None:
    """Have a package load its names when they are first used.

    Parameters
    ----------
    package : str
        The full name of the package, which has an ``__all__``. Modules of its own that stand in that, and not in
        ``names``, are loaded, too.
    names : mapping of str to str
        The names that come from a module, divided by spaces, by the module's name within the package.
    """
    module = sys.modules[package]
    vars(module)["homes"] = {name: f"{package}.{home}" for home, some in names.items() for name in some.split()}
    module.__class__ = _Package
