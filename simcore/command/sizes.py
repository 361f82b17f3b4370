"""`simcore sweep` and `simcore law`: one model at many sizes. Only here a parameter may have several values."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import click

from simcore.command.arguments import read_delay
from simcore.command.console import status
from simcore.command.options import (
    AS_JSON,
    HOLDS,
    MODEL_ARGUMENT,
    STATUS_OF,
    TIMEOUTS,
    UNDETERMINED,
    USAGE,
    in_flags,
    show,
)
from simcore.command.property import read_property
from simcore.command.values import convert, read_parameters
from simcore.errors import InternalError, ModelError, OptionError, SimcoreError, extra
from simcore.model import Origin, Parameter, build, model_function
from simcore.simulate import Delay, simulate
from simcore.sizes import MOST, Chart, Law, Proved, Sweep, at, chart, check_chart, check_path, prove, sweep

_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)")

_OPTIONS = (
    MODEL_ARGUMENT,
    click.option(
        "-p", "parameters", metavar="NAME=VALUES", multiple=True, help="1..16, or 1,2,4,8, or one; may be repeated."
    ),
    click.option(
        "--property", "names", metavar="SPEC", multiple=True, help="package.module:function(arguments); repeatable."
    ),
    click.option(
        "--jobs",
        metavar="N",
        type=click.IntRange(min=1),
        show_default="the number of CPUs",
        help="Processes that explore at once; 1 is this one.",
    ),
    click.option("--dask", metavar="ADDRESS", help="Explore on the workers of the Dask scheduler at ADDRESS."),
    click.option(
        "--keep",
        metavar="FOLDER",
        type=click.Path(path_type=Path),
        help="Keep cells in FOLDER, .simcore/sweeps say; what is there and has not changed is not explored again.",
    ),
    click.option("--infer", metavar="NAME", multiple=True, help="Infer cells along NAME, as long as none contradicts."),
    click.option("--max-seconds", type=float, help="Give a cell up after this many seconds."),
    click.option("--max-states", type=int, help="Give a cell up after this many states."),
    TIMEOUTS,
    AS_JSON,
)


def _with_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command("sweep")
@_with_options
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="Write the cells to FILE.csv or .parquet.")
@click.option(
    "--chart",
    "picture",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Simulate each size, too, and draw which are safe and how fast they are, as FILE.png or .svg.",
)
@click.option("--latency", metavar="KEY=DELAY", multiple=True, help="Of --chart: what is slow.")
@click.option("--load", metavar="NAME=DELAY", multiple=True, help="Of --chart: gaps between process starts.")
@click.option("--runs", type=click.IntRange(min=1), show_default="20", help="Of --chart: simulated runs of each size.")
@click.option("--seed", type=int, show_default="0", help="Of --chart: of the first run of each size.")
def sweep_model(out: Path | None, picture: Path | None, as_object: bool, **options: Any) -> int:
    """Explore MODEL at every size of a grid: -p workers=1..16 -p downloads=1,2,4,8.

    Exit status: 0 all hold, 1 some are violated, 2 an error, of one cell too, 3 some are undetermined, none violated.
    """
    slow = {name: dict(map(read_delay, options.pop(name))) for name in ("latency", "load")}
    given = slow | {name: options.pop(name) for name in ("runs", "seed")}
    of_chart = {name: value for name, value in given.items() if value not in (None, {})}
    if out is not None:
        check_path(out)
    if picture is not None:
        grid = read_grid(options["model"], options["parameters"])
        check_chart(picture, grid)
        _check_slow(options["model"], grid, slow)
    elif of_chart:
        named = ", ".join(f"--{name}" for name in of_chart)
        raise OptionError(f"simcore sweep: {named} is for --chart FILE, which simulates; nothing else does")
    found = _swept(**options)
    if out is not None:
        found.write(out)
    drawn, refused = (None, None) if picture is None else _drawn(found, picture, of_chart)
    parts = [str(found), found.table(), *([] if drawn is None else [str(drawn), drawn.table()])]
    parts += [f"written: {path}" for path in (out, drawn and picture) if path is not None]
    show(json.dumps(sweep_json(found, drawn), indent=2) if as_object else "\n\n".join(parts), as_object)
    if refused is not None:
        raise refused
    return _status(found)


def _check_slow(model: str, grid: Mapping[str, Sequence[Parameter]], slow: Mapping[str, Mapping[str, Delay]]) -> None:
    """Raise OptionError for what no size has, before anything is explored; a size that is no model is told later."""
    with suppress(ModelError):
        first = build(Origin(model, {name: values[0] for name, values in grid.items()}))
        simulate(first, latency=slow["latency"], load=slow["load"], max_steps=1)


def _drawn(found: Sweep, place: Path, options: Mapping[str, Any]) -> tuple[Chart | None, SimcoreError | None]:
    """Return the chart, once it is written, or why there is none: what was explored is told all the same."""
    try:
        with status("simulating"):
            drawn = chart(found, **options)
            drawn.write(place)
    except SimcoreError as error:
        return None, error
    return drawn, None


@click.command("law")
@_with_options
def law_of_model(as_object: bool, **options: Any) -> int:
    """Say where MODEL hangs, as an inequality over its parameters: the simplest that no cell of a grid contradicts.

    Then where, of all sizes there are, no hang is reachable, as far as the structure of its programs proves that; where
    no parameter has several values, that alone.

    Exit status: 0 there is a law, 2 an error, of one cell too, 3 there is none.
    """
    grid = read_grid(options["model"], options["parameters"])
    proved = None if options["names"] else prove(options["model"], **_given(grid))
    if not any(len(values) > 1 for values in grid.values()):
        if proved is None:
            raise OptionError("simcore law: give a parameter several values, as in -p workers=1..16")
        show(json.dumps({"proved": proved_json(proved)}, indent=2) if as_object else _every_size(proved), as_object)
        return UNDETERMINED if proved.refused else HOLDS
    found = _swept(**options)
    law = found.law()
    text = str(law) if proved is None else f"{law}\n\n{_every_size(proved)}{_compared(found, proved)}"
    show(json.dumps(law_json(found, law, proved), indent=2) if as_object else text, as_object)
    return USAGE if _failed(found) else UNDETERMINED if law.refused else HOLDS


def _given(grid: dict[str, list[Parameter]]) -> dict[str, Any]:
    return {name: values if len(values) > 1 else values[0] for name, values in grid.items()}


def _every_size(proved: Proved) -> str:
    return f"for every size, by the structure of the programs:\n{proved}"


def _compared(found: Sweep, proved: Proved) -> str:
    """Hold what is proved against each cell explored; say where it leaves no size open of these.

    Raises
    ------
    InternalError
        When a cell hangs at a size that is proved to be safe: one of the two is wrong.
    """
    known = [(cell, proved.safe_at({**found.fixed, **cell.parameters})) for cell in found if cell.determined]
    for cell, safe in known:
        if cell.hangs and safe:
            raise InternalError(
                f"{found.model} hangs at {at(cell.parameters)}, where {proved.law!r} is proved to be all; "
                f"simcore replay {cell.token}"
            )
    if proved.refused or not all(cell.hangs != safe for cell, safe in known):
        return ""
    return f"\n  the same law: all {len(known):,} cells explored hang where a hang may be reachable, and nowhere else"


def _swept(
    *,
    model: str,
    parameters: Sequence[str],
    names: Sequence[str],
    dask: str | None,
    **options: Any,
) -> Sweep:
    grid = read_grid(model, parameters)
    asked = tuple(partial(read_property, name) for name in names)
    with status("exploring") as tell, _executor(dask) as executor:
        return sweep(model, asked=asked, executor=executor, grid=grid, progress=lambda now: tell(str(now)), **options)


def read_grid(model: str, texts: Sequence[str]) -> dict[str, list[Parameter]]:
    """Return the values of ``name=1..16``, ``name=1,2,4`` and ``name=value`` texts by their names."""
    function = model_function(model)
    return {
        name: [convert(one, name, function, model) for part in text.split(",") for one in _values(name, part.strip())]
        for name, text in read_parameters(texts).items()
    }


def _values(name: str, part: str) -> Sequence[str]:
    found = _RANGE.fullmatch(part)
    if found is None and ".." in part and "/" not in part:
        raise OptionError(f"-p {name}={part}: a range has two whole numbers, as in 1..16")
    if found is None:
        return [part]
    first, last = int(found[1]), int(found[2])
    if not first <= last < first + MOST:
        raise OptionError(f"-p {name}={part}: write the smaller number first, and no more than {MOST:,} of them")
    return [*map(str, range(first, last + 1))]


@contextmanager
def _executor(dask: str | None) -> Iterator[Executor | None]:
    """Give the executor of a Dask cluster, and let go of it; None where none is asked for."""
    if dask is None:
        yield None
        return
    with extra("cluster", "--dask"):
        from distributed import Client
    try:
        client = Client(dask)
    except (OSError, ValueError) as error:
        raise OptionError(f"--dask {dask}: no scheduler answers there ({' '.join(str(error).split())})") from None
    with client:
        yield client.get_executor()


def _status(found: Sweep) -> int:
    return USAGE if _failed(found) else STATUS_OF[found.verdict]


def _failed(found: Sweep) -> bool:
    """Tell an error of a cell in a line beside the answer; whether there is one."""
    for cell in found.errors[:1]:
        print(
            f"simcore: {len(found.errors)} of {len(found)} cells cannot be explored: {in_flags(cell.error)}",
            file=sys.stderr,
        )
    return bool(found.errors)


def sweep_json(found: Sweep, drawn: Chart | None) -> dict[str, Any]:
    """Return the one object that ``simcore sweep --json`` prints."""
    return {
        "model": found.model,
        "parameters": {name: list(values) for name, values in found.values.items()},
        "fixed": dict(found.fixed),
        "asked": list(found.asked),
        "timeouts": found.timeouts,
        "verdict": str(found.verdict),
        "cells": found.rows(),
        "alarms": [str(alarm) for alarm in found.alarms()],
        "chart": None if drawn is None else chart_json(drawn),
        "notes": list(found.notes),
        "seconds": round(found.seconds, 3),
    }


def chart_json(drawn: Chart) -> dict[str, Any]:
    """Return the numbers of a chart, as ``simcore sweep --chart FILE --json`` prints them; a p99 of never is a text."""
    rows = [{**row, "p99": "never" if row["p99"] == math.inf else row["p99"]} for row in drawn.rows()]
    return {"parameter": drawn.parameter, "recommended": drawn.recommended, "reason": drawn.reason, "sizes": rows}


def law_json(found: Sweep, law: Law, proved: Proved | None) -> dict[str, Any]:
    """Return the one object that ``simcore law --json`` prints."""
    return {
        "model": found.model,
        "parameters": {name: list(values) for name, values in found.values.items()},
        "fixed": dict(law.fixed),
        "asked": list(found.asked),
        "timeouts": found.timeouts,
        "law": str(law).partition("\n")[0],
        "formula": law.formula,
        "refused": law.refused,
        "witness": None if law.witness is None else law.witness.row(),
        **law.counts._asdict(),
        "also": list(law.also),
        "proved": None if proved is None else proved_json(proved),
        "notes": list(found.notes),
        "seconds": round(found.seconds, 3),
    }


def proved_json(proved: Proved) -> dict[str, Any]:
    """Return what is proved for every size, as ``simcore law --json`` prints it."""
    return {
        "laws": [{"at": dict(law.at), "hangs_only_where": law.text} for law in proved.laws if not law.refused],
        "lowest": dict(proved.lowest),
        "refused": proved.refused,
        "premises": list(proved.premises),
        "compared": list(proved.compared),
    }
