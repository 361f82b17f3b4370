"""Programs in which somebody comes after a long time, by ways on which he is not seen; and some where nobody comes."""

import queue
import socket
import threading
import time
import weakref
from concurrent.futures import Future, ThreadPoolExecutor, wait

from comes_in_time import beside
from threaded import together
from threaded_in_order import Arrivals

HOURS = 5


def long_work():
    """Take several hours, and a turn each hour: longer than anybody is waited for in one order."""
    for _ in range(HOURS):
        time.sleep(3_700)


class Place:
    """Has what is there for all."""


def event_of_a_class():
    Place.done = threading.Event()

    def late():
        long_work()
        Place.done.set()

    beside(late)
    Place.done.wait()


def event_behind_a_weak_reference():
    place = Place()
    place.done = threading.Event()
    reference = weakref.ref(place)

    def late():
        long_work()
        reference().done.set()

    beside(late)
    place.done.wait()


def event_deep_in_lists():
    done = threading.Event()
    found = [done]
    for _ in range(12):
        found = [found]

    def late(inside):
        long_work()
        while isinstance(inside, list):
            (inside,) = inside
        inside.set()

    threading.Thread(target=late, args=(found,)).start()
    del found
    done.wait()


def one_long_wait_and_three_steps():
    done, lock = threading.Event(), threading.Lock()

    def late():
        time.sleep(5_000)
        for _ in range(3):
            with lock:
                pass
        time.sleep(1)
        beside(done.set)

    beside(late)
    done.wait()


def told_by_a_clock():
    jobs, done = queue.Queue(), threading.Event()

    def late():
        jobs.get()
        time.sleep(1)
        beside(done.set)

    def clock():
        time.sleep(5_000)
        jobs.put("go")

    beside(late, clock)
    done.wait()


def thread_that_starts_late():
    done = threading.Event()

    def late():
        long_work()
        beside(done.set)

    beside(late)
    done.wait()


def timer_that_starts_late():
    done = threading.Event()

    def late():
        long_work()
        threading.Timer(1, done.set).start()

    beside(late)
    done.wait()


def many_short_turns():
    done = threading.Event()

    def late():
        for _ in range(3_100):
            time.sleep(0.001)
        beside(done.set)

    beside(late)
    done.wait()


def future_of_nobody():
    answer = Future()

    def late():
        long_work()
        answer.set_result(1)

    beside(late)
    wait([answer])


def lock_released_by_another():
    gate = threading.Lock()
    gate.acquire()

    def late():
        long_work()
        gate.release()

    beside(late)
    with gate:
        pass


def notified_and_the_lock_is_held():
    changed, ready = threading.Condition(), []

    def notifier():
        with changed:
            ready.append(1)
            changed.notify()

    def holder():
        with changed:
            long_work()

    beside(notifier, holder)
    with changed:
        changed.wait_for(lambda: ready)


def permit_of_another():
    permits, over = threading.Semaphore(1), threading.Event()

    def keeper():
        with permits:
            over.wait()

    def late():
        long_work()
        permits.release()

    beside(keeper, late)
    permits.acquire()
    over.set()


def barrier_that_breaks():
    barrier = threading.Barrier(3)

    def late():
        long_work()
        barrier.abort()

    beside(late)
    try:
        barrier.wait()
    except threading.BrokenBarrierError:
        return


def task_submitted_by_a_callback():
    done = threading.Event()
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        first.submit(long_work).add_done_callback(lambda _: second.submit(done.set))
        done.wait()


def sent_by_another():
    here, there = socket.socketpair()
    reference = weakref.ref(there)

    def late():
        long_work()
        reference().send(b"!")

    def waits():
        there.recv(1)

    beside(late, waits)
    with here:
        here.recv(1)
        here.shutdown(socket.SHUT_WR)


def told_by_a_monitor():
    """Was seen to be told by somebody else, who may be called off; then it is told by who looks, after many looks."""
    done, off = threading.Event(), threading.Event()
    since = time.monotonic()

    def monitor():
        while not done.is_set():
            time.sleep(0.01)
            if time.monotonic() - since > 300:
                done.set()

    def works():
        if not off.is_set():
            done.set()

    beside(monitor, works, off.set)
    done.wait()


LATE = [
    *(event_of_a_class, event_behind_a_weak_reference, event_deep_in_lists, one_long_wait_and_three_steps),
    *(told_by_a_clock, thread_that_starts_late, timer_that_starts_late, many_short_turns, future_of_nobody),
    *(lock_released_by_another, notified_and_the_lock_is_held, permit_of_another, barrier_that_breaks),
    *(task_submitted_by_a_callback, sent_by_another, told_by_a_monitor),
]


def told_if_first():
    """Who is first has somebody started who tells; who waits was suspected before it was known who is first."""
    done, arrivals = threading.Event(), Arrivals()

    def come(who):
        time.sleep(1)
        if arrivals.first(who) and who == "teller":
            beside(done.set)

    for who in ("teller", "other"):
        threading.Thread(target=come, args=(who,), name=who).start()
    done.wait()


def one_of_two_made_at_a_line():
    """Who is second is not told; a monitor sets the other event that was made there."""
    told, arrivals = [threading.Event() for _ in "ab"], Arrivals()

    def teller():
        if arrivals.first("teller"):
            told[0].set()

    def waiter():
        arrivals.first("waiter")
        told[0].wait()

    def monitor():
        time.sleep(1)
        told[1].set()

    threading.Thread(target=monitor, daemon=True).start()
    together(teller, waiter)


def beside_a_heartbeat(pool):
    """Submit to a pool that is older than the run, if one is first, as to one that is not, from one line."""
    over, arrivals = threading.Event(), Arrivals()

    def beat():
        while not over.wait(10):
            pass

    threading.Thread(target=beat, daemon=True).start()
    other = threading.Thread(target=arrivals.first, args=("other",))
    other.start()
    with ThreadPoolExecutor(1) as own:
        for each in (own, pool) if arrivals.first("main") else (own,):
            each.submit(int).result()
    other.join()
    over.set()


def two_meet_and_somebody_fails(locks):
    """However many locks there are: which worker of a pool is waited for first does not depend on it."""
    kept = [threading.Lock() for _ in range(locks)]
    meeting = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        pool.submit(meeting.wait)
        pool.submit(meeting.wait)
    raise ValueError(len(kept))
