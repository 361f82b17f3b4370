"""A run of the code is one of a model's, step by step, or the first step that is not is named."""

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import threaded
from test_model_of_code import PROGRAMS, built

from simcore import Model, Verdict, control
from simcore.control import conforms
from simcore.errors import OptionError


def locks(*, swapped=False, fixed=False):
    """Build opposed locks by hand; ``swapped`` has both the other way round."""
    model = Model("opposed locks")
    left, right = model.lock("left"), model.lock("right")

    def take(first, second):
        yield first.acquire()
        yield second.acquire()
        yield second.release()
        yield first.release()

    one, other = ((left, right), (left, right)) if fixed else ((left, right), (right, left))
    model.process("one", take, *(other if swapped else one))
    model.process("other", take, *(one if swapped else other))
    return model


def pool(workers=1, name="pool", asked=True):
    """Build a nested submit by hand, with other names than the code if that is wanted."""
    model = Model("nested submit")
    workers_of = model.thread_pool(name, workers)

    def inner():
        yield from ()

    def outer():
        future = yield workers_of.submit(inner)
        if asked:
            yield future.result()

    def main():
        future = yield workers_of.submit(outer)
        yield future.result()
        yield workers_of.shutdown()

    model.process("main", main)
    return model


@pytest.mark.some(20)
@pytest.mark.parametrize(("body", "repair"), PROGRAMS.values(), ids=PROGRAMS)
def test_a_skeleton_explains_its_run_and_others_of_the_same_code_and_not_those_of_its_twin(body, repair):
    hangs, fixed = control(body, schedules=100), control(partial(body, **repair), schedules=3)
    for result in (hangs, fixed):
        own = conforms(result, built(result))
        assert own.verdict is Verdict.HOLDS
        assert own.matched > 0
    model = built(fixed)
    for seed in range(1, 4):
        assert conforms(control(partial(body, **repair), schedules=1, seed=seed), model).verdict is Verdict.HOLDS
    assert conforms(hangs, model).verdict is Verdict.VIOLATED


@pytest.fixture(scope="module")
def opposed():
    return control(threaded.opposed_locks)


@pytest.fixture(scope="module")
def nested():
    return control(threaded.nested_submit)


def test_a_model_by_hand_explains_the_run(opposed):
    found = conforms(opposed, locks())
    assert (found.verdict, found.matched, found.steps) == (Verdict.HOLDS, 2, 4)
    assert str(found).startswith("conforms\n")
    assert "2 of 4 steps matched" in str(found)
    assert found.of_code == ("main",)


def test_a_swapped_order_is_told_at_its_step_with_what_the_model_has(opposed):
    found = conforms(opposed, locks(swapped=True))
    assert found.verdict is Verdict.VIOLATED
    first = next(step for step in opposed.violation.steps if "acquire" in step.text)
    lock = first.text.partition(".")[0]
    assert f"of the run, {first.thread}: {lock}.acquire() at threaded.py:125, is none of the model's" in found.reason
    assert found.allowed == (f"{first.thread}: {'right' if lock == 'left' else 'left'}.acquire()",)


def test_a_model_of_the_repair_does_not_explain_the_hang(opposed, nested):
    assert conforms(opposed, locks(fixed=True)).verdict is Verdict.VIOLATED
    found = conforms(nested, pool(workers=2))
    assert found.verdict is Verdict.VIOLATED
    assert "in the end the run waits for ever" in found.reason
    assert conforms(nested, pool()).verdict is Verdict.HOLDS


def test_a_model_of_the_hang_does_not_explain_the_repair():
    fixed = control(partial(threaded.nested_submit, workers=2), schedules=1)
    assert conforms(fixed, pool(workers=2)).verdict is Verdict.HOLDS
    found = conforms(fixed, pool())
    assert found.verdict is Verdict.VIOLATED
    assert "nested_submit.outer(): nested_submit.inner().result()" in found.reason
    assert found.allowed == ("pool[0]: future#1.result(), which waits",)


def test_a_wait_that_the_model_does_not_have_is_found():
    fixed = control(partial(threaded.nested_submit, workers=2), schedules=1)
    assert conforms(fixed, pool(workers=2, asked=False)).verdict is Verdict.VIOLATED


