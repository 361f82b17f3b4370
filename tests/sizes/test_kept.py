"""A cell is explored again exactly if something that it depends on has changed."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest
from sized import below, killed, marked

from simcore import SimcoreError, Sweep, Verdict, always, sweep
from simcore.models import pool_starvation
from simcore.properties import completes


@pytest.fixture
def keep(tmp_path) -> Path:
    return tmp_path / "kept"


def explored(found: Sweep) -> int:
    """Return how many of its cells were explored now."""
    told = [note for note in found.notes if "kept from before" in note]
    return int(told[0].split(" explored now")[0].rpartition(" ")[2]) if told else len(found)


def again(model, keep, **options) -> int:
    return explored(sweep(model, executor="here", keep=keep, **options))


def test_what_has_not_changed_is_not_explored_again(keep):
    grid = {"workers": [1, 2, 3], "tasks": [1, 2]}
    first = sweep(below, executor="here", keep=keep, **grid)
    second = sweep(below, executor="here", keep=keep, **grid)
    assert first == second
    assert (explored(first), explored(second)) == (6, 0)
    assert len(list(keep.iterdir())) == 1


def test_a_larger_grid_explores_what_is_new(keep):
    assert again(below, keep, workers=[1, 2]) == 2
    assert again(below, keep, workers=[3, 2, 1]) == 1
    assert again(below, keep, workers=[True, 2]) == 1, "True is not 1"


def test_other_parameters_limits_and_questions_are_explored(keep):
    def begun(**options) -> int:
        return again(below, keep, workers=[1, 2], **options)

    assert begun() == 2
    assert begun(tasks=2) == 2
    assert begun(max_states=1000) == 2
    assert begun(timeouts="never") == 2
    assert begun(asked=completes("left")) == 2
    assert begun(asked=completes("right")) == 2
    assert begun(asked=always(lambda state: True)) == 2
    assert begun() + begun(max_states=1000) + begun(asked=completes("left")) == 0


def test_a_property_that_asks_something_else_under_the_same_name_is_explored(keep):
    def least(number):
        return always(lambda state: len(state.processes) >= number, "the same name")

    assert again(below, keep, workers=1, asked=least(1)) == 1
    assert again(below, keep, workers=1, asked=least(2)) == 1
    assert again(below, keep, workers=1, asked=least(1)) == 0


def test_who_explores_does_not_matter(keep):
    assert again(below, keep, workers=[1, 2]) == 2
    assert explored(sweep(below, jobs=2, keep=keep, workers=[1, 2])) == 0


def test_a_limit_that_left_a_cell_undetermined_still_does(keep):
    sizes = {"downloads": 2, "workers": 2, "callback_workers": 2}
    first = sweep(pool_starvation.fixed, executor="here", keep=keep, max_states=10, **sizes)
    second = sweep(pool_starvation.fixed, executor="here", keep=keep, max_states=10, **sizes)
    assert first.verdict is Verdict.UNDETERMINED
    assert (first, explored(second)) == (second, 0)
    assert explored(sweep(pool_starvation.fixed, executor="here", keep=keep, max_states=11, **sizes)) == 1


@pytest.mark.slow
def test_what_would_not_be_found_again_is_not_kept(keep, tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    lost = {"n": [2, 3], "marks": str(marks), "times": 3}
    assert sweep(killed, jobs=2, keep=keep, **lost)[1].verdict is Verdict.UNDETERMINED
    found = sweep(killed, executor="here", keep=keep, **lost)
    assert explored(found) == 1
    assert found[1].verdict is Verdict.HOLDS


def test_a_torn_line_is_no_cell_and_what_comes_after_it_is_whole(keep):
    grid = {"workers": [1, 2, 3]}
    sweep(below, executor="here", keep=keep, **grid)
    (file,) = keep.iterdir()
    whole = file.read_bytes()
    for torn in (whole[:-30], whole + b"{", whole + b"[1]\nnull\n{}\n\xff\n", b""):
        file.write_bytes(torn)
        found = sweep(below, executor="here", keep=keep, **grid)
        assert [cell.verdict.value for cell in found] == ["violated", "holds", "holds"]
        assert explored(sweep(below, executor="here", keep=keep, **grid)) == 0


@pytest.mark.parametrize(
    "damage",
    [
        {"states": "7"},
        {"states": True},
        {"seconds": None},
        {"reason": 7},
        {"token": None},
        {"hangs": "no"},
        {"parameters": {"workers": [1]}},
        {"verdict": "perhaps"},
        {"inferred": True},
    ],
)
def test_a_line_that_says_what_no_cell_does_is_no_cell(keep, damage):
    whole = sweep(below, executor="here", keep=keep, workers=[1, 2])
    (file,) = keep.iterdir()
    lines = [json.dumps(json.loads(line) | damage) for line in file.read_text(encoding="utf-8").splitlines()]
    file.write_text("\n".join(lines), encoding="utf-8")
    found = sweep(below, executor="here", keep=keep, workers=[1, 2])
    assert explored(found) == 2
    assert str(found.table()) != ""
    assert found == whole


def test_a_cell_is_in_the_file_before_the_next_one_is_explored(keep, tmp_path):
    seen = []

    def look(now):
        seen.append(sum(file.read_bytes().count(b"\n") for file in keep.iterdir()))

    sweep(marked, executor="here", keep=keep, n=[1, 2, 3], marks=str(tmp_path), progress=look)
    assert seen == [0, 1, 2, 3]


def test_a_folder_that_cannot_be_written_is_an_error_before_anything_is_explored(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SimcoreError, match=r"cannot be written: .*; name another folder with `keep`"):
        sweep(marked, executor="here", keep=tmp_path / "file", n=1, marks=str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# ---- sources -------------------------------------------------------------------------------------------

MODEL = """
from sized import of_two
from helping import limit
{more}

