"""How a wait is told, and which operations end it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from simcore.control.marks import done_to, taken
from simcore.control.thread import ControlledThread
from simcore.explain import summary


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
    "SemLock.acquire": _wait("for {}", "release it, releases it, released it", ""),
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


def standing_of(target: Any, label: str, name: Callable[[ControlledThread], str]) -> str:
    """Say how full it is what somebody waits for; empty where that goes without saying.

    Permits of a semaphore of which nobody has given more than he has taken are kept by who has taken them: of those who
    have ended nobody else would tell.
    """
    if isinstance(target, queue.Queue):
        if 0 < target.maxsize <= target._qsize():
            return f"full ({target._qsize()}/{target.maxsize})"
        counted = label == "Queue.join" or done_to(target, frozenset({"task_done"}))  # else nobody asks for it
        left = f", {target.unfinished_tasks} not done" if counted and target.unfinished_tasks else ""
        return (f"{target._qsize()} in it" if target._qsize() else "empty") + left
    if isinstance(target, threading.Barrier):
        return f"{target._count} of {target.parties} there"  # type: ignore[attr-defined]
    if isinstance(target, threading.Semaphore) and all(many >= 0 for many in taken(target).values()):
        ended = {name(thread): many for thread, many in taken(target).items() if thread.done and many}
        many, has = sum(ended.values()), "has" if len(ended) == 1 else "have"
        return f"{many} taken by {summary(list(ended))}, which {has} ended" if ended else ""
    return ""
