"""Any test under many schedules, its fixtures included; and one of them again, by its token."""

from __future__ import annotations

import re
import sys

import pytest
from test_pytest_plugin import PLUGIN

pytest_plugins = ["pytester"]

TESTS = """
    import threading, time
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path

    import pytest

    @pytest.fixture
    def pool():
        with ThreadPoolExecutor(1, thread_name_prefix="stream") as pool:
            yield pool

    @pytest.fixture(scope="module")
    def shared():
        with open(Path(__file__).parent / "made", "a") as file:
            file.write("x")
        return threading.Lock()

    def inner():
        return 1

    def test_nested(pool):
        assert pool.submit(lambda: pool.submit(inner).result()).result() == 1

    def test_fine(pool, shared, tmp_path):
        assert tmp_path.name == "test_fine0"
        with shared:
            assert pool.submit(inner).result() == 1
        time.sleep(1_000)

    def test_also_fine(shared):
        assert shared.acquire(timeout=60)

    @pytest.mark.parametrize("threads", [1, 2])
    def test_lost(threads):
        lock, box = threading.Lock(), [0]

        def add():
            with lock:
                was = box[0]
            with lock:
                box[0] = was + 1

        together = [threading.Thread(target=add) for _ in range(threads)]
        for thread in together:
            thread.start()
        for thread in together:
            thread.join()
        assert box == [threads], "an update is lost"

    def test_left_out():
        pytest.skip("nothing to do")

    @pytest.mark.xfail
    def test_expected():
        raise ValueError

    @pytest.fixture
    def broken():
        raise ValueError("in the set-up")

    def test_broken(broken):
        pass

    def test_dies():
        thread = threading.Thread(target=lambda: {}["missing"], name="dies")
        thread.start()
        thread.join()
"""


@pytest.fixture
def run(pytester):
    """Run the tests above, in a process of their own."""
    path = pytester.makepyfile(test_it=TESTS)
    return lambda *arguments: pytester.runpytest_subprocess(*PLUGIN, "-p", "no:randomly", path, *arguments)


def test_every_test_is_run_under_many_schedules_and_fails_where_it_hangs(run, pytester):
    done = run("--simcore-schedules", "6")
    done.assert_outcomes(passed=3, failed=4, skipped=1, xfailed=1)
    done.stdout.fnmatch_lines(
        [
            "*stream 1/1: every worker is in test_nested.<lambda>(), waiting for*",
            "*main raised AssertionError: an update is lost*",
            "E *AssertionError: an update is lost",
            "*main raised ValueError: in the set-up*",
            "*dies raised KeyError: 'missing'*",
            "3 tests: no violation in 6 schedules each, which proves nothing",
        ]
    )
    done.stdout.no_fnmatch_line("*logging._lock*")
    assert len((pytester.path / "made").read_text()) >= 2 * 7  # the module's fixture is made anew in each run


def test_without_the_option_nothing_is_changed(run):
    run("-k", "left_out or expected or lost").assert_outcomes(passed=2, skipped=1, xfailed=1)


@pytest.mark.slow
def test_a_schedule_is_followed_again_and_no_other_test_is_run(run):
    (command,) = set(
        re.findall(
            r"replay: pytest '(.*)' --simcore-replay (\S+)", run("-k", "nested", "--simcore-schedules=9").stdout.str()
        )
    )
    name, token = command
    assert name == "test_it.py::test_nested"
    done = run("--simcore-replay", token)
    done.assert_outcomes(failed=1, skipped=8)
    done.stdout.fnmatch_lines(["*stream 1/1: every worker is in*", f"*{token}"])
    kept = ".pytest_cache/d/simcore/test_it.py-test_nested.token"
    run("--simcore-replay", kept, "-k", "nested").assert_outcomes(failed=1)
    run("--simcore-replay", token, "--simcore-schedules=3").assert_outcomes(
        failed=1, skipped=8
    )  # as in a file of options


