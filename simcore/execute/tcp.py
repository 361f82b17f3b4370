"""A link is one TCP connection on loopback: frames one way, credit for what was consumed the other way.

A frame is its length, a checksum, and the pickled payload. The sender starts with as much credit as the link
has capacity and pays for each frame; the receiver sends credit back for each frame that it hands over, so
the real sender never runs ahead of the model, whatever the buffers between hold. They are small on purpose.
When they cannot hold what the capacity allows, the sender moves bytes on into the receiving end's own buffer.

A sender without credit is held up by TCP itself: it fills the buffers with bytes that mean nothing, until the
socket takes no more because the peer does not read. Such a byte is 255 and stands between frames only, where it
is not taken for a length of eight bytes, whose first is never 255; the receiving end drops it on arrival. So a
send that gives up leaves no part of a frame behind, and a link that is never full carries frames alone.
"""

from __future__ import annotations

import contextlib
import io
import pickle
import select
import socket
import struct
import threading
import time
import types
import zlib
from collections import deque
from collections.abc import Callable
from typing import Any

from simcore.errors import InternalError
from simcore.execute.real import Context, Live
from simcore.execute.records import Actor, Cancelled
from simcore.model import Index, Model, Process
from simcore.model.objects import Link, LinkValue
from simcore.model.operations import Operation, Raised, SharedObject

_BUFFER = 4096
_HEADER = struct.Struct("!QI")
_FILLER = b"\xff"
_FILLING = _FILLER * _BUFFER
_CREDIT = struct.Struct("!I")
_SLICE = 0.02
"""Seconds after which a thread that waits looks again: a change at its own end of the link does not wake it."""
_SAME = (SharedObject, Process, Index, Model, type, types.FunctionType, types.MethodType, types.ModuleType)
"""What crosses a link as itself: the names of one process are not copied."""


class _Pickler(pickle.Pickler):
    def __init__(self, out: io.BytesIO, place: Callable[[Any], int | None]) -> None:
        super().__init__(out, 4)
        self._place = place

    def persistent_id(self, thing: Any) -> int | None:
        return self._place(thing)


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: io.BytesIO, things: list[Any]) -> None:
        super().__init__(data)
        self._things = things

    def persistent_load(self, place: Any) -> Any:
        return self._things[place]


class Codec:
    """Payloads as bytes. What a model compares by identity arrives as itself, by its place in a table."""

    def __init__(self) -> None:
        self._things: list[Any] = []
        self._places: dict[int, int] = {}
        self._lock = threading.Lock()

    def encode(self, payload: Any) -> bytes:
        """Return ``payload`` as bytes."""
        with self._lock:
            out = io.BytesIO()
            _Pickler(out, self.place).dump(payload)
            return out.getvalue()

    def decode(self, data: bytes) -> Any:
        """Return the payload again."""
        return _Unpickler(io.BytesIO(data), self._things).load()

    def place(self, thing: Any) -> int | None:
        """Return where in the table ``thing`` is, when it crosses as itself."""
        if not isinstance(thing, _SAME):
            return None
        if id(thing) not in self._places:
            self._places[id(thing)] = len(self._things)
            self._things.append(thing)
        return self._places[id(thing)]


def connect() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a new TCP connection on loopback, with small buffers."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        sending = socket.socket()
        try:
            sending.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
            sending.connect(listener.getsockname())
            receiving, _ = listener.accept()
        except BaseException:
            sending.close()
            raise
    for end in (sending, receiving):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end.setblocking(False)
    return sending, receiving


def _ready(end: socket.socket, events: int, seconds: float) -> bool:
    """Wait until ``end`` is ready, or so long; tell whether it is."""
    poll = select.poll()
    poll.register(end, events)
    return bool(poll.poll(seconds * 1000))


