"""No answer depends on an extra: what is missing costs time, a picture, or one line that says how to get it."""

from __future__ import annotations

import json

import pytest
from small_report import SMALL
from without import EXTRAS, FAST, answered, run

from simcore.errors import EXTRAS as PACKAGES
from simcore.errors import MissingExtra, OptionError, extra

LOADED = f"\nimport json, sys; print(json.dumps(sorted(set({EXTRAS!r}) & sys.modules.keys())))"


def command(*arguments: str) -> str:
    return (
        f"import sys; from simcore.command.cli import main\ntry: main({list(arguments)!r})\nexcept SystemExit: pass\n"
    )


# ---- nothing heavy is imported before it is needed -----------------------------------------------------


DOINGS = {
    "import": "import simcore",
    "all names": "import simcore\nfor name in simcore.__all__: getattr(simcore, name)",
    "list": command("list"),
    "explore": command("explore", "simcore.models.pool_starvation:buggy"),
    "explore, liveness": command(
        "explore", "simcore.models.self_message:buggy", "--property", "simcore.properties:no_stuck_subset()"
    ),
    "simulate": command("simulate", "simcore.models.pool_starvation:fixed"),
    "matrix": command("matrix", "--quick", "--jobs", "1", "--only", "H22", "--only", "H29", "--out", "FOLDER"),
    "execute": command("execute", "simcore.models.pool_starvation:fixed"),
}


@pytest.mark.some(4)
@pytest.mark.parametrize("doing", DOINGS.values(), ids=DOINGS)
def test_no_extra_is_imported_by(doing, tmp_path):
    assert answered(doing.replace("FOLDER", str(tmp_path / "out")) + LOADED) == []


def test_a_test_run_with_the_plugin_imports_pytest_alone(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "from simcore.models import pool_starvation\n"
        "def test_it(simcore_explore): simcore_explore(pool_starvation.fixed(downloads=1))\n"
    )
    quiet = ["-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:xdist", str(tmp_path)]
    loaded = answered(f"import pytest\nassert pytest.main({quiet!r}) == 0" + LOADED, without=["hypothesis", *FAST])
    assert loaded == ["pytest"]


def test_a_search_that_grows_imports_what_makes_it_fast():
    code = command("explore", "small:steps", "-p", "length=6", "-p", "processes=4", "--no-partial-order")
    assert answered(code + LOADED) == ["llvmlite", "numpy"]


# ---- the same answer without ---------------------------------------------------------------------------


FEW_CLAIMS, MANY_CLAIMS = ["H22", "H29"], ["S7", "H31", "R1"]
ANSWER = ("verdict", "property", "states", "transitions", "depth", "schedule", "lasso", "token")


def claims_explored(names, folder, *without):
    only = [word for name in names for word in ("--only", name)]
    ran = run(
        "-m", "simcore", "matrix", "--quick", "--jobs", "1", *only, "--json", "--out", str(folder), without=without
    )
    assert ran.returncode == 0, ran.stderr
    return [
        (claim["id"], claim["model"], *(claim["result"].get(key) for key in ANSWER))
        for claim in json.loads(ran.stdout)["claims"]
    ]


@pytest.mark.parametrize("names", [FEW_CLAIMS, pytest.param(MANY_CLAIMS, marks=pytest.mark.slow)], ids=["few", "many"])
def test_claims_have_the_same_answers_without_any_extra(tmp_path, names):
    found = claims_explored(names, tmp_path / "without", *EXTRAS)
    assert len(found) >= len(names)
    assert found == claims_explored(names, tmp_path / "with")


CYCLIC = """
import sys, json
from simcore import Model, explore, eventually, leads_to
from simcore.properties import no_stuck_subset
from simcore.models import pool_starvation
from simcore.explore import runs
import small
runs.ARRAYS_AFTER = runs.ARRAYS_ANYWAY_AFTER = 0

def beating(model):
    return small.heartbeat(model)

found = []
for model, prop in (
    (lambda: beating(pool_starvation.fixed(downloads=2)), no_stuck_subset()),
    (lambda: beating(pool_starvation.buggy(downloads=2, workers=2)), no_stuck_subset()),
    (small.flicker, eventually(lambda state: state.process("waiter").done, "done")),
    (small.spinner, eventually(lambda state: state["flag"], "set")),
    (lambda: small.crossed(beating=True), eventually(lambda state: state.process("left").done, "left ends")),
):
    result = explore(model(), prop)
    way = result.counterexample
    lasso = None if way is None or way.lasso is None else [str(step) for step in way.lasso.steps]
    found.append([str(result.verdict), result.states, way and way.token, lasso])
print(json.dumps([sorted({"scipy", "llvmlite"} & sys.modules.keys()), found]))
"""


