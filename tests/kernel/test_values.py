"""Values that code can tell apart make two program points, equal ones make one."""

import collections
import copyreg
import enum
import functools
import random
import re

from points import STEP, Box, Message, differ_later, keep, merged

from simcore.kernel.freeze import freeze

Pair = collections.namedtuple("Pair", "a b")


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Slots:
    __slots__ = ("inside",)

    def __init__(self, inside):
        self.inside = inside


class Slotted(Exception):
    __slots__ = ("inside",)

    def __init__(self, *inside):
        for self.inside in inside:
            pass


DIFFERENT = [
    (True, 1),
    (1, 1.0),
    (True, 1.0),
    (False, 0),
    (0.0, -0.0),
    (1, 1 + 0j),
    ("1", b"1"),
    (None, False),
    ((1,), (True,)),
    ((1, 2), Pair(1, 2)),
    (frozenset({1}), frozenset({True})),
    ((), frozenset()),
    (Colour.RED, Colour.BLUE),
    (Colour.RED, 1),
    (Message("a"), Message("b")),
    (Message("a"), Message("a", True)),
    (collections.deque([1]), [1]),
    (collections.deque([1]), collections.deque([1], 5)),
    (collections.defaultdict(list), collections.defaultdict(set)),
    (collections.defaultdict(list), {}),
    ({1: 1, 2: 2}, {2: 2, 1: 1}),
    (bytearray(b"a"), b"a"),
    (range(3), range(0, 3, 2)),
    (slice(1), slice(2)),
    (Box(1), Box(2)),
    (Box(1), Slots(1)),
    (Slots(1), Slots(2)),
    (random.Random(1), random.Random(2)),
    (re.compile("a"), re.compile("a", re.IGNORECASE)),
    (functools.partial(max, 1), functools.partial(max, 2)),
    (KeyError("a"), KeyError("b")),
    (NameError("a", name="x"), NameError("a", name="y")),
    (Slotted(1), Slotted(2)),
    (Slotted(1), Slotted()),
    (super(collections.Counter, collections.Counter()), super(dict, collections.Counter())),
    (random.Random(1).random, random.Random(2).random),
    (int, float),
    (len, max),
    (..., NotImplemented),
]


def test_values_that_code_can_tell_apart_are_different_points():
    for one, other in DIFFERENT:
        assert not merged(keep, [one], [other]), (one, other)


EQUAL = [
    (lambda: 10**30),
    (lambda: "".join(["a", "b"])),
    (lambda: (1, (2, "x" * 2))),
    (lambda: [1, [2], {3: {4}}]),
    (lambda: Pair(1, [2])),
    (lambda: Message("x" * 2)),
    (lambda: Box([1])),
    (lambda: Slots([1])),
    (lambda: frozenset({1, 2, 3})),
    (lambda: collections.Counter("aab")),
    (lambda: collections.OrderedDict(a=1)),
    (lambda: random.Random(7)),
    (lambda: re.compile("a+")),
    (lambda: {1: 2}.items()),
    (lambda: {1: 2}.keys()),
    (lambda: KeyError("a")),
]


def test_equal_values_are_one_point():
    for make in EQUAL:
        assert merged(keep, [make()], [make()]), make()


def test_a_nan_is_equal_to_itself_alone():
    def process():
        a = float("nan")
        b = a if (yield STEP) else float("nan")
        yield STEP
        return [a] == [b]

    assert differ_later(process, [True], [False], None) == [True, False]


def test_frozen_dataclasses_that_are_equal_are_one_point_whether_or_not_they_are_one_object():
    def process():
        a = Message("a")
        b = a if (yield STEP) else Message("a")
        yield STEP
        return a == b

    assert merged(process, [True], [False])


def test_equal_sets_pop_in_an_order_that_their_history_decides():
    def process():
        items = {5} if (yield STEP) else set()
        if items:
            items.pop()  # leaves a finger behind it
        items.update((1, 7))
        yield STEP
        return items.pop()

    assert differ_later(process, [True], [False], None) == [7, 1]


def test_the_finger_of_pop_is_part_of_a_set():
    def process():
        items = {5}
        if (yield STEP):
            items.pop()
        else:
            items.discard(5)  # the same slot is left behind, and no finger
        items.update((1, 7))
        yield STEP
        return items.pop()

    assert differ_later(process, [True], [False], None) == [7, 1]


def test_equal_sets_grow_in_an_order_that_their_history_decides():
    def process():
        items = {0, 8} if (yield STEP) else {8}  # 0 and 8 want the same slot
        items.discard(0)
        items.add(2)
        yield STEP
        items.add(1)
        return tuple(items)

    assert differ_later(process, [True], [False], None) == [(8, 2, 1), (8, 1, 2)]


def test_equal_frozensets_iterate_in_an_order_that_their_history_decides():
    def process():
        items = frozenset([0, 8]) if (yield STEP) else frozenset([8, 0])
        yield STEP
        return tuple(items)

    assert differ_later(process, [True], [False], None) == [(0, 8), (8, 0)]


def test_what_a_library_has_pickle_say_of_exceptions_is_not_asked():
    """As tblib does for each class of exceptions, with their tracebacks."""
    copyreg.dispatch_table[ValueError] = lambda error: (ValueError, (object(),))
    try:
        assert freeze(ValueError("no")) == freeze(ValueError("no"))
        assert freeze(ValueError("no")) != freeze(ValueError("yes"))
    finally:
        del copyreg.dispatch_table[ValueError]
