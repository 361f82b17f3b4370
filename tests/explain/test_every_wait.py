"""For every kind of wait the report says what for, how full it is, who could end it and why they do not."""

from __future__ import annotations

import inspect
from functools import cache

import pytest
import toys
import waits_for_something as something
import waits_in_turn as in_turn
from hints import tried

from simcore import Model, explore, sleep
from simcore.explain import wait_for_graph
from simcore.model import objects
from simcore.model.operations import SharedObject


@cache
def graph_of(build):
    return explore(build()).counterexample.wait_for


WAITS = {
    in_turn.a_lock_held_by_another: ["left waits for b, held by right", "right waits for a, held by left"],
    in_turn.a_lock_left_behind: ["second waits for lock, held by first, which has ended"],
    in_turn.a_lock_of_a_task_that_has_ended: ["main waits for lock, held by pool[0], whose task has ended"],
    lambda: in_turn.a_lock_left_behind("rlock"): ["second waits for lock, held by first, which has ended"],
    lambda: in_turn.a_condition(notified=False): [
        "waiter waits to be notified on ready: nobody notifies it any more",
    ],
    lambda: in_turn.a_condition(notified=True): [
        "waiter waits for the lock of ready, held by notifier, which has ended"
    ],
    in_turn.a_condition_with_two_waiters: [
        "first waits for the lock of cond, held by notifier, which has ended",
        "stuck too: second waits to be notified on cond: nobody notifies it any more; "
        "only notifier did, in step 9, and has ended; step 9 woke first",
    ],
    in_turn.a_condition_that_all_wait_on: [
        "producer[0..1], consumer[0..1] wait to be notified on cond: nobody else notifies it any more",
    ],
    in_turn.a_semaphore_of_tasks: [
        "handlers 3/3: every worker is in handle(), 1 waiting for a permit of db, 2 waiting for the result of query()",
        "  set only by query(), queued in handlers behind them",
        "  db: 0 of 2 free, held by handle() on handlers[1..2]",
        "  " + tried("handlers", 3),
        "waiting behind it: client[0..2] wait for the result of handle(), which runs on handlers[0..2]",
    ],
    in_turn.a_semaphore_never_given_back: [
        "second waits for a permit of permits, 0 of 1 free, held by first, which has ended",
    ],
    in_turn.a_permit_that_goes_with_a_task: [
        "pool 1/1: every worker is in task(), waiting for gate to be set",
        "  main might set it, but waits itself",
        "main waits for a permit of slots, 0 of 1 free: pool[0] might give one back, but waits itself",
    ],
    in_turn.a_permit_that_another_gives_back: [
        "main waits for a permit of slots, 0 of 1 free: other might give one back, but waits itself",
        "other waits for gate to be set: main might set it, but waits itself",
    ],
    something.an_event_that_nobody_sets: [
        "waiter[0..1] wait for ready to be set: nobody sets it any more",
    ],
    something.a_full_queue: [
        "producer waits to put into queue, full (1/1): nobody takes from it any more; "
        "only consumer did, in step 2, and has ended",
    ],
    something.an_empty_queue: ["consumer waits for an item of queue, empty: nobody puts into it any more"],
    something.two_queues: [
        "main waits to put into up, full (1/1): server has taken from it, last in step 5, and waits itself",
        "server waits to put into down, full (1/1): main might take from it, but waits itself",
    ],
    something.the_exception_of_a_future: [
        "setter waits for the result of answer: nobody sets it any more",
        "stuck too: main waits for the result of answer: setter might set it, but waits itself",
    ],
    something.a_future_by_hand: ["main waits for the result of answer: nobody sets it any more"],
    in_turn.a_task_that_is_queued: [
        "pool 1/1: every worker is in outer(), waiting for the result of inner()",
        "  set only by inner(), queued in pool behind it",
        "  " + tried("pool", 1),
        "waiting behind it: main waits for the result of outer(), which runs on pool[0]",
    ],
    in_turn.two_pools: [
        "A 1/1: every worker is in first(), waiting for the result of middle()",
        "  which runs on B[0]",
        "  " + tried("A", 1),
        "B 1/1: every worker is in middle(), waiting for the result of last()",
        "  set only by last(), queued in A behind first()",
        "waiting behind it: main waits for the result of first(), which runs on A[0]",
    ],
    something.a_full_link: ["sender waits to send over link, too full (3/4 bytes): nobody receives from it any more"],
    something.an_empty_link: [
        "receiver waits to receive from link, empty: nobody sends over it any more; "
        "only sender did, in step 1, and has ended",
    ],
    something.a_link_whose_other_end_is_closed: [
        "client waits to receive from reply, empty: nothing that the others may still do ends it",  # the server may
    ],
    in_turn.a_shutdown_that_waits: [
        "pool 1/2: one worker is in task(), waiting for go to be set",
        "  main might set it, but waits itself",
        "main waits for every worker of pool to leave, 1 of 2 have left, not yet task() on pool[0]",
    ],
    something.a_timer_that_is_cancelled: ["main waits for fired to be set: nobody sets it any more"],
    something.a_timer_that_nobody_starts: [
        "timer.run waits for timer to be started: nobody starts it any more",
        "stuck too: main waits for fired to be set: timer.run might set it, but waits itself",
    ],
    in_turn.beside_one_who_sleeps: ["main waits for lock, held by itself"],
    in_turn.beside_one_who_spins: ["blocked waits for lock, held by spinner, which goes on and never releases it"],
    something.a_variable: [
        "waiter waits for is_two() of count, which is 1: nobody changes it any more; "
        "only adder did, in step 1, and has ended",
    ],
    something.a_transition: [
        "waiter waits for a step that after_one() allows of count, which is 0: nobody changes it any more"
    ],
}


@pytest.mark.parametrize(("build", "lines"), WAITS.items(), ids=[str(number) for number in range(len(WAITS))])
def test_the_report_says_of_each_wait_what_for_and_why_nobody_ends_it(build, lines):
    assert graph_of(build).explain() == lines


def later():
    yield sleep(7.0)


def test_who_waits_for_time_or_idly_is_not_said_to_be_blocked():
    model = Model("time")
    timer, _ = model.timer("timer", 5.0, later), model.thread_pool("pool", 1)

    def main():
        yield timer.start()

    model.process("sleeper", later)
    model.process("main", main)
    view = toys.run(model, "main", "timer.run")
    assert {str(process.operation) for process in view.processes} >= {"timer.countdown()", "pool.take()"}
    assert wait_for_graph(view).edges == []


def waiting_operations():
    """Return all that can block: what an object says so of, what gives up after a time, what returns BLOCKED."""
    found, left = set(), [SharedObject]
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        if kind.__module__.startswith(objects.__name__):
            names = {name.partition("_")[2]: getattr(kind, name) for name in dir(kind) if name.startswith("do_")}
            found |= {(kind.kind, name) for name, do in names.items() if "BLOCKED" in inspect.getsource(do)}
            found |= {(kind.kind, name) for name in names if hasattr(kind, f"expire_{name}")}
            found |= {(kind.kind, name) for name in kind.enabled_by}
    return found


def test_no_operation_that_waits_is_forgotten_here():
    never_stuck = {("local", "sleep"), ("timer", "countdown"), ("pool", "take")}  # told above
    told = {(e.target.kind, e.process.operation.name) for build in WAITS for e in graph_of(build).stuck}
    assert waiting_operations() - never_stuck == told
