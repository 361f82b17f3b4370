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
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from simcore.control.descriptors import carry_over, file_number, meets, note_inside, wait
from simcore.control.net import (
    NET,
    ORIGINAL,
    SEND_BUFFER,
    SOCKET,
    Address,
    End,
    Listener,
    Option,
    Pending,
    address_here,
    fileno,
    free_port,
    is_stream,
    is_tcp,
    limit_of,
    listener_at,
    listener_of,
    make_pair,
    number_of,
    said_last,
    set_option,
    unread,
    until,
)
from simcore.control.primitives import here
from simcore.control.sockets import reading

BUFFER = 1 << 18
"""Bytes that a connection holds in each direction where the program does not say how many."""

_MOST = 1 << 20
_read, _write = os.read, os.write


def bind(self: Any, address: Any, /) -> None:
    """Give a socket an address: in this process alone, if it is one of TCP."""
    where = address_here(self, address)
    if here() is None or where is None or fileno(self) < 0:
        ORIGINAL["bind"](self, address)
        NET.paths.add(address)
        return
    number = number_of(self)
    if number in NET.bound or listener_of(self) is not None:
        raise OSError(errno.EINVAL, "Invalid argument")
    _insist_on_a_free(self, where)
    NET.bound[number] = where if where.port else Address(where.host, free_port())


def _insist_on_a_free(sock: Any, where: Address) -> None:
    """Refuse an address that somebody has, unless both say that they share it."""
    shares = (socket.SOL_SOCKET, socket.SO_REUSEPORT)
    if ORIGINAL["getsockopt"](sock, *shares):
        return
    bound = [each for number, each in NET.bound.items() if number != number_of(sock) and NET.descriptor(number) >= 0]
    if any(where.meets(each) for each in [*bound, *(each.address for each in NET.listeners if each.is_open)]):
        raise OSError(errno.EADDRINUSE, "Address already in use")


def listen(self: Any, backlog: int = 128, /) -> None:
    """Listen at the address that was given."""
    found = here()
    if found is None or not is_tcp(self) or fileno(self) < 0:
        ORIGINAL["listen"](self, backlog)
        note_inside(fileno(self))
        return
    found[0].point(found[1], "socket.listen", self)
    if (again := listener_of(self)) is not None:
        again.backlog = backlog
        return
    number = number_of(self)
    if number not in NET.bound and ORIGINAL["getsockname"](self)[1]:  # for real, of another interface
        ORIGINAL["listen"](self, backlog)
        return
    any_host = "0.0.0.0" if self.family == socket.AF_INET else "::"
    address = NET.bound.get(number) or Address(any_host, free_port())
    _insist_on_a_free(self, address)
    NET.bound.pop(number, None)
    options = NET.options.pop(number, [])
    rings, bell = make_pair()
    _put_under(self, rings)
    note_inside(fileno(self))
    listener = Listener(address, max(0, backlog), number_of(self), bell.detach(), options)
    NET.listeners.append(listener)
    NET.options[listener.number] = options


def _put_under(sock: Any, other: Any) -> None:
    """Put what ``other`` is under the descriptor of ``sock``, which waits, and is watched, as before."""
    descriptor = fileno(sock)
    blocks = os.get_blocking(descriptor)
    carry_over(descriptor, lambda: os.dup2(other.fileno(), descriptor, os.get_inheritable(descriptor)))
    os.set_blocking(descriptor, blocks)
    ORIGINAL["close"](other)


def connect(self: Any, address: Any, /) -> None:
    """Connect: to somebody in this process, or for real."""
    found = here()
    if found is None or fileno(self) < 0:
        ORIGINAL["connect"](self, address)
        return
    run, thread = found
    end, where = NET.ends.get(number_of(self)), address_here(self, address)
    if end is not None and end.name is not None:
        raise OSError(errno.EISCONN, "Transport endpoint is already connected")
    listener = None if where is None else listener_at(where)
    if where is None or listener is None:
        run.point(thread, "socket.connect", self)
        ORIGINAL["connect"](self, address)  # which refuses, most likely
        if self.family == socket.AF_UNIX and address in NET.paths:
            note_inside(fileno(self))
        elif is_stream(self):
            meets(run, thread, "connect")
        return

    def has_room() -> bool:
        return len(listener.pending) <= listener.backlog or not listener.is_open

    limit = limit_of(self, 0, socket.SO_SNDTIMEO)
    if limit == 0:
        run.point(thread, "socket.connect", self)
    elif not wait(run, thread, "socket.connect", self, has_room, limit, []):
        raise TimeoutError("timed out")
    if listener not in NET.listeners or not listener.is_open:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    _join(self, where, listener)


