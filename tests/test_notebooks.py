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


@pytest.mark.slow
def test_what_pool_sizes_shows_is_so():
    shown = run(NOTEBOOKS / "pool_sizes.ipynb")
    verdicts = {size: result.verdict for size, result in shown["before"].items()}
    assert set(verdicts) == {(d, w) for d in range(1, 6) for w in range(1, 6)}
    assert verdicts == {(d, w): Verdict.VIOLATED if d >= w else Verdict.HOLDS for d, w in verdicts}
    assert len(shown["after"]) >= 9
    assert {result.verdict for result in shown["after"].values()} == {Verdict.HOLDS}
    after = [run for runs in shown["runs_after"].values() for run in runs]
    assert {run.status for run in after} == {"completed"}
    assert all(len(run.completion) == 8 for run in after)
    assert {run.status for run in shown["runs_before"][1]} == {"stuck"}
    assert 547 <= 20 / shown["alone"].time <= 865, "one download alone is as fast as was measured"


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