@pytest.mark.slow
def test_questions_about_whole_runs_have_the_same_answer_with_and_without_arrays():
    """numpy and scipy are enough for arrays: there may be a Python that numba and llvmlite do not know."""
    used, in_arrays = answered(CYCLIC, without=("numba", "llvmlite"))
    assert used == ["scipy"]
    assert sorted({verdict for verdict, *_ in in_arrays}, reverse=True) == ["violated", "holds"]
    for missing in (EXTRAS, ("scipy",)):
        assert answered(CYCLIC, without=missing)[1] == in_arrays


# ---- where an extra is named ---------------------------------------------------------------------------


LARGE = """
import json
from unittest.mock import patch
import small
from simcore import explore
from simcore.explore import exploration, driver
from simcore.explore.compiled import native

driver.FAST_AFTER, exploration.COMPILE_AFTER = 100, 200
result = explore(small.steps(length=4, processes=4), partial_order=False)
print(json.dumps([str(result.verdict), result.states, result.notes]))
"""
HINT = "searched by the plain loop: the compiled loop, which is many times faster, needs {}, which is not installed"


def test_a_search_that_grows_says_what_would_make_it_fast():
    code = LARGE.replace("from simcore.explore.compiled import native\n", "")
    verdict, states, notes = answered(code)
    assert notes[-1].startswith("compiled loop: ")
    assert answered(code, without=EXTRAS) == [
        verdict,
        states,
        [f"{HINT.format('llvmlite')}: pip install 'simcore[fast]'"],
    ]
    assert answered(code, without=["numpy"])[2] == [f"{HINT.format('numpy')}: pip install 'simcore[fast]'"]


def test_a_search_that_stays_small_does_not_mention_it():
    code = LARGE.replace("COMPILE_AFTER = 100, 200", "COMPILE_AFTER = 100, 10**6")
    assert answered(code.replace("from simcore.explore.compiled import native\n", ""), without=EXTRAS)[2] == []


def test_numba_is_missed_where_no_machine_code_is_kept(tmp_path):
    nothing_kept = "driver.FAST_AFTER = 100\nnative._folders = lambda: ()\n"
    code = LARGE.replace("driver.FAST_AFTER", nothing_kept + "driver.FAST_AFTER")
    assert answered(code, without=["numba"])[2] == [f"{HINT.format('numba')}: pip install 'simcore[fast]'"]


def test_machine_code_that_is_kept_does_without_numba():
    assert answered(LARGE, without=["numba", "scipy"])[2][-1].startswith("compiled loop: ")


@pytest.mark.some(2)
@pytest.mark.parametrize("large", [True, False])
def test_compact_is_refused_without_the_compiled_loop(large):
    model = ["small:steps", "-p", f"length={9 if large else 1}", "-p", "processes=4"]
    options = ["--compact", "--no-symmetry", "--no-partial-order"]
    ran = run("-m", "simcore", "explore", *model, *options, without=EXTRAS)
    assert (ran.returncode, ran.stdout) == (2, "")
    told = "simcore: --compact needs llvmlite, which is not installed: pip install 'simcore[fast]'\n"
    assert ran.stderr == told


def test_a_package_that_is_there_and_broken_is_not_taken_for_missing():
    code = LARGE.replace("from simcore.explore.compiled import native\n", "")
    ran = run("-c", code, without=["+numpy"])
    assert ran.returncode == 1
    assert "ImportError: numpy was built for another machine" in ran.stderr


def test_pictures_without_matplotlib_say_how_to_get_it():
    ran = run("-c", "import simcore.report.pictures", without=EXTRAS)
    told = "a picture needs matplotlib, which is not installed: pip install 'simcore[plots]'"
    assert ran.stderr.splitlines()[-1] == f"simcore.errors.MissingExtra: {told}"


