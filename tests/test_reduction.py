"""With and without a reduction: the same verdict for every system, and never more states."""

import sys
from unittest.mock import patch

import pytest
import small
import toys
from generated import system, systems
from hypothesis import given, note, settings

from models import pool_starvation
from simcore import Model, SimcoreError, Verdict, always, explore
from simcore.kernel import Kernel
from simcore.reduction import Symmetry

TOYS = {
    "opposed locks": toys.opposed_locks,
    "crossed behind a heartbeat": lambda: small.crossed(beating=True),
    "impatient": small.impatient,
    "hidden in a task": lambda: small.hidden(in_a_task=True),
    "helped in a task": lambda: small.hidden(in_a_task=True, alone=False),
    "relay": small.relay,
    "raising": small.raising,
    "locked tasks": small.locked_tasks,
    "locked tasks, three workers": lambda: small.locked_tasks(workers=3),
    "locked tasks in order": lambda: small.locked_tasks(opposed=False),
    "nested submit 2/2": lambda: small.nested_submit(workers=2, tasks=2),
    "nested submit 2/3": lambda: small.nested_submit(workers=3, tasks=2),
    "nested futures": lambda: toys.nested_futures(roots=2, levels=2, workers=3),
    "nested futures that hang": lambda: toys.nested_futures(roots=2, levels=2, workers=2),
    "pool system before": lambda: toys.pool_system(requesters=2, workers=2, chunks=1),
    "pool system after": lambda: toys.pool_system(requesters=2, workers=2, chunks=1, callback_workers=2),
    "two pools": lambda: pool_starvation.fixed(downloads=2, workers=2, callback_workers=2),
    "starved": lambda: pool_starvation.buggy(downloads=3, workers=2),
    "waiters of a condition": lambda: notified(workers=3),
}


def notified(*, workers: int = 3, tasks: int = 2) -> Model:
    """Tasks wait on a condition, so the value of its lock mentions workers in the order in which they came."""
    model = Model("notified")
    pool, lock = model.thread_pool("pool", workers), model.lock("lock")
    ready = model.condition("ready", lock)

    def wait():
        yield lock.acquire()
        yield ready.wait()
        yield lock.release()

    def main():
        for _ in range(tasks):
            yield pool.submit(wait)
        for _ in range(tasks):
            yield lock.acquire()
            yield ready.notify()
            yield lock.release()

    model.process("main", main)
    return model


def both(model, *properties, **options):
    """Explore with and without symmetry; insist on one answer, and return the two results."""
    reduced, full = (explore(model, *properties, symmetry=on, **options) for on in (True, False))
    assert (reduced.verdict, reduced.property) == (full.verdict, full.property)
    if full.counterexample is not None:
        ways = reduced.counterexample.schedule, full.counterexample.schedule
        assert (len(ways[0]), ways[0].switches) == (len(ways[1]), ways[1].switches)
        assert len(ways[0].states(Kernel(model))) == len(ways[0]) + 1
    assert reduced.states <= full.states
    return reduced, full


@pytest.mark.parametrize("timeouts", ["never", "when_stuck", "anytime"])
@pytest.mark.parametrize("model", TOYS.values(), ids=TOYS)
def test_interchanging_workers_changes_no_verdict_and_no_shortest_schedule(model, timeouts):
    both(model(), timeouts=timeouts)


@pytest.mark.parametrize("model", TOYS.values(), ids=TOYS)
def test_the_representatives_are_as_many_as_the_orbits(model):
    kernel = Kernel(model())
    symmetry = Symmetry(kernel)
    reduced, full = toys.space(kernel, symmetry.representative), toys.space(kernel)
    assert set(reduced.distance) == {symmetry.representative(state) for state in full.distance}


@pytest.mark.parametrize("model", TOYS.values(), ids=TOYS)
def test_a_representative_represents_itself(model):
    kernel = Kernel(model())
    symmetry = Symmetry(kernel)
    for state in toys.space(kernel).distance:
        chosen = symmetry.representative(state)
        assert symmetry.representative(chosen) == chosen
        assert symmetry.permutation(chosen) == symmetry.identity


@pytest.mark.parametrize("model", TOYS.values(), ids=TOYS)
def test_what_can_happen_in_a_representative_is_what_can_happen_renamed(model):
    kernel = Kernel(model())
    symmetry = Symmetry(kernel)
    for state in toys.space(kernel).distance:
        renamed = symmetry.permutation(state)
        here = sorted((renamed[p], o, symmetry.representative(s)) for p, o, s in kernel.successors(state))
        there = kernel.successors(symmetry.representative(state))
        assert here == sorted((p, o, symmetry.representative(s)) for p, o, s in there)


def test_workers_that_are_interchangeable_leave_fewer_states():
    reduced, full = both(small.locked_tasks(workers=2, opposed=False))
    assert (reduced.states, full.states) == (50, 91)


