"""Lines of a generator of a skeleton: each says where that stands in the code; some operations take several."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_LONGEST_LOOP = 20


class Line(NamedTuple):
    """A line of a generator, and where that stands in the code."""

    code: str
    place: str
    remark: str = ""

    def __str__(self) -> str:
        if not self.code:
            return f"# {self.remark}" + (f", at {self.place}" if self.place else "")
        told = "; ".join(filter(None, (self.place, self.remark)))
        return self.code + (f"  # {told}" if told else "")


def cancels(future: str, begins: str, place: str) -> Iterator[Line]:
    """Yield what stands for `Future.cancel`: the future ends, and whoever asks is told, unless it has its end already.

    The task of a pool is not begun any more, if it was not. Which of the two is first is decided in one step, as who
    takes the only permit of a semaphore: the one that begins it, or the one that cancels it (`unless_cancelled`).
    """
    if begins:
        yield Line(f"if (yield {begins}.acquire(blocking=False)):", place, "Future.cancel, unless it has begun")
        yield Line(f"    yield {future}.set_exception(CancelledError())", place)
    else:
        yield from unless_done(f"{future}.set_exception(CancelledError())", place, "Future.cancel, unless it is done")


def unless_done(sets: str, place: str, remark: str) -> Iterator[Line]:
    """Yield what ends a future that may have its end already: whoever was late has gone on."""
    yield Line("try:", place, remark)
    yield Line(f"    yield {sets}", place)
    yield Line("except InvalidStateError:", "")
    yield Line("    pass", "")


def unless_cancelled(begins: str) -> Iterator[Line]:
    """Yield how a task begins that may have been cancelled."""
    yield Line(f"if not (yield {begins}.acquire(blocking=False)):", "", "it was cancelled")
    yield Line("    return", "")


def repeated(lines: list[Line], position: int) -> tuple[int, int]:
    """Return the length of what stands at ``position``, and how often it stands there, one after the other."""
    for length in range(1, _LONGEST_LOOP + 1):
        block, times = lines[position : position + length], 1
        if not any(line.code for line in block):
            break
        while lines[position + times * length : position + (times + 1) * length] == block:
            times += 1
        if times > 2 or (times > 1 and length > 1):
            return length, times
    return 1, 1
