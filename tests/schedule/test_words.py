"""A step is told in words that a reader understands; tokens know it by words that stay as they are."""

from __future__ import annotations

import pytest

from simcore import Model, explore
from simcore.kernel import Kernel
from simcore.model import objects
from simcore.model.operations import SharedObject
from simcore.schedule import Schedule


def kinds(of=SharedObject):
    for kind in of.__subclasses__():
        if kind.__module__.startswith(objects.__name__):
            yield kind
            yield from kinds(kind)


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: kind.__name__)
def test_every_operation_that_a_process_may_yield_is_told_in_a_sentence(kind):
    offered = {name.removeprefix("do_") for name in dir(kind) if name.startswith("do_")}
    assert offered <= {*kind.phrases, *kind.questions, *kind.spelled}


def looking() -> Model:
    model = Model("looking")
    lock, event, queue, future = model.lock("lock"), model.event("event"), model.queue("queue"), model.future("future")
    pair, never = model.variable("pair", (1, (2, 3))), model.event("never")

    def look():
        yield lock.locked()
        yield event.is_set()
        yield queue.qsize()
        yield future.done()
        yield pair.update(lambda value, by: (*value, by), (4, 5))
        yield queue.put((6, 7))
        yield never.wait()

    model.process("looker", look)
    return model


def test_values_with_parts_have_brackets_and_a_lambda_its_line():
    steps = explore(looking()).counterexample.schedule.steps
    line = looking.__code__.co_firstlineno + 10
    assert [(step.text, step.result) for step in steps] == [
        ("looks whether lock is held", "False"),
        ("looks whether event is set", "False"),
        ("looks how many queue holds", "0"),
        ("looks whether future is set", "False"),
        (f"updates pair by lambda:{line}((4, 5))", "(1, (2, 3), (4, 5))"),
        ("puts (6, 7) into queue", ""),
    ]


def test_what_tokens_know_a_step_by_stays_as_it_was():
    schedule = Schedule.of(Kernel(looking()), [(0, 0)] * 6)
    assert [step.recorded for step in schedule.steps] == [
        ("lock.locked()", "False"),
        ("event.is_set()", "False"),
        ("queue.qsize()", "0"),
        ("future.done()", "False"),
        ("updates pair by <lambda>(4, 5)", "1, 2, 3, 4, 5"),
        ("puts 6, 7 into queue", ""),
    ]
