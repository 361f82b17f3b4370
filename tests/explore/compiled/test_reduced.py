"""The compiled loop with both reductions meets what the plain one meets with the same knowledge, in the same order."""

import sys
from contextlib import ExitStack
from unittest.mock import patch

import much_learned
import pytest
import small
import toys
from claims import claims_of, quick_claims
from compared import TOYS
from generated import MANY, system, systems
from hypothesis import given, settings
from hypothesis import strategies as st

from simcore import Model, Verdict, always, explore
from simcore.explore.compiled.known import KnownOrbits, KnownReach
from simcore.explore.compiled.reduced import ReducedSearch
from simcore.explore.compiled.tables import FastTables
from simcore.explore.exploration import Exploration
from simcore.explore.limits import Limits
from simcore.explore.reduction import NotSymmetric, Symmetry
from simcore.explore.reduction.colours import mixed
from simcore.explore.reduction.components import Components
from simcore.explore.search import Unfit, Unjustified
from simcore.kernel import Kernel
from simcore.model import DEADLOCK_FREE, Watched
from simcore.models import callback_starvation, pool_starvation
from simcore.properties import no_stuck_subset

explore_module = sys.modules[explore.__module__]
reduced_module = sys.modules[ReducedSearch.__module__]
components_module = sys.modules[Components.__module__]
LIMIT = 2_000
TIMEOUTS = ["never", "when_stuck", "anytime"]
NEVER = sys.maxsize


def alike_around_another():
    model = Model("alike around another")
    lock, event = model.lock("lock"), model.event("event")

    def take():
        yield lock.acquire()
        yield lock.release()

    def tell():
        yield event.set()

    model.process("one", take)
    model.process("two", tell)
    model.process("three", take)
    return model


MODELS = {
    **TOYS,
    "pool system": lambda: toys.pool_system(requesters=3, workers=2, chunks=1, callback_workers=2),
    "pool system, two chunks": lambda: toys.pool_system(requesters=3, workers=2, chunks=2, callback_workers=2),
    "pool starvation": lambda: pool_starvation.fixed(downloads=3, workers=2, callback_workers=2),
    "callback starvation": lambda: callback_starvation.fixed(requests=2, workers=1, callback_workers=2),
    "one lock": lambda: toys.one_lock(threads=4),
    "hidden": small.hidden,
    "going round": small.going_round,
    "more names than a word has bits": small.seats,
    "alike, and another one between them": alike_around_another,
    "copies": lambda: much_learned.nested(clients=3, depth=1, workers=4),
    "philosophers for ever": lambda: toys.philosophers(n=4, ordered=True, together=False),
}


def attempt(kernel, symmetry, watched):
    return Exploration(kernel, (DEADLOCK_FREE,), symmetry, Limits(LIMIT, None), None, watched)


def searched(kernel, fast):
    """Search until what was relied on stands.

    Returns each attempt's symmetry, partial order and space, and whether the last one is a proof.
    """
    apart, watched, attempts = {}, Watched(), []
    while True:
        symmetry = Symmetry(kernel, True, apart)
        search = attempt(kernel, symmetry, watched)
        try:
            if fast:
                search.space = ReducedSearch(search)
            attempts.append((symmetry, search.partial_order, search.space))
            search.exhaust(depth_first=False)
        except NotSymmetric as found:
            apart = {**symmetry.apart, found.family: found.reason}
        except Unjustified:
            pass
        except Unfit:
            return attempts, False
        else:
            return attempts, True


