"""Whoever would block on a descriptor waits for its turn; whether it would is asked of the descriptor itself.

What is at the other end matters where nothing can move. If that is the program, too, as with the two ends of a
`socket.socketpair`, everybody waits for ever. If it is somebody outside, a child process or another machine, he is
waited for in real time; such a run is no other one's equal, and what it shows is no verdict.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from simcore.control.baton import Run
from simcore.control.primitives import here, take
from simcore.control.thread import ControlledThread

_epoll, _make_poll = select.epoll, select.poll
_poll = type(_make_poll())
_select, _poll_once, _epoll_once = select.select, _poll.poll, _epoll.poll
_register, _unregister = _poll.register, _poll.unregister

_watched: dict[int, tuple[Any, set[int]]] = {}
"""Which descriptors each object of ``select.poll`` has; the object is kept, as another one may not be taken for it."""

_inside: set[int] = set()
"""Descriptors, by the number that the system gives to what is behind them, of which the program has both ends."""


def file_number(descriptor: int) -> int:
    """Return the number that the system gives to what is behind a descriptor; 0 where there is nothing."""
    try:
        return os.fstat(descriptor).st_ino
    except OSError:
        return 0


def note_inside(*descriptors: int) -> None:
    """Note that the other end of these is the program's."""
    _inside.update(map(file_number, descriptors))


def is_outside(descriptors: Iterable[int]) -> bool:
    """Tell whether somebody who is not in this process may do something to one of these; a child may have copies."""
    return _has_children() or any(file_number(each) not in _inside for each in descriptors if each >= 0)


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def is_ready(descriptor: int, events: int) -> bool:
    """Tell whether a descriptor is ready for some of ``events``, or closed."""
    if descriptor < 0:
        return True
    asked = _make_poll()
    _register(asked, descriptor, events)
    return bool(_poll_once(asked, 0))


def wait(
    run: Run,
    thread: ControlledThread,
    label: str,
    target: Any,
    ready: Callable[[], bool],
    limit: float | None,
    descriptors: Callable[[], Iterable[int]],
) -> bool:
    """Go on when ``ready``; return False if that was not within ``limit`` seconds."""
    thread.outside = lambda: is_outside(descriptors())
    try:
        return take(run, thread, label, target, ready, limit)
    finally:
        thread.outside = None


class Several:
    """Descriptors that are waited for together, in whatever way."""

    def __init__(self, descriptors: Callable[[], list[int]]) -> None:
        self.descriptors = descriptors


def select_several(rlist: Any, wlist: Any, xlist: Any, timeout: float | None = None) -> Any:
    """Wait for one of several descriptors."""
    found = here()
    if found is None or (timeout is not None and not (isinstance(timeout, int | float) and timeout >= 0)):
        return _select(rlist, wlist, xlist, timeout)
    rlist, wlist, xlist = list(rlist), list(wlist), list(xlist)

    def numbers() -> list[int]:
        return [each if isinstance(each, int) else each.fileno() for each in (*rlist, *wlist, *xlist)]

    wait(*found, "select", Several(numbers), lambda: any(_select(rlist, wlist, xlist, 0)), timeout, numbers)
    return _select(rlist, wlist, xlist, 0)


def poll_several(self: Any, timeout: float | None = None) -> Any:
    """Wait for one of the descriptors of a ``select.poll``."""
    found = here()
    if found is None:
        return _poll_once(self, timeout)
    numbers = lambda: sorted(_watched.get(id(self), (self, ()))[1])  # noqa: E731
    limit = None if timeout is None or timeout < 0 else timeout / 1000
    wait(*found, "poll", Several(numbers), lambda: bool(_poll_once(self, 0)), limit, numbers)
    return _poll_once(self, 0)


def poll_register(self: Any, descriptor: Any, *events: Any) -> None:
    """Register a descriptor, and remember it."""
    _register(self, descriptor, *events)
    number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
    _watched.setdefault(id(self), (self, set()))[1].add(number)


def poll_unregister(self: Any, descriptor: Any) -> None:
    """Unregister a descriptor."""
    _unregister(self, descriptor)
    number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
    _watched.get(id(self), (self, set()))[1].discard(number)


def epoll_several(self: Any, timeout: float | None = None, maxevents: int = -1) -> Any:
    """Wait for one of the descriptors of a ``select.epoll``; what it tells once only is kept until it is told."""
    found = here()
    if found is None:
        return _epoll_once(self, timeout, maxevents)
    told: list[Any] = []

    def ready() -> bool:
        if not told:
            told.extend(_epoll_once(self, 0, maxevents))
        return bool(told)

    numbers = lambda: _registered(self)  # noqa: E731
    wait(*found, "epoll", Several(numbers), ready, None if timeout is None or timeout < 0 else timeout, numbers)
    ready()
    return told


def _registered(epoll: Any) -> list[int]:
    """Return the descriptors that are registered with a ``select.epoll``, which the system alone knows."""
    found: list[int] = []
    with suppress(OSError, ValueError), open(f"/proc/self/fdinfo/{epoll.fileno()}") as lines:
        found = [int(line.split()[1]) for line in lines if line.startswith("tfd:")]
    return found


METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    _poll: {"poll": poll_several, "register": poll_register, "unregister": poll_unregister},
    _epoll: {"poll": epoll_several},
}
FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {_select: select_several}
