"""What objects held after each step of a run that failed, read from them and not by taking a step."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import missed_wakes
import pytest

from simcore import control
from simcore.control import replay, watching
from simcore.report.page import film_of


def all_kinds(stop=True):
    """Use one of everything, and wait in the end for a task that is queued behind the one that waits."""
    held, again, free = threading.Lock(), threading.RLock(), threading.BoundedSemaphore(2)
    items, told = queue.Queue(2), threading.Event()

    def inner():
        return 1

    def outer(pool):
        with again, free:
            held.acquire()
            items.put("x")
            told.set()
            return pool.submit(inner).result() if stop else 1

    with ThreadPoolExecutor(1, thread_name_prefix="stream") as pool:
        pool.submit(outer, pool).result()


@cache
def found(body=all_kinds):
    return control(body, schedules=20, witness="any").violation


def after_all(violation):
    """Return what is known of each object at the end: text, slots in use, slots."""
    watched = violation.watched
    last = {}
    for some in (watched.before, *watched.after):
        last |= {watched.things[each.number]: tuple(each[1:]) for each in some}
    return last


def test_each_kind_of_object_is_read():
    assert after_all(found()) == {
        ("stream", "pool"): ("1 queued", 1, 1),
        ("all_kinds.outer()", "future"): ("running", None, None),
        ("again", "rlock"): ("held by stream_0", 1, 1),
        ("free", "semaphore"): ("1 of 2 free", 1, 2),
        ("held", "lock"): ("held by stream_0", 1, 1),
        ("items", "queue"): ("1 in it", 1, 2),
        ("told", "event"): ("set", None, None),
    }


def test_there_is_one_list_of_changes_for_each_step_and_a_value_changes_with_the_step_that_changes_it():
    violation = found()
    watched = violation.watched
    assert len(watched.after) == len(violation.steps)
    puts = [n for n, step in enumerate(violation.steps) if step.text == "items.put()"]
    number = watched.things.index(("items", "queue"))
    changes = [(n, each.text) for n, some in enumerate(watched.after) for each in some if each.number == number]
    assert changes == [(puts[0] - 1, "empty"), (puts[0], "1 in it")]


def test_who_waits_on_a_condition_is_counted_and_a_lost_notify_changes_nothing_of_it():
    violation = found(missed_wakes.lost_notify)
    number = violation.watched.things.index(("changed", "condition"))
    notify = next(n for n, step in enumerate(violation.steps) if ".notify()" in step.text)
    texts = [(n, each.text) for n, some in enumerate(violation.watched.after) for each in some if each.number == number]
    assert texts[0][1] == "nobody waits on it"
    assert notify not in [n for n, _ in texts]
    assert texts[-1] == (len(violation.steps) - 1, "1 waits on it")


def test_nothing_is_different_in_a_run_that_is_watched(monkeypatch):
    watched = control(all_kinds, witness="any").violation
    monkeypatch.setattr(watching, "MOST_WATCHED", 0)
    without = control(all_kinds, witness="any").violation
    assert without.watched.things == []
    assert without.watched.more
    assert (without.steps, without.token, str(without)) == (watched.steps, watched.token, str(watched))


def test_a_replay_reads_the_same():
    violation = control(missed_wakes.lost_notify, witness="any").violation
    assert replay(violation.token).violation.watched == violation.watched


def test_the_lock_of_a_condition_that_is_older_than_the_run_is_named_after_it():
    violation = found(missed_wakes.kept_lock)
    assert ("the lock of missed_wakes.CHANGED", "rlock") in violation.watched.things
    assert "other waits for the lock of missed_wakes.CHANGED, held by keeper" in " ".join(str(violation).split())


def test_code_of_the_program_is_not_called():
    class Loud(queue.Queue):
        def _qsize(self):
            raise AssertionError("this is the program's")

    def body():
        Loud().get_nowait()

    violation = control(body, witness="any").violation
    assert "this is the program's" in violation.answer  # by the program itself
    assert not [kind for _, kind in violation.watched.things if kind == "queue"]


def test_an_object_that_is_gone_holds_nothing():
    def body():
        for _ in range(2):
            with threading.Lock():
                pass
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()

    watched = control(body, witness="any").violation.watched
    locks = [number for number, (_, kind) in enumerate(watched.things) if kind == "lock"]
    last = {each.number: each.text for some in (watched.before, *watched.after) for each in some}
    assert [last[number] for number in locks] == [None, None, "held by main"]


@pytest.mark.parametrize("most", [2, 60])
def test_the_page_shows_them_and_says_where_it_has_not_all(monkeypatch, most):
    monkeypatch.setattr(watching, "MOST_WATCHED", most)
    film = film_of(control(all_kinds, witness="any"))
    assert len(film.things) == min(most, 7)
    assert ("there are more objects than these: the first 2 are shown" in film.facts) == (most == 2)
    assert [thing.name for thing in film.things][:2] == ["stream", "result of all_kinds.outer()"]
    last = {value.thing: value for frame in film.frames for value in frame.values}
    assert (last[0].text, last[0].used, last[0].limit) == ("1 queued", 1, 1)