def system(*, n=1):
    return of_two(n <= limit())
"""


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Return what writes modules of a user, and imports the model among them anew."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(**texts: str):
        for name, text in texts.items():
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
        for name in ("owned", "helping", "deeper", "apart"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        return importlib.import_module("owned").system

    yield write
    for name in ("owned", "helping", "deeper", "apart"):
        sys.modules.pop(name, None)


def test_a_change_of_the_source_is_explored_and_a_change_of_another_file_is_not(written, keep):
    sources = {
        "owned": MODEL.format(more=""),
        "helping": "import deeper\n\ndef limit():\n    return deeper.LIMIT\n",
        "deeper": "LIMIT = 2\n",
        "apart": "ANYTHING = 1\n",
    }
    grid = {"n": [1, 2, 3]}
    assert again(written(**sources), keep, **grid) == 3
    assert again(written(**sources), keep, **grid) == 0
    assert again(written(apart="ANYTHING = 2\n"), keep, **grid) == 0
    found = sweep(written(deeper="LIMIT = 1\n"), executor="here", keep=keep, **grid)
    assert [cell.verdict.value for cell in found] == ["violated", "holds", "holds"]
    assert explored(found) == 3
    assert again(written(owned=MODEL.format(more="ANYTHING = 1")), keep, **grid) == 3
    assert again(written(deeper="LIMIT = 2\n", owned=sources["owned"]), keep, **grid) == 0


def test_what_is_imported_inside_a_function_counts_too(written, keep):
    inside = "def limit():\n    from deeper import LIMIT\n    return LIMIT\n"
    assert again(written(owned=MODEL.format(more=""), helping=inside, deeper="LIMIT = 2\n"), keep, n=1) == 1
    assert again(written(deeper="LIMIT = 0\n"), keep, n=1) == 1


def test_a_function_that_has_no_file_is_known_by_what_it_does(keep):
    def made(text: str, **names):
        namespace = {"below": below, "__name__": "typed_in", **names}
        exec(text, namespace)
        return namespace["system"]

    text = "def system(*, n=1):\n    return below(workers=n, tasks=LIMIT)\n"
    assert again(made(text, LIMIT=1), keep, n=[1, 2]) == 2
    assert again(made(text, LIMIT=1), keep, n=[1, 2]) == 0
    assert again(made(text, LIMIT=2), keep, n=[1, 2]) == 2
    assert again(made(text.replace("n,", "n + 1,"), LIMIT=1), keep, n=[1, 2]) == 2


def test_what_a_closure_holds_counts(keep):
    def with_limit(limit):
        return lambda *, n: below(workers=n, tasks=limit)

    assert again(with_limit(1), keep, n=[1, 2]) == 2
    assert again(with_limit(1), keep, n=[1, 2]) == 0
    assert again(with_limit(2), keep, n=[1, 2]) == 2
