"""The matrix asks every claim, says where it finds something else, and writes all of it or nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from simcore.command.cli import main
from simcore.command.matrix.matrix import _natural
from simcore.schedule import replay

ROOT = Path(__file__).parents[2]
SIMCORE = shutil.which("simcore", path=str(Path(sys.executable).parent))

LOCKS = '''
"""Two locks are taken in both orders."""
from simcore.properties import deadlock_free, no_stuck_subset
from simcore import Claim, Model, Verdict

def locks(*, opposed: bool = True, rounds: int = 1) -> Model:
    model = Model("two locks")
    a, b = model.lock("a"), model.lock("b")

    def take(first, second):
        for _ in range(rounds):
            yield first.acquire()
            yield second.acquire()
            yield second.release()
            yield first.release()

    model.process("left", take, a, b)
    model.process("right", take, *((b, a) if opposed else (a, b)))
    return model

SAME = {"opposed": False}
CLAIMS = (
    Claim("S10", "1.0", locks, deadlock_free(), Verdict.VIOLATED, note="left | right"),
    Claim("S10", "1.1", locks, deadlock_free(), Verdict.HOLDS, SAME),
    Claim("other", "1.1", locks, no_stuck_subset(), Verdict.HOLDS, SAME, timeouts="never"),
    Claim("S2", "1.1", locks, no_stuck_subset(), Verdict.HOLDS, {**SAME, "rounds": 10}, slow=True),
)
'''

MORE = '''
"""Claims of all sorts."""
import os, signal
from simcore.properties import deadlock_free, no_stuck_subset
from simcore import Claim, Model, Verdict, always
from library.locks import SAME, locks

def one(*, how: str = "") -> Model:
    if how == "cannot be built":
        raise ValueError("no such size")
    model = Model("one")
    lock, numbers = model.lock("lock"), model.queue("numbers")

    def process():
        yield lock.acquire()
        if how == "dies":
            raise ValueError("of a bad value")
        while how.startswith("endless"):
            open(how, "w").close()
            yield numbers.put(0)

    model.process("process", process)
    return model

def broken(state):
    return state["lock"].no_such_thing

def ended(state):
    os.kill(os.getpid(), signal.SIGKILL)

def leaves(state):
    raise SystemExit(0)

def too_large(state):
    raise MemoryError

OF = {
    "wrong": [Claim("S1", "1.1", locks, deadlock_free(), Verdict.HOLDS, note="wrong")],
    "another": [Claim("S1", "1.1", one, deadlock_free(), Verdict.VIOLATED, {"how": "dies"})],
    "bounded": [Claim("L1", "1.1", locks, deadlock_free(), Verdict.UNDETERMINED, SAME, max_states=9)],
    "found": [Claim("L1", "1.1", locks, deadlock_free(), Verdict.UNDETERMINED, max_states=1000)],
    "unfinished": [Claim("L1", "1.1", locks, deadlock_free(), Verdict.HOLDS, SAME, max_states=9)],
    "unbuilt": [Claim("L1", "1.1", one, deadlock_free(), Verdict.HOLDS, {"how": "cannot be built"})],
    "broken": [Claim("L1", "1.1", one, always(broken, "whole"), Verdict.HOLDS)],
    "leaves": [Claim("L1", "1.1", one, always(leaves, "stays"), Verdict.HOLDS)],
    "too_large": [Claim("L1", "1.1", one, always(too_large, "small"), Verdict.HOLDS)],
    "ended": [Claim("L1", "1.1", one, always(ended, "lives"), Verdict.HOLDS)],
    "unnamed": [Claim("L1", "1.1", lambda: one(), deadlock_free(), Verdict.HOLDS)],
    "parameter": [Claim("L1", "1.1", one, deadlock_free(), Verdict.HOLDS, {"size": 3})],
    "endless": [Claim("L1", "1", one, deadlock_free(), Verdict.HOLDS, {"how": f"endless {n}"}) for n in (1, 2, 3)],
    "mixed": [
        Claim("R1", version, locks, asked(), Verdict.HOLDS, SAME)
        for version in ("1.1", "1.2")
        for asked in (no_stuck_subset, deadlock_free)
    ],
    "variant": [Claim("S10", version, locks, deadlock_free(), Verdict.HOLDS, SAME) for version in ("1.0", "(a)")],
    "slow": [Claim("L1", "1.1", locks, deadlock_free(), Verdict.HOLDS, SAME, slow=True)],
    "none": [],
}
'''


class Run(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A working directory with a package; call it with names of `OF` to let another module make these claims."""
    before = set(sys.modules)
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "locks.py").write_text(LOCKS)
    (folder / "more.py").write_text(MORE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    handler = signal.getsignal(signal.SIGTERM)

    def claim(*names: str) -> None:
        (folder / "more.py").write_text(f"{MORE}\nCLAIMS = [claim for name in {names} for claim in OF[name]]\n")

    yield claim
    signal.signal(signal.SIGTERM, handler)
    for name in set(sys.modules) - before:
        if name.partition(".")[0] == "library":
            del sys.modules[name]


@pytest.fixture
def matrix(library, capsys):
    """Run the command in this process, the claims too unless it is told another number of jobs."""

    def run(*arguments: str, jobs: int = 1) -> Run:
        with pytest.raises(SystemExit) as left:
            main(("matrix", "library", "--out", "out", "--jobs", str(jobs), *arguments))
        return Run(left.value.code, *capsys.readouterr())

    return run


def written() -> dict:
    return json.loads(Path("out/matrix.json").read_text())


def ids() -> list[str]:
    return [claim["id"] for claim in written()["claims"]]


def assert_one_line(run: Run, *words: str) -> None:
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith("simcore: ")
    assert run.err.count("\n") == 1, run.err
    for word in words:
        assert word in run.err


# ---- what is found ---------------------------------------------------------------------------------------


def test_when_all_is_as_expected_the_table_is_printed_and_the_status_is_0(matrix):
    run = matrix()
    assert (run.status, run.err) == (0, "")
    assert re.sub(r"((?:\s\d+|otherwise,) +)\d+\.\d( s)?$", r"\g<1>0.0\2", run.out, flags=re.MULTILINE) == (
        """\
  version  model                                        expected  found     states  seconds
───────────────────────────────────────────────────────────────────────────────────────────
S2 no stuck subset
  1.1      locks:locks (opposed=False, rounds=10)       holds     holds        781      0.0

S10 deadlock free
  1.0      locks:locks                                  violated  violated       7      0.0
  1.1      locks:locks (opposed=False)                  holds     holds         16      0.0

other no stuck subset
  1.1      locks:locks (opposed=False), timeouts=never  holds     holds         16      0.0

  id     1.0       1.1
────────────────────────
  S2               holds
  S10    violated  holds
  other            holds

written: out/ (matrix.md, matrix.json), with the token of every violation
4 claims, 4 as expected, 0 otherwise, 0.0 s
"""
    )


def test_what_is_found_otherwise_is_named_and_told_with_its_token(matrix, library):
    library("wrong")
    run = matrix()
    assert run.status == 1
    line = "otherwise: S1 1.1: deadlock free holds of library.locks:locks(), found violated"
    assert f"\n{line}\nviolated: deadlock free\n" in run.out
    assert "\nreplay: simcore replay sc1-" in run.out
    assert run.out.endswith(" s\n")
    assert "\n5 claims, 4 as expected, 1 otherwise, " in run.out


def test_a_violation_of_another_property_is_not_what_was_expected(matrix, library):
    library("another")
    run = matrix()
    assert run.status == 1
    assert "library.more:one(how=dies), found violated: no process fails\n" in run.out
    assert "5 claims, 4 as expected, 1 otherwise" in run.out


def test_an_answer_where_none_was_expected_is_found_otherwise(matrix, library):
    library("found")
    assert matrix().status == 1


def test_no_answer_where_one_was_expected_leaves_with_3(matrix, library):
    library("unfinished")
    run = matrix()
    assert run.status == 3
    assert "(opposed=False), found undetermined: max_states=9 was reached\n" in run.out
    assert "5 claims, 4 as expected, 1 otherwise" in run.out


def test_no_answer_hides_no_other_answer(matrix, library):
    library("unfinished", "wrong")
    assert matrix().status == 1


def test_no_answer_can_be_what_is_expected_and_its_bound_is_in_the_table(matrix, library):
    library("bounded")
    run = matrix()
    assert run.status == 0
    assert re.search(r"undetermined +undetermined: +9 .*\n.* max_states=9 was", run.out)
    assert "undetermined: max_states=9 was reached |" in Path("out/matrix.md").read_text()


def test_several_processes_find_what_one_finds(matrix, library):
    library("wrong", "bounded", "another")
    one, alone = matrix(), written()
    several, shared = matrix(jobs=2), written()
    assert one.status == several.status == 1
    for each in (alone, shared):
        each["seconds"] = 0
        for claim in each["claims"]:
            claim["result"]["seconds"] = 0
    assert shared == alone


# ---- what is written -------------------------------------------------------------------------------------


def test_rows_are_in_the_order_of_their_ids(matrix, library):
    library("wrong", "bounded")
    matrix()
    assert ids() == ["S1", "S2", "S10", "S10", "L1", "other"]


def test_rows_that_ask_the_same_stay_together(matrix, library):
    library("mixed")
    out = matrix("--only", "R1").out
    assert [claim["property"] for claim in written()["claims"]] == ["no stuck subset"] * 2 + ["deadlock free"] * 2
    assert [line for line in out.splitlines() if line.startswith("R1")] == ["R1 no stuck subset", "R1 deadlock free"]


def test_ids_are_ordered_as_a_reader_counts():
    names = [
        "zone",
        "6.10",
        "10.1",
        "6.5",
        "",
        "H20",
        "R1",
        "L2",
        "X1",
        "S10",
        "H3",
        "S2",
        "S10b",
        "L1",
        "s1",
        "Safe 2",
    ]
    in_order = [
        "S2",
        "S10",
        "S10b",
        "L1",
        "L2",
        "R1",
        "H3",
        "H20",
        "",
        "6.5",
        "6.10",
        "10.1",
        "Safe 2",
        "X1",
        "s1",
        "zone",
    ]
    assert sorted(names, key=_natural) == in_order


def test_the_table_in_markdown_has_all_columns_and_a_token_for_each_violation(matrix):
    matrix()
    lines = Path("out/matrix.md").read_text().splitlines()
    overview, table = (part.splitlines() for part in "\n".join(lines).split("\n\n") if part.startswith("|"))
    assert overview[0] == "| id | 1.0 | 1.1 |"
    assert "| S10 | violated | holds |" in overview
    assert table[0] == ("| property | version | model | expected | found | states | seconds | note | token |")
    (violated,) = [line for line in table if "| violated |" in line]
    start = r"\| S10 deadlock free \| 1.0 \| locks:locks \| violated \| violated \| 7 \| \d.\d \| left \\\| right \|"
    token = re.fullmatch(rf"{start} `(sc1-\S+)` \|", violated)
    assert replay(token[1]).deadlocked
    assert len(table) == 2 + 4


def test_the_overview_counts_verdicts_that_depend_on_the_size_and_keeps_variants_apart(matrix, library):
    library("variant")
    matrix()
    lines = Path("out/matrix.md").read_text().splitlines()
    assert "| id | 1.0 | 1.1 | variants |" in lines
    assert "| S10 | violated 1, holds 1 | holds | holds |" in lines


def test_the_file_tells_disagreements_with_their_reports(matrix, library):
    library("wrong")
    matrix()
    text = Path("out/matrix.md").read_text()
    assert "\n## Otherwise: S1 1.1: deadlock free holds of library.locks:locks(), found violated\n\n```text\n" in text
    assert text.endswith("\n```\n")


def test_the_object_has_everything(matrix):
    matrix()
    found = written()
    assert (found["as_expected"], found["otherwise"], found["left_out"]) == (4, 0, 0)
    (claim,) = [claim for claim in found["claims"] if claim["expected"] == "violated"]
    assert replay(claim["result"].pop("token")).deadlocked
    schedule = claim["result"].pop("schedule")
    assert [step["process"] for step in schedule] == ["left", "right"]
    assert claim.pop("result")["states"] == 7
    assert claim == {
        "id": "S10",
        "version": "1.0",
        "model": "library.locks:locks",
        "parameters": {},
        "property": "deadlock free",
        "timeouts": "when_stuck",
        "max_states": None,
        "slow": False,
        "note": "left | right",
        "expected": "violated",
        "found": "violated",
        "as_expected": True,
    }


def test_json_prints_what_is_written(matrix, library):
    library("wrong")
    run = matrix("--json")
    assert (run.status, run.err) == (1, "")
    assert json.loads(run.out) == written()


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_the_table_fits_the_terminal_and_is_never_wider_than_120_columns(matrix, library, monkeypatch, columns):
    library("wrong", "bounded")
    monkeypatch.setenv("COLUMNS", str(columns))
    table = matrix().out.partition("\n\notherwise")[0]
    assert max(map(len, table.splitlines())) <= min(columns, 120)


def test_an_older_matrix_is_replaced(matrix, library):
    library("wrong")
    matrix()
    library()
    sys.modules.pop("library.more")
    shutil.rmtree("library/__pycache__", ignore_errors=True)
    matrix()
    assert sorted(path.name for path in Path("out").iterdir()) == ["matrix.json", "matrix.md"]
    assert len(ids()) == 4


def test_a_folder_with_something_else_in_it_is_refused_before_anything_is_explored(matrix, library):
    library("endless")
    Path("out").mkdir()
    Path("out/report.md").write_text("mine")
    assert_one_line(matrix(), "out holds report.md, which would be lost")


# ---- which claims ----------------------------------------------------------------------------------------


def test_the_short_form_leaves_slow_claims_out_and_says_so(matrix):
    run = matrix("--quick")
    assert run.out.endswith(" s\n")
    assert "\n1 claim left out because it is slow\n3 claims, 3 as expected, 0 otherwise, " in run.out
    assert (ids(), written()["left_out"]) == (["S10", "S10", "other"], 1)


def test_the_short_form_tells_how_many(matrix, library):
    library("slow")
    assert "\n2 claims left out because they are slow\n" in matrix("--quick").out
    assert "2 claims left out because they are slow." in Path("out/matrix.md").read_text()


def test_a_short_form_of_nothing_is_one_line(matrix):
    assert_one_line(matrix("--quick", "--only", "S2"), "every claim that is asked for is slow (1 of them)")


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (["S2"], ["S2"]),
        (["s10"], ["S10", "S10"]),
        (["S2", "other"], ["S2", "other"]),
        (["more"], ["L1"]),
        (["library.more"], ["L1"]),
        (["locks"], ["S2", "S10", "S10", "L1", "other"]),
        (["locks:locks"], ["S2", "S10", "S10", "L1", "other"]),
        (["library.locks:locks", "L1"], ["S2", "S10", "S10", "L1", "other"]),
    ],
)
def test_claims_are_asked_for_by_id_module_or_model(matrix, library, only, expected):
    library("bounded")
    matrix(*(word for name in only for word in ("--only", name)))
    assert ids() == expected


