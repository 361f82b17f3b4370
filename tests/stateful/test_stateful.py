"""Hypothesis drives the kernel: what it finds shrinks to a minimal schedule and is told like any counterexample."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from toys import opposed_locks

from simcore import Model, sleep
from simcore.errors import ModelError, OptionError
from simcore.explore import Monitor, explore
from simcore.kernel import Kernel
from simcore.model import DEADLOCK_FREE, Property, always, eventually, leads_to, sometimes
from simcore.models import pool_starvation
from simcore.schedule import Schedule
from simcore.stateful import driver, machine, parameters, schedules

FIXED = settings(max_examples=200, stateful_step_count=40, deadline=None, database=None, derandomize=True)
FEW = settings(FIXED, max_examples=15)


def ordered_locks() -> Model:
    model = Model("ordered locks")
    a, b = model.lock("a"), model.lock("b")

    def take():
        yield a.acquire()
        yield b.acquire()
        yield b.release()
        yield a.release()

    model.process("left", take)
    model.process("right", take)
    return model


def philosophers(n: int = 3) -> Model:
    model = Model("dining philosophers")
    forks = [model.lock(f"fork[{i}]") for i in range(n)]

    def eat(left, right):
        while True:
            yield left.acquire()
            yield right.acquire()
            yield left.release()
            yield right.release()

    for i in range(n):
        model.process(f"philosopher[{i}]", eat, forks[i], forks[(i + 1) % n])
    return model


def pool_system(requesters: int = 2, workers: int = 2) -> Model:
    """The pool system of the reference counts, before the fix: the nearest dead pool is 3 * workers steps away."""
    model = Model("nested futures")
    pool = model.thread_pool("pool", workers)

    def read():
        yield from ()

    def callback(reply):
        reading = yield pool.submit(read)
        yield reading.result()
        yield reply.set_result("ok")

    def request(reply):
        yield pool.submit(callback, reply)
        yield reply.result()

    for i in range(requesters):
        model.process(f"requester[{i}]", request, model.future(f"reply[{i}]"))
    return model


def counter(limit: int = 2) -> Model:
    model = Model("counter")
    count = model.variable("count", 0)

    def add():
        for _ in range(limit):
            value = yield count.get()
            yield count.set(value + 1)

    model.process("one", add)
    model.process("other", add)
    return model


def failure_of(machine_class: type[RuleBasedStateMachine], how: settings = FIXED) -> str:
    with pytest.raises(AssertionError) as caught:
        run_state_machine_as_test(machine_class, settings=how)
    return str(caught.value)


def replayed(report: str) -> Schedule:
    """Return the schedule of the token in a report."""
    return Schedule.from_token(report.rpartition("replay: simcore replay ")[2])


# ---- what shrinking gives ----------------------------------------------------------------------------------


def test_opposed_locks_shrink_to_two_steps():
    assert replayed(failure_of(machine(opposed_locks()))).processes == ["left", "right"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_pool_of_nested_futures_shrinks_to_the_known_minimum(workers):
    schedule = replayed(failure_of(machine(pool_system(requesters=2, workers=workers))))
    assert len(schedule) == 3 * workers


def test_endless_processes_shrink_to_one_step_each():
    assert len(replayed(failure_of(machine(philosophers(3))))) == 3


def test_the_reported_hang_shrinks_to_the_length_that_breadth_first_search_proves_shortest():
    model = pool_starvation.buggy(downloads=2, workers=2)
    shortest = explore(model).counterexample
    assert len(replayed(failure_of(machine(model)))) == len(shortest.schedule)


def test_a_parametrised_model_shrinks_to_its_smallest_parameters():
    schedule = replayed(failure_of(machine(pool_system, requesters=range(1, 4), workers=range(1, 3))))
    assert schedule.origin.parameters == {"requesters": 1, "workers": 1}


def test_a_race_shrinks_to_the_fewest_steps_and_names_the_invariant():
    def within(state):
        return state["count"] <= 3

    report = failure_of(machine(counter(), always(within, "at most three")))
    assert report.startswith("violated: at most three")
    assert len(replayed(report)) == len(explore(counter(), always(within)).counterexample.schedule)


def test_a_parameter_may_be_what_is_no_key_of_a_dictionary():
    def stuck(names):
        model = Model("stuck")
        event = model.event("event")

        def wait():
            yield event.wait()

        for name in names:
            model.process(name, wait)
        return model

    names = st.lists(st.sampled_from("ab"), min_size=1, unique=True)
    assert "a waits for event" in failure_of(machine(stuck, names=names))


# ---- what a failing run says -------------------------------------------------------------------------------


def test_a_failing_run_tells_the_schedule_and_who_waits_for_whom_in_the_words_of_explore():
    report = failure_of(machine(opposed_locks())).splitlines()
    explored = str(explore(opposed_locks())).splitlines()
    told = [line for line in report if line in explored]
    assert [line.split() for line in told] == [
        ["violated:", "2", "of", "2", "processes", "can", "never", "move", "again"],
        ["opposed", "locks"],
        ["stuck:"],
        ["left", "waits", "for", "b,", "held", "by", "right"],
        ["right", "waits", "for", "a,", "held", "by", "left"],
        ["1", "left", "acquires", "a"],
        ["2", "right", "acquires", "b"],
        [*["replay:", "simcore", "replay"], explore(opposed_locks()).counterexample.token],
    ]


def test_its_token_replays_to_the_same_violation():
    kernel = Kernel(opposed_locks())
    schedule = replayed(failure_of(machine(opposed_locks())))
    assert Monitor(kernel).replay(schedule).property == "deadlock free"


def test_a_process_that_dies_is_a_violation_which_names_the_exception():
    model = Model("double set")
    reply = model.future("reply")

    def answer():
        yield reply.set_result(1)

    model.process("one", answer)
    model.process("other", answer)
    report = failure_of(machine(model))
    assert report.startswith("violated: other died of InvalidStateError")
    assert "InvalidStateError" in report


def test_a_model_that_starts_stuck_fails_without_a_step():
    model = Model("nobody sets it")
    event = model.event("event")

    def wait():
        yield event.wait()

    model.process("waiter", wait)
    assert "(in the initial state)" in failure_of(machine(model))


def test_a_knot_is_found_although_a_heartbeat_goes_on():
    model = opposed_locks()
    beats = model.event("beat")

    def heartbeat():
        while True:
            yield beats.set()

    model.process("heartbeat", heartbeat, daemon=True)
    assert "left waits for b, held by right" in failure_of(machine(model))


# ---- what passes, and what is refused ----------------------------------------------------------------------


@pytest.mark.parametrize("model", [ordered_locks(), pool_system(requesters=1, workers=2)], ids=str)
def test_a_model_without_a_hang_passes(model):
    run_state_machine_as_test(machine(model), settings=FEW)


def test_a_run_that_has_ended_rests():
    model = Model("one step")
    event = model.event("event")

    def finish():
        yield event.set()

    model.process("only", finish)
    run_state_machine_as_test(machine(model), settings=FEW)


def test_time_outs_follow_the_rule_that_was_asked_for():
    def timed() -> Model:
        model = Model("timed wait")
        event = model.event("event")
        gave_up = model.variable("gave up", False)

        def wait():
            if not (yield event.wait(timeout=1.0)):
                yield gave_up.set(True)

        def finish():
            yield sleep(0.5)
            yield event.set()

        model.process("waiter", wait)
        model.process("setter", finish)
        return model

    in_time = always(lambda state: not state["gave up"], "in time")
    assert "gives up after 1 s" in failure_of(machine(timed(), in_time, timeouts="anytime"))
    run_state_machine_as_test(machine(timed(), in_time, timeouts="never"), settings=FEW)


@pytest.mark.parametrize(
    "about_runs",
    [
        eventually(lambda state: True, "done"),
        leads_to(lambda state: True, lambda state: True, "answered"),
        sometimes(lambda state: True, "reached"),
        Property("can finish", "finish"),
    ],
    ids=str,
)
def test_a_property_about_whole_runs_is_refused(about_runs):
    with pytest.raises(OptionError, match=f"'{about_runs}' is about whole runs.*explore"):
        machine(opposed_locks(), DEADLOCK_FREE, about_runs)


def test_ranges_need_the_function_that_builds_the_model():
    with pytest.raises(OptionError, match="'opposed locks' is built already"):
        machine(opposed_locks(), requesters=range(3))


def test_a_function_that_returns_no_model_is_a_model_error():
    with pytest.raises(ModelError, match="returned a int"):
        machine(lambda: 3)


# ---- steering ----------------------------------------------------------------------------------------------


def test_runs_are_steered_towards_blocked_workers():
    seen = []

    class Watched(machine(pool_system(requesters=1, workers=2))):
        def teardown(self):
            super().teardown()
            seen.append(dict(self.most_blocked))

    run_state_machine_as_test(Watched, settings=FEW)
    assert max(blocked["blocked workers"] for blocked in seen) == 1
    assert max(blocked["blocked processes"] for blocked in seen) == 2


def test_hypothesis_is_told_how_much_was_blocked(monkeypatch):
    told = []
    monkeypatch.setattr(driver, "target", lambda number, label: told.append(label))
    run_state_machine_as_test(machine(pool_system(requesters=1, workers=2)), settings=FEW)
    assert set(told) == {"blocked processes", "blocked workers"}


# ---- strategies for plain tests ----------------------------------------------------------------------------


@FEW
@given(schedules(pool_system(), min_steps=3, max_steps=9))
def test_a_drawn_schedule_is_possible_and_of_the_length_asked_for(schedule):
    schedule.states(Kernel(pool_system()))
    assert 3 <= len(schedule) <= 9


def test_a_drawn_schedule_ends_with_the_run_that_it_follows():
    longest = find(schedules(ordered_locks, min_steps=50, max_steps=60), lambda schedule: True, settings=FIXED)
    assert len(longest) == 8


def test_drawn_schedules_shrink_to_the_shortest():
    kernel = Kernel(opposed_locks())

    def stuck(schedule):
        return kernel.view(schedule.states(kernel)[-1]).deadlocked

    assert len(find(schedules(opposed_locks(), max_steps=10), stuck, settings=FIXED)) == 2


def test_a_schedule_that_only_switches_when_it_must_is_the_simplest():
    simplest = find(schedules(opposed_locks(), min_steps=8, max_steps=8), lambda schedule: True, settings=FIXED)
    assert simplest.processes == ["left"] * 4 + ["right"] * 4


def test_bounds_that_exclude_each_other_are_refused():
    with pytest.raises(OptionError, match="min_steps=3, max_steps=2"):
        schedules(opposed_locks(), min_steps=3, max_steps=2)


@FEW
@given(parameters(pool_system, requesters=range(1, 4)))
def test_parameters_are_drawn_from_their_ranges_and_the_rest_are_defaults(drawn):
    assert drawn["requesters"] in range(1, 4)
    assert drawn["workers"] == 2
    assert list(drawn) == ["requesters", "workers"], "an order that is drawn is one more thing to shrink"
    pool_system(**drawn)


@FEW
@given(parameters(pool_system, requesters=st.integers(5, 6), workers=[1, 4]))
def test_a_range_may_be_a_strategy_or_a_list(drawn):
    assert drawn["requesters"] in (5, 6)
    assert drawn["workers"] in (1, 4)


def test_an_unknown_parameter_is_refused_and_the_known_ones_are_named():
    with pytest.raises(OptionError, match="no parameter 'wrokers'; it has requesters, workers"):
        parameters(pool_system, wrokers=range(3))


def test_a_parameter_without_a_default_needs_a_range():
    def needs(size: int) -> Model:
        raise NotImplementedError(size)

    with pytest.raises(OptionError, match="'size' has no default"):
        parameters(needs)


# ---- as a test class ---------------------------------------------------------------------------------------


class TestOrderedLocks(machine(ordered_locks).TestCase):
    settings = settings(FEW, suppress_health_check=[HealthCheck.too_slow])
