"""A model is built from the name of the function that builds it, and from its parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from types import ModuleType
from typing import Any, get_origin

from simcore.errors import ModelError, SimcoreError, place_of
from simcore.model.finding import described, import_module
from simcore.model.model import Model, returns_model
from simcore.model.origin import Origin, Parameter

_MOST_NAMES, _FEW_NAMES = 20, 8
"""How many names a line may have; and how many of more than that."""


def build(origin: Origin) -> Model:
    """Call the function that ``origin`` names, with its parameters, and return the model.

    Raises
    ------
    ModelError
        When the module, the function or a parameter does not exist, the function raises anything, or no model
        comes back. The message names it, and what there is instead or where it happened.
    """
    fn = model_function(origin.function)
    module_name, _, function_name = origin.function.partition(":")
    module = import_module(module_name)
    model = call_model(origin, fn, f"; module {module_name} has {_offered(module, function_name)}")
    model.origin = Origin(f"{module.__name__}:{function_name}", {**default_parameters(fn), **origin.parameters})
    return model


def call_model(origin: Origin, fn: Callable[..., Any], otherwise: str = "") -> Model:
    """Call ``fn`` as the function that ``origin`` names, and return its model; what it is not says `build`.

    The message where no model comes back ends with what to do ``otherwise``.
    """
    _check_parameters(origin.function, fn, origin.parameters)
    model = _call(origin, fn)
    if not isinstance(model, Model):
        returned = f"returned a value of type {type(model).__name__}, not a Model"
        raise ModelError(f"{origin.function} {returned}{otherwise}")
    return model


def model_function(name: str) -> Callable[..., Any]:
    """Return the function that ``package.module:function`` names; raise a `ModelError` where there is none."""
    module_name, _, function_name = name.partition(":")
    if not module_name or not function_name:
        raise ModelError(f"{name!r} names no model; write package.module:function, as in pool_starvation:buggy")
    if module_name.startswith("."):
        raise ModelError(f"{name!r}: a module is named from the folder that holds it, without a leading dot")
    module = import_module(module_name)
    fn: Callable[..., Any] | None = getattr(module, function_name, None)
    what = not_a_function(fn)
    if fn is None or what:
        raise ModelError(no_function(name, "model function", module, _offered(module, function_name)))
    return fn


def no_function(name: str, kind: str, module: ModuleType, offered: str) -> str:
    """Return the line that says that ``package.module:function`` is no function of this kind; what it is, if anything.

    It ends with what is ``offered`` in its place.
    """
    module_name, _, function_name = name.partition(":")
    what = not_a_function(getattr(module, function_name, None))
    here = f" ({what})" if hasattr(module, function_name) and what else ""
    return f"module {module_name} has no {kind} {function_name!r}{here}; it has {offered}"


def nearest(name: str, names: Sequence[str]) -> str:
    """Return ``names`` as a text; those of many that are spelt most like ``name``, which may be a slip of one."""
    if len(names) <= _MOST_NAMES:
        return ", ".join(names)
    near = get_close_matches(name, names, _FEW_NAMES, cutoff=0)
    return f"{', '.join(near)}, and {len(names) - len(near)} more"


def _offered(module: ModuleType, instead_of: str) -> str:
    return nearest(instead_of, models_of(module)) or "no function that says it returns a Model"


def not_a_function(thing: object) -> str:
    """Say what ``thing`` is, where it is nothing that can be called to build something; else nothing."""
    if inspect.isclass(thing):
        return "a class"
    if inspect.ismodule(thing):
        return "a module"
    if get_origin(thing) is not None or type(thing).__module__ == "typing":
        return "a type"
    if inspect.isgeneratorfunction(thing):
        return "a generator function, as a process is"
    if inspect.iscoroutinefunction(thing) or inspect.isasyncgenfunction(thing):
        return "an async function"
    return "" if _has_signature(thing) else f"a value of type {type(thing).__name__}"


def _has_signature(thing: Any) -> bool:
    try:
        inspect.signature(thing)
    except (TypeError, ValueError):
        return False
    return True


def _call(origin: Origin, fn: Callable[..., Any]) -> Any:
    """Call the model function; whatever it raises is the model's mistake, or its parameters'."""
    try:
        return fn(**origin.parameters)
    except (Exception, SystemExit) as error:
        given = ", ".join(f"{name}={value!r}" for name, value in origin.parameters.items())
        what = str(error) if isinstance(error, SimcoreError) else described(error)
        at = f" (at {place_of(error)})" if place_of(error) else ""
        told = " ".join(f"{origin.function}({given}) cannot be built: {what}{at}".split())
        raise ModelError(told) from error


def default_parameters(fn: Callable[..., Any]) -> dict[str, Parameter]:
    """Return the parameters that have a plain default: they are part of the bound of every verdict."""
    known = inspect.signature(fn).parameters.values()
    plain = (int, float, str, bool, type(None))
    return {p.name: p.default for p in known if p.default is not p.empty and isinstance(p.default, plain)}


def models_of(module: ModuleType) -> list[str]:
    """Return the names of the public functions of ``module`` that say they return a `Model`."""
    return [name for name in functions_of(module) if returns_model(getattr(module, name))]


def functions_of(module: ModuleType) -> list[str]:
    """Return the names of the public functions of ``module``, not those that it has imported."""
    return [
        name
        for name, thing in vars(module).items()
        if inspect.isfunction(thing) and not name.startswith("_") and thing.__module__ == module.__name__
    ]


def _check_parameters(function: str, fn: Callable[..., Any], parameters: Mapping[str, Parameter]) -> None:
    known = dict(inspect.signature(fn).parameters)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
        return  # it takes whatever it is given, a wrapper perhaps
    for name in parameters:
        if name not in known:
            raise ModelError(f"{function} has no parameter {name!r}; it has {', '.join(known) or 'none'}")
    for name, parameter in known.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            continue
        if parameter.default is parameter.empty and name not in parameters:
            raise ModelError(f"{function} needs a value for its parameter {name!r}: -p {name}=...")
