"""To read from a socket, or to write to one, is a step that can be taken when the socket itself is ready for it.

A connection of TCP holds as many bytes as its buffer is large, however they were sent. A pair of UNIX sockets, which it
is here, counts whole packets with what the system needs around each; so what lies in it is put together where the
system says that it is full before that many bytes are in it.
"""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Callable
from typing import Any

from simcore.control.baton import Run
from simcore.control.descriptors import file_number, note_inside, wait
from simcore.control.net import (
    NET,
    ORIGINAL,
    SOCKET,
    End,
    fileno,
    is_stream,
    limit_of,
    listener_of,
    make_pair,
    number_of,
    time_left,
    unread,
    until,
)
from simcore.control.primitives import here
from simcore.control.thread import ControlledThread

_send = ORIGINAL["send"]
_FLAGS_AT = {"recv": 1, "recvfrom": 1, "recv_into": 2, "recvfrom_into": 2, "recvmsg": 2, "recvmsg_into": 2}


# ---- reading -----------------------------------------------------------------------------------------------------


def reading(name: str) -> Callable[..., Any]:
    """Return a method that waits until there is something to read."""
    original, said, at = ORIGINAL[name], name.lstrip("_"), _FLAGS_AT.get(name)

    def operation(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        found = here()
        if found is None or fileno(self) < 0 or (name.startswith("recv") and _wants_nothing(args)):
            return original(self, *args, **kwargs)
        if at is not None and listener_of(self) is not None:
            raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")
        flags = kwargs.get("flags", args[at] if at is not None and len(args) > at else 0)
        limit = limit_of(self, flags, socket.SO_RCVTIMEO)
        if flags & socket.MSG_WAITALL and limit != 0 and name in ("recv", "recv_into"):
            return _all_of_it(self, name, args)
        until(found, self, f"socket.{said}", select.POLLIN, limit)
        if fileno(self) < 0 and name == "recv":  # it was shut down, and closed since
            return b""
        return original(self, *args, **kwargs)

    return operation


def _wants_nothing(args: tuple[Any, ...]) -> bool:
    """Tell whether nothing is asked for, or less, by number or by the size of what it goes to."""
    first = args[0] if args else 0
    return first <= 0 if isinstance(first, int) else isinstance(first, bytearray) and not first


def _all_of_it(sock: Any, name: str, args: tuple[Any, ...]) -> Any:
    """Receive as much as was asked for, or until the end."""
    view = memoryview(bytearray(args[0]) if name == "recv" else args[0]).cast("B")
    size, got = (len(view) if name == "recv" else args[1] or len(view)), 0
    while got < size and (more := sock.recv(size - got)):
        view[got : got + len(more)] = more
        got += len(more)
    return bytes(view[:got]) if name == "recv" else got


# ---- writing -----------------------------------------------------------------------------------------------------


def send(self: Any, data: Any, flags: int = 0, /) -> int:
    """Send; a stream that waits takes all of it, unless it has a limit."""
    found = here()
    if found is None or fileno(self) < 0:
        return int(_send(self, data, flags))
    limit = limit_of(self, flags, socket.SO_SNDTIMEO)
    found[0].point(found[1], "socket.send", self)
    if limit == 0 or not is_stream(self):
        return _once(found, self, "send", (data, flags), limit)
    view = memoryview(data)
    return _as_much(found, self, "socket.send", view.cast("B") if view.c_contiguous else view, flags, limit, None)


def sendall(self: Any, data: Any, flags: int = 0, /) -> None:
    """Send all of it; the limit of the socket is one for the whole."""
    found = here()
    view = memoryview(data)
    if found is None or fileno(self) < 0 or not view.c_contiguous or not is_stream(self):
        ORIGINAL["sendall"](self, data, flags)
        return
    limit, view = limit_of(self, flags, socket.SO_SNDTIMEO), view.cast("B")
    found[0].point(found[1], "socket.sendall", self)
    if limit == 0:
        ORIGINAL["sendall"](self, data, flags)
        return
    by = None if limit is None else found[0].now + limit
    while view:
        view = view[_as_much(found, self, "socket.sendall", view, flags, limit, by) :]


def sendmsg(self: Any, buffers: Any, *args: Any) -> int:
    """Send what is in several places; what goes with it goes with the first of it."""
    found = here()
    if found is None or fileno(self) < 0:
        return int(ORIGINAL["sendmsg"](self, buffers, *args))
    flags = args[1] if len(args) > 1 else 0
    limit = limit_of(self, flags, socket.SO_SNDTIMEO)
    if is_stream(self) and limit != 0 and not (args and args[0]):
        return send(self, b"".join(buffers), flags)
    found[0].point(found[1], "socket.sendmsg", self)
    return _once(found, self, "sendmsg", (buffers, *args), limit)


def sendto(self: Any, *args: Any) -> int:
    """Send to an address."""
    found = here()
    if found is None or fileno(self) < 0:
        return int(ORIGINAL["sendto"](self, *args))
    flags = args[1] if len(args) > 2 else 0
    found[0].point(found[1], "socket.sendto", self)
    return _once(found, self, "sendto", args, limit_of(self, flags, socket.SO_SNDTIMEO))


Found = tuple[Run, ControlledThread]


def _once(found: Found, sock: Any, name: str, args: tuple[Any, ...], limit: float | None) -> int:
    """Send what is sent in one piece, or what there is room for; wait before that, where the socket waits."""
    if limit != 0:
        until(found, sock, f"socket.{name}", select.POLLOUT, limit)
    try:
        return int(ORIGINAL[name](sock, *args))
    except BrokenPipeError:
        if name != "send" or not _is_taken(sock):
            raise
        return len(args[0])


def _as_much(
    found: Found, sock: Any, label: str, view: memoryview, flags: int, limit: float | None, by: float | None
) -> int:
    """Send all of it where there is no limit; else what there is room for, once there is some."""
    sent = 0
    while True:
        more = _some(sock, view[sent:], flags)
        sent += more
        if sent == len(view) or (more and limit is not None):
            return sent
        if more == 0:
            _until_room(found, sock, label, limit, by)


def _some(sock: Any, view: memoryview, flags: int) -> int:
    """Send what there is room for, which may be nothing."""
    end = NET.ends.get(number_of(sock))
    room = len(view) if end is None or end.limit is None else end.limit - unread(end.other)
    if room <= 0 and view:
        return 0
    for again in (False, True):
        try:
            return int(_send(sock, view[:room], flags | socket.MSG_DONTWAIT))
        except BlockingIOError:
            if end is None or end.limit is None or again or not _put_together(sock, end.other):
                return 0
        except BrokenPipeError:
            if not _is_taken(sock):
                raise
            return len(view)
    return 0


def _until_room(found: Found, sock: Any, label: str, limit: float | None, by: float | None) -> None:
    """Wait until there is room, or nobody any more who could take it."""
    end = NET.ends.get(number_of(sock))
    if end is None or end.limit is None:
        until(found, sock, label, select.POLLOUT, limit, by)
        return
    most, other, number, descriptor = end.limit, end.other, number_of(sock), fileno(sock)

    def has_room() -> bool:
        return file_number(descriptor) == number and (unread(other) < most or NET.descriptor(other) < 0)

    if not wait(*found, label, sock, has_room, time_left(found[0], limit, by), [number]):
        raise TimeoutError("timed out")


def _put_together(sock: Any, other: int) -> bool:
    """Put what was sent, and is not read yet, into one piece; tell whether there was something."""
    descriptor = NET.descriptor(other)
    if descriptor < 0:
        return False
    blocks = os.get_blocking(descriptor)
    os.set_blocking(descriptor, False)
    pieces = []
    try:
        while piece := _read(descriptor, 1 << 20):
            pieces.append(piece)
    except BlockingIOError:
        pass
    finally:
        os.set_blocking(descriptor, blocks)
    whole = memoryview(b"".join(pieces))
    while whole:
        whole = whole[_send(sock, whole, socket.MSG_DONTWAIT) :]
    return bool(pieces)


_read = os.read


def _is_taken(sock: Any) -> bool:
    """Tell whether TCP takes what is sent although the other side has closed: once, before it hears of it."""
    end = NET.ends.get(number_of(sock))
    if end is None or end.limit is None or end.has_sent_late or end.has_ended:
        return False
    end.has_sent_late = True
    return True


def _send_by_hand(*args: Any) -> None:
    """Have `socket.socket.sendfile` send as anybody would: the system's way waits in C."""
    raise socket._GiveupOnSendfile  # type: ignore[attr-defined]


# ---- making ------------------------------------------------------------------------------------------------------


def make(self: Any, /, *args: Any, **kwargs: Any) -> None:
    """Make a socket, and remember which descriptor it has; one end of a connection is one of TCP."""
    given = kwargs.get("fileno", args[3] if len(args) > 3 else None)
    if here() is not None and given is not None and (args[0] if args else kwargs.get("family", -1)) == -1:
        end = NET.ends.get(file_number(given))
        if end is not None and end.name is not None:
            args, kwargs = (), {"family": end.family, "type": socket.SOCK_STREAM, "fileno": given}
    ORIGINAL["__init__"](self, *args, **kwargs)
    if here() is not None:
        number_of(self)


def socketpair(*args: Any) -> Any:
    """Return two ends of a pair, both of which the program has."""
    pair = make_pair(*args)
    if here() is not None:
        one, other = (number_of(each) for each in pair)
        note_inside(*(each.fileno() for each in pair))
        NET.ends[one], NET.ends[other] = End(other), End(one)
    return pair


METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    SOCKET: {
        **{name: reading(name) for name in _FLAGS_AT},
        "__init__": make,
        "send": send,
        "sendall": sendall,
        "sendmsg": sendmsg,
        "sendto": sendto,
    },
    socket.socket: {"_sendfile_use_sendfile": _send_by_hand},
}
FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {make_pair: socketpair}
