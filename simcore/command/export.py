"""What others read or draw better: a model as a program for another checker, its schedule as data for other viewers."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from pathlib import Path

import click

from simcore.command.arguments import build_model
from simcore.command.console import status
from simcore.command.options import HOLDS, MODEL_ARGUMENT, PARAMETERS, TIMEOUTS
from simcore.model import Timeouts
from simcore.report import whole_file
from simcore.report.promela import promela


@click.command("export")
@MODEL_ARGUMENT
@PARAMETERS
@click.option("--promela", "in_promela", is_flag=True, help="As a program for Spin; there is no other language yet.")
@TIMEOUTS
@click.option(
    "--max-states",
    type=int,
    default=1_000_000,
    show_default=True,
    help="All states are met first; give up after these.",
)
@click.option("--out", type=click.Path(path_type=Path), help="File to write, instead of printing the program.")
def export_model(
    model: str, parameters: tuple[str, ...], in_promela: bool, timeouts: Timeouts, max_states: int, out: Path | None
) -> int:
    """Write MODEL down for another checker, whose states must be the same: a second opinion."""
    if not in_promela:
        raise click.UsageError("say in which language: simcore export --promela MODEL")
    built = build_model(model, parameters)
    with whole_file(out) if out is not None else nullcontext(partial(click.echo, nl=False)) as write:
        with status("exploring"):
            program = promela(built, timeouts=timeouts, max_states=max_states)
        write(program.text)
    if out is not None:
        click.echo(f"written: {out}, with {program.states:,} states, of which {program.deadlocks:,} are deadlocks")
    return HOLDS
