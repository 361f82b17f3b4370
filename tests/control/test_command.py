"""``simcore control`` runs code of the user, and says in one line what it cannot do."""

import json
import os
import subprocess
import sys

import pytest
import threaded

from simcore import Diverged, control
from simcore.control import replay
from simcore.control.finding import find
from simcore.control.token import read, token_of
from simcore.errors import OptionError, ScheduleError
from simcore.model import functions_of, not_a_function


def simcore(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "simcore", *arguments],
        capture_output=True,
        text=True,
        cwd=os.path.dirname(threaded.__file__),
        check=False,
    )


def test_a_hang_is_told_with_its_token_and_status_1():
    done = simcore("control", "threaded:opposed_locks")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("violated: 3 of 3 threads can never move again\n  opposed_locks()\n")
    assert "  one waits for right, held by other\n" in done.stdout
    assert "replay: simcore replay sx1-" in done.stdout


def test_parameters_are_of_the_function_s_kinds_and_what_survives_has_status_3():
    done = simcore("control", "threaded:opposed_locks", "-p", "opposed=no", "--schedules", "5", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["verdict"], found["schedules"], found["token"]) == (3, "undetermined", 5, "")


def test_an_object_has_what_the_text_has():
    found = json.loads(simcore("control", "threaded:lost_update", "--json").stdout)
    assert (found["kind"], found["answer"]) == ("failed", "main raised AssertionError: 1 of 2")
    assert found["schedule"][0]["thread"] == "main"
    assert found["raised"][0]["place"].rpartition(":")[0].endswith("threaded.py")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("threaded",), "'threaded' names no function; write package.module:function, as in app.jobs:nightly"),
        (("threaded:missing",), "module threaded has no function 'missing'; it has "),
        (("threaded:oposed_locks",), "module threaded has no function 'oposed_locks'; it has opposed_locks, "),
        (
            ("small_report:SMALL",),
            "module small_report has no function 'SMALL' (a value of type str); it has content, ",
        ),
        (("nowhere:missing",), "there is no module 'nowhere'"),
        (("threaded_fine:polls", "-p", "pauses=1"), "polls(pause: 0.0)"),
        (("threaded_fine:polls", "--schedules", "0"), "--schedules 0"),
        (
            ("threaded_fine:polls", "--max-seconds", "-1"),
            "--max-seconds -1.0: use more than 0, or no --max-seconds for no limit",
        ),
    ],
)
def test_what_cannot_be_is_one_line(arguments, line):
    done = simcore("control", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert line.split("(p")[0] in done.stderr


def test_a_token_of_code_that_was_changed_is_caught_at_the_first_step_that_differs(tmp_path):
    told = read(control(threaded.opposed_locks).violation.token)
    other = told.origin._replace(function="threaded:semaphore_twice")
    with pytest.raises(Diverged, match="recorded on another version of threaded:semaphore_twice"):
        replay(token_of(other, told.options, told.path, list(told.checks)))


@pytest.mark.parametrize("token", ["sx1-", "sx1-abc", "sc1-eJyLVipOLSpLLVKyUjI2MTVTiAUAL4cE0w"])
def test_what_is_no_token_is_refused(token):
    with pytest.raises(ScheduleError, match="token"):
        replay(token)


@pytest.mark.some(5)
@pytest.mark.parametrize(
    "body",
    [
        *(threaded.opposed_locks, threaded.lost_update, threaded.nested_submit),
        pytest.param(threaded.lost_beside_a_watcher, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_any_witness_is_told_as_it_was_found_and_replays(body, seed):
    asked = {"strategy": "random", "schedules": 60, "seed": seed}
    found, short = control(body, witness="any", **asked), control(body, **asked)
    assert (found.schedules, found.violation.kind) == (short.schedules, short.violation.kind)
    assert len(found.violation.steps) >= len(short.violation.steps)
    assert found.violation.no_return == 0
    again = replay(found.violation.token).violation
    assert list(map(str, again.steps)) == list(map(str, found.violation.steps))


def test_of_many_functions_those_are_told_that_are_spelt_most_like_it():
    there = {name for name in functions_of(threaded) if not not_a_function(getattr(threaded, name))}
    with pytest.raises(OptionError) as told:
        find("threaded:oposed_locks")
    *named, more = str(told.value).partition("it has ")[2].split(", ")
    assert named[0] == "opposed_locks"
    assert set(named) < there
    assert more == f"and {len(there) - len(named)} more"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        *(
            ({"max_seconds": given}, "use more than 0, or `max_seconds=None` for no limit")
            for given in (-1, 0, -0.5, float("nan"))
        ),
        ({"max_seconds": "5"}, "use a number; write `max_seconds=5`"),
        *(({name: given}, "use at least 1") for name in ("schedules", "max_steps") for given in (0, -3)),
        *(({name: 1.5}, "use a whole number, at least 1") for name in ("schedules", "max_steps")),
        *(({name: None}, "use a whole number, at least 1") for name in ("schedules", "max_steps")),
        *(({"seed": given}, "use a whole number") for given in (None, 1.5, True, float("nan"))),
        ({"seed": "7"}, "use a whole number; write `seed=7`"),
    ],
    ids=str,
)
def test_a_number_that_cannot_be_meant_is_refused(options, words):
    ((name, given),) = options.items()
    with pytest.raises(OptionError) as told:
        control(threaded.dies, **options)
    assert str(told.value) == f"`{name}={given!r}`: {words}"


def test_there_are_two_kinds_of_witnesses():
    with pytest.raises(OptionError, match="`witness='all'`: use 'short' or 'any'"):
        control(threaded.dies, witness="all")
