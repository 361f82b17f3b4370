"""Nobody is interrupted between two operations, unless it is asked for: then at each line or instruction."""

from functools import partial

import pytest
import threaded

from simcore import Verdict, control
from simcore.control import replay

POINTS = {"operations": 20, "release": 20, "lines": 40, "instructions": 300}


@pytest.mark.slow
@pytest.mark.parametrize("in_one_line", [False, True])
def test_a_lost_update_needs_switches_between_operations(in_one_line):
    body = partial(threaded.unguarded, in_one_line)
    found = {points: control(body, points=points, schedules=many).verdict for points, many in POINTS.items()}
    assert found == {
        "operations": Verdict.UNDETERMINED,
        "release": Verdict.UNDETERMINED,
        "lines": Verdict.UNDETERMINED if in_one_line else Verdict.VIOLATED,
        "instructions": Verdict.VIOLATED,
    }


def test_a_schedule_by_lines_is_replayed_and_told_where_it_switches():
    result = control(partial(threaded.unguarded, False), points="lines")
    again = replay(result.violation.token)
    assert again.violation == result.violation
    told = [line for line in result.violation.lines() if "goes on" in line]
    assert 0 < len(told) <= result.violation.switches + 1
    assert all("threaded.py:" in line for line in told)


def test_the_library_is_not_interrupted():
    few = control(threaded.serialises, points="lines", schedules=1).steps
    assert few < 40 < control(threaded.serialises, points="instructions", schedules=1).steps < 200


@pytest.mark.some(3)
@pytest.mark.parametrize("points", ["release", "lines", "instructions"])
def test_what_is_guarded_fails_nowhere(points):
    assert control(partial(threaded.lost_update, guarded=True), points=points, schedules=20).violation is None
