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
from simcore.control.naming import function_at
from simcore.control.primitives import here, take
from simcore.control.thread import ControlledThread


class _NoEpoll:
    """In the place of `select.epoll`, where there is none."""

    poll = register = None


_epoll: Any = getattr(select, "epoll", _NoEpoll)
_make_poll = select.poll
_poll = type(_make_poll())
_poll_once, _epoll_once = _poll.poll, _epoll.poll
_select: Any = select.select
_register, _unregister, _epoll_register = _poll.register, _poll.unregister, _epoll.register

_watched: dict[int, tuple[Any, set[int]]] = {}
"""Which descriptors each object of ``select.poll`` has; the object is kept, as another one may not be taken for it."""

_inside: set[int] = set()


def untouched() -> bool:
    """Tell whether no descriptor was ever seen to here."""
    return not (_watched or _inside)


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


def is_outside(numbers: Iterable[int]) -> bool:
    """Tell whether somebody who is not in this process may do something to one of these; a child may have copies."""
    return _has_children() or any(number not in _inside for number in numbers if number)


def _has_children() -> bool:
    """Tell whether there is a child process; one that nobody has waited for counts, too."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def is_ready(descriptor: int, events: int) -> bool:
    """Tell whether a descriptor is ready for some of ``events``."""
    asked = _make_poll()
    _register(asked, descriptor, events)
    return bool(_poll_once(asked, 0))


def until_ready(
    run: Run, thread: ControlledThread, label: str, target: Any, descriptor: int, events: int, limit: float | None
) -> bool:
    """Go on when a descriptor is ready; return False if that was not within ``limit`` seconds.

    What is behind it is waited for, as the system does: whoever waits is not woken when somebody closes it, and has
    been woken if it was ready before.
    """
    number, was_ready = file_number(descriptor), False

    def ready() -> bool:
        nonlocal was_ready
        if file_number(descriptor) == number:
            was_ready = is_ready(descriptor, events)
        return was_ready

    return wait(run, thread, label, target, ready, limit, [number])


def meets(run: Run, thread: ControlledThread, call: str) -> None:
    """Note that somebody outside of this process has a part in a run from now on, by a call of a thread."""
    run.outside = run.outside or f"{call}() at {function_at(thread)}"


def wait(
    run: Run,
    thread: ControlledThread,
    label: str,
    target: Any,
    ready: Callable[[], bool],
    limit: float | None,
    numbers: Iterable[int],
) -> bool:
    """Go on when ``ready``; return False if that was not within ``limit`` seconds.

    ``numbers`` are those of what is waited for; nobody but this process has anything to do with none.
    """
    thread.outside = lambda: is_outside(numbers)
    try:
        return take(run, thread, label, target, ready, limit)
    finally:
        thread.outside = None


class Several:
    """Descriptors that are waited for together, in whatever way.

    Whoever waits is not woken when another thread closes one of them, and puts something else in its place.
    """

    def __init__(self, descriptors: Iterable[int]) -> None:
        self.descriptors = list(descriptors)
        self.numbers = {each: file_number(each) for each in self.descriptors}

    def are(self, descriptor: int) -> bool:
        """Tell whether one of them is what it was, or was closed from the start."""
        return self.numbers.get(descriptor, 0) in (0, file_number(descriptor))


def select_several(rlist: Any, wlist: Any, xlist: Any, timeout: float | None = None) -> Any:
    """Wait for one of several descriptors."""
    found = here()
    if found is None or (timeout is not None and not (isinstance(timeout, int | float) and timeout >= 0)):
        return _select(rlist, wlist, xlist, timeout)
    lists = [list(each) for each in (rlist, wlist, xlist)]
    _select(*lists, 0)  # which says what is wrong with them
    number = {id(each): _descriptor(each) for some in lists for each in some}
    several = Several(number.values())

    def ready() -> Any:
        return _select(*([each for each in some if several.are(number[id(each)])] for some in lists), 0)

    wait(*found, "select", several, lambda: any(ready()), timeout, several.numbers.values())
    return ready()


def poll_several(self: Any, timeout: float | None = None) -> Any:
    """Wait for one of the descriptors of a ``select.poll``."""
    found = here()
    if found is None:
        return _poll_once(self, timeout)
    several = Several(_watched.get(id(self), (self, ()))[1])

    def ready() -> list[Any]:
        return [(descriptor, events) for descriptor, events in _poll_once(self, 0) if several.are(descriptor)]

    limit = None if timeout is None or timeout < 0 else timeout / 1000
    wait(*found, "poll", several, lambda: bool(ready()), limit, several.numbers.values())
    return ready()


def _descriptor(thing: Any) -> int:
    """Return a descriptor that is given as a number, or as what has one."""
    return thing if isinstance(thing, int) else int(thing.fileno())


def poll_register(self: Any, descriptor: Any, *events: Any) -> None:
    """Register a descriptor, and remember it."""
    _register(self, descriptor, *events)
    _watched.setdefault(id(self), (self, set()))[1].add(_descriptor(descriptor))


def poll_unregister(self: Any, descriptor: Any) -> None:
    """Unregister a descriptor."""
    _unregister(self, descriptor)
    _watched.get(id(self), (self, set()))[1].discard(_descriptor(descriptor))


def epoll_several(self: Any, timeout: float | None = None, maxevents: int = -1) -> Any:
    """Wait for one of the descriptors of a ``select.epoll``; what it tells once only is kept until it is told."""
    found = here()
    if found is None:
        return _epoll_once(self, timeout, maxevents)
    told: list[Any] = []

    def ready() -> bool:
        if not told and not self.closed:
            told.extend(_epoll_once(self, 0, maxevents))
        return bool(told) or self.closed

    several = Several({} if self.closed else _registered(self.fileno()))
    limit = None if timeout is None or timeout < 0 else timeout
    wait(*found, "epoll", several, ready, limit, several.numbers.values())
    return told if ready() and not self.closed else _epoll_once(self, 0, maxevents)


def _registered(epoll: int) -> dict[int, int]:
    """Return the descriptors that are registered with a ``select.epoll``, and for what; the system alone knows."""
    found: dict[int, int] = {}
    with suppress(OSError), open(f"/proc/self/fdinfo/{epoll}") as lines:
        told = (line.split() for line in lines if line.startswith("tfd:"))
        found = {int(words[1]): int(words[3], 16) for words in told}
    return found


def epoll_register(self: Any, *args: Any, **kwargs: Any) -> None:
    """Register a descriptor, and remember who watches."""
    _epoll_register(self, *args, **kwargs)
    _epolls().add(self.fileno())


_watching: set[int] | None = None


def _epolls() -> set[int]:
    """Return the descriptors of each ``select.epoll``: those that there were before, and who has registered since."""
    global _watching
    if _watching is None:
        _watching = {int(name) for name in os.listdir("/proc/self/fd") if _is_epoll(name)}
    return _watching


def _is_epoll(name: str) -> bool:
    with suppress(OSError):
        return os.readlink(f"/proc/self/fd/{name}") == "anon_inode:[eventpoll]"
    return False


def carry_over(descriptor: int, put: Callable[[], object]) -> None:
    """Do what ``put`` does, which puts something else under ``descriptor``, and have each ``select.epoll`` follow."""
    watching = [(each, found[descriptor]) for each in _epolls() if descriptor in (found := _registered(each))]
    put()
    for number, events in watching:
        epoll = _epoll.fromfd(os.dup(number))
        with suppress(FileNotFoundError):
            epoll.unregister(descriptor)
        _epoll_register(epoll, descriptor, events)
        epoll.close()


METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    _poll: {"poll": poll_several, "register": poll_register, "unregister": poll_unregister},
    _epoll: {"poll": epoll_several, "register": epoll_register},
}
FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {_select: select_several}
