"""The user's own code on the command line: ``simcore control``, and the replay of what it has found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from simcore.command.console import status
from simcore.command.controlled import controlled_json
from simcore.command.options import AS_JSON, PARAMETERS, STATUS_OF, TIMEOUTS, WITNESS, in_flags
from simcore.command.paged import HTML, answering
from simcore.command.values import convert, read_parameters
from simcore.control import POINTS, STRATEGIES, Controlled, control, find, replay
from simcore.errors import OptionError
from simcore.report import check_file, whole_file

_NO_SKELETON = "no skeleton: no run came to its end, or was found; try more --schedules, or a larger --max-steps"


@click.command("control")
@click.argument("function", metavar="FUNCTION")
@PARAMETERS
@click.option("--schedules", type=int, default=200, show_default=True, help="How many to try.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--strategy", type=click.Choice(STRATEGIES), default="portfolio", show_default=True)
@click.option("--max-steps", type=int, default=20_000, show_default=True, help="Give a run up after so many.")
@click.option("--max-seconds", type=float, help="Begin no other run after so many seconds.")
@click.option(
    "--points",
    type=click.Choice(POINTS),
    default="operations",
    show_default=True,
    help="Where others may go on: also after a release, at each line, or at each instruction.",
)
@TIMEOUTS
@WITNESS(
    help="What is told of a run that fails: a schedule that was shortened, or that of the run, as soon as it is there."
)
@click.option("--model", metavar="FILE", help="Write a skeleton model of what was seen to FILE; - prints it instead.")
@HTML
@AS_JSON
def control_code(
    function: str,
    parameters: tuple[str, ...],
    model: str | None,
    html: Path | None,
    as_object: bool,
    **options: Any,
) -> int:
    """Run FUNCTION, package.module:function, under many schedules: any code with threads, as it stands.

    Exit status: 0 no order of operations hangs (--strategy dfs), 1 a schedule hangs or something raised, 2 an error,
    3 nothing was found, which proves nothing.
    """
    given = read_parameters(parameters)
    found = find(function)
    body = find(function, {name: convert(text, name, found.func, function) for name, text in given.items()})
    printed = model == "-"
    if printed and as_object:
        raise OptionError("--model - and --json would both be printed; give --model a file")
    file = None if model is None or printed else Path(model)
    if file is not None:
        check_file(file, "--model")
    with answering(html, as_object or printed) as answer:
        with status("running"):
            result = control(body, **options)
            source = result.model() if model is not None and result.histories else None
        if source is not None and file is not None:
            with whole_file(file, "--model") as write:
                write(source)
        text = _text(result, as_object)
        if printed:  # a skeleton, or nothing
            text = (source or "").rstrip("\n")
        answer(result, text)
    if model is not None and source is None:
        click.echo(f"simcore: --model {model}: {_NO_SKELETON}", err=True)
        if printed:
            click.echo(in_flags(str(result)), err=True)
    return STATUS_OF[result.verdict]


def replay_code(token: str, html: Path | None, as_object: bool) -> int:
    """Run a schedule of code again; return the exit status."""
    with answering(html, as_object) as answer:
        with status("running"):
            result = replay(token)
        answer(result, _text(result, as_object))
    return STATUS_OF[result.verdict]


def _text(result: Controlled, as_object: bool) -> str:
    return json.dumps(controlled_json(result), indent=2) if as_object else str(result)
