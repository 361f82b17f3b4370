"""What the arguments of the command line mean: a model, its parameters, a property.

Whatever cannot be understood is one line that names it, says why, and shows how to write it.
"""

from __future__ import annotations

import inspect
import math
import pkgutil
import re
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

from simcore.errors import OptionError
from simcore.model import Model, Origin, Parameter, build, import_module, models_of
from simcore.spec import Property


def build_model(model: str, parameters: Sequence[str]) -> Model:
    """Return the model ``package.module:function``, called with the ``name=value`` texts of ``parameters``."""
    given: dict[str, Parameter] = {}
    for text in parameters:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise OptionError(f"-p {text!r}: write name=value")
        if name in given:
            raise OptionError(f"parameter {name!r} is given twice")
        given[name] = read_value(value)
    return build(Origin(model, given))


def read_seconds(text: str) -> tuple[str, float]:
    """Return the name and the number of ``name=seconds``."""
    name, equals, value = text.rpartition("=")
    if not name or not equals:
        raise OptionError(f"{text!r}: write name=seconds")
    try:
        return name, float(value)
    except ValueError:
        raise OptionError(f"{text!r}: {value!r} is no number of seconds") from None


def read_value(text: str) -> Parameter:
    """Return the number, truth value or nothing that ``text`` spells, or the text itself."""
    words: dict[str, Parameter] = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    for convert in (int, float):
        try:
            number = convert(text)
        except ValueError:
            continue
        return number if math.isfinite(number) else text  # JSON has no other numbers
    return text


_PROPERTY = re.compile(r"([\w.]+):(\w+)(?:\((.*)\))?$")


def read_property(spec: str) -> Property:
    """Return the property that ``package.module:function(arguments)`` names."""
    found = _PROPERTY.match(spec.strip())
    if found is None:
        raise OptionError(
            f"{spec!r} names no property; write package.module:function or package.module:function(argument)"
        )
    module, name, arguments = found.groups()
    thing = getattr(import_module(module), name, None)
    if thing is None:
        raise OptionError(
            f"property {spec!r}: module {module} has no {name}; properties.deadlock:no_stuck_subset is one"
        )
    values = [read_value(argument.strip()) for argument in (arguments or "").split(",") if argument.strip()]
    try:
        made = thing(*values) if callable(thing) else thing
    except TypeError as error:
        raise OptionError(f"property {spec!r}: {error}") from error
    if not isinstance(made, Property):
        raise OptionError(f"property {spec!r} is a {type(made).__name__}, not a Property")
    return made


def modules(package: str) -> Iterator[ModuleType]:
    """Yield a package and the modules in it."""
    root = import_module(package)
    yield root
    for found in pkgutil.iter_modules(getattr(root, "__path__", ())):
        if not found.ispkg:
            yield import_module(f"{package}.{found.name}")


NEEDED = "(needed)"
"""Stands for the default of a parameter that has none."""


def described(module: ModuleType) -> Iterator[dict[str, Any]]:
    """Yield, for each model function of ``module``, its name, its parameters and what it is."""
    about = (inspect.getdoc(module) or "").partition("\n")[0]
    for name in models_of(module):
        function = getattr(module, name)
        known = inspect.signature(function).parameters.values()
        parameters = {p.name: NEEDED if p.default is p.empty else p.default for p in known}
        own = (inspect.getdoc(function) or "").partition("\n")[0]
        yield {"model": f"{module.__name__}:{name}", "parameters": parameters, "about": f"{about} {own}".strip()}
