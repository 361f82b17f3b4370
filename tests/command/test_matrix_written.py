"""The matrix is written whole, ordered as a reader counts, and takes the place of an older one only."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from command_line import assert_one_line
from small_library import ids, written

from simcore.command.matrix.matrix import _natural
from simcore.schedule import replay

# ---- what is written -------------------------------------------------------------------------------------


def test_rows_are_in_the_order_of_their_ids(matrix, library):
    library("wrong", "bounded")
    matrix()
    assert ids() == ["S1", "S2", "S10", "S10", "L1", "other"]


def test_rows_that_ask_the_same_stay_together(matrix, library):
    library("mixed")
    out = matrix("--only", "R1").out
    assert [claim["property"] for claim in written()["claims"]] == ["no stuck subset"] * 2 + ["deadlock free"] * 2
    assert [line for line in out.splitlines() if line.startswith("R1")] == ["R1 no stuck subset", "R1 deadlock free"]


def test_ids_are_ordered_as_a_reader_counts():
    names = [
        "zone",
        "6.10",
        "10.1",
        "6.5",
        "",
        "H20",
        "R1",
        "L2",
        "X1",
        "S10",
        "H3",
        "S2",
        "S10b",
        "L1",
        "s1",
        "Safe 2",
    ]
    in_order = [
        "S2",
        "S10",
        "S10b",
        "L1",
        "L2",
        "R1",
        "H3",
        "H20",
        "",
        "6.5",
        "6.10",
        "10.1",
        "Safe 2",
        "X1",
        "s1",
        "zone",
    ]
    assert sorted(names, key=_natural) == in_order


def test_the_table_in_markdown_has_all_columns_and_a_token_for_each_violation(matrix):
    matrix()
    lines = Path("out/matrix.md").read_text().splitlines()
    overview, table = (part.splitlines() for part in "\n".join(lines).split("\n\n") if part.startswith("|"))
    assert overview[0] == "| id | 1.0 | 1.1 |"
    assert "| S10 | violated | holds |" in overview
    assert table[0] == ("| property | version | model | expected | found | states | seconds | note | token |")
    (violated,) = [line for line in table if "| violated |" in line]
    start = r"\| S10 deadlock free \| 1.0 \| locks:locks \| violated \| violated \| 7 \| \d.\d \| left \\\| right \|"
    token = re.fullmatch(rf"{start} `(sc1-\S+)` \|", violated)
    assert replay(token[1]).deadlocked
    assert len(table) == 2 + 4


def test_the_overview_counts_verdicts_that_depend_on_the_size_and_keeps_variants_apart(matrix, library):
    library("variant")
    matrix()
    lines = Path("out/matrix.md").read_text().splitlines()
    assert "| id | 1.0 | 1.1 | variants |" in lines
    assert "| S10 | violated 1, holds 1 | holds | holds |" in lines


def test_the_file_tells_disagreements_with_their_reports(matrix, library):
    library("wrong")
    matrix()
    text = Path("out/matrix.md").read_text()
    assert "\n## Otherwise: S1 1.1: deadlock free holds of library.locks:locks(), found violated\n\n```text\n" in text
    assert text.endswith("\n```\n")


def test_the_object_has_everything(matrix):
    matrix()
    found = written()
    assert (found["as_expected"], found["otherwise"], found["left_out"]) == (4, 0, 0)
    (claim,) = [claim for claim in found["claims"] if claim["expected"] == "violated"]
    assert replay(claim["result"].pop("token")).deadlocked
    schedule = claim["result"].pop("schedule")
    assert [step["process"] for step in schedule] == ["left", "right"]
    assert claim.pop("result")["states"] == 7
    assert claim == {
        "id": "S10",
        "version": "1.0",
        "model": "library.locks:locks",
        "parameters": {},
        "property": "deadlock free",
        "timeouts": "when_stuck",
        "max_states": None,
        "slow": False,
        "note": "left | right",
        "expected": "violated",
        "found": "violated",
        "as_expected": True,
    }


def test_json_prints_what_is_written(matrix, library):
    library("wrong")
    run = matrix("--json")
    assert (run.status, run.err) == (1, "")
    assert json.loads(run.out) == written()


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_the_table_fits_the_terminal_and_is_never_wider_than_120_columns(matrix, library, monkeypatch, columns):
    library("wrong", "bounded")
    monkeypatch.setenv("COLUMNS", str(columns))
    table = matrix().out.partition("\n\notherwise")[0]
    assert max(map(len, table.splitlines())) <= min(columns, 120)


def test_an_older_matrix_is_replaced(matrix, library):
    library("wrong")
    matrix()
    library()
    sys.modules.pop("library.more")
    shutil.rmtree("library/__pycache__", ignore_errors=True)
    matrix()
    assert sorted(path.name for path in Path("out").iterdir()) == ["matrix.json", "matrix.md"]
    assert len(ids()) == 4


def test_a_folder_with_something_else_in_it_is_refused_before_anything_is_explored(matrix, library):
    library("endless")
    Path("out").mkdir()
    Path("out/report.md").write_text("mine")
    assert_one_line(matrix(), "out holds report.md, which would be lost")
