"""What there is in a library of models: ``simcore list``, and its claims asked again: ``simcore matrix``."""

from __future__ import annotations

import json
import os
from itertools import groupby
from pathlib import Path

import click

from simcore.command.arguments import catalogue, described, modules
from simcore.command.console import status, width
from simcore.command.matrix import NAMES, Matrix, Row, answer, choose
from simcore.command.options import AS_JSON, HOLDS, UNDETERMINED, VIOLATED
from simcore.report import Line, check_folder, printed_table, write_folder


@click.command("list")
@click.argument("package", default="simcore.models")
@AS_JSON
def list_models(package: str, as_object: bool) -> int:
    """List the models in PACKAGE: the bug, its report, the parameters and what they mean."""
    rows = [row for module in modules(package) for row in described(module)]
    nothing = f"{package} has no function that says it returns a Model"
    click.echo(json.dumps({"models": rows}, indent=2) if as_object else catalogue(rows, width()) or nothing)
    return HOLDS


@click.command("matrix")
@click.argument("package", default="simcore.models")
@click.option("--quick", is_flag=True, help="Leave out the claims that are slow.")
@click.option(
    "--only", "names", metavar="ID_OR_MODEL", multiple=True, help="Claims of this id or this model; repeatable."
)
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(min=1),
    default=os.cpu_count() or 1,
    show_default="the number of CPUs",
    help="Processes that explore at once.",
)
@click.option(
    "--out",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    default=Path("reports/matrix"),
    show_default=True,
    help="Folder to write.",
)
@AS_JSON
def explore_claims(package: str, quick: bool, names: tuple[str, ...], jobs: int, out: Path, as_object: bool) -> int:
    """Explore every claim of the modules in PACKAGE; print and write what was expected and what was found.

    Exit status: 0 all as expected, 1 some claim otherwise, 2 an error, 3 some undetermined and none otherwise.
    """
    check_folder(out, NAMES)
    asked = list(modules(package))
    chosen = choose(asked[0].__name__, asked, quick, names)
    with status("exploring") as tell:
        matrix = answer(chosen, jobs, tell)
    write_folder(out, matrix.files(), NAMES)
    click.echo(json.dumps(matrix.as_json(), indent=2) if as_object else matrix_text(matrix, out))
    if not matrix.otherwise:
        return HOLDS
    return UNDETERMINED if all(row.undetermined for row in matrix.otherwise) else VIOLATED


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
