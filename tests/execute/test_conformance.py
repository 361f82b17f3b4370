"""The conformance check accepts what the model can do, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simcore import Model
from simcore.execute import Record
from simcore.execute.explain import Explainer
from simcore.execute.records import Actor
from simcore.kernel import Kernel
from simcore.model.operations import Operation


def two_writers():
    model = Model("two writers")
    items = model.queue("items")

    def put(item):
        yield items.put(item)

    def get():
        first = yield items.get()
        return first, (yield items.get())

    model.process("a", put, "a")
    model.process("b", put, "b")
    model.process("reader", get)
    return model, items


def told(first="b", second="a", a=(1, 9), b=(2, 8), gets=((3, 10), (11, 12))):
    """Return the model and the notes of a run of it."""
    model, items = two_writers()
    actors = [Actor(process, status="done") for process in model.processes]
    for actor, item, window in ((actors[0], "a", a), (actors[1], "b", b)):
        actor.records.append(record(items.put(item), None, window))
    for item, window in zip((first, second), gets, strict=True):
        actors[2].records.append(record(items.get(), item, window))
    actors[2].outcome = (first, second)
    return model, actors


def record(operation, result, window):
    return Record(operation, result, window[0], window[1], window[1], 0.0, 0.0)


def explained(model, actors, stuck=False, budget=None):
    return Explainer(Kernel(model, "anytime"), actors, stuck, budget).explain()


def test_overlapping_operations_may_have_happened_in_either_order():
    assert explained(*told("a", "b")).explained is True
    assert explained(*told("b", "a")).explained is True


def test_what_had_finished_before_comes_first():
    assert explained(*told("b", "a", a=(1, 2), b=(3, 4))).explained is False


def test_an_order_that_only_going_back_finds_is_found():
    model, actors = told("a", "b", a=(1, 9), b=(2, 3), gets=((4, 10), (11, 12)))
    assert explained(model, actors).explained is True  # b had finished first, and was put behind a


def test_a_result_that_nobody_can_have_got_is_told():
    model, actors = told("a", "a")
    found = explained(model, actors)
    assert found.explained is False
    assert "reader" in found.text
    assert "items.get() -> a" in found.text


def test_a_tampered_operation_is_told():
    model, actors = told()
    wrong = actors[0].records[0]
    actors[0].records[0] = replace(wrong, operation=Operation(wrong.operation.target, "put", ("z", True)))
    assert explained(model, actors).explained is False


def test_a_record_that_is_missing_is_told():
    model, actors = told()
    actors[0].records.clear()
    assert explained(model, actors).explained is False


def test_a_tampered_return_value_is_told():
    model, actors = told()
    actors[2].outcome = ("b", "z")
    found = explained(model, actors)
    assert found.explained is False
    assert "reader ended done" in found.text


def test_a_process_that_waits_must_be_blocked_in_the_model():
    model, actors = told()
    actors[2].records.pop()
    actors[2].status, actors[2].outcome = "active", None
    actors[2].pending = model.objects[1].get()
    found = explained(model, actors, stuck=True)
    assert found.explained is False
    assert "enabled in the model" in found.text


def test_a_process_that_waits_for_something_else_is_told():
    model, actors = told()
    actors[2].records.pop()
    actors[2].status, actors[2].outcome = "active", None
    actors[2].pending = model.objects[1].put("z")
    assert explained(model, actors, stuck=True).explained is False


def test_what_was_under_way_at_the_end_may_have_happened():
    model, actors = told()
    actors[0].records.clear()
    actors[0].status, actors[0].pending, actors[0].start = "active", model.objects[1].put("a"), 1
    assert explained(model, actors).explained is True


def test_a_budget_that_does_not_suffice_is_no_answer():
    assert explained(*told("a", "b"), budget=1).explained is None


@pytest.mark.parametrize("first", ["a", "b"])
def test_the_path_is_a_run_of_the_kernel(first):
    model, actors = told(first, "b" if first == "a" else "a")
    kernel = Kernel(model, "anytime")
    state = kernel.initial
    for process, outcome in explained(model, actors).path:
        state = kernel.step(state, process, outcome)
    assert kernel.view(state).process("reader").result[0] == first
