"""To read from a socket, or to write to one, is a step that can be taken when the socket itself is ready for it."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from typing import Any

from simcore.control.descriptors import file_number, note_inside
from simcore.control.net import NET, ORIGINAL, SOCKET, End, fileno, is_stream, make_pair, number_of, until_ready
from simcore.control.primitives import here

_send = ORIGINAL["send"]


def reading(name: str) -> Callable[..., Any]:
    """Return a method that waits until there is something to read."""
    original, said = ORIGINAL[name], name.lstrip("_")

    def operation(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        found = here()
        if found is not None and fileno(self) >= 0:
            until_ready(found, self, f"socket.{said}", select.POLLIN)
        return original(self, *args, **kwargs)

    return operation


def _writing(name: str) -> Callable[..., Any]:
    original = ORIGINAL[name]

    def operation(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        found = here()
        if found is not None and fileno(self) >= 0:
            until_ready(found, self, f"socket.{name}", select.POLLOUT)
        return original(self, *args, **kwargs)

    return operation


def send(self: Any, data: Any, flags: int = 0, /) -> int:
    """Send; a stream that blocks takes all of it."""
    found = here()
    if found is None or fileno(self) < 0:
        return int(_send(self, data, flags))
    if not is_stream(self):
        return int(_writing("send")(self, data, flags))
    view, sent = memoryview(data).cast("B"), 0
    while True:
        until_ready(found, self, "socket.send", select.POLLOUT)
        sent += _some(self, view[sent:], flags)
        if sent == len(view) or self.gettimeout() is not None:
            return sent


def sendall(self: Any, data: Any, flags: int = 0, /) -> None:
    """Send all of it; the limit of the socket is one for the whole."""
    found = here()
    if found is None or fileno(self) < 0 or self.gettimeout() == 0 or not is_stream(self):
        ORIGINAL["sendall"](self, data, flags)
        return
    limit = self.gettimeout()
    until = None if limit is None else found[0].now + limit
    view, sent = memoryview(data).cast("B"), 0
    while sent < len(view):
        until_ready(found, self, "socket.sendall", select.POLLOUT, until)
        sent += _some(self, view[sent:], flags)


def make(self: Any, /, *args: Any, **kwargs: Any) -> None:
    """Make a socket, and remember which descriptor it has."""
    ORIGINAL["__init__"](self, *args, **kwargs)
    if here() is not None:
        number_of(self)


def _some(sock: Any, view: memoryview, flags: int) -> int:
    """Send what there is room for. TCP takes what is sent first after the other side has closed; a pair does not."""
    try:
        return int(_send(sock, view, flags | socket.MSG_DONTWAIT))
    except BlockingIOError:
        if sock.gettimeout() == 0:
            raise
        return 0
    except BrokenPipeError:
        end = NET.ends.get(number_of(sock))
        if end is None or end.peer is None or end.has_sent_late:
            raise
        end.has_sent_late = True
        return len(view)


def socketpair(*args: Any) -> Any:
    """Return two ends of a pair, both of which the program has."""
    pair = make_pair(*args)
    if here() is not None:
        one, other = (file_number(each.fileno()) for each in pair)
        note_inside(*(each.fileno() for each in pair))
        NET.ends[one], NET.ends[other] = End(other), End(one)
    return pair


METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    SOCKET: {
        **{
            name: reading(name)
            for name in ["recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into"]
        },
        **{name: _writing(name) for name in ("sendto", "sendmsg")},
        "__init__": make,
        "send": send,
        "sendall": sendall,
    }
}
FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {make_pair: socketpair}
