"""No property of ours sees a name that a reduction may have changed: the same verdict with each, in every search."""

import inspect

import pytest
from families import last, numbers, one_item, pools, shared_pool, transfers

import simcore.properties as ours
from simcore import Model, Verdict, explore
from simcore.properties import (
    backlog_within,
    completes,
    deadlock_free,
    ended_by,
    idle_by,
    in_order,
    lock_order_acyclic,
    no_self_deadlock,
    no_stuck_subset,
    nothing_lost_or_duplicated,
    resolved_once,
    within_capacity,
)

OPTIONS = [{"symmetry": s, "partial_order": p} for s in (True, False) for p in (True, False)]


def ungated():
    return transfers(gated=False)


def received_twice() -> Model:
    """Two clients set the same future, and each asks for a lock that it has."""
    model = Model("received twice")
    answer = model.future("answer")

    def client(mine):
        yield mine.acquire()
        yield answer.set_result("here")
        yield mine.acquire()

    for name in model.indices("client", 2):
        model.process(name, client, model.lock(f"lock of {name}"), daemon=True)
    return model


CLIENTS = ["client", "client[0]", "client[1]"]
ASKED = {
    backlog_within: [
        *((pools, ({f"pool of client[{n}]": 0},)) for n in (0, 1)),
        (shared_pool, ({"pool": 0},)),
        (shared_pool, ({"pool": 2},)),
    ],
    completes: [(model, (name,)) for model in (one_item, numbers) for name in CLIENTS],
    deadlock_free: [(model, ()) for model in (one_item, ungated, shared_pool, received_twice)],
    ended_by: [(pools, ("clock", name)) for name in [*CLIENTS, "giver"]],
    idle_by: [(pools, (clock, f"pool of client[{n}]")) for clock in ("clock", "client[0]") for n in (0, 1)],
    in_order: [(model, (name, 1)) for model in (one_item, numbers) for name in CLIENTS],
    lock_order_acyclic: [(transfers, ()), (ungated, ()), (shared_pool, ())],
    no_self_deadlock: [(transfers, ()), (received_twice, ())],
    no_stuck_subset: [(model, ()) for model in (one_item, transfers, received_twice)],
    nothing_lost_or_duplicated: [(model, (name, 1)) for model in (one_item, numbers) for name in CLIENTS],
    resolved_once: [(received_twice, ()), (shared_pool, ())],
    within_capacity: [
        *((last, ({f"inbox of client[{n}]": 0},)) for n in (0, 1)),
        *((transfers, ({f"lock of account[{n}]": 0},)) for n in (0, 1)),
        *((pools, ({f"pool of client[{n}]": 0},)) for n in (0, 1)),
        (shared_pool, ({"pool": 2},)),
    ],
}
CASES = [
    pytest.param(model, lambda make=make, args=args: make(*args), id=f"{make.__name__} {model.__name__} {args}")
    for make, rows in ASKED.items()
    for model, args in rows
]


def verdicts(model, prop, **options):
    rule = "in_order" if model is pools else "when_stuck"
    return {explore(model(), prop(), timeouts=rule, **each, **options).verdict for each in OPTIONS}


def test_every_property_of_ours_is_asked_of_families():
    makers = {getattr(ours, name) for name in ours.__all__}
    assert all(inspect.isfunction(make) for make in makers)
    assert set(ASKED) == makers


@pytest.mark.parametrize("make", ASKED, ids=lambda make: make.__name__)
def test_every_property_of_ours_is_violated_by_a_family_and_holds_of_one(make):
    """Or the verdicts would agree whatever is asked."""
    found = {explore(model(), make(*args), timeouts="in_order").verdict for model, args in ASKED[make]}
    assert found == {Verdict.HOLDS, Verdict.VIOLATED}


def samples_agree(model, prop, strategy, verdict):
    (sampled,) = verdicts(model, prop, strategy=strategy, max_states=300)
    assert sampled is (Verdict.VIOLATED if verdict is Verdict.VIOLATED else Verdict.UNDETERMINED)


@pytest.mark.some(8)
@pytest.mark.parametrize(("model", "prop"), CASES)
def test_a_property_of_ours_has_the_same_verdict_with_and_without_reductions_in_every_search(model, prop):
    (verdict,) = verdicts(model, prop)
    assert verdict in (Verdict.HOLDS, Verdict.VIOLATED)
    if not prop().needs_graph:
        assert verdicts(model, prop, strategy="depth") == {verdict}
        samples_agree(model, prop, "random", verdict)


@pytest.mark.slow
@pytest.mark.parametrize(("model", "prop"), [case for case in CASES if not case.values[1]().needs_graph])
def test_a_property_of_ours_has_the_same_verdict_in_samples_of_pct(model, prop):
    samples_agree(model, prop, "pct", *verdicts(model, prop))
