"""What a user gives to a driver is looked at before anything runs; what cannot be meant is one line with the remedy.

The usual slips are a function that was not called (the model's, a property's), a predicate in place of a property, and
a number in quotes. Each driver asks the same questions of what it has been given, so that all say the same.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from typing import Any

from simcore.errors import OptionError
from simcore.model.model import Model
from simcore.model.spec import Property


def check_model(model: object, to: str) -> None:
    """Raise OptionError unless ``model`` is a `Model`, for a call of the function ``to``."""
    if isinstance(model, Model):
        return
    if model is None:
        raise OptionError(f"{to}(None): there is no model; a function that builds one ends with `return model`")
    if isinstance(model, str):
        raise OptionError(f"{to}({model!r}): a text is no model; import the function that builds it, and call that")
    if inspect.isroutine(model):
        name = _name(model)
        raise OptionError(f"{name} is a function: call it: {to}({name}())")
    raise OptionError(f"{to}(...): a {_kind(model)} is no model; pass the Model that a function of yours returns")


def check_properties(properties: Collection[object], to: str) -> None:
    """Raise OptionError unless all of ``properties`` are a `Property`, for a call of the function ``to``."""
    for prop in properties:
        if isinstance(prop, Property):
            continue
        if isinstance(prop, list | tuple | set | frozenset):
            raise OptionError(f"{to}(model, [...]): pass properties one by one, {to}(model, *properties)")
        if not callable(prop):
            raise OptionError(f"{to}(model, {prop!r}): a {_kind(prop)} is no property; `always(predicate)` makes one")
        name = _name(prop)
        if _is_predicate(prop):
            how = "always(lambda state: ...)" if name == "<lambda>" else f"always({name})"
            raise OptionError(f"{name} is a predicate, and no property: say when it is to be true: {to}(model, {how})")
        raise OptionError(f"{name} is a function that makes a property: call it: {to}(model, {name}({_needed(prop)}))")


def _name(thing: object) -> str:
    return str(getattr(thing, "__qualname__", type(thing).__name__)).rpartition("<locals>.")[2]


def _kind(thing: object) -> str:
    return type(thing).__name__


def _is_predicate(thing: Callable[..., Any]) -> bool:
    """Tell whether ``thing`` wants one argument, as a predicate does, and does not say that it returns a property."""
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return False
    if signature.return_annotation in (Property, "Property"):
        return False
    needed = [p for p in signature.parameters.values() if p.default is p.empty]
    return len(needed) == 1


def _needed(thing: Callable[..., Any]) -> str:
    """Return dots where a function wants arguments."""
    try:
        parameters = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return ""
    return "..." if any(p.default is p.empty for p in parameters) else ""
