"""A wait for several futures stands in a skeleton; what a run hangs in and models do not have is its headline."""

import queue
import threading
from concurrent.futures import (
    ALL_COMPLETED,
    FIRST_COMPLETED,
    FIRST_EXCEPTION,
    Future,
    ThreadPoolExecutor,
    as_completed,
    wait,
)
from functools import partial

import pytest
import threaded
from test_model_of_code import built, lines

from simcore import Model, Verdict, control, explore
from simcore.control import conforms

MISSING = "made of a run that hangs; but the hang itself is not in it."


def by_wait(futures, **options):
    wait(futures, **options)


def by_completion(futures):
    for future in as_completed(futures):
        future.result()


def gallery(waits=by_wait, apart=False, galleries=2):
    """Submit from the tasks of a pool to the pool itself, and wait for all together; to another one if ``apart``."""
    pool = ThreadPoolExecutor(2, thread_name_prefix="render")
    inner = ThreadPoolExecutor(2, thread_name_prefix="resize") if apart else pool

    def resize(image):
        return image

    def render(number):
        waits([inner.submit(resize, image) for image in range(2)])

    with inner, pool:
        list(pool.map(render, range(galleries)))


WAITS = {
    "as_completed": by_completion,
    "wait": by_wait,
    "map": lambda futures: [future.result() for future in futures],
}


@pytest.mark.some(5)
@pytest.mark.parametrize("waits", WAITS.values(), ids=WAITS)
def test_who_waits_for_several_hangs_in_the_model_as_in_the_code(waits):
    hangs = control(partial(gallery, waits), schedules=20)
    assert hangs.verdict is Verdict.VIOLATED
    assert "ot modelled" not in hangs.model()
    found = explore(built(hangs))
    assert found.verdict is Verdict.VIOLATED
    assert "every worker is in render_2()" in str(found)
    assert conforms(hangs, built(hangs)).verdict is Verdict.HOLDS


@pytest.mark.some(5)
@pytest.mark.parametrize("waits", WAITS.values(), ids=WAITS)
def test_the_repaired_twin_holds_conforms_and_does_not_explain_the_hang(waits):
    fixed = control(partial(gallery, waits, apart=True), schedules=3)
    model = built(fixed)
    assert "ot modelled" not in fixed.model()
    assert explore(model).verdict is Verdict.HOLDS
    assert conforms(fixed, model).verdict is Verdict.HOLDS
    hangs = control(partial(gallery, waits), schedules=20)
    assert conforms(hangs, model).verdict is Verdict.VIOLATED


@pytest.mark.slow
def test_what_is_given_stands_where_it_was_given():
    def body():
        given = queue.Queue()
        with ThreadPoolExecutor(2, thread_name_prefix="pool") as pool:
            for _ in as_completed([pool.submit(int), pool.submit(int)]):
                given.put(1)

    found = [line for line in lines(body) if ".result()" in line or ".put(" in line]
    assert [line.partition(".")[2] for line in found] == ["result()", 'put("item")'] * 2


def test_whoever_waits_for_all_waits_in_the_end_for_the_one_that_nobody_sets():
    def body():
        early, late = Future(), Future()
        threaded.together(lambda: early.set_result(1), lambda: wait([early, late]), names=("sets", "waits"))

    def by_hand(all_set):
        model = Model("by hand")
        early, late = model.future("early"), model.future("late")

        def sets():
            yield early.set_result(1)
            if all_set:
                yield late.set_result(1)

        def waits():
            yield late.result()
            yield early.result()

        model.process("sets", sets)
        model.process("waits", waits)
        return model

    hangs = control(body, schedules=5)
    assert explore(built(hangs)).verdict is Verdict.VIOLATED
    for model in (built(hangs), by_hand(all_set=False)):
        assert conforms(hangs, model).verdict is Verdict.HOLDS
    found = conforms(hangs, by_hand(all_set=True))
    assert found.verdict is Verdict.VIOLATED
    assert "in the end the run waits for ever, waits: wait() with late at " in found.reason


