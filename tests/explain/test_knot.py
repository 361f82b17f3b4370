"""A suspicion is reported only once it is proved, and what guesses miss is found on the whole graph."""

import pytest
import small
import toys

import simcore.explain.knot as knot_module
from simcore import Model, Verdict, explore
from simcore.explain import reach, wait_for_graph
from simcore.explore.standstill import new_knots
from simcore.kernel import Kernel
from simcore.models import pool_starvation


def everybody_waiting(kernel, state):
    return kernel.waiting(state, {choice.process for choice in kernel.successors(state)})[0]


def dead_in(kernel, state, knots=None):
    found = (knots or new_knots(kernel)).dead(state, everybody_waiting(kernel, state))
    return [edge.process.name for edge in found]


def walked(model, *order):
    kernel = Kernel(model)
    return kernel, toys.walk(kernel, kernel.initial, *order)


def test_opposed_locks_are_proved_dead():
    assert dead_in(*walked(small.crossed(), "left", "right")) == ["left", "right"]


def test_nobody_is_dead_while_somebody_can_help():
    assert dead_in(*walked(small.crossed(), "left")) == []


def test_workers_that_wait_for_tasks_behind_them_are_proved_dead_by_their_shape(monkeypatch):
    monkeypatch.setattr(knot_module, "_CONFIRM_STATES", 0)
    order = ["main", "main", "pool[0]", "pool[1]", "pool[0]", "pool[1]"]
    assert dead_in(*walked(small.nested_submit(workers=2, tasks=3), *order)) == ["pool[0]", "pool[1]"]


def test_an_owner_who_waits_for_itself_looks_dead_although_another_process_releases_its_lock():
    kernel, state = walked(small.passed_release(), "owner")
    assert [edge.process.name for edge in wait_for_graph(kernel.view(state)).dead] == ["owner"]


def test_a_suspicion_that_is_wrong_is_not_reported():
    assert dead_in(*walked(small.passed_release(), "owner")) == []


@pytest.mark.parametrize("strategy", ["breadth", "depth"])
def test_a_model_in_which_a_suspicion_is_wrong_holds(strategy):
    assert explore(small.passed_release(), strategy=strategy).verdict is Verdict.HOLDS


def test_a_suspicion_is_judged_once():
    kernel, state = walked(small.passed_release(), "owner")
    knots = new_knots(kernel)
    assert [dead_in(kernel, state, knots) for _ in range(3)] == [[], [], []]
    assert knots._refuted == 1


def test_what_cannot_be_proved_within_the_budget_is_not_reported(monkeypatch):
    monkeypatch.setattr(knot_module, "_CONFIRM_STATES", 1)
    assert dead_in(*walked(small.crossed(beating=True), "left", "right")) == []


@pytest.mark.parametrize("strategy", ["breadth", "depth"])
@pytest.mark.parametrize(("name", "value"), [("_CONFIRM_STATES", 1), ("_MOST_REFUTED", 0)])
def test_what_no_guess_has_found_is_found_on_the_whole_graph(monkeypatch, strategy, name, value):
    monkeypatch.setattr(knot_module, name, value)
    for model in (small.crossed(beating=True), small.hidden(), small.hidden(in_a_task=True), small.locked_tasks()):
        assert explore(model, strategy=strategy).verdict is Verdict.VIOLATED


def test_a_search_that_has_stopped_guessing_says_among_what_its_schedule_is_the_shortest(monkeypatch):
    few = ", with the fewest switches between processes"
    model = pool_starvation.buggy(downloads=1, workers=1)
    assert explore(model).counterexample.shortest == "shortest to where it shows" + few
    monkeypatch.setattr(knot_module, "_MOST_REFUTED", 0)
    assert explore(model).counterexample.shortest == "shortest to where everything else has stopped" + few
    assert explore(small.crossed()).counterexample.shortest == "shortest" + few, "nobody was lost before"


@pytest.mark.parametrize(("name", "value"), [("_CONFIRM_STATES", 1), ("_MOST_REFUTED", 0)])
def test_without_guesses_what_holds_holds(monkeypatch, name, value):
    monkeypatch.setattr(knot_module, name, value)
    for model in (small.passed_release(), small.flicker(), small.hidden(in_a_task=True, alone=False)):
        assert explore(model).verdict is Verdict.HOLDS


def test_a_wait_with_a_time_out_is_not_dead():
    assert dead_in(*walked(small.impatient(), "left", "right")) == []


def test_a_state_that_is_reachable_is_reached():
    kernel = Kernel(small.crossed())
    assert reach(kernel, kernel.initial, kernel.finished, 100) is True


def test_a_state_that_is_not_reachable_is_not_reached():
    kernel, state = walked(small.crossed(), "left", "right")
    assert reach(kernel, state, kernel.finished, 100) is False


def test_a_budget_that_is_used_up_is_no_answer():
    kernel = Kernel(small.crossed())
    assert reach(kernel, kernel.initial, lambda state: False, 5) is None


def test_what_is_pruned_is_not_followed():
    kernel = Kernel(small.crossed())
    assert reach(kernel, kernel.initial, kernel.finished, 100, prune=lambda state: True) is False


def test_who_holds_a_permit_is_told_and_not_the_task_in_the_queue_that_would_give_one_back_too():
    model = Model("permits")
    pool, permits = model.thread_pool("pool", 1), model.semaphore("permits", 1)

    def twice():
        yield permits.acquire()
        yield permits.acquire()
        yield permits.release(2)

    def once():
        yield permits.acquire()
        yield permits.release()

    def main():
        first = yield pool.submit(twice)
        yield pool.submit(once)
        yield first.result()

    model.process("main", main)
    told = explore(model).counterexample.wait_for.explain()
    assert told[1].strip() == "0 of 1 free, held by twice() on pool[0]"
    assert "queued" not in " ".join(told)


def crossed_beside(others):
    """Build two opposed locks beside others who take ten steps each."""
    model = Model("crossed beside others")
    left, right, busy = model.lock("left"), model.lock("right"), model.event("busy")

    def both(first, second):
        yield first.acquire()
        yield second.acquire()

    def go_on():
        for _ in range(10):
            yield busy.set()

    model.process("left first", both, left, right)
    model.process("right first", both, right, left)
    for number in range(others):
        model.process(f"other {number}", go_on)
    return model


def test_what_was_proved_of_a_state_is_known_of_all_that_it_leads_to(monkeypatch):
    monkeypatch.setattr(knot_module, "closed_by_shape", lambda state, graph: frozenset())
    kernel, state = walked(crossed_beside(2), "left first", "right first")
    knots = new_knots(kernel)
    assert dead_in(kernel, state, knots) == ["left first", "right first"]
    assert knots.followed == 11 * 11
    for order in (["other 0"], ["other 1", "other 0"], ["other 0"] * 9):
        assert dead_in(kernel, toys.walk(kernel, state, *order), knots) == ["left first", "right first"]
    assert knots.followed == 11 * 11
    assert dead_in(kernel, toys.walk(kernel, kernel.initial, "left first"), knots) == []