def test_names_that_differ_are_given():
    fixed = control(partial(threaded.nested_submit, workers=2), schedules=1)
    model = pool(workers=2, name="stream")
    apart = conforms(fixed, model)
    assert (apart.matched, apart.of_code, apart.of_model) == (2, ("pool",), ("stream",))
    together = conforms(fixed, model, names={"pool": "stream"})
    assert (together.verdict, together.matched, together.of_model) == (Verdict.HOLDS, 6, ())


def test_no_step_in_common_is_no_conformance(opposed):
    model, nothing = Model("something else"), lambda: (yield from ())
    model.process("somebody", nothing)
    found = conforms(opposed, model)
    assert (found.verdict, found.matched) == (Verdict.UNDETERMINED, 0)
    assert "no step of the run has its names in the model" in str(found)
    assert {"left", "right", "one", "other", "main"} == set(found.of_code)


def test_too_many_states_are_undetermined(nested):
    found = conforms(nested, pool(), max_states=2)
    assert (found.verdict, found.reason) == (Verdict.UNDETERMINED, "there are more than 2 states")
    assert "at most 2" in str(found)


def notifies(tells=True):
    changed = threading.Condition()

    def waiter():
        with changed:
            changed.wait(timeout=5)

    def teller():
        with changed:
            if tells:
                changed.notify()

    threaded.together(waiter, teller, names=("waiter", "teller"))


def told(tells=True):
    model = Model("told")
    changed = model.condition("changed")

    def waiter():
        yield changed.acquire()
        yield changed.wait(timeout=5)
        yield changed.release()

    def teller():
        yield changed.acquire()
        if tells:
            yield changed.notify()
        yield changed.release()

    model.process("waiter", waiter)
    model.process("teller", teller)
    return model


@pytest.mark.slow
@pytest.mark.parametrize("tells", [True, False])
def test_time_outs_are_those_of_the_kernel(tells):
    for seed in range(2):
        result = control(partial(notifies, tells), schedules=1, seed=seed)
        assert conforms(result, told(tells)).verdict is Verdict.HOLDS
        assert conforms(result, told(not tells)).verdict is Verdict.VIOLATED


def hands_over():
    todo = queue.Queue(1)

    def producer():
        for number in range(3):
            todo.put(number)

    def consumer():
        for _ in range(3):
            todo.get()

    threaded.together(producer, consumer, names=("producer", "consumer"))


@pytest.mark.parametrize(("capacity", "verdict"), [(1, Verdict.HOLDS), (2, Verdict.HOLDS)])
def test_a_link_stands_for_a_queue(capacity, verdict):
    model = Model("link")
    todo = model.link("todo", capacity)

    def producer():
        for number in range(3):
            yield todo.send(number)

    def consumer():
        for _ in range(3):
            yield todo.recv()

    model.process("producer", producer)
    model.process("consumer", consumer)
    assert conforms(control(hands_over, schedules=1), model).verdict is verdict


def same_tasks():
    lock = threading.Lock()

    def task():
        with lock:
            pass

    with ThreadPoolExecutor(2, thread_name_prefix="pool") as pool:
        for future in [pool.submit(task) for _ in range(3)]:
            future.result()


@pytest.mark.slow
def test_tasks_that_are_alike_are_told_apart():
    result = control(same_tasks, schedules=5)
    model = built(result)
    assert conforms(result, model).verdict is Verdict.HOLDS
    for seed in range(1, 4):
        assert conforms(control(same_tasks, schedules=1, seed=seed), model).verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"model": "opposed"}, "a text is no model"),
        ({"names": {"nobody": "left"}}, "nothing in the run is called 'nobody'"),
        ({"names": {"left": "nobody"}}, "nothing in the model is called 'nobody'"),
        ({"max_states": 0}, "max_states=0"),
        ({"result": None}, "what control"),
    ],
)
def test_what_cannot_be_is_one_line(opposed, arguments, words):
    given = {"result": opposed, "model": locks(), **arguments}
    with pytest.raises(OptionError, match=words) as raised:
        conforms(given.pop("result"), given.pop("model"), **given)
    assert "\n" not in str(raised.value)


def test_without_a_run_there_is_nothing_to_ask():
    result = control(threaded.fails_beside_who_never_ends, schedules=1, max_steps=5)
    object.__setattr__(result, "histories", ())
    with pytest.raises(OptionError, match="there is no run"):
        conforms(result, locks())
