"""Of a run that is given up it is told who had not moved for long, and what might tell whether that is for ever."""

import queue
import threading
import time

import pytest

from simcore import control

ADVICE = "`timeouts='never'` tells whether for ever"


def polls_with_a_limit(over):
    while not over.wait(0.5):
        pass


def polls_with_a_sleep(over):
    while not over.is_set():
        time.sleep(0.5)


def never_answered(poll):
    """Nobody was ever seen to put an answer, so nobody is suspected."""
    over, asked, answers = threading.Event(), queue.Queue(), queue.Queue()
    for target, args in ((poll, (over,)), (asked.get, ())):
        threading.Thread(target=target, args=args, daemon=True, name=target.__name__).start()
    answers.get()


@pytest.mark.parametrize(("poll", "advice"), [(polls_with_a_limit, True), (polls_with_a_sleep, False)])
def test_never_is_advised_where_it_makes_a_difference(poll, advice):
    notes = control(lambda: never_answered(poll), schedules=2, max_steps=1_000).notes
    assert notes[0].startswith("2 of them had not ended after 1,000 steps")
    assert (ADVICE in notes[0]) == advice
    if advice:
        assert control(lambda: never_answered(poll), schedules=2, timeouts="never").violation is not None


def test_who_has_not_moved_is_told_with_the_line():
    first, second = (
        control(lambda: never_answered(polls_with_a_sleep), schedules=1, max_steps=1_000).notes[1].split(";")
    )
    assert first.startswith("in the first that had not ended, ")
    told = {each.removeprefix("in the first that had not ended,").split()[0]: each for each in (first, second)}
    assert set(told) == {"main", "get"}
    assert all("has not moved since step " in each for each in told.values())
    assert told["main"].endswith(
        f"at test_given_up.py:{never_answered.__code__.co_firstlineno + 5} in never_answered()"
    )


def test_a_run_in_which_all_move_says_nothing_of_them():
    (note,) = control(lambda: polls_with_a_sleep(threading.Event()), schedules=1, max_steps=200).notes
    assert note == "1 of them had not ended after 200 steps"
