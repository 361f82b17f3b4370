"""TCP inside of the process is a pair of sockets of the system under the same descriptors: what is sent, has arrived.

The loopback of the kernel has threads of its own: what is sent is readable a moment later, and ports are whoever's was
faster. Here ``listen`` makes an address known in this process alone, ``connect`` makes a pair of UNIX sockets, and puts
one end under the descriptor that connects; the other one is what ``accept`` returns. They have finite buffers, which
fill up; they end, are reset and shut down in halves as TCP is. Nothing is bound for real, so that ports are the same in
each run, and two runs do not meet.

Whoever connects to somebody who does not listen in this process, does so for real.
"""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Callable
from typing import Any

from simcore.control.descriptors import file_number, note_inside, wait
from simcore.control.net import (
    ANY,
    NET,
    ORIGINAL,
    SEND_BUFFER,
    SOCKET,
    End,
    Listener,
    Option,
    Pending,
    fileno,
    free_port,
    here_only,
    is_stream,
    is_tcp,
    listener_at,
    listener_of,
    make_pair,
    number_of,
    set_option,
    until_ready,
    whole,
)
from simcore.control.primitives import here
from simcore.control.sockets import reading

BUFFER = 65_536
"""Bytes that a connection holds in each direction where the program does not say how many; the kernel doubles it."""


def bind(self: Any, address: Any, /) -> None:
    """Give a socket an address: in this process alone, if it is one of TCP."""
    if here() is None or not here_only(self, address):
        ORIGINAL["bind"](self, address)
        NET.paths.add(address)
        return
    found, number = whole(self.family, address), number_of(self)
    if number in NET.bound or listener_of(self) is not None:
        raise OSError(errno.EINVAL, "Invalid argument")
    if not isinstance(found[1], int) or not 0 <= found[1] < 65_536:
        ORIGINAL["bind"](self, address)  # which raises
    if found[1] == 0:
        found = (found[0], free_port(), *found[2:])
    if listener_at(self.family, found) is not None:
        raise OSError(errno.EADDRINUSE, "Address already in use")
    NET.bound[number] = found


def listen(self: Any, backlog: int = 128, /) -> None:
    """Listen at the address that was given."""
    found, number = here(), number_of(self)
    if found is None or not is_tcp(self) or (number not in NET.bound and ORIGINAL["getsockname"](self)[1]):
        ORIGINAL["listen"](self, backlog)
        note_inside(fileno(self))
        return
    found[0].point(found[1], "socket.listen", self)
    if (again := listener_of(self)) is not None:
        again.backlog = backlog
        return
    address = NET.bound.pop(number, None) or whole(self.family, ("", free_port()))
    if listener_at(self.family, address) is not None:
        raise OSError(errno.EADDRINUSE, "Address already in use")
    options = NET.options.pop(number, [])
    rings, bell = make_pair()
    _put_under(self, rings)
    note_inside(fileno(self))
    listener = Listener(self.family, address, max(0, backlog), fileno(self), number_of(self), bell.detach(), options)
    NET.listeners[self.family, address[1]] = listener
    NET.options[listener.number] = options


def _put_under(sock: Any, other: Any) -> None:
    """Put what ``other`` is under the descriptor of ``sock``, which has the same limit as before."""
    descriptor, blocks = fileno(sock), sock.gettimeout() is None
    os.dup2(other.fileno(), descriptor, os.get_inheritable(descriptor))
    os.set_blocking(descriptor, blocks)
    ORIGINAL["close"](other)


def connect(self: Any, address: Any, /) -> None:
    """Connect: to somebody in this process, or for real."""
    found = here()
    if found is None or fileno(self) < 0:
        ORIGINAL["connect"](self, address)
        return
    run, thread = found
    listener = listener_at(self.family, whole(self.family, address)) if here_only(self, address) else None
    if listener is None or number_of(self) in NET.ends:
        run.point(thread, "socket.connect", self)
        ORIGINAL["connect"](self, address)  # which refuses, most likely
        if self.family == socket.AF_UNIX and address in NET.paths:
            note_inside(fileno(self))
        elif is_stream(self):
            run.outside = True
        return

    def has_room() -> bool:
        return len(listener.pending) <= listener.backlog or file_number(listener.descriptor) != listener.number

    limit = None if self.gettimeout() == 0 else self.gettimeout()
    if not wait(run, thread, "socket.connect", self, has_room, limit, list):
        raise TimeoutError("timed out")
    if listener_at(self.family, listener.address) is not listener:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    number = file_number(fileno(self))
    options, bound = NET.options.pop(number, []), NET.bound.pop(number, None)
    host = "127.0.0.1" if self.family == socket.AF_INET else "::1"
    peer = (host if listener.address[0] in ANY else listener.address[0], *listener.address[1:])
    own = (peer[0], free_port(), *peer[2:]) if bound is None else bound
    near, far = make_pair()
    _limit_buffer(near, options)
    _limit_buffer(far, listener.options)
    _put_under(self, near)
    near_number, far_number = number_of(self), file_number(far.fileno())
    note_inside(fileno(self), far.fileno())
    NET.ends[near_number], NET.ends[far_number] = End(far_number, own, peer), End(near_number, peer, own)
    NET.options[near_number], NET.options[far_number] = options, list(listener.options)
    listener.pending.append(Pending(far.detach(), own))
    os.write(listener.bell, b"\0")