def test_a_chart_without_matplotlib_has_its_numbers_and_is_refused_before_anything_is_explored(tmp_path):
    code = """
from simcore import sweep
from simcore.sizes import chart
found = chart(sweep("nested_futures:one_pool", executor="here", workers=[3]), latency={"task": 1.0}, runs=1)
print(found.recommended, len(found.table().splitlines()))
found.write("sizes.png")
"""
    told = "a picture needs matplotlib, which is not installed: pip install 'simcore[plots]'"
    ran = run("-c", code, without=EXTRAS, cwd=tmp_path)
    assert ran.stdout == "3 2\n"
    assert ran.stderr.splitlines()[-1] == f"simcore.errors.MissingExtra: {told}"
    command = ["sweep", "nested_futures:one_pool", "-p", "workers=3,4", "--chart", "sizes.png", "--latency", "task=1"]
    ran = run("-m", "simcore", *command, without=EXTRAS, cwd=tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", f"simcore: {told}\n")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("where", ["from simcore.stateful import machine", "import simcore.stateful.driver"])
def test_the_state_machine_without_hypothesis_says_how_to_get_it(where):
    ran = run("-c", where, without=EXTRAS)
    told = "simcore.stateful needs hypothesis, which is not installed: pip install 'simcore[test]'"
    assert ran.stderr.splitlines()[-1] == f"simcore.errors.MissingExtra: {told}"


def test_what_is_missing_is_an_import_error_too():
    code = "try:\n    import simcore.stateful\nexcept ImportError as error: print('[\"%s\"]' % error.name)"
    assert answered(code, without=EXTRAS) == ["hypothesis"]


def test_an_extra_is_told_only_of_its_own_packages():
    with (
        pytest.raises(MissingExtra, match="it needs numpy, which is not installed: pip install 'simcore"),
        extra("fast", "it"),
    ):
        raise ModuleNotFoundError("No module named 'numpy'", name="numpy")
    for error in (ModuleNotFoundError("no part", name="numpy._core"), ImportError("broken", name="numpy")):
        with pytest.raises(type(error)) as raised, extra("fast", "it"):
            raise error
        assert not isinstance(raised.value, OptionError)


# ---- a checkpoint --------------------------------------------------------------------------------------


KEPT = """
import json, sys
from simcore import explore
from simcore.explore import driver
from simcore.models import pool_starvation
import small
driver.FAST_AFTER = {fast_after}
result = explore({model}, checkpoint="search.ck", max_states={limit})
print(json.dumps([str(result.verdict), result.states, result.transitions, result.depth, list(result.notes)]))
"""
WHOLE = "small.steps(length=4, processes=4), symmetry=False, partial_order=False"
REDUCED = "pool_starvation.fixed(downloads=2)"


def explored(folder, limit, *without, model=WHOLE, fast_after=10**9):
    *counts, notes = answered(KEPT.format(limit=limit, model=model, fast_after=fast_after), without=without, cwd=folder)
    return counts, any(note.startswith("resumed at ") for note in notes)


@pytest.mark.some(8)
@pytest.mark.parametrize("model", [WHOLE, REDUCED], ids=["whole", "reduced"])
@pytest.mark.parametrize("before", [(), EXTRAS], ids=["written with", "written without"])
@pytest.mark.parametrize("after", [(), EXTRAS], ids=["read with", "read without"])
def test_a_checkpoint_is_read_by_whoever_has_other_packages(tmp_path, before, after, model):
    once, _ = explored(tmp_path, None, *before, model=model)
    explored(tmp_path, once[1] // 2, *before, model=model)
    assert explored(tmp_path, None, *after, model=model) == (once, True)


def test_what_the_compiled_loop_has_kept_is_refused_in_one_line_without_it(tmp_path):
    once, _ = explored(tmp_path, None)
    explored(tmp_path, once[1] // 2, fast_after=100)
    code = KEPT.format(limit=None, model=WHOLE, fast_after=100)
    ran = run("-c", code, without=EXTRAS, cwd=tmp_path)
    told = "checkpoint search.ck, which the compiled loop has written, needs llvmlite, which is not installed"
    assert ran.stderr.splitlines()[-1] == f"simcore.errors.MissingExtra: {told}: pip install 'simcore[fast]'"
    assert explored(tmp_path, None, fast_after=100) == (once, True)


# ---- a report ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_report_is_reproduced_without_pictures(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL)
    ran = run("-m", "simcore", "reproduce", "small.toml", without=EXTRAS, cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    *_, folder, left_out, last = ran.stdout.splitlines()
    assert folder == "reports/small/ (report.json, report.md, wait-for.mmd)"
    missing = "a picture needs matplotlib, which is not installed: pip install 'simcore[plots]'"
    assert left_out == f"without occupancy.png and wait-for.png: {missing}"
    assert last == "everything in the report was shown"
    assert ".png" not in (tmp_path / "reports" / "small" / "report.md").read_text()


def test_every_package_that_an_extra_names_has_a_door():
    from test_architecture import DOORS

    assert {package for packages in PACKAGES.values() for package in packages} <= DOORS.keys()