def compare(build, timeouts="when_stuck"):
    """Let each loop search from scratch, and insist on the same states in the same order.

    Both learn the same in the same order, so that states have the same numbers. Returns how many there are, and 0 where
    the compiled loop leaves it to the plain one; what it has expanded by then is compared too.
    """
    attempts, whole = searched(Kernel(build(), timeouts), True)
    there, _ = searched(Kernel(build(), timeouts), False)
    for (symmetry, _, met), (same, _, space) in zip(attempts, there, strict=False):
        expanded = len(met.expanded)
        assert symmetry.apart == same.apart
        assert [met.states[number] for number in met.expanded] == space.states[:expanded]
        assert met.met.depths[:expanded].tolist() == list(space.depths[:expanded])
        marks = list(zip(met.met.marks[:expanded].tolist(), met.met.ended[:expanded].tolist(), strict=True))
        assert marks == [(waiting, ended.bit_count()) for waiting, ended in space.marks[:expanded]]
        if met is not attempts[-1][-1]:
            assert len(met.states) == len(space.states)
    if not attempts:
        return 0
    _, partial_order, _ = there[len(attempts) - 1]
    chosen = {state: part for state, part, _ in partial_order.relied_on}
    assert met.met.chosen[:expanded].tolist() == [chosen.get(state, 0) for state in space.states[:expanded]]
    if expanded == len(met.states):
        assert met.graph == space.graph
    if whole:
        assert len(attempts) == len(there)
        assert list(met.states) == space.states
        assert (met.transitions, met.depth, met.covered) == (space.transitions, space.depth, space.covered)
        assert (met.met.depths.max(), met.forward()) == (max(space.depths), space.forward())
    return len(met.states) if whole else 0


def answer(model, after, *properties, **options):
    with patch.object(explore_module, "FAST_AFTER", after):
        result = explore(model, *properties, **options)
    found = result.counterexample
    return result.verdict, None if found is None else (len(found.schedule.steps), found.shortest, found.no_return)


def compiled(result):
    return any(note.startswith("compiled loop") for note in result.notes)


@pytest.mark.some(12)
@pytest.mark.parametrize("timeouts", TIMEOUTS)
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_same_states_are_met_in_the_same_order(model, timeouts):
    compare(model, timeouts)


@pytest.mark.some(10)
@pytest.mark.parametrize("timeouts", [*TIMEOUTS, "in_order"])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_answer_is_the_same(model, timeouts):
    assert answer(model(), 1, timeouts=timeouts) == answer(model(), NEVER, timeouts=timeouts)


@pytest.mark.slow
def test_much_is_proved():
    assert sum(compare(model) > 0 for model in MODELS.values()) > 10


def test_parts_that_are_copies_are_put_in_order_without_asking():
    asked = []
    with patch.object(ReducedSearch, "_represent", lambda self: asked.append(self._state())):
        assert compare(MODELS["copies"]) > 50
    assert not asked


def test_who_goes_round_for_ever_is_proved_by_it():
    for name in ("going round", "philosophers for ever"):
        assert compare(MODELS[name]) > 0, name
        with patch.object(explore_module, "FAST_AFTER", 1):
            result = explore(MODELS[name]())
        assert result.verdict is Verdict.HOLDS
        assert compiled(result)


def test_who_is_left_behind_by_others_that_go_round_is_found_in_the_steps_that_it_followed():
    attempts, proved = searched(Kernel(small.hidden()), True)
    met = attempts[-1][-1]
    assert not proved
    assert len(met.expanded) == len(met.states)
    assert answer(small.hidden(), 1) == answer(small.hidden(), NEVER)
    assert answer(small.hidden(), 1)[0] is Verdict.VIOLATED


@pytest.mark.some(3)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["pool system", "pool starvation", "callback starvation"])
def test_it_does_not_matter_which_representatives_are_chosen(name, seed):
    mask = mixed(seed)
    with patch.object(components_module, "mixed", lambda number: mixed(number ^ mask)):
        assert compare(MODELS[name]) > 0


@pytest.mark.some(5)
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_room_is_made_where_there_is_none(model):
    with ExitStack() as stack:
        for name in ("_FIRST", "_STEPS", "_MORE"):
            stack.enter_context(patch.object(reduced_module, name, 1))
        compare(model)


FORESEEN = (
    '{"lock":0,"event":0,"future":0,"semaphore":[],"queue":[null,null],"pool":[1],"tasks":[[["get",0,0.02],'
    '["await notice",0,null]],[["result",null],["notify",0,true]]],"variable":0,"condition":1,"shutdown":1,"timer":1,'
    '"by_hand":0,"processes":[[["put",1,0,null],["submit",0,1]]],"clients":{"number":3,"capacity":null,"body":'
    '[["get","inbox",0.02],["put","mail",0,null]],"helper":[["get","mail",null],["submit",0,"task"],["start",0]]}}'
)
"""A system in which what is learned ahead, after 100 states, contradicts what was relied on before."""


