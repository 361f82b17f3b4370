"""The point of no return of a hang of code: the step behind which no run was seen to come to its end."""

import pytest
import threaded

from simcore import control


@pytest.mark.parametrize("seed", range(2))
def test_of_opposed_locks_it_is_where_the_second_one_is_taken(seed):
    found = control(threaded.opposed_locks, schedules=100, seed=seed).violation
    _, second = (n for n, step in enumerate(found.steps, 1) if step.text.endswith("acquire()"))
    assert found.no_return == second
    told = " ".join(str(found).split())
    assert f"point of no return: step {second}, " in told
    assert "behind it none of 5 runs came to its end, before it one did" in told


def test_where_no_run_comes_to_its_end_there_is_none():
    found = control(threaded.nested_submit, schedules=10).violation
    assert found.no_return == 0
    assert "point of no return" not in str(found)