def _limit_buffer(sock: Any, options: list[Option]) -> None:
    said = [each[2] for each in options if each[:2] == SEND_BUFFER]
    set_option(sock, *SEND_BUFFER, said[-1] if said else BUFFER)


def connect_ex(self: Any, address: Any, /) -> int:
    """Connect, and return what went wrong as a number."""
    if here() is None:
        return int(ORIGINAL["connect_ex"](self, address))
    try:
        connect(self, address)
    except TimeoutError:
        return errno.EAGAIN
    except OSError as error:
        if error.errno is None:
            raise
        return error.errno
    return 0


_accept_any = reading("_accept")


def accept(self: Any, /) -> Any:
    """Take the connection that was made first."""
    found, listener = here(), listener_of(self)
    if found is None or listener is None:
        accepted = _accept_any(self)
        if found is not None and self.family == socket.AF_UNIX:
            note_inside(accepted[0])
        return accepted
    until_ready(found, self, "socket.accept", select.POLLIN)
    if file_number(fileno(self)) != listener.number:
        raise OSError(errno.EBADF, "Bad file descriptor")
    if NET.listeners.get((listener.family, listener.address[1])) is not listener:  # shut down
        raise OSError(errno.EINVAL, "Invalid argument")
    if not listener.pending:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
    os.read(fileno(self), 1)
    return listener.pending.pop(0)


def close(self: Any, /) -> None:
    """Close."""
    if here() is not None and (listener := listener_of(self)) is not None:
        _no_longer(listener)
    ORIGINAL["close"](self)


def _no_longer(listener: Listener) -> None:
    del NET.listeners[listener.family, listener.address[1]]
    os.close(listener.bell)
    for each in listener.pending:
        os.close(each.descriptor)


def shutdown(self: Any, how: int, /) -> None:
    """Shut down; whoever accepts from a socket that has listened is told."""
    found = here()
    if found is not None:
        found[0].point(found[1], "socket.shutdown", self)
        if (listener := listener_of(self)) is not None:
            _no_longer(listener)
            return
    ORIGINAL["shutdown"](self, how)


def getsockname(self: Any, /) -> Any:
    """Return the own address."""
    number = file_number(fileno(self))
    if number in NET.bound:
        return NET.bound[number]
    if (listener := listener_of(self)) is not None:
        return listener.address
    end = NET.ends.get(number)
    return ORIGINAL["getsockname"](self) if end is None or end.name is None else end.name


def getpeername(self: Any, /) -> Any:
    """Return the address of the other side."""
    if listener_of(self) is not None:
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")
    end = NET.ends.get(file_number(fileno(self)))
    return ORIGINAL["getpeername"](self) if end is None or end.peer is None else end.peer


def setsockopt(self: Any, level: int, option: int, *value: Any) -> None:
    """Set an option, which a connection of TCP has from then on, and whatever is accepted."""
    if here() is None or not is_tcp(self):
        set_option(self, level, option, *value)
        return
    number, said = number_of(self), (level, option, *value)
    if number not in NET.ends and listener_of(self) is None:
        set_option(self, *said)
    else:
        _as_tcp(self.family, [said], lambda asked: None)  # which refuses what cannot be
        if said[:2] == SEND_BUFFER:
            set_option(self, *said)
    NET.options.setdefault(number, []).append(said)


def getsockopt(self: Any, level: int, option: int, *size: Any) -> Any:
    """Return what an option is: what a socket of TCP to which the same was done says."""
    ask = ORIGINAL["getsockopt"]
    number = file_number(fileno(self))
    if (number not in NET.ends and listener_of(self) is None) or not is_tcp(self):
        return ask(self, level, option, *size)
    if (level, option) == (socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return int(listener_of(self) is not None)
    if (level, option) == (socket.SOL_SOCKET, socket.SO_ERROR):
        return ask(self, level, option, *size)
    return _as_tcp(self.family, NET.options.get(number, []), lambda asked: ask(asked, level, option, *size))


def _as_tcp(family: int, options: list[Option], ask: Callable[[Any], Any]) -> Any:
    """Return what a socket of the system, with some options, answers."""
    asked = SOCKET(family, socket.SOCK_STREAM)
    try:
        for each in options:
            set_option(asked, *each)
        return ask(asked)
    finally:
        ORIGINAL["close"](asked)


METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    SOCKET: {
        "bind": bind,
        "listen": listen,
        "connect": connect,
        "connect_ex": connect_ex,
        "_accept": accept,
        "close": close,
        "shutdown": shutdown,
        "getsockname": getsockname,
        "getpeername": getpeername,
        "setsockopt": setsockopt,
        "getsockopt": getsockopt,
    }
}