def test_a_name_that_no_claim_has_is_one_line(matrix, library):
    library("bounded")
    run = matrix("--only", "S2", "--only", "S3")
    assert_one_line(run, "--only 'S3' is no claim's; there are the ids S2, S10, L1, other and the models locks, more")


def test_a_package_without_claims_is_one_line(matrix, library):
    library("none")
    Path("library/locks.py").unlink()
    Path("library/more.py").write_text("CLAIMS = ()")
    assert_one_line(matrix(), "library makes no claims", "CLAIMS = (Claim(...), ...)")


def test_claims_that_are_none_are_one_line(matrix):
    Path("library/more.py").write_text("CLAIMS = 3")
    assert_one_line(matrix(), "library.more.CLAIMS is no tuple of claims")


# ---- mistakes --------------------------------------------------------------------------------------------


MISTAKES = {
    "unbuilt": ("one(how='cannot be built') cannot be built: ValueError: no such size (at more.py:10 in one)",),
    "broken": ("whole holds of", "AttributeError", "no_such_thing", "(at more.py:26 in broken)"),
    "leaves": ("stays holds of", "SystemExit: 0 (at more.py:32 in leaves)"),
    "too_large": ("small holds of", "out of memory; bound it with max_states"),
    "unnamed": ("module library.more has no model function '<lambda>'",),
    "parameter": ("one(size=3): library.more:one has no parameter 'size'; it has how",),
}


