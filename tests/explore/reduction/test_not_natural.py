"""What may tell names apart is never called natural, however it is hidden."""

# ruff: noqa: B905, C416, RET503, RUF015, SIM113, UP031 - what nobody should write is what is tried here

import sys
from types import FunctionType

import pytest
from names_exchanged import AB, ABC, A, B, C, D, is_natural, runs_naturally, updates_naturally

from simcore.errors import ModelError

FIRST = A
LEADERS = (A, B)
RANKS = {A: 1, B: 2, C: 3, D: 4}
TEXT = "name[1]"


def first_walked(value):
    for one in value:
        return one


def last_walked(value):
    last = None
    for one in value:
        last = one
    return last


def unpacked(value):
    first, _ = value
    return first


def starred(value):
    first, *_ = value
    return first


def popped(value):
    left = set(value)
    left.pop()
    return frozenset(left)


def by_default(value, me, leader=A):
    return value | {me} if me == leader else value


def by_named_default(value, me, *, leader=A):
    return value | {me} if me == leader else value


def in_a_closure(leader):
    def asked(value, me):
        return value | {me} if me == leader else value

    return asked


def caught(value, me):
    try:
        return value + (me < me)
    except ModelError:
        return me.position


def kept_generator(value):
    walk = (one for one in value)
    return next(walk)


def nested(value):
    def first():
        return next(iter(value))

    return first()


def walrus(value):
    some = [last := one for one in value]
    return (last, len(some))


def remembered(value):
    count, found = 0, ()
    for one in value:
        count += 1
        found += ((one, count),)
    return frozenset(found)


def in_order_of_a_dict(value):
    return tuple(dict.fromkeys(value))


def written_global(value, me):
    global FIRST
    FIRST = A
    return me == FIRST


limit = 3


def unbound_later(value, me):
    found = any(one == me or limit for one in value)
    limit = 2  # noqa: F841
    return found


def counted_globally(value):
    if value > 100:
        global limit  # which holds for all of the function
    limit = value
    return limit


def counted(value, me, most=2):
    return value + 1 if value < most else value


def by_a_helper(value, me):
    return leader_among(value, me)


def leader_among(value, me):
    return me in LEADERS


def one_or_true(value, me):
    return frozenset(1 if one == me else True for one in value)


