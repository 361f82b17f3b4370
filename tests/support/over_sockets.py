"""Ordinary code with sockets: what hangs has a twin that does not, and servers of the standard library."""

import asyncio
import contextlib
import select
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from threaded import together

MEGABYTE = 1 << 20


def listening(**options):
    return socket.create_server(("127.0.0.1", 0), **options)


def receive(connection, size):
    missing = size
    while missing:
        piece = connection.recv(min(missing, 65_536))
        assert piece, "the other side has closed"
        missing -= len(piece)


# ---- what hangs ----------------------------------------------------------------------------------------------


def both_write_first(reads=False):
    """Client and server of one connection both write more than fits in, and only then read."""
    with listening() as listener:

        def server():
            connection, _ = listener.accept()
            with connection:
                if reads:
                    receive(connection, MEGABYTE)
                connection.sendall(bytes(MEGABYTE))
                if not reads:
                    receive(connection, MEGABYTE)

        def client():
            with socket.create_connection(listener.getsockname()) as connection:
                connection.sendall(bytes(MEGABYTE))
                receive(connection, MEGABYTE)

        together(server, client, names=["server", "client"])


def writes_under_a_lock(one_lock=True):
    """The reader of a full pipe wants the lock under which it is filled."""
    lock, reader_lock = threading.Lock(), threading.Lock()
    here, there = socket.socketpair()

    def writer():
        with lock:
            here.sendall(bytes(MEGABYTE))

    def reader():
        select.select([there], [], [])
        with lock if one_lock else reader_lock:
            receive(there, MEGABYTE)

    with here, there:
        together(writer, reader, names=["writer", "reader"])


def loop_and_pool(workers=1):
    """A task of a pool waits for the loop, which waits for another task of that pool."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="sync")

    async def inner():
        return await asyncio.get_running_loop().run_in_executor(pool, int)

    def outer(loop):
        return asyncio.run_coroutine_threadsafe(inner(), loop).result()

    async def main():
        loop = asyncio.get_running_loop()
        assert await loop.run_in_executor(pool, outer, loop) == 0

    asyncio.run(main())
    pool.shutdown()


def asks_for_more(asks=64):
    """A client waits for more than it is given back, beside somebody who polls."""
    here, there = socket.socketpair()
    over = threading.Event()

    def give_back():
        while data := there.recv(16):
            there.sendall(data)

    def poll():
        while not over.wait(0.5):
            pass

    threads = [threading.Thread(target=each, name=each.__name__) for each in (give_back, poll)]
    for thread in threads:
        thread.start()
    with there, here:
        here.sendall(b"hello")
        receive(here, asks)
        here.shutdown(socket.SHUT_WR)
        over.set()
        for thread in threads:
            thread.join()


def waits_for_what_was_closed(shuts_down=False):
    """Whoever waits in a system call is not woken when somebody closes the socket."""
    here, there = socket.socketpair()

    def reader():
        with contextlib.suppress(OSError):
            there.recv(1)

    thread = threading.Thread(target=reader, name="reader")
    thread.start()
    time.sleep(1)
    if shuts_down:
        there.shutdown(socket.SHUT_RDWR)
    there.close()
    thread.join()
    here.close()


# ---- who is outside ------------------------------------------------------------------------------------------


def asks_somebody_outside(port):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.recv(1)
