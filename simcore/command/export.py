"""`simcore export`: a model written down for another checker, whose answers must be the same."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import click

from simcore.command.arguments import build_model
from simcore.command.console import status
from simcore.command.options import HOLDS, MODEL_ARGUMENT, PARAMETERS, TIMEOUTS
from simcore.model import Model, Timeouts
from simcore.report import whole_file
from simcore.report.promela import promela
from simcore.report.storm import storm

Written = tuple[str, str]
"""The text of a file, and what there is in it."""


@click.command("export")
@MODEL_ARGUMENT
@PARAMETERS
@click.option("--promela", "in_promela", is_flag=True, help="As a program for Spin.")
@click.option(
    "--storm",
    "chain",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="As a Markov chain for Storm, under a random scheduler: write FILE, in its DRN format.",
)
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
    model: str,
    parameters: tuple[str, ...],
    in_promela: bool,
    chain: Path | None,
    timeouts: Timeouts,
    max_states: int,
    out: Path | None,
) -> int:
    """Write MODEL down for another checker, whose states must be the same: a second opinion."""
    if in_promela == (chain is not None):
        raise click.UsageError(
            "say in which language: simcore export --promela MODEL, or simcore export MODEL --storm FILE"
        )
    if chain is not None and out is not None:
        raise click.UsageError("--storm names its file itself; leave --out away")
    write = _program if chain is None else _chain
    _export(partial(write, build_model(model, parameters), timeouts, max_states), chain or out, chain is not None)
    return HOLDS


def _export(made: Callable[[], Written], path: Path | None, in_storm: bool) -> None:
    """Write a file, whole or not at all, and say what there is in it; without a path print the text."""
    option = "--storm" if in_storm else "--out"
    with whole_file(path, option) if path is not None else nullcontext(partial(click.echo, nl=False)) as write:
        with status("exploring"):
            text, told = made()
        write(text)
    if path is not None:
        click.echo(f"written: {path}, with {told}")


def _program(model: Model, timeouts: Timeouts, max_states: int) -> Written:
    found = promela(model, timeouts=timeouts, max_states=max_states)
    return found.text, f"{found.states:,} states, of which {found.deadlocks:,} are deadlocks"


def _chain(model: Model, timeouts: Timeouts, max_states: int) -> Written:
    found = storm(model, timeouts=timeouts, max_states=max_states)
    labels = ", ".join(f"{number:,} {label}" for label, number in found.labels.items() if number)
    return found.text, f"{found.states:,} states: {labels}"
