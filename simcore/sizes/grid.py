"""A grid is every combination of the values given, in a fixed order: the last parameter changes first."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from numbers import Integral, Real
from typing import Any

from simcore.errors import OptionError
from simcore.model import Model, Origin, Parameter, build, call_model, default_parameters, import_module, model_function
from simcore.sizes.cell import in_words

Values = tuple[Parameter, ...]

MOST = 1_000_000
"""Cells of a grid; more are a slip."""

_TOO_MANY = f"the grid has more than {MOST:,} cells; give fewer values"


@dataclass(frozen=True)
class Subject:
    """The function that builds a model for each cell.

    Attributes
    ----------
    name : str
        As ``package.module:function`` where another process finds it so; else what it is called.
    function : function, optional
        Where no name leads to it: a lambda, a function inside another one, or of a program or a notebook.
    """

    name: str
    function: Callable[..., Any] | None = None

    @classmethod
    def of(cls, model: object) -> Subject:
        """Return it for a function, or for the text that the command line takes.

        Raises
        ------
        OptionError
            When ``model`` builds none: a `Model`, say.
        """
        if isinstance(model, str):
            model_function(model)
            module, _, name = model.partition(":")
            return cls(f"{import_module(module).__name__}:{name}")
        if isinstance(model, Model):
            raise OptionError("sweep(...): a Model has one size; pass the function that builds it, without calling it")
        if not callable(model):
            raise OptionError(
                f"sweep({model!r}): pass a function that returns a Model, or its name, as in 'pool_starvation:buggy'"
            )
        return cls(importable(model)) if importable(model) else cls(called(model), model)

    @property
    def builder(self) -> Callable[..., Any]:
        """The function."""
        return self.function or model_function(self.name)

    @cached_property
    def defaults(self) -> dict[str, Parameter]:
        """What its parameters are where nothing else is asked."""
        return default_parameters(self.builder)

    def build(self, parameters: Mapping[str, Parameter]) -> Model:
        """Return the model of this size; raise a `ModelError` in one line where there is none."""
        origin = Origin(self.name, dict(parameters))
        return build(origin) if self.function is None else call_model(origin, self.function)


def importable(function: Any) -> str:
    """Return the name by which every process finds ``function``; empty where there is none."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    if module in (None, "__main__") or not name.isidentifier():
        return ""
    return f"{module}:{name}" if getattr(sys.modules.get(module), name, None) is function else ""


def called(function: Any) -> str:
    """Return what a function is called where it is written; of a partial one, the function in it."""
    name = getattr(function, "__qualname__", "") or getattr(getattr(function, "func", None), "__qualname__", "")
    return name.rpartition("<locals>.")[2] or type(function).__name__


@dataclass(frozen=True)
class Grid:
    """The values of each parameter, in the order in which they were given."""

    values: Mapping[str, Values]

    @classmethod
    def of(cls, subject: Subject, given: Mapping[str, object]) -> Grid:
        """Return the grid of what was ``given`` for parameters of the function.

        Raises
        ------
        OptionError
            When it has no such parameter, a value is none of a model, or there is none.
        """
        known = inspect.signature(subject.builder).parameters.values()
        names = [each.name for each in known if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
        whatever = any(each.kind is each.VAR_KEYWORD for each in known)
        for name in given:
            if name not in names and not whatever:
                raise OptionError(f"{subject.name} has no parameter {name!r}; it has {in_words(names)}")
        needed = [each.name for each in known if each.default is each.empty and each.name in names]
        for name in needed:
            if name not in given:
                raise OptionError(f"{subject.name} needs a value for its parameter {name!r}: {name}=range(1, 9), say")
        grid = cls({name: _values(name, each) for name, each in given.items()})
        if len(grid) > MOST:
            raise OptionError(_TOO_MANY)
        return grid

    def cells(self) -> Iterator[dict[str, Parameter]]:
        """Yield the parameters of each cell."""
        for values in product(*self.values.values()):
            yield dict(zip(self.values, values, strict=True))

    def __len__(self) -> int:
        return math.prod(map(len, self.values.values()))


def _values(name: str, given: object) -> Values:
    """Return the values of a parameter, each once: of anything that can be gone through, or one."""
    many = [given] if isinstance(given, str | bytes) or not isinstance(given, Iterable) else given
    first = list(islice(many, MOST + 1))
    if len(first) > MOST:
        raise OptionError(_TOO_MANY)
    values = {(type(value), value): value for value in (_plain(name, each) for each in first)}
    if not values:
        raise OptionError(f"{name} has no value, so there is no cell to explore; give it at least one")
    return tuple(values.values())


def _plain(name: str, value: object) -> Parameter:
    """Return a value as a token can hold it; a number of numpy becomes one of Python."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real) and math.isfinite(value):
        return float(value)
    raise OptionError(f"{name}={value!r}: a parameter of a model is a finite number, a text, True, False or None")
