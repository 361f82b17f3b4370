"""A property of the command line is written as a call in Python, with or without quotes around a text."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

from simcore.command.values import convert, kinds_of
from simcore.errors import OptionError
from simcore.model import Property, import_module, not_a_function, parameters_of

_PROPERTY = re.compile(r"([\w.]+):(\w+)(?:\((.*)\))?$")
_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_PART = re.compile(_QUOTED + "|.")
_NAMED = re.compile(r"([^\W\d]\w*)\s*=\s*(.*)$")


def read_property(spec: str) -> Property:
    """Return the property that ``package.module:function(arguments)`` names."""
    found = _PROPERTY.match(spec.strip())
    if found is None:
        known = getattr(import_module("simcore.properties"), spec.partition("(")[0].strip(), None)
        meant = f"{known.__module__.rpartition('.')[2]}:{spec.strip()}" if callable(known) else ""
        write = meant or "package.module:function or package.module:function(argument)"
        raise OptionError(f"{spec!r} names no property; write {write}")
    module, name, arguments = found.groups()
    there = import_module(module)
    if not hasattr(there, name):
        raise OptionError(
            f"property {spec!r}: module {module} has no {name}; simcore.properties.deadlock:no_stuck_subset is one"
        )
    thing = getattr(there, name)
    if isinstance(thing, Property) and not arguments:
        return thing
    if what := not_a_function(thing):
        raise OptionError(f"property {spec!r} is {what}, not a function that returns a Property")
    try:
        given = _bound(thing, f"{module}:{name}", arguments or "")
        made = thing(*given.args, **given.kwargs)
    except (TypeError, OptionError) as error:
        raise OptionError(f"property {spec!r}: {error}") from error
    if not isinstance(made, Property):
        raise OptionError(f"property {spec!r} is a {type(made).__name__}, not a Property")
    return made


def _bound(function: Callable[..., Any], called: str, arguments: str) -> inspect.BoundArguments:
    """Return the arguments of ``function`` that are written in ``arguments``, each as its parameter is."""
    signature, (plain, named) = inspect.signature(function), _texts(arguments)
    try:
        bound = signature.bind(*plain, **named)
    except TypeError as error:
        raise OptionError(f"{error}; write {called}({', '.join(parameters_of(function))})") from None
    for name, text in bound.arguments.items():
        if isinstance(text, tuple):
            bound.arguments[name] = tuple(_argument(each, name, function, called) for each in text)
        elif isinstance(text, dict):
            bound.arguments[name] = {key: _argument(each, key, function, called) for key, each in text.items()}
        else:
            bound.arguments[name] = _argument(text, name, function, called)
    return bound


def _texts(arguments: str) -> tuple[list[str], dict[str, str]]:
    """Return the texts of the arguments that have no name, and by name of those that have one."""
    plain: list[str] = []
    named: dict[str, str] = {}
    for text in _split(arguments):
        found = _NAMED.match(text)
        if found is None and named:
            raise OptionError(f"{text!r}: an argument without a name comes first")
        if found is None:
            plain.append(text)
        elif found[1] in named:
            raise OptionError(f"argument {found[1]!r} is given twice")
        else:
            named[found[1]] = found[2]
    return plain, named


def _split(arguments: str) -> Iterator[str]:
    """Yield what stands between the commas that are in no quotes and no brackets."""
    depth, text = 0, ""
    for part in [*_PART.findall(arguments), ","]:
        depth += (part in "([{") - (part in ")]}")
        if part in "\"'" or depth < 0:
            break
        if part == "," and not depth:
            if text.strip():
                yield text.strip()
            text = ""
        else:
            text += part
    else:
        if not depth:
            return
    raise OptionError(f"a quote or bracket is not closed, or not opened, in {arguments!r}")


def _argument(text: str, name: str, function: Callable[..., Any], called: str) -> Any:
    """Return one argument: what is in quotes is a text wherever that may be one."""
    kinds = kinds_of(name, function)
    if re.fullmatch(_QUOTED, text):
        text = ast.literal_eval(text)
        if not kinds or str in kinds:
            return text
    elif not kinds and text[:1] in ("(", "[", "{"):
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return text
    return convert(text, name, function, called)
