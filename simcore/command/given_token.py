"""A token on a command line: given itself, or in the file that a failing test has kept it in."""

from __future__ import annotations

from pathlib import Path

from simcore.errors import OptionError
from simcore.explain import shortened
from simcore.schedule import OF_A_MODEL, OF_CODE

_PREFIXES = f"which starts with {OF_A_MODEL!r} or {OF_CODE!r}"
_LONGEST = 120


def given_token(given: str) -> str:
    """Return a token, or that which a file holds.

    Raises
    ------
    OptionError
        When ``given`` is neither.
    """
    token = given.strip()
    if is_token(token):
        return token
    shown = shortened(given, _LONGEST)
    try:
        token = Path(given).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:  # of a name that no file can have, or of a file that is no text, as well
        raise OptionError(f"{shown!r} is neither a token, {_PREFIXES}, nor a file with one") from error
    if not is_token(token):
        raise OptionError(f"the file {shown!r} holds no token, {_PREFIXES}; give the one that a report ends with")
    return token


def is_token(text: str) -> bool:
    """Tell whether a text is meant as a token; whether it is a whole one is told when it is read."""
    return text.startswith((OF_A_MODEL, OF_CODE))


def is_of_code(token: str) -> bool:
    """Tell whether a token is a schedule of code, and not of a model."""
    return token.startswith(OF_CODE)
