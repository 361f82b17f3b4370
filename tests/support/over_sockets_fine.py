"""Ordinary code with sockets that does not hang: servers, loops, TLS, and what sockets can do besides."""

import asyncio
import contextlib
import http.server
import os
import select
import signal
import socket
import socketserver
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from certificate import CERTIFICATE
from over_sockets import listening, receive
from threaded import together


def echoes():
    with listening() as listener:

        def server():
            connection, address = listener.accept()
            with connection, connection.makefile("rwb") as stream:
                assert address == connection.getpeername()
                for line in stream:
                    stream.write(line)
                    stream.flush()

        def client():
            with socket.create_connection(listener.getsockname()) as connection, connection.makefile("rwb") as stream:
                for number in range(3):
                    stream.write(b"%d\n" % number)
                    stream.flush()
                    assert stream.readline() == b"%d\n" % number

        together(server, client)


def ports_are_the_same_each_time():
    with listening() as one, listening() as two:
        assert (one.getsockname(), two.getsockname()) == (("127.0.0.1", 50_001), ("127.0.0.1", 50_002))


class Upper(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.readline().upper())


def a_threading_server():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Upper) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()

        def ask():
            with socket.create_connection(server.server_address) as connection:
                connection.sendall(b"hello\n")
                assert connection.recv(100) == b"HELLO\n"

        together(ask, ask)
        server.shutdown()
        serving.join()


class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *args):
        pass


def a_server_of_pages():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{server.server_port}/page") as answer:
        assert answer.read() == b"/page"
    server.shutdown()
    server.server_close()


def a_loop_with_all_that_it_can_do():
    async def serve(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\n")
        assert await reader.readline() == b"HELLO\n"
        writer.close()
        await asyncio.gather(*(asyncio.sleep(10) for _ in range(5)))
        assert await asyncio.to_thread(lambda: 7) == 7
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(3_600), 60)
        server.close()

    asyncio.run(main())


def limits_and_refusals():
    started = time.monotonic()
    here, there = socket.socketpair()
    with here, there:
        here.settimeout(30)
        with contextlib.suppress(TimeoutError):
            here.recv(1)
        assert 30 <= time.monotonic() - started < 31
        here.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            here.recv(1)
    with socket.socket() as refused:
        assert refused.connect_ex(("127.0.0.1", 1))


def ends_in_halves():
    with listening() as listener:

        def server():
            connection, _ = listener.accept()
            with connection:
                received = b"".join(iter(lambda: connection.recv(100), b""))
                connection.sendall(received[::-1])

        def client():
            with socket.create_connection(listener.getsockname()) as connection:
                connection.sendall(b"abc")
                connection.shutdown(socket.SHUT_WR)
                assert b"".join(iter(lambda: connection.recv(100), b"")) == b"cba"

        together(server, client)


def sends_to_whoever_has_closed():
    with listening() as listener:

        def server():
            listener.accept()[0].close()

        def client():
            connection = socket.create_connection(listener.getsockname())
            assert connection.recv(1) == b""
            assert connection.send(b"first") == 5
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.send(b"second")
                raise AssertionError("it was taken")
            connection.close()

        together(server, client)


def options_are_kept():
    buffer = socket.SOL_SOCKET, socket.SO_SNDBUF
    no_delay = socket.IPPROTO_TCP, socket.TCP_NODELAY
    with listening() as listener:
        listener.setsockopt(*buffer, 20_000)
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
        with socket.socket() as connection:
            connection.setsockopt(*no_delay, 1)
            connection.connect(listener.getsockname())
            accepted, _ = listener.accept()
            assert connection.getsockopt(*no_delay)
            assert not accepted.getsockopt(*no_delay)
            assert accepted.getsockopt(*buffer) == listener.getsockopt(*buffer) == 40_000
            assert connection.family == accepted.family == socket.AF_INET
            accepted.close()


def whoever_accepts_is_told_that_it_is_over():
    listener = listening()

    def accepts():
        with contextlib.suppress(OSError):
            listener.accept()
            raise AssertionError("there is nobody")

    thread = threading.Thread(target=accepts)
    thread.start()
    listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    listener.close()


def a_full_backlog():
    with listening(backlog=0) as listener:
        clients = [threading.Thread(target=socket.create_connection, args=(listener.getsockname(),)) for _ in range(3)]
        for client in clients:
            client.start()
        for _ in clients:
            listener.accept()[0].close()
        for client in clients:
            client.join()


