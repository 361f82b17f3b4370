"""Of a wake-up that did not end a wait it is told at which step that was, and whom it woke instead."""

from __future__ import annotations

import pytest
from missed_wakes import cleared_event, lost_notify

from simcore import Model, control, execute, explore, simulate
from simcore.explain import Did, cleared


def lost_wake_up() -> Model:
    """The flag is looked at before the lock is taken, so a notify may come in between."""
    model = Model("lost wake-up")
    ready, flag = model.condition("ready"), model.variable("flag", False)

    def consumer():
        while not (yield flag.get()):
            yield ready.acquire()
            yield ready.wait()
            yield ready.release()

    def producer():
        yield flag.set(True)
        yield ready.acquire()
        yield ready.notify()
        yield ready.release()

    model.process("consumer", consumer)
    model.process("producer", producer)
    return model


def one_for_all() -> Model:
    """A buffer of one place in which putters and takers wait on one condition, and one of them is woken."""
    model = Model("one for all")
    changed, items = model.condition("changed"), model.variable("items", 0)

    def move(wanted):
        yield changed.acquire()
        while (yield items.get()) != wanted:
            yield changed.wait()
        yield items.set(1 - wanted)
        yield changed.notify()
        yield changed.release()

    for number in range(2):
        model.process(f"put[{number}]", move, 0)
        model.process(f"take[{number}]", move, 1)
    return model


def set_and_cleared() -> Model:
    model = Model("set and cleared")
    go = model.event("go")

    def waiter():
        yield go.wait()

    def setter():
        yield go.set()
        yield go.clear()

    model.process("waiter", waiter)
    model.process("setter", setter)
    return model


def told(found):
    return " ".join(found.wait_for.explain())


def step_of(found, text):
    return next(number for number, step in enumerate(found.schedule.steps, 1) if str(step.text).startswith(text))


def test_a_notify_that_came_too_early_is_told_with_its_step_and_since_when_somebody_waits():
    found = explore(lost_wake_up()).counterexample
    notified, waits = step_of(found, "notifies"), step_of(found, "waits on")
    assert notified < waits
    assert told(found) == (
        f"consumer waits to be notified on ready: nobody notifies it any more; only producer did, in step {notified}, "
        f"and has ended; step {notified} woke nobody: consumer waits only since step {waits}"
    )


def test_a_notify_that_woke_another_one_is_told_with_whom():
    found = explore(one_for_all()).counterexample
    steps = [(number, step) for number, step in enumerate(found.schedule.steps, 1) if step.text.startswith("notifies")]
    number, last = steps[-1]
    woken = last.result.removeprefix("wakes ")
    lines = found.wait_for.explain()
    assert len(lines) == 2
    for line in lines:
        name = line.partition(" ")[0]
        again = f", which waits again since step {len(found.schedule)}" if name == woken else ""
        assert line.endswith(f"; step {number} woke {woken}{again}")


def test_an_event_that_was_cleared_is_told_with_both_steps():
    found = explore(set_and_cleared()).counterexample
    assert told(found).endswith("in step 1, and has ended; it was set in step 1, and setter cleared it in step 2")


def test_an_event_that_was_cleared_before_it_was_set_is_not_said_to_be():
    assert cleared([Did("setter", "setter", (5,))], [Did("setter", "setter", (2,))]) == ""
    assert cleared([], [Did("setter", "setter", (2,))]) == ""


@pytest.mark.parametrize("build", [lost_wake_up, set_and_cleared])
def test_a_run_in_virtual_time_tells_the_same(build):
    found = explore(build()).counterexample
    assert simulate(build(), schedule=found.schedule).wait_for.explain() == found.wait_for.explain()


def test_a_real_run_whose_steps_have_no_numbers_names_none():
    found = explore(lost_wake_up()).counterexample
    lines = execute(lost_wake_up(), schedule=found.schedule).wait_for.explain()
    assert lines == [
        "consumer waits to be notified on ready: nobody notifies it any more; only producer did, and has ended"
    ]


@pytest.mark.parametrize(("body", "verb"), [(lost_notify, "woke nobody: consumer"), (cleared_event, "cleared it")])
def test_code_of_the_user_tells_the_steps_of_its_own_schedule(body, verb):
    found = control(body).violation
    text = told(found)
    assert verb in text
    for number, step in enumerate(found.steps, 1):
        if ".notify()" in step.text:
            assert f"step {number} woke nobody" in text
        if ".clear()" in step.text:
            assert f"setter cleared it in step {number}" in text
        if ".wait()" in step.text and body is lost_notify:
            assert f"waits only since step {number}" in text
