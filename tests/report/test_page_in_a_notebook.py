"""In an executed notebook every answer shows itself: a picture, and beside it the text that is printed."""

from __future__ import annotations

import html
import re

import pytest

pytestmark = pytest.mark.slow

CELLS = (
    "from simcore import control, execute, explore, simulate\n"
    "from simcore.models.pool_starvation import buggy, fixed\n"
    "result = explore(buggy(downloads=1, workers=1))",
    "result",
    "result.counterexample",
    "result.counterexample.schedule",
    "result.counterexample.wait_for",
    "explore(fixed(downloads=1, workers=1))",
    "simulate(buggy(downloads=1, workers=1))",
    "execute(buggy(downloads=1, workers=1))",
)


def test_answers_show_themselves_in_an_executed_notebook():
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    cells = [nbformat.v4.new_code_cell(cell) for cell in (*CELLS, "print(result)")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = [cell.outputs[0].data for cell in notebook.cells[1 : len(CELLS)]]
    for data in shown:
        assert data["text/html"].startswith("<iframe")
        assert not re.search(r"0x[0-9a-f]{6}|<simcore|Packed|Kernel", data["text/plain"])
    assert shown[0]["text/plain"] == notebook.cells[-1].outputs[0].text.rstrip()
    assert "&lt;script type=&quot;module&quot;&gt;" in shown[1]["text/html"]
    source = html.unescape(re.search(r'srcdoc="([^"]*)"', shown[0]["text/html"])[1])
    assert "can never move again" in source