@pytest.mark.slow
def test_a_schedule_that_fails_no_more_passes(run, pytester):
    text = run("-k", "test_lost", "--simcore-schedules", "20").stdout.str()
    (token,) = set(re.findall(r"--simcore-replay (sx1-\S+)", text))
    pytester.makepyfile(test_it=TESTS.replace('"an update is lost"', '""').replace("box == [threads]", "box"))
    done = run("--simcore-replay", token, "-k", "test_lost", "--simcore-schedules=3")
    done.assert_outcomes(passed=1, skipped=1)
    done.stdout.fnmatch_lines(["1 test: the schedule of the token was followed, and does not fail any more"])
    done.stdout.no_fnmatch_line("*no violation in*")


@pytest.mark.slow
def test_a_test_that_is_another_one_now_says_at_which_step(run, pytester):
    text = run("-k", "test_lost", "--simcore-schedules", "20").stdout.str()
    (token,) = set(re.findall(r"--simcore-replay (sx1-\S+)", text))
    pytester.makepyfile(
        test_it=TESTS.replace("was = box[0]", "pass").replace("box[0] = was + 1", "threading.Event().set()")
    )
    done = run("--simcore-replay", token, "-k", "test_lost")
    done.assert_outcomes(failed=1, skipped=1)
    done.stdout.fnmatch_lines(["*step *recorded on another version of test_it.py::test_lost*"])


PARTS = """
    import threading, time, unittest

    class TestParts(unittest.TestCase):
        def test_fine(self):
            for number in range(3):
                with self.subTest(number=number):
                    threading.Thread(target=int).start()

        def test_one_fails(self):
            for number in range(3):
                with self.subTest(number=number):
                    self.assertNotEqual(number, 1)

        def test_one_is_left_out(self):
            with self.subTest():
                self.skipTest("nothing to do")

        @unittest.skip("nothing to do")
        def test_left_out(self):
            pass

    def test_for_ever():
        while True:
            time.sleep(1)

    def test_long():
        for _ in range(50):
            time.sleep(1)
"""


@pytest.mark.slow
def test_parts_of_a_test_are_reported_and_one_that_fails_fails_it(pytester):
    path = pytester.makepyfile(test_parts=PARTS)
    arguments = path, "-v", "-k", "TestParts", "--simcore-schedules", "2", "--junitxml", "told.xml"
    done = pytester.runpytest_subprocess(*PLUGIN, *arguments)
    done.assert_outcomes(passed=2, failed=1, skipped=2)
    done.stdout.fnmatch_lines(["violated: main raised AssertionError: 1 == 1", "*2 tests: no violation*"])
    if pytest.version_tuple >= (9,):  # before that it tells of the first part that fails, and of no other
        done.stdout.fnmatch_lines(["*3 subtests passed*"])
    assert "nothing to do" in (pytester.path / "told.xml").read_text()


def test_a_test_that_never_ended_has_not_passed(pytester):
    path = pytester.makepyfile(test_parts=PARTS)
    done = pytester.runpytest_subprocess(
        *PLUGIN, path, "-k", "ever or long", "--simcore-schedules", "1", "--simcore-max-steps", "40"
    )
    done.assert_outcomes(failed=2)
    done.stdout.fnmatch_lines(
        [
            "undetermined: no violation in 1 schedule",
            "*1 of them had not ended after 40 steps; for longer runs raise*",
            "*--simcore-max-steps",
            "undetermined is not a pass",
        ]
    )
    more = pytester.runpytest_subprocess(
        *PLUGIN, path, "-k", "long", "--simcore-schedules", "1", "--simcore-max-steps", "60"
    )
    more.assert_outcomes(passed=1)
    more.stdout.fnmatch_lines(["1 test: no violation in 1 schedule each, which proves nothing"])


