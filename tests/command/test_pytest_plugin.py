"""The pytest plugin: a test fails with the report, keeps the token, and can follow it again."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

# Where the package is installed, pytest finds the plugin by itself, and must not be given it twice.
INSTALLED = bool(entry_points(group="pytest11", name="simcore"))
PLUGIN = () if INSTALLED else ("-p", "simcore.command.pytest_plugin")

importlib.import_module("simcore.explore.monitor")  # once, and not anew in each of the runs inside
importlib.import_module("simcore.explore")

MODELS = """
    from simcore import Model

    def locks(*, opposed: bool = True, names: str = "ab") -> Model:
        model = Model("locks")
        first, second = model.lock(names[0]), model.lock(names[1])

        def take(one, other):
            yield one.acquire()
            yield other.acquire()
            yield other.release()
            yield one.release()

        model.process("left", take, first, second)
        model.process("right", take, *((second, first) if opposed else (first, second)))
        return model
"""

HANGS = """
    from systems import locks

    def test_hang(simcore_explore):
        simcore_explore(locks())
"""


@pytest.fixture
def run(pytester):
    """Run a test file against the models above."""
    pytester.makepyfile(systems=MODELS)
    pytester.syspathinsert()

    def run_file(source: str, *arguments: str):
        path = pytester.makepyfile(test_it=source)
        return pytester.runpytest_inprocess(*PLUGIN, "-p", "no:randomly", path, *arguments)

    return run_file


def token_in(result) -> str:
    return re.search(r"replay: simcore replay (\S+)", result.stdout.str())[1]


# ---- exploring ---------------------------------------------------------------------------------------------


def test_a_model_that_holds_passes_and_gives_the_result(run):
    source = """
        from systems import locks

        def test_holds(simcore_explore):
            assert str(simcore_explore(locks(opposed=False)).verdict) == "holds"
    """
    run(source).assert_outcomes(passed=1)


def test_a_violation_fails_the_test_with_the_report(run):
    result = run(HANGS)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "violated: 2 of 2 processes can never move again",
            "stuck:",
            "  left waits for b, held by right",
            "   1  left   acquires a",
            "   2  right  acquires b",
            "replay: simcore replay sc1-*",
            "asked at test_*.py:*",
        ]
    )


def test_the_failure_shows_no_traceback(run):
    run(HANGS).stdout.no_re_match_line(r".*(pytest_plugin\.py|explore\.py|Traceback|def test_hang)")


def test_a_property_that_is_violated_is_named(run):
    source = """
        from simcore.model.spec import always
        from systems import locks

        def test_never_both(simcore_explore):
            simcore_explore(locks(opposed=False), always(lambda s: s["b"].owner is None, "b is free"))
    """
    run(source).stdout.fnmatch_lines(["violated: b is free"])


def test_undetermined_is_a_failure(run):
    result = run(HANGS.replace("locks()", "locks(opposed=False), max_states=2"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["undetermined: *", "*`max_states=2` was reached*", "*allow_undetermined=True*"])


def test_undetermined_passes_where_the_test_allows_it(run):
    run(HANGS.replace("locks()", "locks(opposed=False), max_states=2, allow_undetermined=True")).assert_outcomes(
        passed=1
    )


def test_a_violation_fails_also_where_undetermined_is_allowed(run):
    run(HANGS.replace("locks()", "locks(), allow_undetermined=True")).assert_outcomes(failed=1)


def test_max_seconds_ends_an_exploration(run):
    result = run(HANGS.replace("locks()", "locks(opposed=False), max_seconds=50"), "--simcore-max-seconds", "1e-9")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*`max_seconds=1e-09` was reached*"])


def test_a_test_may_ask_for_less_time_than_the_command_line_allows(run):
    result = run(HANGS.replace("locks()", "locks(opposed=False), max_seconds=1e-9"), "--simcore-max-seconds", "50")
    result.stdout.fnmatch_lines(["*`max_seconds=1e-09` was reached*"])


def test_no_time_at_all_is_a_usage_error(run):
    run(HANGS, "--simcore-max-seconds", "0").stderr.fnmatch_lines(["*--simcore-max-seconds: 0: use more than 0*"])


# ---- the token's file --------------------------------------------------------------------------------------


def test_the_token_is_kept_in_a_file_whose_path_is_printed(run, pytester):
    result = run(HANGS)
    path = Path(pytester.path, re.search(r"token kept in ([^;]+);", result.stdout.str())[1])
    assert path.read_text().strip() == token_in(result)


def test_the_file_goes_when_the_test_passes(run, pytester):
    run(HANGS)
    run(HANGS.replace("locks()", "locks(opposed=False)"))
    assert list(pytester.path.rglob("*.token")) == []


def test_without_the_cache_the_file_is_kept_beside_it(run, pytester):
    run(HANGS, "-p", "no:cacheprovider")
    assert [path.parent.name for path in pytester.path.rglob("*.token")] == [".simcore"]


def test_two_tests_keep_two_files(run, pytester):
    source = """
        import pytest
        from systems import locks

        @pytest.mark.parametrize("names", ["ab", "x/", "y/" * 200])
        def test_hang(simcore_explore, names):
            simcore_explore(locks(names=names))
    """
    run(source).assert_outcomes(failed=3)
    assert len(list(pytester.path.rglob("*.token"))) == 3


def test_a_model_without_a_name_to_build_it_from_fails_without_a_token(run, pytester):
    source = """
        from simcore import Model

        def test_hang(simcore_explore):
            model = Model("waits")
            event = model.event("event")

            def wait():
                yield event.wait()

            model.process("waiter", wait)
            simcore_explore(model)
    """
    result = run(source)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["violated: 1 of 1 process can never move again", "  waiter waits for event*"])
    assert list(pytester.path.rglob("*.token")) == []


# ---- replaying ---------------------------------------------------------------------------------------------


def test_a_replay_fails_with_the_same_schedule_while_the_bug_is_there(run):
    token = token_in(run(HANGS))
    result = run(HANGS, "--simcore-replay", token)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["violated: 2 of 2*", "*one schedule, replayed*", "stuck:", "   2  right  acquires b"])
    assert token_in(result) == token


def test_a_replay_takes_the_file_of_the_token_too(run, pytester):
    run(HANGS)
    (kept,) = pytester.path.rglob("*.token")
    run(HANGS, "--simcore-replay", str(kept)).assert_outcomes(failed=1)


def test_a_replay_explores_nothing(run):
    result = run(HANGS, "--simcore-replay", token_in(run(HANGS)))
    result.stdout.fnmatch_lines(["*3 states, 2 transitions*"])


def test_a_replay_passes_and_says_so_when_the_schedule_violates_nothing_any_more(run):
    token = token_in(run(HANGS))
    result = run(
        HANGS.replace("locks()", "locks(), always(lambda state: True)").replace(
            "from systems", "from simcore.model.spec import always\n    from systems"
        ),
        "--simcore-replay",
        token,
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["*simcore replay*", "*::test_hang: the schedule of 2 steps no longer violates anything"]
    )


def test_a_replay_passes_and_says_where_the_fixed_model_departs_from_the_schedule(run, pytester):
    token = token_in(run(HANGS))
    pytester.makepyfile(systems=MODELS.replace("(second, first) if opposed else (first, second)", "(first, second)"))
    result = run(HANGS, "--simcore-replay", token)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*::test_hang: the schedule is no longer possible: step 2 of the schedule*"])


def test_a_replay_that_violates_nothing_is_not_a_proof(run):
    token = token_in(run(HANGS))
    source = """
        from simcore.model.spec import always
        from systems import locks

        def test_hang(simcore_explore):
            assert str(simcore_explore(locks(), always(lambda state: True)).verdict) == "undetermined"
    """
    run(source, "--simcore-replay", token).assert_outcomes(passed=1)


def test_a_property_about_whole_runs_is_explored_in_a_replay_too(run):
    token = token_in(run(HANGS))
    source = """
        from simcore.model.spec import eventually
        from systems import locks

        def test_hang(simcore_explore):
            simcore_explore(locks(), eventually(lambda s: s.process("left").done, "left ends"))
    """
    result = run(source, "--simcore-replay", token)
    result.assert_outcomes(failed=1)
    told = "violated: 'left ends' does not hold in a run in which 2 of 2 processes*"
    result.stdout.fnmatch_lines([told])


def test_tests_of_other_models_are_skipped_in_a_replay(run):
    token = token_in(run(HANGS))
    result = run(HANGS.replace("locks()", "locks(opposed=False)"), "--simcore-replay", token, "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*the token is for systems:locks(opposed=True*this test explores *opposed=False*"])


@pytest.mark.parametrize("damaged", ["sc1-nonsense", "no-such-file", "x" * 5000, __file__], ids=lambda text: text[:12])
def test_a_damaged_token_is_a_usage_error(run, damaged):
    result = run(HANGS, "--simcore-replay", damaged)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --simcore-replay: *"])


# ---- light at start ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "heavy", ["networkx", "simpy", "matplotlib", "hypothesis", "simcore.kernel", "simcore.explore"]
)
def test_the_plugin_does_not_import(heavy):
    code = f"import simcore.command.pytest_plugin, sys; sys.exit({heavy!r} in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("first", ["import simcore.explore", "from simcore import Model", "import simcore"])
def test_a_function_of_the_package_is_not_hidden_by_the_module_of_its_name(first):
    code = f"{first}; from simcore import explore; import simcore.explore; assert callable(explore)\n"
    code += "assert simcore.explore is explore"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