def stops_early(value, me):
    return any(one == me or 1 // (len(value) - 2) for one in value)


def walked_twice(value):
    walk = enumerate(value)
    return frozenset(walk)


UNNATURAL_UPDATES = [
    (lambda value: min(value, key=str), ABC),
    (lambda value: min(value, key=hash), ABC),
    (lambda value: max(value, key=lambda one: one.position), ABC),
    (lambda value: next(iter(value)), ABC),
    (lambda value: [*value][0], ABC),
    (lambda value: (*value,)[-1], ABC),
    (lambda value: tuple(value), ABC),
    (lambda value: tuple(one for one in value)[:1], ABC),
    (lambda value: tuple([one for one in value][1:]), ABC),
    (lambda value: tuple({*value, A}), ABC),
    (lambda value: tuple(value | frozenset()), ABC),
    (lambda value, given: tuple(value) == given, AB, (A, B)),
    (lambda value, given: given == [*value], AB, (A, B)),
    (lambda value: [(one,) for one in value] + [] < [], ()),
    (lambda value: tuple(sorted(value, key=hash)), ABC),
    (lambda value: tuple(zip(value, range(9))), ABC),
    (lambda value: frozenset(zip(value, range(9))), ABC),
    (lambda value: frozenset(enumerate(value)), ABC),
    (lambda value: tuple(reversed([*value])), ABC),
    (lambda value: dict.fromkeys(value).popitem()[0], ABC),
    (lambda value: "".join(map(str, value)), ABC),
    (lambda value, me: str(me), (), A),
    (lambda value, me: f"{me}", (), A),
    (lambda value, me: f"{me!r:>9}", (), A),
    (lambda value, me: "%s" % (me,), (), A),
    (lambda value, me: "name" + "[" + "1]", (), A),
    (lambda value, me: "na" + value, "me", A),
    (lambda value, me: value + "[1]", "name", A),
    (lambda value, me: "name" in value, "a name", A),
    (lambda value, me: value[0], "text", A),
    (lambda value, me: "name[1]", (), A),
    (lambda value, me: TEXT, (), A),
    (lambda value, me: me.position, (), A),
    (lambda value, me: me.family, (), A),
    (lambda value, me: hash(me) % 2, (), A),
    (lambda value, me: id(me) > 0, (), A),
    (lambda value, me: repr(me), (), A),
    (lambda value, me: isinstance(me, tuple), (), A),
    (lambda value, me: type(me) is int, (), A),
    (lambda value, me: me is FIRST, (), A),
    (lambda value, me: me is value, A, A),
    (lambda value, me: me == FIRST, (), A),
    (lambda value, me: me in LEADERS, (), A),
    (lambda value, me: RANKS[me], (), A),
    (lambda value, me: hasattr(me, "position"), (), A),
    (lambda value, me: getattr(me, "position", 0), (), A),
    (lambda value, me: sum(RANKS[one] for one in value), ABC, A),
    (lambda value, me: sum(2**place for place, one in enumerate(value) if one == me), ABC, A),
    (lambda value, me: [one for one in value].index(me), ABC, A),
    (lambda value, me: (value or me) == tuple(ABC), (), A),
    (lambda value, *, leader=A: leader, ()),
    (lambda *value: len(value), ()),
    (lambda value, me: sys.intern("name[0]"), (), A),
    (lambda value, me: 0.5, (), A),
    (first_walked, ABC),
    (last_walked, ABC),
    (unpacked, AB),
    (starred, ABC),
    (popped, ABC),
    (by_default, AB, A),
    (by_named_default, AB, A),
    (in_a_closure(A), AB, B),
    (in_a_closure(frozenset({A})), AB, B),
    (in_a_closure("name[0]"), AB, B),
    (caught, 0, A),
    (kept_generator, ABC),
    (nested, ABC),
    (walrus, ABC),
    (remembered, ABC),
    (in_order_of_a_dict, ABC),
    (written_global, (), A),
    (by_a_helper, (), A),
    (one_or_true, ABC, A),
    (stops_early, AB, next(iter(AB))),
    (walked_twice, ABC),
    (unbound_later, AB, next(iter(AB))),
    (counted_globally, 1),
    (lambda value, me: any(one == me or one for one in value), AB, next(iter(AB))),
    (lambda value, me: counted(value, me, most=RANKS[me] + 1), 0, A),
    (lambda value: tuple(one for _ in (0,) for one in value), ABC),
    (frozenset.union, AB, AB),
]


@pytest.mark.parametrize("case", UNNATURAL_UPDATES, ids=range(len(UNNATURAL_UPDATES)))
def test_what_may_tell_names_apart_is_not_called_natural(case):
    assert not updates_naturally(*case)
    assert not (type(case[0]) is FunctionType and runs_naturally(*case)), "names in it are seen, the steps are not"


UNNATURAL_TRANSITIONS = [
    (lambda value: tuple((one, None) for one in value)[:2], ABC),
    (lambda value: [(one, None) for one in value][::-1], ABC),
    (lambda value: ((tuple(one for one in value), None),), ABC),
    (lambda value: [(([*value][0]), one) for one in value], ABC),
    (lambda value: ((last := one, last) for one in value), ABC),
    (lambda value: ((place, one) for place, one in enumerate(value)), ABC),
    (lambda value: [(value, [(one, 1) for one in value] == [(A, 1), (B, 1), (C, 1)])], ABC),
    (lambda value: [(one, one) for one in value if one.position], ABC),
]


@pytest.mark.parametrize("case", UNNATURAL_TRANSITIONS, ids=range(len(UNNATURAL_TRANSITIONS)))
def test_outcomes_have_no_order_but_what_is_picked_from_them_has(case):
    assert not is_natural(*case)
