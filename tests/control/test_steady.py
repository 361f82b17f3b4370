"""The same token is the same run, in any process; and whoever has asked is left as he was."""

import os
import re
import resource
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import threaded
import threaded_fine

from simcore import Verdict, control
from simcore.control import replay, workers
from simcore.errors import NotUnderControl, OptionError


@pytest.mark.some(6)
@pytest.mark.parametrize("strategy", ["pct", "random", "urw", "pos"])
def test_every_question_has_the_same_answer_when_it_is_asked_again(strategy):
    for body in (threaded.lost_wake_up, threaded.connections_twice):
        first, second = (control(body, seed=7, strategy=strategy) for _ in range(2))
        assert first.violation == second.violation
        assert (first.schedules, first.steps) == (second.schedules, second.steps)


@pytest.mark.some(3)
@pytest.mark.parametrize("body", [threaded.nested_submit, threaded.opposed_locks, threaded.lost_update])
def test_a_token_is_replayed_in_a_process_of_its_own(body):
    token = control(body).violation.token
    done = subprocess.run(
        [sys.executable, "-m", "simcore", "replay", token],
        capture_output=True,
        text=True,
        cwd=os.path.dirname(threaded.__file__),
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("violated: ")
    assert token in done.stdout


def test_parameters_are_in_the_token():
    result = control(partial(threaded.nested_submit, workers=1))
    assert replay(result.violation.token).name == "threaded:nested_submit(workers=1)"


def test_code_without_a_name_has_no_token():
    assert control(lambda: threaded.nested_submit()).violation.token == ""


def test_whoever_has_asked_is_left_as_he_was():
    before = threading.Lock, threading.Lock.acquire if hasattr(threading.Lock, "acquire") else None, time.sleep
    threads, hashes = threading.enumerate(), threading.Thread.__hash__
    descriptors = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    control(threaded.opposed_locks)
    control(threaded_fine.time_outs, schedules=2)
    after = threading.Lock, threading.Lock.acquire if hasattr(threading.Lock, "acquire") else None, time.sleep
    assert before == after
    assert (threading.enumerate(), threading.Thread.__hash__) == (threads, hashes)
    assert not descriptors or len(os.listdir("/proc/self/fd")) == descriptors


def test_no_process_of_ours_is_left():
    code = """
import os, threaded
from simcore import control
control(threaded.opposed_locks)
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("nobody")
"""
    folder = os.path.dirname(threaded.__file__)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, check=True)
    assert done.stdout == "nobody\n"


def test_what_waits_outside_of_python_is_not_under_control(monkeypatch):
    monkeypatch.setattr(workers, "PATIENCE", 0.5)
    with pytest.raises(NotUnderControl, match=r"nothing has moved for 0.5 s, in .*lambda.*\(\) at threaded.py:\d+"):
        control(threaded.waits_outside)


def test_seconds_in_which_others_have_the_processor_do_not_count(monkeypatch):
    begun = time.monotonic()
    monkeypatch.setattr(workers, "PATIENCE", 0.3)
    monkeypatch.setattr(workers, "kept_waiting", lambda *processes: min(1.0, time.monotonic() - begun))
    with pytest.raises(NotUnderControl, match="nothing has moved"):
        control(threaded.waits_outside)
    assert time.monotonic() - begun > 1.3


def test_what_depends_on_its_process_is_not_under_control():
    def ask():
        for _ in range(20):  # one process in seven is like another
            control(threaded.differs, schedules=1)

    with pytest.raises(NotUnderControl, match="the same schedule was another run from step"):
        ask()


@pytest.mark.some(2)
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (threaded.gives_up_outside, r"has waited \d+\.\d s for something outside"),
        (threaded.ends_its_process, "the process of a run has ended with status 0"),
    ],
)
def test_what_happened_because_of_something_outside_is_no_verdict(body, words):
    with pytest.raises(NotUnderControl, match=words):
        control(body)


def test_a_thread_of_the_caller_is_in_no_run():
    with ThreadPoolExecutor(1, thread_name_prefix="ours") as pool:
        assert pool.submit(int).result() == 0
        threaded.POOLS[:] = [pool]
        with pytest.raises(NotUnderControl, match=r"was there before, and is not in the run \(ours_0"):
            control(threaded.uses_a_pool_of_the_caller)


def test_more_descriptors_than_select_takes_do_not_matter():
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1_100)] if resource_allows(1_200) else []
    try:
        assert control(threaded.opposed_locks).verdict is Verdict.VIOLATED
    finally:
        for file in files:
            os.close(file)


def resource_allows(files):
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= files


def test_no_process_of_the_program_is_left(monkeypatch):
    monkeypatch.setattr(workers, "PATIENCE", 0.5)
    with pytest.raises(NotUnderControl, match="nothing has moved"):
        control(lambda: subprocess.run(["sleep", "987.5"], check=True))
    listed = subprocess.run(["ps", "-A", "-o", "args"], capture_output=True, text=True, check=True).stdout
    assert "sleep 987.5" not in listed


def test_positional_parameters_are_in_no_token():
    assert control(partial(threaded.positional, 1)).violation.token == ""


def test_what_does_not_run_when_it_is_called_is_refused():
    with pytest.raises(OptionError, match="wrap it"):
        control(threaded.asynchronous)


def test_a_run_that_does_not_end_is_given_up_and_that_is_said():
    def for_ever():
        while True:
            time.sleep(1)

    result = control(for_ever, schedules=3, max_steps=50)
    assert result.verdict is Verdict.UNDETERMINED
    assert "3 of them had not ended after 50 steps" in str(result)


def test_only_so_many_seconds_are_taken():
    result = control(threaded_fine.polls, schedules=100_000, max_seconds=0.2)
    assert 0 < result.schedules < 100_000


def counts_its_runs(file):
    """Take another lock for each time that it has run, behind one that it takes always."""
    first, other = threading.Lock(), threading.Lock()
    with first, file.open("a") as written:
        written.write(".")
    for _ in range(len(file.read_text())):
        with other:
            pass
    threading.Thread(target=other.acquire).start()


def test_behind_which_step_a_run_differs_is_told(tmp_path):
    file = tmp_path / "runs"
    with pytest.raises(NotUnderControl) as refused:
        control(partial(counts_its_runs, file))
    where = r"another run from step \d+ on, behind main: [^:]*acquire\(\) at test_steady.py:\d+: something depends on"
    assert re.search(where, str(refused.value))
