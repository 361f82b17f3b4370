"""What others read or draw better: a model as a program for another checker, its schedule as data for other viewers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simcore.command.arguments import build_model
from simcore.command.console import progress, status
from simcore.command.given_token import is_of_code, is_token
from simcore.command.options import HOLDS, MODEL_ARGUMENT, PARAMETERS, TIMEOUTS
from simcore.control import replay
from simcore.errors import OptionError
from simcore.explore import explore
from simcore.model import Model, Timeouts
from simcore.report import whole_file
from simcore.report.promela import promela
from simcore.report.storm import storm
from simcore.schedule import Schedule

if TYPE_CHECKING:
    from simcore.report.page import Film

_FILE = click.Path(path_type=Path)
_PRINTED = Path("-")
_WRITTEN = ("perfetto", "mermaid_sequence", "itf")  # as the functions of the page, and as the options

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
    type=_FILE,
    help="As a Markov chain for Storm, under a random scheduler, in its format DRN.",
)
@click.option("--perfetto", type=_FILE, metavar="FILE", help="Its schedule as a trace for ui.perfetto.dev.")
@click.option("--mermaid-sequence", type=_FILE, metavar="FILE", help="Its schedule as a sequence diagram of Mermaid.")
@click.option("--itf", type=_FILE, metavar="FILE", help="The states of its schedule, as Apalache writes them.")
@TIMEOUTS
@click.option(
    "--max-states",
    type=int,
    default=1_000_000,
    show_default=True,
    help="All states are met first; give up after these.",
)
@click.option("--out", type=_FILE, help="File to write, instead of printing the program.")
def export_model(
    model: str,
    parameters: tuple[str, ...],
    in_promela: bool,
    chain: Path | None,
    timeouts: Timeouts,
    max_states: int,
    out: Path | None,
    **files: Path | None,
) -> int:
    """Write MODEL, or the schedule that it is violated by, or that of a token, for others.

    As a program for Spin, and as a chain for Storm, its states must be the same: a second opinion. What is written to
    the file - is printed.
    """
    wanted = {name: file for name in _WRITTEN if (file := files[name]) is not None}
    if not (in_promela or chain or wanted):
        raise click.UsageError(
            "say in which language: simcore export --promela MODEL, "
            "or --storm FILE, --perfetto FILE, --mermaid-sequence FILE or --itf FILE"
        )
    if out is not None and not in_promela:
        raise click.UsageError("--out is the file of --promela; the others name theirs themselves")
    texts: list[str] = []
    try:
        if wanted:
            texts += _export_schedule(model, parameters, wanted, timeouts, max_states)
        if in_promela or chain is not None:
            built = build_model(model, parameters)
            if in_promela:
                texts.append(_export(partial(_program, built, timeouts, max_states), out, "--out"))
            if chain is not None:
                texts.append(_export(partial(_chain, built, timeouts, max_states), chain, "--storm"))
    finally:  # not in between: whoever reads this may be gone before the next file is written
        click.echo("".join(texts), nl=False)
    return HOLDS


def _export(made: Callable[[], Written], path: Path | None, option: str) -> str:
    """Write a file, whole or not at all, and return what to say of it; where it is to be printed return the text."""
    with whole_file(path, option) if path not in (None, _PRINTED) else nullcontext() as write:
        with status("exploring"):
            text, told = made()
        if write is None:
            return text
        write(text)
    return f"written: {path}, with {told}\n"


def _program(model: Model, timeouts: Timeouts, max_states: int) -> Written:
    found = promela(model, timeouts=timeouts, max_states=max_states)
    return found.text, f"{found.states:,} states, of which {found.deadlocks:,} are deadlocks"


def _chain(model: Model, timeouts: Timeouts, max_states: int) -> Written:
    found = storm(model, timeouts=timeouts, max_states=max_states)
    labels = ", ".join(f"{number:,} {label}" for label, number in found.labels.items() if number)
    return found.text, f"{found.states:,} states: {labels}"


def _export_schedule(
    model: str, parameters: tuple[str, ...], wanted: dict[str, Path], timeouts: Timeouts, max_states: int
) -> list[str]:
    """Write the files that are wanted, and return what to say of each."""
    from simcore.report import page

    with ExitStack() as stack:
        writes = {
            name: stack.enter_context(whole_file(file, f"--{name.replace('_', '-')}"))
            for name, file in wanted.items()
            if file != _PRINTED
        }
        film = _film(model, parameters, timeouts, max_states)
        texts = {name: getattr(page, name)(film) for name in wanted}
        for name, write in writes.items():
            write(texts[name])
    return [
        f"written: {file}, with {len(film.frames):,} steps\n" if name in writes else texts[name]
        for name, file in wanted.items()
    ]


def _film(model: str, parameters: tuple[str, ...], timeouts: Timeouts, max_states: int) -> Film:
    """Return what there is to export: of a token its schedule, of a model the one that a search finds."""
    from simcore.report.page import film_of

    if is_token(model):
        if parameters:
            raise OptionError(f"-p {parameters[0]!r}: a token has its parameters in it; leave -p out")
        return film_of(replay(model) if is_of_code(model) else Schedule.from_token(model))
    with progress() as tell:
        result = explore(build_model(model, parameters), timeouts=timeouts, max_states=max_states, progress=tell)
    if result.counterexample is None:
        raise OptionError(f"{model}: {result.verdict}: {result.answer}; so there is no schedule to export")
    return film_of(result)
