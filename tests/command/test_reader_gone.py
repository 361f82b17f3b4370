"""Whoever reads what is printed may be gone, as ``head`` is: the files are there, whole, and no traceback is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import small_report
from command_line import ROOT, SIMCORE

from simcore.command.cli import CLOSED, main

SMALL = ("simcore.models.pool_starvation:buggy", "-p", "downloads=1", "-p", "workers=1")
CODE = "threaded:opposed_locks"


@pytest.fixture
def unread(monkeypatch):
    """Run the command line, in this process, with a stdout that nobody reads; return the exit status."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)}
    reader, writer = os.pipe()
    os.close(reader)
    stdout = os.fdopen(writer, "w", buffering=1)

    def run(*arguments: object) -> int:
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(SystemExit) as left:
            main([str(each) for each in arguments])
        monkeypatch.undo()
        return left.value.code

    yield run
    stdout.close()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def token_of(capsys, *command):
    with pytest.raises(SystemExit):
        main([*command, "--json"])
    return json.loads(capsys.readouterr().out)["token"]


def assert_only(folder, *names):
    """Assert that these files are there, whole, and nothing that is half of one."""
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    for path in folder.glob("*.html"):
        assert path.read_text().rstrip().endswith("</html>")


@pytest.mark.some(3)
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", [("explore", *SMALL), ("--help",), ("list", "--help"), ("list",)], ids=str)
def test_it_is_no_verdict_and_no_traceback(command, unbuffered):
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run(
        [SIMCORE, *command], cwd=ROOT, env=environment, stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False
    )
    os.close(writer)
    assert (ran.returncode, ran.stderr) == (CLOSED, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is full")
@pytest.mark.parametrize("more", [(), ("--json",)], ids=["text", "json"])
def test_where_what_is_printed_finds_no_room_it_is_said_in_a_line(tmp_path, more):
    page = tmp_path / "page.html"
    with open("/dev/full", "w") as full:
        command = [SIMCORE, "explore", *SMALL, *more, "--html", page]
        ran = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    told = "simcore: what there is to say, or a file, cannot be written: No space left on device\n"
    assert (ran.returncode, ran.stderr) == (2, told)
    assert_only(tmp_path, "page.html")


@pytest.mark.parametrize("as_object", [(), ("--json",)], ids=["text", "json"])
@pytest.mark.parametrize("command", [("explore", *SMALL), ("simulate", *SMALL)], ids=["explore", "simulate"])
def test_the_page_is_there(unread, tmp_path, command, as_object):
    assert unread(*command, *as_object, "--html", tmp_path / "page.html") == CLOSED
    assert_only(tmp_path, "page.html")


@pytest.mark.parametrize("driver", ["explore", "simulate", "execute"])
def test_the_page_of_a_replay_is_there(unread, capsys, tmp_path, driver):
    token = token_of(capsys, "explore", *SMALL)
    assert unread("replay", token, "--on", driver, "--html", tmp_path / "page.html") == CLOSED
    assert_only(tmp_path, "page.html")


@pytest.mark.slow
@pytest.mark.some(2)
@pytest.mark.parametrize("model", ["skeleton.py", "-"])
def test_the_page_and_the_skeleton_of_code_are_there(unread, tmp_path, model):
    place = model if model == "-" else tmp_path / model
    assert unread("control", CODE, "--witness", "any", "--html", tmp_path / "page.html", "--model", place) == CLOSED
    assert_only(tmp_path, "page.html", *[model] * (model != "-"))


@pytest.mark.slow
def test_the_page_of_a_replay_of_code_is_there(unread, capsys, tmp_path):
    token = token_of(capsys, "control", CODE, "--witness", "any")
    assert unread("replay", token, "--html", tmp_path / "page.html") == CLOSED
    assert_only(tmp_path, "page.html")


def test_every_export_is_there(unread, tmp_path):
    files = [f"--{name}={tmp_path / name}" for name in ("perfetto", "mermaid-sequence", "itf", "storm")]
    assert unread("export", *SMALL, *files, "--promela") == CLOSED
    assert_only(tmp_path, "perfetto", "mermaid-sequence", "itf", "storm")
    json.loads((tmp_path / "itf").read_text())


def test_the_cells_of_a_sweep_are_there(unread, tmp_path):
    out = tmp_path / "cells.csv"
    assert unread("sweep", SMALL[0], "-p", "downloads=1", "-p", "workers=1..2", "--out", out) == CLOSED
    assert_only(tmp_path, "cells.csv")
    assert len(out.read_text().splitlines()) == 3


@pytest.mark.slow
def test_a_report_that_is_reproduced_is_there_and_its_status_is_that_of_the_whole(unread, tmp_path):
    file = tmp_path / "small.toml"
    file.write_text(small_report.SMALL)
    out, page = tmp_path / "out", tmp_path / "page.html"
    assert unread("reproduce", file, "--out", out, "--html", page) == 0
    assert_only(tmp_path, "small.toml", "out", "page.html")
    assert "report.md" in [path.name for path in out.iterdir()]
