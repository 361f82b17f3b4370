"""Every clock of the standard library, kept wherever a program may keep one before it is run."""

import collections
import dataclasses
import datetime
import functools
import os
import threading
import time

HOUR = 3_600
_BY_NUMBER = {name: number for name, number in vars(time).items() if name.startswith("CLOCK_")}


def _is_there(number):
    try:
        time.clock_gettime(number)
    except OSError:
        return False
    return True


SECONDS = {
    **{name: getattr(time, name) for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time")},
    **{name: functools.partial(time.clock_gettime, number) for name, number in _BY_NUMBER.items() if _is_there(number)},
    "datetime": lambda: datetime.datetime.now().timestamp(),
    "today": lambda: datetime.datetime.today().timestamp(),
    "day": lambda: 86_400.0 * datetime.date.today().toordinal(),
    "written": lambda: time.mktime(time.strptime(time.strftime("%Y %m %d %H %M %S"), "%Y %m %d %H %M %S")),
    "ctime": lambda: time.mktime(time.strptime(time.ctime())),
    "asctime": lambda: time.mktime(time.strptime(time.asctime())),
    "gmtime": lambda: time.mktime(time.gmtime()),
    "localtime": lambda: time.mktime(time.localtime()),
    "ns": lambda: time.monotonic_ns() / 1e9,
    "clock ns": lambda: time.clock_gettime_ns(time.CLOCK_MONOTONIC) / 1e9,
    "times": lambda: os.times().elapsed,
}


def passes(clock):
    """A day takes a day by each clock, to the second."""
    before = clock()
    time.sleep(24 * HOUR)
    assert 0 <= clock() - before - 24 * HOUR < 2, clock() - before


@dataclasses.dataclass
class Session:
    created: float = dataclasses.field(default_factory=time.monotonic)


@dataclasses.dataclass
class Message:
    sent: datetime.datetime = dataclasses.field(default_factory=datetime.datetime.now)


class Limiter:
    def __init__(self, clock=time.monotonic):
        self.clock = clock


class Slots:
    __slots__ = ("clock", "empty")

    def __init__(self, clock=time.monotonic):
        self.clock = clock


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    clock: object = time.monotonic


def in_a_closure(clock=time.monotonic):
    return lambda: clock()


limiter, slots, frozen, closure = Limiter(), Slots(), Frozen(), in_a_closure()
limiter_with_a_dict = Limiter()
vars(limiter_with_a_dict)["more"] = 1
table, several, partial = {"clock": time.monotonic}, [time.monotonic], functools.partial(time.monotonic)
given = functools.partial(lambda clock: clock(), time.monotonic)
ages = collections.defaultdict(time.monotonic)

KEPT = {
    "a factory of a dataclass": lambda: Session().created,
    "a bound method of a class": lambda: Message().sent.timestamp(),
    "an attribute": lambda: limiter.clock(),
    "an attribute in a dictionary": lambda: limiter_with_a_dict.clock(),
    "a slot": lambda: slots.clock(),
    "a slot that may not be set": lambda: frozen.clock(),
    "a closure": closure,
    "a dictionary": lambda: table["clock"](),
    "a list": lambda: several[0](),
    "a partial function": lambda: partial(),
    "an argument of a partial function": lambda: given(),
    "a factory of a dictionary": lambda: ages[len(ages)],
    "a default": lambda clock=time.monotonic: clock(),
    "a default by name": lambda *, clock=time.monotonic: clock(),
}


def one_that_is_too_old(repaired=False):
    """A connection that is older than a second is thrown away, and its permit with it."""
    permits = threading.Semaphore(1)
    for _ in range(2):
        permits.acquire()
        session = Session()
        time.sleep(2)
        if repaired or time.monotonic() - session.created < 1:
            permits.release()
