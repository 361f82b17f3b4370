"""The options of a driver are looked at before anything runs; what cannot be meant is one line with the remedy.

The usual slip is a number in quotes. Each driver asks the same questions of its options, so that all say the same.
"""

from __future__ import annotations

from typing import Any

from simcore.errors import OptionError
from simcore.model.verdict import RULES, WITNESSES


def check_numbers(*, whole: bool, least: float | None = None, none: bool = True, **values: Any) -> None:
    """Raise OptionError unless each of ``values`` is a number, from ``least`` on, or None where that is right."""
    for name, value in values.items():
        if value is None and none:
            continue
        fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        if not fits or (least is not None and not value >= least):
            kind = "a whole number" if whole else "a number"
            what = kind if least is None else f"at least {least:g}" if fits else f"{kind}, at least {least:g}"
            raise OptionError(f"`{name}={value!r}`: use {what}{_without_quotes(name, value)}")


def check_limit(**seconds: Any) -> None:
    """Raise OptionError unless each of ``seconds`` is a number above 0, or None, which is no limit."""
    check_numbers(whole=False, **seconds)
    for name, value in seconds.items():
        if value is not None and not value > 0:
            raise OptionError(f"`{name}={value!r}`: use more than 0, or `{name}=None` for no limit")


def check_flags(**values: object) -> None:
    """Raise OptionError unless each of ``values`` is True or False."""
    for name, value in values.items():
        if not isinstance(value, bool):
            raise OptionError(f"`{name}={value!r}`: True or False")


def check_kinds(**values: tuple[object, Any, str]) -> None:
    """Raise OptionError unless each value is of its type or None; the third item says what to write."""
    for name, (value, kind, remedy) in values.items():
        if value is not None and not (isinstance(value, kind) if kind is not callable else callable(value)):
            raise OptionError(f"`{name}={value!r}`: {remedy}")


def check_witness(witness: object) -> None:
    """Raise OptionError unless there is such a rule for what is told of a violation."""
    if witness not in WITNESSES:
        raise OptionError(f"`witness={witness!r}`: use {' or '.join(map(repr, WITNESSES))}")


def check_timeouts(timeouts: object) -> None:
    """Raise OptionError unless there is such a rule for time-outs."""
    if not isinstance(timeouts, str) or timeouts not in RULES:
        raise OptionError(f"`timeouts={timeouts!r}`: use 'never', 'when_stuck', 'in_order' or 'anytime'")


def _without_quotes(name: str, value: object) -> str:
    if not isinstance(value, str):
        return ""
    try:
        float(value)
    except ValueError:
        return ""
    return f"; write `{name}={value}`"
