"""Small programs with threads, made at random: what they share is what the library has, and data under its locks."""

import queue
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial


class Shared:
    """What the threads of a program have in common."""

    def __init__(self, lately):
        self.locks = [threading.Lock(), threading.Lock()]
        self.again = threading.RLock()
        self.condition = threading.Condition()
        self.semaphore = threading.Semaphore(1)
        self.bounded, self.simple = queue.Queue(1), queue.SimpleQueue()
        self.event = threading.Event()
        self.pool = ThreadPoolExecutor(1) if lately else None
        self.told, self.counted = [], []
        self.started = []


def with_lock(shared, number):
    with shared.locks[number]:
        pass


def nested(shared, number):
    with shared.locks[number], shared.locks[1 - number]:
        pass


def try_lock(shared, number):
    if shared.locks[number].acquire(blocking=False):
        shared.locks[number].release()
    else:
        shared.event.set()


def try_for_a_second(shared, number):
    if shared.locks[number].acquire(timeout=1):
        shared.locks[number].release()


def lock_and_put(shared, number):
    with shared.locks[number]:
        shared.bounded.put(1)


def again(shared, number):
    with shared.again, shared.again, shared.locks[number]:
        pass


def take(shared, number):
    shared.semaphore.acquire()
    if number:
        shared.semaphore.release()


def give(shared, number):
    shared.semaphore.release()


def put(shared, number):
    shared.bounded.put(number)


def get(shared, number):
    shared.bounded.get()


def get_for_a_second(shared, number):
    try:
        shared.bounded.get(timeout=1 + number)
    except queue.Empty:
        shared.simple.put(1)


def get_now(shared, number):
    try:
        shared.bounded.get_nowait()
    except queue.Empty:
        with_lock(shared, number)


def put_simple(shared, number):
    shared.simple.put(number)


def get_simple(shared, number):
    shared.simple.get()


def look_into_simple(shared, number):
    if not shared.simple.empty():
        with_lock(shared, number)


def set_event(shared, number):
    shared.event.set()


def clear(shared, number):
    shared.event.clear()


def wait(shared, number):
    shared.event.wait()


def wait_for_a_second(shared, number):
    shared.event.wait(1 + number)


def look(shared, number):
    if shared.event.is_set():
        with_lock(shared, number)


def notify(shared, number):
    with shared.condition:
        shared.told.append(number)
        shared.condition.notify(1 + number)


def notified(shared, number):
    with shared.condition:
        if number and shared.told:
            return
        shared.condition.wait()


def notified_in_the_end(shared, number):
    with shared.condition:
        shared.condition.wait_for(lambda: shared.told, timeout=None if number else 1)


def sleep(shared, number):
    time.sleep(1 + number)


def start(shared, number):
    thread = threading.Thread(target=with_lock, args=(shared, number), daemon=bool(number))
    shared.started.append(thread)
    thread.start()


def start_and_join(shared, number):
    thread = threading.Thread(target=put, args=(shared, number))
    thread.start()
    with_lock(shared, number)
    thread.join()


def fail(shared, number):
    with shared.locks[0]:
        shared.counted.append(number)
        assert len(shared.counted) < 2 + number


def submit(shared, number):
    shared.pool.submit(with_lock, shared, number)


def submit_and_wait(shared, number):
    shared.pool.submit(give if number else put, shared, number).result()


def call_back(shared, number):
    shared.pool.submit(set_event, shared, number).add_done_callback(lambda future: shared.simple.put(1))


EVERYWHERE = [
    *(with_lock, nested, try_lock, try_for_a_second, lock_and_put, again, take, give, put, get, get_for_a_second),
    *(get_now, put_simple, get_simple, look_into_simple, set_event, clear, wait, wait_for_a_second, look, notify),
    *(notified, notified_in_the_end, sleep, start, start_and_join, fail),
]
WITH_A_POOL = [submit, submit_and_wait, call_back]


def run(shared_with_pool, parts):
    """Run the first part here, and each other one in a thread of its own."""
    shared = Shared(shared_with_pool)

    def rest(operations):
        for operation, number in operations:
            operation(shared, number)

    threads = [threading.Thread(target=rest, args=(part,)) for part in parts[1:]]
    for thread in threads:
        thread.start()
    rest(parts[0])
    for thread in threads:
        thread.join()
    if shared.pool is not None:
        shared.pool.shutdown()


def program(seed):
    """Return a program without parameters."""
    chance = random.Random(seed)
    pooled = chance.random() < 0.2
    kinds = chance.sample(EVERYWHERE, 4) + (WITH_A_POOL if pooled else [])
    lengths = chance.choice([(1, 1), (2, 1), (1, 2), (2, 2), (0, 1, 1), (0, 2, 1), (1, 1, 1)])
    parts = [[(chance.choice(kinds), chance.randrange(2)) for _ in range(length)] for length in lengths]
    return partial(run, pooled, parts)
