"""Reports on the command line: ``simcore reproduce``, and ``simcore demo``, which reproduces a known one."""

from __future__ import annotations

import json
from pathlib import Path

import click

from simcore.command.console import progress, sections, status
from simcore.command.options import AS_JSON, HOLDS, VIOLATED
from simcore.command.paged import HTML, answering
from simcore.command.reproduce import find, load, reproduce

DEMO = "nvflare-4171"

_out = click.option(
    "--out", type=click.Path(path_type=Path), help="Folder to write; by default reports/<name of the report>."
)


@click.command("reproduce")
@click.argument("report")
@_out
@HTML
@AS_JSON
def reproduce_report(report: str, out: Path | None, html: Path | None, as_object: bool) -> int:
    """Take REPORT, a file or the name of one of the library, through all drivers.

    Find, explain, replay, prove, run for real.
    """
    file = find(report)
    read = load(file)
    console, say = sections(beside_json=as_object)
    with answering(html, as_object) as answer:
        with status("reading", console) as working, progress(working) as tell:
            done = reproduce(read, out or Path("reports") / file.stem, say, working, tell)
        answer(done.found, json.dumps(done.as_json(), indent=2) if as_object else "")
    return VIOLATED if done.failed else HOLDS


@click.command("demo")
@_out
@HTML
@AS_JSON
@click.pass_context
def reproduce_the_known_one(context: click.Context, out: Path | None, html: Path | None, as_object: bool) -> int:
    """Reproduce a hang that is known: NVIDIA FLARE 2.7.1, #4171."""
    found: int = context.invoke(reproduce_report, report=DEMO, out=out, html=html, as_object=as_object)
    return found
