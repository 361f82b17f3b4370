"""A report says the same everywhere, its pictures can be looked at, and its folder is whole or not there."""

from __future__ import annotations

import contextlib
import io
import json
import os

import matplotlib.image
import numpy
import pytest
from toys import opposed_locks, philosophers

from simcore import Model, explore, simulate
from simcore.errors import OptionError
from simcore.explain import WaitForGraph, wait_for_graph
from simcore.kernel import Kernel
from simcore.models import pool_starvation
from simcore.report import Line, as_json, check_folder, printed_table, table, write_folder
from simcore.report.pictures import picture_of_occupancy, picture_of_waits
from simcore.schedule import Schedule


def image(picture: bytes) -> numpy.ndarray:
    """Decode all of it."""
    return matplotlib.image.imread(io.BytesIO(picture), format="png")


def red(picture: bytes) -> int:
    """Count the pixels in the red of a knot."""
    pixels = image(picture)
    return int(((pixels[..., 0] > 0.7) & (pixels[..., 1] < 0.3) & (pixels[..., 2] < 0.3)).sum())


def stuck(model: Model) -> WaitForGraph:
    return explore(model).counterexample.wait_for


def chain() -> Model:
    """One waits for another, who holds a lock for the time being."""
    model = Model("chain")
    lock = model.lock("lock")

    def hold():
        yield lock.acquire()
        yield lock.release()

    model.process("first", hold)
    model.process("second", hold)
    return model


def held() -> WaitForGraph:
    kernel = Kernel(chain())
    state = kernel.step(kernel.initial, 0, 0)
    return wait_for_graph(kernel.view(state))


# ---- pictures ------------------------------------------------------------------------------------------

KNOTS = {
    "opposed locks": lambda: stuck(opposed_locks()),
    "pool": lambda: stuck(pool_starvation.buggy(downloads=2, workers=2)),
    "five philosophers": lambda: stuck(philosophers(n=5)),
}
NO_KNOTS = {
    "the initial state": lambda: wait_for_graph(Kernel(opposed_locks()).view(Kernel(opposed_locks()).initial)),
    "a wait that ends": held,
}


@pytest.mark.parametrize("name", [*KNOTS, *NO_KNOTS])
def test_the_picture_of_who_waits_can_be_looked_at(name):
    pixels = image(picture_of_waits({**KNOTS, **NO_KNOTS}[name](), name))
    height, width, _ = pixels.shape
    assert 200 <= width <= 3000
    assert 100 <= height <= 3000
    assert 0.005 < (pixels[..., :3].min(axis=2) < 0.9).mean() < 0.5


@pytest.mark.parametrize("name", KNOTS)
def test_a_knot_is_drawn_in_red(name):
    assert red(picture_of_waits(KNOTS[name](), name)) > 200


@pytest.mark.parametrize("name", NO_KNOTS)
def test_nothing_but_a_knot_is_drawn_in_red(name):
    assert red(picture_of_waits(NO_KNOTS[name](), name)) == 0


def test_names_that_look_like_formulas_are_drawn_as_they_are():
    model = Model("$x_1$ and $\\nosuch$")
    lock = model.lock("$\\nosuch$")

    def twice():
        yield lock.acquire()
        yield lock.acquire()

    model.process("$x_$", twice)
    assert red(picture_of_waits(stuck(model), model.name)) > 100


def test_the_same_state_gives_the_same_picture():
    assert picture_of_waits(KNOTS["pool"](), "pool") == picture_of_waits(KNOTS["pool"](), "pool")


@pytest.mark.parametrize("panels", [1, 2, 3])
def test_the_picture_of_occupancy_has_a_panel_for_each_run(panels):
    series = {"stream": ([(0.0, 0), (0.001, 2), (0.002, 0)], 4), "queue": ([(0.0, 0), (0.0015, 7)], None)}
    picture = picture_of_occupancy({f"run {number}": series for number in range(panels)}, "pools")
    height, width, _ = image(picture).shape
    assert 800 <= width <= 1200
    assert 250 * panels <= height <= 400 * panels


