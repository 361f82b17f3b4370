"""Names are interchangeable: one state of each orbit is searched, and a model that looks into a name is found out."""

import re
from itertools import permutations, product

import pytest
import small
import toys
from generated import systems
from hypothesis import HealthCheck, given, settings
from systems import agree, both

from simcore import Model, SimcoreError, Verdict, always, choose, explore, sometimes
from simcore.explore.reduction import NotSymmetric, Symmetry
from simcore.explore.reduction.exchanges import Checked
from simcore.kernel import Kernel
from simcore.kernel.freeze import Freezer
from simcore.model import RULES
from simcore.models import download_path, pool_starvation
from simcore.properties import no_stuck_subset


def clients(*, n: int = 3, requests: int = 1, hold: bool = False) -> Model:
    """Each client sends its name to a server, which answers into the inbox of that name."""
    model = Model("clients")
    names = model.indices("client", n)
    desk = model.queue("desk")
    inbox = {name: model.queue(f"inbox of {name}") for name in names}
    lock = model.lock("lock")

    def client(name):
        if hold:
            yield lock.acquire()
        for _ in range(requests):
            yield desk.put(name)
            yield inbox[name].get()
        if hold:
            yield lock.release()

    def server():
        while True:
            name = yield desk.get()
            yield inbox[name].put("answer")

    for name in names:
        model.process(name, client, name)
    model.process("server", server, daemon=True)
    return model


def tied(*, n: int = 2, rounds: int = 2) -> Model:
    """Two families whose names are sent in pairs: states in which they are tied to each other in a ring."""
    model = Model("tied")
    left, right = model.indices("left", n), model.indices("right", n)
    pairs = model.variable("pairs", frozenset())

    def add(value, one, other):
        return value | {(one, other)}

    def link(name):
        for _ in range(rounds):
            other = yield choose(*right)
            yield pairs.update(add, name, other)

    for name in left:
        model.process(name, link, name)
    return model


def waiting_set(*, n: int = 3) -> Model:
    """A variable holds the set of the names that wait; a server lets any of them go."""
    model = Model("waiting set")
    names = model.indices("guest", n)
    waiting = model.variable("waiting", frozenset())
    door = {name: model.event(f"door of {name}") for name in names}

    def add(value, name):
        return value | {name}

    def let_go(value):
        for name in value:
            yield value - {name}, name

    def guest(name):
        yield waiting.update(add, name)
        yield door[name].wait()

    def host():
        for _ in range(n):
            name = yield waiting.transition(let_go)
            yield door[name].set()

    for name in names:
        model.process(name, guest, name)
    model.process("host", host)
    return model


def pools_of_names(*, n: int = 2, workers: int = 2) -> Model:
    """Each name has a pool of its own, whose workers take one lock that belongs to all."""
    model = Model("pools of names")
    lock = model.lock("lock")

    def task():
        yield lock.acquire()
        yield lock.release()

    def run(pool):
        one = yield pool.submit(task)
        two = yield pool.submit(task)
        yield one.result()
        yield two.result()

    for name in model.indices("node", n):
        model.process(name, run, model.thread_pool(f"pool of {name}", workers))
    return model


def patient(*, n: int = 3) -> Model:
    """Names wait with a limit, so that their deadlines are part of the state."""
    model = Model("patient")
    event = model.event("event")
    for name in model.indices("waiter", n):
        model.process(name, wait_with_limit, event)
    return model


def wait_with_limit(event):
    yield event.wait(timeout=1.0)
    yield event.wait(timeout=2.0)


