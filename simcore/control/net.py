"""What this process knows of its sockets: which are the two ends of one connection, and who listens where.

A socket is known by the number that the system gives to what is behind its descriptor, whatever becomes of the object.
"""

from __future__ import annotations

import _socket
import errno
import fcntl
import ipaddress
import os
import socket
import struct
import termios
import weakref
from array import array
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from simcore.control.baton import Run
from simcore.control.descriptors import file_number, until_ready
from simcore.control.thread import ControlledThread

SOCKET = _socket.socket
ORIGINAL = {name: SOCKET.__dict__[name] for name in SOCKET.__dict__ if callable(SOCKET.__dict__[name])}
fileno, set_option = ORIGINAL["fileno"], ORIGINAL["setsockopt"]
make_pair = _socket.socketpair

_FIRST_PORT = 50_000
IN = (socket.AF_INET, socket.AF_INET6)
SEND_BUFFER = (socket.SOL_SOCKET, socket.SO_SNDBUF)

Option = tuple[Any, ...]


@dataclass
class End:
    """One end of a connection, or of a pair.

    Attributes
    ----------
    other : int
        The number of the other end.
    name, peer : addresses
        Its own, and that of the other end; None of a pair.
    limit : int, optional
        How many bytes may lie between the two; None of a pair, which the system limits.
    has_ended, has_sent_late : bool
        Whether it was shut down for writing, and whether it has sent something after the other end was closed.
    """

    other: int
    name: Any = None
    peer: Any = None
    limit: int | None = None
    has_ended: bool = False
    has_sent_late: bool = False

    @property
    def family(self) -> int:
        """The family of its address."""
        return socket.AF_INET if len(self.name) == 2 else socket.AF_INET6


class Pending(NamedTuple):
    """A connection that was made, and not accepted yet."""

    descriptor: int
    address: Any


