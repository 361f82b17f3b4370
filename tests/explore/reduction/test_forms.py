"""Futures are data: who keeps them, hands them on and compares them has them exchanged, and who looks has not."""

import pytest
import toys
from interchangeable import follow

from simcore import Model, explore
from simcore.explore.reduction import Symmetry
from simcore.explore.reduction.exchanges import Checked
from simcore.explore.reduction.forms import Forms
from simcore.explore.reduction.names import NotSymmetric
from simcore.kernel import Kernel

APART = "futures told apart: "


def kept(n=3, workers=2, look=lambda futures: futures):
    """Submit tasks, keep their futures, and wait for each in the order that ``look`` says."""
    model = Model("kept")
    pool = model.thread_pool("pool", workers)

    def task():
        yield from ()

    def main():
        futures = []
        for _ in range(n):
            futures.append((yield pool.submit(task)))
        for future in look(futures):
            yield future.result()

    model.process("main", main)
    return model


def handed_on(look):
    """Two askers put their futures into a queue, and somebody waits for what ``look`` makes of the two."""
    model = Model("handed on")
    pool, asked = model.thread_pool("pool", 2), model.queue("asked")

    def task():
        yield from ()

    def asker():
        future = yield pool.submit(task)
        yield asked.put(future)

    def waits():
        for future in look([(yield asked.get()), (yield asked.get())]):
            yield future.result()

    for name in model.indices("asker", 2):
        model.process(name, asker)
    model.process("waits", waits)
    return model


def updated(look):
    """A variable holds the futures that are under way, as ``look`` has them."""
    model = Model("updated")
    pool, there = model.thread_pool("pool", 2), model.variable("there", ())

    def task():
        yield from ()

    def add(futures, future):
        return tuple(look((*futures, future)))

    def asker():
        future = yield pool.submit(task)
        yield there.update(add, future)
        yield future.result()

    for name in model.indices("asker", 2):
        model.process(name, asker)
    return model


def by_name(futures):
    return sorted(futures, key=lambda future: future.name)


def backwards(futures):
    return [*futures][::-1]


def each_once(futures):
    return [future for place, future in enumerate(futures) if future not in futures[:place]]


LOOKS = {
    "sorted by name": by_name,
    "the last name": lambda futures: by_name(futures)[-1:],
    "the middle name": lambda futures: by_name(futures)[len(futures) // 2 :][:1],
    "one that is called first": lambda futures: [future for future in futures if future.name == "future#0"],
    "an even number": lambda futures: [future for future in futures if int(future.name[-1]) % 2 == 0],
    "by text": lambda futures: sorted(futures, key=str),
}


def answers(model):
    """Return what is found with the symmetry of names and without any reduction."""
    reduced, full = explore(model, partial_order=False), explore(model, symmetry=False, partial_order=False)
    assert reduced.verdict is full.verdict
    return reduced, full


@pytest.mark.parametrize("model", [kept, handed_on, updated])
@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_who_looks_at_futures_has_them_told_apart(model, look):
    reduced, _ = answers(model(look=look))
    (note,) = [note for note in reduced.notes if note.startswith(APART)]
    assert "\n" not in note
    assert "0x" not in note


@pytest.mark.parametrize("model", [kept, handed_on, updated])
@pytest.mark.parametrize("look", [list, backwards, each_once])
def test_who_keeps_them_in_an_order_and_compares_them_has_them_exchanged(model, look):
    reduced, full = answers(model(look=look))
    assert not [note for note in reduced.notes if note.startswith(APART)]
    assert reduced.states < full.states


@pytest.mark.parametrize("look", ["sorted by name", "one that is called first", "an even number"])
def test_without_the_test_who_looks_would_be_reduced_wrongly(monkeypatch, look):
    monkeypatch.setattr(Forms, "test", lambda self, learned: None)
    monkeypatch.setattr(Checked, "_apply_to_others", lambda self, applied: None)
    kernel = Kernel(handed_on(LOOKS[look]))
    full = toys.space(kernel)
    symmetry = Symmetry(kernel)
    with pytest.raises((AssertionError, NotSymmetric, KeyError)):
        follow(kernel, symmetry, full.distance)


def test_futures_in_a_set_are_exchanged_or_told_apart_and_never_merged_wrongly():
    reduced, full = answers(kept(look=set))
    assert reduced.states <= full.states


@pytest.mark.parametrize("n", [4, 8, 12])
def test_what_is_learned_of_a_list_of_futures_grows_with_its_square_at_most(n):
    kernel = Kernel(kept(n, workers=4))
    symmetry = Symmetry(kernel)
    state = kernel.initial
    while choices := kernel.successors(state):
        symmetry.representative(state)
        state = choices[-1].state
    assert len(kernel.points.learned) <= 6 * n * n


def test_a_task_that_is_given_a_future_is_one_of_all_that_are():
    model = Model("a reader of each writer")
    pool = model.thread_pool("pool", 3)

    def write():
        yield from ()

    def read(written):
        yield written.result()

    def main():
        reads = []
        for _ in range(2):
            written = yield pool.submit(write)
            reads.append((yield pool.submit(read, written)))
        for each in reads:
            yield each.result()

    model.process("main", main)
    reduced, full = answers(model)
    assert reduced.notes == ()
    assert reduced.states < full.states / 3
