"""What several commands have in common: their arguments, their exit status, and how an answer is shown."""

from __future__ import annotations

from functools import partial
from typing import get_args

import click

from simcore.command.console import report
from simcore.command.flags import flags_of, spelled
from simcore.model import WITNESSES, Timeouts, Verdict

HOLDS, VIOLATED, USAGE, UNDETERMINED = 0, 1, 2, 3
STATUS_OF = {Verdict.HOLDS: HOLDS, Verdict.VIOLATED: VIOLATED, Verdict.UNDETERMINED: UNDETERMINED}

PARAMETERS = click.option(
    "-p", "parameters", metavar="NAME=VALUE", multiple=True, help="A parameter of the function; may be repeated."
)
AS_JSON = click.option("--json", "as_object", is_flag=True, help="Print one JSON object instead of text.")
MODEL_ARGUMENT = click.argument("model", metavar="MODEL")
TIMEOUTS = click.option(
    "--timeouts", type=click.Choice(get_args(Timeouts)), default="when_stuck", show_default=True, help="When they fire."
)
WITNESS = partial(click.option, "--witness", type=click.Choice(WITNESSES), default="short", show_default=True)
"""To be called with what its help says."""


def show(text: str, as_object: bool) -> None:
    """Print an answer: a text for people, or an object."""
    if as_object:
        click.echo(text)
    else:
        report(in_flags(text))


def in_flags(text: str) -> str:
    """Return a text for people with its options as the command at hand has them."""
    return spelled(text, flags_of(click.get_current_context().command))
