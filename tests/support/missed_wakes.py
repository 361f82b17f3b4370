"""Code of a user in which a wake-up is lost."""

from __future__ import annotations

import threading


def run(**functions):
    """Run functions as threads of their names."""
    threads = [threading.Thread(target=function, name=name) for name, function in functions.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def lost_notify():
    """The list is looked at before the lock is taken."""
    changed, ready = threading.Condition(), []

    def consumer():
        if not ready:
            with changed:
                changed.wait()

    def producer():
        ready.append(1)
        with changed:
            changed.notify()

    run(consumer=consumer, producer=producer)


CHANGED = threading.Condition()


def kept_lock():
    """Whoever waits for an event has the lock of a condition that is older than the run."""

    def keeper():
        with CHANGED:
            threading.Event().wait()

    def other():
        with CHANGED:
            pass

    run(keeper=keeper, other=other)


def cleared_event():
    """Whoever comes late finds the event cleared."""
    go = threading.Event()

    def setter():
        go.set()
        go.clear()

    run(waiter=go.wait, setter=setter)
