"""Ordinary code whose pools and locks are made when it is imported, as large programs have them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from threaded import together

REPLIES = ThreadPoolExecutor(1, thread_name_prefix="replies")


class Tasks:
    """Has its lock in common with all of its kind."""

    lock = threading.Lock()

    def __init__(self):
        self.gate = threading.Lock()


def polled_reply(workers=1, seconds=10.0):
    """A handler waits for what a task reads that is queued behind it; who waits for the reply polls, and gives up."""
    REPLIES._max_workers = workers
    told, replied = threading.Event(), threading.Event()

    def read():
        told.set()

    def handle():
        REPLIES.submit(read)
        told.wait()
        replied.set()

    def ask():
        REPLIES.submit(handle)

    together(ask)
    for _ in range(round(seconds / 0.1)):
        if replied.wait(0.1):
            return
    raise TimeoutError("no reply")


def polled_reply_beside_a_heartbeat(workers=1, seconds=10.0):
    """As above; and somebody sleeps for a second, again and again."""

    def beat():
        while True:
            time.sleep(1.0)

    threading.Thread(target=beat, name="heart", daemon=True).start()
    polled_reply(workers, seconds)


_HIDDEN = [threading.Lock()]


def opposed_to_the_lock_of_all():
    tasks = Tasks()

    def one():
        with Tasks.lock, tasks.gate:
            pass

    def other():
        with _HIDDEN[0]:
            pass
        with tasks.gate, Tasks.lock:
            pass

    together(one, other, names=["one", "other"])


_REAL = (time.monotonic,)  # what lies in a tuple is not replaced


def works_for_long(seconds=1.5):
    until = _REAL[0]() + seconds
    while _REAL[0]() < until:
        pass