def test_it_begins_again_as_soon_as_what_it_relied_on_does_not_stand():
    compare(lambda: system(description=FORESEEN), "anytime")


SMALL = systems(longest=3, every_kind=True) | systems(longest=2, clients=True, every_kind=True)


@given(SMALL, st.sampled_from(TIMEOUTS))
@settings(max_examples=12)
def test_the_same_states_of_generated_systems_are_met(model, timeouts):
    compare(lambda: model, timeouts)


@pytest.mark.slow
@given(SMALL, st.sampled_from(TIMEOUTS))
@settings(max_examples=MANY)
def test_the_same_states_of_many_generated_systems_are_met(model, timeouts):
    compare(lambda: model, timeouts)


@pytest.mark.slow
@pytest.mark.parametrize(("module", "position"), quick_claims(24))
def test_a_quick_claim_has_the_same_answer(module, position):
    claim = claims_of(module)[position]
    options = {"timeouts": claim.timeouts, "max_states": claim.max_states}
    verdict, _ = answer(claim.build(), 1, claim.property, **options)
    assert verdict is claim.expected


# ---- where the plain loop searches ----------------------------------------------------------------------------


@pytest.mark.slow
def test_it_is_used_for_proofs_of_deadlock_freedom_alone(tmp_path):
    model = MODELS["pool system, two chunks"]
    assert compiled(explore(model()))
    assert not compiled(explore(model(), always(lambda state: True)))
    assert not compiled(explore(model(), no_stuck_subset()))
    assert not compiled(explore(model(), strategy="depth"))
    assert not compiled(explore(model(), partial_order=False))
    assert not compiled(explore(model(), checkpoint=tmp_path / "kept"))
    assert not compiled(explore(model(), timeouts="in_order"))


def test_partial_order_that_has_left_out_nothing_gives_way_to_the_compiled_loop():
    model = toys.philosophers(n=5, ordered=True, together=False)
    looks = always(lambda state: all(process.where for process in state.processes) or True, "looks at all")
    with patch.object(explore_module, "FAST_AFTER", 50):
        switched = explore(model, looks)
        kept = explore(toys.bounded_buffer(producers=2, consumers=2, capacity=2), always(lambda state: True))
    plain = explore(model, looks, partial_order=False)
    told = "partial order switched off: in 21 states what is asked had each step followed"
    assert [note for note in switched.notes if "partial order" in note] == [told]
    assert compiled(switched)
    assert (switched.verdict, switched.states) == (plain.verdict, plain.states)
    assert not kept.notes
    assert "partial order" in kept.strategy


@pytest.mark.slow
def test_where_it_must_be_compiled_first_the_plain_loop_goes_on_for_a_while():
    model = MODELS["pool system, two chunks"]
    exploration = sys.modules[Exploration.__module__]
    with patch("simcore.explore.compiled.loops.is_compiled", lambda: False):
        assert not compiled(explore(model()))
        assert not compiled(explore(model(), symmetry=False, partial_order=False))
        with patch.object(exploration, "COMPILE_AFTER", 1_200):
            assert compiled(explore(model()))
            assert not compiled(explore(model(), max_seconds=10))
    assert compiled(explore(model(), max_seconds=10))


def test_a_violation_that_it_meets_is_told_as_the_plain_loop_tells_it():
    model = pool_starvation.buggy(downloads=3, workers=3)
    found = [answer(model, after) for after in (1, NEVER)]
    assert found[0] == found[1]
    assert found[0][0] is Verdict.VIOLATED


def test_who_dies_is_found():
    assert answer(small.raising(), 1) == answer(small.raising(), NEVER)


@pytest.mark.parametrize("limit", [17, 100, 256])
def test_a_limit_is_exact(limit):
    model = MODELS["pool system"]()
    with patch.object(explore_module, "FAST_AFTER", 1):
        result = explore(model, max_states=limit)
    plain = explore(model, max_states=limit)
    assert compiled(result)
    assert (result.verdict, result.states, result.transitions) == (Verdict.UNDETERMINED, limit, plain.transitions)


