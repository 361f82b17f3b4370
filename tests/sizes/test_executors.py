"""Whoever explores, the cells are the same; a worker that is lost, an interrupt and a kill cost time and no cell."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from multiprocessing import active_children, get_context
from pathlib import Path

import pytest
from sized import below, killed, marked

from simcore import Verdict, always, sweep
from simcore.sizes import executors

GRID = {"workers": range(1, 6), "tasks": range(1, 6)}
SUPPORT = Path(__file__).parents[1] / "support"


@pytest.fixture(scope="module")
def expected():
    return sweep(below, executor="here", **GRID)


# ---- the same everywhere -------------------------------------------------------------------------------


@pytest.mark.slow
def test_threads_find_the_same(expected):
    with ThreadPoolExecutor(3) as threads:
        assert sweep(below, executor=threads, **GRID) == expected


@pytest.mark.slow
def test_a_pool_of_the_user_finds_the_same_and_is_left_to_him(expected):
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        assert sweep("sized:below", executor=pool, **GRID) == expected
        assert pool.submit(len, "abc").result() == 3


def test_an_executor_of_any_kind_is_given_batches(expected):
    class AtOnce(Executor):
        def submit(self, fn, /, *args, **options):
            done = Future()
            done.set_result(fn(*args, **options))
            return done

    assert sweep(below, executor=AtOnce(), **GRID) == expected


@pytest.mark.slow
def test_threads_take_what_has_no_name(expected):
    with ThreadPoolExecutor(2) as threads:
        found = sweep(lambda *, workers, tasks: below(workers=workers, tasks=tasks), executor=threads, **GRID)
    assert [cell.verdict for cell in found] == [cell.verdict for cell in expected]
    assert found.notes == ()


# ---- what cannot be sent -------------------------------------------------------------------------------


def test_a_function_that_has_no_name_is_explored_here_and_a_note_says_so():
    found = sweep(lambda *, n: below(workers=n), jobs=2, n=[1, 2])
    assert [cell.verdict for cell in found] == [Verdict.VIOLATED, Verdict.HOLDS]
    (note,) = found.notes
    assert note.startswith(
        "explored in this process: <lambda> is, or holds, a function that other processes cannot find"
    )
    assert note in str(found)


def test_a_property_that_cannot_be_sent_is_asked_here_and_a_note_says_so():
    found = sweep(below, jobs=2, workers=[1, 2], asked=always(lambda state: True))
    assert found.verdict is Verdict.HOLDS
    assert "a property that is asked is, or holds, a function" in found.notes[0]


PROGRAM = """
from multiprocessing import active_children
import simcore
from sized import below
print("begun")
found = simcore.sweep({model}, jobs=2, workers=range(1, 5))
assert found == simcore.sweep({model}, executor="here", workers=range(1, 5))
assert active_children() == []
print(found.counted, *found.notes, sep="\\n")
"""


@pytest.mark.parametrize(
    ("model", "note"),
    [
        ("below", ""),
        pytest.param(
            "lambda *, workers: below(workers=workers)", "<lambda> is of the program itself", marks=pytest.mark.slow
        ),
    ],
)
def test_processes_find_the_same_and_do_not_run_a_program_without_a_guard_again(tmp_path, model, note):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(model=model), encoding="utf-8")
    ran = run(str(program))
    assert ran.stderr == ""
    first, counted, *notes = ran.stdout.splitlines()
    assert (first, counted) == ("begun", "4 cells: 3 holds, 1 violated")
    assert note in "".join(notes)
    assert bool(note) == bool(notes)


def run(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(SUPPORT)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, **options)


# ---- a worker that is lost -----------------------------------------------------------------------------


@pytest.mark.slow
def test_a_worker_that_is_killed_once_changes_nothing_but_the_time(tmp_path):
    found = sweep(killed, jobs=2, n=range(1, 9), times=1, marks=str(tmp_path))
    assert [cell.verdict.value for cell in found] == ["violated"] * 2 + ["holds"] * 6
    assert [path.name for path in tmp_path.iterdir()] == ["0"]
    assert active_children() == []


class Breaking(Executor):
    """A pool of processes that has lost one, killed by a cell, is of no use any more, and does not say by which."""

    def __init__(self, kills):
        self._kills, self._broken = kills, False

    def submit(self, fn, /, task, places):
        if self._broken:
            raise BrokenProcessPool("the pool is broken")
        done = Future()
        if any(self._kills(place.parameters) for place in places):
            self._broken = True
            done.set_exception(BrokenProcessPool("a process was killed"))
        else:
            done.set_result(fn(task, places))
        return done


@pytest.mark.parametrize(("times", "third"), [(1, "holds"), (2, "holds"), (3, "undetermined"), (9, "undetermined")])
def test_a_cell_whose_worker_is_lost_three_times_is_undetermined_and_the_others_are_not(monkeypatch, times, third):
    lost = []

    def kills(parameters):
        lost.extend([parameters] * (parameters["workers"] == 3))
        return parameters["workers"] == 3 and len(lost) <= times

    monkeypatch.setattr(executors, "_pool", lambda jobs: nullcontext(Breaking(kills)))
    found = sweep(below, jobs=2, workers=range(1, 6))
    assert [cell.verdict.value for cell in found] == ["violated", "holds", third, "holds", "holds"]
    assert ("its worker was lost 3 times" in found[2].reason) is (third == "undetermined")
    assert len(lost) == min(times + 1, 3)


@pytest.mark.slow
def test_a_cell_whose_worker_is_killed_each_time_is_undetermined_and_the_others_are_not(tmp_path):
    found = sweep(killed, jobs=2, n=range(1, 6), marks=str(tmp_path))
    assert [cell.verdict.value for cell in found] == ["violated", "violated", "undetermined", "holds", "holds"]
    assert found[2].reason.startswith(
        "its worker was lost 3 times, for want of memory perhaps: bound it with `max_states`"
    )
    assert len(list(tmp_path.iterdir())) == 3
    assert found.smallest_safe() == 4


def test_a_pool_of_the_user_that_breaks_leaves_cells_undetermined_and_says_what_to_do(tmp_path):
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        found = sweep(killed, executor=pool, n=range(1, 9), at=2, marks=str(tmp_path))
    assert found.verdict in (Verdict.VIOLATED, Verdict.UNDETERMINED)
    lost = [cell for cell in found if cell.verdict is Verdict.UNDETERMINED]
    assert 2 in [cell.parameters["n"] for cell in lost]
    for cell in lost:
        assert "hand over a new one" in cell.reason or "its worker was lost 3 times" in cell.reason


def test_what_an_executor_loses_is_begun_again_cell_by_cell(expected):
    class Losing(Executor):
        def __init__(self):
            self.left, self.sizes = 2, []

        def submit(self, fn, /, task, places):
            done = Future()
            self.sizes.append(len(places))
            if self.left and len(self.sizes) > 20:
                self.left -= 1
                done.set_exception(OSError("the worker has gone away"))
            else:
                done.set_result(fn(task, places))
            return done

    losing = Losing()
    assert sweep(below, executor=losing, **GRID) == expected
    assert losing.left == 0


def test_where_no_process_can_be_begun_that_is_an_error(monkeypatch):
    def refused(self, *_, **__):
        raise BrokenProcessPool("no more processes")

    monkeypatch.setattr(ProcessPoolExecutor, "submit", refused)
    with pytest.raises(Exception, match=r"no process can be begun here .*; use `executor='here'`"):
        sweep(below, jobs=2, workers=[1, 2])


# ---- an interrupt, a kill ------------------------------------------------------------------------------

GOES_ON = {"n": range(1, 41), "wait": 0.03}
LONG = (
    f"import sys, simcore, sized; simcore.sweep(sized.marked, jobs=2, marks=sys.argv[1], keep=sys.argv[2], **{GOES_ON})"
)


def children_of(pid: int) -> list[int]:
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def begun(arguments: list[str], marks: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(SUPPORT)}
    process = subprocess.Popen(
        [sys.executable, "-c", LONG, *arguments],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while len(list(marks.iterdir())) < 12:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    return process


def test_an_interrupt_is_one_and_what_was_found_before_it_is_kept(tmp_path):
    def interrupt(now):
        if now.explored == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(below, executor="here", keep=tmp_path, progress=interrupt, workers=range(1, 9))
    found = sweep(below, executor="here", keep=tmp_path, workers=range(1, 9))
    assert "5 cells kept from before, 3 explored now" in str(found)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="asks Linux for the children")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_sweep_that_is_ended_leaves_no_process_and_loses_nothing_that_is_kept(tmp_path, how):
    marks, kept = tmp_path / "marks", tmp_path / "kept"
    marks.mkdir()
    process = begun([str(marks), str(kept)], marks)
    children = children_of(process.pid)
    assert len(children) >= 2
    if how is signal.SIGINT:
        os.killpg(process.pid, how)  # as a terminal does
    else:
        process.kill()
    process.communicate()
    assert process.returncode != 0
    while any(Path(f"/proc/{child}/cmdline").exists() and alive(child) for child in children):
        time.sleep(0.01)
    (file,) = kept.iterdir()
    known = [line for line in file.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    assert len(known) >= 4
    before = len(list(marks.iterdir()))
    found = sweep(marked, executor="here", marks=str(marks), keep=kept, **GOES_ON)
    assert [cell.verdict.value for cell in found] == ["violated"] * 2 + ["holds"] * 38
    assert len(list(marks.iterdir())) == before + 40 - len(known)
    assert f"{len(known)} cells kept from before, {40 - len(known)} explored now" in str(found)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