def test_a_run_in_which_nothing_can_be_in_use_has_an_empty_panel():
    assert image(picture_of_occupancy({"a run": {}}, "nothing")).size


def test_drawing_leaves_the_settings_of_the_caller_alone():
    before = dict(matplotlib.rcParams)
    picture_of_occupancy({"a run": {}}, "nothing")
    assert dict(matplotlib.rcParams) == before


def test_a_run_that_takes_no_time_can_be_drawn():
    run = simulate(pool_starvation.buggy(downloads=1, workers=1))
    series = {name: (each.series, each.capacity) for name, each in run.occupancy.items()}
    assert image(picture_of_occupancy({"a run": series}, "no time at all")).size


# ---- text ----------------------------------------------------------------------------------------------


def test_a_table_has_a_header_and_a_line_for_each_row():
    assert table(["a", "b"], [[1, "x"], [2, "y"]]).splitlines() == [
        "| a | b |",
        "| --- | --- |",
        "| 1 | x |",
        "| 2 | y |",
    ]


def test_a_bar_and_a_line_break_in_a_cell_do_not_end_it():
    assert table(["a"], [["x | y\nz"]]).splitlines()[2] == "| x \\| y z |"


HEADER = {"name": 12, "text": 0, "n": 0}
GROUPS = [
    [Line(["one heading, above all columns"]), Line(["a", "short [x]", "7"])],
    [Line(["a long name, wrapped", "some text that needs room, or lines", "1,000"], "bold")],
]


def test_a_printed_table_takes_the_room_that_it_needs():
    assert printed_table(HEADER, GROUPS, 1, 80).splitlines() == [
        "  name          text                                     n",
        "──────────────────────────────────────────────────────────",
        "one heading, above all columns",
        "  a             short [x]                                7",
        "",
        "  a long name,  some text that needs room, or lines  1,000",
        "  wrapped",
    ]


def test_a_printed_table_takes_no_more_than_there_is():
    assert printed_table(HEADER, GROUPS, 1, 40).splitlines()[4:] == [
        "",
        "  a long name,  some text that     1,000",
        "  wrapped       needs room, or",
        "                lines",
    ]


def test_a_printed_table_without_rows_is_its_header():
    assert printed_table(HEADER, [], 1, 80) == "  name  text  n\n───────────────"


