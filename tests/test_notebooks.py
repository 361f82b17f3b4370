"""Every cell of every notebook runs, in order, and what its pictures show is checked against what is known."""

import ast
import json
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

from simcore import Verdict

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"


def code_of(path):
    """Return the sources of the code cells."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def run(path):
    """Run every code cell, in order, without a display; return the variables at the end."""
    variables = {"__name__": path.stem}
    with mpl.rc_context({"backend": "agg"}):
        try:
            for number, source in enumerate(code_of(path)):
                exec(compile(source, f"{path.name}, code cell {number}", "exec"), variables)
        finally:
            plt.close("all")
    return variables


@pytest.fixture(scope="module")
def pool_sizes():
    return run(NOTEBOOKS / "pool_sizes.ipynb")


@pytest.mark.slow
def test_in_pool_sizes_a_hang_is_reachable_iff_downloads_are_at_least_the_workers(pool_sizes):
    verdicts = {size: result.verdict for size, result in pool_sizes["before"].items()}
    assert set(verdicts) == {(d, w) for d in range(1, 6) for w in range(1, 6)}
    assert verdicts == {(d, w): Verdict.VIOLATED if d >= w else Verdict.HOLDS for d, w in verdicts}


@pytest.mark.slow
def test_in_pool_sizes_the_fix_is_proved_at_every_size_shown(pool_sizes):
    assert len(pool_sizes["after"]) >= 9
    assert {result.verdict for result in pool_sizes["after"].values()} == {Verdict.HOLDS}


@pytest.mark.slow
def test_in_pool_sizes_every_run_after_the_fix_completes(pool_sizes):
    runs = [run for runs in pool_sizes["runs_after"].values() for run in runs]
    assert {run.status for run in runs} == {"completed"}
    assert all(len(run.completion) == 8 for run in runs)


@pytest.mark.slow
def test_in_pool_sizes_the_smallest_pool_gets_stuck_before_the_fix(pool_sizes):
    assert {run.status for run in pool_sizes["runs_before"][1]} == {"stuck"}


@pytest.mark.slow
def test_in_pool_sizes_one_download_alone_is_as_fast_as_was_measured(pool_sizes):
    assert 547 <= 20 / pool_sizes["alone"].time <= 865


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_uses_public_names_only(path):
    for source in code_of(path):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom):
                assert not any(alias.name.startswith("_") for alias in node.names)
                assert not any(part.startswith("_") for part in str(node.module).split("."))
            if isinstance(node, ast.Attribute):
                assert not node.attr.startswith("_")


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_is_stored_with_its_outputs_and_without_an_error(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert not any(output["output_type"] == "error" for output in outputs)
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 2
