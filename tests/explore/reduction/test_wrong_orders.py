"""An order of steps that is left out wrongly is caught."""

import sys
from concurrent.futures import InvalidStateError

import pytest
from orders import agree, compare

from simcore import Model, Verdict, sometimes
from simcore.explore.reduction import PartialOrder
from simcore.explore.reduction.footprints import Footprints
from simcore.explore.search import Search
from simcore.model.objects import Queue, ThreadPool
from simcore.models import callback_starvation

# ---- an order that is left out wrongly is caught -----------------------------------------------------------


def submitting():
    """Two processes submit to a pool of one worker; which task comes first shows in the queue."""
    model = Model("submitting")
    pool, queue = model.thread_pool("pool", 1), model.queue("queue")

    def task(name):
        yield queue.put(name)

    def submit(name):
        yield pool.submit(task, name)

    for name in "ab":
        model.process(name, submit, name)
    return model


def beside_a_heartbeat():
    """Somebody acts beside a daemon that goes round for ever and touches nothing of his."""
    model = Model("beside a heartbeat")
    beat, event = model.event("beat"), model.event("event")

    def heart():
        while True:
            yield beat.set()
            yield beat.clear()

    def act():
        yield event.set()

    model.process("heart", heart, daemon=True)
    model.process("act", act)
    return model


def late():
    """One puts at once, another one after two steps of its own; either may be the first."""
    model = Model("late")
    queue, event = model.queue("queue"), model.event("event")

    def soon():
        yield queue.put("soon")

    def later():
        yield event.set()
        yield event.set()
        yield queue.put("later")

    model.process("soon", soon)
    model.process("later", later)
    return model


def watched():
    """The first event may be set while the second one is not; the process of the second one is tried first."""
    model = Model("watched")
    first, second = model.event("first"), model.event("second")

    def set_second():
        yield second.set()

    def flash():
        yield first.set()
        yield first.clear()

    model.process("flash", flash)
    model.process("set second", set_second)
    return model


def kept_lock():
    """A task ends without giving back its lock, so that which worker takes the next task counts."""
    model = Model("kept lock")
    pool, lock = model.thread_pool("pool", 2), model.rlock("lock")

    def task():
        yield lock.acquire()

    def main():
        first = yield pool.submit(task)
        yield first.result()
        yield pool.submit(task)

    model.process("main", main)
    return model


def set_by_hand():
    """The future of a task may be set by whoever submitted it, before the worker does."""
    model = Model("set by hand")
    pool, told = model.thread_pool("pool", 1), model.queue("told")

    def task():
        yield from ()

    def main():
        future = yield pool.submit(task)
        try:
            yield future.set_result("by hand")
        except InvalidStateError:
            yield told.put("too late")

    model.process("main", main)
    return model


WATCHED = sometimes(lambda state: state["first"] and not state["second"], "first alone")


def puts_its_name():
    """Where an item is a name, what looks like the same item is another one under another name."""
    model = Model("each puts its name twice")
    queue, tokens = model.queue("queue"), model.semaphore("tokens", 2)

    def member(name):
        yield tokens.acquire()
        yield queue.put(name)
        yield queue.put(name)

    for name in model.indices("member", 2):
        model.process(name, member, name)
    return model


def puts_one_of_two():
    """An item that is put again is not put instead of another."""
    model = Model("two put the same, a third something else")
    queue = model.queue("queue")

    def puts(*items):
        for item in items:
            yield queue.put(item)

    for name, items in {"a": (1, 1), "b": (1,), "c": (True,), "d": (1.0,)}.items():
        model.process(name, puts, *items)
    return model


BUILDS = [submitting, beside_a_heartbeat, late, watched, kept_lock, set_by_hand, puts_its_name, puts_one_of_two]


@pytest.mark.parametrize("build", BUILDS)
def test_what_a_wrong_order_would_hide_is_met(build):
    compare_in_many_orders(build)


def compare_in_many_orders(build):
    for seed in (None, *range(5)):
        compare(build(), seed=seed)


def caught(build):
    with pytest.raises(AssertionError):
        compare_in_many_orders(build)


def test_submits_that_change_places_are_caught(monkeypatch):
    monkeypatch.setattr(ThreadPool, "commutes", ThreadPool.commutes | {frozenset(["submit"])})
    caught(submitting)


def test_puts_of_whatever_item_that_change_places_are_caught(monkeypatch):
    monkeypatch.setattr(Queue, "commutes", Queue.commutes | {frozenset(["put"])})
    caught(puts_its_name)
    caught(puts_one_of_two)


def test_equal_items_that_are_not_the_same_are_told_apart(monkeypatch):
    monkeypatch.setattr(sys.modules[Footprints.__module__], "value_key", lambda thing: thing)
    caught(puts_one_of_two)


def test_steps_that_are_put_off_for_ever_are_caught(monkeypatch):
    def first_part(self, space, state, choices, partial_order):
        part = next(partial_order.parts(state, choices), None)
        return choices if part is None else part.choices

    monkeypatch.setattr(Search, "_enough", first_part)
    caught(beside_a_heartbeat)


def test_a_future_that_is_not_looked_at_is_caught(monkeypatch):
    monkeypatch.setattr(Footprints, "_may_come_to", lambda self, local, accesses: None)
    caught(late)


def test_choices_that_relied_on_too_little_are_caught(monkeypatch):
    monkeypatch.setattr(PartialOrder, "justified", lambda self: True)
    caught(late)


def test_a_change_of_what_a_property_looks_at_is_seen(monkeypatch):
    assert agree(watched(), WATCHED) is Verdict.HOLDS
    monkeypatch.setattr(PartialOrder, "_visible", lambda self, state, choice: False)
    with pytest.raises(AssertionError):
        agree(watched(), WATCHED)


def test_workers_that_differ_in_their_locks_and_are_taken_for_alike_are_caught(monkeypatch):
    monkeypatch.setattr(Footprints, "free_when_idle", lambda self, idle: True)
    caught(kept_lock)


def waits_for_its_turn():
    """A reader of whom nobody has seen a step yet is like the other one, who was seen to submit."""
    return callback_starvation.buggy(requests=2, workers=1, callback_workers=2)


def test_who_has_not_moved_yet_may_do_what_those_did_who_are_alike():
    compare_in_many_orders(waits_for_its_turn)


def test_that_who_has_not_moved_yet_is_thought_to_do_nothing_more_is_caught(monkeypatch):
    monkeypatch.setattr(Footprints, "meet", lambda self, locals_: None)
    caught(waits_for_its_turn)


def test_a_future_that_is_set_by_hand_and_taken_for_its_task_s_alone_is_caught(monkeypatch):
    never = property(lambda self: False, lambda self, value: None)
    monkeypatch.setattr(Footprints, "set_by_hand", never, raising=False)
    caught(set_by_hand)
