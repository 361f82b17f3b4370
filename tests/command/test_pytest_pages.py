"""``--simcore-html FOLDER``: one page for each failure with a schedule, and its path in the failure."""

from __future__ import annotations

import json
import re

import pytest
from test_pytest_plugin import HANGS, MODELS, PLUGIN

pytest_plugins = ["pytester"]

PROPERTY = """
    from hypothesis import settings
    from simcore.stateful import machine
    from systems import locks

    TestLocks = machine(locks).TestCase
    TestLocks.settings = settings(TestLocks.settings, database=None, derandomize=True)
"""

THREADS = """
    import threading

    def test_locks():
        a, b = threading.Lock(), threading.Lock()

        def take(one, other):
            with one, other:
                pass

        threads = [threading.Thread(target=take, args=each) for each in ((a, b), (b, a))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def test_fine():
        assert threading.Lock().acquire()
"""


@pytest.fixture
def run(pytester):
    """Run a test file against the models of the plugin's tests."""
    pytester.makepyfile(systems=MODELS)
    pytester.syspathinsert()

    def run_file(source, *arguments):
        path = pytester.makepyfile(test_it=source)
        return pytester.runpytest_inprocess(*PLUGIN, "-p", "no:randomly", path, *arguments)

    return run_file


def shown(folder, printed):
    """Return the films of all pages in ``folder``, each of which the failure has named."""
    films = []
    for file in sorted(folder.iterdir()):
        assert f"page: pages/{file.name}" in printed
        data = re.search(r'<script type="application/json" id="data">(.*?)</script>', file.read_text())[1]
        films.append(json.loads(data))
    return films


@pytest.mark.some(3)
@pytest.mark.parametrize(
    ("source", "arguments"),
    [(HANGS, ()), (PROPERTY, ()), pytest.param(THREADS, ("--simcore-schedules", "40"))],
    ids=["explored", "a property test", "under control"],
)
def test_a_failure_has_a_page_and_says_where(run, pytester, source, arguments):
    result = run(source, "--simcore-html", "pages", *arguments)
    assert result.parseoutcomes()["failed"] == 1
    (film,) = shown(pytester.path / "pages", result.stdout.str())
    assert film["verdict"] == "violated"
    assert film["answer"].startswith(("2 of 2", "3 of 3"))
    assert film["frames"]
    assert film["token"] in result.stdout.str()


def test_without_the_option_there_is_no_page(run, pytester):
    before = set(pytester.path.iterdir())
    assert "page:" not in run(HANGS).stdout.str()
    assert not [path for path in set(pytester.path.iterdir()) - before if path.suffix == ".html"]


def test_a_page_of_an_earlier_failure_does_not_outlive_it(run, pytester):
    run(HANGS, "--simcore-html", "pages")
    run(HANGS.replace("locks()", "locks(opposed=False)"), "--simcore-html", "pages").assert_outcomes(passed=1)
    assert list((pytester.path / "pages").iterdir()) == []


def test_a_failure_without_a_schedule_has_no_page(run, pytester):
    result = run("def test_wrong(): assert False", "--simcore-html", "pages")
    result.assert_outcomes(failed=1)
    assert list((pytester.path / "pages").iterdir()) == []
    assert "page:" not in result.stdout.str()


@pytest.mark.parametrize("place", ["systems.py", "systems.py/inside"])
def test_a_folder_that_cannot_be_one_is_told_in_one_line_before_any_test_runs(run, place):
    result = run(HANGS, "--simcore-html", place)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    lines = [line for line in result.stderr.lines if line.strip()]
    assert lines == [f"ERROR: --simcore-html {place}: cannot be a folder for pages ({lines[0].rpartition('(')[2]}"]


def test_a_page_that_cannot_be_written_in_the_end_does_not_hide_the_failure(run, pytester):
    source = HANGS + "\n    import pathlib; pathlib.Path('pages/test_it.py-test_hang.html').mkdir()\n"
    result = run(source, "--simcore-html", "pages")
    result.assert_outcomes(failed=1)
    assert "violated: 2 of 2" in result.stdout.str()
    assert "no page: " in result.stdout.str()
