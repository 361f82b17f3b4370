"""A model or a property that looks into a name is found out, and nothing is reduced wrongly."""

import re
import sys

import pytest
import small
import toys
from compared import both
from interchangeable import clients, follow

from simcore import Model, Verdict, always, explore, sometimes
from simcore.explore.reduction import NotSymmetric, Symmetry
from simcore.explore.reduction.exchanges import Checked
from simcore.kernel import Kernel
from simcore.models import pool_starvation
from simcore.properties import no_stuck_subset

explore_module = sys.modules[explore.__module__]

# ---- models that tell names apart --------------------------------------------------------------------------


def leader() -> Model:
    """The server answers the first name of its dictionary only."""
    model = Model("leader")
    names = model.indices("client", 3)
    inbox = {name: model.queue(f"inbox of {name}", 1) for name in names}

    def client(name):
        yield inbox[name].get()

    def server():
        for name in inbox:
            if name == next(iter(inbox)):
                yield inbox[name].put("answer")

    for name in names:
        model.process(name, client, name)
    model.process("server", server, daemon=True)
    return model


def numbered() -> Model:
    """A process looks at the number in its name, late."""
    model = Model("numbered")
    ready, door = model.event("ready"), model.event("door")

    def client(name):
        yield ready.set()
        if name.position == 1:
            yield door.wait()

    for name in model.indices("client", 3):
        model.process(name, client, name)
    return model


def lettered() -> Model:
    """A process looks at the text of its name, late."""
    model = Model("lettered")
    ready, door = model.event("ready"), model.event("door")

    def client(name):
        yield ready.set()
        if str(name).endswith("[2]"):
            yield door.wait()

    for name in model.indices("client", 3):
        model.process(name, client, name)
    return model


def ordered() -> Model:
    """The server goes through the names in the order in which they were made."""
    model = Model("ordered")
    names = model.indices("client", 3)
    inbox = {name: model.queue(f"inbox of {name}") for name in names}

    def client(name):
        yield inbox[name].get()

    def server():
        for name in names:
            yield inbox[name].put("answer")

    for name in names:
        model.process(name, client, name)
    model.process("server", server)
    return model


def smallest() -> Model:
    """A variable keeps the name that comes first in the alphabet, and only that one goes through."""
    model = Model("smallest")
    first, door = model.variable("first"), model.event("door")

    def earlier(value, name):
        return name if value is None or str(name) < str(value) else value

    def client(name):
        if (yield first.update(earlier, name)) != name:
            yield door.wait()

    for name in model.indices("client", 3):
        model.process(name, client, name)
    return model


def different() -> Model:
    """One of the processes is given another argument than the others."""
    model = Model("different")
    door = model.event("door")

    def client(rounds):
        for _ in range(rounds):
            yield door.set()
        yield door.wait()

    for rounds, name in enumerate(model.indices("client", 3)):
        model.process(name, client, max(rounds, 1))
    return model


def missing() -> Model:
    """One of the names has no queue."""
    model = Model("missing")
    names = model.indices("client", 3)
    inbox = {name: model.queue(f"inbox of {name}") for name in names[1:]}

    def client(name):
        if name in inbox:
            yield inbox[name].put("in")

    for name in names:
        model.process(name, client, name)
    return model


def begun() -> Model:
    """A variable holds one of the names at the start."""
    model = Model("begun")
    names = model.indices("client", 3)
    turn = model.variable("turn", names[1])

    def mine(value, name):
        return value == name

    def client(name):
        yield turn.wait_for(mine, name)

    for name in names:
        model.process(name, client, name)
    return model


def chosen_late() -> Model:
    """A task that is defined for one name is passed on by that name alone."""
    model = Model("chosen late")
    names = model.indices("client", 3)
    pool, done = model.thread_pool("pool", 1), {name: model.event(f"done of {name}") for name in names}

    def special():
        yield done[names[0]].set()

    def client(name):
        task = yield pool.submit(special)
        yield task.result()
        yield done[name].wait()

    for name in names:
        model.process(name, client, name)
    return model


TELLING = {
    "leader": (leader, "client", "exchanged"),
    "numbered": (numbered, "client", "exchanged"),
    "lettered": (lettered, "client", "exchanged"),
    "ordered": (ordered, "client", "exchanged"),
    "smallest": (smallest, "client", "does something else|exchanged"),
    "different": (different, "client", "differ in more than the name"),
    "missing": (missing, "client", "but no inbox of"),
    "begun": (begun, "client", "differ in more than the name"),
    "chosen late": (chosen_late, "client", "exchanged"),
}


