"""What is in a set comes in another order in another process; a schedule that was found in one replays in all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from woken import read_as_a_set, woken

from simcore import Verdict, explore, replay

SUPPORT = Path(__file__).parents[1] / "support"


def in_a_process(seed, code):
    """Run code where the hashes of texts are others."""
    paths = os.pathsep.join([str(SUPPORT), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": paths}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@pytest.mark.parametrize("build", [woken, read_as_a_set])
def test_a_token_replays_where_hashes_are_others(build):
    result = explore(build())
    assert result.verdict is Verdict.VIOLATED
    token = result.counterexample.schedule.token
    states = {in_a_process(seed, f"from simcore import replay; print(replay({token!r}))") for seed in (1, 2, 3)}
    assert states == {str(result.counterexample.state)} == {str(replay(token))}


def test_so_is_the_schedule_of_a_search_the_same():
    code = "from simcore import explore; from woken import woken; print(explore(woken()).counterexample.schedule.token)"
    assert len({in_a_process(seed, code) for seed in (1, 2, 3)}) == 1