SYMMETRIC = {
    "clients": clients,
    "clients with a lock": lambda: clients(hold=True),
    "clients, two requests": lambda: clients(n=2, requests=2),
    "tied": tied,
    "tied, three": lambda: tied(n=3, rounds=1),
    "waiting set": waiting_set,
    "pools of names": lambda: pools_of_names(workers=1),
    "pools of names with two workers": lambda: pools_of_names(workers=2),
    "patient": patient,
    "pool system before": lambda: toys.pool_system(requesters=3, workers=2, chunks=1, alike=True),
    "pool system after": lambda: toys.pool_system(requesters=2, workers=2, chunks=1, callback_workers=2, alike=True),
    "starved": lambda: pool_starvation.buggy(downloads=3, workers=2),
    "two pools": lambda: pool_starvation.fixed(downloads=2, workers=2, callback_workers=2),
    "download path": lambda: download_path.fixed(downloads=2, workers=1),
    "download path that hangs": lambda: download_path.buggy(downloads=2, workers=2),
}
every_model = pytest.mark.parametrize("model", SYMMETRIC.values(), ids=SYMMETRIC)


# ---- the same answers, fewer states ------------------------------------------------------------------------


@pytest.mark.parametrize("timeouts", ["never", "when_stuck", "in_order", "anytime"])
@every_model
def test_renaming_names_changes_no_verdict_and_no_shortest_schedule(model, timeouts):
    reduced, full = both(model(), timeouts=timeouts)
    assert set(reduced.notes) <= {RULES[timeouts]}
    assert "[*] interchangeable" in reduced.strategy
    assert reduced.states < full.states or full.verdict is Verdict.VIOLATED


@every_model
def test_the_representatives_of_all_states_are_those_that_a_search_meets(model):
    kernel = Kernel(model())
    symmetry = Symmetry(kernel)
    reduced, full = toys.space(kernel, symmetry.representative), toys.space(kernel)
    assert set(reduced.distance) == {symmetry.representative(state) for state in full.distance}


@every_model
def test_what_can_happen_in_a_state_can_happen_in_its_representative_renamed(model):
    kernel = Kernel(model())
    symmetry = Symmetry(kernel)
    follow(kernel, symmetry, list(toys.space(kernel).distance)[:3_000])


def follow(kernel, symmetry, states):
    """Insist that what can happen in each of ``states`` can happen in its representative, renamed."""
    for state in states:
        chosen, way = symmetry.chosen(state)
        assert symmetry.representative(chosen) == chosen
        here = sorted((way[p], symmetry.representative(s)) for p, _, s in kernel.successors(state))
        assert here == sorted((p, symmetry.representative(s)) for p, _, s in kernel.successors(chosen))


# ---- exactly one state of each orbit -----------------------------------------------------------------------


def told(key, names):
    """Write a frozen thing with its names replaced, what has no order in the order of what is written."""
    if (
        isinstance(key, tuple)
        and key[:1] == (tuple,)
        and {getattr(part, "family", None) for part in key[1:]} == {"right"}
    ):
        return "all that are right"  # in the closure of `tied`
    if isinstance(key, frozenset) or (isinstance(key, tuple) and key[:1] == (dict,)):
        return (
            "{" + ",".join(sorted(told(part, names) for part in (key if isinstance(key, frozenset) else key[1:]))) + "}"
        )
    if isinstance(key, tuple):
        return "(" + ",".join(told(part, names) for part in key) + ")"
    known = "|".join(map(re.escape, names))
    return re.sub(rf"(?<!\w)({known})", lambda found: names[found[0]], repr(key)) if names else repr(key)


def orbits(kernel, states):
    """Count the orbits by writing each state in every way that names can be chosen, one of them the smallest."""
    families = [[str(name) for name in names] for names in kernel.model.families.values()]
    families += [[worker.name for worker in workers] for _, workers in kernel.model.pools()]
    pieces = {}
    found = set()
    for state in states:
        made = range(kernel.first_future, len(state))
        alive = [f"future#{n - kernel.first_future}" for n in made if state[n]]
        groups = [*families, alive]
        ways = []
        for chosen in product(*(permutations(range(len(group))) for group in groups)):
            names = {
                old: f"<{number}.{new}>"
                for number, (group, order) in enumerate(zip(groups, chosen, strict=True))
                for old, new in zip(group, order, strict=True)
            }
            key = tuple(sorted(names.items()))
            parts = (piece(kernel, pieces, place, part, key, names) for place, part in enumerate(state))
            ways.append(sorted(filter(None, parts)))
        found.add(tuple(min(ways)))
    return len(found)


