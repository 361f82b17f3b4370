"""A report goes through all drivers; what it claims wrongly is said, and a killed run leaves nothing half written."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simcore.command.cli import main
from simcore.command.reproduce.report import load

ROOT = Path(__file__).parents[2]
REPORTS = sorted((ROOT / "models" / "reports").glob("*.toml"))
SIMCORE = shutil.which("simcore", path=str(Path(sys.executable).parent))
FILES = {"report.md", "report.json", "wait-for.png", "wait-for.mmd", "occupancy.png"}

SMALL = """
title = "Downloads hang, small"
link = "https://example.org/1"
system = "a system"
before = "1.0"
after = "1.1"
seen = "Two clients download at once. None of them ever completes."

[models.before]
function = "simcore.models.pool_starvation:buggy"
parameters = { downloads = 2, workers = 1, chunks = 3 }

[models.after]
function = "simcore.models.pool_starvation:fixed"
parameters = { downloads = 2, workers = 2, callback_workers = 2, chunks = 3 }

[expected]
process = "download"
before = 0
after = 2

[explore]
parameters = { chunks = 1 }
why = "a schedule that hangs in the first chunk is one of the full run"
smallest = { downloads = 1 }

[law]
text = "a hang is reachable if and only if downloads >= workers"
rows = { parameter = "downloads", values = [1, 2] }
columns = { parameter = "workers", values = [1, 2] }

[[prove]]
parameters = { workers = 1, callback_workers = 1, chunks = 1 }

[mutation]
parameters = { workers = 1, callback_workers = 1, chunks = 1, fix = false }

[simulate.latency]
"blob_callback" = 51e-6
"""

BEFORE = 'function = "simcore.models.pool_starvation:buggy"\nparameters = { downloads = 2, workers = 1, chunks = 3 }'
FIXED_BEFORE = BEFORE.replace("buggy", "fixed").replace("workers = 1", "workers = 1, callback_workers = 1")


@pytest.fixture
def reproduce(capsys, monkeypatch, tmp_path):
    """Write a report and run the command on it in this process; return exit status, output, complaint."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    handler = signal.getsignal(signal.SIGTERM)

    def run(text: str, *arguments: str, out: Path | None = None) -> tuple[int, str, str]:
        file = tmp_path / "small.toml"
        file.write_text(text)
        with pytest.raises(SystemExit) as left:
            main(["reproduce", str(file), "--out", str(out or tmp_path / "out"), *arguments])
        return left.value.code, *capsys.readouterr()

    yield run
    signal.signal(signal.SIGTERM, handler)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_whole(folder: Path) -> None:
    files = content(folder)
    assert set(files) == FILES
    assert isinstance(json.loads(files["report.json"]), dict)
    assert files["report.md"].decode().endswith("![wait-for.png](wait-for.png)\n")
    for name in ("wait-for.png", "occupancy.png"):
        assert files[name].startswith(b"\x89PNG")
        assert files[name].endswith(b"IEND\xaeB`\x82")


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


def test_json_prints_one_object_and_the_report_beside_it(reproduce):
    status, out, err = reproduce(SMALL, "--json")
    assert status == 0
    assert json.loads(out)["failed"] == []
    assert "everything in the report was shown" in err


def test_brackets_and_colons_in_a_report_are_printed_as_they_are(reproduce):
    status, out, _ = reproduce(SMALL.replace("Downloads hang, small", "[bold]download[0][/bold] :smile: \\\\"))
    assert status == 0
    assert "[bold]download[0][/bold] :smile: \\\n" in out


def test_a_second_run_takes_the_place_of_the_first(reproduce, tmp_path):
    reproduce(SMALL)
    reproduce(SMALL.replace("Downloads hang, small", "Another title"))
    assert_whole(tmp_path / "out")
    assert (tmp_path / "out" / "report.md").read_text().startswith("# Another title\n")
    assert {path.name for path in tmp_path.iterdir()} == {"small.toml", "out"}


