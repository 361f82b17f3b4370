"""A sweep has a cell for each combination, says what the cells say, and no more."""

from __future__ import annotations

import asyncio
import csv
import json
from itertools import repeat

import numpy
import pandas
import pytest
from sized import band, below, cells, not_built, swept

import simcore
from simcore import Model, ModelError, SimcoreError, Sweep, Verdict, explore, replay, sweep
from simcore.models import pool_starvation
from simcore.properties import completes, deadlock_free
from simcore.sizes import Cell

H, V, U = Verdict.HOLDS, Verdict.VIOLATED, Verdict.UNDETERMINED


def here(model, **options) -> Sweep:
    return sweep(model, **{"executor": "here"} | options)


# ---- cells ---------------------------------------------------------------------------------------------


def test_there_is_a_cell_for_each_combination_and_the_last_parameter_changes_first():
    found = here(below, workers=range(1, 3), tasks=[3, 1])
    assert [cell.parameters for cell in found] == [
        {"workers": 1, "tasks": 3},
        {"workers": 1, "tasks": 1},
        {"workers": 2, "tasks": 3},
        {"workers": 2, "tasks": 1},
    ]
    assert [cell.verdict for cell in found] == [V, V, V, H]
    assert len(found) == 4
    assert found[3] == found.cells[-1]


def test_a_cell_is_what_explore_finds():
    (cell,) = here(pool_starvation.buggy, downloads=2, workers=2)
    result = explore(pool_starvation.buggy(downloads=2, workers=2), witness="any")
    assert (cell.verdict, cell.states, cell.reason) == (V, result.states, result.answer)
    assert cell.token == result.counterexample.token
    assert cell.hangs
    assert not cell.inferred
    assert cell.error == ""


def test_the_token_of_a_cell_replays():
    (cell,) = here("pool_starvation:buggy", downloads=1, workers=1)
    result = explore(pool_starvation.buggy(downloads=1, workers=1))
    assert str(replay(cell.token)) == str(result.counterexample.state)


def test_a_name_and_the_function_give_the_same():
    assert here("pool_starvation:buggy", downloads=1, workers=[1, 2]) == here(
        pool_starvation.buggy, downloads=1, workers=[1, 2]
    )


def test_one_value_is_one_value_and_a_text_is_one():
    (cell,) = here(lambda *, word, n: below(), word="abc", n=7)
    assert cell.parameters == {"word": "abc", "n": 7}


def test_a_value_that_is_given_twice_is_one_but_true_is_not_1():
    assert len(here(lambda *, n: below(), n=[1, 1, True])) == 2


def test_numbers_of_numpy_become_those_of_python():
    found = here(below, workers=numpy.arange(1, 3), tasks=numpy.int64(1))
    assert [type(value) for value in found[0].parameters.values()] == [int, int]


def test_a_property_may_be_asked_and_a_function_that_makes_it():
    for asked in (completes("download"), [completes("download")], [lambda: completes("download")]):
        found = here(pool_starvation.buggy, downloads=1, workers=[1, 2], asked=asked)
        assert [cell.verdict for cell in found] == [V, H]
        assert found.asked == (completes("download").name,)
    assert here(below, asked=deadlock_free).asked == ("deadlock free",)


def test_a_limit_leaves_a_cell_undetermined_and_says_why():
    (cell,) = here(pool_starvation.fixed, downloads=2, workers=2, callback_workers=2, max_states=10)
    assert (cell.verdict, cell.states, cell.token) == (U, 10, "")
    assert cell.reason.startswith("`max_states=10` was reached")


def test_parameters_that_are_called_like_an_option_go_into_the_grid():
    found = here(lambda *, timeouts: below(workers=timeouts), grid={"timeouts": [1, 2]})
    assert [cell.verdict for cell in found] == [V, H]