def test_a_limit_on_memory_stops_it_and_says_what_was_covered():
    model = MODELS["pool system, two chunks"]()
    limits = sys.modules[Limits.__module__]
    used = limits.memory_used()
    with ExitStack() as stack:
        stack.enter_context(patch.object(limits, "BYTES_TO_COMPILE", 0))
        stack.enter_context(patch.object(explore_module, "FAST_AFTER", 1))
        stack.enter_context(patch.object(reduced_module, "_FIRST", 16))
        stack.enter_context(patch.object(limits, "memory_used", lambda: used))
        result = explore(model, max_memory=used + 20_000)
    assert (result.verdict, result.reason) == (Verdict.UNDETERMINED, f"`max_memory={used + 20_000}` was reached")
    assert compiled(result)
    assert any("states were expanded" in note for note in result.notes)


def test_progress_is_told():
    told = []
    with ExitStack() as stack:
        stack.enter_context(patch.object(explore_module, "FAST_AFTER", 1))
        stack.enter_context(patch.object(reduced_module, "_BETWEEN", 50))
        stack.enter_context(patch("simcore.explore.search.Search.tell", lambda search, *how_far: told.append(how_far)))
        explore(MODELS["pool system, two chunks"]())
    assert len(told) > 5
    assert told[-1][1] == 0


# ---- what is copied wrongly is caught -------------------------------------------------------------------------


def caught(name):
    with pytest.raises(AssertionError):
        compare(MODELS[name])


def test_that_nothing_matters_to_anybody_is_caught(monkeypatch):
    monkeypatch.setattr(KnownReach, "_split", lambda self, accesses: [0] * self.words)
    caught("pool system")


def test_that_ties_never_matter_is_caught(monkeypatch):
    learn = KnownOrbits._learn_fact
    monkeypatch.setattr(KnownOrbits, "_learn_fact", lambda self, fact: learn(self, fact._replace(names=(), slots=())))
    caught("pool starvation")


def test_that_nobody_has_to_be_met_again_is_caught(monkeypatch):
    monkeypatch.setattr(reduced_module.ReducedSearch, "_rely", lambda self: None)
    caught("pool starvation")


DONE_LATER = """{"lock": 0, "event": 1, "future": 1, "semaphore": [0], "queue": [null], "pool": [1],
    "tasks": [[["set", 0], ["await", 0, 0]], [["set_result", 0], ["set_result", 0]]],
    "processes": [[["set_result", 0], ["set_result", 0]], [["set_result", 0], ["set_result", 0]],
                  [["set_result", 0], ["submit", 0, 0]]]}"""


def test_that_nothing_new_is_done_at_a_place_is_caught(monkeypatch):
    compare(lambda: system(description=DONE_LATER))
    copy = KnownReach.take_in

    def once(reach, state):
        before = reach._grows["versions"].copy()
        copy(reach, state)
        now = reach._grows["versions"]
        now[: len(before)] = [old or new for old, new in zip(before, now, strict=False)]

    monkeypatch.setattr(KnownReach, "take_in", once)
    with pytest.raises(AssertionError):
        compare(lambda: system(description=DONE_LATER))


def test_what_matters_to_a_step_is_asked_again_only_where_something_new_is_done(monkeypatch):
    asked = []
    learn = KnownReach._learn
    note = lambda reach, key, *rest: asked.append((reach, key)) or learn(reach, key, *rest)  # noqa: E731
    monkeypatch.setattr(KnownReach, "_learn", note)
    compare(lambda: much_learned.nested(clients=6, depth=1, workers=7))
    assert len(asked) < 2 * len(set(asked))


def test_whoever_is_where_it_is_is_learned_with_it(monkeypatch):
    asked = []
    learn = FastTables.learn_moves
    monkeypatch.setattr(FastTables, "learn_moves", lambda tables, *of: asked.append(of) or learn(tables, *of))
    assert compare(lambda: toys.one_lock(threads=9)) > 9
    assert len(asked) < 9 * 4
