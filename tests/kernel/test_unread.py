"""What a process keeps and does not read again is told, where points differ in nothing else; nothing else is."""

import contextlib
import sys
from collections import defaultdict
from itertools import product

import pytest
from points import STEP, reach

from simcore.kernel.process import Points
from simcore.kernel.unread import _kept, _unread_at, _without, unread


def straight():
    first = yield STEP
    second = yield STEP
    print(first, second)
    yield STEP


def round_and_round():
    total = 0
    while True:
        got = yield STEP
        total += got
        yield STEP


def caught():
    number = 0
    try:
        yield STEP
        number = 1
        yield STEP
    except ValueError:
        print(number)
    yield STEP


def at_the_end():
    number = 1
    try:
        yield STEP
    finally:
        print(number)
    yield STEP


def in_a_cell():
    number = 1
    yield STEP
    return lambda: number


def asked_for():
    number = 1
    yield STEP
    return [locals(), number]


def listed():
    number = 1
    yield STEP
    return locals()


def from_a_frame():
    number = 1  # noqa: F841
    yield STEP
    return dict(sys._getframe().f_locals)


class Inherits(list):
    def upwards(self=()):
        yield STEP
        return super()


def deleted():
    number = 1
    yield STEP
    del number
    yield STEP


def either_way():
    one = other = 1
    if (yield STEP):
        print(one)
        yield STEP
    else:
        print(other)
        yield STEP


def managed():
    things = []
    with contextlib.suppress(ValueError):
        things = [1]
        yield STEP
        raise ValueError
    return things


def several():
    one, other = 1, 2
    one, other = other, one
    print(one, other)
    yield STEP
    one, other = 1, 2
    yield STEP
    return one + other


def bound_again():
    while True:
        item = yield STEP
        if not item:
            return
        print(item)
        yield STEP


UNREAD = {
    straight: ["first second", "second", "first second"],
    round_and_round: ["got", "got"],
    caught: ["", "", "number"],
    at_the_end: ["", "number"],
    in_a_cell: [""],
    asked_for: [""],
    listed: [""],
    from_a_frame: [""],
    Inherits.upwards: [""],
    deleted: ["", "number"],
    either_way: ["", "one other", "one other"],
    managed: [""],
    several: ["one other", ""],
    bound_again: ["item", "item"],
}
"""At each yield, in the order of the code, which variables are not read again before they are bound."""


def reached(points, fn, results):
    """Return the point after some results, or None where it has ended before."""
    point = points.start("p", fn, ())
    for result in results:
        if point.status != "ready":
            return None
        point = points.advance(point, result)
    return point if point.status == "ready" else None


@pytest.mark.parametrize("fn", UNREAD, ids=lambda fn: fn.__name__)
def test_what_is_not_read_again_is_seen_in_the_code(fn):
    points, found = Points(), {}
    for results in (results for length in range(4) for results in product((0, 1), repeat=length)):
        point = reached(points, fn, results)
        if point is not None:
            code, last, *_ = point.key[0]
            found[last] = _unread_at(code, last)
    assert [" ".join(sorted(names)) for _, names in sorted(found.items())] == UNREAD[fn]


def keeps():
    """What was got is kept while the next one is waited for, and what was counted is read."""
    count = 0
    while count < 3:
        got = yield STEP
        count += bool(got)
        yield STEP


def within():
    yield from keeps()


@pytest.mark.parametrize("fn", [keeps, within])
def test_points_that_differ_in_what_is_not_read_again_go_on_alike(fn):
    points, alike = Points(), defaultdict(set)
    for results in (results for length in range(5) for results in product((0, 1, 2), repeat=length)):
        point = reached(points, fn, results)
        if point is not None:
            key = point.key[0]
            for variable in _kept(key):
                key = _without(key, variable)
            alike[key].add(point)
    groups = [group for group in alike.values() if len(group) > 1]
    assert groups
    for group in groups:
        for given in product((0, 1), repeat=3):
            went_on = set()
            for point in group:
                for result in given:
                    point = points.advance(point, result) if point.status == "ready" else point
                went_on.add((point.status, str(point.operation), point.outcome))
            assert len(went_on) == 1


def test_it_is_told_with_what_would_be_saved():
    points = Points()
    for number in range(8):
        reach(points, keeps, number)
    told = unread(points)
    assert [line.partition(" (")[0] for line in told] == ["keeps"]
    assert "keeps 'got' when it is not read any more: 9 of its points differ in nothing else" in told[0]
    assert told[0].endswith("would be 3 with `del got`")


def forgets():
    count = 0
    while count < 3:
        got = yield STEP
        count += bool(got)
        del got
        yield STEP


def test_where_nothing_would_be_saved_nothing_is_told():
    points = Points()
    for number in range(8):
        reach(points, forgets, number)
    assert unread(points) == []
