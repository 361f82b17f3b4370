"""A call is told as its author wrote it: arguments by position, without those that are so by default."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from typing import Any

_LONG = 100  # characters or bytes of one value
_VARIABLE = inspect.Parameter.VAR_POSITIONAL
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")


def plain(thing: Any) -> str:
    """Return ``thing`` as tokens know it, which stays as it is: functions by name, and no brackets around parts.

    What has no name and says where it is in memory, a partial function say, is told without that: it is elsewhere in
    the process that replays. So is the order of a set.
    """
    if isinstance(thing, tuple) and not hasattr(thing, "_fields"):
        return ", ".join(map(plain, thing))
    return getattr(thing, "__name__", None) or (thing if isinstance(thing, str) else _ADDRESS.sub("", text_of(thing)))


def text_of(thing: Any) -> str:
    """Return ``str(thing)``, with what is in sets in one order; a class that has words of its own is asked for them."""
    words: Any = type(thing).__str__
    return in_one_order(thing) if words is object.__str__ and has_a_set(thing) else str(thing)


def in_one_order(thing: Any) -> str:
    """Return what `repr` tells, with what is in sets in the order of its texts, in whichever way a set came about."""
    if isinstance(thing, frozenset | set) and thing:
        inside = f"{{{', '.join(sorted(map(in_one_order, thing)))}}}"
        return inside if type(thing) is set else f"{type(thing).__name__}({inside})"
    if type(thing) is tuple:
        return f"({', '.join(map(in_one_order, thing))}{',' * (len(thing) == 1)})"
    if not has_a_set(thing):
        text = repr(thing)
        return _ADDRESS.sub("", text) if " at 0x" in text else text
    told = ", ".join(f"{name}={in_one_order(getattr(thing, name, None))}" for name in _fields(thing))
    return f"{type(thing).__qualname__}({told})"


def has_a_set(thing: Any) -> bool:
    """Tell whether a value has a set in it that can be walked in several orders."""
    if isinstance(thing, frozenset | set) and len(thing) > 1:
        return True
    if isinstance(thing, tuple | frozenset | set):
        return any(map(has_a_set, thing))
    return any(has_a_set(getattr(thing, name, None)) for name in _fields(thing))


def _fields(thing: Any) -> Sequence[str]:
    """Return the names of the parts of a named tuple, or of an instance of a dataclass."""
    if isinstance(thing, tuple):
        return getattr(thing, "_fields", ())
    return [field.name for field in fields(thing)] if hasattr(type(thing), "__dataclass_fields__") else ()


def shown(thing: Any) -> str:
    """Return ``thing`` as reports write it: functions by name, a call's arguments without brackets around them all.

    Of a long text, or of a chunk of data, the beginning is told, and how much there is.
    """
    if isinstance(thing, tuple) and not hasattr(thing, "_fields"):
        return ", ".join(map(shown_value, thing))
    if isinstance(thing, bytes | str) and len(thing) > _LONG:
        what = "bytes" if isinstance(thing, bytes) else "characters"
        return f"{plain(thing[: _LONG // 4])}... ({len(thing):,} {what})"
    name = plain(thing)
    return f"lambda:{inspect.unwrap(thing).__code__.co_firstlineno}" if name == "<lambda>" else name


def shown_value(thing: Any) -> str:
    """Return a value as reports write it: one that has several parts in brackets, and an empty text as one."""
    text = shown(thing)
    return f"({text})" if isinstance(thing, tuple) and not hasattr(thing, "_fields") else text or repr(thing)


def parameters_of(function: Any) -> list[str]:
    """Return the parameters of a function as its author wrote them, without annotations."""
    return [str(each.replace(annotation=each.empty)) for each in inspect.signature(function).parameters.values()]


def call(method: Any, called: str, args: tuple[Any, ...]) -> str:
    """Return the call of ``method`` that makes an operation with ``args``: ``queue.get()``, ``pool.submit(fn, 1)``.

    Parameters
    ----------
    method : function, optional
        What the author has called; None where no process can, and then all of ``args`` are told.
    called : str
        What it is called by.
    """
    given = [(argument, True) for argument in args] if method is None else list(_bound(method, args))
    while given and not given[-1][1]:
        given.pop()
    return f"{called}({', '.join(shown_value(argument) for argument, _ in given)})"


def _bound(method: Any, args: tuple[Any, ...]) -> Any:
    """Yield each argument, and whether it must be told; what a method takes as ``*args`` is one tuple in ``args``."""
    parameters = _parameters(method)
    for number, argument in enumerate(args):
        parameter = parameters[number] if number < len(parameters) else None
        if parameter is not None and parameter.kind is _VARIABLE:
            yield from ((each, True) for each in argument)
        else:
            yield argument, parameter is None or parameter.default is not argument


@cache
def _parameters(method: Any) -> tuple[inspect.Parameter, ...]:
    """Return the parameters of a method behind ``self``."""
    return tuple(inspect.signature(method).parameters.values())[1:]
