"""Under timeouts="in_order" time passes only when nothing else can, and the nearest deadline comes first."""

import pytest
import toys

from simcore import Model, Verdict, always, explore, sleep
from simcore.kernel import Kernel
from simcore.properties import completes


def sleepers(*seconds):
    """Each sleeps, and then writes down its name."""
    model = Model("sleepers")
    order = model.variable("order", ())

    def sleeper(name, seconds):
        yield sleep(seconds)
        yield order.update(lambda old: (*old, name))

    for number, time in enumerate(seconds):
        model.process(f"p{number}", sleeper, number, time)
    return model


def ends(model, timeouts="in_order"):
    """Return the orders that can come out."""
    kernel = Kernel(model, timeouts)
    return {kernel.view(s)["order"] for s in toys.space(kernel).distance if not kernel.successors(s)}


def test_who_sleeps_shorter_wakes_first():
    assert ends(sleepers(3, 1, 2)) == {(1, 2, 0)}


def test_without_the_order_any_of_them_may_wake_first():
    assert len(ends(sleepers(3, 1, 2), "when_stuck")) == 6


def test_what_is_due_at_the_same_moment_comes_in_any_order():
    assert ends(sleepers(1, 1)) == {(0, 1), (1, 0)}


def test_seconds_add_up():
    model = Model("sums")
    order = model.variable("order", ())

    def twice():
        yield sleep(0.1)
        yield sleep(0.2)
        yield order.update(lambda old: (*old, "twice"))

    def once(seconds):
        yield sleep(seconds)
        yield order.update(lambda old: (*old, seconds))

    model.process("twice", twice)
    for seconds in (0.25, 0.31):
        model.process(str(seconds), once, seconds)
    assert ends(model) == {(0.25, "twice", 0.31)}


def waiting(limit, set_after):
    """One waits for an event with a limit, another one sets it some time later."""
    model = Model("waiting")
    event, told = model.event("event"), model.variable("order", ())

    def waiter():
        got = yield event.wait(timeout=limit)
        yield told.set((got,))

    def setter():
        yield sleep(set_after)
        yield event.set()

    model.process("waiter", waiter)
    model.process("setter", setter)
    return model


@pytest.mark.parametrize(
    ("limit", "set_after", "possible"), [(5, 3, {(True,)}), (3, 5, {(False,)}), (3, 3, {(True,), (False,)})]
)
def test_a_wait_ends_by_whichever_comes_first(limit, set_after, possible):
    assert ends(waiting(limit, set_after)) == possible


def test_a_step_of_somebody_else_takes_no_time():
    model = waiting(3, 4)
    event = model.objects[1]

    def busy():
        for _ in range(5):
            yield event.is_set()

    model.process("busy", busy)
    assert ends(model) == {(False,)}


def test_a_system_that_goes_round_comes_back_to_the_same_states():
    """Two clocks of 2 and 3 seconds: seconds left or about to set, for each, and the flag; counted by hand."""
    model = Model("ticks")
    event = model.event("event")

    def ticker(seconds):
        while True:
            yield sleep(seconds)
            yield event.set()

    model.process("a", ticker, 2, daemon=True)
    model.process("b", ticker, 3, daemon=True)
    result = explore(model, timeouts="in_order")
    assert (result.verdict, result.states) == (Verdict.HOLDS, 16)


def workers_that_sleep(first, second):
    model = Model("pool")
    pool, order = model.thread_pool("pool", 2), model.variable("order", ())

    def task(seconds):
        yield sleep(seconds)
        yield order.update(lambda old: (*old, seconds))

    def main():
        for seconds in (first, second):
            yield pool.submit(task, seconds)

    model.process("main", main)
    return model


@pytest.mark.parametrize("seconds", [(2, 1), (1, 1)])
def test_the_deadlines_of_workers_are_renamed_with_them(seconds):
    model = workers_that_sleep(*seconds)
    right = always(lambda state: state["order"] in ((), (1,), (1, 1), (1, 2)))
    both = [explore(model, right, timeouts="in_order", symmetry=on, partial_order=False) for on in (True, False)]
    assert [result.verdict for result in both] == [Verdict.HOLDS] * 2
    assert both[0].states < both[1].states


def test_the_schedule_of_a_violation_is_in_order_and_replays_on_any_kernel():
    model = sleepers(2, 1)
    result = explore(model, always(lambda state: state["order"] != (1, 0)), timeouts="in_order")
    assert result.counterexample.schedule.processes == ["p1", "p1", "p0", "p0"]
    reached = result.counterexample.schedule.states(Kernel(model, "anytime"))[-1]
    assert len(reached) < len(Kernel(model, "in_order").initial)


def test_a_step_leads_where_successors_say():
    kernel = Kernel(waiting(3, 3), "in_order")
    for state in toys.space(kernel).distance:
        for process, outcome, following in kernel.successors(state):
            assert kernel.step(state, process, outcome) == following


def test_a_deadline_that_is_not_the_nearest_is_no_step():
    kernel = Kernel(sleepers(2, 1), "in_order")
    assert kernel.step(kernel.initial, 0, 0) is None
    assert kernel.step(kernel.initial, 1, 0) is not None


def notified_and_kept(beats) -> Model:
    """A wait with a limit is notified, and its lock kept by one who sleeps again and again, as others do."""
    model = Model("notified and kept")
    lock = model.lock("lock")
    condition = model.condition("condition", lock)

    def wait():
        yield lock.acquire()
        yield condition.wait(timeout=1)
        yield lock.release()

    def keep():
        yield sleep(0.5)
        yield lock.acquire()
        yield condition.notify()
        while True:
            yield sleep(1)

    def beat(seconds):
        while True:
            yield sleep(seconds)

    model.process("waiter", wait)
    model.process("keeper", keep, daemon=True)
    for seconds in beats:
        model.process(f"every {seconds} s", beat, seconds, daemon=True)
    return model


@pytest.mark.parametrize("beats", [(), (0.75,), (0.5, 0.25)])
@pytest.mark.parametrize("symmetry", [True, False])
def test_the_deadline_of_a_waiter_that_was_notified_stops(beats, symmetry):
    result = explore(notified_and_kept(beats), timeouts="in_order", symmetry=symmetry, max_states=5_000)
    assert result.verdict is Verdict.VIOLATED
    result = explore(notified_and_kept(beats), always(lambda state: True), timeouts="in_order", max_states=5_000)
    assert (result.verdict, result.states < 200) == (Verdict.HOLDS, True)


def test_the_deadline_of_who_could_move_and_has_not_runs_on():
    """The event is set and cleared in the same moment, before its waiter has moved."""
    model = Model("set and cleared")
    event = model.event("event")

    def wait():
        yield event.wait(3)

    def late(operation):
        yield sleep(1)
        yield operation()

    model.process("waiter", wait)
    model.process("setter", late, event.set)
    model.process("clearer", late, event.clear)
    for options in ({}, {"symmetry": False, "partial_order": False}):
        assert explore(model, completes("waiter"), timeouts="in_order", **options).verdict is Verdict.HOLDS
