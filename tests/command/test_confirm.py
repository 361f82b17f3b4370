"""Claims about released packages are tried on them, and the table says where something else was seen."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from functools import partial
from pathlib import Path

import pytest
from command_line import ROOT, SIMCORE

from simcore.command.confirm import confirm, environments
from simcore.command.confirm.carried import carried, required
from simcore.command.confirm.environments import environment
from simcore.errors import OptionError

TINY = """
import threading

import {package}

def crossed(*, opposed=True):
    a, b = threading.Lock(), threading.Lock()

    def take(first, second):
        with first, second:
            print({package}.VERSION)

    other = threading.Thread(target=take, args=(b, a) if opposed else (a, b), name="other")
    other.start()
    take(a, b)
    other.join()

def raising():
    raise ValueError({package}.VERSION)
"""
CLAIMS = """
title = "Tiny"
requirement = "tiny=={release}"
module = "over_tiny"

[[claims]]
text = "opposed locks hang"
releases = ["1.0"]
function = "crossed"
expected = "deadlock"
schedules = 40
says = ["waits for", "held by other"]

[[claims]]
text = "ordered locks do not"
releases = ["1.0"]
function = "crossed"
parameters = { opposed = false }
expected = "none"
schedules = 3

[[claims]]
text = "it raises"
releases = ["1.0"]
function = "raising"
expected = "failed"
schedules = 1
"""


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A file of claims about a package that lies beside it, so that no environment needs to be made."""
    (tmp_path / "over_tiny.py").write_text(TINY.format(package="tiny_package"))
    (tmp_path / "tiny_package.py").write_text("VERSION = '1.0'\n")
    monkeypatch.chdir(tmp_path)
    asked = []
    module = sys.modules[confirm.__module__]
    monkeypatch.setattr(module, "environment", lambda *given: asked.append(given) or Path(sys.executable))
    return partial(_write, tmp_path / "tiny.toml"), asked


def _write(path, *changes):
    text = CLAIMS
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    path.write_text(text)


@pytest.mark.slow
def test_claims_are_tried_and_the_table_says_what_was_seen(tiny, simcore):
    write, asked = tiny
    write()
    run = simcore("confirm", "tiny.toml")
    assert (run.status, run.err) == (0, "")
    rows = [line.split() for line in run.out.splitlines()[2:7]]
    assert [" ".join(row[:-2]) for row in rows[2:]] == [
        "opposed locks hang 1.0 deadlock deadlock",
        "ordered locks do not 1.0 none none",
        "it raises 1.0 failed failed: main raised ValueError: 1.0",
    ]
    assert "3 claims, 3 as expected, 0 otherwise" in run.out
    assert asked == [(asked[0][0], [*required(), "tiny==1.0"])]
    assert asked[0][0].parts[-2:] == ("simcore", "environments")


@pytest.mark.slow
def test_a_token_is_followed_by_the_command_that_is_printed(tiny, simcore):
    write, _ = tiny
    write()
    found = simcore("confirm", "tiny.toml", "--only", "opposed")
    again = re.search(r"replay: simcore (confirm .*)", found.out)[1]
    run = simcore(*again.split())
    assert run.status == 1
    assert run.out.startswith("violated: ")
    assert again.split()[-1] in run.out


@pytest.mark.some(4)
@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ([('expected = "deadlock"', 'expected = "none"')], "deadlock"),
        ([("held by other", "held by nobody")], "deadlock; does not say 'held by nobody'"),
        ([('function = "crossed"', 'function = "missing"')], "module over_tiny has no function 'missing'"),
        ([("over_tiny", "not_there")], "there is no module 'not_there'"),
    ],
)
def test_what_is_otherwise_is_said_and_is_status_1(tiny, simcore, changes, seen):
    write, _ = tiny
    write(*changes)
    run = simcore("confirm", "tiny.toml", "--only", "opposed", "--json")
    (row,) = json.loads(run.out)["claims"]
    assert (run.status, row["as_expected"]) == (1, False)
    assert row["seen"].startswith(seen)