@pytest.mark.parametrize(("model", "family", "why"), TELLING.values(), ids=TELLING)
def test_a_model_that_tells_names_apart_is_found_out_and_searched_without_them(model, family, why):
    reduced, full = both(model())
    (note,) = reduced.notes
    assert note.startswith(f"{family}[*] told apart: ")
    assert re.search(why, note)
    assert f"{family}[*]" not in reduced.strategy
    assert reduced.states == full.states or model is chosen_late


@pytest.mark.parametrize("model", [numbered, lettered, ordered, smallest, chosen_late])
def test_without_the_test_of_exchanges_a_model_that_tells_names_apart_would_be_reduced_wrongly(monkeypatch, model):
    """What `both` and the orbits would say, had nobody looked: they see it, or the reduction cannot go on."""

    def trusting(self, exchange, point, other):
        exchange.forms.setdefault(self.forms.of(point)[0], self.forms.of(other)[0])

    monkeypatch.setattr(Checked, "_match", trusting)
    monkeypatch.setattr(Checked, "_apply", lambda self, exchange, applied: None)
    kernel = Kernel(model())
    full = toys.space(kernel)
    symmetry = Symmetry(kernel)
    with pytest.raises((AssertionError, NotSymmetric, KeyError)):
        follow(kernel, symmetry, full.distance)


def test_one_family_that_is_told_apart_leaves_the_others_interchangeable():
    model = clients(n=3)
    door = model.event("door")

    def second(name):
        if name.position == 1:
            yield door.set()
        yield door.is_set()

    for name in model.indices("odd", 2):
        model.process(name, second, name)
    reduced, _ = both(model)
    assert "client[*] interchangeable" in reduced.strategy
    assert [note.partition(":")[0] for note in reduced.notes] == ["odd[*] told apart"]


# ---- properties --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asks",
    [
        lambda state: not state.process("download[0]").done,
        lambda state: len(state["inbox of download[1]"]) == 0,
    ],
)
def test_a_property_that_asks_for_one_of_a_family_has_the_family_told_apart(asks):
    model = pool_starvation.fixed(downloads=2, workers=1, callback_workers=1)
    result = explore(model, always(asks, "asks by name"))
    assert result.verdict is Verdict.VIOLATED
    assert result.notes[:1] == ("download[*] told apart: 'asks by name' tells download[0] from download[1]",)


def test_a_property_of_a_whole_family_may_look_at_what_belongs_to_each():
    empty = always(
        lambda state: all(state.of(p, "inbox of {}") == () for p in state.processes if p.name.startswith("client")),
        "nobody is answered",
    )
    both(clients(), empty)


def test_a_property_may_ask_for_a_name_that_is_told_apart():
    quiet = always(lambda state: not state.process("client[2]").done, "client[2] goes on")
    assert explore(different(), quiet).verdict is Verdict.VIOLATED


def test_a_property_of_all_names_alike_has_the_same_verdict():
    def done(state):
        return [p.done for p in state.processes if p.name.startswith("client")]

    both(clients(), always(lambda state: sum(done(state)) < 3, "not all are done"))
    both(clients(), sometimes(lambda state: all(done(state)), "all are done"))


def test_who_can_never_end_is_named_as_in_the_schedule():
    model = small.spinner(released=False)
    poll = model.processes[0].fn
    for name in model.indices("other", 3):
        model.process(name, poll)
    both(model, no_stuck_subset())


# ---- names that nobody gave ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "told"), [(2, []), (3, ["reader0 to reader2 run reader() with the same"])])
def test_processes_that_are_alike_but_for_names_of_their_own_are_pointed_out(monkeypatch, count, told):
    monkeypatch.setattr(explore_module, "HINTS_AFTER", 5)

    def readers(args):
        model = Model("readers")
        lock = model.lock("lock")

        def reader(*_):
            yield lock.acquire()
            yield lock.release()

        for number in range(count):
            model.process(f"reader{number}", reader, *args(number))
        model.process("another", reader, "another")
        for name in model.indices("named", 3):
            model.process(name, reader)
        return model

    assert [note.partition(" arguments")[0] for note in explore(readers(lambda number: ("same",))).notes] == told
    assert not explore(readers(lambda number: (number,))).notes
    assert not explore(readers(lambda number: ("same",)), symmetry=False).notes