RESULTS = {
    "violated": lambda: explore(pool_starvation.buggy(downloads=2, workers=2)),
    "holds": lambda: explore(pool_starvation.buggy(downloads=1, workers=2)),
    "undetermined": lambda: explore(pool_starvation.buggy(downloads=1, workers=2), max_states=3),
    "no origin": lambda: explore(chain()),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_survives_json(name):
    found = as_json(RESULTS[name]())
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize("name", RESULTS)
def test_the_object_says_what_the_result_says(name):
    result = RESULTS[name]()
    found = as_json(result)
    assert (found["verdict"], found["property"]) == (str(result.verdict), result.property)
    assert (found["states"], found["transitions"], found["depth"]) == (
        result.states,
        result.transitions,
        result.depth,
    )
    assert found["reason"] == result.reason


def test_the_token_in_the_object_gives_its_schedule():
    found = as_json(RESULTS["violated"]())
    schedule = Schedule.from_token(found["token"])
    assert [(step.process, step.text) for step in schedule.steps] == [
        (step["process"], step["step"]) for step in found["schedule"]
    ]


# ---- the folder ----------------------------------------------------------------------------------------

OLD = {"report.json": "{}", "report.md": "old"}
NEW = {"report.json": '{"new": 1}', "report.md": "new", "wait-for.png": b"\x89PNG"}


def texts(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def as_bytes(files):
    return {name: content.encode() if isinstance(content, str) else content for name, content in files.items()}


def test_a_folder_holds_what_was_written_and_nothing_is_beside_it(tmp_path):
    write_folder(tmp_path / "a" / "b", NEW)
    assert texts(tmp_path / "a" / "b") == as_bytes(NEW)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


def test_an_older_report_is_replaced_as_a_whole(tmp_path):
    write_folder(tmp_path / "out", NEW)
    write_folder(tmp_path / "out", OLD)
    assert texts(tmp_path / "out") == as_bytes(OLD)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_may_become_a_report(tmp_path):
    (tmp_path / "out").mkdir()
    write_folder(tmp_path / "out", NEW)
    assert texts(tmp_path / "out") == as_bytes(NEW)


def test_a_link_to_a_folder_stays_a_link(tmp_path):
    write_folder(tmp_path / "there", OLD)
    (tmp_path / "out").symlink_to(tmp_path / "there")
    write_folder(tmp_path / "out", NEW)
    assert (tmp_path / "out").is_symlink()
    assert texts(tmp_path / "there") == as_bytes(NEW)
    assert {path.name for path in tmp_path.iterdir()} == {"out", "there"}


def test_a_folder_with_something_else_in_it_is_refused(tmp_path):
    write_folder(tmp_path / "out", OLD)
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(OptionError, match=r"holds notes.txt, which would be lost"):
        write_folder(tmp_path / "out", NEW)
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


def test_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OptionError, match="is not a folder"):
        check_folder(tmp_path / "out")


def test_a_place_that_cannot_be_written_is_an_option_error(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("simcore.report.folder.tempfile.mkdtemp", full)
    with pytest.raises(OptionError, match=r"out cannot be written: No space left on device"):
        check_folder(tmp_path / "out")


def test_looking_whether_a_folder_can_be_written_leaves_nothing(tmp_path):
    check_folder(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


class Stop(BaseException):
    """Like an interrupt, at a chosen moment."""


CALLS = ["pathlib.Path.write_bytes", "pathlib.Path.chmod", "os.replace", "shutil.rmtree"]


@pytest.mark.parametrize("error", [Stop, OSError])
@pytest.mark.parametrize("older", [False, True], ids=["no older report", "an older report"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", [0, 1, 2])
@pytest.mark.parametrize("call", CALLS)
def test_stopping_anywhere_leaves_the_older_report_or_the_new_one(tmp_path, monkeypatch, call, nth, when, older, error):
    if older:
        write_folder(tmp_path / "out", OLD)
    holder, _, name = call.rpartition(".")
    real = getattr(__import__("pathlib").Path if holder == "pathlib.Path" else __import__(holder), name)
    calls = iter(range(100))

    def stopping(*args, **keywords):
        number = next(calls)
        if number != nth:
            return real(*args, **keywords)
        if when == "after":
            real(*args, **keywords)
        raise error(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(call, stopping)
        with contextlib.suppress(Stop, OptionError):
            write_folder(tmp_path / "out", NEW)
    expected = [as_bytes(NEW), as_bytes(OLD) if older else None]
    assert (texts(tmp_path / "out") if (tmp_path / "out").exists() else None) in expected
    write_folder(tmp_path / "out", NEW)
    assert texts(tmp_path / "out") == as_bytes(NEW)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_killed_runs_have_left_is_removed_by_the_next(tmp_path):
    for name in (".out.abcdefgh.partial", ".out.abcd_f12.old.partial"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.md").write_text("half")
    kept = [".out.partial", ".other.abcdefgh.partial", ".out.b.abcdefgh.partial", "out.abcdefgh.partial"]
    for name in kept:
        (tmp_path / name).mkdir()
    write_folder(tmp_path / "out", NEW)
    assert {path.name for path in tmp_path.iterdir()} == {"out", *kept}


@pytest.mark.parametrize("name", ["report[1]", "a*b", "with space", "ünï"])
def test_any_name_will_do(tmp_path, name):
    (tmp_path / f".{name}.abcdefgh.partial").mkdir()
    write_folder(tmp_path / name, NEW)
    write_folder(tmp_path / name, OLD)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_report_can_be_read_by_others(tmp_path):
    write_folder(tmp_path / "out", NEW)
    assert os.stat(tmp_path / "out").st_mode & 0o777 == 0o755