class LiveLink(Live):
    """A TCP connection.

    Attributes
    ----------
    frames_received, bytes_received : int
        Frames whose checksum was right, and the bytes of their payloads.
    """

    thing: Link

    def __init__(self, run: Context, thing: Link, codec: Codec) -> None:
        super().__init__(run, thing)
        self._codec = codec
        self.sending, self.receiving = connect()
        self.frames_received = self.bytes_received = 0
        self._status = "open"
        self._flight: deque[Any] = deque()
        self._credit = thing.capacity
        self._change = threading.Condition()  # guards everything here but the waiting itself
        self._polling: list[socket.socket] = []  # for each thread that waits here, the end that it waits at
        self._credit_bytes = bytearray()
        self._partial = bytearray()  # a frame that has not arrived whole
        self._inbox: deque[tuple[int, bytes]] = deque()  # checksum and payload

    def value(self) -> LinkValue:
        with self._change:
            return LinkValue(tuple(self._flight), self._status)

    # ---- the sending end -----------------------------------------------------------------------------

    def send(self, actor: Actor, operation: Operation, frame: Any) -> Any:
        data, size = self._codec.encode(frame), self.thing.size(frame)
        message = _HEADER.pack(len(data), zlib.crc32(data)) + data
        deadline = None if operation.timeout is None else time.monotonic() + operation.timeout
        with self._change:
            while True:
                if self._status != "open":
                    return self.thing.do_send(LinkValue((), self._status), actor.process, frame)[0].result
                self._collect_credit()
                if self._credit >= size:
                    break
                if deadline is not None and time.monotonic() >= deadline and not self._room(size):
                    return Raised(TimeoutError, ("timed out",))
                self._press()
                self._wait(self.sending, select.POLLIN | select.POLLOUT, deadline)
            self._credit -= size
            actor.effect = self.run.tick()
            self._flight.append(frame)
            self._write(self.sending, message, self._fill_inbox)
        return None

    def _room(self, size: int) -> bool:
        """Whether the credit for ``size`` is on its way already."""
        return sum(map(self.thing.size, self._flight)) + size <= self.thing.capacity

    def _collect_credit(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._credit_bytes += self.sending.recv(_BUFFER)
        while len(self._credit_bytes) >= _CREDIT.size:
            self._credit += _CREDIT.unpack_from(self._credit_bytes)[0]
            del self._credit_bytes[: _CREDIT.size]

    def _press(self) -> None:
        """Fill the connection. It ends because the receiving end needs the lock to read."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.sending.send(_FILLING)

    def held_up(self) -> bool:
        """Tell whether a send waits on a socket that takes no byte more, because the peer leaves bytes unread."""
        with self._change:
            if self._status != "open" or self.sending not in self._polling:
                return False
            return not _ready(self.sending, select.POLLOUT, 0) and _ready(self.receiving, select.POLLIN, 0)

    def _write(self, end: socket.socket, data: bytes, make_room: Any) -> None:
        while data:
            try:
                data = data[end.send(data) :]
            except BlockingIOError:
                make_room()
                _ready(end, select.POLLOUT, _SLICE)
                if self.run.over.is_set():
                    raise Cancelled from None

    # ---- the receiving end ---------------------------------------------------------------------------

    def recv(self, actor: Actor, operation: Operation) -> Any:
        deadline = None if operation.timeout is None else time.monotonic() + operation.timeout
        with self._change:
            while True:
                if self._status in ("recv", "both", "reset"):
                    return self.thing.do_recv(LinkValue((), self._status), actor.process)[0].result
                ended = self._fill_inbox()
                data = self._frame()
                if data is not None:
                    break
                if ended:
                    return Raised(EOFError)
                if deadline is not None and time.monotonic() >= deadline and not self._coming():
                    return Raised(TimeoutError, ("timed out",))
                self._wait(self.receiving, select.POLLIN, deadline)
            sent = self._flight.popleft()
            actor.effect = self.run.tick()
            if self._status == "open":
                self._write(self.receiving, _CREDIT.pack(self.thing.size(sent)), self._collect_credit)
        return self._codec.decode(data)

    def _coming(self) -> bool:
        """Whether a frame, or the end of the stream, is on its way already."""
        return bool(self._flight) or self._status == "send"

    def _fill_inbox(self) -> bool:
        """Take what has arrived; tell whether nothing will follow."""
        while True:
            try:
                data = self.receiving.recv(1 << 16)
            except BlockingIOError:
                return False
            if not data:
                return True
            self._partial += data
            while self._unpack():
                pass

    def _unpack(self) -> bool:
        """Move the first whole frame into the inbox, if there is one; drop what fills the space before it."""
        if self._partial[:1] == _FILLER:
            self._partial = self._partial.lstrip(_FILLER)
        if len(self._partial) < _HEADER.size:
            return False
        length, checksum = _HEADER.unpack_from(self._partial)
        end = _HEADER.size + length
        if len(self._partial) < end:
            return False
        self._inbox.append((checksum, bytes(self._partial[_HEADER.size : end])))
        del self._partial[:end]
        return True

    def _frame(self) -> bytes | None:
        """Return the first whole frame, its checksum verified."""
        if not self._inbox:
            return None
        checksum, data = self._inbox.popleft()
        if zlib.crc32(data) != checksum:
            raise InternalError(f"a frame of {self.thing} arrived damaged")
        self.frames_received += 1
        self.bytes_received += len(data)
        return data

    # ---- both ----------------------------------------------------------------------------------------

    def _wait(self, end: socket.socket, events: int, deadline: float | None) -> None:
        if self.run.over.is_set():
            raise Cancelled
        left = _SLICE if deadline is None else min(_SLICE, deadline - time.monotonic())
        self._polling.append(end)
        self._change.release()
        try:
            _ready(end, events, max(0.0, left))
        finally:
            self._change.acquire()
            self._polling.remove(end)
            self._change.notify_all()

    def close(self, actor: Actor, operation: Operation, end: str) -> None:
        with self._change:
            actor.effect = self.run.tick()
            before = LinkValue(tuple(self._flight), self._status)
            after: Any = self.thing.do_close(before, actor.process, end)[0].value
            if after == before:
                return
            self._flight, self._status = deque(after.frames), after.status
            with contextlib.suppress(OSError):
                if end == "send":
                    self.sending.shutdown(socket.SHUT_WR)  # the end of the stream, behind what is in flight
                else:
                    self.receiving.shutdown(socket.SHUT_RDWR)

    def reset(self, actor: Actor, operation: Operation) -> None:
        with self._change:
            actor.effect = self.run.tick()
            self._flight, self._status = deque(), "reset"
            self._change.wait_for(lambda: not self._polling)  # nobody may wait on a descriptor that is closed
            with contextlib.suppress(OSError):  # closing without lingering sends RST
                self.sending.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.sending.close()

    def cancel(self) -> None:
        for end in (self.sending, self.receiving):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def dispose(self) -> None:
        """Close the sockets; no thread is left that uses them."""
        self.sending.close()
        self.receiving.close()
