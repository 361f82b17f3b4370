"""Whatever a property sees of names, and by whatever means, reductions change no verdict."""

from itertools import pairwise

import pytest
from interchangeable import clients

from simcore import Model, ModelError, Verdict, always, choose, eventually, explore, leads_to, sleep, sometimes
from simcore.explore.reduction import alike as alike_module
from simcore.model.objects import Future, Lock
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


# ---- families ----------------------------------------------------------------------------------------------


def one_item(*, n: int = 2) -> Model:
    """One of the clients gets what there is, the others wait for ever."""
    model = Model("one item")
    there = model.queue("there")

    def client(_me):
        return ((yield there.get()),)

    def giver():
        yield there.put(0)

    for name in model.indices("client", n):
        model.process(name, client, name)
    model.process("giver", giver)
    return model


def numbers(*, n: int = 3) -> Model:
    """Each client gets another number."""
    model = Model("numbers")
    there = model.queue("there")

    def client(_me):
        return ((yield there.get()),)

    def giver():
        for number in range(n):
            yield there.put(number)

    for name in model.indices("client", n):
        model.process(name, client, name)
    model.process("giver", giver)
    return model


def last(*, n: int = 3) -> Model:
    """A variable remembers the name of who came last, another one the set of those who came, a queue their order."""
    model = Model("last")
    came, everybody = model.variable("last", None), model.variable("everybody", frozenset())
    line, at = model.queue("line"), {}

    def add(names, name):
        return names | {name}

    def client(me):
        yield came.set(me)
        yield everybody.update(add, me)
        yield line.put(("is here", me))
        yield at[me].put(me)

    for name in model.indices("client", n):
        at[name] = model.queue(f"inbox of {name}")
        model.process(name, client, name)
    return model


def pools() -> Model:
    """Each client has a pool of its own, and a clock runs while one of them works."""
    model = Model("pools")
    names = model.indices("client", 2)
    there = model.queue("there")
    pool = {name: model.thread_pool(f"pool of {name}", 1) for name in names}

    def task(_me):
        if (yield there.get()) == 1:
            yield sleep(10)
        return (0,)

    def client(me):
        future = yield pool[me].submit(task, me)
        return (yield future.result())

    def giver():
        yield there.put(0)
        yield there.put(1)

    def clock():
        yield sleep(5)

    for name in names:
        model.process(name, client, name)
    model.process("giver", giver)
    model.process("clock", clock)
    return model


def transfers(*, gated: bool = True) -> Model:
    """Two accounts are locked in opposite orders, one after the other."""
    model = Model("transfers")
    one, other = model.indices("account", 2)
    lock = {name: model.lock(f"lock of {name}") for name in (one, other)}
    gate = model.lock("gate")

    def transfer(mine, theirs):
        if gated:
            yield gate.acquire()
        yield mine.acquire()
        yield theirs.acquire()
        yield theirs.release()
        yield mine.release()
        if gated:
            yield gate.release()

    model.process(one, transfer, lock[one], lock[other])
    model.process(other, transfer, lock[other], lock[one])
    return model


def shared_pool() -> Model:
    """Two workers run tasks of two clients, with futures that are made and dropped."""
    model = Model("shared pool")
    pool, gate = model.thread_pool("pool", 2), model.semaphore("gate", 1)

    def task(me):
        yield gate.acquire()
        yield gate.release()
        return me

    def client(me):
        future = yield pool.submit(task, me)
        yield future.result()

    for name in model.indices("client", 2):
        model.process(name, client, name)
    return model


MODELS = [one_item, numbers, last, pools, transfers, shared_pool, clients]


def answers(model, prop, **options):
    found = []
    for reductions in OPTIONS:
        try:
            found.append(explore(model(), prop(), **reductions, **options).verdict)
        except ModelError:
            found.append(ModelError)  # the model has none of that name
    return found


def first_names(model):
    return [family[0] for family in model.families.values()] + [family[-1] for family in model.families.values()]


# ---- our own properties ------------------------------------------------------------------------------------


def ours():
    names = ["client", "client[0]", "client[1]", "account", "account[1]"]
    for name in names:
        yield f"completes {name}", lambda name=name: completes(name)
        yield f"in order {name}", lambda name=name: in_order(name, 1)
        yield f"nothing lost {name}", lambda name=name: nothing_lost_or_duplicated(name, 1)
        yield f"ended {name}", lambda name=name: ended_by("clock", name)
    for pool in ("pool", "pool of client[0]", "pool of client[1]"):
        yield f"idle {pool}", lambda pool=pool: idle_by("clock", pool)
        yield f"capacity {pool}", lambda pool=pool: within_capacity({pool: 0})
        yield f"backlog {pool}", lambda pool=pool: backlog_within({pool: 0})
    for of in ("lock of account[0]", "inbox of client[0]", "inbox of client[1]"):
        yield f"capacity {of}", lambda of=of: within_capacity({of: 0})
    for prop in (deadlock_free, no_stuck_subset, no_self_deadlock, lock_order_acyclic, resolved_once):
        yield prop.__name__, prop


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("prop", [pytest.param(prop, id=name) for name, prop in ours()])
def test_a_property_of_ours_has_the_same_verdict_with_and_without_reductions(model, prop):
    rule = "in_order" if model is pools else "when_stuck"
    assert len(set(answers(model, prop, timeouts=rule))) == 1


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


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("peep", PEEPS)
def test_a_predicate_that_looks_at_names_by_any_means_has_the_same_verdict(model, peep):
    for kind in KINDS.values():
        assert len(set(answers(model, lambda kind=kind: kind(peep)))) == 1


def test_a_property_that_keeps_names_in_a_memory_is_answered_as_without_symmetry():
    def prop():
        seen = set()

        def few(state):
            seen.update(p.name for p in state.processes if p.done and p.name.startswith("client"))
            return len(seen) < 2

        return always(few, "one name is enough")

    assert set(answers(one_item, prop)) == {Verdict.VIOLATED}


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