# ---- claims that are false -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "wrong", "claims"),
    [
        ("after = 2\n", "after = 1\n", ["after the fix 1 of 2 complete, and the run ends stuck"]),
        ("before = 0\n", "before = 2\n", ["before the fix 2 of 2 complete, and the run ends completed"]),
        (
            "workers = 1, callback_workers = 1, chunks = 1, fix = false",
            "workers = 1, callback_workers = 1, chunks = 1",
            ["without the fix the hang is found again, so the proof is not vacuous"],
        ),
        (
            "[[prove]]\nparameters = { workers = 1,",
            "[[prove]]\nparameters = { fix = false, workers = 1,",
            ["after the fix no hang is reachable and, where asked, every download completes, for these sizes"],
        ),
        (
            "smallest = { downloads = 1 }",
            "smallest = { downloads = 1, workers = 2 }",
            ["a hang is reachable with downloads=1, workers=2, chunks=1"],
        ),
        (
            'rows = { parameter = "downloads"',
            'rows = { parameter = "chunks"',
            ["a hang is reachable if and only if downloads >= workers"],
        ),
        (
            BEFORE,
            FIXED_BEFORE,
            [
                "before the fix a hang is reachable at the reported size "
                "(downloads=2, workers=1, callback_workers=1, chunks=1, fix=True)",
                "a hang is reachable with downloads=1, workers=1, callback_workers=1, chunks=1",
                "a hang is reachable if and only if downloads >= workers",
                "the token hangs in virtual time",
                "it hangs for real, 3 of 3, seen to be stuck in under 2 s",
                "the kernel explains these runs",
                "before the fix 0 of 2 complete, and the run ends stuck",
            ],
        ),
        (
            "parameters = { chunks = 1 }\nwhy",
            "parameters = { chunks = 1, downloads = 3, workers = 3 }\nwhy",
            [
                "its schedule is one of the full size (downloads=2, workers=1, chunks=3)",
                "a hang is reachable with downloads=1, workers=3, chunks=1",
                "the token hangs in virtual time",
                "it hangs for real, 3 of 3, seen to be stuck in under 2 s",
                "the kernel explains these runs",
            ],
        ),
    ],
    ids=["after", "before", "mutation", "proof", "smallest", "law", "before is fixed", "other size"],
)
def test_a_false_claim_is_not_shown_and_the_rest_is(reproduce, tmp_path, right, wrong, claims):
    assert SMALL.count(right) == 1
    status, out, err = reproduce(SMALL.replace(right, wrong))
    assert (status, err) == (1, "")
    assert json.loads((tmp_path / "out" / "report.json").read_text())["failed"] == claims
    for claim in claims:
        assert f"[NOT SHOWN] {claim}\n" in out
    assert out.endswith("\n".join(["\nNOT SHOWN:", *(f"  {claim}" for claim in claims)]) + "\n")


def test_a_report_without_a_counterexample_has_no_picture_of_one(reproduce, tmp_path):
    reproduce(SMALL)
    reproduce(SMALL.replace(BEFORE, FIXED_BEFORE))
    assert set(content(tmp_path / "out")) == {"report.md", "report.json", "occupancy.png"}


def test_a_report_about_locks_alone_has_pictures_too(reproduce, tmp_path):
    locks = """
[models.before]
function = "toys:philosophers"
parameters = { n = 2, cyclic = false, together = false }

[models.after]
function = "toys:philosophers"
parameters = { n = 2, cyclic = false, together = false, ordered = true }
"""
    text = locks.join(
        [SMALL[: SMALL.index("[models.before]")], SMALL[SMALL.index("[expected]") : SMALL.index("[law]")]]
    )
    text = text.replace("downloads = 1", "n = 2").replace("chunks = 1", "n = 2").replace('"download"', '"philosopher"')
    proofs = "[[prove]]\nparameters = { n = 3 }\n[mutation]\nparameters = { ordered = false }\n"
    status, out, err = reproduce(text + proofs)
    assert err == ""
    assert "every philosopher completes" in out
    assert_whole(tmp_path / "out")
    failed = json.loads((tmp_path / "out" / "report.json").read_text())["failed"]
    luck = "before the fix 0 of 2 complete, and the run ends stuck"  # two free threads seldom meet
    assert failed in ([], [luck])
    assert status == bool(failed)


# ---- mistakes ------------------------------------------------------------------------------------------


