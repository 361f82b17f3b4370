"""With and without a reduction: the same verdict for every system, and never more states."""

import pytest
import small
import toys
from compared import TOYS, agree, both, notified
from generated import MANY, system, systems
from hypothesis import given, settings

from simcore import Verdict, always, eventually, explore, leads_to, replay
from simcore.errors import InternalError
from simcore.explore.reduction import Symmetry
from simcore.kernel import Kernel
from simcore.models import pool_starvation
from simcore.properties import completes


@pytest.mark.some(3)
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


@given(systems(longest=3, every_kind=True))
@settings(max_examples=10)
def test_generated_systems_have_the_same_verdict(model):
    agree(model, 500)


@pytest.mark.slow
@given(systems(longest=5, every_kind=True))
@settings(max_examples=2 * MANY)
def test_many_generated_systems_have_the_same_verdict(model):
    agree(model, 500)


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
    with pytest.raises((AssertionError, InternalError)):
        test_interchanging_workers_changes_no_verdict_and_no_shortest_schedule(
            TOYS["locked tasks in order"], "when_stuck"
        )


def test_taking_different_workers_for_the_same_is_caught(monkeypatch):
    def merged(self, state):
        for start, end in self.teams:
            state = (*state[:start], *(min(state[start:end]),) * (end - start), *state[end:])
        return state

    reduce_wrongly(monkeypatch, merged)
    with pytest.raises((AssertionError, InternalError)):
        test_interchanging_workers_changes_no_verdict_and_no_shortest_schedule(small.locked_tasks, "when_stuck")


def test_a_property_that_asks_for_one_of_several_workers_is_asked_without_symmetry():
    quiet = always(lambda state: state.process("stream[0]").task is None, "stream[0] stays idle")
    result = explore(pool_starvation.buggy(downloads=1, workers=2), quiet)
    assert result.verdict is Verdict.VIOLATED
    assert result.notes == ("symmetry switched off: 'stream[0] stays idle' tells stream[0] from stream[1]",)


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
        found = explore(system(description=description), symmetry=on, partial_order=False).counterexample
        assert len(found.schedule) == 11


# ---- liveness ----------------------------------------------------------------------------------------------


def all_ended(state):
    return all(process.done for process in state.processes if process.process.pool is None)


def somebody_ended(state):
    return any(process.done for process in state.processes)


LIVENESS = [eventually(all_ended), leads_to(somebody_ended, all_ended)]


@pytest.mark.some(2)
@pytest.mark.parametrize("prop", LIVENESS, ids=str)
@pytest.mark.parametrize("name", TOYS)
def test_representatives_do_not_change_what_happens_in_the_end(name, prop):
    results = [explore(TOYS[name](), prop, symmetry=on, partial_order=False) for on in (True, False)]
    assert results[0].verdict is results[1].verdict
    if results[0].verdict is Verdict.VIOLATED:
        lengths = [len(r.counterexample.schedule) for r in results]
        assert lengths[0] == lengths[1]


@given(systems(longest=3, clients=True, every_kind=True))
@settings(max_examples=5)
def test_representatives_of_generated_systems_do_not_change_what_happens_in_the_end(model):
    for prop in LIVENESS:
        results = [explore(model, prop, symmetry=on, partial_order=False, max_states=2_000) for on in (True, False)]
        assert results[0].verdict is results[1].verdict or results[1].verdict is Verdict.UNDETERMINED


def test_where_every_run_stops_what_happens_in_the_end_is_told_from_representatives():
    result = explore(pool_starvation.fixed(downloads=2, workers=2, callback_workers=2), completes("download"))
    assert (result.verdict, result.states, result.notes) == (Verdict.HOLDS, 83, ())


def test_a_run_of_representatives_that_stops_short_of_the_goal_is_told_as_one_of_the_model():
    result = explore(pool_starvation.buggy(downloads=3, workers=2), completes("download"), partial_order=False)
    assert (result.verdict, result.notes) == (Verdict.VIOLATED, ())
    assert replay(result.counterexample.schedule.token).deadlocked
    assert result.counterexample.lasso.steps == ()


def test_where_a_run_may_go_round_short_of_the_goal_names_are_kept():
    model = small.heartbeat(pool_starvation.fixed(downloads=2, workers=1, callback_workers=2))
    result = explore(model, LIVENESS[0], partial_order=False)
    assert result.verdict is Verdict.VIOLATED  # the heart never ends
    told = [note for note in result.notes if not note.startswith("compiled loop")]
    assert told == ["symmetry switched off: fairness is a promise to each process by name"]


def test_a_run_may_go_round_once_the_goal_is_met():
    model = small.heartbeat(pool_starvation.buggy(downloads=1, workers=2))
    result = explore(model, eventually(lambda state: state["beat"]))
    assert result.verdict is Verdict.HOLDS


def test_what_happens_in_the_end_to_one_of_a_family_is_asked_with_symmetry_while_it_happens_to_all():
    asked = eventually(lambda state: state.process("download[0]").done)
    result = explore(pool_starvation.fixed(downloads=2, workers=1, callback_workers=1), asked)
    assert result.verdict is Verdict.HOLDS
    assert result.notes == ()
    late = explore(pool_starvation.buggy(downloads=2, workers=1), completes("download[0]"))
    assert late.verdict is Verdict.VIOLATED
