"""Who can never move, or end, again is the same pair that following everybody through every edge gives."""

import plain
import pytest
import small
import toys
from generated import systems
from hypothesis import assume, given, settings

from simcore import Model
from simcore.explore import lost
from simcore.explore.compiled import lost as in_arrays
from simcore.explore.limits import Limits, OutOfBudget
from simcore.explore.reduction import NotSymmetric, Symmetry
from simcore.explore.search import Search
from simcore.kernel import Kernel

STATES = 1_500


def whole(model, symmetry):
    """Walk all states of a model, whatever is wrong in them; return what `never_again` is asked about."""
    kernel = Kernel(model)
    apart = {}
    while True:
        reduction = Symmetry(kernel, symmetry, apart)
        search = Search(kernel, (), reduction, Limits(STATES, None), None)
        try:
            return None if search.walk(search.space, depth_first=False) else (kernel, reduction, search.space)
        except OutOfBudget:
            return None
        except NotSymmetric as found:
            apart = {**reduction.apart, found.family: found.reason}


def agree(found):
    """Compare who can never move, and who can never end, in both versions and by the definition; return both."""
    kernel, reduction, space = found
    answers = []
    for ends in (False, True):
        asked = kernel, reduction, space.states, space.graph
        answers.append(lost.never_again(*asked, ends=ends))
        assert answers[-1] == in_arrays.never_again(*asked, ends=ends) == plain.never_again(*asked, ends=ends)
    return answers


def opposed_twins(*, pairs: int = 2, beating: bool = True) -> Model:
    """Interchangeable clients take two locks in both orders, and something else goes on for ever."""
    model = Model("opposed twins")
    names = model.indices("client", pairs)
    locks = {name: model.lock(f"lock of {name}") for name in names}
    other = model.lock("lock")

    def client(first, second):
        yield first.acquire()
        yield second.acquire()
        yield second.release()
        yield first.release()

    for name in names:
        model.process(name, client, other, locks[name])
    for name in names:
        model.process(f"rival of {name}", client, locks[name], other)
    return small.heartbeat(model) if beating else model


def baton(*, runners: int = 3) -> Model:
    """Interchangeable runners pass a baton on for ever, beside two of whom one always waits; nobody is lost."""
    model = Model("baton")
    ball, back, belt = model.queue("ball"), model.queue("back"), model.queue("belt")

    def ping():
        yield belt.put("baton")
        while True:
            yield ball.put("ball")
            yield back.get()

    def pong():
        while True:
            yield ball.get()
            yield back.put("ball")

    def run():
        while True:
            yield belt.put((yield belt.get()))

    for name in model.indices("runner", runners):
        model.process(name, run)
    model.process("ping", ping)
    model.process("pong", pong)
    return model


MODELS = {
    "opposed locks": toys.opposed_locks,
    "crossed behind a heartbeat": lambda: small.crossed(beating=True),
    "hidden": small.hidden,
    "hidden in a task": lambda: small.hidden(in_a_task=True),
    "helped in a task": lambda: small.hidden(in_a_task=True, alone=False),
    "impatient": small.impatient,
    "flicker": small.flicker,
    "spinner": lambda: small.spinner(released=False),
    "locked tasks": small.locked_tasks,
    "locked tasks in order": lambda: small.locked_tasks(opposed=False),
    "nested submit": lambda: small.nested_submit(workers=2, tasks=2),
    "baton": baton,
    "opposed twins": opposed_twins,
    "opposed twins that stop": lambda: opposed_twins(beating=False),
}


@pytest.mark.parametrize("symmetry", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_the_first_who_is_lost_is_found(name, symmetry):
    agree(whole(MODELS[name](), symmetry))


def test_interchangeable_clients_are_lost_while_a_heart_beats():
    assert None not in agree(whole(opposed_twins(), True))


def test_where_somebody_always_waits_nobody_need_be_lost():
    assert agree(whole(baton(), True)) == [None, (0, 0)]


@given(systems(longest=3, clients=True, every_kind=True))
@settings(max_examples=8)
def test_the_first_who_is_lost_in_a_generated_system_is_found(model):
    found = whole(model, True)
    assume(found is not None)
    agree(found)


@given(systems(longest=3, every_kind=True))
@settings(max_examples=8)
def test_the_first_worker_who_is_lost_in_a_generated_system_is_found(model):
    found = whole(model, True)
    assume(found is not None)
    agree(found)
