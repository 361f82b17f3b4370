"""Released packages on the command line: ``simcore confirm``."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from simcore.command.confirm import Confirmed, Row, confirm, load, replayed
from simcore.command.console import status, width
from simcore.command.options import AS_JSON, HOLDS, VIOLATED, show
from simcore.errors import OptionError
from simcore.report import Line, printed_table

_COLUMNS = {"claim": 0, "release": 0, "expected": 0, "seen": 0, "schedules": 0, "seconds": 0}


def _cache() -> Path:
    kept = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(kept) / "simcore" / "environments"


@click.command("confirm")
@click.argument("claims")
@click.option(
    "--only",
    "texts",
    metavar="TEXT",
    multiple=True,
    help="Claims with TEXT in what is claimed, in the function or the release; repeatable.",
)
@click.option("--schedules", metavar="N", type=click.IntRange(min=1), help="Try at most N for each claim.")
@click.option(
    "--max-seconds",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="Begin no other schedule of a claim after so many.",
)
@click.option(
    "--cache",
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where environments are kept; by default with what else a user caches.",
)
@click.option("--release", metavar="RELEASE", help="Of which release --replay follows a schedule.")
@click.option("--replay", "token", metavar="TOKEN", help="Follow one schedule, instead; it needs --release.")
@AS_JSON
def confirm_claims(
    claims: str,
    texts: tuple[str, ...],
    schedules: int | None,
    max_seconds: float | None,
    cache: Path | None,
    release: str | None,
    token: str | None,
    as_object: bool,
) -> int:
    """Try CLAIMS, a file or the name of one of the library, on the released packages that they are about.

    Each release is installed, as it is, into an environment of its own, which is kept; its programs are run there under
    `simcore control`.

    Exit status: 0 all as expected, 1 something else was seen, 2 an error, as when a package cannot be had.
    """
    read = load(claims)
    if (token is None) != (release is None):
        raise OptionError("--replay and --release belong together: a schedule, and the release that it is of")
    place = cache or _cache()
    if token is not None and release is not None:
        with status("running"):
            found = replayed(read, release, token, place)
        show(json.dumps(found["result"], indent=2) if as_object else found["report"], as_object)
        return VIOLATED if found["result"]["kind"] else HOLDS
    asked = read.only(texts) if texts else read.claims
    with status("beginning") as tell:
        done = confirm(read, asked, place, tell, schedules=schedules, max_seconds=max_seconds)
    show(json.dumps(done.as_json(), indent=2) if as_object else _text(done), as_object)
    return VIOLATED if done.otherwise else HOLDS


def _text(done: Confirmed) -> str:
    """Return the table, what hangs and where, and the whole report of what was not expected."""
    lines = [Line(row.cells, "" if row.as_expected else "bold red") for row in done.rows]
    parts = [done.title, printed_table(_COLUMNS, [lines], 2, width())]
    parts += [_told(row) for row in done.rows if row.result and row.result["kind"]]
    parts += [f"otherwise: {row.claim.text}, {row.claim.release}\n{row.report}" for row in done.otherwise if row.report]
    return "\n\n".join([*parts, done.summary])


def _told(row: Row) -> str:
    """Return what a found schedule comes to, with its token."""
    found = row.result
    lines = [f"{row.claim.text}, {row.claim.release}: {found['answer'] if not found['blame'] else found['kind']}"]
    lines += [f"  {line}" for line in found["blame"]]
    return "\n".join([*lines, f"  replay: {row.again} {found['token']}"])
