"""A token is a small plain value in one word, in which every change of one character is noticed, and of a few."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from typing import Any

from simcore.errors import ScheduleError

OF_A_MODEL, OF_CODE = "sc1-", "sx1-"
"""What the token of a schedule starts with, by what it is a schedule of."""

_TAKEN_BY = {
    OF_A_MODEL: "it is one of a model: simcore.replay and Schedule.from_token take it",
    OF_CODE: "it is one of code under control: simcore.control.replay takes it",
}


def encode(prefix: str, content: list[object]) -> str:
    """Return ``content``, of plain values, in one word that starts with ``prefix``."""
    packed = zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 9)
    checked = packed + zlib.crc32(packed).to_bytes(4)  # it finds every change of one character, and of a few
    return prefix + base64.urlsafe_b64encode(checked).decode().rstrip("=")


def decode(prefix: str, token: str, valid: Callable[..., bool]) -> list[Any]:
    """Return the content of a token.

    Parameters
    ----------
    prefix : str
        What it starts with.
    token : str
        What `encode` gave.
    valid : function
        Tells, of the parts of the content, whether they are what such a token has.

    Raises
    ------
    ScheduleError
        When it is no token, or damaged.
    """
    token = token.strip()
    if not token.startswith(prefix):
        why = _TAKEN_BY.get(token[:4], f"a token starts with {prefix!r}; copy the whole line")
        raise ScheduleError(f"{token[:20]!r} is no replay token here: {why}")
    body = token[len(prefix) :]
    try:
        if not {"+", "/"}.isdisjoint(body):  # the other alphabet of the same code
            raise ValueError
        checked = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        packed, checksum = checked[:-4], checked[-4:]
        if zlib.crc32(packed).to_bytes(4) != checksum or base64.urlsafe_b64encode(checked).decode().rstrip("=") != body:
            raise ValueError
        content: list[Any] = json.loads(zlib.decompress(packed))
        if not valid(*content):
            raise ValueError
    except (ValueError, TypeError, zlib.error) as error:
        raise ScheduleError(
            "the replay token is damaged: a character is missing or changed; copy the whole line"
        ) from error
    return content
