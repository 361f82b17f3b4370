"""A report goes through all drivers, and a run that is killed leaves nothing half written."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from command_line import ROOT, SIMCORE
from small_report import SMALL, assert_whole, content

from simcore.command.reproduce.report import load

REPORTS = sorted((ROOT / "models" / "reports").glob("*.toml"))


# ---- a report that is right ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    """One run of the small report by the installed command."""
    place = tmp_path_factory.mktemp("right")
    (place / "small.toml").write_text(SMALL)
    run = subprocess.run([SIMCORE, "reproduce", "small.toml"], cwd=place, capture_output=True, text=True, check=False)
    return run, place / "reports" / "small"


def test_everything_in_a_right_report_is_shown(right):
    run, _ = right
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.endswith("\neverything in the report was shown\n")
    assert "NOT SHOWN" not in run.stdout
    assert run.stdout.count("[ok] ") == 13


def test_the_folder_is_named_after_the_file_and_holds_the_report(right):
    run, folder = right
    assert "\nreports/small/ (occupancy.png, report.json, report.md, wait-for.mmd, wait-for.png)\n" in run.stdout
    assert_whole(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["small"]


def test_the_markdown_says_what_was_printed(right):
    run, folder = right
    text = (folder / "report.md").read_text()
    printed = run.stdout.rsplit("\nWritten\n", 1)[0]
    for line in printed.splitlines():
        assert line in text


def test_the_object_holds_every_section(right):
    found = json.loads((right[1] / "report.json").read_text())
    assert (found["title"], found["failed"]) == ("Downloads hang, small", [])
    assert (found["find"]["verdict"], len(found["find"]["schedule"])) == ("violated", 5)
    assert found["grid"]["verdicts"] == [["hang", "free"], ["hang", "hang"]]
    assert found["replay"]["simulate"] == "stuck"
    assert [run["status"] for run in found["replay"]["execute"]] == ["stuck"] * 3
    assert [proof["verdict"] for proof in found["prove"]] == ["holds"]
    assert found["mutation"]["verdict"] == "violated"
    assert [row["measured here"] for row in found["free"]] == ["0 of 2", "2 of 2"]


def test_nothing_printed_on_a_pipe_is_for_a_terminal(right):
    run, _ = right
    assert "\x1b" not in run.stdout + run.stderr


@pytest.mark.slow
def test_json_prints_one_object_and_the_report_beside_it(reproduce):
    status, out, err = reproduce(SMALL, "--json")
    assert status == 0
    assert json.loads(out)["failed"] == []
    assert "everything in the report was shown" in err


@pytest.mark.slow
def test_brackets_and_colons_in_a_report_are_printed_as_they_are(reproduce):
    status, out, _ = reproduce(SMALL.replace("Downloads hang, small", "[bold]download[0][/bold] :smile: \\\\"))
    assert status == 0
    assert "[bold]download[0][/bold] :smile: \\\n" in out


@pytest.mark.slow
def test_a_second_run_takes_the_place_of_the_first(reproduce, tmp_path):
    reproduce(SMALL)
    reproduce(SMALL.replace("Downloads hang, small", "Another title"))
    assert_whole(tmp_path / "out")
    assert (tmp_path / "out" / "report.md").read_text().startswith("# Another title\n")
    assert {path.name for path in tmp_path.iterdir()} == {"small.toml", "out"}


# ---- killed --------------------------------------------------------------------------------------------


def begun(place: Path) -> subprocess.Popen[bytes]:
    command = [SIMCORE, "reproduce", "small.toml", "--out", "out"]
    return subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def alive(group: int) -> bool:
    """Tell whether a process of the group is left, zombies that wait for us aside."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                fields = (process / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group and fields[0] != "Z":
                return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGKILL"])
def test_a_killed_run_leaves_no_half_report_and_no_child(tmp_path, name, right):
    """At four moments, late ones most of all, with and without an older report."""
    (tmp_path / "small.toml").write_text(SMALL)
    out = tmp_path / "out"
    start = time.monotonic()
    assert begun(tmp_path).communicate()[1] == b""
    seconds = time.monotonic() - start
    moments = random.Random(name)
    for number in range(4):
        shutil.rmtree(out, ignore_errors=True)
        older = None
        if number % 2:
            shutil.copytree(right[1], out)
            older = content(out)
        run = begun(tmp_path)
        time.sleep(moments.uniform(0.2, 1.0) * seconds if number < 2 else moments.uniform(0.85, 1.05) * seconds)
        run.send_signal(getattr(signal, name))
        _, complaint = run.communicate(timeout=20)
        if run.returncode == 130:
            assert complaint == b"simcore: interrupted\n"
        assert not alive(run.pid)
        if out.exists() and content(out) != older:
            assert_whole(out)
        assert out.exists() or older is None or name == "SIGKILL"  # who is killed between two renames leaves none
    assert begun(tmp_path).communicate()[1] == b""
    assert_whole(out)
    assert {path.name for path in tmp_path.iterdir()} == {"small.toml", "out"}


@pytest.mark.some(3)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_run_killed_while_the_hang_runs_for_real_leaves_nothing(tmp_path, number):
    (tmp_path / "small.toml").write_text(SMALL)
    run = begun(tmp_path)
    assert any(b"1. The hang, found" in line for line in run.stdout), run.communicate()
    time.sleep(0.1)
    run.send_signal(number)
    _, complaint = run.communicate(timeout=20)
    assert (run.returncode, complaint) == ((130, b"simcore: interrupted\n") if number != 9 else (-9, b""))
    assert not alive(run.pid)
    assert {path.name for path in tmp_path.iterdir()} == {"small.toml"}


# ---- the reports that are kept -------------------------------------------------------------------------


def test_there_are_reports():
    assert REPORTS


@pytest.mark.parametrize("file", REPORTS, ids=lambda file: file.stem)
def test_every_report_names_existing_models_and_parameters(file):
    load(file).check()


@pytest.mark.slow
def test_the_reported_hang_is_reproduced_at_full_size(tmp_path):
    command = [SIMCORE, "reproduce", "models/reports/nvflare-4171.toml", "--out", str(tmp_path / "out")]
    start = time.monotonic()
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert time.monotonic() - start < 150
    assert (run.returncode, run.stderr) == (0, "")
    assert_whole(tmp_path / "out")
    found = json.loads((tmp_path / "out" / "report.json").read_text())
    assert found["failed"] == []
    assert found["find"]["verdict"] == "violated"
    assert found["find"]["parameters"] == {"downloads": 8, "workers": 4, "chunks": 1}
    assert found["replay"]["simulate"] == "stuck"
    assert all(each["status"] == "stuck" and each["stuck_after"] < 2 for each in found["replay"]["execute"])
    assert {proof["verdict"] for proof in found["prove"]} == {"holds"}
    assert found["mutation"]["verdict"] == "violated"
    assert [row["measured here"] for row in found["free"]] == ["0 of 8", "8 of 8"]
    assert os.path.getsize(tmp_path / "out" / "occupancy.png") > 10_000
