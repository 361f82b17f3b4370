"""Every notebook runs, from its first cell to its last, and prints what is stored in it; seconds and tokens apart."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb"))
EACH = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)

VARIES = (
    (re.compile(r"\d+\.\d+ s\b"), "... s"),
    (re.compile(r"\bs[cx]1-[\w-]+"), "token"),
    (re.compile(r" +"), " "),
)
"""What differs from run to run, and how it is written here."""


def cells(path):
    """Return the code cells."""
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def printed(cell):
    """Return what a cell prints, and what it shows as text where that is all that it shows."""
    shown = [output.text for output in cell.outputs if output.output_type == "stream"]
    shown += [data["text/plain"] for data in shown_by(cell) if data.keys() == {"text/plain"}]
    text = "".join(shown)
    for pattern, other in VARIES:
        text = pattern.sub(other, text)
    return text


def shown_by(cell):
    """Return what a cell shows, by the kind of it."""
    return [output.data for output in cell.outputs if "data" in output]


@pytest.mark.slow
@EACH
def test_a_notebook_prints_what_it_has_stored(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    for stored, again in zip(cells(path), [cell for cell in notebook.cells if cell.cell_type == "code"], strict=True):
        assert printed(again) == printed(stored), stored.source
        assert [data.keys() for data in shown_by(again)] == [data.keys() for data in shown_by(stored)], stored.source


@EACH
def test_a_notebook_uses_public_names_only(path):
    for cell in cells(path):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.ImportFrom):
                assert not any(alias.name.startswith("_") for alias in node.names)
                assert not any(part.startswith("_") for part in str(node.module).split("."))
            if isinstance(node, ast.Attribute):
                assert not node.attr.startswith("_") or node.attr == "__name__"


@EACH
def test_a_notebook_is_stored_with_its_outputs_and_without_an_error_or_an_address(path):
    outputs = [output for cell in cells(path) for output in cell.outputs]
    assert not any(output.output_type == "error" for output in outputs)
    assert any(output.output_type == "stream" for output in outputs)
    assert any({"image/png", "text/html"} & data.keys() for cell in cells(path) for data in shown_by(cell))
    assert not re.search(r"at 0x[0-9a-f]{6}", str(outputs))
