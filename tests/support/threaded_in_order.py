"""Programs with few orders, and programs that share what no lock protects."""

import queue
import socket
import tempfile
import threading
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from threaded import together


def take_one_lock(threads=2):
    lock = threading.Lock()

    def take():
        with lock:
            pass

    together(*[take] * threads)


def one_pool_for_each():
    with ThreadPoolExecutor(1) as callbacks, ThreadPoolExecutor(1) as readers:

        def call_back():
            return readers.submit(int, 1).result()

        assert callbacks.submit(call_back).result() == 1


def one_pool_for_both():
    with ThreadPoolExecutor(2) as pool:

        def call_back():
            return pool.submit(int, 1).result()

        assert [each.result() for each in [pool.submit(call_back) for _ in range(2)]] == [1, 1]


def hand_over():
    items, ready = queue.Queue(1), threading.Event()

    def give():
        for number in range(2):
            items.put(number)
        ready.set()

    thread = threading.Thread(target=give)
    thread.start()
    assert [items.get(), items.get()] == [0, 1]
    ready.wait()
    thread.join()


def opposed():
    left, right = threading.Lock(), threading.Lock()

    def take(one, other):
        with one, other:
            pass

    together(lambda: take(left, right), lambda: take(right, left))


def only_one_order_hangs():
    """The first of four hands over to the second, and so on; who comes too late waits for ever."""
    turn, passed = threading.Lock(), []
    late = threading.Event()

    def pass_on(number):
        with turn:
            passed.append(number)
            wrong = passed == [2, 1, 0]
        if wrong:
            late.wait()

    together(*(partial(pass_on, number) for number in range(3)))


def list_without_a_lock():
    found, lock = [], threading.Lock()

    def look():
        if found:
            with lock:
                pass

    def tell():
        with lock:
            pass
        found.append(1)

    together(look, tell)


def reads_a_file():
    with tempfile.NamedTemporaryFile("w+") as file:
        lock = threading.Lock()

        def look():
            with open(file.name) as again:
                if again.read():
                    with lock:
                        pass

        def tell():
            with lock:
                pass
            file.write("told")
            file.flush()

        together(look, tell)


def over_a_socket():
    one, other = socket.socketpair()
    with one, other:
        together(lambda: one.sendall(b"1"), lambda: other.recv(1))


def asks_again_and_again():
    event = threading.Event()

    def ask():
        while not event.is_set():
            pass

    together(ask, ask)


class Arrivals:
    """Tells whoever comes whether he is the first."""

    def __init__(self):
        self._lock, self._came = threading.Lock(), []

    def first(self, who):
        with self._lock:
            self._came.append(who)
            return self._came[0] == who


def never_told_beside_a_heartbeat():
    """Who comes second is told of it; time goes on for somebody else."""
    told, over, arrivals = threading.Event(), threading.Event(), Arrivals()

    def beat():
        while not over.wait(1):
            pass

    def come(who):
        if arrivals.first(who) and who:
            told.set()

    heart, other = threading.Thread(target=beat), threading.Thread(target=come, args=(1,))
    heart.start()
    other.start()
    come(0)
    told.wait()
    over.set()


def too_late_beside_a_limit():
    """Two want the one permit; who has it keeps it, and somebody waits in vain for a second."""
    permit, items = threading.Semaphore(1), queue.Queue()

    def keep():
        permit.acquire()
        with suppress(queue.Empty):
            items.get(timeout=1)

    other = threading.Thread(target=keep, daemon=True)
    other.start()
    permit.acquire()
    permit.release()


class Told:
    """Tells an event when it is gone."""

    def __init__(self, gone):
        self.gone = gone

    def __del__(self):
        self.gone.set()


class Thing:
    """Has a weak reference, and no finalizer."""


def _dropped(thing):
    """Have two threads drop a thing, each when it has come to its end."""

    def drop(thing):
        return lambda: str(thing)

    two = [threading.Thread(target=drop(thing)) for _ in range(2)]
    del thing
    for thread in two:
        thread.start()
    for thread in two:
        thread.join()