def waits_with_a_limit():
    here, there = socket.socketpair()
    there.settimeout(0.5)
    lock = threading.Lock()

    def send():
        with lock:
            here.send(b"x")

    thread = threading.Thread(target=send)
    thread.start()
    assert there.recv(1) == b"x"
    thread.join()


def many_small_ones():
    """A connection of TCP holds bytes, however they were sent."""
    with listening() as listener, socket.create_connection(listener.getsockname()) as near:
        far, _ = listener.accept()
        with far:
            for number in range(5_000):
                near.sendall(number.to_bytes(2, "big"))
            receive(far, 10_000)


def watched_before_it_is_connected():
    with listening() as listener, socket.socket() as near, select.epoll() as both:
        both.register(near, select.EPOLLIN)
        near.connect(listener.getsockname())
        far, _ = listener.accept()
        with far:
            far.sendall(b"hello")
            assert both.poll() == [(near.fileno(), select.EPOLLIN)]


def does_not_wait_to_be_accepted():
    with listening(backlog=1) as listener:
        clients = [socket.socket() for _ in range(4)]
        for client in clients:
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        for client in clients:
            listener.accept()[0].close()
            client.close()


def says_by_a_flag_that_it_does_not_wait():
    here, there = socket.socketpair()
    with here, there:
        with contextlib.suppress(BlockingIOError):
            here.recv(1, socket.MSG_DONTWAIT)
            raise AssertionError("there is something")
        os.set_blocking(there.fileno(), False)
        with contextlib.suppress(BlockingIOError):
            there.recv(1)
            raise AssertionError("there is something")
        assert here.recv(0) == b""


def selects_what_is_closed_meanwhile():
    here, there = socket.socketpair()

    def selects():
        assert select.select([there], [], [], 10) == ([], [], [])

    thread = threading.Thread(target=selects)
    thread.start()
    time.sleep(1)
    there.close()
    thread.join()
    here.close()


def nobody_accepts_any_more():
    with listening() as listener:
        near = socket.create_connection(listener.getsockname())
    with near, contextlib.suppress(ConnectionResetError):
        near.recv(1)
        raise AssertionError("it was accepted")


def a_pipe_of_ones_own():
    read, write = os.pipe()
    thread = threading.Thread(target=lambda: (time.sleep(1), os.write(write, b"hello")))
    thread.start()
    assert os.read(read, 5) == b"hello"
    thread.join()
    os.close(read)
    os.close(write)


def contexts(certificate):
    """Return the context of a server, and that of a client."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(certificate)
        file.flush()
        secret = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        secret.load_cert_chain(file.name)
        trusted = ssl.create_default_context(cafile=file.name)
    return secret, trusted


def a_loop_that_is_encrypted():
    secret, trusted = contexts(CERTIFICATE)

    async def serve(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=secret)
        address = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(*address, ssl=trusted, server_hostname="localhost")
        writer.write(b"hello\n")
        assert await reader.readline() == b"HELLO\n"
        writer.close()
        server.close()

    asyncio.run(main())


def by_a_path():
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.join(folder, "s"))
        listener.listen()

        def server():
            connection, _ = listener.accept()
            connection.sendall(b"hello")
            connection.close()

        def client():
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(listener.getsockname())
                assert connection.recv(10) == b"hello"

        together(server, client)


def encrypted():
    secret, trusted = contexts(CERTIFICATE)
    with listening() as listener:

        def server():
            with secret.wrap_socket(listener.accept()[0], server_side=True) as connection:
                connection.sendall(connection.recv(100).upper())

        def client():
            plain = socket.create_connection(listener.getsockname())
            with trusted.wrap_socket(plain, server_hostname="localhost") as connection:
                connection.sendall(b"hello")
                assert connection.recv(100) == b"HELLO"

        together(server, client)


def asks_a_child():
    """A child process answers in its own time; nobody else can move."""
    done = subprocess.run([sys.executable, "-c", "print(input())"], input=b"hello\n", capture_output=True, check=True)
    assert done.stdout == b"hello\n"


def forks_a_child():
    """A child that is forked has one thread, and runs on as it would."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, b"hello")
        os._exit(0)
    assert os.read(read, 5) == b"hello"
    os.waitpid(child, 0)


def waits_for_a_signal():
    woken = threading.Event()
    before = signal.signal(signal.SIGALRM, lambda *_: woken.set())
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    assert woken.wait()
    signal.signal(signal.SIGALRM, before)
