"""Ordinary code with threads, of the kinds that a scheduler which looks too little tells wrongly."""

import concurrent.futures
import contextlib
import gc
import logging
import queue
import select
import socket
import threading
from concurrent.futures import Future, ThreadPoolExecutor

from threaded import together

# ---- what stands behind an operation -----------------------------------------------------------------------------


class Guarded(queue.Queue):
    """A queue that looks up what it gives under a lock of its own."""

    def __init__(self, guard):
        super().__init__()
        self.guard = guard

    def _get(self):
        with self.guard:
            return super()._get()


def a_queue_takes_a_lock_to_get(opposed=True):
    """Whoever gets wants the lock that is held by somebody who wants to put."""
    guard = threading.Lock()
    items = Guarded(guard)
    items.put(1)

    def give():
        if opposed:
            with guard:
                items.put(2)
        else:
            items.put(2)

    together(items.get, give, names=("taker", "giver"))


def a_queue_takes_the_lock_of_whoever_gets(held=True):
    guard = threading.Lock()
    items = Guarded(guard)
    items.put(1)

    def take():
        if held:
            with guard:
                items.get()
        else:
            items.get()

    together(take, names=("taker",))


class Puts(queue.Queue):
    """A queue that puts the next one where it gives one; whoever gets has its lock."""

    def _get(self):
        item = super()._get()
        if item:
            self.put(item - 1)
        return item


def a_queue_puts_where_it_gets(item=1):
    items = Puts()
    items.put(item)
    together(items.get, names=("taker",))


def a_finalizer_runs_where_a_queue_gets(collects=True):
    """An object that wants a lock is deleted in the middle of a get by somebody who holds it."""
    lock = threading.Lock()

    class Connection:
        def __init__(self):
            self.itself = self

        def __del__(self):
            with lock:
                pass

    class Collecting(queue.Queue):
        def _get(self):
            if collects:
                gc.collect()
            return super()._get()

    items = Collecting()
    items.put(1)

    def take():
        Connection()
        with lock:
            items.get()

    together(take, names=("taker",))


# ---- who ends a wait ---------------------------------------------------------------------------------------------


def an_answer_is_set_when_a_task_is_done(workers=1, deep=False):
    """A worker waits for a plain future, which the done-callback of a task that is queued behind it sets."""
    with (
        ThreadPoolExecutor(workers, thread_name_prefix="blocking") as blocking,
        ThreadPoolExecutor(1, thread_name_prefix="loop") as loop,
    ):

        def query():
            return 1

        def ended(row, answer):
            answer.set_result(row.result())

        def middleware():
            answer = Future()
            told = (lambda row: loop.submit(ended, row, answer)) if deep else (lambda row: ended(row, answer))
            blocking.submit(query).add_done_callback(told)
            return answer.result()

        assert blocking.submit(middleware).result() == 1


def tokens_and_connections(requests=3, tokens=2, connections=1, closing_needs_a_token=True):
    """The tokens are with those who want a connection, and the connections with those who want a token."""
    limiter, free = threading.BoundedSemaphore(tokens), queue.Queue()
    for number in range(connections):
        free.put(number)

    def request():
        with limiter:
            connection = free.get()
        if closing_needs_a_token:
            with limiter:
                free.put(connection)
        else:
            free.put(connection)

    together(*[request] * requests, names=[f"request[{number}]" for number in range(requests)])


def workers_take_two_each(connections=2):
    """Two workers of a pool take two connections of a queue without a bound, one after the other."""
    free = queue.Queue()
    for number in range(connections):
        free.put(number)

    def update():
        one = free.get()
        free.put(free.get())
        free.put(one)

    with ThreadPoolExecutor(2, thread_name_prefix="request") as pool:
        for future in [pool.submit(update) for _ in range(2)]:
            future.result()


# ---- time and pollers --------------------------------------------------------------------------------------------


def a_knot_has_a_poller(opposed=True):
    """One of those who hold each other looks, every second, whether the other has let go."""
    left, right, told = threading.Lock(), threading.Lock(), threading.Event()

    def polls():
        with left:
            while not told.wait(1.0):
                pass

    def tells():
        if opposed:
            with left, right:
                told.set()
        else:
            with right:
                told.set()

    together(polls, tells, names=("poller", "teller"))


def selects_for_hours():
    """A loop wakes up thousands of times, because its time is up, and nothing comes."""
    here, there = socket.socketpair()
    with here, there:
        for _ in range(500):
            assert select.select([here], [], [], 3_600) == ([], [], [])


# ---- the library -------------------------------------------------------------------------------------------------


def handlers_die_with_a_hang():
    """Threads that hang have handlers of logging, and locals with finalizers that take locks."""
    lock, own = threading.Lock(), threading.local()

    class Kept:
        def __del__(self):
            with lock:
                pass

    def hang():
        own.kept, handler = Kept(), logging.StreamHandler()
        handler.acquire()
        threading.Event().wait()

    together(*[hang] * 3)


def buffers_are_set_before_there_is_a_connection():
    """What was said of a socket before it was connected holds afterwards, and of a listener, for whom it accepts."""
    buffer = socket.SOL_SOCKET, socket.SO_SNDBUF
    with socket.socket() as listener, socket.socket() as client:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(*buffer, 30_000)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        client.setsockopt(*buffer, 20_000)
        client.connect(listener.getsockname())
        accepted, _ = listener.accept()
        with accepted:
            assert client.getsockopt(*buffer) == 40_000
            assert accepted.getsockopt(*buffer) == listener.getsockopt(*buffer) == 60_000
            client.settimeout(1)
            sent = 0
            with contextlib.suppress(TimeoutError):
                while sent < 1 << 20:
                    sent += client.send(bytes(10_000))
            assert sent == 20_000


def whichever_comes_first(tasks=3):
    """Locks of several futures are taken together, in an order that is nobody's place in memory."""
    with ThreadPoolExecutor(tasks) as pool:
        waiting = [pool.submit(int) for _ in range(tasks)]
        kept = [Future() for _ in range(50)]
        concurrent.futures.wait([*waiting, kept[0]], return_when=concurrent.futures.FIRST_COMPLETED)
        concurrent.futures.wait(waiting)


def needs_more_workers(workers=1, depth=4):
    """Each of some tasks waits for the next one, all in one pool."""
    with ThreadPoolExecutor(workers, thread_name_prefix="pool") as pool:

        def down(left):
            return pool.submit(down, left - 1).result() if left else 0

        assert pool.submit(down, depth - 1).result() == 0
