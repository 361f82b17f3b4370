"""What a run notes of an object changes nothing that the program can see of it while it uses it."""

import queue
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from simcore import Verdict, control


def takes_and_gives(tokens):
    with tokens:
        pass


def notifies(condition):
    with condition:
        condition.notify_all()


def puts_and_gets(items):
    items.put(1)
    assert items.get() == 1
    items.task_done()


def starts_and_joins(thread):
    thread.start()
    thread.join()


def sets(future):
    future.set_result(1)
    assert future.result() == 1


def submits(pool):
    assert pool.submit(int).result() == 0
    pool.shutdown()


OBJECTS = {
    "semaphore": (lambda: threading.Semaphore(1), takes_and_gives),
    "condition": (threading.Condition, notifies),
    "event": (threading.Event, threading.Event.set),
    "queue": (queue.Queue, puts_and_gets),
    "barrier": (lambda: threading.Barrier(1), threading.Barrier.wait),
    "thread": (lambda: threading.Thread(target=int), starts_and_joins),
    "future": (Future, sets),
    "pool": (ThreadPoolExecutor, submits),
}


def sees(thing, use):
    before = dir(thing)
    use(thing)
    assert [name for name in dir(thing) if "simcore" in name] == [name for name in before if "simcore" in name]


@pytest.mark.some(4)
@pytest.mark.parametrize("kind", OBJECTS)
def test_what_is_used_has_the_names_that_it_had(kind):
    make, use = OBJECTS[kind]
    result = control(lambda: sees(make(), use), schedules=3)
    assert result.verdict is Verdict.UNDETERMINED, result


FORKS_NO_THREADS = (3, 13) <= sys.version_info < (3, 13, 1)  # one that was made before a fork does not start behind it


@pytest.mark.some(4)
@pytest.mark.parametrize("kind", [kind for kind in OBJECTS if not (kind == "thread" and FORKS_NO_THREADS)])
def test_what_was_there_before_the_runs_has_the_names_that_it_had(kind):
    make, use = OBJECTS[kind]
    older = make()
    result = control(lambda: sees(older, use), schedules=1)
    assert result.verdict is Verdict.UNDETERMINED, result