def test_the_order_in_which_futures_came_may_be_another_one():
    def body():
        first, second = Future(), Future()

        def sets():
            second.set_result(1)
            first.set_result(1)

        threaded.together(sets, lambda: by_completion([first, second]), names=("sets", "waits"))

    result = control(body, schedules=3)
    assert conforms(result, built(result)).verdict is Verdict.HOLDS
    assert "* that futures come in this order out of as_completed, at test_together.py:" in result.model()


@pytest.mark.slow
def test_a_run_that_came_to_its_end_says_what_comes_behind_a_wait_for_several():
    def body():
        first, second = threading.Lock(), threading.Lock()

        def takes(one, other):
            with one, other:
                pass

        with ThreadPoolExecutor(2, thread_name_prefix="pool") as pool:
            by_completion([pool.submit(takes, first, second), pool.submit(takes, second, first)])
            with first:
                pass

    result = control(body, schedules=50)
    assert [each.how for each in result.histories] == ["deadlock", "completed"]
    main = result.model().partition("def main():")[2]
    assert "shutdown()" in main
    assert "was not seen to go on" not in main


@pytest.mark.some(2)
@pytest.mark.parametrize("return_when", [FIRST_COMPLETED, FIRST_EXCEPTION])
def test_a_wait_for_the_first_is_no_wait_for_all_and_that_is_the_headline(return_when):
    result = control(partial(gallery, partial(by_wait, return_when=return_when)), schedules=20)
    source = result.model()
    assert source.partition("\n")[0].endswith("; but not all of the hang is in it."), "main waits for the first task"
    where = f"gallery.render() waits in concurrent.futures.wait({return_when}) at test_together.py:"
    assert f"* {where}" in source.partition("It says what threads")[0]
    assert source.count(where) == 1, "it is said once"
    told = conforms(result, built(result))
    assert told.verdict is not Verdict.HOLDS
    assert where in told.lost[0]
    assert "not in the model, which so may hold where the code hangs: gallery.render()" in " ".join(str(told).split())


@pytest.mark.slow
def test_a_wait_for_the_first_of_one_is_a_wait_for_all():
    def body():
        wait([Future()], return_when=FIRST_COMPLETED)

    result = control(body, schedules=1)
    assert "; but " not in result.model()
    assert explore(built(result)).verdict is Verdict.VIOLATED


def test_a_wait_that_gave_up_is_none():
    never = partial(by_wait, timeout=3, return_when=ALL_COMPLETED)
    source = control(lambda: never([Future()]), schedules=1).model()
    assert "concurrent.futures.wait of " in source
    assert "that gave up after 3 s" in source
    assert ".result()" not in source


def test_any_other_wait_that_models_do_not_have_is_the_headline_too():
    def body():
        todo = queue.Queue()
        threading.Thread(target=lambda: [todo.get() for _ in range(9)], name="worker", daemon=True).start()
        todo.put(1)
        todo.join()

    result = control(body, schedules=5)
    source = result.model()
    assert source.partition("\n")[0].endswith(MISSING)
    assert "\n* main waits in Queue.join of todo at test_together.py:" in source
    told = conforms(result, built(result))
    assert (told.verdict, told.reason) == (Verdict.UNDETERMINED, "the hang itself is not in the model")
    assert "main waits in Queue.join of todo at " in told.lost[0]


@pytest.mark.slow
def test_what_is_only_passed_is_no_headline():
    def body():
        threading.Barrier(1).wait()
        Future().result()

    source = control(body, schedules=1).model()
    assert "Barrier.wait" in source
    assert "; but " not in source


@pytest.mark.slow
def test_a_wait_in_a_loop_that_was_given_up_is_no_loop():
    def body():
        changed = threading.Condition()
        with changed:
            while True is not False:
                if not changed.wait(5):
                    return

    result = control(body, schedules=1)
    assert "while not" not in result.model()
    assert conforms(result, built(result)).verdict is Verdict.HOLDS