@dataclass(eq=False)
class Listener:
    """Who listens at an address.

    Attributes
    ----------
    number : int
        What is behind its descriptor: one end of a pair, which is readable while somebody waits to be accepted.
    bell : int
        The descriptor of the other end.
    """

    address: Address
    backlog: int
    number: int
    bell: int
    options: list[Option]
    pending: list[Pending] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether it was not closed, in whatever way."""
        return NET.descriptor(self.number) >= 0

    @property
    def takes_both(self) -> bool:
        """Whether one of IPv6 takes connections of IPv4, too."""
        return not said_last(self.options, (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))


def said_last(options: Iterable[Option], option: tuple[int, int]) -> Any:
    """Return to what an option was set last; None where it was not."""
    return next((each[2] for each in reversed(list(options)) if each[:2] == option), None)


class Net:
    """All connections of this process, which has one run."""

    def __init__(self) -> None:
        self.ends: dict[int, End] = {}
        self.listeners: list[Listener] = []
        self.bound: dict[int, Address] = {}
        self.paths: set[Any] = set()
        self.options: dict[int, list[Option]] = {}
        self.sockets: dict[int, weakref.ref[Any]] = {}
        self.descriptors: dict[int, int] = {}
        self.port = _FIRST_PORT

    def descriptor(self, number: int) -> int:
        """Return under which descriptor something is open, as far as is known; -1 where it is closed."""
        known = self.descriptors.get(number)
        if known is not None and (known < 0 or file_number(known) == number):  # what is closed is so for ever
            return known
        found = next((fd for fd in open_descriptors() if file_number(fd) == number), -1)
        self.descriptors[number] = found
        return found


NET = Net()


def number_of(sock: Any) -> int:
    """Return the number of what is behind a socket, and remember which object it is."""
    number = file_number(fileno(sock))
    NET.descriptors[number] = fileno(sock)
    try:
        NET.sockets[number] = weakref.ref(sock)
    except TypeError:  # one without `socket.socket` around it
        NET.sockets.pop(number, None)
    return number


def unread(number: int) -> int:
    """Return how many bytes lie at an end, and were not read; none at one that is closed."""
    descriptor, size = NET.descriptor(number), array("i", [0])
    if descriptor >= 0:
        fcntl.ioctl(descriptor, termios.FIONREAD, size)
    return size[0]


def open_descriptors() -> list[int]:
    """Return the descriptors of this process that are open."""
    return [int(name) for name in os.listdir("/proc/self/fd")]


def others(descriptors: list[int]) -> list[Any]:
    """Return the sockets at the other ends of some descriptors, where there are such."""
    ends = [NET.ends.get(file_number(each)) for each in descriptors if each >= 0]
    return _that_are_there(end.other for end in ends if end is not None)


def sockets_of(descriptors: list[int]) -> list[Any]:
    """Return the sockets that have some descriptors."""
    return _that_are_there(file_number(each) for each in descriptors if each >= 0)


def _that_are_there(numbers: Iterable[int]) -> list[Any]:
    found = map(NET.sockets.get, numbers)
    return [each for reference in found if reference is not None and (each := reference()) is not None]


def is_stream(sock: Any) -> bool:
    """Tell whether a socket is one for streams."""
    return bool(sock.type & 0xF == socket.SOCK_STREAM)


def is_tcp(sock: Any) -> bool:
    """Tell whether a socket is one of TCP."""
    return sock.family in IN and is_stream(sock)


class Address(NamedTuple):
    """Where somebody listens: an interface, and a port."""

    host: str
    port: int

    def for_family(self, family: int) -> tuple[Any, ...]:
        """Return it as sockets of a family tell it."""
        if family == socket.AF_INET:
            return tuple(self)
        return (f"::ffff:{self.host}" if ":" not in self.host else self.host, self.port, 0, 0)

    @property
    def is_any(self) -> bool:
        """Whether it is that of all interfaces."""
        return self.host in ("0.0.0.0", "::")

    def meets(self, other: Address) -> bool:
        """Tell whether both cannot be listened at."""
        one_kind = (":" in self.host) == (":" in other.host)
        return self.port == other.port and (self.host == other.host or (one_kind and (self.is_any or other.is_any)))


def address_here(sock: Any, address: Any) -> Address | None:
    """Return an address that only this process can have: of TCP, at the loopback or all interfaces; else None."""
    if not is_tcp(sock) or not isinstance(address, tuple) or len(address) < 2:
        return None
    host, port = address[:2]
    if not isinstance(host, str) or not isinstance(port, int) or not 0 <= port < 65_536:
        return None
    plain = sock.family == socket.AF_INET
    if host.lower() in ("", "localhost"):
        named = ("0.0.0.0" if plain else "::") if not host else ("127.0.0.1" if plain else "::1")
        return Address(named, port)
    with suppress(OSError, ValueError):
        known = ipaddress.ip_address(socket.inet_ntoa(socket.inet_aton(host)) if plain else host.partition("%")[0])
        if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped is not None:
            known = known.ipv4_mapped
        return Address(str(known), port) if known.is_loopback or known.is_unspecified else None
    return None


def free_port() -> int:
    """Return the next port that nobody has."""
    taken = {listener.address.port for listener in NET.listeners} | {bound.port for bound in NET.bound.values()}
    NET.port += 1
    while NET.port in taken:
        NET.port += 1
    return NET.port


def listener_at(address: Address) -> Listener | None:
    """Return who listens at an address, or at all of its kind."""
    if address.is_any:
        address = Address("127.0.0.1" if address.host == "0.0.0.0" else "::1", address.port)
    hosts = [address.host, "::" if ":" in address.host else "0.0.0.0"]
    found = [each for each in NET.listeners if each.address.port == address.port and each.is_open]
    both = (each for each in found if each.address.host == "::" and each.takes_both)
    return next((each for host in hosts for each in found if each.address.host == host), next(both, None))


def listener_of(sock: Any) -> Listener | None:
    """Return what a socket listens at, if it does."""
    number = file_number(fileno(sock)) if NET.listeners else 0
    return next((each for each in NET.listeners if each.number == number), None)


def limit_of(sock: Any, flags: int, timeouts: int) -> float | None:
    """Return for how long an operation of a socket waits, in seconds: 0 where it does not, None for ever."""
    limit: float | None = sock.gettimeout()
    if flags & socket.MSG_DONTWAIT or (limit is None and not os.get_blocking(fileno(sock))):
        return 0.0
    if limit is None:
        seconds, micro = struct.unpack("@ll", ORIGINAL["getsockopt"](sock, socket.SOL_SOCKET, timeouts, 16))
        limit = seconds + micro / 1e6 or None
    return limit


def time_left(run: Run, limit: float | None, by: float | None) -> float | None:
    """Return how many seconds are left of a limit for each wait, or ``by`` some time for several of them."""
    return limit if by is None else max(1e-6, by - run.now)


def until(
    found: tuple[Run, ControlledThread],
    sock: Any,
    label: str,
    events: int,
    limit: float | None,
    by: float | None = None,
) -> None:
    """Go on when ``sock`` is ready for ``events``; within ``limit`` seconds, or ``by`` some time.

    Raises
    ------
    TimeoutError
        When it is not ready in time; one that does not wait says itself what it has to say.
    """
    number_of(sock)
    if until_ready(*found, label, sock, fileno(sock), events, time_left(found[0], limit, by)) or limit == 0:
        return
    if sock.gettimeout() is None:  # an option of the system's
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
    raise TimeoutError("timed out")
