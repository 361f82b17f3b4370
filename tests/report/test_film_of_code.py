"""Of one's own code a film tells how a thread stands from its last step on, and which step is no new call."""

from __future__ import annotations

import threading
from functools import cache

import threaded

from simcore import control
from simcore.control import Violation
from simcore.report.page import film_of


def woken_once():
    """Wait twice for one notification, on one line."""
    changed = threading.Condition()

    def notify():
        with changed:
            changed.notify()

    with changed:
        threading.Thread(target=notify, name="notifier").start()
        for _ in range(2):
            changed.wait()


@cache
def woken() -> Violation:
    found = control(woken_once).violation
    assert found is not None
    return found


def test_a_call_that_goes_on_is_told_from_a_new_one_on_the_same_line():
    film = film_of(woken())
    names = [lane.name for lane in film.lanes]
    waits = [f.text for f in film.frames if names[f.lane] == "main" and ".wait()" in f.text]
    first, *between, last = (text.startswith("goes on: ") for text in waits)
    assert (first, set(between), last) == (False, {True}, False)  # woken, and then perhaps once more for the lock
    assert len({text.removeprefix("goes on: ") for text in waits}) == 1
    assert str(woken()).count("  goes on: ") == len(between)


def test_two_calls_that_need_not_wait_are_no_single_one():
    found = control(threaded.connections_twice).violation
    assert found is not None
    puts = [step for step in found.steps if step.thread == "main" and ".put(" in step.text]
    assert len(puts) == 2
    assert not any(step.goes_on for step in puts)


def test_a_thread_stands_as_in_the_end_from_its_last_step_on_and_not_before():
    film = film_of(woken())
    last = {frame.lane: number for number, frame in enumerate(film.frames)}
    told = {s.lane: (number, s.status) for number, frame in enumerate(film.frames) for s in frame.standings}
    assert {film.lanes[lane].name: status for lane, (_, status) in told.items()} == {
        "main": "blocked",
        "notifier": "done",
    }
    assert {lane: number for lane, (number, _) in told.items()} == last
    assert len(set(last.values())) == 2  # so that not all of them is told at the end
    assert {standing.status for standing in film.standings} == {"unknown"}


def test_what_can_still_move_when_something_was_raised_is_told_at_the_end_alone():
    found = control(raises_beside_another).violation
    assert found is not None
    film = film_of(found)
    enabled = [n for n, frame in enumerate(film.frames) for s in frame.standings if s.status == "enabled"]
    assert set(enabled) <= {len(film.frames) - 1}
    assert film.counted == ""


def raises_beside_another():
    """Raise while another thread still has something to do."""
    lock = threading.Lock()

    def other():
        with lock:
            pass

    threading.Thread(target=other, name="other").start()
    with lock:
        raise ValueError("no")


def test_who_has_ended_is_not_called_a_daemon():
    assert film_of(woken()).counted == "counted are the 1 that must finish; 1 that ended is not counted"


def test_where_no_point_of_no_return_is_known_it_says_so():
    film = film_of(woken())
    assert (film.turn is None) == bool(film.no_turn)


def test_what_was_raised_has_no_such_point_and_nobody_has_looked_for_one():
    assert film_of(control(raises_beside_another, schedules=1)).no_turn == ""
