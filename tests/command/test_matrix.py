"""The matrix asks every claim that is asked for, says where it finds something else, and leaves nothing half done."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import ROOT, SIMCORE, assert_one_line
from small_library import ids, written

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
    assert f"\n{line}\nviolated: 2 of 2 processes can never move again\n" in run.out
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
    assert "(opposed=False), found undetermined: `max_states=9` was reached" in run.out
    assert "5 claims, 4 as expected, 1 otherwise" in run.out


def test_no_answer_hides_no_other_answer(matrix, library):
    library("unfinished", "wrong")
    assert matrix().status == 1


def test_no_answer_can_be_what_is_expected_and_its_bound_is_in_the_table(matrix, library):
    library("bounded")
    run = matrix()
    assert run.status == 0
    assert re.search(r"undetermined +undetermined: +9 .*\n.* `max_states=9` was", run.out)
    assert "undetermined: `max_states=9` was reached" in Path("out/matrix.md").read_text()


@pytest.mark.slow
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


@pytest.mark.some(12)
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


@pytest.mark.some(3)
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
