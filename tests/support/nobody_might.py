"""Programs that hang beside a heartbeat that cannot help; and some where who looks at the clock helps, by some way."""

import asyncio
import queue
import threading
import time
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

SECONDS = 300
"""After which somebody helps who looks each hundredth of a second: after more steps than any run has."""


def beside_a_heartbeat():
    def beat():
        while True:
            time.sleep(1)

    threading.Thread(target=beat, name="heart", daemon=True).start()


# ---- nobody can help -------------------------------------------------------------------------------------------


def lock_taken_twice():
    lock = threading.Lock()
    beside_a_heartbeat()
    lock.acquire()
    lock.acquire()


def event_of_nobody():
    told = threading.Event()
    beside_a_heartbeat()
    told.wait()


def permit_of_nobody():
    permits = threading.Semaphore(0)
    beside_a_heartbeat()
    permits.acquire()


def future_of_nobody():
    promise = Future()
    beside_a_heartbeat()
    promise.result()


def item_of_who_has_ended():
    items = queue.Queue()
    beside_a_heartbeat()
    threading.Thread(target=items.put, args=(1,), name="puts").start()
    items.get()
    items.get()


def barrier_with_too_few():
    barrier = threading.Barrier(3)
    beside_a_heartbeat()
    others = [threading.Thread(target=barrier.wait, name=name) for name in ("one", "other")]
    for each in others:
        each.start()
    for each in others:
        each.join()


def pool_whose_worker_waits():
    told = threading.Event()
    beside_a_heartbeat()
    with ThreadPoolExecutor(1, thread_name_prefix="pool") as pool:
        pool.submit(told.wait)


HANGS = {
    lock_taken_twice: "main waits for lock, held by itself",
    event_of_nobody: "main waits for told: nothing that the others may still do ends it",
    permit_of_nobody: "main waits for a permit of permits: nothing that the others may still do ends it",
    future_of_nobody: "main waits for promise: nothing that the others may still do ends it",
    item_of_who_has_ended: "main waits for an item of items, empty: only puts has put into it, in step",
    barrier_with_too_few: "main waits for the end of one",
    pool_whose_worker_waits: "pool 1/1: every worker is in Event.wait(), waiting for told",
}


# ---- somebody helps, after a time ------------------------------------------------------------------------------


class Place:
    """Has what is there for all."""

    def finish(self):
        self.told.set()


REGISTERED = {}


def looks_at_the_clock():
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        time.sleep(0.01)


def later(helps):
    """Have a thread look at the clock until it is time, and then help."""

    def looks():
        looks_at_the_clock()
        helps()

    threading.Thread(target=looks).start()


def by_a_class():
    Place.of_all = told = threading.Event()
    later(lambda: Place.of_all.set())
    told.wait()


def by_a_module():
    REGISTERED["told"] = told = threading.Event()
    later(lambda: REGISTERED["told"].set())
    told.wait()


def by_a_weak_reference():
    told = threading.Event()
    reference = weakref.ref(told)
    later(lambda: reference().set())
    told.wait()


def by_a_method():
    place = Place()
    place.told = threading.Event()
    later(place.finish)
    place.told.wait()


def by_a_list_of_lists():
    told = threading.Event()
    found = [told]
    for _ in range(50):
        found = [found]

    def helps(inside=found):
        while isinstance(inside, list):
            (inside,) = inside
        inside.set()

    later(helps)
    told.wait()


def by_a_generator():
    told = threading.Event()

    def helping(event):
        yield
        yield event.set()

    helper = helping(told)
    next(helper)
    later(lambda: next(helper))
    told.wait()


def by_a_queue():
    told, jobs = threading.Event(), queue.Queue()
    jobs.put(told)
    later(lambda: jobs.get().set())
    told.wait()


def by_a_loop():
    told, jobs = threading.Event(), queue.Queue()
    jobs.put(told)

    async def helps(event):
        for _ in range(100 * SECONDS):
            await asyncio.sleep(0.01)
        event.set()

    threading.Thread(target=lambda: asyncio.run(helps(jobs.get()))).start()
    told.wait()


def by_a_done_callback():
    told, jobs = threading.Event(), queue.Queue()
    jobs.put(told)
    with ThreadPoolExecutor(1) as pool:
        later_on = pool.submit(looks_at_the_clock)
        later_on.add_done_callback(partial(helps_with, jobs.get()))
        del later_on
        told.wait()


def helps_with(event, _):
    event.set()


def lock_released_by_another():
    lock = threading.Lock()
    later(lock.release)
    lock.acquire()
    lock.acquire()


HELPED = [
    *(by_a_class, by_a_module, by_a_weak_reference, by_a_method, by_a_list_of_lists, by_a_generator, by_a_queue),
    *(by_a_loop, by_a_done_callback, lock_released_by_another),
]