def test_the_options_that_a_failure_names_are_those_of_pytest(pytester):
    path = pytester.makepyfile(
        """
        import queue

        def test_asks_again():
            waiting = queue.Queue()
            while True:
                try:
                    waiting.get(timeout=1)
                except queue.Empty:
                    pass
        """
    )
    done = pytester.runpytest_subprocess(*PLUGIN, path, "--simcore-schedules", "1", "--simcore-max-steps", "40")
    done.assert_outcomes(failed=1)
    told = " ".join(done.stdout.str().split())
    assert "again and again, and --simcore-timeouts never tells whether for ever" in told


@pytest.mark.some(2)
@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "1")])
def test_what_was_found_is_told_once_and_a_line_of_it_in_the_summary(run, pytester, monkeypatch, workers):
    monkeypatch.setenv("CI", "true")  # where pytest shortens no message
    chosen = "-k", "nested", "--simcore-schedules", "20"
    done = run(*workers, *chosen, "--junit-xml", "report.xml")
    done.assert_outcomes(failed=1)
    assert done.stdout.str().count("replay: pytest") == 1
    done.stdout.fnmatch_lines(["FAILED *::test_nested - violated: *", "*1 failed*"], consecutive=True)
    (message,) = re.findall('failure message="(.*?)"', (pytester.path / "report.xml").read_text())
    assert message.startswith("violated:")
    assert "replay" not in message


@pytest.mark.slow
def test_a_test_that_is_installed_is_called_by_its_module(pytester, monkeypatch):
    elsewhere = pytester.mkdir("installed")
    (elsewhere / "theirs").mkdir()
    (elsewhere / "theirs" / "__init__.py").touch()
    (elsewhere / "theirs" / "test_a.py").write_text("def test_fails():\n    raise KeyError\n")
    here = pytester.mkdir("here")
    (here / "pytest.ini").write_text("[pytest]\n")
    monkeypatch.setenv("PYTHONPATH", str(elsewhere), prepend=":")
    monkeypatch.chdir(here)
    arguments = *PLUGIN, "--rootdir", here, "-c", here / "pytest.ini", "--pyargs"
    done = pytester.runpytest_subprocess(*arguments, "theirs.test_a", "--simcore-schedules", "1")
    done.assert_outcomes(failed=1)
    command = r"replay: pytest --pyargs 'theirs.test_a::test_fails' --simcore-replay (\S+)"
    (token,) = re.findall(command, done.stdout.str())
    again = pytester.runpytest_subprocess(*arguments, "theirs.test_a::test_fails", "--simcore-replay", token)
    again.assert_outcomes(failed=1)
    assert (here / ".pytest_cache/d/simcore/theirs.test_a-test_fails.token").exists()


@pytest.mark.slow
def test_time_outs_fire_by_the_rule_that_is_given(run):
    run("-k", "also_fine", "--simcore-schedules", "5", "--simcore-timeouts", "never").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--simcore-schedules", "0"], "*0: use a number of at least 1*"),
        (["--simcore-max-steps", "0"], "*0: use a number of at least 1*"),
        (["--simcore-replay", "sx1-what"], "*--simcore-replay: the replay token is damaged*"),
        (["--simcore-timeouts", "soon"], "*invalid choice: 'soon'*"),
    ],
)
def test_what_cannot_be_is_one_line(run, arguments, line):
    done = run(*arguments)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([line])


@pytest.mark.slow
def test_the_command_line_says_how_the_schedule_of_a_test_is_followed(run, pytester):
    text = run("-k", "nested", "--simcore-schedules", "5").stdout.str()
    (token,) = set(re.findall(r"--simcore-replay (sx1-\S+)", text))
    done = pytester.run(sys.executable, "-m", "simcore", "replay", token)
    assert done.ret == 2
    done.stderr.fnmatch_lines(
        ["*is a test; its schedule is followed with pytest 'test_it.py::test_nested' --simcore-replay*"]
    )
