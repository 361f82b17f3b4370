"""Of a run that is given up it is told who had not moved for long, and what might tell whether that is for ever."""

import queue
import threading
import time
from functools import partial

import pytest

from simcore import control
from simcore.control import replay

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
    assert note == "1 of them had not ended after 200 steps; for longer runs raise `max_steps`"


def spins(over):
    while not over.is_set():
        pass


def sleeps():
    time.sleep(1)


def waits_with_a_limit():
    with pytest.raises(queue.Empty):
        queue.Queue().get(timeout=1)


def spun_beside(waits):
    over = threading.Event()
    spinner = threading.Thread(target=spins, args=(over,), name="spinner")
    spinner.start()
    waits()
    over.set()
    spinner.join()


CASES = [(sleeps, "when_stuck"), (sleeps, "never"), (waits_with_a_limit, "when_stuck")]


@pytest.mark.parametrize(("waits", "timeouts"), CASES)
def test_beside_whom_no_time_passes_is_told_and_what_lets_it_pass(waits, timeouts):
    told = control(lambda: spun_beside(waits), schedules=2, max_steps=1_000, timeouts=timeouts).notes
    line = spins.__code__.co_firstlineno + 1
    assert told[-1] == (
        f"no time had passed in its second half, for spinner at test_given_up.py:{line} in spins() could always go on; "
        "more steps do not change that: `timeouts='in_order'` lets time pass beside those who can go on"
    )
    assert not control(lambda: spun_beside(waits), schedules=5, timeouts="in_order", strategy="random").notes


def raises_beside_a_poller(before):
    over = threading.Event()

    def work():
        for _ in range(before):
            over.is_set()
        raise ValueError("gone")

    threading.Thread(target=work, name="worker", daemon=True).start()
    polls_with_a_sleep(over)


@pytest.mark.some(3)
@pytest.mark.parametrize("before", [0, 30])
@pytest.mark.parametrize("witness", ["short", "any"])
def test_what_is_raised_in_a_run_that_never_ends_is_told_as_far_as_that(before, witness):
    result = control(partial(raises_beside_a_poller, before), max_steps=1_000, witness=witness)
    assert result.violation.answer == "worker raised ValueError: gone"
    assert "the run in which this was raised had not ended after 1,000 steps" in result.notes[-1]
    most = before + 5 if witness == "short" else 1_000 // 2
    assert len(result.violation.steps) <= most
    assert replay(result.violation.token).violation.steps == result.violation.steps