def mistakes():
    yield "is not TOML", SMALL + "\n[[[", ("no valid TOML",)
    for key in ("title", "link", "system", "seen", "before", "after"):
        yield f"lacks {key}", SMALL.replace(f"{key} = ", f"no_{key} = ", 1), ("lacks", f"'{key}'")
    for table, key in (
        ("[models.before]", "models.before"),
        ("[models.after]", "models.after"),
        ("[expected]", "expected"),
        ("[explore]", "explore"),
        ("[[prove]]", "prove"),
        ("[mutation]", "mutation"),
    ):
        yield f"lacks {key}", SMALL.replace(table, "[[other]]" if table.startswith("[[") else "[other]"), ("lacks", key)
    for right, wrong, words in (
        ('process = "download"', "", ("expected.process",)),
        ('process = "download"', 'process = "upload"', ("'upload'", "download[0]")),
        ("before = 0", 'before = "none"', ("expected.before is 'none', which is not a whole number",)),
        ('title = "Downloads hang, small"', "title = 3", ("title is 3, which is not text",)),
        ("[[prove]]", "[prove]", ("prove", "a list")),
        ('"blob_callback" = 51e-6', '"blob_callback" = "fast"', ("blob_callback", "'fast'")),
        ('"blob_callback" = 51e-6', '"blob_calback" = 51e-6', ("blob_calback",)),
        ('why = "', 'because = "', ("explore.why",)),
        ("[law]", "[laws]", ("laws means nothing",)),
        ("smallest = ", "small = ", ("explore.small means nothing",)),
        ("\n\n[mutation]", "\ncomplete = false\n\n[mutation]", ("prove.complete means nothing",)),
        ("values = [1, 2]", "values = []", ("law.rows.values",)),
        ("values = [1, 2]", 'values = ["a"]', ("law.rows.values",)),
        ("values = [1, 2]", "values = [0, -1]", ("downloads=-1",)),
        ('parameter = "downloads"', 'parameter = "downlods"', ("no parameter 'downlods'",)),
        ("chunks = 3 }", "chunk = 3 }", ("no parameter 'chunk'", "chunks")),
        ("fix = false", "fixed = false", ("no parameter 'fixed'",)),
        ("smallest = { downloads = 1 }", "smallest = { dowloads = 1 }", ("no parameter 'dowloads'",)),
        ("callback_workers = 1, chunks = 1 }", "callbacks = 1 }", ("no parameter 'callbacks'",)),
        ("pool_starvation:buggy", "pool_starvation:bugy", ("no model function 'bugy'", "buggy, fixed")),
        ("pool_starvation:fixed", "pool_starving:fixed", ("no module 'simcore.models.pool_starving'",)),
        ("workers = 1, chunks = 3", 'workers = "many", chunks = 3', ("workers='many'",)),
        ("workers = 1, chunks = 3", "workers = 1979-05-27, chunks = 3", ("models.before.parameters.workers",)),
    ):
        assert right in SMALL
        yield f"{right} -> {wrong}", SMALL.replace(right, wrong, 1), words


@pytest.mark.parametrize(("text", "words"), [pytest.param(*rest, id=name) for name, *rest in mistakes()])
def test_a_wrong_report_is_one_line_before_anything_is_done(reproduce, tmp_path, text, words):
    status, out, err = reproduce(text)
    assert (status, out) == (2, "")
    assert err.startswith("simcore: ")
    assert err.count("\n") == 1
    for word in words:
        assert word in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["missing", "folder", "not text"])
def test_a_file_that_cannot_be_read_is_one_line(capsys, monkeypatch, tmp_path, kind):
    monkeypatch.setattr(sys, "path", list(sys.path))
    file = tmp_path / "report.toml"
    if kind == "folder":
        file.mkdir()
    if kind == "not text":
        file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SystemExit) as left:
        main(["reproduce", str(file)])
    err = capsys.readouterr().err
    assert left.value.code == 2
    assert err.startswith(f"simcore: report {file} ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("kind", ["file", "foreign", "report and notes", "below a file"])
def test_a_place_that_cannot_be_written_is_one_line_before_anything_is_done(reproduce, tmp_path, kind):
    out = tmp_path / "out"
    if kind == "file":
        out.write_text("mine")
    elif kind == "below a file":
        out.write_text("mine")
        out /= "report"
    else:
        out.mkdir()
        (out / "notes.txt").write_text("mine")
        if kind == "report and notes":
            (out / "report.json").write_text("{}")
    status, printed, err = reproduce(SMALL, out=out)
    assert (status, printed) == (2, "")
    assert err.startswith(f"simcore: {out} ")
    assert "--out" in err
    assert err.count("\n") == 1
    kept = tmp_path / "out" if kind in ("file", "below a file") else out / "notes.txt"
    assert kept.read_text() == "mine"


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
    """At twelve moments, late ones most of all, with and without an older report."""
    (tmp_path / "small.toml").write_text(SMALL)
    out = tmp_path / "out"
    start = time.monotonic()
    assert begun(tmp_path).communicate()[1] == b""
    seconds = time.monotonic() - start
    moments = random.Random(name)
    for number in range(12):
        shutil.rmtree(out, ignore_errors=True)
        older = None
        if number % 2:
            shutil.copytree(right[1], out)
            older = content(out)
        run = begun(tmp_path)
        time.sleep(moments.uniform(0.2, 1.0) * seconds if number < 6 else moments.uniform(0.85, 1.05) * seconds)
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