def _join(sock: Any, where: Address, listener: Listener) -> None:
    """Make a connection, one end of which is ``sock``, and the other one waits to be accepted."""
    number = file_number(fileno(sock))
    options, bound = NET.options.pop(number, []), NET.bound.pop(number, None)
    asked = Address({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(where.host, where.host), where.port)
    own = bound if bound is not None and not bound.is_any else Address(asked.host, bound.port if bound else free_port())
    family = socket.AF_INET6 if ":" in listener.address.host else socket.AF_INET
    near, far = make_pair()
    for each in (near, far):
        set_option(each, *SEND_BUFFER, _MOST)
    _put_under(sock, near)
    note_inside(fileno(sock), far.fileno())
    near_number, far_number = number_of(sock), number_of(far)
    NET.ends[near_number] = End(
        far_number, own.for_family(sock.family), asked.for_family(sock.family), _buffer(options)
    )
    NET.ends[far_number] = End(near_number, asked.for_family(family), own.for_family(family), _buffer(listener.options))
    NET.options[near_number], NET.options[far_number] = options, list(listener.options)
    if not listener.pending:
        _write(listener.bell, b"\0")
    listener.pending.append(Pending(far.detach(), own.for_family(family)))


def _buffer(options: list[Option]) -> int:
    said = said_last(options, SEND_BUFFER)
    return BUFFER if said is None else max(2_304, said)


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
    until(found, self, "socket.accept", select.POLLIN, limit_of(self, 0, socket.SO_RCVTIMEO))
    if listener not in NET.listeners:  # shut down
        raise OSError(errno.EINVAL, "Invalid argument")
    if not listener.pending:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
    pending = listener.pending.pop(0)
    if not listener.pending:
        _read(fileno(self), 1)
    return pending


# ---- ending ------------------------------------------------------------------------------------------------------


def close(self: Any, /) -> None:
    """Close."""
    found = here()
    if found is not None and fileno(self) >= 0:
        found[0].point(found[1], "socket.close", self)
        number = number_of(self)
        end = NET.ends.get(number)
        if end is not None and end.peer is not None and _lingers_not(number):
            _reset(number, end.other)
    ORIGINAL["close"](self)
    settle()


def settle() -> bool:
    """Let those go who wait to be accepted by somebody who was closed, in whatever way; tell whether there were any."""
    closed = [each for each in NET.listeners if not each.is_open]
    for listener in closed:
        _no_longer(listener)
    return bool(closed)


def _no_longer(listener: Listener) -> None:
    NET.listeners.remove(listener)
    os.close(listener.bell)
    for each in listener.pending:
        number = file_number(each.descriptor)
        _reset(number, NET.ends[number].other)
        os.close(each.descriptor)


def _lingers_not(number: int) -> bool:
    said = said_last(NET.options.get(number, ()), (socket.SOL_SOCKET, socket.SO_LINGER))
    return bool(said == struct.pack("ii", 1, 0))


def _reset(number: int, other: int) -> None:
    """Have the other side be told that the connection was reset, as where something was not read that has come."""
    descriptor = NET.descriptor(other)
    if descriptor >= 0 and not unread(number):
        with suppress(OSError):
            _write(descriptor, b"\0")


def shutdown(self: Any, how: int, /) -> None:
    """Shut down; whoever accepts from a socket that has listened is told."""
    found = here()
    if found is not None and fileno(self) >= 0:
        found[0].point(found[1], "socket.shutdown", self)
        if (listener := listener_of(self)) is not None:
            _no_longer(listener)
            return
        end = NET.ends.get(number_of(self))
        if end is not None and how != socket.SHUT_RD:
            end.has_ended = True
    ORIGINAL["shutdown"](self, how)


# ---- what is asked of a socket -----------------------------------------------------------------------------------


def getsockname(self: Any, /) -> Any:
    """Return the own address."""
    number = file_number(fileno(self))
    if number in NET.bound:
        return NET.bound[number].for_family(self.family)
    if (listener := listener_of(self)) is not None:
        return listener.address.for_family(self.family)
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
        if said[:2] == SEND_BUFFER and number in NET.ends:
            NET.ends[number].limit = _buffer([said])
        if level == socket.SOL_SOCKET and option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
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