def test_a_pool_of_one_worker_leaves_all_states():
    reduced, full = both(small.nested_submit(workers=1, tasks=1))
    assert reduced.states == full.states
    assert "interchangeable" not in reduced.strategy


def test_locks_that_are_held_by_workers_are_renamed_with_them():
    kernel = Kernel(small.locked_tasks())
    symmetry = Symmetry(kernel)
    one = toys.walk(kernel, kernel.initial, "main", "pool[0]", "pool[0]")
    other = toys.walk(kernel, kernel.initial, "main", "pool[1]", "pool[1]")
    assert one != other
    assert symmetry.representative(one) == symmetry.representative(other)


def test_a_property_of_states_has_the_same_verdict():
    both(small.locked_tasks(), always(lambda state: state["a"].owner is None or state["b"].owner is None, "one lock"))


def agree(model, limit):
    """Compare with and without symmetry within a limit; what is too large for it is not judged."""
    with patch.object(sys.modules[explore.__module__], "NO_RETURN_STATES", 20):  # most of the time goes there
        reduced, full = (explore(model, symmetry=on, max_states=limit) for on in (True, False))
    note(str(full))
    if Verdict.UNDETERMINED in (reduced.verdict, full.verdict):
        return
    assert (reduced.verdict, reduced.property) == (full.verdict, full.property)
    assert reduced.states <= full.states
    if full.counterexample is not None:
        assert len(reduced.counterexample.schedule) == len(full.counterexample.schedule)
        assert reduced.counterexample.schedule.switches == full.counterexample.schedule.switches


@given(systems(longest=3))
@settings(max_examples=200)
def test_generated_systems_have_the_same_verdict(model):
    agree(model, 500)


@pytest.mark.slow
@given(systems(longest=5))
@settings(max_examples=2_000)
def test_many_generated_systems_have_the_same_verdict(model):
    agree(model, 5_000)


# ---- a wrong reduction is caught ---------------------------------------------------------------------------


def sorted_without_renaming(self, state):
    for start, end in self.teams:
        state = (*state[:start], *sorted(state[start:end]), *state[end:])
    return state


def reduce_wrongly(monkeypatch, wrong):
    monkeypatch.setattr(Symmetry, "representative", wrong)
    monkeypatch.setattr(Symmetry, "chosen", lambda self, state: (wrong(self, state), self.identity))


@pytest.mark.parametrize("model", [small.locked_tasks, notified])
def test_sorting_workers_without_renaming_the_owners_of_locks_is_caught(monkeypatch, model):
    reduce_wrongly(monkeypatch, sorted_without_renaming)
    with pytest.raises(AssertionError):
        test_what_can_happen_in_a_representative_is_what_can_happen_renamed(model)


def test_sorting_workers_without_renaming_changes_a_verdict_which_is_caught(monkeypatch):
    reduce_wrongly(monkeypatch, sorted_without_renaming)
    with pytest.raises(AssertionError):
        test_interchanging_workers_changes_no_verdict_and_no_shortest_schedule(
            TOYS["locked tasks in order"], "when_stuck"
        )


def test_taking_different_workers_for_the_same_is_caught(monkeypatch):
    def merged(self, state):
        for start, end in self.teams:
            state = (*state[:start], *(min(state[start:end]),) * (end - start), *state[end:])
        return state

    reduce_wrongly(monkeypatch, merged)
    with pytest.raises((AssertionError, StopIteration)):
        test_interchanging_workers_changes_no_verdict_and_no_shortest_schedule(small.locked_tasks, "when_stuck")


def test_a_property_that_asks_for_a_worker_by_name_is_refused_while_workers_are_interchangeable():
    quiet = always(lambda state: state.process("stream[0]").task is None, "stream[0] stays idle")
    model = pool_starvation.buggy(downloads=1, workers=2)
    with pytest.raises(SimcoreError, match=r"stream\[0\] by name.*symmetry=False"):
        explore(model, quiet)
    assert explore(model, quiet, symmetry=False).verdict is Verdict.VIOLATED


def test_a_property_may_ask_for_the_one_worker_of_a_pool_by_name():
    quiet = always(lambda state: state.process("stream[0]").task is None, "stream[0] stays idle")
    assert explore(pool_starvation.buggy(downloads=1, workers=1), quiet).verdict is Verdict.VIOLATED


def test_a_knot_that_closes_when_a_task_ends_is_reported_there_with_and_without_symmetry():
    description = (
        '{"lock":0,"event":0,"future":0,"semaphore":[0],"queue":[null,null],"pool":[2],'
        '"tasks":[[["choose",[["get",0,null]],[]],["get",0,0]],[["put",0,0,null],["put",0,0,null]]],'
        '"processes":[[["sleep",0.02],["get",1,null]],[["sleep",0.02],["put",0,0,null]],'
        '[["submit",0,0],["put",1,0,null],["submit",0,0]]]}'
    )
    for on in (True, False):
        found = explore(system(description=description), symmetry=on).counterexample
        assert len(found.schedule) == 11
