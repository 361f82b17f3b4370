"""A future of a submit is called by its task, however often its place was used before."""

from __future__ import annotations

from simcore import Model, explore
from simcore.kernel import Kernel
from simcore.schedule import Schedule


def two_in_a_row(name: str = "pool") -> Model:
    """Two tasks, one after the other, whose futures take the same place; then the pool waits for itself."""
    model = Model("two in a row")
    pool = model.thread_pool(name, 1)

    def first():
        yield from ()

    def second():
        yield from ()

    def outer():
        yield (yield pool.submit(second)).result()

    def main():
        yield (yield pool.submit(first)).result()
        yield (yield pool.submit(outer)).result()

    model.process("main", main)
    return model


def texts(model):
    found = explore(model).counterexample
    return [str(step.text) for step in found.schedule.steps]


def test_each_step_names_the_task_whose_future_it_is():
    assert "has the result of first()" in texts(two_in_a_row())
    assert not [text for text in texts(two_in_a_row()) if "future#" in text]


def test_a_name_of_the_user_is_left_alone():
    said = texts(two_in_a_row(name="future#7"))
    assert "submits first() to future#7" in said
    assert "has the result of future#0" in said  # so nothing is renamed at all


def test_what_tokens_are_checked_by_stays_as_it_was():
    model = two_in_a_row()
    schedule = explore(model).counterexample.schedule
    recorded = [step.recorded[0] for step in Schedule.of(Kernel(model), schedule.path(Kernel(model))).steps]
    assert "has the result of future#0" in recorded
