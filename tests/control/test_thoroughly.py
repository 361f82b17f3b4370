"""Hundreds of runs are the same in another process with other hashes, and a thousand hangs leave nothing behind."""

import json
import os
import subprocess
import sys

import many_runs
import pytest


def started(*arguments, seed=0):
    return subprocess.Popen(
        [sys.executable, many_runs.__file__, *map(str, arguments)],
        env={**os.environ, "PYTHONHASHSEED": str(seed)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize(
    ("runs", "strategy", "names"),
    [
        (10, "pos", ["two slots each", "futures.wait"]),
        pytest.param(200, "portfolio", list(many_runs.PROGRAMS), marks=pytest.mark.slow),
    ],
    ids=["some", "all"],
)
def test_runs_are_the_same_in_another_process_with_other_hashes(runs, strategy, names):
    asked = [started("same", runs, strategy, *names, seed=seed) for seed in (1, 77)]
    one, other = (json.loads(each.communicate()[0]) for each in asked)
    assert list(one) == names
    for name in names:
        assert len(one[name]) == runs
        different = [n for n, (a, b) in enumerate(zip(one[name], other[name], strict=True)) if a != b]
        assert not different, (name, different, one[name][different[0]], other[name][different[0]])


@pytest.mark.parametrize(("hangs", "each"), [(50, 25), pytest.param(1_000, 50, marks=pytest.mark.slow)])
def test_hangs_leave_nothing_in_the_process_that_asked_and_no_other_process(hangs, each):
    asked = started("hang", hangs, each)
    told = json.loads(asked.communicate()[0])
    assert told == {"ends": {"outside": each, "deadlock": hangs - each}, "not as before": []}
    listed = subprocess.run(["ps", "-A", "-o", "sid=,args="], capture_output=True, text=True, check=True).stdout
    assert [line for line in listed.splitlines() if str(asked.pid) in line.split()] == []
