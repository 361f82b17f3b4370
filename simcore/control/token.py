"""A schedule of code, in one word: the function that is run, what the runs have in common, and each step.

A step is told by its thread; those of one thread in a row take one number. A byte for each step tells, most likely,
when it has become another one, so that a program that was changed since is caught at the first step that differs.
"""

from __future__ import annotations

import base64
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

from simcore.control.choosing import Path
from simcore.errors import OptionError, ScheduleError
from simcore.model import Origin
from simcore.schedule import OF_CODE, decode, encode

PLAIN = (int, float, str, bool, type(None))


def origin_of(body: Callable[[], Any]) -> Origin | None:
    """Return under which name, and with which parameters, another process finds ``body``; None if it does not."""
    if isinstance(body, Named):
        return body.origin
    parameters: dict[str, Any] = {}
    if isinstance(body, partial):
        try:
            known = inspect.signature(body.func).parameters.values()
        except ValueError:  # of some of C that is not known
            return None
        named = [p.name for p in known if p.kind is p.POSITIONAL_OR_KEYWORD]
        if len(body.args) > len(named) or any(p.kind is p.POSITIONAL_ONLY for p in known):
            return None
        parameters, body = {**dict(zip(named, body.args, strict=False)), **body.keywords}, body.func
    module, name = getattr(body, "__module__", None), getattr(body, "__qualname__", "")
    if (
        module in (None, "__main__")
        or not name.isidentifier()
        or not all(isinstance(v, PLAIN) for v in parameters.values())
    ):
        return None
    found = getattr(sys.modules.get(str(module)), name, None)
    return Origin(f"{module}:{name}", parameters) if found is body else None


def followed_with(test: str) -> str:
    """Return the command that follows a schedule of a test, in front of the token."""
    is_file = test.partition("::")[0].endswith(".py")
    return f"pytest {'' if is_file else '--pyargs '}'{test}' --simcore-replay"


@dataclass(frozen=True)
class Named:
    """Code that is found again by somebody else than `find`, as a test is by pytest.

    Parameters
    ----------
    body : function
        What is run.
    origin : Origin
        Under which name it is found.
    again : str
        The command that follows a schedule of it, whose token comes behind.
    """

    body: Callable[[], Any]
    origin: Origin
    again: str

    def __call__(self) -> Any:
        return self.body()


class Told(NamedTuple):
    """What a token says: what to run, with which options, which steps, and their checks."""

    origin: Origin
    options: list[Any]
    path: list[tuple[str, int]]
    checks: bytes


def token_of(origin: Origin | None, options: Sequence[Any], path: Path, checks: Sequence[int]) -> str:
    """Return a schedule in one word, or nothing where the code has no name."""
    if origin is None:
        return ""
    threads = list(dict.fromkeys(thread for thread, _ in path))
    pieces = [(threads.index(thread), outcome, len(list(steps))) for (thread, outcome), steps in groupby(path)]
    told = base64.b64encode(bytes(checks)).decode()
    content: list[object] = [
        origin.function,
        origin.parameters,
        list(options),
        threads,
        [n for piece in pieces for n in piece],
        told,
    ]
    return encode(OF_CODE, content)


def read(token: str) -> Told:
    """Return what a token says.

    Raises
    ------
    ScheduleError
        When it is no token, or damaged.
    """
    if not isinstance(token, str):
        raise OptionError(f"{token!r}: a token is a text; of a violation it is violation.token")
    function, parameters, options, threads, flat, told = decode(OF_CODE, token, _valid)
    path = []
    for number, outcome, times in zip(flat[::3], flat[1::3], flat[2::3], strict=True):
        path += [(threads[number], outcome)] * times
    checks = base64.b64decode(told)
    if len(checks) != len(path):
        raise ScheduleError("the replay token is damaged: a character is missing or changed; copy the whole line")
    return Told(Origin(function, parameters), options, path, checks)


def _valid(function: Any, parameters: Any, options: Any, threads: Any, flat: Any, checks: Any) -> bool:
    texts = isinstance(function, str) and isinstance(checks, str) and isinstance(parameters, dict)
    whole = texts and isinstance(options, list) and isinstance(threads, list) and len(flat) % 3 == 0
    return whole and all(isinstance(n, int) and n >= 0 for n in flat) and all(n < len(threads) for n in flat[::3])
