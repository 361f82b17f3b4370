"""What this process knows of its sockets: which are the two ends of one connection, and who listens where.

A socket is known by the number that the system gives to what is behind its descriptor, whatever becomes of the object.
"""

from __future__ import annotations

import _socket
import socket
import weakref
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from simcore.control.baton import Run
from simcore.control.descriptors import file_number, is_ready, wait
from simcore.control.thread import ControlledThread

SOCKET = _socket.socket
ORIGINAL = {name: SOCKET.__dict__[name] for name in SOCKET.__dict__ if callable(SOCKET.__dict__[name])}
fileno, set_option = ORIGINAL["fileno"], ORIGINAL["setsockopt"]
make_pair = _socket.socketpair

_FIRST_PORT = 50_000
IN = (socket.AF_INET, socket.AF_INET6)
ANY = ("0.0.0.0", "::")
SEND_BUFFER = (socket.SOL_SOCKET, socket.SO_SNDBUF)

Option = tuple[Any, ...]


@dataclass
class End:
    """One end of a connection, or of a pair."""

    other: int
    name: Any = None
    peer: Any = None
    has_sent_late: bool = False


class Pending(NamedTuple):
    """A connection that was made, and not accepted yet."""

    descriptor: int
    address: Any


@dataclass
class Listener:
    """Who listens at an address."""

    family: int
    address: Any
    backlog: int
    descriptor: int
    number: int
    bell: int
    options: list[Option]
    pending: list[Pending] = field(default_factory=list)


class Net:
    """All connections of this process, which has one run."""

    def __init__(self) -> None:
        self.ends: dict[int, End] = {}
        self.listeners: dict[tuple[int, int], Listener] = {}
        self.bound: dict[int, Any] = {}
        self.paths: set[Any] = set()
        self.options: dict[int, list[Option]] = {}
        self.sockets: dict[int, weakref.ref[Any]] = {}
        self.port = _FIRST_PORT


NET = Net()


def number_of(sock: Any) -> int:
    """Return the number of what is behind a socket, and remember which object it is."""
    number = file_number(fileno(sock))
    try:
        NET.sockets[number] = weakref.ref(sock)
    except TypeError:  # one without `socket.socket` around it
        NET.sockets.pop(number, None)
    return number


def others(descriptors: list[int]) -> list[Any]:
    """Return the sockets at the other ends of some descriptors, where there are such."""
    ends = [NET.ends.get(file_number(each)) for each in descriptors if each >= 0]
    found = [NET.sockets.get(end.other) for end in ends if end is not None]
    return [each for reference in found if reference is not None and (each := reference()) is not None]


def sockets_of(descriptors: list[int]) -> list[Any]:
    """Return the sockets that have some descriptors."""
    found = [NET.sockets.get(file_number(each)) for each in descriptors if each >= 0]
    return [each for reference in found if reference is not None and (each := reference()) is not None]


def is_stream(sock: Any) -> bool:
    """Tell whether a socket is one for streams."""
    return bool(sock.type & 0xF == socket.SOCK_STREAM)


def is_tcp(sock: Any) -> bool:
    """Tell whether a socket is one of TCP."""
    return sock.family in IN and is_stream(sock)


def here_only(sock: Any, address: Any) -> bool:
    """Tell whether ``address`` is one that only this process can have: of TCP, at the loopback or all interfaces."""
    if not is_tcp(sock) or not isinstance(address, tuple):
        return False
    host = address[0] if address else None
    return isinstance(host, str) and (host in ("", "localhost", "::1", *ANY) or host.startswith("127."))


def whole(family: int, address: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return an address as the system tells it."""
    host, port = address[:2]
    named = {"": ANY[IN.index(family)], "localhost": ("127.0.0.1", "::1")[IN.index(family)]}.get(host, host)
    return (named, port) if family == socket.AF_INET else (named, port, *(*address[2:], 0, 0)[:2])


def free_port() -> int:
    """Return the next port that nobody has."""
    NET.port += 1
    return NET.port


def listener_at(family: int, address: tuple[Any, ...]) -> Listener | None:
    """Return who listens there: nobody whose descriptor was closed, in whatever way."""
    found = NET.listeners.get((family, address[1]))
    if found is None or file_number(found.descriptor) != found.number:
        return None
    return found if found.address[0] in (*ANY, address[0]) or address[0] in ANY else None


def listener_of(sock: Any) -> Listener | None:
    """Return what a socket listens at, if it does."""
    number = file_number(fileno(sock))
    return next((each for each in NET.listeners.values() if each.number == number), None)


def until_ready(
    found: tuple[Run, ControlledThread], sock: Any, label: str, events: int, until: float | None = None
) -> None:
    """Go on when ``sock`` is ready; ``until`` some time, if that is given, instead of the socket's own limit.

    Raises
    ------
    TimeoutError
        When it is not ready in time; one that does not block says itself what it has to say.
    """
    number_of(sock)
    limit = sock.gettimeout() if until is None else max(0.0, until - found[0].now)
    ready = lambda: is_ready(fileno(sock), events)  # noqa: E731
    if not wait(*found, label, sock, ready, limit, lambda: [fileno(sock)]) and sock.gettimeout() != 0:
        raise TimeoutError("timed out")
