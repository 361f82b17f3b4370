"""A text of the command line becomes a value of its parameter's kind, by the annotation or else the default."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from simcore.errors import OptionError
from simcore.model import Parameter

_TRUTH = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
_SPELT = {bool: "true or false", int: "a whole number", float: "a number", NoneType: "none"}
_PLAIN = {*_SPELT, str}


def read_parameters(texts: Sequence[str]) -> dict[str, str]:
    """Return the values of ``name=value`` texts by their names."""
    given: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise OptionError(f"-p {text!r}: write name=value")
        if name in given:
            raise OptionError(f"parameter {name!r} is given twice")
        given[name] = value
    return given


def convert(text: str, name: str, function: Callable[..., Any], called: str) -> Parameter:
    """Return the value that ``text`` spells of the parameter ``name`` of ``function``, which is called so in a refusal.

    Where the parameter has no kind that is known, or does not exist, that is whatever `read_value` makes of it.
    """
    kinds = kinds_of(name, function)
    if not kinds:
        return read_value(text)
    for kind in (NoneType, int, float, bool, str):
        if kind in kinds:
            try:
                return _READ[kind](text)
            except (ValueError, KeyError):
                continue
    raise OptionError(f"{called}: {text!r} is no value of its parameter {name!r}; write {_allowed(kinds)}")


def kinds_of(name: str, function: Callable[..., Any]) -> set[type]:
    """Return the plain types that the parameter ``name`` may have; none where it may have another, or says nothing."""
    known = inspect.signature(function).parameters
    rest = (each for each in known.values() if each.kind is each.VAR_KEYWORD)
    parameter = known.get(name) or next(rest, None)
    if parameter is None:
        return set()
    default = set() if parameter.default is parameter.empty else {type(parameter.default)}
    kinds = _members(_annotation(parameter, function))
    if not kinds:  # whoever has written 1 may mean seconds
        kinds = {int, float} if default == {int} else default - {NoneType}
    elif default == {NoneType}:
        kinds |= default
    return kinds if kinds <= _PLAIN else set()


def _annotation(parameter: inspect.Parameter, function: Callable[..., Any]) -> Any:
    """Return the annotation; empty where it names what is there for type checkers alone."""
    if not isinstance(parameter.annotation, str):
        return parameter.annotation
    try:
        return eval(parameter.annotation, getattr(inspect.unwrap(function), "__globals__", {}))
    except Exception:
        return parameter.empty


def _members(annotation: Any) -> set[Any]:
    """Return the types of which an annotation is the union."""
    if annotation is inspect.Parameter.empty:
        return set()
    if get_origin(annotation) in (Union, UnionType):
        return set().union(*map(_members, get_args(annotation)))
    return {NoneType if annotation is None else annotation}


def _allowed(kinds: Iterable[type]) -> str:
    """Say in words what may be written."""
    words = [_SPELT[kind] for kind in (bool, int, float, NoneType) if kind in kinds]
    if len(words) > 1 and bool in kinds:
        words[0] = "true, false"
    return " or ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} or {words[-1]}"


def read_value(text: str) -> Parameter:
    """Return the number, truth value or nothing that ``text`` spells, or the text itself."""
    words: dict[str, Parameter] = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    for number in (int, read_number):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def read_number(text: str) -> float:
    """Return a number that is finite, as JSON has no others; else raise a ValueError."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


_READ: dict[type, Callable[[str], Parameter]] = {
    NoneType: lambda text: {"none": None}[text.lower()],
    int: int,
    float: read_number,
    bool: lambda text: _TRUTH[text.lower()],
    str: str,
}
