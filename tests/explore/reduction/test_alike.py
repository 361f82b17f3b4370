"""Whatever a predicate sees of names, and by whatever means, reductions change no verdict."""

from itertools import pairwise

import pytest
from families import last, numbers, one_item, pools, shared_pool, transfers
from interchangeable import clients

from simcore import Verdict, always, choose, eventually, explore, leads_to, sometimes
from simcore.explore.reduction import alike as alike_module
from simcore.model.objects import Future, Lock
from simcore.properties import completes, nothing_lost_or_duplicated

OPTIONS = [{"symmetry": s, "partial_order": p} for s in (True, False) for p in (True, False)]
MODELS = [one_item, numbers, last, pools, transfers, shared_pool, clients]


def answers(model, prop):
    """Return the verdicts with each reduction and without; ``prop`` makes the property anew for each."""
    return {explore(model(), prop(), **reductions).verdict for reductions in OPTIONS}


# ---- whatever a user may write -----------------------------------------------------------------------------


def by_name(state):
    return state.process(state.model.processes[0].name).done


def by_text(state):
    return any(p.done and p.name.endswith("[0]") for p in state.processes)


def by_pattern_of_all(state):
    return all(p.done for p in state.processes if "[" in p.name)


def by_position(state):
    return state.processes[0].done and not state.processes[1].done


def by_the_neighbour(state):
    done = [p.done for p in state.processes]
    return any(one and other for one, other in pairwise(done))


def by_a_cyclic_order(state):
    """No exchange of two neighbours of a sorted list shows this one."""
    first = [p.status for p in state.processes][:3]
    return first == ["done", "blocked", "enabled"] or first == ["blocked", "enabled", "done"]


def by_index_value(state):
    """An index that is the value of a variable, or in an item, compared with a certain one."""
    certain = next((family[1] for family in state.model.families.values()), None)
    return any(value == certain or certain in _flat(value) for value in state.values.values())


def by_text_of_value(state):
    return any("client[1]" in str(_flat(value)[-1:]) for value in state.values.values())


def by_name_of_object(state):
    return any(t.name.endswith("[1]") and t.occupancy(v) not in (None, (0, 1)) for t, v in state.values.items())


def by_position_of_object(state):
    return bool(_flat(list(state.values.values())[-1]))


def by_belongings(state):
    mine = next(p for p in state.processes if p.process.pool is None)
    there = {thing.name for thing in state.model.objects}
    return f"inbox of {mine.name}" in there and bool(state.of(mine, "inbox of {}"))


def by_operation(state):
    return any(p.operation is not None and "[1]" in str(p.operation) and p.blocked for p in state.processes)


def by_result(state):
    return state.processes[1].result == (1,)


def by_task(state):
    return any(p.task is not None and "client[1]" in str(p.task) for p in state.processes)


def by_worker(state):
    workers = [p for p in state.processes if p.process.pool is not None]
    return bool(workers) and workers[-1].task is not None and workers[0].task is None


def by_future(state):
    made = [thing for thing in state.values if isinstance(thing, Future)]
    return any(future.name == "future#1" for future in made) and len(made) == 1


def by_owner(state):
    owners = [value.owner for thing, value in state.values.items() if isinstance(thing, Lock)]
    return any(owner is not None and owner.name.endswith("[1]") for owner in owners)


def by_where_and_parts(state):
    return any(vars(p)["status"] == "done" and p.name.endswith("[1]") for p in state.processes)


def by_exception(state):
    return next(p for p in state.processes if p.name.endswith("[1]")).done


def by_text_of_state(state):
    return "client[1]" in str(state)


def _flat(value):
    return [part for item in value for part in _flat(item)] if isinstance(value, tuple | frozenset) else [value]


PEEPS = [thing for name, thing in list(globals().items()) if name.startswith("by_") and callable(thing)]
KINDS = {
    "always not": lambda peep: always(lambda state: not peep(state), "never"),
    "always": lambda peep: always(peep, "always"),
    "sometimes": lambda peep: sometimes(peep, "sometimes"),
    "eventually": lambda peep: eventually(peep, "eventually"),
    "leads to": lambda peep: leads_to(lambda state: not peep(state), peep, "leads to"),
}


def agree(model, peep, kinds):
    for kind in kinds:
        assert len(answers(model, lambda kind=kind: KINDS[kind](peep))) == 1, kind


@pytest.mark.some(2)
@pytest.mark.parametrize("model", [numbers, transfers, shared_pool])
@pytest.mark.parametrize("peep", PEEPS)
def test_a_predicate_that_looks_at_names_by_any_means_has_the_same_verdict(model, peep):
    agree(model, peep, ["always not"])


@pytest.mark.slow
@pytest.mark.parametrize(("model", "peep"), [(model, peep) for model in MODELS for peep in PEEPS][::5])
def test_a_predicate_has_the_same_verdict_whatever_is_asked_of_it(model, peep):
    agree(model, peep, KINDS)


def test_a_property_that_keeps_names_in_a_memory_is_answered_as_without_symmetry():
    def prop():
        seen = set()

        def few(state):
            seen.update(p.name for p in state.processes if p.done and p.name.startswith("client"))
            return len(seen) < 2

        return always(few, "one name is enough")

    assert answers(one_item, prop) == {Verdict.VIOLATED}


# ---- what it costs -----------------------------------------------------------------------------------------


def test_a_property_of_a_whole_family_keeps_symmetry():
    result = explore(numbers(n=5), nothing_lost_or_duplicated("client", 9), completes("client"))
    assert result.strategy.startswith("breadth-first, client[*] interchangeable")
    everybody = always(lambda state: all(state.process(f"client[{n}]").status != "failed" for n in range(3)))
    assert explore(numbers(), everybody).strategy.startswith("breadth-first, client[*] interchangeable")


def test_what_is_told_apart_is_one_family_and_the_note_says_by_whom():
    model = numbers()

    def other(_me):
        yield choose(1, 2)

    for name in model.indices("other", 2):
        model.process(name, other, name)
    result = explore(model, always(lambda state: state["there"] == () or not state.process("client[2]").done, "quiet"))
    assert result.notes[0].startswith("client[*] told apart: 'quiet' tells client[")
    assert "other[*] interchangeable" in result.strategy


def test_a_predicate_is_asked_of_views_and_not_of_states():
    asked = 0

    def counted(state):
        nonlocal asked
        asked += 1
        return all(p.status != "failed" for p in state.processes if p.name.startswith("client"))

    result = explore(clients(n=4, requests=2), always(counted, "nobody fails"), partial_order=False)
    assert result.verdict is Verdict.HOLDS
    assert asked < 3 * 4**4  # a view has one of four statuses for each


def test_symmetry_is_switched_off_where_more_views_would_be_asked_about_than_it_saves(monkeypatch):
    monkeypatch.setattr(alike_module, "MOST_ASKED", 3)
    monkeypatch.setattr(alike_module, "_FOR_EACH_STATE", 0)
    result = explore(numbers(), always(lambda state: sum(p.done for p in state.processes) < 5, "not too many"))
    assert result.verdict is Verdict.HOLDS
    assert "under more names than there are states" in result.notes[0]
