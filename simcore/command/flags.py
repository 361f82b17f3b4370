"""An option in a message is spelled as whoever asked can write it: on the command line with its flag.

A driver does not know who has asked, and what it says is data: it is kept in files, sent between processes, compared.
So every message writes an option as Python does, in backquotes, ```max_states=100```, and the command line, which alone
knows its flags, spells it anew when it prints: ``--max-states 100``. The backquotes are what tells an option from a
parameter of a model that has the same name, and from the user's own words, which nobody rewrites.

What the command at hand has no flag for stays as Python has it; an object (``--json``) is for programs, and is the
same as in Python.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Mapping

import click

_OPTION = re.compile(r"`([a-z_]+)(?:=([^`]+)|\[([^`\]]+)\])?`")
_ELSEWHERE = {("jobs", "executor", "'here'"): "--jobs 1"}
"""Where the command line has another option for the same: it, by the flag, and by what Python calls it."""


def flags_of(command: click.Command) -> dict[str, str]:
    """Return the flags of a command, by what Python calls the option; of one that is switched off, with a ``no_``."""
    flags = (flag for option in command.params for flag in option.opts if flag.startswith("--"))
    return {flag.removeprefix("--").replace("-", "_"): flag for flag in flags}


def spelled(text: str, flags: Mapping[str, str]) -> str:
    """Return a message with its options as flags, as far as there are such."""
    return _OPTION.sub(lambda found: _flag(found, flags) or found[0], text)


def _flag(found: re.Match[str], flags: Mapping[str, str]) -> str | None:
    name, value, key = (part and " ".join(part.split()) for part in found.groups())
    for (has, option, its), flag in _ELSEWHERE.items():
        if has in flags and (option, its) == (name, value):
            return flag
    if value == "False":
        return flags.get(f"no_{name}") or (f"no {flags[name]}" if name in flags else None)
    if name not in flags:
        return None
    if value == "None":
        return f"no {flags[name]}"
    told = "" if value == "True" else _value(value or key or "")
    return f"{flags[name]} {told}".rstrip()


def _value(text: str) -> str:
    """Return a value as a shell takes it: a text without quotes where it needs none, a mapping as ``name=value``."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    if isinstance(value, Mapping):
        return " ".join(shlex.quote(f"{name}={each}") for name, each in value.items())
    return shlex.quote(value) if isinstance(value, str) else text
