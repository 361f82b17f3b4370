"""Each property is violated by one system and held by another that differs in as little as possible."""

import pytest
import small

from simcore import Model, ModelError, Verdict, explore
from simcore.models import pool_starvation
from simcore.properties import (
    backlog_within,
    completes,
    deadlock_free,
    in_order,
    no_stuck_subset,
    nothing_lost_or_duplicated,
    within_capacity,
)


def violated(model, prop):
    """Explore, insist on a violation of just this property, and return its counterexample."""
    result = explore(model, prop)
    assert result.verdict is Verdict.VIOLATED
    assert result.property == result.counterexample.property == prop.name
    return result.counterexample


def holds(model, prop):
    return explore(model, prop).verdict is Verdict.HOLDS


def test_crossed_locks_are_not_deadlock_free():
    assert violated(small.crossed(), deadlock_free()).schedule.processes == ["left", "right"]


def test_a_relay_is_deadlock_free():
    assert holds(small.relay(), deadlock_free())


def test_a_process_that_can_only_spin_is_a_stuck_subset():
    found = violated(small.spinner(released=False), no_stuck_subset())
    assert found.schedule.processes == []  # it was lost from the beginning


def test_a_process_that_can_only_spin_is_not_a_deadlock():
    assert holds(small.spinner(released=False), deadlock_free())


def test_a_process_that_spins_until_it_is_released_is_no_stuck_subset():
    assert holds(small.spinner(), no_stuck_subset())


def test_a_stuck_subset_is_seen_behind_a_heartbeat():
    assert violated(small.crossed(beating=True), no_stuck_subset()).schedule.processes == ["left", "right"]


def test_a_process_that_waits_for_a_deadlocked_one_does_not_complete():
    found = violated(small.crossed(), completes("left"))
    assert found.schedule.processes == ["left", "right"]
    assert found.lasso.steps == ()


def test_a_process_that_is_released_completes():
    assert holds(small.spinner(), completes("poller", "releaser"))


def test_a_process_that_spins_for_ever_does_not_complete():
    assert violated(small.spinner(released=False), completes("poller")).lasso.processes == ["poller"]


def test_a_family_is_all_the_processes_with_an_index():
    assert holds(small.steps(length=2, processes=2), completes("walker"))


def test_a_family_is_not_whatever_starts_with_the_same_letters():
    with pytest.raises(ModelError, match=r"no process called 'walk'; it has walker\[0\]"):
        explore(small.steps(length=1), completes("walk"))


def test_completing_nothing_is_refused():
    with pytest.raises(ModelError, match="needs the name of a process"):
        completes()


def test_the_property_of_completion_names_what_must_complete():
    assert completes("left", "right").name == "every left and every right completes"


def test_numbers_that_are_swapped_are_out_of_order():
    found = violated(small.relay(fault="swap"), in_order("receiver", 2))
    assert found.state.process("receiver").result == (1, 0)
    assert len(found.schedule) == 4


def test_numbers_that_a_queue_hands_on_are_in_order():
    assert holds(small.relay(items=3), in_order("receiver", 3))


def test_numbers_that_are_swapped_are_not_lost():
    assert holds(small.relay(fault="swap"), nothing_lost_or_duplicated("receiver", 2))


def test_a_number_that_comes_twice_is_a_duplicate():
    found = violated(small.relay(fault="repeat"), nothing_lost_or_duplicated("receiver", 2))
    assert found.state.process("receiver").result == (0, 0)


def test_too_few_numbers_are_a_loss():
    assert violated(small.relay(items=2), nothing_lost_or_duplicated("receiver", 3))


def test_who_returns_something_else_than_what_it_received_is_named():
    with pytest.raises(ModelError, match="process 'sender' returned None"):
        explore(small.relay(), in_order("sender", 2))


def test_a_queue_may_pass_its_limit():
    found = violated(small.relay(items=2), within_capacity({"queue": 1}))
    assert found.schedule.processes == ["sender", "sender"]


def test_a_bounded_queue_stays_within_its_bound():
    assert holds(small.relay(items=3, capacity=1), within_capacity({"queue": 1}))


def test_both_workers_of_a_pool_may_be_busy():
    found = violated(small.nested_submit(workers=2, tasks=2), within_capacity({"pool": 1}))
    assert len(found.schedule) == 4
    assert all(found.state.process(f"pool[{number}]").task for number in range(2))


def test_no_more_workers_are_busy_than_a_pool_has():
    assert holds(small.nested_submit(workers=2, tasks=1), within_capacity({"pool": 2}))


def test_tasks_may_pile_up_in_the_queue_of_a_pool():
    found = violated(small.nested_submit(workers=2, tasks=2), backlog_within({"pool": 1}))
    assert found.schedule.processes == ["main", "main"]


def test_no_more_tasks_wait_than_are_submitted():
    assert holds(small.nested_submit(workers=3, tasks=2), backlog_within({"pool": 4}))


@pytest.mark.parametrize(
    ("prop", "message"),
    [
        (within_capacity({"flag": 1}), "'flag' has no slots to count"),
        (within_capacity({"door": 1}), "no object called 'door'; it has .*flag"),
        (backlog_within({"flag": 1}), "'flag' is not a thread pool"),
    ],
)
def test_an_object_that_cannot_be_counted_is_named(prop, message):
    with pytest.raises(ModelError, match=message):
        explore(small.spinner(), prop)


def test_a_lock_has_one_slot():
    assert holds(small.crossed(), within_capacity({"a": 1}))


def test_a_permit_that_is_taken_is_in_use():
    model = Model("permits")
    permits = model.semaphore("permits", 2)

    def take():
        yield permits.acquire()

    model.process("one", take)
    model.process("two", take)
    assert len(violated(model, within_capacity({"permits": 1})).schedule) == 2


def test_every_download_completes_after_the_fix():
    model = pool_starvation.fixed(downloads=2, workers=1, callback_workers=1)
    assert holds(model, completes("download"))


def test_some_download_does_not_complete_before_the_fix_and_the_run_just_stops():
    found = violated(pool_starvation.buggy(downloads=2, workers=1), completes("download"))
    assert found.lasso.steps == ()
    assert found.wait_for.knot


def test_the_chunks_of_a_download_arrive_in_order():
    assert holds(pool_starvation.fixed(downloads=1, workers=1, callback_workers=2, chunks=3), in_order("download", 3))


@pytest.mark.parametrize("ask", [within_capacity, backlog_within])
@pytest.mark.parametrize("limits", [3, "pool", ["pool"], {"pool": "3"}])
def test_limits_that_are_no_mapping_of_names_to_numbers_are_refused(ask, limits):
    with pytest.raises(ModelError, match=r"is no mapping of names to numbers; write \{'pool': 3\}"):
        ask(limits)