@pytest.mark.parametrize(("name", "jobs"), [*((name, 1) for name in MISTAKES), ("broken", 2), ("leaves", 2)])
def test_a_claim_that_cannot_be_explored_is_one_line_that_names_it(matrix, library, name, jobs):
    library(name)
    run = matrix(jobs=jobs)
    assert_one_line(run, "simcore: L1 1.1: ", "library.more:", *MISTAKES[name])
    assert not Path("out").exists()


def test_a_mistake_leaves_an_older_matrix_as_it_was(matrix, library):
    matrix()
    before = written()
    library("broken")
    sys.modules.pop("library.more")
    shutil.rmtree("library/__pycache__", ignore_errors=True)
    assert matrix().status == 2
    assert written() == before


def test_a_process_that_is_killed_is_one_line(matrix, library):
    library("ended")
    assert_one_line(matrix(jobs=2), "has been killed, for want of memory perhaps")
    assert not Path("out").exists()


def left_of_group(group: int) -> bool:
    """Wait for the processes of a group to be gone; what is dead must be buried first, by whoever inherits it."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize(
    ("number", "to", "jobs"),
    [
        ("SIGINT", "all", 2),
        ("SIGTERM", "one", 2),
        ("SIGINT", "one", 1),
        pytest.param("SIGINT", "one", 2, marks=pytest.mark.slow),
        pytest.param("SIGTERM", "all", 2, marks=pytest.mark.slow),
        pytest.param("SIGTERM", "one", 1, marks=pytest.mark.slow),
    ],
)
def test_an_interrupt_leaves_one_line_status_130_and_nothing_behind(library, number, to, jobs):
    library("endless")
    run = subprocess.Popen(
        [SIMCORE, "matrix", "library", "--out", "out", "--jobs", str(jobs), "--only", "L1"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not all(Path(f"endless {n}").exists() for n in range(1, jobs + 1)):
        assert run.poll() is None
        time.sleep(0.01)
    send = os.kill if to == "one" else os.killpg  # a terminal sends Ctrl-C to all
    send(run.pid, signal.Signals[number])
    out, err = run.communicate(timeout=20)
    assert (run.returncode, out, err) == (130, "", "simcore: interrupted\n")
    assert not left_of_group(run.pid)
    assert sorted(path.name for path in Path().iterdir() if not path.name.startswith("endless")) == ["library"]
