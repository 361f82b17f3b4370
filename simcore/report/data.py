"""A report says the same thing on a terminal, in Markdown, in JSON and in two pictures (`simcore.report.pictures`).

Nothing here decides anything: it writes down what drivers have found. A folder is written in one go, when everything
is there.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from simcore.errors import OptionError
from simcore.execute import Execution
from simcore.explore import Result
from simcore.model import Model
from simcore.simulate import Simulation

NAMES = ("report.md", "report.json", "wait-for.png", "wait-for.mmd", "occupancy.png")
"""The files of a report."""


def as_json(result: Result) -> dict[str, Any]:
    """Return the one object that ``--json`` prints for an exploration."""
    found = result.counterexample
    return {
        "model": result.origin.function if result.origin else result.model,
        "parameters": dict(result.origin.parameters) if result.origin else {},
        "property": result.property,
        "verdict": str(result.verdict),
        "states": result.states,
        "transitions": result.transitions,
        "depth": result.depth,
        "seconds": round(result.seconds, 3),
        "strategy": result.strategy,
        "timeouts": result.timeouts,
        "notes": list(result.notes),
        "reason": result.reason,
        "omission": result.omission,
        "schedule": [] if found is None else [step_json(step) for step in found.schedule.steps],
        "lasso": [step_json(step) for step in found.lasso.steps] if found is not None and found.lasso else [],
        "shortest": "" if found is None else found.shortest,
        "blame": [] if found is None else found.wait_for.explain(),
        "point_of_no_return": _no_return_json(result),
        "token": "" if found is None else found.token,
    }


def step_json(step: Any) -> dict[str, Any]:
    """Return one step of a schedule as plain data."""
    return {"process": step.process, "step": step.text, "result": step.result, "outcome": step.outcome}


def model_json(model: Model) -> dict[str, Any]:
    """Return what the command line was given to build ``model``."""
    origin = model.origin
    return {"model": origin.function if origin else model.name, "parameters": dict(origin.parameters) if origin else {}}


def simulation_json(run: Simulation) -> dict[str, Any]:
    """Return the one object that ``--json`` prints for a run in virtual time."""
    return {
        **model_json(run.kernel.model),
        "status": run.status,
        "time": run.time,
        "steps": run.steps,
        "completion": run.completion,
        "blame": run.wait_for.explain(),
        "token": run.token,
    }


def execution_json(run: Execution) -> dict[str, Any]:
    """Return the one object that ``--json`` prints for a real run."""
    return {
        **model_json(run.state.model),
        "status": run.status,
        "seconds": round(run.seconds, 3),
        "stuck_after": run.stuck_after,
        "frames": run.frames,
        "bytes": run.bytes,
        "held_up": list(run.held_up),
        "explained": run.explained,
        "blame": run.wait_for.explain(),
        "token": run.token,
    }


def _no_return_json(result: Result) -> dict[str, Any] | None:
    point = result.counterexample.no_return if result.counterexample else None
    return None if point is None else {"step": point.step, "earliest": point.earliest, "exact": point.exact}


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(content: object) -> str:
    return " ".join(str(content).split()).replace("|", "\\|")


class Line(NamedTuple):
    """A row of a printed table, or with one cell a heading above rows; the style is for terminals with colours."""

    cells: Sequence[str]
    style: str = ""


_GAP = 2
_NARROWEST = 8


def printed_table(header: Mapping[str, int], groups: Iterable[Sequence[Line]], numbers: int, width: int) -> str:
    """Return a table for a terminal of ``width`` columns, as text.

    Parameters
    ----------
    header : mapping of str to int
        The name of each column, and how wide it may become at most; 0 is as wide as it needs.
    groups : iterable of sequence of Line
        Rows and headings; an empty line goes before each group.
    numbers : int
        How many of the last columns are numbers: they stand to the right, and are never wrapped.
    """
    parts = [list(group) for group in groups]
    rows = [line.cells for group in parts for line in group if len(line.cells) > 1]
    widths = _widths(header, rows, numbers, width)
    console = Console(width=width, highlight=False)
    with console.capture() as printed:
        _print_row(console, Line([*header], "bold"), widths, numbers)
        console.print("─" * (sum(widths) + _GAP * len(widths)))
        for number, group in enumerate(parts):
            console.print("\n" * bool(number), end="")
            for line in group:
                _print_row(console, line, widths, numbers)
    return "\n".join(line.rstrip() for line in printed.get().splitlines())


def _widths(header: Mapping[str, int], rows: Sequence[Sequence[str]], numbers: int, width: int) -> list[int]:
    """Return what each column needs, or less of the widest ones if that is too much."""
    widths = [
        max(len(name), min(max((len(row[n]) for row in rows), default=0), most or width))
        for n, (name, most) in enumerate(header.items())
    ]
    words = range(len(widths) - numbers)
    while sum(widths) + _GAP * len(widths) > width:
        widest = max(words, key=lambda n: widths[n])
        if widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
    return widths


def _print_row(console: Console, line: Line, widths: Sequence[int], numbers: int) -> None:
    if len(line.cells) == 1:
        console.print(Text(line.cells[0], line.style))
        return
    row = Table.grid(padding=(0, _GAP))
    for n, width in enumerate(widths):
        number = n >= len(widths) - numbers
        row.add_column(width=width, justify="right" if number else "left", no_wrap=number, overflow="fold")
    row.add_row(*map(Text, line.cells), style=line.style)
    console.print(Padding(row, (0, 0, 0, _GAP), expand=False))


def check_folder(folder: Path, names: Collection[str] = NAMES) -> None:
    """Tell early whether `write_folder` will take ``folder`` for files of these ``names``.

    Raises
    ------
    OptionError
        When it cannot be written, or holds something of another name.
    """
    try:
        if folder.exists():
            if not folder.is_dir():
                raise OptionError(f"{folder} is not a folder; name another place with --out")
            foreign = sorted(path.name for path in folder.iterdir() if path.name not in names)
            if foreign:
                raise OptionError(f"{folder} holds {foreign[0]}, which would be lost; name another place with --out")
        _partial(folder).rmdir()
    except OSError as error:
        raise _cannot_be_written(folder, error) from error


def write_folder(folder: Path, files: Mapping[str, bytes | str], names: Collection[str] = NAMES) -> None:
    """Write ``files`` as ``folder``, whole or not at all: it is written beside its place, then renamed.

    An older folder is there until all of the new one is. Who is killed between the two renames leaves none, and
    both beside it; who is interrupted there leaves the older one.

    Raises
    ------
    OptionError
        When ``folder`` cannot be written, or holds something of another name.
    """
    check_folder(folder, names)
    try:
        partial = _partial(folder)
        try:
            partial.chmod(0o755)
            for name, content in files.items():
                (partial / name).write_bytes(content.encode() if isinstance(content, str) else content)
            _swap(partial, folder.resolve())
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        _sweep(folder)
    except OSError as error:
        raise _cannot_be_written(folder, error) from error


def _partial(folder: Path) -> Path:
    """Return a new folder beside ``folder``."""
    place = folder.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".partial", dir=place.parent))


def _swap(new: Path, folder: Path) -> None:
    old = new.with_name(f"{new.name.removesuffix('.partial')}.old.partial")
    try:
        if folder.exists():
            os.replace(folder, old)
        os.replace(new, folder)
    finally:
        if old.exists() and not folder.exists():
            os.replace(old, folder)
    shutil.rmtree(old, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what runs that were killed have left."""
    place = folder.resolve()
    left = re.compile(rf"\.{re.escape(place.name)}\.\w{{8}}(\.old)?\.partial")
    for path in place.parent.iterdir():
        if left.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True)


def _cannot_be_written(folder: Path, error: OSError) -> OptionError:
    return OptionError(f"{folder} cannot be written: {error.strerror}; name another place with --out")
