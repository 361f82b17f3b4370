"""Programs that leave something behind in the process in which they run: a second run there is not like a first one."""

import itertools
import queue
import threading

from threaded import together

_made = []
_kept = queue.Queue(4)
_told = threading.Event()
_turn = itertools.count()


class Counter:
    runs = 0


def hangs_in_one_order(two_of_three=(2, 1, 0)):
    turn, passed = threading.Lock(), []

    def pass_on(number):
        with turn:
            passed.append(number)
            wrong = passed == list(two_of_three)
        if wrong:
            threading.Event().wait()

    together(*(lambda number=number: pass_on(number) for number in range(3)))


def hangs_the_first_time():
    first = not _made
    _made.append(1)
    if first:
        hangs_in_one_order()


def hangs_while_nobody_counts():
    Counter.runs += 1
    if Counter.runs == 1:
        hangs_in_one_order()


def hangs_while_it_was_not_told():
    """Whoever is told once never waits again."""
    lock = threading.Lock()

    def tell():
        with lock:
            _told.set()

    def listen():
        with lock:
            waits = not _told.is_set()
        if waits:
            threading.Event().wait()

    together(listen, tell)


def fails_the_fifth_time():
    """What it keeps is full in the end, although each process that runs it once is far from that."""
    _kept.put_nowait(1)
    together(*[lambda: None] * 2)


def hangs_the_fourth_time():
    """What it counts with is not to be seen from outside."""
    if next(_turn) == 3:
        threading.Event().wait()
    together(*[lambda: None] * 2)


def leaves_nothing():
    hangs_in_one_order((2, 0, 1))


def completes():
    lock = threading.Lock()

    def take():
        with lock:
            pass

    together(take, take)
