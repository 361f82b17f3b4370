"""Program points for tests of what may be merged into one and what must not: the results are given by hand.

The standard library and the kernel are all it needs, for interpreters that have nothing else.
"""

import contextlib
import dataclasses

from simcore.kernel.process import Points
from simcore.model.objects import sleep

STEP = sleep(1)  # any operation: here the results are given by hand


@contextlib.contextmanager
def raises(kind, *texts):
    """Do what pytest.raises does; every text must be in the message."""
    try:
        yield
    except kind as error:
        message = str(error)
    else:
        raise AssertionError(f"{kind.__name__} was not raised")
    assert all(text in message for text in texts), f"{texts} not all in: {message}"


def reach(points, fn, *results):
    """Return the point of ``fn`` after it was given ``results``."""
    point = points.start("p", fn, ())
    for result in results:
        point = points.advance(point, result)
    return point


def merged(fn, one, other):
    """Tell whether two histories of results lead to the same point."""
    points = Points()
    return reach(points, fn, *one) is reach(points, fn, *other)


def differ_later(fn, one, other, *more):
    """Check that two histories with different ends are two points, and return the two ends."""
    points = Points()
    ends = [reach(points, fn, *history, *more) for history in (one, other)]
    assert ends[0].outcome != ends[1].outcome, "the test shows nothing: both end alike"
    assert reach(points, fn, *one) is not reach(points, fn, *other)
    return [end.outcome for end in ends]


def loop_size(fn, result=None, limit=60):
    """Give ``result`` over and over, and return how many points there are before one comes back."""
    points = Points()
    point, seen = points.start("p", fn, ()), []
    while point not in seen:
        assert len(seen) < limit, f"{fn.__name__} does not close"
        seen.append(point)
        point = points.advance(point, result)
    return len(seen)


def keep():
    kept = yield STEP
    yield STEP
    return kept


@dataclasses.dataclass(frozen=True)
class Message:
    text: str
    number: int = 0


class Box:
    def __init__(self, inside):
        self.inside = inside