def test_a_package_that_ends_the_process_is_told_in_its_row(tiny, simcore, tmp_path):
    write, _ = tiny
    write()
    (tmp_path / "tiny_package.py").write_text("import os\nprint('noise')\nos._exit(7)\n")
    run = simcore("confirm", "tiny.toml", "--only", "raises", "--json")
    assert (run.status, json.loads(run.out)["claims"][0]["seen"]) == (1, "noise")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nowhere"], "nowhere is no file of claims, and none of the library, which has nvflare"),
        (
            ["tiny.toml", "--only", "unheard of"],
            "--only 'unheard of' is in no claim of tiny.toml, which are: ",
        ),
        (["tiny.toml", "--replay", "sx1-x"], "--replay and --release belong together"),
        (["tiny.toml", "--release", "1.0"], "--replay and --release belong together"),
        (["tiny.toml", "--release", "1.0", "--replay", "sx1-x"], "the replay token is damaged"),
        (["nvflare", "--schedules", "0"], "0 is not in the range"),
    ],
)
def test_a_mistake_is_one_line(tiny, simcore, arguments, complaint):
    write, _ = tiny
    write()
    run = simcore("confirm", *arguments)
    assert (run.status, run.out, run.err.count("\n")) == (2, "", 1)
    assert complaint in run.err


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ([('expected = "deadlock"', 'expected = "hang"')], "expected is 'hang'; there are deadlock, failed, none"),
        ([("schedules = 40", "schedules = 0")], "schedules is 0; at least one is run"),
        ([("schedules = 40", "times = 40")], "lacks 'claims.schedules'"),
        ([("schedules = 40", "schedules = 40\ntimes = 3")], "claims.times means nothing"),
        ([('releases = ["1.0"]', "releases = []")], "claims.releases are texts, at least one"),
        ([('function = "crossed"', 'function = "crossed"\npoints = "all"')], "points is 'all'; there are operations"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_before_anything_is_tried(tiny, simcore, changes, complaint):
    write, asked = tiny
    write(*changes)
    run = simcore("confirm", "tiny.toml")
    assert (run.status, run.out, asked) == (2, "", [])
    assert complaint in run.err


# ---- environments ------------------------------------------------------------------------------------------


@pytest.fixture
def released(tmp_path):
    """A wheel of a package, as pip takes it without an index."""
    wheel = tmp_path / "tiny_released-1.0-py3-none-any.whl"
    about = "tiny_released-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("tiny_released.py", "VERSION = '1.0'\n")
        file.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: tiny-released\nVersion: 1.0\n")
        file.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{about}/RECORD", "")
    return str(wheel)


@pytest.mark.slow
def test_an_environment_is_made_once_and_is_whole(tmp_path, released, monkeypatch):
    cache = tmp_path / "cache"
    cache.mkdir()
    python = environment(cache, [released])
    with carried() as folder:
        told = "import simcore.control, simcore.models, simcore.properties, tiny_released as t; print(t.__file__)"
        command, path = [python, "-P", "-c", told], {**os.environ, "PYTHONPATH": str(folder)}
        run = subprocess.run(command, env=path, capture_output=True, text=True, check=True)
    assert run.stdout.startswith(str(cache))
    assert not folder.exists()
    monkeypatch.setattr(environments, "_make", None)
    assert environment(cache, [released]) == python


def test_what_was_left_half_made_is_never_used(tmp_path, released, monkeypatch):
    done = []
    monkeypatch.setattr(environments, "_run", lambda command, _: done.append(command))
    python = environment(tmp_path / "cache", [released])
    shutil.rmtree(python.parents[1])
    left = python.parents[2] / f".{python.parents[1].name}.abcdefgh.partial"
    left.mkdir()
    assert environment(tmp_path / "cache", [released]) == python
    assert not left.exists()
    assert [command[-1] for command in done[1::2]] == [released, released]

    def interrupted(*_):
        raise KeyboardInterrupt

    shutil.rmtree(python.parents[1])
    monkeypatch.setattr(environments, "_run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        environment(tmp_path / "cache", [released])
    assert [path for path in python.parents[2].iterdir() if path.suffix != ".lock"] == []


def test_a_package_that_cannot_be_had_is_one_line():
    fails = "import sys; sys.exit('ERROR: Could not find a version\\nERROR: No matching distribution found\\n')"
    with pytest.raises(OptionError) as raised:
        environments._run([sys.executable, "-c", fails], "tiny==1.0 cannot be had")
    assert str(raised.value) == "tiny==1.0 cannot be had: No matching distribution found"


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match=r"cannot be written: .*name another place"):
        environment(tmp_path / "file", [])


def test_simcore_is_carried_without_what_lies_beside_it():
    with carried() as folder:
        assert [path.name for path in folder.iterdir()] == ["simcore"]
        inside = {path.name for path in (folder / "simcore").iterdir()}
        assert {"control", "models", "properties", "__init__.py"} <= inside
    assert any(each.startswith("networkx") for each in required())
    assert not any("extra" in each for each in required())


@pytest.mark.slow
def test_nobody_is_left_when_it_is_interrupted(tmp_path):
    (tmp_path / "over_tiny.py").write_text(TINY.format(package="time").replace("time.VERSION", "time.sleep"))
    (tmp_path / "tiny.toml").write_text(CLAIMS.replace("schedules = 3", "schedules = 1_000_000"))
    source = (
        "import importlib, sys\nfrom pathlib import Path\nfrom simcore.command.cli import main\n"
        "module = importlib.import_module('simcore.command.confirm.confirm')\n"
        "module.environment = lambda *_: Path(sys.executable)\n"
        "main(['confirm', 'tiny.toml', '--only', 'ordered'])\n"
    )
    begun = subprocess.Popen([sys.executable, "-c", source], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    limit = time.monotonic() + 60
    while not (inside := _children(begun.pid)) or not _children(inside[0]):
        assert time.monotonic() < limit
        assert begun.poll() is None, begun.stderr.read()
        time.sleep(0.1)
    begun.send_signal(signal.SIGINT)
    assert "interrupted" in begun.communicate(timeout=60)[1]
    assert begun.returncode == 130
    while any(os.path.exists(f"/proc/{pid}") for pid in inside):
        assert time.monotonic() < limit
        time.sleep(0.1)


def _children(pid):
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(each) for each in found.stdout.split()]


# ---- the released package ----------------------------------------------------------------------------------


THINNED = ["--only", "8 downloads"]


@pytest.mark.slow
def test_what_is_known_of_released_nvflare_is_seen_again():
    done = subprocess.run(
        [SIMCORE, "confirm", "nvflare", *THINNED, "--schedules", "20", "--max-seconds", "5", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if "cannot be had" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(done.stdout)["claims"]
    assert [row["release"] for row in rows] == ["2.7.1", "2.7.2"]
    assert all(row["result"]["token"] for row in rows if row["expected"] != "none")
