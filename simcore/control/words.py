"""How a wait is told, and which operations end it."""

from __future__ import annotations

from typing import NamedTuple


class Wait(NamedTuple):
    """How a wait is told, and which operations end it."""

    wants: str
    ends: tuple[str, str, str] = ("end it", "ends it", "ended it")
    methods: frozenset[str] = frozenset()


def _wait(wants: str, ends: str, methods: str) -> Wait:
    do, does, done = ends.split(", ")
    return Wait(wants, (do, does, done), frozenset(methods.split()))


_SET = "set it, sets it, set it"
_PUT = "put into it, puts into it, put into it"
_READ = [f"socket.{name}" for name in ["recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into"]]
_WRITE = [f"socket.{name}" for name in ["send", "sendall", "sendto", "sendmsg"]]
WAITS = {
    "Lock.acquire": _wait("for {}", "release it, releases it, released it", ""),
    "RLock.acquire": _wait("for {}", "release it, releases it, released it", ""),
    "Event.wait": _wait("for {}", _SET, "set"),
    "Condition.wait": _wait("to be notified on {}", "notify it, notifies it, notified it", "notify notify_all"),
    "Future.result": _wait("for {}", _SET, "set_result set_exception cancel"),
    "Future.exception": _wait("for {}", _SET, "set_result set_exception cancel"),
    "Queue.get": _wait("for an item of {}", _PUT, "put"),
    "SimpleQueue.get": _wait("for an item of {}", _PUT, "put"),
    "Queue.put": _wait("to put into {}", "take from it, takes from it, taken from it", "get"),
    "Queue.join": _wait("for all items of {} to be done", "do one, does one, done one", "task_done"),
    "Semaphore.acquire": _wait("for a permit of {}", "release it, releases it, released it", "release"),
    "sleep": _wait("for its sleep to end", "end it, ends it, ended it", ""),
    **dict.fromkeys(
        (*_READ, "read", "tls.read", "tls.do_handshake"), _wait("for data on {}", "send it, sends it, sent it", "")
    ),
    **dict.fromkeys((*_WRITE, "write", "tls.write"), _wait("for room to send on {}", "read it, reads it, read it", "")),
    "socket.accept": _wait("for a connection to {}", "connect, connects, connected", ""),
    "socket.connect": _wait("to be accepted on {}", "accept it, accepts it, accepted it", ""),
    **dict.fromkeys(("select", "poll", "epoll"), _wait("for an event on {}", "send it, sends it, sent it", "")),
    "_ModuleLock.acquire": _wait("for {}", "end it, ends it, ended it", ""),
    "Barrier.wait": _wait("at {}", "come to it, comes to it, come to it", "wait"),
}