def piece(kernel, pieces, place, part, key, names):
    if (place, part, key) not in pieces:
        pieces[place, part, key] = written(kernel, place, part, names)
    return pieces[place, part, key]


def written(kernel, place, part, names):
    if place >= kernel.first_future:
        return told((f"future#{place - kernel.first_future}", frozen(kernel.values[part])), names) if part else ""
    if place < kernel.first_process:
        return told((kernel.objects[place].name, frozen(kernel.values[part])), names)
    local = kernel.locals[part]
    point = None if local.point is None else (local.point.program.fn.__qualname__, local.point.key)
    task = None if local.task is None else frozen(local.task)
    return told((kernel.processes[place - kernel.first_process].name, point, task, local.status), names)


def frozen(value):
    return Freezer(ordered=False).freeze(value)


BY_HAND = [
    "clients",
    "clients with a lock",
    "waiting set",
    "tied",
    "tied, three",
    "starved",
    "two pools",
    "pool system after",
]


@pytest.mark.parametrize("name", BY_HAND)
def test_a_search_meets_exactly_one_state_of_each_orbit(name):
    kernel = Kernel(SYMMETRIC[name]())
    representative = Symmetry(kernel).representative
    full = toys.space(kernel)
    assert len({representative(state) for state in full.distance}) == orbits(kernel, full.distance)


@pytest.mark.parametrize(
    ("sizes", "states"),
    [
        ((2, 2, 2), 123),
        ((3, 2, 2), 691),
        ((4, 2, 2), 3_040),
        ((4, 4, 2), 4_880),
        ((4, 4, 4), 5_179),
        pytest.param((6, 4, 6), 156_899, marks=pytest.mark.slow),
    ],
)
def test_so_many_states_of_the_pool_system_are_left(sizes, states):
    """Workers alone leave 105,900 of (4, 4, 2); a group of 4! cannot leave less than 105,900 / 24 = 4,413 of those."""
    requesters, workers, callback_workers = sizes
    kernel = Kernel(
        toys.pool_system(
            requesters=requesters, workers=workers, chunks=1, callback_workers=callback_workers, alike=True
        )
    )
    assert toys.space(kernel, Symmetry(kernel).representative).states == states


@pytest.mark.parametrize(
    ("build", "sizes", "reduced", "full"),
    [
        (pool_starvation.fixed, {"downloads": 2, "workers": 2, "callback_workers": 2}, 306, 1_839),
        (pool_starvation.buggy, {"downloads": 2, "workers": 3}, 131, 1_115),
        (download_path.fixed, {"downloads": 2, "workers": 1}, 778, 1_552),
    ],
)
def test_so_many_states_are_left_of_a_model(build, sizes, reduced, full):
    results = both(build(**sizes))
    assert [result.states for result in results] == [reduced, full]


@given(systems(longest=3, clients=True, every_kind=True))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_generated_systems_with_interchangeable_names_have_the_same_verdict(model):
    agree(model, 800)


@pytest.mark.slow
@given(systems(longest=5, clients=True, every_kind=True))
@settings(max_examples=1_000)
def test_many_generated_systems_with_interchangeable_names_have_the_same_verdict(model):
    agree(model, 800)


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
        exchange.points.setdefault(point, other)

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
def test_a_property_that_asks_for_one_of_interchangeable_names_is_refused(asks):
    model = pool_starvation.fixed(downloads=2, workers=1, callback_workers=1)
    with pytest.raises(SimcoreError, match=r"download\[\d\] by name.*symmetry=False"):
        explore(model, always(asks, "asks by name"))
    assert explore(model, always(asks, "asks by name"), symmetry=False).verdict is Verdict.VIOLATED


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
