"""Following one order of steps in place of all leaves out no end, no program point and no verdict."""

import pytest
from claims import claims_of, quick_claims
from compared import TOYS
from generated import MANY, systems
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from orders import TIMEOUTS, agree, compare, other_orders, space_of

from simcore import Model, Verdict, always, explore, sometimes
from simcore.explore.limits import OutOfBudget
from simcore.explore.reduction.footprints import Footprints
from simcore.kernel import Kernel
from simcore.model import DEADLOCK_FREE
from simcore.models import pool_starvation
from simcore.properties import no_stuck_subset

LIMIT = 1_000


# ---- what is met -------------------------------------------------------------------------------------------


SMALL_TOYS = [name for name in TOYS if name != "starved"]


@pytest.mark.some(10)
@pytest.mark.parametrize("timeouts", TIMEOUTS)
@pytest.mark.parametrize("name", SMALL_TOYS)
def test_the_same_ends_and_program_points_are_met(name, timeouts):
    for seed in (None, 1, 2):
        compare(TOYS[name](), timeouts, seed=seed)


def generated(model, timeouts, seed):
    try:
        for names in (True, False):
            compare(model, timeouts, LIMIT, names, seed)
    except OutOfBudget:
        assume(False)


SMALL = systems(longest=3, every_kind=True) | systems(longest=2, clients=True, every_kind=True)


SEEDS = st.none() | st.integers(0, 9)


@given(SMALL, st.sampled_from(TIMEOUTS), SEEDS)
@settings(max_examples=10)
def test_the_same_ends_and_program_points_of_generated_systems_are_met(model, timeouts, seed):
    generated(model, timeouts, seed)


@pytest.mark.slow
@given(SMALL, st.sampled_from(TIMEOUTS), SEEDS)
@settings(max_examples=MANY)
def test_the_same_ends_and_program_points_of_many_generated_systems_are_met(model, timeouts, seed):
    generated(model, timeouts, seed)


@pytest.mark.slow
@pytest.mark.parametrize(("module", "position"), quick_claims(30))
def test_a_quick_claim_has_the_same_answer_in_other_orders(module, position):
    claim = claims_of(module)[position]
    for seed in (1, 2):
        with other_orders(seed):
            result = explore(claim.model(**claim.parameters), claim.property, timeouts=claim.timeouts)
        assert result.verdict is claim.expected


def raised_and_dropped():
    """A task raises, and whoever has its future ends: before nobody hears of the exception, after it somebody could."""
    model = Model("raised and dropped")
    promise, pool = model.event("promise"), model.thread_pool("pool", 1)

    def raises():
        raise ValueError
        yield

    def submits():
        future = yield pool.submit(raises)
        yield promise.set()
        del future

    model.process("other", lambda: (yield promise.set()))
    model.process("submits", submits)
    return model


@pytest.mark.parametrize("names", [True, False])
def test_an_exception_that_is_heard_of_is_met_as_well_as_one_that_is_not(names):
    compare(raised_and_dropped(), names=names)


# ---- verdicts ----------------------------------------------------------------------------------------------


@pytest.mark.some(10)
@pytest.mark.parametrize("timeouts", TIMEOUTS)
@pytest.mark.parametrize("name", SMALL_TOYS)
def test_the_verdict_does_not_depend_on_reductions(name, timeouts):
    agree(TOYS[name](), timeouts=timeouts)


def questions(model):
    """Yield properties of single states, about objects that have a plain value and processes, clients left out."""
    for thing in model.objects:
        name = thing.name
        if "client" in name:
            continue
        if thing.kind == "event":
            yield sometimes(lambda state, name=name: state[name], f"{name} is set")
        if thing.kind == "future":
            yield always(lambda state, name=name: not state[name].done, f"{name} is never set")
        if thing.kind == "queue":
            yield always(lambda state, name=name: len(state[name]) < 2, f"{name} holds less than two")
            yield sometimes(lambda state, name=name: state[name][:1] == (0,), f"{name} begins with 0")
        if thing.kind == "variable":
            yield always(lambda state, name=name: state[name] != 2, f"{name} is never 2")
    for process in model.processes:
        if process.pool is None and "client" not in process.name:
            yield sometimes(lambda state, name=process.name: state.process(name).blocked, f"{process} waits")


def generated_verdicts(model, timeouts, which):
    try:
        space_of(Kernel(model, timeouts), False, LIMIT // 2, names=False)
    except OutOfBudget:
        assume(False)
    asked = [DEADLOCK_FREE, no_stuck_subset(), *questions(model)]
    agree(model, asked[which % len(asked)], timeouts=timeouts)


@given(SMALL, st.sampled_from(TIMEOUTS), st.integers(0, 99))
@settings(max_examples=6)
def test_the_verdicts_on_generated_systems_do_not_depend_on_reductions(model, timeouts, which):
    generated_verdicts(model, timeouts, which)


@pytest.mark.slow
@given(SMALL, st.sampled_from(TIMEOUTS), st.integers(0, 99))
@settings(max_examples=MANY)
def test_the_verdicts_on_many_generated_systems_do_not_depend_on_reductions(model, timeouts, which):
    generated_verdicts(model, timeouts, which)


def test_so_many_states_are_left_by_both_reductions():
    result = explore(pool_starvation.fixed(downloads=4, workers=4, callback_workers=4))
    assert (result.verdict, result.states) == (Verdict.HOLDS, 533)


@pytest.mark.slow
def test_so_many_states_are_left_by_symmetry_alone():
    model = pool_starvation.fixed(downloads=4, workers=4, callback_workers=4)
    assert explore(model, partial_order=False).states == 25_987


def asked_late():
    """Build a reader who asks for what a writer has put, three steps after it could first be put."""
    model = Model("asked late")
    queue, never = model.queue("queue", capacity=2), model.event("never")
    steps = [model.event("first"), model.event("second")]

    def reader():
        for step in (*steps, steps[0]):
            yield step.set()
        if (yield queue.qsize()) == 0:
            yield never.wait()

    def writer():
        yield queue.put("item")

    model.process("reader", reader)
    model.process("writer", writer)
    return model


def test_what_was_chosen_before_an_operation_was_known_is_looked_at_again(monkeypatch):
    assert explore(asked_late()).verdict is Verdict.VIOLATED
    monkeypatch.setattr(Footprints, "version_at", lambda footprints, position: 0)
    assert explore(asked_late()).verdict is Verdict.HOLDS, "and that it is asked for is not noticed without versions"
