"""Every property of the library has the same verdict over interchangeable names with symmetry and without, or refuses.

A name means what it means in the run that shows it: a representative may call somebody else by it.
"""

from queue import Empty

import pytest
from generated import descriptions, system
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from interchangeable import clients

from simcore import Model, Verdict, explore, properties, sleep
from simcore.errors import OptionError
from simcore.model import RULES

ONE, ALL = "client[0]", "client"


def about(name, model):
    """Return the questions that the property called ``name`` may ask of ``model``: about one of a family, and all."""
    ask = getattr(properties, name)
    pools = [pool.name for pool, _ in model.pools()]
    whom = {
        "backlog_within": [({pool: 1},) for pool in pools],
        "completes": [(ONE,), (ALL,)],
        "deadlock_free": [()],
        "ended_by": [("clock", ONE), ("clock", ALL)],
        "idle_by": [("clock", pool) for pool in pools],
        "in_order": [(ONE, 0), (ONE, 1), (ALL, 1)],
        "lock_order_acyclic": [()],
        "no_self_deadlock": [()],
        "no_stuck_subset": [()],
        "nothing_lost_or_duplicated": [(ONE, 0), (ONE, 1), (ALL, 1)],
        "resolved_once": [()],
        "within_capacity": [({thing.name: 0},) for thing in model.objects if thing.name in ("desk", f"inbox of {ONE}")],
    }
    return [lambda args=args: ask(*args) for args in whom[name]]


def answer(model, make, **options):
    """Return the verdict, or that the question was refused as one about names."""
    try:
        return explore(model, make(), max_states=1_000, **options).verdict
    except OptionError as refused:
        if "interchangeable" not in str(refused):
            raise
        return None


def one_item():
    """One of two clients gets what there is, and either may."""
    model = Model("one item for two")
    box, pool = model.queue("desk"), model.thread_pool("pool", 1)

    def client():
        try:
            yield box.get(timeout=1.0)
        except Empty:
            return ()
        return (0,)

    def giver():
        yield box.put("item")
        yield pool.submit(no_one)

    def no_one():
        yield from ()

    for name in model.indices("client", 2):
        model.process(name, client)
    model.process("giver", giver)
    model.process("clock", tick)
    return model


def transfers():
    """Each of two clients takes its own lock and then the other's, one client at a time."""
    model = Model("two transfers behind a gate")
    one, other = model.indices("client", 2)
    gate, lock = model.lock("gate"), {name: model.lock(f"lock of {name}") for name in (one, other)}

    def transfer(mine, theirs):
        for step in (gate.acquire, mine.acquire, theirs.acquire, theirs.release, mine.release, gate.release):
            yield step()
        return (0,)

    model.process(one, transfer, lock[one], lock[other])
    model.process(other, transfer, lock[other], lock[one])
    model.process("clock", tick)
    return model


def tick():
    yield sleep(0.5)


def check(name, model, timeouts):
    for make in about(name, model):
        plain = answer(model, make, timeouts=timeouts, symmetry=False, partial_order=False)
        for partial_order in (False, True):
            reduced = answer(model, make, timeouts=timeouts, partial_order=partial_order)
            assert reduced in (plain, None) or Verdict.UNDETERMINED in (plain, reduced), (make().name, timeouts)


every_property = pytest.mark.parametrize("name", properties.__all__)
SYSTEMS = {
    "description": descriptions(longest=3, clients=True, every_kind=True, counts=True),
    "timeouts": st.sampled_from(list(RULES)),
}
ANY = settings(deadline=None, phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck))


@pytest.mark.some(3)
@every_property
@pytest.mark.parametrize("timeouts", RULES)
@pytest.mark.parametrize("build", [one_item, transfers])
def test_a_property_has_the_same_verdict_where_only_one_of_two_can_have_it(name, build, timeouts):
    check(name, build(), timeouts)


@pytest.mark.some(6)
@every_property
@settings(ANY, max_examples=3)
@given(**SYSTEMS)
def test_a_property_has_the_same_verdict_over_a_family_with_symmetry_and_without(name, description, timeouts):
    check(name, system(description=description), timeouts)


@pytest.mark.slow
@every_property
@settings(ANY, max_examples=8)
@given(**SYSTEMS)
def test_a_property_has_the_same_verdict_over_many_families_with_symmetry_and_without(name, description, timeouts):
    check(name, system(description=description), timeouts)


def test_both_verdicts_are_met():
    """A property about one client is violated by the run in which another one is first."""
    model = clients(n=2)
    (violated, holds) = ({"desk": 1}, {"desk": 2})
    told = [answer(model, lambda most=most: properties.within_capacity(most)) for most in (violated, holds)]
    assert told == [Verdict.VIOLATED, Verdict.HOLDS]


def test_a_state_that_has_nothing_new_but_another_future_is_exchanged_too():
    """Nobody had learned anything since the last state; there was one more place for a future."""
    described = (
        '{"lock":1,"event":1,"future":0,"semaphore":[],"queue":[],"pool":[1],"tasks":[[["set",0],["set",0]]],"variable":0,'
        '"condition":0,"shutdown":1,"rlock":0,"looks":1,"link":[],"raises":0,"on_a_lock":0,"by_hand":1,"processes":'
        '[[["set",0],["repeat",2,[["submit",0,0],["set",0]]]]],"clients":{"number":2,"capacity":null,"body":'
        '[["put","desk","name",null],["shutdown",0,false],["put","mail",0,null]],"helper":[["get","mail",null],'
        '["submit",0,"task"]],"counts":1}}'
    )
    check("no_self_deadlock", system(description=described), "never")
