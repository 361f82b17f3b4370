"""What the commands show beside a verdict: tables, how a replay stands, and what is being done."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from simcore.command.matrix import NAMES, Matrix, Row
from simcore.explain import WaitForGraph, fit, graph_after
from simcore.explore import Progress, stands_still, waiting_servers
from simcore.kernel import Kernel
from simcore.model import Model, State
from simcore.report import Line, model_json, printed_table, step_json
from simcore.schedule import Schedule

_OF_VERDICT = {
    **dict.fromkeys(("violated", "stuck", "failed", "otherwise"), "bold red"),
    **dict.fromkeys(("holds", "completed"), "bold green"),
    **dict.fromkeys(("undetermined", "limit", "goes on"), "bold yellow"),
}
_OF_LINE = {
    "stuck:": "red",
    "point of no return": "yellow",
    "no run of": "yellow",
    "schedule": "bold",
    "replay:": "dim",
}


def report(text: str) -> None:
    """Print the text of an answer: as it is, and on a terminal with colours, unless NO_COLOR asks for none."""
    console = Console(highlight=False, soft_wrap=True)
    if console.is_terminal:
        console.print(coloured(text))
    else:
        print(text)


def coloured(text: str) -> Text:
    """Return the text of an answer with the verdict, the reason and the point of no return to be seen at once."""
    first, *rest = text.split("\n")
    told, style = Text().append(first, _OF_VERDICT.get(re.split("[: ]", first)[0], "")), ""
    for line in rest:
        if not line.startswith(" "):
            style = next((style for start, style in _OF_LINE.items() if line.startswith(start)), "")
        told.append("\n").append(line, "" if style == "bold" and line.startswith(" ") else style)
    return told


def width() -> int:
    """Return the columns of the terminal, and enough for a table where there is none."""
    return min(120, shutil.get_terminal_size((120, 24)).columns)


def matrix_text(matrix: Matrix, out: Path) -> str:
    """Return the table, each disagreement with its report, and the sum of it all."""
    header = {"version": 24, "model": 0, "expected": 0, "found": 20, "states": 0, "seconds": 0}
    parts = [printed_table(header, map(_group, matrix.groups), 2, width())]
    for row, line in zip(matrix.otherwise, matrix.disagreements, strict=True):
        parts.append(f"otherwise: {line}\n{row.report}")
    columns, overview = matrix.overview
    parts.append(printed_table(dict.fromkeys(columns, 0), [[Line(row) for row in overview]], 0, width()))
    last = [f"written: {out}/ ({', '.join(NAMES)}), with the token of every violation"]
    last += [matrix.slow] * bool(matrix.left_out) + [matrix.summary]
    return "\n\n".join([*parts, "\n".join(last)])


def _group(rows: list[Row]) -> list[Line]:
    """Return a heading for what is asked, where it is not the same as above, and a line for each row."""
    lines = []
    for about, same in groupby(rows, key=lambda row: row.about):
        lines.append(Line([about], "bold"))
        lines += [Line(row.cells[1:], _style(row)) for row in same]
    return lines


def _style(row: Row) -> str:
    return "" if row.as_expected else "yellow" if row.undetermined else "bold red"


class Stepped(NamedTuple):
    """A schedule replayed on the kernel: how its last state stands, what there is to print, the same in a few words."""

    standing: str
    printed: str
    answer: str
    graph: WaitForGraph
    kernel: Kernel


def stepped(model: Model, schedule: Schedule, as_object: bool) -> Stepped:
    """Replay on the kernel."""
    kernel = Kernel(model)
    last = schedule.states(kernel)[-1]
    state: State = kernel.view(last)
    read = partial(graph_after, kernel, schedule.path(kernel), stands_still=partial(stands_still, kernel))
    graph = read()
    standing, headline, blame = _standing(state, graph), graph.headline, graph.explain()
    servers = waiting_servers(kernel, last) if standing in ("completed", "goes on") else None
    if servers is not None and servers.ends:
        graph = read(servers=servers.ends)
        standing, headline, blame = "stuck", servers.told, [servers.told, *graph.explain()]
    elif servers is not None:
        blame = [*blame, servers.told]
    failures = "; ".join(p.failure for p in state.processes if p.status == "failed")
    told = {"failed": failures, "stuck": headline, "completed": "every process that must end has ended"}
    unsure = f"; {servers.told}" if servers is not None and not servers.ends else ""
    answer = told.get(standing, "it is not known that anybody can never move again") + unsure
    if as_object:
        steps = [step_json(step) for step in schedule.steps]
        whole = {**model_json(model), "status": standing, "schedule": steps, "blame": blame}
        return Stepped(standing, json.dumps({**whole, "token": schedule.token}, indent=2), answer, graph, kernel)
    lines = [f"{standing}: {answer}"]
    lines += graph.told() if standing != "completed" else []
    lines += ["schedule:", str(schedule)] if schedule.steps else []
    return Stepped(standing, fit(lines), answer, graph, kernel)


def _standing(state: State, graph: WaitForGraph) -> str:
    """Return how a run stands: "failed", "stuck" (some of it, at least), "completed" or "goes on"."""
    if any(process.status == "failed" for process in state.processes):
        return "failed"
    if graph.headline:  # an idle server loop is not stuck
        return "stuck"
    return "goes on" if any(process.owes for process in state.processes) else "completed"


def sections(*, beside_json: bool) -> tuple[Console, Callable[[str, str], None]]:
    """Return a console, and what prints a heading and a text there: on stderr when stdout is for JSON."""
    console = Console(stderr=beside_json, highlight=False, soft_wrap=True)

    def say(heading: str, text: str) -> None:
        console.print(Text(f"\n{heading}", style="bold"), Text(f"\n{text}"), sep="")

    return console, say


@contextmanager
def status(text: str, beside: Console | None = None) -> Iterator[Callable[[str], None]]:
    """Show what is being done on a terminal; nothing in a log.

    What is printed meanwhile goes through the console ``beside``. If that is a terminal the line is shown
    there, because one console has to keep them apart.
    """
    console = beside if beside is not None and beside.is_terminal else Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(Text(text)) as status:
        yield lambda doing: status.update(Text(doing))


@contextmanager
def progress(working: Callable[[str], None] | None = None) -> Iterator[Callable[[Progress], None]]:
    """Show states, rate, frontier and time on a terminal; nothing in a log."""
    if working is not None:
        yield lambda now: working(_counted(now))
        return
    with status("exploring") as show:
        yield lambda now: show(_counted(now))


def _counted(now: Progress) -> str:
    rate = f"{now.states:,} states, {now.states / max(now.seconds, 1e-9):,.0f} per second"
    return f"{rate}, frontier {now.frontier:,}, depth {now.depth}, {now.seconds:.0f} s"
