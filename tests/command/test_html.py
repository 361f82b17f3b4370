"""``--html FILE`` writes a page beside what is printed, whole or not at all; ``export`` writes a schedule."""

from __future__ import annotations

import json
import re

import pytest
import small_report

from simcore.command.cli import main
from simcore.report.page import of_model

SMALL = ("simcore.models.pool_starvation:buggy", "-p", "downloads=1", "-p", "workers=1")
CODE = ("threaded:opposed_locks",)


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main([str(each) for each in arguments])
    printed = capsys.readouterr()
    return left.value.code, printed.out, printed.err


def film(file):
    """Return the film that a page shows."""
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', file.read_text())[1])


def without_time(text):
    return re.sub(r"\d+\.\d+ s", "", text)


@pytest.mark.parametrize(
    ("command", "verdict"),
    [
        (("explore", *SMALL), "violated"),
        (("simulate", *SMALL), "stuck"),
        pytest.param(("control", *CODE), "violated", marks=pytest.mark.slow),
    ],
    ids=["explore", "simulate", "control"],
)
def test_a_page_is_written_beside_what_is_printed(capsys, tmp_path, command, verdict):
    file = tmp_path / "page.html"
    status, out, _ = run(capsys, *command, "--html", file)
    plain = run(capsys, *command)
    assert (status, without_time(out)) == (plain[0], without_time(plain[1]) + f"page: {file}\n")
    shown = film(file)
    assert (status, shown["verdict"]) == (1, verdict)
    assert shown["frames"]
    assert shown["token"] in out
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("driver", ["explore", "simulate", "execute"])
def test_what_is_replayed_is_shown(capsys, tmp_path, driver):
    _, out, _ = run(capsys, "explore", *SMALL, "--json")
    token = json.loads(out)["token"]
    file = tmp_path / "page.html"
    status, _, _ = run(capsys, "replay", token, "--on", driver, "--html", file)
    assert (status, film(file)["verdict"]) == (1, "stuck")
    assert film(file)["answer"].startswith("2 of 2 processes can never move again")


def test_the_servers_that_a_replay_knows_of_are_those_that_its_page_draws(capsys, tmp_path, monkeypatch):
    def none(*given, **more):
        raise AssertionError("the graph is made once, by the replay")

    monkeypatch.setattr(of_model, "graph_after", none)
    token = json.loads(run(capsys, "explore", "servers:handshake", "--json")[1])["token"]
    file = tmp_path / "page.html"
    status, out, _ = run(capsys, "replay", token, "--html", file)
    shown = film(file)
    assert (status, shown["knot"]) == (1, ["a", "b"])
    assert shown["answer"] == "servers a and b wait for ever for what only they might give, and in no run do"
    assert shown["answer"] in " ".join(out.split())


@pytest.mark.slow
def test_what_is_replayed_of_code_is_shown(capsys, tmp_path):
    token = json.loads(run(capsys, "control", *CODE, "--json")[1])["token"]
    file = tmp_path / "page.html"
    assert run(capsys, "replay", token, "--html", file)[0] == 1
    assert film(file)["lanes"][0]["kind"] == "thread"


def test_a_real_run_is_shown(capsys, tmp_path):
    file = tmp_path / "page.html"
    run(capsys, "execute", *SMALL, "--html", file)
    assert film(file)["seconds"] == "real"


@pytest.mark.slow
def test_the_hang_of_a_report_is_shown(capsys, tmp_path):
    report, file = tmp_path / "small.toml", tmp_path / "page.html"
    report.write_text(small_report.SMALL)
    status, out, _ = run(capsys, "reproduce", report, "--out", tmp_path / "out", "--html", file)
    assert (status, out.splitlines()[-1]) == (0, f"page: {file}")
    assert (film(file)["verdict"], film(file)["title"].partition(" (")[0]) == (
        "violated",
        "pool starvation, before #4171",
    )


def test_a_proof_is_shown_without_a_schedule(capsys, tmp_path):
    file = tmp_path / "page.html"
    status, _, _ = run(capsys, "explore", SMALL[0], "-p", "downloads=1", "-p", "workers=2", "--html", file)
    assert (status, film(file)["verdict"], film(file)["frames"]) == (0, "holds", [])


def test_beside_json_nothing_else_is_printed(capsys, tmp_path):
    file = tmp_path / "page.html"
    _, out, err = run(capsys, "explore", *SMALL, "--html", file, "--json")
    assert json.loads(out)["verdict"] == film(file)["verdict"]
    assert err == ""


@pytest.mark.parametrize("command", [("explore", *SMALL), ("control", *CODE), ("reproduce", "nvflare-4171")])
def test_a_place_that_cannot_be_written_is_one_line_before_anything_is_done(capsys, tmp_path, command):
    status, out, err = run(capsys, *command, "--html", tmp_path / "missing" / "page.html")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "name another one with --html" in err


def test_what_goes_wrong_leaves_the_page_that_was_there(capsys, tmp_path):
    file = tmp_path / "page.html"
    file.write_text("before")
    status, _, err = run(capsys, "explore", SMALL[0], "--max-states", "-1", "--html", file)
    assert (status, err.count("\n")) == (2, 1)
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


# ---- for others --------------------------------------------------------------------------------------------


def test_a_schedule_is_exported_of_a_model_and_of_its_token(capsys, tmp_path):
    token = json.loads(run(capsys, "explore", *SMALL, "--json")[1])["token"]
    names = {"--perfetto": "trace.json", "--mermaid-sequence": "diagram.mmd", "--itf": "states.itf.json"}
    for number, what in enumerate((SMALL, (token,))):
        files = {option: tmp_path / f"{number}{name}" for option, name in names.items()}
        options = [part for option, file in files.items() for part in (option, file)]
        status, out, _ = run(capsys, "export", *what, *options)
        assert (status, out) == (0, "".join(f"written: {file}, with 5 steps\n" for file in files.values()))
    for name in names.values():
        one, two = ((tmp_path / f"{number}{name}").read_text() for number in range(2))
        assert len(one.splitlines()) == len(two.splitlines())


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((SMALL[0], "-p", "downloads=1", "-p", "workers=2"), "holds: deadlock free; so there is no schedule to export"),
        (("sc1-none",), "token"),
        (("sc1-none", "-p", "downloads=1"), "a token has its parameters in it; leave -p out"),
        ((*SMALL, "--max-states", "1"), "undetermined"),
    ],
)
def test_where_there_is_no_schedule_one_line_says_so(capsys, tmp_path, arguments, line):
    status, out, err = run(capsys, "export", *arguments, "--itf", tmp_path / "states.json")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert line in err
    assert list(tmp_path.iterdir()) == []