def a_finalizer_tells():
    _dropped(Told(threading.Event()))


def a_weak_reference_tells():
    thing, gone = Thing(), threading.Event()
    watched = weakref.ref(thing, lambda reference: gone.set())
    _dropped(thing)
    del thing
    assert watched() is None


def finalize_tells():
    thing = Thing()
    weakref.finalize(thing, threading.Event().set)
    _dropped(thing)
    del thing


def a_generator_tells():
    """It is closed where the last reference to it is dropped, and then releases a lock."""
    lock = threading.Lock()

    def hold():
        with lock:
            yield

    held = hold()
    next(held)
    _dropped(held)


class Ring:
    """Has references to itself, so that only the collector finds that it is gone."""

    def __init__(self, *parts):
        self.parts = self, *parts


def in_a_ring(tells):
    """Something is lost in a ring of references, and the collector may come upon that whenever anybody allocates."""
    lock = threading.Lock()

    def lose():
        Ring(*tells(lock))

    def take():
        with lock:
            pass

    together(lose, take)


class Takes:
    """Takes a lock when it is gone."""

    def __init__(self, lock):
        self.lock = lock

    def __del__(self):
        with self.lock:
            pass


def _takes_later(lock):
    with lock:
        pass
    try:
        yield
    finally:
        with lock:
            pass


def _begun(lock):
    begun = _takes_later(lock)
    next(begun)
    return [begun]


def _watched(lock):
    thing = Thing()
    weakref.finalize(thing, lambda: lock.acquire() and lock.release())
    return [thing]


IN_A_RING = {
    "a finalizer": lambda lock: [Takes(lock)],
    "a generator": _begun,
    "a weak reference": _watched,
}


def _shut_down(lock):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
    return [pool]


TELLS_NOBODY = {"a lock": lambda lock: [lock], "a pool that was shut down": _shut_down}


def nobody_shuts_the_pool_down():
    assert ThreadPoolExecutor(1).submit(int, 1).result() == 1


class Calls(queue.Queue):
    """Calls a function whenever something is put into it."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def _put(self, item):
        self.function()
        super()._put(item)


class Compared:
    """Calls a function whenever it is compared with another one."""

    def __init__(self, function):
        self.function = function

    def __lt__(self, other):
        self.function()
        return True


class Own:
    """A lock of the program's own for a condition: it calls a function whenever it is asked who has it."""

    def __init__(self, function):
        self._is_owned = lambda: function() is None
        self.acquire = self.release = self.__enter__ = self.__exit__ = lambda *_: True


def _put_two(queue, item):
    queue.put(item)
    queue.put(item)


def _set(future, function):
    future.add_done_callback(lambda _: function())
    future.set_result(1)


WITHIN = {
    "a hook of a queue": lambda function: Calls(function).put(1),
    "a comparison": lambda function: _put_two(queue.PriorityQueue(), Compared(function)),
    "an action of a barrier": lambda function: threading.Barrier(1, function).wait(),
    "a lock of a condition": lambda function: threading.Condition(Own(function)).notify(),
    "a callback of a future": lambda function: _set(Future(), function),
}
"""Operations of the library that call a function of the program."""


def opposed_within(kind):
    """Two operations, on two objects, call what takes two locks, in either order."""
    left, right = threading.Lock(), threading.Lock()

    def both(first, second):
        with first, second:
            pass

    calls = [partial(WITHIN[kind], partial(both, *locks)) for locks in ((left, right), (right, left))]
    together(*calls)


def updated_within(kind):
    """Two operations, on two objects, call what reads and writes without a lock, and takes one in between."""
    counted, lock = [0], threading.Lock()

    def count():
        number = counted[0]
        with lock:
            pass
        counted[0] = number + 1

    together(*[partial(WITHIN[kind], count)] * 2)
    assert counted == [2]
