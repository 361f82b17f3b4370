"""Tests that others have written pass under control as they pass without; of those that do not, each has its reason.

They are CPython's own, where its package of tests is installed, and urllib3's, where ``SIMCORE_URLLIB3`` names the
folder of its source distribution, and what they need is installed beside simcore. Those that take a minute are run
here; `docs/foreign-tests.md` has them all.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest
from test_pytest_plugin import PLUGIN

EXPLAINED = {
    "InterruptMainTests::test_can_interrupt_tight_loops": "a loop that looks at a list lets nobody else go on",
    "PySimpleQueueTest::test_many_threads_nonblock": "fifty threads that poll need more than 200,000 steps",
}
"""Tests that pass, and not under control, and why; each is in the table of the page."""

MOST = 0.02
"""How many of those that pass may not pass under control."""

STEPS = "200000"


class Part(NamedTuple):
    """Tests of some modules, or files, that have something in their names."""

    where: tuple[str, ...]
    names: str = ""


CPYTHON = [
    Part(("test.test_queue",), "not many_threads"),
    Part(("test.test_sched",)),
    Part(("test.test_threading",), "CRLock or ConditionTests or EventTests or Semaphore or Barrier or InterruptMain"),
    Part(("test.test_concurrent_futures",), "ThreadPool or FutureTests"),
]
URLLIB3 = Part(
    ("test/with_dummyserver/test_connectionpool.py", "test/with_dummyserver/test_chunked_transfer.py"),
    "Timeouts or OnRetry or Chunked",
)


def command(part, told):
    """Return the command that runs a part, and tells in a file which of it has passed."""
    names = ["-k", part.names] if part.names else []
    return [sys.executable, "-m", "pytest", *PLUGIN, "-q", "-p", "no:cacheprovider", f"--junitxml={told}", *names]


def compare(part, folder, kept, *arguments):
    """Insist that what passes plainly passes under control, but for what is explained."""
    passed = []
    plainly, controlled = kept / "plainly.xml", kept / "controlled.xml"
    options = "--simcore-schedules", "1", "--simcore-max-steps", STEPS
    runs = [
        subprocess.Popen(
            [*command(part, told), *arguments, *part.where, *more],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for told, more in ((plainly, ()), (controlled, options))
    ]
    for run, told in zip(runs, (plainly, controlled), strict=True):
        output, _ = run.communicate()
        assert run.returncode in (0, 1), output
        cases = (case for case in ElementTree.parse(told).iter("testcase") if not len(case))
        passed.append({f"{case.get('classname').rpartition('.')[2]}::{case.get('name')}" for case in cases})
    assert passed[0]
    rest = passed[0] - passed[1]
    assert rest <= EXPLAINED.keys(), output
    assert len(rest) <= MOST * len(passed[0])


@pytest.mark.slow
@pytest.mark.parametrize("part", CPYTHON, ids=[part.where[0] for part in CPYTHON])
def test_what_passes_of_the_interpreter_passes_under_control(part, tmp_path):
    if importlib.util.find_spec("test") is None or importlib.util.find_spec(part.where[0]) is None:
        pytest.skip(f"{part.where[0]} is not installed with this Python")
    tmp_path.joinpath("pytest.ini").write_text("[pytest]\n")
    compare(part, tmp_path, tmp_path, "--pyargs")


@pytest.mark.slow
def test_what_passes_of_a_library_passes_under_control(tmp_path):
    folder = os.environ.get("SIMCORE_URLLIB3")
    if not folder:
        pytest.skip("SIMCORE_URLLIB3 does not say where the source distribution of urllib3 is")
    compare(URLLIB3, folder, tmp_path)


def test_what_is_explained_is_in_the_table_of_the_page():
    page = Path(__file__).parents[2].joinpath("docs", "foreign-tests.md").read_text(encoding="utf-8")
    assert [name for name in EXPLAINED if f"`{name}`" not in page] == []