def test_two_sweeps_are_equal_whatever_time_they_took():
    assert Cell({"n": 1}, H, 3, 0.5) == Cell({"n": 1}, H, 3, 0.7)
    assert Cell({"n": 1}, H, 3) != Cell({"n": 1}, H, 4)
    assert here(below, workers=[1, 2]) == here(below, workers=[1, 2])
    assert here(below, workers=[1, 2]) != here(below, workers=[2, 1])


# ---- mistakes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "options", "line"),
    [
        (below, {"worker": 1}, "sized:below has no parameter 'worker'; it has workers and tasks"),
        (below, {"workers": []}, "workers has no value, so there is no cell to explore; give it at least one"),
        (below, {"workers": [object]}, "a parameter of a model is a finite number, a text, True, False or None"),
        (below, {"workers": float("nan")}, "workers=nan: a parameter of a model is a finite number"),
        (below(), {}, "pass the function that builds it, without calling it"),
        (7, {}, "pass a function that returns a Model, or its name"),
        ("pool_starvation", {}, "'pool_starvation' names no model; write package.module:function"),
        (lambda *, n: below(), {}, "needs a value for its parameter 'n': n=range(1, 9), say"),
        (below, {"executor": "threads"}, "`executor='threads'`: pass a concurrent.futures.Executor"),
        (below, {"jobs": 0}, "`jobs=0`: use at least 1"),
        (below, {"max_states": 0}, "`max_states=0`: use at least 1"),
        (below, {"max_seconds": 0}, "`max_seconds=0`: use more than 0"),
        (below, {"timeouts": "late"}, "`timeouts='late'`: use 'never'"),
        (below, {"asked": lambda state: True}, "is a predicate, and no property"),
        (below, {"infer": 3}, "`infer=3`: the name of a parameter, or several"),
        (below, {"keep": 3}, "`keep=3`: the path of a folder"),
        (below, {"progress": 3}, "`progress=3`: a function that is called with a Progress"),
        (below, {"grid": "n"}, "`grid='n'`: a dict of values by the names of parameters"),
        (below, {"asked": "deadlock"}, "sweep(model, 'deadlock'): a str is no property"),
        (below, {"workers": b"ab"}, "a parameter of a model is a finite number"),
        (below, {"workers": range(10**9)}, "the grid has more than 1,000,000 cells; give fewer values"),
        (below, {"workers": range(9000), "tasks": range(9000)}, "the grid has more than 1,000,000 cells"),
        (below, {"workers": repeat(1)}, "the grid has more than 1,000,000 cells"),
        (below, {"infer": "n"}, "`infer='n'`: the sweep has no such parameter; it has workers"),
        (below, {"infer": [["workers"]]}, "`infer=['workers']`: the sweep has no such parameter; it has workers"),
        (below, {"grid": {"workers": [2]}}, "workers is given twice, in grid and beside it"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(model, options, line):
    with pytest.raises(SimcoreError) as error:
        here(model, **{"workers": [1]} | options if model is below else options)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_what_a_function_raises_that_is_no_exception_is_an_error_of_its_cell():
    def cancelled(*, n):
        if n == 1:
            raise asyncio.CancelledError("too late")
        return below(workers=n)

    found = here(cancelled, n=[1, 2])
    assert [cell.told for cell in found] == ["error", "holds"]
    assert "CancelledError: too late" in found[0].error


def test_a_cell_that_cannot_be_built_says_why_and_the_others_are_explored():
    found = here(not_built, workers=[0, 1, 2])
    assert [cell.told for cell in found] == ["error", "violated", "holds"]
    assert found[0].verdict is U
    assert "a pool without workers" in found[0].error
    assert found.errors == (found[0],)
    assert "error at workers=0: " in str(found)


def test_where_no_cell_can_be_built_that_is_an_error():
    with pytest.raises(ModelError, match="a pool without workers"):
        here(not_built, workers=[0, -1])


def test_what_is_no_model_is_an_error():
    with pytest.raises(ModelError, match="returned a value of type NoneType, not a Model"):
        here(lambda: None)


def test_an_exception_of_a_predicate_is_the_error_of_its_cell():
    def wrong(state):
        raise KeyError("nobody")

    with pytest.raises(ModelError, match=r"KeyError: 'nobody' \(at test_sweep.py:\d+ in wrong\)"):
        here(below, workers=[1], asked=[simcore.always(wrong)])


# ---- what is read off it -------------------------------------------------------------------------------


def test_the_frontier_says_from_where_on_all_are_safe():
    found = here(below, workers=range(1, 5), tasks=[1, 2, 4])
    assert [(edge.parameters, edge.safe_from, edge.hangs_to) for edge in found.frontier("workers")] == [
        ({"tasks": 1}, 2, 1),
        ({"tasks": 2}, 3, 2),
        ({"tasks": 4}, None, 4),
    ]


def test_the_frontier_is_behind_the_last_that_is_not_safe():
    (edge,) = here(band, n=range(1, 12)).frontier("n")
    assert (edge.safe_from, edge.hangs_to) == (9, 8)


def test_the_order_of_numbers_is_by_size_however_they_were_given():
    (edge,) = here(band, n=[11, 3, 9, 7]).frontier("n")
    assert (edge.safe_from, edge.hangs_to) == (9, 7)


def test_the_smallest_safe_value():
    found = here(below, workers=range(1, 5), tasks=[1, 2, 4])
    assert found.smallest_safe(tasks=2) == 3
    assert found.smallest_safe(tasks=4) is None
    assert found.smallest_safe(tasks=3) is None, "it was not explored"
    assert found.smallest_safe() is None, "with every number of tasks"
    with pytest.raises(SimcoreError, match="the sweep has no parameter 'task'; it has workers and tasks"):
        found.smallest_safe(task=2)
    with pytest.raises(SimcoreError, match="leave the parameter out that is asked for"):
        found.smallest_safe(tasks=2, workers=1)


def test_what_is_undetermined_is_never_safe():
    found = swept(lambda n: {1: V, 2: H, 3: U, 4: H}[n], n=range(1, 5))
    assert found.smallest_safe() == 4
    assert found.frontier("n")[0].safe_from == 4
    assert swept(lambda n: U, n=[1, 2]).smallest_safe() is None


def test_a_parameter_of_which_more_is_worse_is_an_alarm_with_its_witness():
    (alarm,) = here(below, workers=range(1, 4), tasks=range(1, 4)).alarms()
    assert alarm.parameter == "tasks"
    assert (alarm.safe.parameters, alarm.violated.parameters) == (
        {"workers": 2, "tasks": 1},
        {"workers": 2, "tasks": 2},
    )
    assert str(alarm) == "more tasks is worse: from 1 to 2 turns holds into violated (at workers=2)"


def test_no_alarm_rests_on_a_cell_that_was_not_explored():
    inferred = [Cell({"n": 1}, H, inferred=True), Cell({"n": 2}, V)]
    assert Sweep("m", tuple(inferred), {"n": (1, 2)}, {}, (), "never").alarms() == ()
    assert len(swept(lambda n: {1: H, 2: U, 3: V}[n], n=[1, 2, 3]).alarms()) == 1


def test_the_first_failure_and_the_verdict_of_all():
    found = here(below, workers=[3, 1], tasks=[1, 2])
    assert found.first_failure().parameters == {"workers": 1, "tasks": 1}
    assert found.verdict is V
    safe = here(below, workers=[3], tasks=[1, 2])
    assert (safe.first_failure(), safe.verdict) == (None, H)
    assert swept(lambda n: {1: H, 2: U}[n], n=[1, 2]).verdict is U
    assert swept(lambda n: {1: V, 2: U}[n], n=[1, 2]).verdict is V


# ---- how it is shown -----------------------------------------------------------------------------------


def test_the_table_is_aligned_and_shows_a_picture_of_two_parameters():
    told = here(below, workers=[1, 2], tasks=[1, 2]).table().splitlines()
    assert told[0] == "workers  tasks  verdict   states  seconds  reason"
    assert told[1].startswith("      1      1  violated      26   0.")
    assert told[1].endswith("  2 of 2 processes can never move again")
    assert told[-4:] == ["        1 2", "      1 X X", "      2 . X", ". holds; X violated"]


def test_the_picture_shows_what_is_undetermined_inferred_or_an_error():
    verdicts = {1: H, 2: U, 3: V}
    found = cells(lambda a, b: verdicts[a], a=[1, 2, 3], b=[1, 2])
    found[0] = Cell(found[0].parameters, H, inferred=True)
    found[5] = Cell(found[5].parameters, U, error="cannot be built")
    told = Sweep("m", tuple(found), {"a": (1, 2, 3), "b": (1, 2)}, {}, (), "never").table()
    picture = "a  b\n  1 2\n1 , .\n2 ? ?\n3 X !\n"
    assert told.endswith(picture + ". holds; X violated; ? undetermined; , holds, inferred; ! error")
    assert "holds (inferred)" in told
    assert "cannot be built" in told


@pytest.mark.parametrize("length", [10, 60, 300])
def test_a_table_has_at_most_100_columns(length):
    def named(*, name: str, n: int) -> Model:
        model = Model("alone")
        lock = model.lock("lock" + "x" * length)

        def twice():
            yield lock.acquire()
            yield lock.acquire()

        model.process("p" * length, twice)
        return model

    found = here(named, name=["a" * length, "b"], n=range(2))
    assert max(map(len, found.table().splitlines())) <= 100


def test_the_short_report_says_the_bound_the_first_failure_and_its_token():
    found = here("pool_starvation:buggy", workers=range(1, 4), downloads=[1, 2])
    first, *lines = str(found).splitlines()
    assert first.startswith("6 cells: 3 holds, 3 violated, ")
    assert lines[0] == "  simcore.models.pool_starvation:buggy (workers=1..3, downloads=1,2)"
    assert lines[1] == "  with chunks=1"
    assert lines[2] == "  asked: deadlock free; time-outs: when_stuck"
    assert lines[3] == "  violated first at workers=1, downloads=1: 2 of 2 processes can never move again"
    assert lines[4] == f"  replay: simcore replay {found.first_failure().token}"
    assert " at 0x" not in repr(found) + repr(here(lambda: below()))


def test_rows_are_plain_data():
    rows = here(below, workers=[1, 2]).rows()
    assert json.loads(json.dumps(rows)) == rows
    assert list(rows[0]) == [
        *("workers", "verdict", "states", "seconds", "reason", "token", "inferred", "error", "hangs"),
    ]


def test_a_file_of_cells_is_whole_or_not_there(tmp_path):
    found = here(below, workers=[1, 2])
    found.write(tmp_path / "cells.csv")
    with (tmp_path / "cells.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["workers"], row["verdict"], row["states"]) for row in rows] == [
        ("1", "violated", "26"),
        ("2", "holds", str(found[1].states)),
    ]
    for wrong, line in (("cells.xlsx", "written as .csv, or as .parquet"), ("none/cells.csv", "cannot be written")):
        with pytest.raises(SimcoreError, match=line):
            found.write(tmp_path / wrong)
    with pytest.raises(SimcoreError, match="`path=5`: the path of a file"):
        found.write(5)
    assert [path.name for path in tmp_path.iterdir()] == ["cells.csv"]


def test_what_needs_pandas_says_how_to_get_it(monkeypatch, tmp_path):
    import sys

    monkeypatch.setitem(sys.modules, "pandas", None)
    found = here(below, workers=[1, 2])
    needs = r"pip install 'simcore\[tables\]'"
    with pytest.raises(SimcoreError, match=needs):
        found.to_dataframe()
    with pytest.raises(SimcoreError, match=needs):
        found.write(tmp_path / "cells.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_dataframe_and_parquet_hold_the_rows(tmp_path):
    found = here(below, workers=[1, 2])
    assert found.to_dataframe().to_dict("records") == found.rows()
    found.write(tmp_path / "cells.parquet")
    assert pandas.read_parquet(tmp_path / "cells.parquet").to_dict("records") == found.rows()
