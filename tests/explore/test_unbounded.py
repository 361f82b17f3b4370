"""Where a search does not end because something grows, that is named; nothing is named that only looks like it."""

from itertools import count

import pytest

from simcore import Model, Verdict, explore, sleep
from simcore.explore.limits import Limits

MOST = 120  # states


def one(body, *, name="p", **objects):
    model = Model("endless")
    things = [getattr(model, kind)(*given) for kind, given in objects.items()]
    model.process(name, body, *things)
    return model


def counter(v):
    while True:
        n = yield v.get()
        yield v.set(n + 1)


def countdown(v):
    left = 0
    while True:
        left -= 1
        yield v.set(left > -5)


def filling(q):
    while True:
        yield q.put("item")


def remembering(e):
    seen = ()
    while True:
        yield e.set()
        seen = (*seen, "set")


def delegating(e):
    def inner(count):
        while True:
            yield e.set()
            count += 2

    yield from inner(0)


def submitting(pool):
    def task():
        yield sleep(1)

    while True:
        yield pool.submit(task)


def numbered(link):
    number = 0
    while True:
        yield link.send(("frame", number))
        yield link.recv()
        number += 1


GROWS = {
    "a variable": (one(counter, variable=("v", 0)), "v and n of p grow without bound: the same 2 steps of p "),
    "a local": (one(countdown, variable=("v", True)), "left of p changes without bound: the same step of p "),
    "a queue": (one(filling, queue=("q",)), "q grows without bound: the same step of p "),
    "a local tuple": (one(remembering, event=("e",)), "seen of p grows without bound: the same step of p "),
    "a local of a helper": (one(delegating, event=("e",)), "count of p grows without bound: the same step of p "),
    "the queue of a pool": (one(submitting, thread_pool=("pool", 1)), "pool grows without bound: the same step of p "),
    "a number in a frame": (one(numbered, link=("link",)), "number of p grows without bound: the same 2 steps of p "),
}


@pytest.mark.parametrize(("model", "told"), GROWS.values(), ids=GROWS)
@pytest.mark.parametrize("how", [{}, {"strategy": "depth"}, {"symmetry": False, "partial_order": False}])
def test_what_grows_without_bound_is_named(model, told, how):
    result = explore(model, max_states=MOST, **how)
    assert result.verdict is Verdict.UNDETERMINED
    assert result.reason.startswith(f"`max_states={MOST}` was reached; {told}")
    assert result.reason.endswith("can be taken again each time (20 tried)")


def test_other_limits_name_it_too(monkeypatch):
    looks = count()  # time goes on by a millisecond with each, and stands still when it is over
    monkeypatch.setattr(Limits, "elapsed", property(lambda limits: min(next(looks) / 1_000, 0.6)))
    assert "v and n of p grow without bound" in explore(one(counter, variable=("v", 0)), max_seconds=0.5).reason


def test_two_who_count_together_are_named_together():
    model = one(counter, variable=("v", 0), name="one")
    lock, total = model.lock("lock"), model.variable("total", 0)

    def add():
        while True:
            yield lock.acquire()
            yield total.set((yield total.get()) + 3)
            yield lock.release()

    model.process("two", add)
    assert "grow" in explore(model, max_states=MOST).reason


def test_a_space_that_is_only_large_is_said_to_be_no_more():
    model = Model("large")
    for name in "abcde":
        own = model.variable(name, 0)
        model.process(f"process {name}", lambda own=own: (yield from (own.set(n) for n in range(9))))
    for how in ({"symmetry": False}, {"strategy": "depth"}):
        assert explore(model, max_states=2_000, partial_order=False, **how).reason == "`max_states=2000` was reached"


def test_of_what_changes_for_ever_and_is_not_known_to_grow_it_is_said_what_was_counted():
    def scrambling(v):
        while True:
            n = yield v.get()
            yield v.set((n * 7_919 + 3) % 100_003)

    reason = explore(one(scrambling, variable=("v", 0)), max_states=MOST).reason
    assert reason == f"`max_states={MOST}` was reached; v took {MOST // 2} different values in {MOST} states"


def test_a_counter_that_stops_before_it_was_tried_often_enough_is_not_said_to_grow_without_bound():
    def up(v):
        for n in range(18):
            yield v.set(n)
        while True:
            yield v.set(0)
            yield v.set(1)

    model = one(up, variable=("v", 0))
    others = [model.variable(name, 0) for name in "abc"]
    for other in others:
        model.process(f"process {other}", up, other)
    assert "without bound" not in explore(model, max_states=500).reason


def test_who_has_ended_has_no_variables_that_grow():
    model = Model("endless")
    own, began, v = model.variable("own", 0), model.event("began"), model.variable("v", 0)

    def steps():
        yield own.get()
        yield own.set(1)
        yield own.get()
        yield own.set(2)
        yield began.set()
        return "done"

    def counts():
        yield began.wait()
        yield from counter(v)

    model.process("q", steps)
    model.process("p", counts)
    assert "v and n of p grow without bound" in explore(model, max_states=MOST).reason
