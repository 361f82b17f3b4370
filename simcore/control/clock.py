"""Time is virtual: a sleep of an hour takes none, and a clock that is looked at goes on by a little.

It goes on by 100 ns for each look, and by a millisecond for each sleep of no length, as whoever waits for it in a loop
must come to an end; who does nothing but look, a thousand times, lets others go on. All clocks of a run begin at the
same moment, on any day.
"""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Callable
from typing import Any

from simcore.control.baton import CLOCK
from simcore.control.hears import ADDS
from simcore.control.primitives import here

EPOCH = 1_800_000_000.0
"""What ``time.time`` says at the beginning of a run, in seconds; in January 2027."""

_SINCE_BOOT = 1_000.0
_LOOK, _LOOKS, _PAUSE = 1e-7, 1_000, 1e-3

_sleep, _localtime, _TIMES = time.sleep, time.localtime, os.times


def sleep(seconds: float, /) -> None:
    """Wait in virtual time."""
    found = here()
    if found is None or not isinstance(seconds, int | float) or seconds < 0:
        _sleep(seconds)
        return
    run, thread = found
    if seconds:
        run.wait(thread, "sleep", seconds, lambda: False, seconds)
    else:
        run.point(thread, "sleep", seconds)
        run.touched(CLOCK, ADDS)
        run.now += _PAUSE


def now() -> float | None:
    """Return the virtual time in seconds since the run has begun, and let it go on; None outside of a run."""
    found = here()
    if found is None:
        return None
    run, thread = found
    run.touched(CLOCK)
    run.now += _LOOK
    thread.reads += 1
    if thread.reads > _LOOKS and not thread.is_within() and not thread.booting:
        thread.reads = 0
        run.now += _PAUSE
        run.point(thread, "looks at the clock", None)
    return run.now


def _clock(real: Callable[[], Any], start: float, unit: float) -> Callable[[], Any]:
    def read() -> Any:
        seconds = now()
        if seconds is None:
            return real()
        return start + seconds if unit == 1 else round((start + seconds) * unit)

    return read


def _calendar(real: Callable[..., Any]) -> Callable[..., Any]:
    def read(seconds: float | None = None, /) -> Any:
        if seconds is None and (passed := now()) is not None:
            seconds = EPOCH + passed
        return real() if seconds is None else real(seconds)

    return read


def _written(real: Callable[..., str], needs: int) -> Callable[..., str]:
    """Return what writes the time that it is given behind ``needs`` other things, or that of now."""

    def write(*args: Any) -> str:
        if len(args) == needs and (passed := now()) is not None:
            args += (_localtime(EPOCH + passed),)
        return real(*args)

    return write


def _clock_by_number(real: Callable[[int], Any], unit: float) -> Callable[[int], Any]:
    """Return what reads a clock of the system: that of the day, one of work, or one that goes on since the start."""
    starts = {time.CLOCK_REALTIME: EPOCH, time.CLOCK_PROCESS_CPUTIME_ID: 0.0, time.CLOCK_THREAD_CPUTIME_ID: 0.0}

    def read(number: int, /) -> Any:
        known = real(number)  # or there is no such clock
        return _clock(lambda: known, starts.get(number, _SINCE_BOOT), unit)()

    return read


def _times() -> os.times_result:
    seconds = now()
    return _TIMES() if seconds is None else os.times_result((seconds, 0.0, 0.0, 0.0, _SINCE_BOOT + seconds))


_DATETIME_NOW = datetime.datetime.__dict__["now"]


def _datetime_now(cls: Any, tz: datetime.tzinfo | None = None) -> Any:
    passed = now()
    if passed is None:
        return _DATETIME_NOW.__get__(None, cls)(tz)
    return cls.fromtimestamp(EPOCH + passed, tz)


def _datetime_utcnow(cls: Any) -> Any:
    return _datetime_now(cls, datetime.UTC).replace(tzinfo=None)


_DATE_TODAY = datetime.date.__dict__["today"]


def _date_today(cls: Any) -> Any:
    passed = now()
    return _DATE_TODAY.__get__(None, cls)() if passed is None else cls.fromtimestamp(EPOCH + passed)


METHODS: dict[type, dict[str, Any]] = {
    datetime.datetime: {"now": classmethod(_datetime_now), "utcnow": classmethod(_datetime_utcnow)},
    datetime.date: {"today": classmethod(_date_today)},
}

_CLOCKS = {
    "monotonic": _SINCE_BOOT,
    "perf_counter": _SINCE_BOOT,
    "process_time": 0.0,
    "thread_time": 0.0,
    "time": EPOCH,
}

FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    _sleep: sleep,
    **{getattr(time, name): _clock(getattr(time, name), start, 1) for name, start in _CLOCKS.items()},
    **{getattr(time, f"{n}_ns"): _clock(getattr(time, f"{n}_ns"), start, 1e9) for n, start in _CLOCKS.items()},
    **{getattr(time, name): _calendar(getattr(time, name)) for name in ("gmtime", "localtime", "ctime")},
    time.asctime: _written(time.asctime, 0),
    time.strftime: _written(time.strftime, 1),
    time.clock_gettime: _clock_by_number(time.clock_gettime, 1),
    time.clock_gettime_ns: _clock_by_number(time.clock_gettime_ns, 1e9),
    _TIMES: _times,
}
