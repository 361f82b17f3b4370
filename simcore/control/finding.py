"""The function that a name on the command line, or in a token, stands for."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any

from simcore.control.token import followed_with
from simcore.errors import OptionError
from simcore.model import functions_of, import_module, nearest, no_function, not_a_function


def find(name: str, parameters: Mapping[str, Any] | None = None) -> partial[Any]:
    """Return the function ``package.module:function``, with its parameters.

    Raises
    ------
    OptionError
        When there is no such function, or it cannot be called with these parameters, once they are given.
    """
    if "::" in name:
        raise OptionError(f"{name!r} is a test; its schedule is followed with {followed_with(name)} TOKEN")
    module_name, _, function_name = name.partition(":")
    if not module_name or not function_name:
        raise OptionError(f"{name!r} names no function; write package.module:function, as in app.jobs:nightly")
    module = import_module(module_name)
    function = getattr(module, function_name, None)
    if not callable(function):
        there = [name for name in functions_of(module) if not not_a_function(getattr(module, name))]
        raise OptionError(
            no_function(name, "function", module, nearest(function_name, there) or "none that can be run")
        )
    if parameters is not None:
        try:
            inspect.signature(function).bind(**parameters)
        except TypeError as error:
            raise OptionError(f"{name}: {error}; give parameters as name=value") from None
    return partial(function, **parameters or {})
