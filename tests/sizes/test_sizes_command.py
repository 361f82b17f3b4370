"""`simcore sweep` and `simcore law` say what the library says, and their exit status is that of the worst cell."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from simcore import Proved, sweep
from simcore.command import cli, sizes
from simcore.errors import InternalError, SimcoreError
from simcore.properties import completes

GRID = ("-p", "workers=1..3", "-p", "tasks=1,2")


def run(*arguments: str) -> tuple[int, str]:
    """Run a command in this process; return its exit status and what it printed."""
    ran = CliRunner().invoke(cli.cli, [*arguments, "--jobs", "1"], standalone_mode=False)
    if ran.exception is not None:
        raise ran.exception
    return ran.return_value, ran.output


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("sized:below", "-p", "workers=3..5", "-p", "tasks=2"), 0),
        (("sized:below", *GRID), 1),
        (("sized:not_built", "-p", "workers=0..3"), 2),
        (("sized:not_built", "-p", "workers=0,3"), 2),
        (("pool_starvation:fixed", "-p", "downloads=2", "-p", "workers=1,2", "--max-states", "10"), 3),
        (("pool_starvation:buggy", "-p", "downloads=2", "-p", "workers=2,4", "--max-states", "50"), 1),
    ],
)
def test_the_exit_status_of_a_sweep(arguments, expected):
    assert run("sweep", *arguments)[0] == expected


def test_a_sweep_prints_the_report_and_the_table():
    _, printed = run("sweep", "sized:below", *GRID)
    found = sweep("sized:below", executor="here", workers=range(1, 4), tasks=[1, 2])
    assert printed.splitlines()[1:3] == str(found).splitlines()[1:3]
    assert printed.splitlines()[-5:] == found.table().splitlines()[-5:]
    assert f"replay: simcore replay {found.first_failure().token}" in printed


def test_a_sweep_as_json_holds_the_cells():
    _, printed = run("sweep", "sized:below", *GRID, "--json")
    found = sweep("sized:below", executor="here", workers=range(1, 4), tasks=[1, 2])
    read = json.loads(printed)
    assert read["parameters"] == {"workers": [1, 2, 3], "tasks": [1, 2]}
    assert (read["verdict"], read["asked"]) == ("violated", ["deadlock free"])
    for row in (*read["cells"], *(rows := found.rows())):
        del row["seconds"]
    assert read["cells"] == rows


def test_what_is_written_is_the_table_of_cells(tmp_path):
    _, printed = run("sweep", "sized:below", *GRID, "--out", str(tmp_path / "cells.csv"))
    assert printed.endswith(f"written: {tmp_path}/cells.csv\n")
    lines = (tmp_path / "cells.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 7
    assert lines[0].startswith("workers,tasks,verdict,states,seconds,")


def test_a_property_is_asked_and_cells_are_kept_and_inferred(tmp_path):
    asked = ("sized:below", "-p", "workers=1..9", "-p", "tasks=4", "--property", "simcore.properties:completes('left')")
    options = ("--keep", str(tmp_path / "kept"), "--infer", "workers", "--timeouts", "never", "--max-seconds", "60")
    first, second = run("sweep", *asked, *options)[1], run("sweep", *asked, *options)[1]
    assert f"asked: {completes('left').name}; time-outs: never" in first
    assert "(inferred)" in first
    assert "kept from before, 0 explored now" in second


def test_a_law_is_printed_with_its_counts():
    status, printed = run("law", "sized:below", "-p", "workers=1..5", "-p", "tasks=1..4")
    assert status == 0
    first, _, rest = printed.partition("\n\n")
    assert first == "hangs exactly where workers <= tasks: holds in all 20 cells explored (10 fitted, 10 tested)"
    assert rest.startswith("for every size, by the structure of the programs:\nbelow at workers=1: nothing is proved")


def test_what_is_proved_for_every_size_stands_below_it_and_is_held_against_the_cells():
    status, printed = run("law", "pool_starvation:buggy", "-p", "workers=1..3", "-p", "downloads=1..3")
    assert status == 0
    assert "buggy at chunks=1: no hang for any size where not (workers <= downloads)" in printed
    assert "the same law: all 9 cells explored hang where a hang may be reachable, and nowhere else" in printed


def test_a_cell_that_hangs_where_that_is_proved_to_be_impossible_is_our_bug(monkeypatch):
    monkeypatch.setattr(Proved, "safe_at", lambda self, parameters: True)
    with pytest.raises(InternalError, match="pool_starvation:buggy hangs at workers=1"):
        run("law", "pool_starvation:buggy", "-p", "workers=1..2")


@pytest.mark.slow
def test_without_a_parameter_of_several_values_the_proof_stands_alone():
    status, printed = run("law", "pool_starvation:fixed")
    assert status == 0
    assert printed.startswith("for every size, by the structure of the programs:\nfixed at ")
    status, printed = run("law", "pass_through:buggy")
    assert status == 3
    assert "no law: " in printed


def test_a_law_that_is_refused_is_no_answer():
    status, printed = run("law", "sized:below", "-p", "workers=1..5")
    assert status == 3
    assert printed.startswith("no law: 5 cells explored, and it takes 8 to fit to one half and test on the other")


def test_a_law_as_json():
    _, printed = run("law", "sized:below", "-p", "workers=1..5", "-p", "tasks=1..4", "--json")
    read = json.loads(printed)
    assert (read["formula"], read["fitted"], read["tested"], read["undetermined"]) == ("workers <= tasks", 10, 10, 0)
    assert (read["refused"], read["witness"]) == ("", None)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("workers=1..4", [1, 2, 3, 4]),
        ("workers=-2..0", [-2, -1, 0]),
        ("workers=1,2,8..10", [1, 2, 8, 9, 10]),
        ("workers=7", [7]),
        ("workers=3..3", [3]),
    ],
)
def test_a_parameter_has_ranges_lists_and_single_values(text, values):
    assert sizes.read_grid("sized:below", [text]) == {"workers": values}


def test_a_text_is_no_range():
    assert sizes.read_grid("sized:killed", ["marks=a,b"]) == {"marks": ["a", "b"]}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("sized:below", "-p", "workers=4..1"), "-p workers=4..1: write the smaller number first"),
        (("sized:below", "-p", "workers=1..99999999"), "no more than 1,000,000 of them"),
        (("sized:below", "-p", "workers=1,,2"), "sized:below: '' is no value of its parameter 'workers'"),
        (("sized:below", "-p", "workers=a..b"), "-p workers=a..b: a range has two whole numbers, as in 1..16"),
        (("sized:below", "-p", "worker=1"), "sized:below has no parameter 'worker'; it has workers and tasks"),
        (("sized:below", "--infer", "n"), "`infer='n'`: the sweep has no such parameter"),
        (("sized:nothing",), "module sized has no model function 'nothing'"),
        (("sized:below", "--property", "nonsense()"), "nonsense"),
        (("sized:below", "--out", "cells.txt"), "cells.txt: a sweep is written as .csv, or as .parquet"),
        (("sized:not_built", "-p", "workers=0"), "a pool without workers"),
    ],
)
def test_a_mistake_is_one_line(arguments, line):
    with pytest.raises(SimcoreError) as error:
        run("sweep", *arguments)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("out", ["none/cells.csv", "folder.csv"])
def test_a_file_that_cannot_be_written_is_an_error_before_anything_is_explored(tmp_path, out):
    (tmp_path / "folder.csv").mkdir()
    marks = tmp_path / "marks"
    marks.mkdir()
    with pytest.raises(SimcoreError, match=r"written.*; name another one with --out"):
        run("sweep", "sized:marked", "-p", f"marks={marks}", "--jobs", "1", "--out", str(tmp_path / out))
    assert list(marks.iterdir()) == []


def test_without_dask_one_line_says_how_to_get_it(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(
        SimcoreError, match=r"--dask needs distributed, which is not installed: pip install 'simcore\[cl"
    ):
        run("sweep", "sized:below", "--dask", "127.0.0.1:1")


def test_progress_says_how_many_how_fast_and_how_long_still():
    seen = []
    sweep("sized:below", executor="here", workers=range(1, 4), tasks=[1, 2], progress=seen.append)
    assert [now.explored for now in seen] == [0, 1, 2, 3, 4, 5, 6]
    assert seen[0].left is None
    assert seen[-1].left == 0
    told = str(seen[3]._replace(seconds=1.5))
    assert told == "3 of 6 cells, 2.0 per second, 2 s left"
    assert str(seen[3]._replace(kept=2, seconds=1.0)) == "5 of 6 cells, 2 kept from before, 3.0 per second, 0 s left"
