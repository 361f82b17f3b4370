"""Nothing internal is ever printed, no line is wider than 80 columns, and no token is cut: for a family of systems."""

from __future__ import annotations

import json
import re

import generated
import pytest
import small
from hypothesis import given, settings

from simcore import Model, Verdict, choose, execute, explore, simulate
from simcore.command.console import coloured
from simcore.explain import fit
from simcore.report import as_json

INTERNAL = re.compile(
    r"reacquire|[.](join|countdown|armed)|Point[(]|(Lock|Pool|Future)Value|simcore/|link[.]py|0x[0-9a-f]{6}"
)


def check(text):
    assert not INTERNAL.search(text), text
    for line in text.splitlines():
        assert len(line) <= 80 or " " not in line.strip() or "sc1-" in line or "replay: " in line, line


def conditions(timeout: float | None = None) -> Model:
    model = Model("conditions")
    ready = model.condition("ready", model.lock("lock"))

    def wait():
        yield ready.acquire()
        yield ready.wait(timeout=timeout)
        yield ready.acquire()

    def notify():
        yield ready.acquire()
        yield ready.notify()
        yield ready.release()

    model.process("waiter", wait)
    model.process("notifier", notify)
    return model


def shut_down() -> Model:
    model = Model("shut down")
    pool, never = model.thread_pool("pool", 2), model.event("never")

    def task():
        yield never.wait()

    def main():
        yield pool.submit(task)
        yield pool.shutdown()

    model.process("main", main)
    return model


def cancelled_timer() -> Model:
    model = Model("timer")
    fired = model.event("fired")

    def fire():
        yield fired.set()

    timer = model.timer("timer", 1.0, fire)

    def main():
        yield timer.start()
        yield fired.wait()
        yield fired.clear()
        yield fired.wait()

    model.process("main", main)
    return model


MODELS = [
    conditions(),
    conditions(timeout=1.0),
    shut_down(),
    cancelled_timer(),
    small.crossed(),
    small.hidden(),
    small.raising(),
    small.locked_tasks(),
    small.nested_submit(workers=2, tasks=3),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_no_report_of_a_known_system_shows_anything_internal(model):
    result = explore(model)
    check(str(result))
    check(str(simulate(model, until=100, max_steps=2_000)))
    assert not INTERNAL.search(json.dumps(as_json(result)))


@settings(max_examples=10, deadline=None)
@given(generated.systems())
def test_no_report_of_a_generated_system_shows_anything_internal(system):
    model = system.model() if hasattr(system, "model") else system
    check(str(explore(model, max_states=2_000)))


def too_large() -> Model:
    model = Model("too large")
    link = model.link("link", 4, unit="bytes")

    def sender():
        yield link.send("0123456789")

    model.process("sender", sender)
    return model


def test_the_place_of_a_failure_is_the_users_line():
    for text in (str(explore(too_large())), str(simulate(too_large()))):
        assert "test_no_internals.py:" in text
        check(text)


def test_the_object_has_the_failure_and_who_is_lost():
    assert "died of" in as_json(explore(small.raising()))["failure"]
    assert "never move" in as_json(explore(small.hidden()))["lost"]


def test_what_was_chosen_is_always_told():
    model = Model("chosen")
    never = model.event("never")

    def user():
        yield choose(None)
        yield choose(True)
        yield choose("")
        yield never.wait()

    model.process("user", user)
    steps = explore(model).counterexample.schedule.steps
    assert [step.result for step in steps] == ["None", "True", "''"]


def test_the_same_words_are_said_of_a_model_and_of_a_real_run():
    found = explore(small.crossed()).counterexample
    real = execute(small.crossed(), schedule=found.schedule)
    assert real.wait_for.explain() == found.wait_for.explain()
    assert str(real).startswith(f"stuck: {found.answer}")


def test_a_step_is_continued_below_its_own_words():
    line = f"   1  process  {'word ' * 20}"
    assert fit([line]).splitlines()[1].startswith(" " * 15 + "word")


def test_what_is_to_be_copied_is_not_cut():
    line = "replay: simcore replay sc1-" + "x" * 200
    assert fit([line]) == line


@pytest.mark.parametrize("verdict", list(Verdict))
def test_colours_change_no_letter(verdict):
    text = f"{verdict}: deadlock free\n  a model\nstuck:\n  left waits\nreplay: simcore replay sc1-x"
    assert coloured(text).plain == text
    assert "bold" in str(coloured(text).spans[0].style)
